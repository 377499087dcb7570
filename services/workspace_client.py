"""Clients of the workspace: one for the app's service principal, one for each request's user.

The two never stand in for each other. Constructing a client does no call at import; every call has a time limit,
because the SDK's own defaults retry for five minutes.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from typing import Any, Protocol

import requests
from databricks.sdk import WorkspaceClient
from databricks.sdk.config import Config

from services.errors import WorkspaceUnavailable
from services.observability import request_id
from services.settings import Settings

_PRODUCT = "lakefront"
_VERSION = "0.1.0"
_USER_CLIENTS = 256
"""Clients kept at once: making one costs a call for the host's metadata, so one token keeps one client."""


def platform_message(error: BaseException) -> str:
    """The platform's own words, without what the SDK adds to a 401 and a 403: how the client is configured."""
    return str(error).partition(". Config: host=")[0].strip()


class CarriesToken(Protocol):
    """A person, as far as a client needs one (``services.identity.User`` is one)."""

    @property
    def access_token(self) -> str:
        """The forwarded token."""


class _CorrelatedConfig(Config):  # type: ignore[misc]
    """Sends the correlation id of the work at hand with every call."""

    # The SDK looks for settings in the class itself only: without this line a subclass has none, not even a token.
    _attributes = Config.attributes()

    def authenticate(self) -> dict[str, str]:
        """The authentication headers, and ``X-Request-Id`` inside a request."""
        headers: dict[str, str] = super().authenticate()
        return {**headers, "X-Request-Id": request_id()} if request_id() else headers


class ClientFactory:
    """Makes ``WorkspaceClient`` objects. Thread-safe."""

    def __init__(self, settings: Settings) -> None:
        """No I/O."""
        self._settings = settings
        self._lock = threading.Lock()
        self._app: WorkspaceClient | None = None
        self._users: OrderedDict[str, WorkspaceClient] = OrderedDict()

    def for_user(self, user: CarriesToken) -> WorkspaceClient:
        """A client that acts as ``user`` with the forwarded token.

        ``auth_type="pat"`` names the shape of the header, not a personal access token: without it the SDK refuses,
        because the service principal's variables are set as well.
        """
        return self.for_token(user.access_token)

    def for_token(self, access_token: str) -> WorkspaceClient:
        """The same for a token whose owner is not known yet.

        Raises:
            WorkspaceUnavailable: the workspace does not answer.
        """
        key = hashlib.sha256(access_token.encode()).hexdigest()
        with self._lock:
            client = self._users.get(key)
            if client is not None:
                self._users.move_to_end(key)
                return client
        client = self._build(token=access_token, auth_type="pat")
        with self._lock:
            self._users[key] = client
            while len(self._users) > _USER_CLIENTS:
                self._users.popitem(last=False)
        return client

    def for_app(self) -> WorkspaceClient:
        """The client of the app's service principal (OAuth M2M); made at the first call and kept.

        Raises:
            WorkspaceUnavailable: the workspace does not answer; the next call tries again.
        """
        with self._lock:
            if self._app is None:
                settings = self._settings
                self._app = self._build(
                    client_id=settings.databricks_client_id,
                    client_secret=settings.databricks_client_secret.get_secret_value(),
                    auth_type="oauth-m2m",
                )
            return self._app

    def _build(self, **credentials: Any) -> WorkspaceClient:
        settings = self._settings
        seconds = settings.outside_timeout_seconds
        try:
            config = _CorrelatedConfig(
                host=settings.databricks_host,
                http_timeout_seconds=seconds,
                retry_timeout_seconds=int(seconds),
                product=_PRODUCT,
                product_version=_VERSION,
                max_connection_pools=20,
                max_connections_per_pool=20,
                **credentials,
            )
            return WorkspaceClient(config=config)
        except (requests.RequestException, TimeoutError, OSError, ValueError) as error:
            # Without the host's metadata the SDK builds an address of None and calls that a ValueError.
            raise WorkspaceUnavailable(settings.databricks_host, type(error).__name__) from error
