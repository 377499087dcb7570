"""Access-control lists of the local workspace are enforced: warehouses, databases and workspace files."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator

import pytest
from databricks import sql
from databricks.sdk import WorkspaceClient
from databricks.sdk.config import Config
from databricks.sdk.errors import PermissionDenied
from databricks.sdk.service import iam
from databricks.sdk.service.database import DatabaseInstance
from databricks.sdk.service.postgres import Project
from databricks.sdk.service.sql import StatementState
from databricks.sql.exc import RequestError

from local_workspace.workspace import Workspace

ANALYST, MANAGER = "analyst@example.com", "manager@example.com"
As = Callable[[str], WorkspaceClient]


@pytest.fixture(scope="module")
def client_as(workspace: Workspace) -> As:
    def client(name: str) -> WorkspaceClient:
        principal = workspace.directory.get(name) or workspace.directory.service_principal(name)
        assert principal is not None
        token = workspace.tokens.issue(principal, ["all-apis"]).token
        return WorkspaceClient(config=Config(host=workspace.url, token=token, auth_type="pat", retry_timeout_seconds=5))

    return client


@pytest.fixture
def warehouse(client_as: As) -> Iterator[str]:
    admin = client_as("deployer")
    made = admin.api_client.do("POST", "/api/2.0/sql/warehouses", body={"name": f"w-{uuid.uuid4().hex[:8]}"})
    assert isinstance(made, dict)
    yield str(made["id"])
    admin.warehouses.delete(str(made["id"]))


def _let(client: WorkspaceClient, kind: str, object_id: str, *names: str) -> None:
    """Replace the whole list by CAN_USE for ``names``."""
    entries = [
        iam.AccessControlRequest(
            user_name=name if "@" in name else None,
            service_principal_name=None if "@" in name else name,
            permission_level=iam.PermissionLevel.CAN_USE,
        )
        for name in names
    ]
    client.permissions.set(kind, object_id, access_control_list=entries)


def _connect(workspace: Workspace, client: WorkspaceClient, warehouse_id: str) -> sql.client.Connection:
    return sql.connect(
        server_hostname="127.0.0.1",
        http_path=f"/sql/1.0/warehouses/{warehouse_id}",
        _connection_uri=f"{workspace.url}/sql/1.0/warehouses/{warehouse_id}",
        access_token=client.config.token,
        enable_telemetry=False,
    )


def test_a_warehouse_is_its_creators_and_theirs_who_are_let_in(
    workspace: Workspace, client_as: As, warehouse: str
) -> None:
    admin, analyst = client_as("deployer"), client_as(ANALYST)
    assert warehouse not in {one.id for one in analyst.warehouses.list()}
    assert warehouse in {one.id for one in admin.warehouses.list()}
    refusals: list[Callable[[], object]] = [
        lambda: analyst.warehouses.get(warehouse),
        lambda: analyst.warehouses.start(warehouse),
        lambda: analyst.statement_execution.execute_statement("SELECT 1", warehouse),
    ]
    for refused in refusals:
        with pytest.raises(PermissionDenied, match="not authorized to use this SQL warehouse"):
            refused()
    with pytest.raises(RequestError, match="not authorized") as caught:
        _connect(workspace, analyst, warehouse)
    assert (caught.value.context or {})["http-code"] == 403

    _let(admin, "sql/warehouses", warehouse, ANALYST)
    assert warehouse in {one.id for one in analyst.warehouses.list()}
    done = analyst.statement_execution.execute_statement("SELECT 1", warehouse, wait_timeout="30s")
    assert done.status is not None
    assert done.status.state is StatementState.SUCCEEDED
    with _connect(workspace, analyst, warehouse) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        # A new list without the analyst counts at once, also in a session that is open.
        _let(admin, "sql/warehouses", warehouse, MANAGER)
        with pytest.raises(RequestError, match="not authorized"):
            cursor.execute("SELECT 2")
    with pytest.raises(PermissionDenied, match="CAN_MANAGE"):
        client_as(MANAGER).warehouses.stop(warehouse)


def test_the_warehouses_of_every_workspace_are_for_everybody(client_as: As) -> None:
    for name in (ANALYST, "newcomer@example.com", "lakefront-app"):
        seen = {one.name for one in client_as(name).warehouses.list()}
        assert {"lakefront-small", "Serverless Starter Warehouse"} <= seen


def test_a_password_for_an_instance_needs_can_use(workspace: Workspace, client_as: As) -> None:
    admin, app = client_as("deployer"), client_as("lakefront-app")
    principal = workspace.directory.service_principal("lakefront-app")
    assert principal is not None
    name = f"db-{uuid.uuid4().hex[:8]}"

    def mint() -> str:
        return str(app.database.generate_database_credential(request_id="1", instance_names=[name]).token)

    for _ in range(2):  # the second instance of the name starts with a list of its own
        admin.database.create_database_instance(DatabaseInstance(name=name, capacity="CU_1")).result()
        with pytest.raises(PermissionDenied, match=f"does not have CAN USE on {name}"):
            mint()
        workspace.lakebase.attach(name, principal)
        assert mint()
        _let(admin, "database-instances", name, ANALYST)
        with pytest.raises(PermissionDenied):
            mint()
        _let(admin, "database-instances", name, principal.name)
        assert mint()
        admin.database.delete_database_instance(name, purge=True)


def test_a_password_for_a_project_needs_can_use(workspace: Workspace, client_as: As) -> None:
    admin, app = client_as("deployer"), client_as("lakefront-app")
    principal = workspace.directory.service_principal("lakefront-app")
    assert principal is not None
    name = f"p-{uuid.uuid4().hex[:8]}"
    admin.postgres.create_project(Project(), name).wait()
    branch = f"projects/{name}/branches/production"

    def mint() -> str:
        return str(app.postgres.generate_database_credential(endpoint=f"{branch}/endpoints/primary").token)

    with pytest.raises(PermissionDenied, match=f"does not have CAN USE on {name}"):
        mint()
    workspace.lakebase.attach(branch, principal)
    assert mint()
    _let(admin, "database-projects", name)
    with pytest.raises(PermissionDenied):
        mint()
    admin.postgres.delete_project(f"projects/{name}").wait()


def _put(client: WorkspaceClient, path: str) -> None:
    address = "/api/2.0/workspace-files/import-file/" + path[1:].replace("/", "%2F")
    client.api_client.do("POST", address, query={"overwrite": "true"}, data=b"x")


def test_folders_of_other_people_are_closed(client_as: As) -> None:
    analyst, manager, admin = client_as(ANALYST), client_as(MANAGER), client_as("deployer")
    folder = f"/Workspace/Users/{ANALYST}/f-{uuid.uuid4().hex[:8]}"
    analyst.workspace.mkdirs(folder)
    _put(analyst, f"{folder}/a.txt")
    for refused in (
        lambda: manager.workspace.get_status(folder),
        lambda: list(manager.workspace.list(folder)),
        lambda: manager.workspace.download(f"{folder}/a.txt"),
        lambda: manager.workspace.mkdirs(f"{folder}/b"),
        lambda: manager.workspace.delete(folder, recursive=True),
        lambda: _put(manager, f"{folder}/a.txt"),
        lambda: _put(manager, "/Workspace/Users/x.txt"),
        lambda: manager.workspace.mkdirs("/Workspace/elsewhere"),
    ):
        with pytest.raises(PermissionDenied, match="does not have permission to"):
            refused()
    assert f"/Users/{ANALYST}" not in {one.path for one in manager.workspace.list("/Workspace/Users")}
    assert admin.workspace.get_status(f"{folder}/a.txt").path

    object_id = str(analyst.workspace.get_status(folder).object_id)
    with pytest.raises(PermissionDenied):
        manager.permissions.get("directories", object_id)
    entry = iam.AccessControlRequest(user_name=MANAGER, permission_level=iam.PermissionLevel.CAN_READ)
    analyst.permissions.set("directories", object_id, access_control_list=[entry])
    assert manager.workspace.download(f"{folder}/a.txt").read() == b"x"
    with pytest.raises(PermissionDenied, match="edit"):
        _put(manager, f"{folder}/a.txt")
    analyst.workspace.delete(folder, recursive=True)


def test_the_shared_folder_is_for_all(client_as: As) -> None:
    folder = f"/Workspace/Shared/f-{uuid.uuid4().hex[:8]}"
    client_as(ANALYST).workspace.mkdirs(folder)
    _put(client_as(MANAGER), f"{folder}/a.txt")
    assert client_as(ANALYST).workspace.download(f"{folder}/a.txt").read() == b"x"
    client_as(ANALYST).workspace.delete(folder, recursive=True)
