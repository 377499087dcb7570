"""Deployments: one at a time for each app, in the background, with a state that clients poll."""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from local_workspace.apps.app_spec import AppError
from local_workspace.apps.documents import Document, now
from local_workspace.apps.files import FileError
from local_workspace.http import ApiError
from local_workspace.identity.model import Principal
from local_workspace.store import Store

Run = Callable[[str, Document], None]
"""Does the work of a deployment of an app; raises AppError, ApiError or FileError when it fails."""

_log = logging.getLogger(__name__)


class Deployments:
    """The deployments of all apps, in the store."""

    def __init__(self, store: Store, run: Run) -> None:
        """``run`` does the work."""
        self._documents = store.collection("app_deployment")
        self._run = run
        self._lock = threading.Lock()
        self._busy: set[str] = set()

    def begin(self, app: str, source: str, body: Mapping[str, Any], creator: Principal) -> Document:
        """Record a deployment as IN_PROGRESS.

        Raises:
            ApiError: 409 while another deployment of the app is under way, 400 for another mode than SNAPSHOT.
        """
        mode = body.get("mode") or "SNAPSHOT"
        if mode != "SNAPSHOT":
            message = f"The local workspace deploys in mode SNAPSHOT only, not {mode}."
            raise ApiError(501, "NOT_IMPLEMENTED", message)
        with self._lock:
            if app in self._busy:
                message = f"Cannot deploy app {app} as there is an active deployment in progress."
                raise ApiError(409, "RESOURCE_CONFLICT", message)
            self._busy.add(app)
        document: Document = {
            "deployment_id": uuid.uuid4().hex,
            "source_code_path": source,
            "mode": mode,
            "creator": creator.name,
            "create_time": now(),
            "update_time": now(),
            "status": {"state": "IN_PROGRESS", "message": "Deployment in progress."},
        }
        document |= {key: body[key] for key in ("command", "env_vars") if body.get(key)}
        self._documents.put(_key(app, document["deployment_id"]), document)
        return document

    def run(self, app: str, deployment: Document) -> None:
        """Do the work of a begun deployment in the background."""
        name = f"deploy-{app}"
        threading.Thread(target=self._work, args=(app, deployment), name=name, daemon=True).start()

    def _work(self, app: str, deployment: Document) -> None:
        state, message = "FAILED", "The deployment was broken off."
        try:
            self._run(app, deployment)
            state, message = "SUCCEEDED", "App started successfully"
        except (AppError, FileError, ApiError) as error:
            message = str(error)
        except Exception:
            _log.exception("deployment of app %s failed unexpectedly", app)
            raise
        finally:
            self._finish(app, deployment, state, message)

    def _finish(self, app: str, deployment: Document, state: str, message: str) -> None:
        def change(document: Document) -> Document:
            return document | {"update_time": now(), "status": {"state": state, "message": message}}

        self._documents.update(_key(app, deployment["deployment_id"]), change)
        with self._lock:
            self._busy.discard(app)

    @staticmethod
    def succeeded(deployment: Document) -> Document:
        """The deployment as the app object shows it once it is active."""
        status = {"state": "SUCCEEDED", "message": "App started successfully"}
        return deployment | {"update_time": now(), "status": status}

    def get(self, app: str, deployment_id: str) -> Document:
        """One deployment; IN_PROGRESS of an earlier life of this program is FAILED.

        Raises:
            ApiError: 404.
        """
        document = self._documents.get(_key(app, deployment_id))
        if document is None:
            message = f"Deployment {deployment_id} of app {app} does not exist."
            raise ApiError(404, "RESOURCE_DOES_NOT_EXIST", message)
        if document["status"]["state"] == "IN_PROGRESS" and app not in self._busy:
            document["status"] = {"state": "FAILED", "message": "The local workspace was stopped meanwhile."}
        return document

    def state(self, app: str, deployment_id: str) -> str:
        """The state of one deployment."""
        return str(self.get(app, deployment_id)["status"]["state"])

    def list(self, app: str) -> list[Document]:
        """The deployments of an app, newest first."""
        prefix = _key(app, "")
        found = [key.removeprefix(prefix) for key, _ in self._documents.items() if key.startswith(prefix)]
        return [self.get(app, deployment_id) for deployment_id in reversed(found)]

    def last_succeeded(self, app: str) -> Document | None:
        """The newest deployment that succeeded."""
        return next((one for one in self.list(app) if one["status"]["state"] == "SUCCEEDED"), None)

    def forget(self, app: str) -> None:
        """Remove the deployments of a deleted app."""
        for key, _ in self._documents.items():
            if key.startswith(_key(app, "")):
                self._documents.delete(key)


def _key(app: str, deployment_id: str) -> str:
    return f"{app}/{deployment_id}"
