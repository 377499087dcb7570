"""Fills a new workspace with the sample data, by the script that people run against their own workspace."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from local_workspace.workspace import Workspace

_SCRIPT = "scripts.setup_sample_data"
_SECONDS = 120
_TRIES = 10
_PAUSE_SECONDS = 2
_STOP_SECONDS = 5


class SampleData:
    """Runs the script once for each state folder, in a process and a thread of its own. ``stop`` ends both."""

    def __init__(self, workspace: Workspace) -> None:
        """Nothing runs yet."""
        self._workspace = workspace
        self._done = workspace.store.collection("sample_data")
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._running: dict[threading.Thread, subprocess.Popen[str] | None] = {}

    def stop(self) -> None:
        """Stop what still runs; the next start of the workspace makes it. Idempotent."""
        with self._lock:
            self._stopped.set()
            running = dict(self._running)
        for process in running.values():
            if process is not None:
                process.kill()
        for thread in running:
            thread.join(_STOP_SECONDS)

    def tables(self) -> None:
        """Begin to make catalog, tables, functions and grants, as the deployer, unless it was done before."""
        self._begin("tables", lambda: self._script([], self._workspace.environment()))

    def records(self, app_environment: Mapping[str, str], account: str) -> None:
        """Begin to make a few Lakebase records of ``account``, as the app, unless it was done before."""
        person = self._workspace.directory.get(account)
        if person is not None:
            self._begin("records", lambda: self._records(dict(app_environment), person.id))

    def _begin(self, what: str, run: Callable[[], str]) -> None:
        def work() -> None:
            problem = run()
            if self._stopped.is_set():
                return
            if problem:
                sys.stderr.write(f"The sample {what} could not be made:\n{problem}\n")
            else:
                self._done.put(what, {})

        if self._done.get(what) is None:
            thread = threading.Thread(target=work, name=f"sample-{what}", daemon=True)
            self._running[thread] = None
            thread.start()

    def _records(self, environment: dict[str, str], person_id: str) -> str:
        """Try until the app has made its tables; gives the last problem, or nothing."""
        problem = ""
        for _ in range(_TRIES):
            problem = self._script(["--records-for", person_id], environment)
            if not problem or self._stopped.wait(_PAUSE_SECONDS):
                return ""
        return problem

    def _script(self, arguments: list[str], environment: dict[str, str]) -> str:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("DATABRICKS_", "PG"))}
        with self._lock:
            if self._stopped.is_set():
                return ""
            process = subprocess.Popen(  # noqa: S603 - fixed arguments
                [sys.executable, "-m", _SCRIPT, *arguments],
                cwd=Path(__file__).parent.parent,
                env={**inherited, **environment},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            self._running[threading.current_thread()] = process
        with process:
            try:
                told, _ = process.communicate(timeout=_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                return f"no end within {_SECONDS} s"
        return "" if process.returncode == 0 else told
