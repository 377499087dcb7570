"""The Lakebase part of the local workspace with its REST API, and the app's service on it: small and quick to start."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any, Self

from databricks.sdk import WorkspaceClient
from databricks.sdk.config import Config

from db.pool import PoolOptions
from local_workspace import tls
from local_workspace.faults import Faults
from local_workspace.http import create_app
from local_workspace.identity import routes as identity_routes
from local_workspace.identity.directory import APP, DEPLOYER, Directory
from local_workspace.identity.tokens import Tokens
from local_workspace.lakebase import routes
from local_workspace.lakebase.lakebase import Lakebase
from local_workspace.server import LoopbackServer
from local_workspace.settings import LocalSettings
from local_workspace.store import Store
from services.identity import User
from services.lakebase import LakebaseService
from services.settings import Settings, load
from services.workspace_client import ClientFactory


class LakebaseStack:
    """Start with ``with``. Everything real but the rest of the workspace."""

    def __init__(self, state: Path, *, version: int = 16, token_seconds: float = 3600) -> None:
        state.mkdir(parents=True, exist_ok=True)
        self._store = Store(state / "workspace.sqlite")
        self.directory = Directory(self._store)
        self.tokens = Tokens(self._store, self.directory, 3600)
        self.faults = Faults()
        settings = LocalSettings(state=state, postgres_version=version)
        self.tls = tls.ensure(state / "tls")
        self.lakebase = Lakebase(self._store, self.tokens, self.directory, self.faults, settings, self.tls)
        self.url = ""
        self.environment: dict[str, str] = {}
        self._server: LoopbackServer | None = None
        self._secrets: dict[str, str] = {}
        self._shorter_database_tokens(token_seconds)

    def _shorter_database_tokens(self, seconds: float) -> None:
        """Database credentials live for ``seconds`` while the app's own access token lives on."""
        mint = self.lakebase.mint
        self.lakebase.mint = (  # type: ignore[method-assign]
            lambda caller, target, life=None: mint(caller, target, life if life is not None else seconds)
        )

    def __enter__(self) -> Self:
        self._store.open()
        self.directory.start()
        self.tokens.start()
        self.lakebase.start()
        application = create_app(self.faults, "1234567890")
        application.register_blueprint(
            identity_routes.blueprint(self.directory, self.tokens, self.faults, "1234567890")
        )
        application.register_blueprint(routes.blueprint(self.lakebase))
        self._server = LoopbackServer("lakebase-test", application, 0)
        self._server.start()
        self.url = f"http://127.0.0.1:{self._server.port}"
        app = self.directory.service_principal(APP)
        assert app is not None
        attached = self.lakebase.attach(self.lakebase.default_instance, app)
        self.environment = {
            "DATABRICKS_HOST": self.url,
            "DATABRICKS_CLIENT_ID": app.name,
            "DATABRICKS_CLIENT_SECRET": self.directory.add_secret(app.name),
            "DATABRICKS_WAREHOUSE_ID": "none",
            "LAKEBASE_INSTANCE_NAME": self.lakebase.default_instance,
            **attached,
        }
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.stop()
        self.lakebase.stop()
        self._store.close()

    def settings(self, **changes: str) -> Settings:
        """The app's settings; an empty change removes the variable."""
        return load({name: value for name, value in {**self.environment, **changes}.items() if value})

    def service(self, options: PoolOptions | None = None, **changes: str) -> LakebaseService:
        """A started service; close it."""
        settings = self.settings(**changes)
        service = LakebaseService(settings, ClientFactory(settings), options)
        service.start()
        return service

    def client(self, display_name: str = DEPLOYER) -> WorkspaceClient:
        """The official SDK as a service principal."""
        principal = self.directory.service_principal(display_name)
        assert principal is not None
        if principal.name not in self._secrets:
            self._secrets[principal.name] = self.directory.add_secret(principal.name)
        return WorkspaceClient(
            config=Config(
                host=self.url,
                client_id=principal.name,
                client_secret=self._secrets[principal.name],
                auth_type="oauth-m2m",
                retry_timeout_seconds=5,
            )
        )

    def login(self, token: str, **changes: Any) -> dict[str, Any]:
        """Parameters of a login with ``token`` as the app."""
        return {
            "host": "127.0.0.1",
            "port": self.lakebase.port,
            "user": self.environment["DATABRICKS_CLIENT_ID"],
            "password": token,
            "dbname": "databricks_postgres",
            "sslmode": "require",
            "connect_timeout": 5,
            **changes,
        }


def person(user_id: str) -> User:
    """A user as the services see one."""
    name = f"{user_id}@example.com"
    return User(user_id, name, name, (), True, (), None, "not-a-token")
