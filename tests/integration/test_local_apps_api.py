"""Apps, workspace files and permissions of the local workspace, through the official SDK."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from databricks.sdk import WorkspaceClient, errors
from databricks.sdk.config import Config
from databricks.sdk.errors import (
    BadRequest,
    DatabricksError,
    InvalidParameterValue,
    NotFound,
    PermissionDenied,
    ResourceAlreadyExists,
)
from databricks.sdk.service import apps as sdk_apps
from databricks.sdk.service import iam
from databricks.sdk.service.workspace import ImportFormat

from local_workspace.apps.files import FileError, WorkspaceFiles, normal
from local_workspace.store import Store
from local_workspace.workspace import Workspace

ANALYST, MANAGER = "analyst@example.com", "manager@example.com"


@pytest.fixture(scope="module")
def admin(workspace: Workspace) -> WorkspaceClient:
    known = workspace.environment()
    config = Config(
        host=workspace.url,
        client_id=known["DATABRICKS_CLIENT_ID"],
        client_secret=known["DATABRICKS_CLIENT_SECRET"],
        retry_timeout_seconds=5,
    )
    return WorkspaceClient(config=config)


def _as(workspace: Workspace, name: str, *scopes: str) -> WorkspaceClient:
    principal = workspace.directory.get(name)
    assert principal is not None
    token = workspace.tokens.issue(principal, scopes or ["all-apis"]).token
    return WorkspaceClient(config=Config(host=workspace.url, token=token, auth_type="pat", retry_timeout_seconds=5))


@pytest.fixture
def app(admin: WorkspaceClient) -> Iterator[sdk_apps.App]:
    made = admin.apps.create(sdk_apps.App(name=f"t-{uuid.uuid4().hex[:8]}"), no_compute=True).response
    yield made
    admin.apps.delete(made.name)


def test_an_app_has_an_identity_and_an_address_of_its_own(admin: WorkspaceClient, app: sdk_apps.App) -> None:
    seen = admin.apps.get(app.name)
    assert seen.compute_status is not None
    assert seen.compute_status.state is sdk_apps.ComputeState.STOPPED
    assert seen.service_principal_client_id
    assert set(seen.effective_user_api_scopes or []) == {"iam.access-control:read", "iam.current-user:read"}
    page = httpx.get(seen.url, headers={"Authorization": "Bearer x"})
    assert page.status_code == 401
    assert app.name in {one.name for one in admin.apps.list()}


@pytest.mark.parametrize("name", ["X", "a", "With-Capitals", "under_score", "-a", "a-", "a" * 31, "é-app"])
def test_a_bad_name_is_refused(admin: WorkspaceClient, name: str) -> None:
    with pytest.raises(InvalidParameterValue, match="is not valid"):
        admin.apps.create(sdk_apps.App(name=name), no_compute=True)


def test_a_taken_name_is_refused(admin: WorkspaceClient, app: sdk_apps.App) -> None:
    with pytest.raises(ResourceAlreadyExists, match="same name already exists"):
        admin.apps.create(sdk_apps.App(name=app.name), no_compute=True)


@pytest.mark.parametrize("scope", ["all-apis", "unity-catalog", "iam.current-user:read", "jobs"])
def test_scopes_that_do_not_exist_are_refused(admin: WorkspaceClient, app: sdk_apps.App, scope: str) -> None:
    with pytest.raises(InvalidParameterValue, match=f"The specified scope {scope} is not a valid scope"):
        admin.apps.update(app.name, sdk_apps.App(name=app.name, user_api_scopes=[scope]))


def test_an_update_without_a_mask_clears_what_it_leaves_out(admin: WorkspaceClient, app: sdk_apps.App) -> None:
    assert admin.apps.update(app.name, sdk_apps.App(name=app.name, user_api_scopes=["sql"])).user_api_scopes == ["sql"]
    admin.apps.update(app.name, sdk_apps.App(name=app.name, description="new"))
    seen = admin.apps.get(app.name)
    assert (seen.description, seen.user_api_scopes or []) == ("new", [])


def test_a_resource_that_does_not_exist_leaves_nothing_behind(admin: WorkspaceClient, workspace: Workspace) -> None:
    wanted = sdk_apps.AppResource(
        name="warehouse",
        sql_warehouse=sdk_apps.AppResourceSqlWarehouse(
            id="nope", permission=sdk_apps.AppResourceSqlWarehouseSqlWarehousePermission.CAN_USE
        ),
    )
    before = len(workspace.directory.principals())
    with pytest.raises(NotFound, match="SQL warehouse nope does not exist"):
        admin.apps.create(sdk_apps.App(name="with-nothing", resources=[wanted]), no_compute=True)
    with pytest.raises(NotFound):
        admin.apps.get("with-nothing")
    assert len(workspace.directory.principals()) == before


def test_kinds_of_resources_that_are_not_there_are_501_not_ignored(admin: WorkspaceClient, app: sdk_apps.App) -> None:
    wanted = sdk_apps.AppResource(
        name="job", job=sdk_apps.AppResourceJob(id="1", permission=sdk_apps.AppResourceJobJobPermission.CAN_VIEW)
    )
    with pytest.raises(errors.NotImplemented):
        admin.apps.update(app.name, sdk_apps.App(name=app.name, resources=[wanted]))


def test_deploying_needs_running_compute(admin: WorkspaceClient, app: sdk_apps.App) -> None:
    with pytest.raises(BadRequest, match="its compute is in state STOPPED"):
        admin.apps.deploy(app.name, sdk_apps.AppDeployment(source_code_path="/Workspace/x"))


def test_a_missing_source_folder_fails_the_deployment(admin: WorkspaceClient, app: sdk_apps.App) -> None:
    admin.apps.start(app.name)
    deployed = admin.apps.deploy(app.name, sdk_apps.AppDeployment(source_code_path="/Workspace/nowhere"))
    with pytest.raises(Exception, match="doesn't exist"):
        deployed.result()
    seen = admin.apps.get(app.name)
    assert seen.pending_deployment is None
    assert seen.active_deployment is None


def test_an_app_is_its_owners_and_who_is_let_in(
    admin: WorkspaceClient, workspace: Workspace, app: sdk_apps.App
) -> None:
    analyst = _as(workspace, ANALYST)
    with pytest.raises(PermissionDenied):
        analyst.apps.get(app.name)
    entry = iam.AccessControlRequest(user_name=ANALYST, permission_level=iam.PermissionLevel.CAN_USE)
    admin.permissions.set("apps", app.name, access_control_list=[entry])
    assert analyst.apps.get(app.name).name == app.name
    for forbidden in (analyst.apps.delete, analyst.apps.stop):
        with pytest.raises(PermissionDenied, match="CAN_MANAGE"):
            forbidden(app.name)
    with pytest.raises(PermissionDenied):
        analyst.permissions.set("apps", app.name, access_control_list=[entry])


def test_a_put_replaces_the_whole_list_and_keeps_the_owner(
    admin: WorkspaceClient, workspace: Workspace, app: sdk_apps.App
) -> None:
    for name in (ANALYST, MANAGER):
        entry = iam.AccessControlRequest(user_name=name, permission_level=iam.PermissionLevel.CAN_USE)
        admin.permissions.set("apps", app.name, access_control_list=[entry])
    seen = admin.permissions.get("apps", app.name).access_control_list or []
    own = {one.user_name or one.service_principal_name for one in seen if one.group_name is None}
    assert own == {MANAGER, admin.config.client_id}
    entry = iam.AccessControlRequest(group_name="analysts", permission_level=iam.PermissionLevel.CAN_USE)
    admin.permissions.update("apps", app.name, access_control_list=[entry])
    assert len(admin.permissions.get("apps", app.name).access_control_list or []) == len(seen) + 1
    assert _as(workspace, ANALYST).apps.get(app.name).name == app.name


@pytest.mark.parametrize(
    ("kind", "object_id", "status"), [("clusters", "1", InvalidParameterValue), ("apps", "nowhere", NotFound)]
)
def test_permissions_of_what_is_not_there(
    admin: WorkspaceClient, kind: str, object_id: str, status: type[DatabricksError]
) -> None:
    with pytest.raises(status):
        admin.permissions.get(kind, object_id)


def test_an_unknown_level_is_refused(admin: WorkspaceClient, app: sdk_apps.App) -> None:
    entry = iam.AccessControlRequest(user_name=ANALYST, permission_level=iam.PermissionLevel.CAN_RUN)
    with pytest.raises(InvalidParameterValue, match="is not a permission level of apps"):
        admin.permissions.set("apps", app.name, access_control_list=[entry])


def test_a_token_without_the_scope_is_refused(workspace: Workspace) -> None:
    client = _as(workspace, ANALYST, "sql")
    with pytest.raises(PermissionDenied, match="does not have required scopes: apps"):
        list(client.apps.list())
    with pytest.raises(PermissionDenied, match="required scopes"):
        client.workspace.get_status("/")


def test_workspace_files_through_the_sdk(admin: WorkspaceClient) -> None:
    folder = f"/Workspace/Users/{uuid.uuid4()}/a b"
    admin.workspace.mkdirs(folder)
    status = admin.workspace.get_status(folder)
    assert status.object_id == admin.workspace.get_status(folder).object_id
    admin.api_client.do("POST", f"/api/2.0/workspace-files/import-file/{folder[1:].replace('/', '%2F')}%2Fx%25y.txt",
                        query={"overwrite": "true"}, data=b"hello")  # fmt: skip
    assert [one.path for one in admin.workspace.list(folder)] == [f"{folder.removeprefix('/Workspace')}/x%y.txt"]
    with admin.workspace.download(f"{folder}/x%y.txt", format=ImportFormat.SOURCE) as file:
        assert file.read() == b"hello"
    with pytest.raises(BadRequest, match="is not empty"):
        admin.workspace.delete(folder)
    admin.workspace.delete(folder, recursive=True)
    with pytest.raises(NotFound, match="doesn't exist"):
        admin.workspace.get_status(folder)


@pytest.mark.parametrize("path", ["relative", "/a/../../etc/passwd", "/a/\0", "/" + "n" * 256])
def test_a_path_cannot_leave_the_tree(path: str) -> None:
    with pytest.raises(FileError, match="must be absolute"):
        normal(path)


def test_files_appear_whole_or_not_at_all(tmp_path: Path) -> None:
    store = Store(tmp_path / "s.sqlite")
    store.open()
    files = WorkspaceFiles(store, tmp_path / "files")
    with pytest.raises(FileError, match=r"The parent folder \(/a\) does not exist"):
        files.write("/a/b", b"1", overwrite=True)
    files.make_folders("/a")
    files.write("/Workspace/a/b", b"1", overwrite=False)
    with pytest.raises(FileError, match="File already exists"):
        files.write("/a/b", b"2", overwrite=False)
    files.write("/a/b", b"3", overwrite=True)
    assert files.read("/a/b") == b"3"
    assert [entry.path for entry in files.list("/a")] == ["/a/b"]
    files.write("/a/large", b"0" * 10_485_761, overwrite=True)
    with pytest.raises(FileError, match="File is larger than 10485760 bytes: large"):
        files.copy_folder("/a", tmp_path / "copy")
    store.close()
