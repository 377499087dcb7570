"""A SQL warehouse to connect to: the parts of the workspace that SQL clients meet."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from databricks import sql
from databricks.sdk import WorkspaceClient

from local_workspace import http, tls
from local_workspace.faults import Faults
from local_workspace.identity import routes as identity_routes
from local_workspace.identity.directory import Directory
from local_workspace.identity.tokens import Tokens
from local_workspace.server import LoopbackServer
from local_workspace.settings import LocalSettings
from local_workspace.sql.engine import Engine
from local_workspace.store import Store
from local_workspace.unity_catalog.metastore import Metastore
from local_workspace.warehouse import routes
from local_workspace.warehouse.warehouses import Warehouses

SCOPES = ("sql",)


@dataclass
class SqlServer:
    """What a test needs to connect."""

    url: str
    tls_port: int
    ca_file: Path
    warehouses: Warehouses
    faults: Faults
    directory: Directory
    tokens: Tokens
    metastore: Metastore

    @property
    def warehouse_id(self) -> str:
        return self.warehouses.default_id

    @property
    def http_path(self) -> str:
        return f"/sql/1.0/warehouses/{self.warehouse_id}"

    def token(self, user: str = "manager@example.com", scopes: tuple[str, ...] = SCOPES, seconds: float = 3600) -> str:
        principal = self.directory.get(user) or self.directory.service_principal(user)
        assert principal is not None
        return self.tokens.issue(principal, scopes, seconds=seconds).token

    def connect(self, user: str = "manager@example.com", **options: Any) -> Any:
        """A connection of the official connector, as ``user``; ``access_token`` may be given instead."""
        settings = {
            "server_hostname": "127.0.0.1",
            "http_path": options.pop("http_path", self.http_path),
            "access_token": options.pop("access_token", None) or self.token(user),
            "enable_telemetry": False,
            "_retry_delay_max": 5,
            "_retry_stop_after_attempts_count": 2,
        }
        if "_port" not in options and not options.get("use_sea"):
            settings["_connection_uri"] = f"{self.url}{settings['http_path']}"
        return sql.connect(**(settings | options))

    def sdk(self, user: str = "manager@example.com", scopes: tuple[str, ...] = SCOPES) -> WorkspaceClient:
        return WorkspaceClient(host=self.url, token=self.token(user, scopes), auth_type="pat")


@contextmanager
def sql_server(state: Path, start_seconds: float = 0.3) -> Iterator[SqlServer]:
    """Only the parts of a workspace that a warehouse needs."""
    store = Store(state / "workspace.sqlite")
    store.open()
    faults = Faults()
    directory = Directory(store)
    directory.start()
    tokens = Tokens(store, directory, 3600)
    tokens.start()
    metastore = Metastore(store)
    metastore.start()
    _make_default_catalog(metastore, directory)
    settings = LocalSettings(state=state, warehouse_start_seconds=start_seconds)
    engine = Engine(metastore, directory, state=state, taxi_rows=1000)
    engine.start()
    warehouses = Warehouses(store, engine, settings, faults)
    warehouses.start()
    app = http.create_app(faults, "1")
    app.register_blueprint(identity_routes.blueprint(directory, tokens, faults, "1"))
    app.register_blueprint(routes.blueprint(warehouses, metastore))
    certificate = tls.ensure(state / "tls")
    servers = [LoopbackServer("http", app, 0), LoopbackServer("https", app, 0, certificate)]
    for server in servers:
        server.start()
    try:
        yield SqlServer(
            f"http://127.0.0.1:{servers[0].port}",
            servers[1].port,
            certificate.ca_file,
            warehouses,
            faults,
            directory,
            tokens,
            metastore,
        )
    finally:
        warehouses.close()
        engine.close()
        for server in servers:
            server.stop()
        store.close()


def _make_default_catalog(metastore: Metastore, directory: Directory) -> None:
    """The catalog in which sessions begin; everybody may use it, managers may make tables."""
    admin = directory.service_principal("deployer")
    assert admin is not None
    metastore.create_catalog(admin, "lakefront")
    metastore.create_schema(admin, "lakefront", "default")
    metastore.grant(admin, "catalog", "lakefront", "account users", ["USE CATALOG"])
    metastore.grant(admin, "schema", "lakefront.default", "account users", ["USE SCHEMA"])
    metastore.grant(admin, "schema", "lakefront.default", "managers", ["CREATE TABLE"])
