"""Bootstrap and its icons, served from the installed package Bootstrap-Flask: no CDN, no pasted copy.

The version stands in the path, so browsers may keep the files for a year.
"""

from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

from flask import Flask, Response, abort, send_from_directory

YEAR_SECONDS = 31_536_000
PREFIX = f"/vendor/bootstrap-flask-{version('bootstrap-flask')}"
STYLESHEETS = (f"{PREFIX}/css/bootstrap.min.css", f"{PREFIX}/css/font/bootstrap-icons.min.css")
_SERVED = frozenset(
    {
        "css/bootstrap.min.css",
        "css/font/bootstrap-icons.min.css",
        "css/font/fonts/bootstrap-icons.woff2",
        "css/font/fonts/bootstrap-icons.woff",
    }
)


def serve_vendor_files(server: Flask) -> None:
    """Add the route; only the files that the pages use are served, to anybody (they are public)."""
    folder = Path(str(files("flask_bootstrap"))) / "static" / "bootstrap5"

    @server.get(f"{PREFIX}/<path:name>")
    def vendor_file(name: str) -> Response:
        if name not in _SERVED:
            abort(404)
        return send_from_directory(folder, name, max_age=YEAR_SECONDS)
