"""One deployed app as it runs: a front door for its whole life, and behind it the process of the latest deployment."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from local_workspace.apps import environment
from local_workspace.apps.app_spec import AppError, AppSpec
from local_workspace.apps.environment import Attached, Identity
from local_workspace.apps.front_door import Door, FrontDoor
from local_workspace.apps.process import AppProcess, free_port
from local_workspace.apps.upstream import Upstream
from local_workspace.server import AddressTakenError

_LOG_LIMIT_BYTES = 5_000_000
MakeDoor = Callable[[Upstream, Callable[[], str], Callable[[], bytes]], Door]
"""Given the app's address, its state in words and its log: what the front door serves."""


class Runtime:
    """The running side of one app. Thread-safe: deployments, stops and requests may cross."""

    def __init__(self, folder: Path, make_door: MakeDoor, wanted_port: int) -> None:
        """Open the front door at once, so that the URL is known; on another port when ``wanted_port`` is taken."""
        self._folder = folder
        self._log_file = folder / "app.log"
        self._lock = threading.RLock()
        self._log_lock = threading.Lock()
        self._process: AppProcess | None = None
        self._state = "App compute is stopped."
        self._upstream = Upstream("127.0.0.1", 0)
        folder.mkdir(parents=True, exist_ok=True)
        door = make_door(self._upstream, self.state, self.log)
        try:
            self._door = FrontDoor(door, wanted_port)
        except AddressTakenError:
            self._door = FrontDoor(door, 0)
        self._door.start()
        self.port = self._door.port
        self.url = self._door.url

    def start(
        self,
        spec: AppSpec,
        identity: Identity,
        attached: Attached,
        scopes: tuple[str, ...] | None,
        source: Path,
        interpreter_folder: Path,
        seconds: float,
    ) -> None:
        """Replace the process by a new one and wait until it answers.

        Args:
            spec: command and variables.
            identity: whose credentials it gets.
            attached: what its resources give.
            scopes: the user token's scopes from now on; None for no user authorization.
            source: its working folder.
            interpreter_folder: where its Python lies.
            seconds: how long it may take to answer.

        Raises:
            AppError: a variable cannot be resolved (the former process goes on), or the new one does not come up.
        """
        port = free_port()
        variables = environment.build(spec, identity, attached, port, interpreter_folder, self._home())
        command = environment.command(spec, port)
        process = AppProcess(command, variables, source, port, self._append, self._folder / "pid")
        with self._lock:
            self.stop("The app is starting. This page tries again by itself.")
            self._process = process
            process.start()
            self._upstream.move_to(port)
            self._door.set_scopes(scopes)
        try:
            process.wait_until_answers(seconds)
        except AppError as error:
            self.stop(str(error).partition("\n")[0])
            raise

    def stop(self, state: str = "App compute is stopped.", grace: float | None = None) -> None:
        """End the process; the front door says ``state`` from now on. Idempotent."""
        with self._lock:
            process, self._process = self._process, None
            self._state = state
            self._upstream.move_to(0)
        if process is not None:
            process.stop() if grace is None else process.stop(grace)

    def close(self, grace: float | None = None) -> None:
        """End the process and close the front door."""
        self.stop("The app is gone.", grace)
        self._door.stop()

    @property
    def running(self) -> bool:
        """Whether a process lives."""
        process = self._process
        return process is not None and process.running

    def crashed(self) -> str | None:
        """How the process ended when nobody ended it, else None."""
        process = self._process
        if process is None or process.running:
            return None
        lines = "\n".join(process.last_lines(5))
        return f"The app ended with exit status {process.exit_status()}. Its last log lines:\n{lines}"

    def state(self) -> str:
        """Why a request is not answered, in words."""
        crash = self.crashed()
        return crash.partition("\n")[0] if crash else self._state

    def log(self) -> bytes:
        """The log of the latest deployments, at most 10 MB."""
        return b"".join(file.read_bytes() for file in (self._old_log(), self._log_file) if file.exists())

    def note(self, text: str) -> None:
        """Put a line of the platform into the log."""
        stamp = datetime.now(UTC).isoformat(timespec="milliseconds")
        for line in text.rstrip("\n").splitlines():
            self._append(f"[{stamp}] [platform] {line}\n".encode())

    def _append(self, line: bytes) -> None:
        with self._log_lock, contextlib.suppress(FileNotFoundError):  # the app is being deleted
            if self._log_file.exists() and self._log_file.stat().st_size > _LOG_LIMIT_BYTES:
                self._log_file.replace(self._old_log())
            with self._log_file.open("ab") as file:
                file.write(line)

    def _old_log(self) -> Path:
        return self._log_file.with_suffix(".1.log")

    def _home(self) -> Path:
        home = self._folder / "home"
        home.mkdir(parents=True, exist_ok=True)
        return home
