"""Who is asking: the person behind a forwarded access token.

The workspace says who it is (SCIM ``Me``), not a header: headers of the Apps proxy are trustworthy only behind that
proxy. The answer is kept for a minute under a hash of the token; the token itself is kept nowhere.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

import requests
from databricks.sdk.errors import DatabricksError, Unauthenticated
from databricks.sdk.errors import PermissionDenied as SdkPermissionDenied

from services.errors import AuthRequired, PermissionDenied, WorkspaceUnavailable
from services.observability import timed
from services.settings import Settings
from services.workspace_client import ClientFactory

IDENTITY_SCOPE = "iam.current-user:read"
_KEEP_SECONDS = 60.0
_KEEP_AT_MOST = 2048


@dataclass(frozen=True, slots=True)
class User:
    """A signed-in person, for the time of one request.

    Attributes:
        user_id: the workspace's id for the person; owner of the Lakebase records.
        user_name: the name that Unity Catalog and the warehouse know.
        scopes: OAuth scopes of the token, as far as the token tells.
        token_expires_at: end of the token's life, seconds since the epoch, or None when the token does not tell.
        access_token: the forwarded token; never logged, stored or echoed.
    """

    user_id: str
    user_name: str
    email: str
    groups: tuple[str, ...]
    active: bool
    scopes: tuple[str, ...]
    token_expires_at: float | None
    access_token: str = field(repr=False)

    @property
    def token_key(self) -> str:
        """A key for caches and pools that changes with the token and gives nothing of it away."""
        return hashlib.sha256(self.access_token.encode()).hexdigest()


class IdentityService:
    """Resolves tokens to people. Thread-safe."""

    def __init__(self, settings: Settings, clients: ClientFactory) -> None:
        """No I/O."""
        self._workspace = settings.databricks_host
        self._clients = clients
        self._lock = threading.Lock()
        self._known: OrderedDict[str, tuple[float, User]] = OrderedDict()

    def resolve(self, access_token: str | None) -> User:
        """Say whose token it is. Runs as that user.

        Raises:
            AuthRequired: no token, or the workspace does not accept it.
            PermissionDenied: the token may not even ask who it belongs to.
            WorkspaceUnavailable: the workspace does not answer.
        """
        if not access_token:
            raise AuthRequired(IDENTITY_SCOPE, self._workspace)
        key = hashlib.sha256(access_token.encode()).hexdigest()
        scopes, expires_at = _claims(access_token)
        if expires_at is not None and expires_at <= time.time():
            raise AuthRequired(IDENTITY_SCOPE, self._workspace, "The user token has expired. Load the page again.")
        now = time.monotonic()
        with self._lock:
            found = self._known.get(key)
            if found is not None and now - found[0] < _KEEP_SECONDS:
                return found[1]
        user = self._ask(access_token, scopes, expires_at)
        with self._lock:
            self._known[key] = (now, user)
            while len(self._known) > _KEEP_AT_MOST:
                self._known.popitem(last=False)
        return user

    def forget(self, user: User) -> None:
        """Ask the workspace again at the next request, for example after a service answered 401."""
        with self._lock:
            self._known.pop(user.token_key, None)

    def _ask(self, access_token: str, scopes: tuple[str, ...], expires_at: float | None) -> User:
        try:
            with timed("workspace.current_user"):
                me = self._clients.for_token(access_token).current_user.me()
        except Unauthenticated as error:
            raise AuthRequired(
                IDENTITY_SCOPE, self._workspace, "The workspace does not accept the user token."
            ) from error
        except SdkPermissionDenied as error:
            raise PermissionDenied(
                "The user token may not ask who it belongs to.",
                required_scope=IDENTITY_SCOPE,
                workspace=self._workspace,
            ) from error
        except (DatabricksError, requests.RequestException, TimeoutError) as error:
            raise WorkspaceUnavailable(self._workspace, type(error).__name__) from error
        emails = me.emails or []
        primary = next((one.value for one in emails if one.primary), emails[0].value if emails else None)
        return User(
            user_id=me.id or "",
            user_name=me.user_name or "",
            email=primary or me.user_name or "",
            groups=tuple(sorted(group.display for group in me.groups or [] if group.display)),
            active=bool(me.active),
            scopes=scopes,
            token_expires_at=expires_at,
            access_token=access_token,
        )


def _claims(access_token: str) -> tuple[tuple[str, ...], float | None]:
    """Scopes and expiry that a JWT tells about itself (RFC 7519); nothing for an opaque token.

    The signature is not checked here: the workspace does that at each call. These two facts are shown, never trusted.
    """
    parts = access_token.split(".")
    if len(parts) != 3:
        return (), None
    try:
        claims: Any = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (binascii.Error, ValueError):
        return (), None
    if not isinstance(claims, dict):
        return (), None
    scope = claims.get("scope") or ""
    expires_at = claims.get("exp")
    names = scope.split() if isinstance(scope, str) else [str(one) for one in scope]
    return tuple(names), float(expires_at) if isinstance(expires_at, int | float) else None
