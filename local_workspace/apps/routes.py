"""REST routes of the Apps API, workspace files and permissions."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from flask import Blueprint, Response, request

from local_workspace.apps.apps import Apps
from local_workspace.apps.documents import UPDATABLE, shown_deployment
from local_workspace.apps.file_access import FileAccess
from local_workspace.apps.files import FileError, WorkspaceFiles
from local_workspace.apps.permissions import LEVELS, AclError, Permissions
from local_workspace.apps.platform import AppsPlatform
from local_workspace.http import ApiError, body, page_of
from local_workspace.identity.authentication import authenticated, caller

Json = dict[str, Any]
_FILE_SCOPE = "workspace.workspace"
_IMPORT = "/api/2.0/workspace-files/import-file/"


def blueprint(platform: AppsPlatform) -> Blueprint:
    """All routes of the Apps platform."""
    routes = Blueprint("apps", __name__)
    routes.register_error_handler(FileError, lambda error: _file_error(error))
    _add_apps(routes, platform.apps, platform.permissions)
    _add_lifecycle(routes, platform.apps, platform.permissions)
    _add_deployments(routes, platform.apps, platform.permissions, platform.file_access)
    _add_reading(routes, platform.files, platform.file_access)
    _add_writing(routes, platform.files, platform.file_access)
    _add_permissions(routes, platform)
    return routes


def _file_error(error: FileError) -> tuple[Json, int]:
    return {"error_code": error.code, "message": error.message}, error.status


def _require(permissions: Permissions, name: str, level: str) -> None:
    principal = caller().principal
    if permissions.exists("apps", name) and not permissions.has("apps", name, principal, level):
        raise ApiError(403, "PERMISSION_DENIED", f"{principal.name} does not have {level} permission on app {name}.")


def _add_apps(routes: Blueprint, apps: Apps, permissions: Permissions) -> None:
    @routes.get("/api/2.0/apps")
    @authenticated("apps")
    def list_apps() -> Json:
        page, token = page_of(apps.list(caller().principal))
        return {"apps": page} | ({"next_page_token": token} if token else {})

    @routes.post("/api/2.0/apps")
    @authenticated("apps")
    def create_app() -> Json:
        compute = request.args.get("no_compute") != "true"
        return apps.create(body(), caller().principal, compute=compute)

    @routes.get("/api/2.0/apps/<name>")
    @authenticated("apps")
    def get_app(name: str) -> Json:
        _require(permissions, name, "CAN_USE")
        return apps.describe(name)

    @routes.patch("/api/2.0/apps/<name>")
    @authenticated("apps")
    def patch_app(name: str) -> Json:
        _require(permissions, name, "CAN_MANAGE")
        # Without a field mask every field is meant: what the body leaves out is cleared, scopes included.
        return apps.update(name, body(), frozenset({"description", "resources", "user_api_scopes", "compute_size"}))

    @routes.post("/api/2.0/apps/<name>/update")
    @authenticated("apps")
    def update_app(name: str) -> Json:
        _require(permissions, name, "CAN_MANAGE")
        wanted = body()
        mask = frozenset(field.strip() for field in str(wanted.get("update_mask", "")).split(",") if field.strip())
        unknown = mask - UPDATABLE
        if unknown or not mask:
            message = f"update_mask names unknown fields: {', '.join(sorted(unknown)) or '(none given)'}."
            raise ApiError(400, "INVALID_PARAMETER_VALUE", message)
        apps.update(name, wanted.get("app") or {}, mask)
        return _update_status(apps, name)

    @routes.get("/api/2.0/apps/<name>/update")
    @authenticated("apps")
    def get_update(name: str) -> Json:
        _require(permissions, name, "CAN_USE")
        return _update_status(apps, name)

    @routes.delete("/api/2.0/apps/<name>")
    @authenticated("apps")
    def delete_app(name: str) -> Json:
        _require(permissions, name, "CAN_MANAGE")
        return apps.delete(name)


def _update_status(apps: Apps, name: str) -> Json:
    shown = apps.describe(name)
    status = {"state": "SUCCEEDED", "message": "App updated successfully"}
    return {"status": status, **{key: shown[key] for key in UPDATABLE & shown.keys()}}


def _add_lifecycle(routes: Blueprint, apps: Apps, permissions: Permissions) -> None:
    @routes.post("/api/2.0/apps/<name>/start")
    @authenticated("apps")
    def start_app(name: str) -> Json:
        _require(permissions, name, "CAN_MANAGE")
        return apps.start_compute(name)

    @routes.post("/api/2.0/apps/<name>/stop")
    @authenticated("apps")
    def stop_app(name: str) -> Json:
        _require(permissions, name, "CAN_MANAGE")
        return apps.stop_compute(name)


def _add_deployments(routes: Blueprint, apps: Apps, permissions: Permissions, access: FileAccess) -> None:
    @routes.post("/api/2.0/apps/<name>/deployments")
    @authenticated("apps")
    def deploy_app(name: str) -> Json:
        _require(permissions, name, "CAN_MANAGE")
        source = body().get("source_code_path")
        if isinstance(source, str) and source:
            access.require(source, caller().principal)
        return shown_deployment(apps.deploy(name, body(), caller().principal))

    @routes.get("/api/2.0/apps/<name>/deployments")
    @authenticated("apps")
    def list_deployments(name: str) -> Json:
        _require(permissions, name, "CAN_USE")
        apps.describe(name)
        page, token = page_of([shown_deployment(one) for one in apps.deployments.list(name)])
        return {"app_deployments": page} | ({"next_page_token": token} if token else {})

    @routes.get("/api/2.0/apps/<name>/deployments/<deployment_id>")
    @authenticated("apps")
    def get_deployment(name: str, deployment_id: str) -> Json:
        _require(permissions, name, "CAN_USE")
        return shown_deployment(apps.deployments.get(name, deployment_id))


def _add_reading(routes: Blueprint, files: WorkspaceFiles, access: FileAccess) -> None:
    @routes.get("/api/2.0/workspace/get-status")
    @authenticated(_FILE_SCOPE)
    def get_status() -> Json:
        access.require(_path(), caller().principal)
        return files.status(_path()).describe()

    @routes.get("/api/2.0/workspace/list")
    @authenticated(_FILE_SCOPE)
    def list_folder() -> Json:
        principal = caller().principal
        access.require(_path(), principal)
        return {"objects": [one.describe() for one in files.list(_path()) if access.allows(one.path, principal)]}

    @routes.get("/api/2.0/workspace/export")
    @authenticated(_FILE_SCOPE)
    def export() -> Response | Json:
        access.require(_path(), caller().principal)
        content = files.read(_path())
        if request.args.get("direct_download") == "true":
            return Response(content, mimetype="application/octet-stream")
        return {"content": base64.b64encode(content).decode(), "file_type": "file"}


def _add_writing(routes: Blueprint, files: WorkspaceFiles, access: FileAccess) -> None:
    @routes.post("/api/2.0/workspace/mkdirs")
    @authenticated(_FILE_SCOPE)
    def make_folders() -> Json:
        path = str(body().get("path", ""))
        access.require(path, caller().principal, "CAN_EDIT")
        files.make_folders(path)
        return {}

    @routes.post("/api/2.0/workspace/delete")
    @authenticated(_FILE_SCOPE)
    def delete() -> Json:
        wanted = body()
        access.require(str(wanted.get("path", "")), caller().principal, "CAN_EDIT")
        files.delete(str(wanted.get("path", "")), recursive=bool(wanted.get("recursive")))
        return {}

    @routes.post(f"{_IMPORT}<path:_path>")
    @authenticated(_FILE_SCOPE)
    def import_file(_path: str) -> Json:
        # The path is one segment with %2F for each slash. Servers differ in what they make of it, so it is taken from
        # the request line as the client wrote it.
        raw = str(request.environ["REQUEST_URI"]).partition(_IMPORT)[2].partition("?")[0]
        overwrite = request.args.get("overwrite") == "true"
        path = "/" + unquote(raw).lstrip("/")
        content = request.get_data()  # also when it is refused: unread it would spoil the connection's next request
        access.require(path, caller().principal, "CAN_EDIT")
        files.write(path, content, overwrite=overwrite)
        return {}


def _path() -> str:
    return request.args.get("path", "")


def _add_permissions(routes: Blueprint, platform: AppsPlatform) -> None:
    permissions = platform.permissions

    def change(kind: str, object_id: str, apply: Callable[[str, str, list[Any]], None]) -> Json:
        _checked_object(platform, kind, object_id, "CAN_MANAGE")
        entries = body().get("access_control_list", [])
        if not isinstance(entries, list):
            raise ApiError(400, "INVALID_PARAMETER_VALUE", "access_control_list must be a list.")
        try:
            apply(kind, object_id, entries)
        except AclError as error:
            raise ApiError(400, "INVALID_PARAMETER_VALUE", str(error)) from None
        return permissions.describe(kind, object_id)

    @routes.get("/api/2.0/permissions/<path:kind>/<object_id>")
    @authenticated("access-management")
    def get_permissions(kind: str, object_id: str) -> Json:
        _checked_object(platform, kind, object_id, None)
        return permissions.describe(kind, object_id)

    @routes.put("/api/2.0/permissions/<path:kind>/<object_id>")
    @authenticated("access-management")
    def set_permissions(kind: str, object_id: str) -> Json:
        return change(kind, object_id, permissions.replace)

    @routes.patch("/api/2.0/permissions/<path:kind>/<object_id>")
    @authenticated("access-management")
    def update_permissions(kind: str, object_id: str) -> Json:
        return change(kind, object_id, permissions.add)


def _checked_object(platform: AppsPlatform, kind: str, object_id: str, level: str | None) -> None:
    permissions = platform.permissions
    if kind not in LEVELS:
        raise ApiError(400, "INVALID_PARAMETER_VALUE", f"'{kind}' is not a supported object type.")
    if not permissions.exists(kind, object_id):
        raise ApiError(404, "RESOURCE_DOES_NOT_EXIST", f"{kind}/{object_id} does not exist.")
    principal = caller().principal
    if kind in {"directories", "files"}:
        platform.file_access.require(platform.files.path_of(object_id) or "/", principal, level or "CAN_READ")
        return
    if level is not None and not permissions.has(kind, object_id, principal, level):
        raise ApiError(403, "PERMISSION_DENIED", f"{principal.name} does not have {level} on {kind}/{object_id}.")
