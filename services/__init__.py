"""One module for each integration; knows neither Dash nor Flask."""
