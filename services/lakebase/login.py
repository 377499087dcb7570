"""How the app logs in to Lakebase: host from configuration or the API, and a token minted for each new connection.

Runs as the app's service principal. Both flavours: Provisioned instances (``w.database``) and Autoscaling endpoints
(``w.postgres``), chosen by which of LAKEBASE_INSTANCE_NAME and LAKEBASE_ENDPOINT is set. The Postgres role has the name
of the identity, here the service principal's client id (https://docs.databricks.com/aws/en/oltp/instances/authentication).
"""

from __future__ import annotations

import threading
import time
import uuid
from typing import Any

import requests
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import DatabricksError

from db.errors import TokenUnavailable
from services.errors import LakefrontError
from services.observability import timed
from services.settings import Settings
from services.workspace_client import ClientFactory, platform_message

_HOST_SECONDS = 300.0
"""How long a looked-up host is believed; a recreated database has another one."""


class Login:
    """Parameters of one login; call it for each new connection."""

    def __init__(self, settings: Settings, clients: ClientFactory) -> None:
        """No I/O."""
        self._settings = settings
        self._clients = clients
        self._lock = threading.Lock()
        self._host = ""
        self._host_until = 0.0

    def __call__(self) -> dict[str, Any]:
        """The parameters, with a fresh token as the password.

        Raises:
            TokenUnavailable: no token could be minted, or the host not be found out, within the REST time limit.
        """
        settings = self._settings
        try:
            with timed("lakebase.mint"):
                client = self._clients.for_app()
                host = settings.pghost or self._looked_up_host(client)
                token = self._mint(client)
        except (DatabricksError, requests.RequestException, TimeoutError, OSError, ValueError) as error:
            raise TokenUnavailable(f"{type(error).__name__}: {platform_message(error)[:300]}") from error
        except LakefrontError as error:
            raise TokenUnavailable(error.message) from error
        return {
            "host": host,
            "port": settings.pgport,
            "dbname": settings.pgdatabase or settings.lakebase_database,
            "user": settings.pguser or settings.databricks_client_id,
            "password": token,
            "sslmode": "require",
            "gssencmode": "disable",
            "application_name": settings.databricks_app_name,
        }

    def _mint(self, client: WorkspaceClient) -> str:
        if self._settings.lakebase_endpoint:
            credential = client.postgres.generate_database_credential(endpoint=self._settings.lakebase_endpoint)
        else:
            credential = client.database.generate_database_credential(
                request_id=str(uuid.uuid4()), instance_names=[self._settings.lakebase_instance_name]
            )
        if not credential.token:
            raise TokenUnavailable("the credential API answered without a token")
        return str(credential.token)

    def _looked_up_host(self, client: WorkspaceClient) -> str:
        with self._lock:
            if time.monotonic() < self._host_until:
                return self._host
        if self._settings.lakebase_endpoint:
            status = client.postgres.get_endpoint(self._settings.lakebase_endpoint).status
            host = status.hosts.host if status and status.hosts else None
        else:
            host = client.database.get_database_instance(self._settings.lakebase_instance_name).read_write_dns
        if not host:
            raise TokenUnavailable(f"{self._settings.lakebase_name} has no host yet")
        with self._lock:
            self._host, self._host_until = str(host), time.monotonic() + _HOST_SECONDS
        return str(host)
