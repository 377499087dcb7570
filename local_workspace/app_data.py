"""Fills a new workspace with the sample data, by the script that people run against their own workspace."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

from local_workspace.workspace import Workspace

_SCRIPT = "scripts.setup_sample_data"
_SECONDS = 120


class SampleData:
    """Runs the script once for each state folder, in a process and a thread of its own."""

    def __init__(self, workspace: Workspace) -> None:
        """Nothing runs yet."""
        self._workspace = workspace
        self._done = workspace.store.collection("sample_data")

    def start(self) -> None:
        """Begin, unless it was done before."""
        if self._done.get("done") is None:
            threading.Thread(target=self._run, name="sample-data", daemon=True).start()

    def _run(self) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("DATABRICKS_")}
        done = subprocess.run(  # noqa: S603 - fixed arguments
            [sys.executable, "-m", _SCRIPT],
            cwd=Path(__file__).parent.parent,
            env={**environment, **self._workspace.environment()},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        if done.returncode == 0:
            self._done.put("done", {})
        else:
            sys.stderr.write(f"The sample data could not be made:\n{done.stdout}{done.stderr}\n")
