"""Which error an answer of the serving layer is: classified by HTTP status, worded by the platform's own message."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from services.errors import AuthRequired, InvalidInput, LakefrontError, ModelUnavailable, NotFound, PermissionDenied

SCOPE = "model-serving"
_MESSAGE_LIMIT = 4_000


class RateLimited(LakefrontError):
    """The workspace or the endpoint takes no more requests now."""

    status: ClassVar[int] = 429
    error_code = "RATE_LIMITED"


class UpstreamTimeout(ModelUnavailable):
    """EC-001 for a time limit: the endpoint gave no answer within the caller's seconds."""


def message_of(data: bytes) -> str:
    """The platform's ``message`` in an error body, or the text itself when it is not the platform's JSON."""
    try:
        document: Any = json.loads(data)
    except ValueError:
        document = None
    message = document.get("message") if isinstance(document, dict) else None
    if not message and isinstance(document, dict) and isinstance(document.get("error"), dict):
        message = document["error"].get("message")  # the OpenAI shape of external models
    text = str(message or data.decode("utf-8", "replace")).strip()
    return text[:_MESSAGE_LIMIT] or "The endpoint gave no reason."


def of_answer(
    name: str, url: str, workspace: str, status: int, data: bytes, retry_after: float | None = None
) -> LakefrontError:
    """The error for an answer that is not 2xx.

    Args:
        name: the endpoint's name.
        url: the invocation's address.
        workspace: the workspace's address.
        status: the answer's HTTP status.
        data: its body.
        retry_after: seconds of its ``Retry-After``, when it has one.
    """
    if status >= 500 or status < 400:  # a redirect is no answer of a model: perhaps a sign-in page in between
        return ModelUnavailable(url, status)
    message = message_of(data)
    details: dict[str, Any] = {"endpoint": url, "status": status}
    if status == 401:
        return AuthRequired(SCOPE, workspace, "The workspace does not accept the user token.")
    if status == 403:
        return PermissionDenied(message, required_scope=SCOPE, workspace=workspace, **details)
    if status == 404:
        return NotFound(message, error_code="ENDPOINT_NOT_FOUND", technical_details={**details, "endpoint_name": name})
    if status == 429:
        wait = max(1, round(retry_after)) if retry_after is not None else 10
        return RateLimited(message, technical_details=details, retry_after=wait)
    return InvalidInput(message, technical_details=details)
