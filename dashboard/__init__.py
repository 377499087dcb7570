"""What people and programs meet: Dash pages and the JSON API."""
