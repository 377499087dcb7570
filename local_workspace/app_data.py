"""Fills a new workspace with the sample data, by the script that people run against their own workspace."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from local_workspace.workspace import Workspace

_SCRIPT = "scripts.setup_sample_data"
_SECONDS = 120
_TRIES = 10
_PAUSE_SECONDS = 2


class SampleData:
    """Runs the script once for each state folder, in a process and a thread of its own."""

    def __init__(self, workspace: Workspace) -> None:
        """Nothing runs yet."""
        self._workspace = workspace
        self._done = workspace.store.collection("sample_data")

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
            if problem:
                sys.stderr.write(f"The sample {what} could not be made:\n{problem}\n")
            else:
                self._done.put(what, {})

        if self._done.get(what) is None:
            threading.Thread(target=work, name=f"sample-{what}", daemon=True).start()

    def _records(self, environment: dict[str, str], person_id: str) -> str:
        """Try until the app has made its tables; gives the last problem, or nothing."""
        problem = ""
        for _ in range(_TRIES):
            problem = self._script(["--records-for", person_id], environment)
            if not problem:
                return ""
            time.sleep(_PAUSE_SECONDS)
        return problem

    def _script(self, arguments: list[str], environment: dict[str, str]) -> str:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("DATABRICKS_", "PG"))}
        done = subprocess.run(  # noqa: S603 - fixed arguments
            [sys.executable, "-m", _SCRIPT, *arguments],
            cwd=Path(__file__).parent.parent,
            env={**inherited, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        return "" if done.returncode == 0 else f"{done.stdout}{done.stderr}"
