"""Where apps run: for each a front door for its whole life, and the process of its latest deployment."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from pathlib import Path

from local_workspace.apps import app_spec
from local_workspace.apps.documents import Document, effective_scopes, missing
from local_workspace.apps.front_door import Door
from local_workspace.apps.permissions import Permissions
from local_workspace.apps.resources import Resources
from local_workspace.apps.runtime import Runtime
from local_workspace.apps.site import Site
from local_workspace.apps.upstream import Upstream
from local_workspace.apps.venvs import Venvs
from local_workspace.identity.model import Principal

_DELETE_GRACE_SECONDS = 1.0
"""Deleting must be done within a second or so: the CLI polls until the app is gone."""


class Hosting:
    """The running side of all apps. Thread-safe."""

    def __init__(self, state: Path, permissions: Permissions, resources: Resources) -> None:
        """``state`` is the workspace's folder; nothing runs before :meth:`start`."""
        self._folder = state / "apps"
        self._venvs = Venvs(state / "venvs")
        self._permissions = permissions
        self._resources = resources
        self._lock = threading.Lock()
        self._runtimes: dict[str, Runtime] = {}
        self._site: Site | None = None

    def start(self, site: Site) -> None:
        """From now on apps can be opened in front of ``site``."""
        self._site = site

    def stop(self) -> None:
        """End every process and close every front door, side by side."""
        with self._lock:
            runtimes, self._runtimes = list(self._runtimes.values()), {}
        threads = [threading.Thread(target=runtime.close, name="close-app") for runtime in runtimes]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def open(self, document: Document) -> int:
        """Open an app's front door, on the port that it had before when that is free; the port."""
        name, site = document["name"], self._running_site()

        def door(app: Upstream, state: Callable[[], str], log: Callable[[], bytes]) -> Door:
            return site.door(
                app,
                document["service_principal_client_id"],
                effective_scopes(document),
                state,
                allows=lambda principal: self._permissions.has("apps", name, principal, "CAN_USE"),
                manages=lambda principal: self._permissions.has("apps", name, principal, "CAN_MANAGE"),
                log=log,
            )

        runtime = Runtime(self._folder / name, door, document["port"])
        with self._lock:
            self._runtimes[name] = runtime
        return runtime.port

    def launch(self, document: Document, principal: Principal, deployment: Document) -> None:
        """Start the process of a deployment whose files lie in its source folder, and wait until it answers.

        Raises:
            AppError: the app cannot be started as it describes itself, or does not come up.
            ApiError: a resource does not exist any more.
        """
        name, site = document["name"], self._running_site()
        runtime, source = self.runtime(name), self.source(name, deployment)
        spec = app_spec.read_for(deployment.get("command"), deployment.get("env_vars"), source)
        attached = self._resources.resolve(document.get("resources") or [], principal)
        interpreter_folder = self._venvs.interpreter_folder(source, runtime.note)
        identity = site.identity(name, principal)
        scopes = effective_scopes(document)
        runtime.start(spec, identity, attached, scopes, source, interpreter_folder, site.start_seconds)

    def remove(self, name: str) -> None:
        """End an app's process, close its front door and delete its files."""
        with self._lock:
            runtime = self._runtimes.pop(name, None)
        if runtime is not None:
            runtime.close(_DELETE_GRACE_SECONDS)
        shutil.rmtree(self._folder / name, ignore_errors=True)

    def source(self, name: str, deployment: Document) -> Path:
        """The folder with a deployment's snapshot of the app."""
        return self._folder / name / f"source-{deployment['deployment_id']}"

    def forget_other_sources(self, name: str, deployment: Document) -> None:
        """Delete the snapshots of earlier deployments."""
        for old in (self._folder / name).glob("source-*"):
            if old != self.source(name, deployment):
                shutil.rmtree(old, ignore_errors=True)

    def runtime(self, name: str) -> Runtime:
        """The running side of one app.

        Raises:
            ApiError: 404.
        """
        runtime = self._runtimes.get(name)
        if runtime is None:
            raise missing(name)
        return runtime

    def url(self, document: Document) -> str:
        """Where people open the app."""
        runtime = self._runtimes.get(document["name"])
        return runtime.url if runtime is not None else f"http://127.0.0.1:{document['port']}"

    def status(self, name: str) -> Document:
        """The state of the app's process, as the app object shows it."""
        runtime = self._runtimes.get(name)
        if runtime is not None and runtime.running:
            return {"state": "RUNNING", "message": "App has status: App is running"}
        crash = runtime.crashed() if runtime is not None else None
        if crash is not None:
            return {"state": "CRASHED", "message": crash}
        return {"state": "UNAVAILABLE", "message": "App status is unavailable."}

    def _running_site(self) -> Site:
        if self._site is None:
            raise RuntimeError("the workspace is not running")
        return self._site
