"""The Apps platform as one part of the local workspace: files, permissions and apps, built together."""

from __future__ import annotations

from pathlib import Path

from local_workspace.apps.apps import Apps
from local_workspace.apps.file_access import FileAccess
from local_workspace.apps.files import WorkspaceFiles
from local_workspace.apps.hosting import Hosting
from local_workspace.apps.permissions import OwnerOf, Permissions
from local_workspace.apps.resources import Resources
from local_workspace.apps.site import Site
from local_workspace.http import ApiError
from local_workspace.identity.directory import Directory
from local_workspace.lakebase.lakebase import Lakebase
from local_workspace.serving.serving import Serving
from local_workspace.store import Store
from local_workspace.warehouse.warehouses import Warehouses


class AppsPlatform:
    """What ``routes.blueprint`` serves.

    Attributes:
        files: workspace files.
        file_access: who may read and write them.
        permissions: access-control lists of all object types.
        apps: the apps.
    """

    def __init__(
        self,
        state: Path,
        store: Store,
        directory: Directory,
        permissions: Permissions,
        warehouses: Warehouses,
        serving: Serving,
        lakebase: Lakebase,
    ) -> None:
        """Build the parts; nothing is read or started. ``state`` is the workspace's folder."""
        self.files = WorkspaceFiles(store, state / "files")
        self.permissions = permissions
        self.permissions.know(self._owners(warehouses, serving, lakebase))
        self.file_access = FileAccess(self.files, self.permissions)
        resources = Resources(warehouses, serving, lakebase, self.permissions)
        self._hosting = Hosting(state, self.permissions, resources)
        self.apps = Apps(store, directory, self.files, self.permissions, resources, self._hosting)

    def start(self, site: Site) -> None:
        """Open the apps' front doors; call it when the workspace answers at its address."""
        self._hosting.start(site)
        self.apps.start()

    def stop(self) -> None:
        """Stop every app."""
        self._hosting.stop()

    def _owners(self, warehouses: Warehouses, serving: Serving, lakebase: Lakebase) -> dict[str, OwnerOf]:
        def warehouse(object_id: str) -> str | None:
            document = warehouses.get(object_id)
            return None if document is None else str(document["creator_name"])

        def endpoint(object_id: str) -> str | None:
            for name in serving.endpoints.names():
                document = serving.endpoints.get(name)
                if document["id"] == object_id:
                    return str(document["creator"])
            return None

        def instance(object_id: str) -> str | None:
            try:
                return str(lakebase.instances.get(object_id)["creator"])
            except ApiError:
                return None

        def project(object_id: str) -> str | None:
            try:
                return str(lakebase.projects.get(f"projects/{object_id}")["status"]["owner"])
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
