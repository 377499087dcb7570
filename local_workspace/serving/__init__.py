"""Model Serving of the local workspace: real small models behind the platform's endpoints API."""
