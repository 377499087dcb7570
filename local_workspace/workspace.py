"""The composition root: builds the parts, starts and stops them in order, tells clients how to reach them."""

from __future__ import annotations

import secrets
import shlex
from contextlib import ExitStack
from pathlib import Path

from flask import Flask

from local_workspace import http, tls
from local_workspace.apps import model_page
from local_workspace.apps import routes as apps_routes
from local_workspace.apps.permissions import Permissions
from local_workspace.apps.platform import AppsPlatform
from local_workspace.apps.site import Site
from local_workspace.faults import Faults
from local_workspace.identity import routes as identity_routes
from local_workspace.identity.directory import DEPLOYER, Directory
from local_workspace.identity.tokens import Tokens
from local_workspace.lakebase import routes as lakebase_routes
from local_workspace.lakebase.lakebase import Lakebase
from local_workspace.lock import StateLock
from local_workspace.server import LoopbackServer
from local_workspace.serving import routes as serving_routes
from local_workspace.serving.serving import Serving
from local_workspace.settings import LocalSettings
from local_workspace.sql.engine import Engine
from local_workspace.store import Store
from local_workspace.unity_catalog import routes as unity_catalog_routes
from local_workspace.unity_catalog.metastore import Metastore
from local_workspace.warehouse import routes as warehouse_routes
from local_workspace.warehouse.warehouses import Warehouses


class Workspace:
    """A running local workspace.

    ``start`` brings everything up (under three seconds; large sample data follows in the background); ``stop`` takes it
    down. Ports are bound in the constructor's stead by ``start``, so a failed start leaves nothing behind.
    """

    def __init__(self, settings: LocalSettings) -> None:
        """Build the parts; nothing is read, written or bound."""
        self.settings = settings
        state = settings.state
        self.store = Store(state / "workspace.sqlite")
        self.faults = Faults()
        self.directory = Directory(self.store)
        self.tokens = Tokens(self.store, self.directory, settings.token_seconds)
        self.metastore = Metastore(self.store)
        self.engine = Engine(self.metastore, self.directory, state=state, taxi_rows=settings.taxi_rows)
        self.permissions = Permissions(self.store)
        self.warehouses = Warehouses(self.store, self.engine, settings, self.faults, self.permissions)
        self.tls = tls.Tls(state / "tls/ca.pem", state / "tls/server.pem", state / "tls/server.key")
        self.lakebase = Lakebase(
            self.store, self.tokens, self.directory, self.faults, settings, self.tls, self.permissions
        )
        self.serving = Serving(self.store, self.engine, self.metastore, self.directory, self.faults)
        self.apps = AppsPlatform(
            state, self.store, self.directory, self.permissions, self.warehouses, self.serving, self.lakebase
        )
        self.workspace_id = ""
        self._running = ExitStack()
        self._http: LoopbackServer | None = None
        self._https: LoopbackServer | None = None

    @property
    def url(self) -> str:
        """The plain-http address.

        Raises:
            RuntimeError: the workspace is not running.
        """
        if self._http is None:
            raise RuntimeError("the workspace is not running")
        return f"http://127.0.0.1:{self._http.port}"

    @property
    def site(self) -> Site:
        """The running workspace as apps meet it."""
        seconds = self.settings.app_start_seconds
        return Site(self.url, self.workspace_id, self.directory, self.tokens, self.faults, seconds)

    @property
    def tls_port(self) -> int:
        """The port of the https address.

        Raises:
            RuntimeError: the workspace is not running.
        """
        if self._https is None:
            raise RuntimeError("the workspace is not running")
        return self._https.port

    @property
    def environment_file(self) -> Path:
        """Where clients from outside read how to reach the workspace."""
        return self.settings.state / "workspace.env"

    def start(self) -> None:
        """Bring everything up, or nothing.

        Raises:
            StateError: the state folder cannot be used, or another workspace uses it.
            AddressTakenError: a port is in use.
        """
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def _start(self) -> None:
        lock = StateLock(self.settings.state)
        lock.acquire()
        self._running.callback(lock.release)
        tls.ensure(self.settings.state / "tls")
        self.store.open()
        self._running.callback(self.store.close)
        self.directory.start()
        self.tokens.start()
        self.metastore.start()
        self.workspace_id = self._workspace_id()
        self.engine.start()
        self._running.callback(self.engine.close)
        self.warehouses.start()
        self._running.callback(self.warehouses.close)
        self.lakebase.start()
        self._running.callback(self.lakebase.stop)
        self.serving.start()
        self._running.callback(self.serving.stop)
        application = self._application()
        self._http = LoopbackServer("http", application, self.settings.port)
        self._running.callback(self._http.stop)
        self._https = LoopbackServer("https", application, self.settings.tls_port, self.tls)
        self._running.callback(self._https.stop)
        self._http.start()
        self._https.start()
        self._running.callback(self.apps.stop)
        self.apps.start(self.site)
        self._write_environment()
        self._running.callback(lambda: self.environment_file.unlink(missing_ok=True))

    def stop(self) -> None:
        """Take everything down in reverse order. Idempotent."""
        self._running.close()

    def environment(self) -> dict[str, str]:
        """What an official client needs, with a fresh secret of the ``deployer`` service principal.

        Raises:
            RuntimeError: the deployer was deleted.
        """
        deployer = self.directory.service_principal(DEPLOYER)
        if deployer is None:
            raise RuntimeError("the deployer service principal is missing")
        return {
            "DATABRICKS_HOST": self.url,
            "DATABRICKS_CLIENT_ID": deployer.name,
            "DATABRICKS_CLIENT_SECRET": self.directory.add_secret(deployer.name),
            "DATABRICKS_WAREHOUSE_ID": self.warehouses.default_id,
            "DATABRICKS_HTTP_PATH": f"/sql/1.0/warehouses/{self.warehouses.default_id}",
            "DATABRICKS_CA_FILE": str(self.tls.ca_file.resolve()),
            "DATABRICKS_TLS_PORT": str(self.tls_port),
            "LAKEBASE_INSTANCE_NAME": self.lakebase.default_instance,
            "PGPORT": str(self.lakebase.port),  # on the platform always 5432; no API tells it
        }

    def _application(self) -> Flask:
        app = http.create_app(self.faults, self.workspace_id)
        app.register_blueprint(identity_routes.blueprint(self.directory, self.tokens, self.faults, self.workspace_id))
        app.register_blueprint(unity_catalog_routes.blueprint(self.metastore, self.directory))
        app.register_blueprint(warehouse_routes.blueprint(self.warehouses, self.metastore))
        app.register_blueprint(lakebase_routes.blueprint(self.lakebase))
        app.register_blueprint(serving_routes.blueprint(self.serving))
        app.register_blueprint(apps_routes.blueprint(self.apps))
        app.register_blueprint(model_page.blueprint(self.metastore, self.directory))
        return app

    def _workspace_id(self) -> str:
        known = self.store.collection("workspace")
        known.add("id", {"id": str(1_000_000_000_000_000 + secrets.randbelow(10**15))})
        return str((known.get("id") or {})["id"])

    def _write_environment(self) -> None:
        file = self.environment_file
        file.unlink(missing_ok=True)
        file.touch(mode=0o600)
        # Quoted where a shell that reads the file needs it: the state folder may have a blank in its path.
        file.write_text("".join(f"{name}={shlex.quote(value)}\n" for name, value in self.environment().items()))
