"""The app of a working folder behind a front door: what ``make run`` starts."""

from __future__ import annotations

import sys
import threading
from collections.abc import Mapping
from pathlib import Path

from local_workspace.apps import app_spec, environment
from local_workspace.apps.app_spec import AppError
from local_workspace.apps.front_door import FrontDoor
from local_workspace.apps.process import AppProcess, free_port
from local_workspace.apps.site import Site
from local_workspace.apps.upstream import Upstream
from local_workspace.identity.directory import APP
from local_workspace.identity.model import Principal
from local_workspace.lakebase.lakebase import Lakebase
from local_workspace.warehouse.warehouses import Warehouses

__all__ = ["USER_API_SCOPES", "AppError", "LocalApp"]

USER_API_SCOPES = ("sql", "model-serving", "catalog.catalogs:read", "catalog.schemas:read", "catalog.tables:read")
"""The scopes that the bundle declares for the app; a test compares the two."""
DATABASE = "databricks_postgres"
ENDPOINT = "trip-fare"


class LocalApp:
    """The app in ``folder``, run by this program's own interpreter as the service principal ``lakefront-app``."""

    def __init__(
        self, site: Site, warehouses: Warehouses, lakebase: Lakebase, state: Path, folder: Path, port: int
    ) -> None:
        """Nothing is bound or started yet.

        Args:
            site: the running workspace.
            warehouses: whose default one the app gets.
            lakebase: whose default instance the app gets.
            state: the workspace's folder.
            folder: the app's.
            port: the front door's; 0 picks a free one.

        ``variables`` is the app's environment once it was started.
        """
        self._site = site
        self._warehouses = warehouses
        self._lakebase = lakebase
        self._state = state / "apps"
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
        spec = app_spec.read(self._folder)
        principal = self._site.directory.service_principal(APP)
        if principal is None:
            raise AppError(f"The service principal {APP} is missing from the directory.")
        app_port = free_port()
        upstream = Upstream("127.0.0.1", app_port)
        self._door = FrontDoor(
            self._site.door(upstream, principal.name, USER_API_SCOPES, self._state_in_words), self._port
        )
        identity = self._site.identity("lakefront", principal)
        home = self._state / "home"
        home.mkdir(parents=True, exist_ok=True)
        # Not resolved: in a virtual environment the executable is a link out of it.
        interpreter_folder = Path(sys.executable).parent
        attached = self._attached(principal)
        self.variables = environment.build(spec, identity, attached, app_port, interpreter_folder, home)
        command, pid_file = environment.command(spec, app_port), self._state / "local.pid"
        self._process = AppProcess(command, self.variables, self._folder, app_port, _print_line, pid_file)
        self._process.start()
        self._door.start()
        self._process.wait_until_answers(self._site.start_seconds, stopped)

    def stop(self) -> None:
        """Close the front door, then SIGTERM and at most 15 seconds of grace. Idempotent.

        In this order the app has no idle connection of the door's left to wait for.
        """
        if self._door is not None:
            self._door.stop()
            self._door = None
        if self._process is not None:
            self._process.stop()

    def _attached(self, principal: Principal) -> environment.Attached:
        """What the platform does for the resources of the bundle: grants, values, ``PG…`` variables."""
        postgres: Mapping[str, str] = self._lakebase.attach(self._lakebase.default_instance, principal, DATABASE)
        values = {"warehouse": self._warehouses.default_id, "database": postgres["PGHOST"], "endpoint": ENDPOINT}
        return environment.Attached(values, postgres)

    def _state_in_words(self) -> str:
        """What the front door says while the process does not answer."""
        status = self.exit_status()
        if status is None:
            return "The app is starting. This page tries again by itself."
        return f"The app has stopped with exit status {status}. Its log says why."


def _print_line(line: bytes) -> None:
    sys.stdout.buffer.write(line)
    sys.stdout.buffer.flush()
