"""Who is asking at a front door: the account picked on the sign-in page, a bearer token, or the usual analyst."""

from __future__ import annotations

import http.cookies
import threading
import time
from collections.abc import Iterable, Mapping
from typing import Any, Protocol
from urllib.parse import quote, unquote

from local_workspace.identity.model import Caller, Principal
from local_workspace.identity.tokens import IssuedToken, TokenError

COOKIE = "local_workspace_account"
DEFAULT_ACCOUNT = "analyst@example.com"
ALWAYS_GRANTED = ("iam.access-control:read", "iam.current-user:read")
"""Scopes that every forwarded user token carries, whatever the app declares."""


class Accounts(Protocol):
    """What the front door needs of the directory."""

    def get(self, name: str) -> Principal | None:
        """The principal called ``name``."""

    def accounts(self) -> list[Principal]:
        """The people."""


class TokenMint(Protocol):
    """What the front door needs of the workspace's tokens."""

    def issue(self, principal: Principal, scopes: Iterable[str], *, client_id: str = "") -> IssuedToken:
        """Make a token."""

    def verify(self, token: str) -> Caller:
        """Say whose token it is, or raise TokenError."""


class NotSignedIn(Exception):
    """The bearer token of a request is not good; ``str()`` says why, without the token."""


def identify(environ: Mapping[str, Any], accounts: Accounts, tokens: TokenMint) -> Principal:
    """The principal of a request: its bearer token's, else the signed-in account, else the usual analyst.

    Raises:
        NotSignedIn: there is an ``Authorization`` header, but no valid bearer token in it.
    """
    authorization = environ.get("HTTP_AUTHORIZATION")
    if authorization is not None:
        kind, _, token = str(authorization).partition(" ")
        if kind.lower() != "bearer":
            raise NotSignedIn("Only bearer tokens of this workspace are accepted.")
        try:
            return tokens.verify(token.strip()).principal
        except TokenError as error:
            raise NotSignedIn(str(error)) from None
    return signed_in(environ, accounts)


def signed_in(environ: Mapping[str, Any], accounts: Accounts) -> Principal:
    """The account that the browser's cookie names; without one, the usual analyst.

    Raises:
        NotSignedIn: the directory has lost the usual analyst.
    """
    principal = accounts.get(unquote(_cookies(environ).get(COOKIE, ""))) or accounts.get(DEFAULT_ACCOUNT)
    if principal is None:
        raise NotSignedIn(f"There is no account {DEFAULT_ACCOUNT}.")
    return principal


def sign_in_cookie(name: str) -> str:
    """A ``Set-Cookie`` value that signs ``name`` in until the browser closes; an empty name signs out."""
    life = "" if name else "; Max-Age=0"
    return f"{COOKIE}={quote(name)}; Path=/; HttpOnly; SameSite=Lax{life}"


def without_sign_in(cookie_header: str) -> str:
    """A ``Cookie`` header without the front door's own cookie: the app never sees it."""
    parts = [part.strip() for part in cookie_header.split(";")]
    return "; ".join(part for part in parts if part and not part.startswith(f"{COOKIE}="))


def _cookies(environ: Mapping[str, Any]) -> dict[str, str]:
    jar: http.cookies.SimpleCookie = http.cookies.SimpleCookie()
    for part in str(environ.get("HTTP_COOKIE", "")).split(";"):
        try:
            jar.load(part.strip())
        except http.cookies.CookieError:
            continue  # a malformed cookie of somebody else must not sign anybody out
    return {name: morsel.value for name, morsel in jar.items()}


class ForwardedTokens:
    """User tokens as the Apps proxy forwards them: for one app, with its scopes, reused until they near their end."""

    def __init__(self, tokens: TokenMint, client_id: str, scopes: Iterable[str]) -> None:
        """``client_id`` is the app's; ``scopes`` are its declared ``user_api_scopes``."""
        self._tokens = tokens
        self._client_id = client_id
        self._scopes = tuple(sorted({*scopes, *ALWAYS_GRANTED}))
        self._lock = threading.Lock()
        self._issued: dict[str, tuple[IssuedToken, float]] = {}

    def get(self, principal: Principal) -> str:
        """A token of ``principal`` that lives for a while yet.

        It is replaced in the last quarter of its life (at most five minutes before the end), or when the workspace
        does not take it any more.
        """
        now = time.time()
        with self._lock:
            issued, refresh_at = self._issued.get(principal.id, (None, 0.0))
            if issued is None or now >= refresh_at or not self._good(issued.token):
                issued = self._tokens.issue(principal, self._scopes, client_id=self._client_id)
                refresh_at = issued.expires_at - min(300.0, (issued.expires_at - now) / 4)
                self._issued[principal.id] = (issued, refresh_at)
            return issued.token

    def _good(self, token: str) -> bool:
        try:
            self._tokens.verify(token)
        except TokenError:
            return False
        return True
