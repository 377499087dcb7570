"""One module for each page, named after its integration: `layout()` and `register(app, services)`."""
