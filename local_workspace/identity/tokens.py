"""Access tokens: signed, expiring JWTs that only this workspace can make and check.

The ``iss`` claim names the host that was asked, because the SQL connector starts a token exchange for a JWT of
another issuer.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import jwt

from local_workspace.identity.model import Caller, Principal
from local_workspace.store import Store

WORKSPACE_AUDIENCE = "workspace"
_ALGORITHM = "HS256"
_CHECKED_AT_ONCE = 1024


class TokenError(Exception):
    """A token that is not good here; ``str()`` is the reason, without the token."""


class KnowsPrincipals(Protocol):
    """What the tokens need of the directory."""

    def by_id(self, principal_id: str) -> Principal | None:
        """The principal of a SCIM id."""


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A fresh token. ``expires_in`` is in seconds, ``expires_at`` in seconds since the epoch."""

    token: str
    expires_in: int
    expires_at: float

    def __repr__(self) -> str:
        return f"IssuedToken(expires_at={self.expires_at})"


class Tokens:
    """Issues and verifies tokens with a key that is kept in the store."""

    def __init__(self, store: Store, directory: KnowsPrincipals, seconds: float) -> None:
        """``seconds`` is the usual life of a token."""
        self._keys = store.collection("signing_key")
        self._directory = directory
        self._seconds = seconds
        self._key = ""
        self._revoked_before = 0.0
        self._checked: dict[tuple[bytes, str], dict[str, Any]] = {}
        self._lock = threading.Lock()

    def start(self) -> None:
        """Read the signing key, or make one at the first start."""
        self._keys.add("current", {"key": secrets.token_hex(32)})
        self._key = (self._keys.get("current") or {})["key"]

    def issue(
        self,
        principal: Principal,
        scopes: Iterable[str],
        *,
        audience: str = WORKSPACE_AUDIENCE,
        seconds: float | None = None,
        client_id: str = "",
        issuer_host: str = "127.0.0.1",
    ) -> IssuedToken:
        """Make a token for ``principal``; its life is ``seconds`` or the usual one."""
        now = time.time()
        life = self._seconds if seconds is None else seconds
        claims = {
            "iss": f"http://{issuer_host}/oidc",
            "aud": audience,
            "sub": principal.id,
            "client_id": client_id,
            "scope": " ".join(sorted(set(scopes))),
            "iat": now,
            "exp": now + life,
            "jti": uuid.uuid4().hex,
        }
        token = jwt.encode(claims, self._key, algorithm=_ALGORITHM, headers={"kid": "local"})
        return IssuedToken(token, int(life), now + life)

    def verify(self, token: str, audience: str = WORKSPACE_AUDIENCE) -> Caller:
        """Say whose token it is.

        Raises:
            TokenError: signature, audience or time is wrong, or the principal is gone.
        """
        claims = self._claims(token, audience)
        if claims["exp"] <= time.time() or claims["iat"] < self._revoked_before:
            raise TokenError("Token is expired.")
        principal = self._directory.by_id(claims["sub"])
        if principal is None:
            raise TokenError("The token's owner no longer exists.")
        return Caller(principal, frozenset(claims["scope"].split()), float(claims["exp"]), claims["client_id"])

    def _claims(self, token: str, audience: str) -> dict[str, Any]:
        """The claims of a token that this workspace has signed; a request checks the same one up to three times.

        Raises:
            TokenError: it has not, or the token was expired when it was first seen.
        """
        known_as = (hashlib.sha256(token.encode()).digest(), audience)
        known = self._checked.get(known_as)
        if known is not None:
            return known
        try:
            claims: dict[str, Any] = jwt.decode(
                token, self._key, algorithms=[_ALGORITHM], audience=audience, options={"require": ["exp", "sub"]}
            )
        except jwt.ExpiredSignatureError:
            raise TokenError("Token is expired.") from None
        except jwt.PyJWTError:
            raise TokenError("Invalid access token.") from None
        with self._lock:
            if len(self._checked) >= _CHECKED_AT_ONCE:
                self._checked.clear()
            self._checked[known_as] = claims
        return claims

    def expire_all(self) -> None:
        """Treat every token issued so far as expired (a fault for tests)."""
        self._revoked_before = time.time()
