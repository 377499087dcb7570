"""The app of a working folder behind a front door: what ``make run`` starts."""

from __future__ import annotations

import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from local_workspace.apps import app_spec, environment
from local_workspace.apps.app_spec import AppError
from local_workspace.apps.front_door import Door, FrontDoor
from local_workspace.apps.process import AppProcess, free_port
from local_workspace.apps.upstream import Upstream
from local_workspace.identity.directory import APP

if TYPE_CHECKING:
    from local_workspace.workspace import Workspace

__all__ = ["USER_API_SCOPES", "AppError", "LocalApp"]

USER_API_SCOPES = ("sql", "model-serving", "catalog.catalogs:read", "catalog.schemas:read", "catalog.tables:read")
"""The scopes that the bundle declares for the app; a test compares the two."""
DATABASE = "databricks_postgres"
ENDPOINT = "trip-fare"


class LocalApp:
    """The app in ``folder``, run by this program's own interpreter as the service principal ``lakefront-app``."""

    def __init__(self, workspace: Workspace, folder: Path, port: int) -> None:
        """``port`` is the front door's; 0 picks a free one. Nothing is bound or started yet.

        ``variables`` is the app's environment once it was started.
        """
        self._workspace = workspace
        self._folder = folder
        self._port = port
        self._door: FrontDoor | None = None
        self._process: AppProcess | None = None
        self.variables: Mapping[str, str] = {}

    @property
    def url(self) -> str:
        """Where people open it.

        Raises:
            RuntimeError: not started.
        """
        if self._door is None:
            raise RuntimeError("the app is not started")
        return self._door.url

    def exit_status(self) -> int | None:
        """The exit status of the app's process when it has ended by itself, else None."""
        return None if self._process is None else self._process.exit_status()

    def start(self, stopped: threading.Event) -> None:
        """Open the front door, start the app, wait until it answers (or ``stopped`` is set).

        Raises:
            AddressTakenError: the front door's port is in use.
            AppError: ``app.yaml`` is broken, the app ended, or it does not answer in time.
        """
        state = self._workspace.settings.state
        spec = app_spec.read(self._folder)
        principal = self._workspace.directory.service_principal(APP)
        if principal is None:
            raise AppError(f"The service principal {APP} is missing from the directory.")
        app_port = free_port()
        self._door = self._front_door(app_port, principal.name)
        identity = environment.Identity(
            name="lakefront",
            client_id=principal.name,
            client_secret=self._workspace.directory.add_secret(principal.name),
            host=self._workspace.url,
            workspace_id=self._workspace.workspace_id,
        )
        home = state / "apps" / "home"
        home.mkdir(parents=True, exist_ok=True)
        # Not resolved: in a virtual environment the executable is a link out of it.
        interpreter_folder = Path(sys.executable).parent
        self.variables = environment.build(spec, identity, self._attached(), app_port, interpreter_folder, home)
        self._process = AppProcess(
            environment.command(spec, app_port),
            self.variables,
            self._folder,
            app_port,
            _print_line,
            state / "apps/local.pid",
        )
        self._process.start()
        self._door.start()
        self._process.wait_until_answers(self._workspace.settings.app_start_seconds, stopped)

    def stop(self) -> None:
        """Close the front door, then SIGTERM and at most 15 seconds of grace. Idempotent.

        In this order the app has no idle connection of the door's left to wait for.
        """
        if self._door is not None:
            self._door.stop()
            self._door = None
        if self._process is not None:
            self._process.stop()

    def _attached(self) -> environment.Attached:
        """What the platform does for the resources of the bundle: grants, values, ``PG…`` variables."""
        workspace = self._workspace
        principal = workspace.directory.service_principal(APP)
        if principal is None:
            raise AppError(f"The service principal {APP} is missing from the directory.")
        postgres: Mapping[str, str] = workspace.lakebase.attach(
            workspace.lakebase.default_instance, principal, DATABASE
        )
        values = {
            "warehouse": workspace.warehouses.default_id,
            "database": postgres["PGHOST"],
            "endpoint": ENDPOINT,
        }
        return environment.Attached(values, postgres)

    def _front_door(self, app_port: int, client_id: str) -> FrontDoor:
        workspace = self._workspace
        port = int(workspace.url.rpartition(":")[2])
        door = Door(
            app=Upstream("127.0.0.1", app_port),
            workspace=Upstream("127.0.0.1", port),
            workspace_url=workspace.url,
            workspace_id=workspace.workspace_id,
            accounts=workspace.directory,
            tokens=workspace.tokens,
            faults=workspace.faults,
            client_id=client_id,
            user_api_scopes=USER_API_SCOPES,
            app_state=self._state,
        )
        return FrontDoor(door, self._port)

    def _state(self) -> str:
        status = self.exit_status()
        if status is None:
            return "The app is starting. This page tries again by itself."
        return f"The app has stopped with exit status {status}. Its log says why."


def _print_line(line: bytes) -> None:
    sys.stdout.buffer.write(line)
    sys.stdout.buffer.flush()
