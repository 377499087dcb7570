"""The apps of the workspace: objects in the store with their service principals, resources and deployments."""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Mapping
from typing import Any

from local_workspace.apps.app_spec import AppError
from local_workspace.apps.deployments import Deployments
from local_workspace.apps.documents import Document, checked_fields, checked_name, missing, now, shown_app
from local_workspace.apps.files import FileError, WorkspaceFiles
from local_workspace.apps.hosting import Hosting
from local_workspace.apps.permissions import Permissions
from local_workspace.apps.resources import Resources
from local_workspace.http import ApiError
from local_workspace.identity.directory import Directory
from local_workspace.identity.model import Principal
from local_workspace.store import Store

_DELETE_WAIT_SECONDS = 5.0
_ACTIVE = ("ACTIVE", "App compute is active.")
_STOPPED = ("STOPPED", "App compute is stopped.")
_CLEARED: dict[str, Any] = {"description": "", "resources": [], "user_api_scopes": [], "compute_size": "MEDIUM"}
"""What a cleared field is; the others are left out of the app object."""

_log = logging.getLogger(__name__)


class Apps:
    """Creates, updates, deploys, starts, stops and deletes apps. Thread-safe."""

    def __init__(
        self,
        store: Store,
        directory: Directory,
        files: WorkspaceFiles,
        permissions: Permissions,
        resources: Resources,
        hosting: Hosting,
    ) -> None:
        """Nothing is read or started before :meth:`start`."""
        self._documents = store.collection("app")
        self._directory = directory
        self._files = files
        self._permissions = permissions
        self._resources = resources
        self._hosting = hosting
        self._lock = threading.RLock()
        self.deployments = Deployments(store, self._run_deployment)

    def start(self) -> None:
        """Open the front doors and start again, in the background, what ran when the workspace stopped."""
        for name, document in self._documents.items():
            if document["compute"] == "DELETING":
                self._remove(name)
                continue
            self._open(document)
            if document["compute"] == "ACTIVE" and document.get("active_deployment"):
                threading.Thread(target=self._resume, args=(name,), name=f"resume-{name}", daemon=True).start()

    def owner(self, name: str) -> str | None:
        """Who created the app, or None when there is none."""
        document = self._documents.get(name)
        return None if document is None else str(document["creator"])

    def list(self, principal: Principal) -> list[Document]:
        """The apps that ``principal`` may use."""
        return [
            self.describe(name)
            for name, _ in self._documents.items()
            if self._permissions.has("apps", name, principal, "CAN_USE")
        ]

    def describe(self, name: str) -> Document:
        """The app object.

        Raises:
            ApiError: 404.
        """
        document = self._get(name)
        return shown_app(document, self._hosting.url(document), self._app_status(document))

    def create(self, body: Mapping[str, Any], creator: Principal, *, compute: bool) -> Document:
        """Make an app with a service principal of its own and attach its resources.

        Raises:
            ApiError: 400 for wrong fields, 404 for a resource that does not exist, 409 when the name is taken.
        """
        name = checked_name(body.get("name"))
        wanted = checked_fields(body)
        with self._lock:
            if self._documents.get(name) is not None:
                message = f"An app with the same name already exists: {name}"
                raise ApiError(409, "RESOURCE_ALREADY_EXISTS", message)
            self._resources.check(wanted.get("resources", []))
            principal, _ = self._directory.create_service_principal(f"app-{name}")
            try:
                self._resources.attach(wanted.get("resources", []), principal)
            except ApiError:
                self._directory.delete(principal.name)
                raise
            document = self._new_document(name, wanted, creator, principal, _ACTIVE if compute else _STOPPED)
            self._documents.put(name, document)
            self._open(document)
        return self.describe(name)

    def update(self, name: str, body: Mapping[str, Any], mask: frozenset[str]) -> Document:
        """Change the fields named by ``mask``; a named field that is absent is cleared, as on the platform.

        Raises:
            ApiError: 400, 404.
        """
        wanted = checked_fields(body)
        with self._lock:
            before = self._get(name)
            principal = self._principal(before)
            if "resources" in mask:
                kept = wanted.get("resources", [])
                self._resources.check(kept)
                gone = [one for one in before.get("resources") or [] if one not in kept]
                self._resources.detach(gone, principal)
                self._resources.attach(kept, principal)

            def change(document: Document) -> Document:
                document |= {field: wanted.get(field, _CLEARED.get(field)) for field in mask}
                return document | {"update_time": now(), "update_state": "SUCCEEDED"}

            self._documents.update(name, change)
        return self.describe(name)

    def start_compute(self, name: str) -> Document:
        """Start the app's compute, and what was deployed last."""
        document = self._get(name)
        self._set_compute(name, _ACTIVE)
        if document["compute"] != "ACTIVE":
            last = self.deployments.last_succeeded(name)
            if last is not None:
                self._documents.update(name, lambda one: one | {"active_deployment": last})
                threading.Thread(target=self._resume, args=(name,), name=f"resume-{name}", daemon=True).start()
        return self.describe(name)

    def stop_compute(self, name: str) -> Document:
        """Stop the app's compute; no deployment is active any more."""
        self._get(name)
        self._set_compute(name, _STOPPED)
        self._documents.update(name, lambda one: one | {"active_deployment": None, "pending_deployment": None})
        self._hosting.runtime(name).stop()
        return self.describe(name)

    def deploy(self, name: str, body: Mapping[str, Any], creator: Principal) -> Document:
        """Begin a deployment; it goes on in the background.

        Raises:
            ApiError: 400 when the compute is stopped or the request is wrong, 404, 409 while another one is under way.
        """
        document = self._get(name)
        if document["compute"] != "ACTIVE":
            message = f"Cannot deploy app {name} as its compute is in state {document['compute']}. Start it first."
            raise ApiError(400, "BAD_REQUEST", message)
        source = body.get("source_code_path") or document.get("default_source_code_path")
        if not isinstance(source, str) or not source:
            raise ApiError(400, "INVALID_PARAMETER_VALUE", "source_code_path is required.")
        deployment = self.deployments.begin(name, source, body, creator)
        self._documents.update(
            name, lambda one: one | {"default_source_code_path": source, "pending_deployment": deployment}
        )
        self.deployments.run(name, deployment)
        return deployment

    def delete(self, name: str) -> Document:
        """Delete; the app is gone when this returns, or shortly after when its process is slow to end.

        Raises:
            ApiError: 404; 400 when it is being deleted already.
        """
        with self._lock:
            document = self._get(name)
            if document["compute"] == "DELETING":
                raise ApiError(
                    400,
                    "BAD_REQUEST",
                    f"Cannot delete app {name} as it is not terminal with state DELETING, and was updated less than 20"
                    " minutes ago. Please wait before trying again.",
                )
            self._set_compute(name, ("DELETING", "App compute is being deleted."))
        shown = self.describe(name)
        removal = threading.Thread(target=self._remove, args=(name,), name=f"delete-{name}", daemon=True)
        removal.start()
        removal.join(_DELETE_WAIT_SECONDS)
        return shown

    def log(self, name: str) -> bytes:
        """The app's log."""
        self._get(name)
        return self._hosting.runtime(name).log()

    def _remove(self, name: str) -> None:
        document = self._get(name)
        self._hosting.remove(name)
        principal = self._directory.get(document["service_principal_client_id"])
        if principal is not None:
            self._resources.detach(document.get("resources") or [], principal)
            self._directory.delete(principal.name)
        self._permissions.forget("apps", name)
        self.deployments.forget(name)
        self._documents.delete(name)

    def _run_deployment(self, name: str, deployment: Document) -> None:
        """Snapshot, environment, process: the work of one deployment.

        Raises:
            AppError: it failed; ``str()`` is its message.
            ApiError: a resource or the source does not exist.
        """
        runtime = self._hosting.runtime(name)
        runtime.note(f"Deployment {deployment['deployment_id']}: copying {deployment['source_code_path']}.")
        result: Document = {"pending_deployment": None}
        try:
            self._files.copy_folder(deployment["source_code_path"], self._hosting.source(name, deployment))
            self._launch(name, deployment)
            runtime.note("App started successfully.")
            result["active_deployment"] = self.deployments.succeeded(deployment)
        except (AppError, ApiError, FileError) as error:
            runtime.note(f"Deployment failed: {error}")
            raise
        finally:
            self._documents.update(name, lambda document: document | result)
        self._hosting.forget_other_sources(name, deployment)

    def _launch(self, name: str, deployment: Document) -> None:
        document = self._get(name)
        self._hosting.launch(document, self._principal(document), deployment)

    def _resume(self, name: str) -> None:
        try:
            deployment = self._get(name)["active_deployment"]
            self._launch(name, deployment)
        except (AppError, ApiError) as error:
            _log.warning("app %s did not come up again: %s", name, error)
            self._hosting.runtime(name).note(f"The app did not come up again: {error}")

    def _new_document(
        self, name: str, wanted: Document, creator: Principal, principal: Principal, compute: tuple[str, str]
    ) -> Document:
        return {
            "name": name,
            "id": str(uuid.uuid4()),
            "description": "",
            "compute_size": "MEDIUM",
            **wanted,
            "creator": creator.name,
            "updater": creator.name,
            "create_time": now(),
            "update_time": now(),
            "forward_user_access_token": True,
            "service_principal_client_id": principal.name,
            "service_principal_id": int(principal.id),
            "service_principal_name": principal.display_name,
            "compute": compute[0],
            "compute_message": compute[1],
            "port": 0,
        }

    def _open(self, document: Document) -> None:
        port = self._hosting.open(document)
        self._documents.update(document["name"], lambda one: one | {"port": port})

    def _app_status(self, document: Document) -> Document:
        name, pending = document["name"], document.get("pending_deployment")
        if pending is not None and self.deployments.state(name, pending["deployment_id"]) == "IN_PROGRESS":
            return {"state": "DEPLOYING", "message": "The app is being deployed."}
        return self._hosting.status(name)

    def _set_compute(self, name: str, compute: tuple[str, str]) -> None:
        self._documents.update(name, lambda one: one | {"compute": compute[0], "compute_message": compute[1]})

    def _principal(self, document: Document) -> Principal:
        principal = self._directory.get(document["service_principal_client_id"])
        if principal is None:
            raise ApiError(500, "INTERNAL_ERROR", f"The service principal of app {document['name']} is gone.")
        return principal

    def _get(self, name: str) -> Document:
        document = self._documents.get(name)
        if document is None:
            raise missing(name)
        return document
