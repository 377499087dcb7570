"""What every REST route of the local workspace shares: errors, bodies, paging, faults, Host checks."""

from __future__ import annotations

import base64
import socket
import time
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException

from local_workspace.faults import Fault, Faults

T = TypeVar("T")

LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "::1"})

_FAULT_PREFIXES = (
    ("/oidc/", "identity"),
    ("/api/2.0/preview/scim/", "identity"),
    ("/api/2.1/unity-catalog/", "unity_catalog"),
    ("/api/2.0/database/credentials", "lakebase_mint"),
    ("/api/2.0/postgres/credentials", "lakebase_mint"),
    ("/serving-endpoints/", "model_serving"),
    ("/api/2.0/serving-endpoints", "model_serving"),
    ("/api/2.0/apps", "apps"),
)
_CODE_OF_STATUS = {
    400: "BAD_REQUEST",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "RESOURCE_DOES_NOT_EXIST",
    409: "RESOURCE_CONFLICT",
    429: "REQUEST_LIMIT_EXCEEDED",
    500: "INTERNAL_ERROR",
    501: "NOT_IMPLEMENTED",
    503: "TEMPORARILY_UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


class ApiError(Exception):
    """An answer in the platform's error shape, ``{"error_code": …, "message": …}``."""

    def __init__(self, status: int, error_code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        """``status`` is the HTTP status; ``error_code`` what the SDK maps to an exception class."""
        super().__init__(message)
        self.status = status
        self.error_code = error_code
        self.message = message
        self.headers = dict(headers or {})


def create_app(faults: Faults, workspace_id: str) -> Flask:
    """The WSGI application that the blueprints are registered on."""
    app = Flask("local_workspace", static_folder=None)
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.before_request(require_loopback_host)
    app.before_request(lambda: _apply_fault(faults))
    app.register_error_handler(ApiError, _answer_error)
    app.register_error_handler(HTTPException, _answer_http_exception)

    @app.after_request
    def _stamp(response: Response) -> Response:
        response.headers["X-Databricks-Org-Id"] = workspace_id
        return response

    return app


def require_loopback_host() -> None:
    """Refuse a request whose Host header is not a loopback name: DNS rebinding from a web page elsewhere.

    Raises:
        ApiError: 403 when the Host header names another machine.
    """
    name = request.host.rsplit(":", 1)[0].strip("[]") if request.host else ""
    if name not in LOOPBACK_NAMES and not name.endswith(".localhost"):
        raise ApiError(403, "PERMISSION_DENIED", "The local workspace answers on loopback names only.")
    origin = request.headers.get("Origin")
    if origin and request.method not in {"GET", "HEAD", "OPTIONS"} and not _is_loopback_origin(origin):
        raise ApiError(403, "PERMISSION_DENIED", "Requests from other web sites are refused.")


def _is_loopback_origin(origin: str) -> bool:
    host = origin.partition("://")[2].split("/", 1)[0]
    name = host.rsplit(":", 1)[0].strip("[]") if ":" in host else host
    return name in LOOPBACK_NAMES or name.endswith(".localhost")


def body() -> dict[str, Any]:
    """The request's JSON object; an empty body is an empty object.

    Raises:
        ApiError: 400 when it is not a JSON object.
    """
    if not request.get_data(cache=True):
        return {}
    document = request.get_json(force=True, silent=True)
    if not isinstance(document, dict):
        raise ApiError(400, "MALFORMED_REQUEST", "Request body is not a JSON object.")
    return document


def page_of(items: Sequence[T], *, default: int = 100) -> tuple[list[T], str | None]:
    """Cut one page out of ``items`` by the query's ``max_results`` and ``page_token``; 0 means the server's size.

    Raises:
        ApiError: 400 for a negative size or a token that this server did not make.
    """
    try:
        size = int(request.args.get("max_results", "0") or 0)
        token = request.args.get("page_token", "")
        start = int(base64.urlsafe_b64decode(token).decode()) if token else 0
    except ValueError:
        raise ApiError(400, "INVALID_PARAMETER_VALUE", "Invalid max_results or page_token.") from None
    if size < 0 or start < 0:
        raise ApiError(400, "INVALID_PARAMETER_VALUE", "max_results must not be negative.")
    end = start + (size or default)
    more = base64.urlsafe_b64encode(str(end).encode()).decode() if end < len(items) else None
    return list(items[start:end]), more


def not_implemented(path: str = "") -> ApiError:
    """The answer to what the local workspace does not do; never a false 200."""
    return ApiError(501, "NOT_IMPLEMENTED", f"The local workspace does not implement {request.method} /{path}.")


def drop_connection() -> None:
    """Cut the client's connection without an answer, for a fault. Does nothing under a server without sockets."""
    connection = request.environ.get("lakefront.socket")
    if isinstance(connection, socket.socket):
        try:
            connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            return


def apply_http_fault(fault: Fault) -> None:
    """Wait, cut or fail as ``fault`` says.

    Raises:
        ApiError: the fault's status.
    """
    if fault.delay_seconds:
        time.sleep(fault.delay_seconds)
    if fault.drop:
        drop_connection()
        raise ApiError(503, "TEMPORARILY_UNAVAILABLE", fault.message)
    if fault.status:
        headers = {"x-databricks-reason-phrase": fault.message}
        if fault.retry_after is not None:
            headers["Retry-After"] = str(fault.retry_after)
        raise ApiError(fault.status, _CODE_OF_STATUS.get(fault.status, "UNKNOWN"), fault.message, headers)


def _apply_fault(faults: Faults) -> None:
    for prefix, service in _FAULT_PREFIXES:
        if request.path.startswith(prefix):
            fault = faults.take(service, request.path)
            if fault is not None:
                apply_http_fault(fault)
            return


def _answer_error(error: ApiError) -> Response:
    response = jsonify({"error_code": error.error_code, "message": error.message})
    response.status_code = error.status
    response.headers.update(error.headers)
    return response


def _answer_http_exception(error: HTTPException) -> Response:
    status = error.code or 500
    if status == 404:
        return _answer_error(not_implemented(request.path.lstrip("/")))
    code = _CODE_OF_STATUS.get(status, "BAD_REQUEST")
    return _answer_error(ApiError(status, code, error.description or "Request refused."))
