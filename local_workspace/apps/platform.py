"""The Apps platform as one part of the local workspace: files, permissions and apps, built together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local_workspace.apps.apps import Apps
from local_workspace.apps.file_access import FileAccess
from local_workspace.apps.files import WorkspaceFiles
from local_workspace.apps.permissions import OwnerOf
from local_workspace.apps.resources import Resources
from local_workspace.http import ApiError

if TYPE_CHECKING:
    from local_workspace.workspace import Workspace


class AppsPlatform:
    """What ``routes.blueprint`` serves.

    Attributes:
        files: workspace files.
        file_access: who may read and write them.
        permissions: access-control lists of all object types.
        apps: the apps.
    """

    def __init__(self, workspace: Workspace) -> None:
        """Build the parts; nothing is read or started."""
        self.files = WorkspaceFiles(workspace.store, workspace.settings.state / "files")
        self.permissions = workspace.permissions
        self.permissions.know(self._owners(workspace))
        self.file_access = FileAccess(self.files, self.permissions)
        resources = Resources(workspace.warehouses, workspace.serving, workspace.lakebase, self.permissions)
        self.apps = Apps(workspace, self.files, self.permissions, resources)

    def start(self) -> None:
        """Open the apps' front doors; call it when the workspace answers at its address."""
        self.apps.start()

    def stop(self) -> None:
        """Stop every app."""
        self.apps.stop()

    def _owners(self, workspace: Workspace) -> dict[str, OwnerOf]:
        def warehouse(object_id: str) -> str | None:
            document = workspace.warehouses.get(object_id)
            return None if document is None else str(document["creator_name"])

        def endpoint(object_id: str) -> str | None:
            for name in workspace.serving.endpoints.names():
                document = workspace.serving.endpoints.get(name)
                if document["id"] == object_id:
                    return str(document["creator"])
            return None

        def instance(object_id: str) -> str | None:
            try:
                return str(workspace.lakebase.instances.get(object_id)["creator"])
            except ApiError:
                return None

        def project(object_id: str) -> str | None:
            try:
                return str(workspace.lakebase.projects.get(f"projects/{object_id}")["status"]["owner"])
            except ApiError:
                return None

        def file(object_id: str) -> str | None:
            return None if self.files.path_of(object_id) is None else ""

        return {
            "apps": lambda name: self.apps.owner(name),
            "sql/warehouses": warehouse,
            "serving-endpoints": endpoint,
            "database-instances": instance,
            "database-projects": project,
            "directories": file,
            "files": file,
        }
