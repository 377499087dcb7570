"""One local workspace for the whole run, and the app's services on top of it: started once, shared by all tests.

``workspace`` runs in this process; ``live`` (``make run`` as a process of its own, behind its front door) is for what
must be proven from outside. Both keep their state in a temporary folder.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from databricks.sql.client import Connection
from flask.testing import FlaskClient

from dashboard.server import create_server
from local_workspace.identity.directory import APP
from local_workspace.settings import LocalSettings
from local_workspace.workspace import Workspace
from services.container import Services, build
from services.identity import User
from services.settings import Settings
from tests.support.live import LiveApp

ROOT = Path(__file__).parent.parent
ANALYST, MANAGER, NEWCOMER = "analyst@example.com", "manager@example.com", "newcomer@example.com"
USER_SCOPES = (
    "sql",
    "model-serving",
    "catalog.catalogs:read",
    "catalog.schemas:read",
    "catalog.tables:read",
    "iam.current-user:read",
    "iam.access-control:read",
)

# The connector's finalizer closes a forgotten connection over the network, in whatever thread collects garbage. Here
# servers and clients share a process, so that may be the very thread that would have to answer: a deadlock.
Connection.__del__ = lambda _connection: None

os.environ.setdefault("NO_PROXY", "127.0.0.1,localhost")
for _name in [name for name in os.environ if name.startswith(("DATABRICKS_", "LAKEBASE_", "PG"))]:
    # A developer's own workspace must never be what a test talks to; the path of the CLI is no credential.
    if _name != "DATABRICKS_CLI":
        del os.environ[_name]


@pytest.fixture(scope="session")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """A running local workspace with the sample data, in this process."""
    state = tmp_path_factory.mktemp("workspace")
    running = Workspace(LocalSettings(state=state, taxi_rows=21_932, warehouse_start_seconds=0.2))
    running.start()
    try:
        load_sample_data(running.environment())
        yield running
    finally:
        running.stop()


def load_sample_data(environment: dict[str, str]) -> None:
    """Run the script that people run against their own workspace."""
    done = subprocess.run(
        [sys.executable, "-m", "scripts.setup_sample_data"],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"the sample data script failed:\n{done.stdout}\n{done.stderr}")


@pytest.fixture(scope="session")
def app_environment(workspace: Workspace) -> dict[str, str]:
    """The environment of an app that runs as the ``lakefront-app`` service principal, as the platform injects it."""
    app = workspace.directory.service_principal(APP)
    assert app is not None
    workspace.lakebase.attach(workspace.lakebase.default_instance, app)
    return {
        "DATABRICKS_HOST": workspace.url,
        "DATABRICKS_CLIENT_ID": app.name,
        "DATABRICKS_CLIENT_SECRET": workspace.directory.add_secret(app.name),
        "DATABRICKS_WAREHOUSE_ID": workspace.warehouses.default_id,
        "DATABRICKS_WORKSPACE_ID": workspace.workspace_id,
        "LAKEBASE_INSTANCE_NAME": workspace.lakebase.default_instance,
        "PGHOST": "127.0.0.1",
        "PGPORT": str(workspace.lakebase.port),
        "PGDATABASE": "databricks_postgres",
        "PGUSER": app.name,
        "PGSSLMODE": "require",
    }


@pytest.fixture(scope="session")
def settings(app_environment: dict[str, str]) -> Settings:
    """The app's settings for ``workspace``."""
    from services.settings import load

    return load(app_environment)


@pytest.fixture(scope="session")
def services(settings: Settings) -> Iterator[Services]:
    """The app's services, started."""
    built = build(settings)
    built.start()
    try:
        yield built
    finally:
        built.close()


@pytest.fixture(scope="session")
def token(workspace: Workspace) -> Callable[..., str]:
    """``token("analyst@example.com")``: a forwarded user token with the app's scopes, or with ``scopes``."""

    def issue(name: str, scopes: tuple[str, ...] = USER_SCOPES, seconds: float | None = None) -> str:
        principal = workspace.directory.get(name)
        assert principal is not None
        return workspace.tokens.issue(principal, scopes, seconds=seconds).token

    return issue


@pytest.fixture(scope="session")
def user(services: Services, token: Callable[..., str]) -> Callable[..., User]:
    """``user("analyst@example.com")``: that person, as the services see them."""

    def resolve(name: str = ANALYST) -> User:
        return services.identity.resolve(token(name))

    return resolve


@pytest.fixture(scope="session")
def client_of(services: Services, token: Callable[..., str]) -> Callable[..., FlaskClient]:
    """``client_of("analyst@example.com")``: a client of the app whose requests carry that person's token."""
    server = create_server(services)

    def make(name: str | None = ANALYST, **options: object) -> FlaskClient:
        client = server.test_client()
        if name is not None:
            client.environ_base["HTTP_X_FORWARDED_ACCESS_TOKEN"] = token(name, **options)
        return client

    return make


@pytest.fixture(scope="session")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveApp]:
    """The whole product as ``make run`` starts it, in a process of its own."""
    with LiveApp(tmp_path_factory.mktemp("live")) as running:
        yield running
