"""Who sent a request: the bearer token of a REST call, and what it allows."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from flask import current_app, g, request
from flask.sansio.app import App

from local_workspace.http import ApiError
from local_workspace.identity.model import Caller
from local_workspace.identity.tokens import TokenError, Tokens

P = ParamSpec("P")
R = TypeVar("R")

_EXTENSION = "lakefront_tokens"


def accept(app: App, tokens: Tokens) -> None:
    """Let the views of ``app`` know their callers by ``tokens``."""
    app.extensions[_EXTENSION] = tokens


def authenticated(*scopes: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let a view run only with a valid bearer token that carries one of ``scopes`` (none named: any token)."""

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(view)
        def checked(*args: P.args, **kwargs: P.kwargs) -> R:
            g.caller = authenticate()
            require_scope(*scopes)
            return view(*args, **kwargs)

        return checked

    return decorate


def authenticate() -> Caller:
    """Say who sent the request.

    Raises:
        ApiError: 401 without a valid token.
    """
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer" or not token:
        raise unauthenticated("Credential was not sent or was of an unsupported type for this API.")
    tokens: Tokens = current_app.extensions[_EXTENSION]
    try:
        return tokens.verify(token.strip())
    except TokenError as error:
        raise unauthenticated(str(error)) from None


def unauthenticated(reason: str) -> ApiError:
    """The platform's 401; the SQL connector shows the reason from the header only."""
    return ApiError(401, "UNAUTHENTICATED", reason, {"x-databricks-reason-phrase": reason})


def require_scope(*scopes: str) -> None:
    """Refuse a token that carries none of ``scopes``.

    Raises:
        ApiError: 403 in the platform's words.
    """
    if scopes and not caller().has_scope(*scopes):
        reason = f"Provided OAuth token does not have required scopes: {scopes[0]}"
        raise ApiError(403, "PERMISSION_DENIED", reason, {"x-databricks-reason-phrase": reason})


def caller() -> Caller:
    """The authenticated caller of the current request."""
    who: Caller = g.caller
    return who


def admin_only() -> None:
    """Refuse everybody but workspace admins.

    Raises:
        ApiError: 403 for others.
    """
    if not caller().principal.is_admin:
        raise ApiError(403, "PERMISSION_DENIED", f"User {caller().principal.name} is not a workspace admin.")
