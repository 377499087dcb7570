"""The one place that turns errors into HTTP: status, body, ``Retry-After``, log line and metric."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from dash.exceptions import DependencyException
from flask import Flask, Response, current_app, jsonify, request
from loguru import logger
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.exceptions import NotFound as PathNotFound

from services.errors import InternalError, InvalidRequest, LakefrontError, NotFound
from services.observability import errors_total, request_id


def error_body(error: LakefrontError) -> dict[str, Any]:
    """The JSON body of ``error``; ``retry_after`` only where it applies."""
    body: dict[str, Any] = {
        "error_code": error.error_code,
        "message": error.message,
        "technical_details": {**error.technical_details, "request_id": request_id()},
    }
    if error.retry_after is not None:
        body["retry_after"] = error.retry_after
    return body


def record(error: LakefrontError, cause: BaseException | None = None, status: int | None = None) -> None:
    """Log ``error`` once, with its cause's traceback, and count it: ERROR, or WARNING for what the caller did.

    ``status`` is what is answered where it is not the error's own.
    """
    status = status or error.status
    errors_total.labels(error.error_code).inc()
    level = "WARNING" if status < 500 else "ERROR"
    context = {key: value for key, value in error.technical_details.items() if key != "request_id"}
    logger.bind(error_code=error.error_code, error_type=type(error).__name__, status=status, context=context).opt(
        exception=cause or error
    ).log(level, "{}", error.message)


def answer(error: LakefrontError) -> Response:
    """The HTTP response of ``error``."""
    response = jsonify(error_body(error))
    response.status_code = error.status
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def register(app: Flask) -> None:
    """Handle every error of the API. Dash's own routes keep Dash's handling."""

    @app.errorhandler(LakefrontError)
    def on_lakefront_error(error: LakefrontError) -> Response:
        record(error)
        return answer(error)

    @app.errorhandler(HTTPException)
    def on_http_exception(error: HTTPException) -> Response | HTTPException:
        if not request.path.startswith("/api/"):
            return error
        mapped = _of_http(error)
        response = answer(mapped)
        response.status_code = mapped.status if error.code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE else error.code or 500
        record(mapped, error, response.status_code)
        if isinstance(error, MethodNotAllowed) and error.valid_methods:
            response.headers["Allow"] = ", ".join(error.valid_methods)
        return response

    @app.errorhandler(DependencyException)
    def on_unknown_library(_error: DependencyException) -> HTTPException:
        """Somebody asked for a script of a library that is not part of the page."""
        return PathNotFound()

    @app.errorhandler(Exception)
    def on_unforeseen(error: Exception) -> Response:
        mapped = InternalError()
        record(mapped, error)
        return answer(mapped)


def _of_http(error: HTTPException) -> LakefrontError:
    if error.code == 404:
        return NotFound("There is no such route.")
    if error.code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        most = current_app.config["MAX_CONTENT_LENGTH"] // 2**20
        return InvalidRequest("body", f"larger than any request may be, which is {most} MB")
    return LakefrontError(
        error.description or error.name,
        error_code="METHOD_NOT_ALLOWED" if error.code == 405 else "INVALID_REQUEST",
    )
