"""The JSON API: one module for each integration, the same names as the services."""
