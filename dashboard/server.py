"""The WSGI application: request context, errors, the API and its documentation, and Dash on top."""

from __future__ import annotations

import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from flask import Flask, Response, g, request, send_from_directory
from loguru import logger
from werkzeug.exceptions import MethodNotAllowed

from dashboard import identity
from dashboard.api import errors, lakebase, model_serving, status, unity_catalog
from dashboard.api.contract import Api, serve_document
from dashboard.app_shell import create_dash
from services.container import Services
from services.errors import ForeignPage, NotFound
from services.observability import bind_user, request_context, request_seconds, requests_total

VERSION = "0.1.0"

_MAX_BODY_BYTES = 16 * 1024 * 1024
"""Model Serving's own limit for one request; smaller limits are checked where they apply."""

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""Methods that the metric tells apart; a caller may invent as many as there are words."""

_OWN_SITES = frozenset({"same-origin", "none"})
"""What ``Sec-Fetch-Site`` says of our own pages and of what a person does without any page."""
_READING = frozenset({"GET", "HEAD", "OPTIONS"})

_SWAGGER_FILES = {"swagger-ui.css": "css", "swagger-ui-bundle.js": "js"}
"""Files of the installed package ``flask-openapi3-swagger``, by the folder they lie in."""

_SWAGGER_SCRIPT = """\
let chosen = null;
try { chosen = localStorage.getItem("lakefront.theme"); } catch { /* storage refused: the system's theme it is */ }
const dark = chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
document.documentElement.classList.toggle("dark-mode", dark);
document.documentElement.style.colorScheme = dark ? "dark" : "light";
window.addEventListener("load", () => SwaggerUIBundle({
  url: "/openapi.json", dom_id: "#swagger-ui", deepLinking: true, validatorUrl: null,
  presets: [SwaggerUIBundle.presets.apis], layout: "BaseLayout",
}));
"""
_SWAGGER_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Lakefront API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/files/swagger-ui.css">
<script src="/docs/files/swagger-ui-bundle.js"></script><script src="/docs/start.js"></script>
</head>
<body><main id="swagger-ui"></main></body>
</html>
"""


def create_server(services: Services) -> Flask:
    """Build the application. No I/O; ``services.start`` opens connections in the serving process."""
    app = Flask("lakefront", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = _MAX_BODY_BYTES
    app.json.sort_keys = False  # type: ignore[attr-defined]
    identity.attach(app.extensions, services)
    _bind_requests(app)
    _refuse_foreign_pages(app)
    errors.register(app)
    api = Api(
        app,
        title="Lakefront",
        version=VERSION,
        description="Unity Catalog tables, Lakebase records and Model Serving, on behalf of the signed-in user.",
        sign_in=identity.current_user,
    )
    status.register(api, services, VERSION)
    unity_catalog.register(api, services)
    lakebase.register(api, services)
    model_serving.register(api, services)
    status.register_metrics(app, services)
    serve_document(app, api)
    _serve_documentation(app)
    create_dash(app, services)
    _refuse_unknown(app, api)
    return app


def _refuse_foreign_pages(app: Flask) -> None:
    """No page of another site acts through a signed-in person's browser (cross-site request forgery).

    The platform's proxy signs in whoever's browser asks, whichever page made it ask. Every browser tells that page by
    ``Sec-Fetch-Site``, which no script can set; programs send none. https://www.w3.org/TR/fetch-metadata/
    """

    @app.before_request
    def foreign() -> None:
        if request.method not in _READING and request.headers.get("Sec-Fetch-Site", "none") not in _OWN_SITES:
            raise ForeignPage()


def _refuse_unknown(app: Flask, api: Api) -> None:
    """Dash answers unknown paths with the page; below /api an unknown path or method is an error.

    It is asked before the view, because Dash's catch-all route would take the path, or lend it methods of its own.
    """

    @app.before_request
    def unknown() -> Response | None:
        if not f"{request.path}/".startswith("/api/") or api.serves(request.endpoint):
            return None
        allowed = api.methods_of(request.path)
        if not allowed:
            raise NotFound("There is no such route.")
        if request.method == "OPTIONS":
            return Response(status=204, headers={"Allow": ", ".join(allowed)})
        raise MethodNotAllowed(valid_methods=allowed)


def _bind_requests(app: Flask) -> None:
    @app.before_request
    def begin() -> None:
        context = request_context(request.headers.get("X-Request-Id"))
        g.request_context = context
        g.request_id = context.__enter__()
        g.started = time.perf_counter()

    @app.after_request
    def stamp(response: Response) -> Response:
        seconds = time.perf_counter() - g.get("started", time.perf_counter())
        route = request.url_rule.rule if request.url_rule is not None else "unmatched"
        method = request.method if request.method in _METHODS else "other"
        requests_total.labels(route, method, str(response.status_code)).inc()
        request_seconds.labels(route).observe(seconds)
        response.headers["X-Request-Id"] = g.get("request_id", "")
        user = g.get("lakefront_user")
        if user is not None:
            # Dash runs a callback in a context of its own, so what was bound there is bound here once more.
            bind_user(user.user_id)
        if not request.path.startswith(("/_dash-component-suites", "/assets", "/docs/files")):
            logger.bind(
                method=request.method,
                path=request.path,
                status=response.status_code,
                duration_ms=round(seconds * 1000, 2),
            ).info("request")
        return response

    @app.teardown_request
    def end(_error: BaseException | None) -> None:
        context: Any = g.pop("request_context", None)
        if context is not None:
            context.__exit__(None, None, None)


def _serve_documentation(app: Flask) -> None:
    """Swagger UI from the installed package, with a script file instead of an inline one (strict CSP)."""

    @app.get("/docs")
    def docs() -> Response:
        return Response(_SWAGGER_PAGE, mimetype="text/html")

    @app.get("/docs/start.js")
    def docs_start() -> Response:
        return Response(_SWAGGER_SCRIPT, mimetype="text/javascript")

    package = find_spec("flask_openapi3_swagger")
    if package is None or package.origin is None:
        raise RuntimeError("the package flask-openapi3-swagger is not installed; install requirements.txt")
    folder = Path(package.origin).parent / "templates/swagger"

    @app.get("/docs/files/<name>")
    def docs_files(name: str) -> Response:
        if name not in _SWAGGER_FILES:
            return errors.answer(NotFound("There is no such file."))
        return send_from_directory(folder / _SWAGGER_FILES[name], name, max_age=86_400)
