"""``databricks apps run-local``: the app of this repository on a laptop, through the CLI's own small proxy."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from local_workspace.apps.process import free_port
from local_workspace.workspace import Workspace
from tests.bundle.conftest import Cli

pytestmark = pytest.mark.bundle


@contextlib.contextmanager
def _run_local(cli: Cli, *passed: str) -> Iterator[tuple[subprocess.Popen[bytes], int, Path]]:
    port, app_port = free_port(), free_port()
    environment = cli.environment()
    # `python` is the one that has the app's packages; what `valueFrom` names must come from the terminal.
    environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), environment["PATH"]])
    environment["DATABRICKS_WAREHOUSE_ID"] = cli.cloud.warehouses.default_id
    arguments = ["apps", "run-local", "--port", str(port), "--app-port", str(app_port)]
    for name in passed:
        arguments += ["--env", f"{name}={environment[name]}"]
    log = cli.folder.parent / "run-local.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [cli.path, *arguments], cwd=cli.folder, env=environment, stdin=subprocess.DEVNULL, stdout=output,
            stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        try:
            yield process, port, log
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGINT)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                raise


def _until(seconds: float, process: subprocess.Popen[bytes], port: int) -> httpx.Response:
    until = time.monotonic() + seconds
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(httpx.HTTPError):
            answer = httpx.get(f"http://127.0.0.1:{port}/api/v1/health", timeout=5)
            if answer.status_code == 200:
                return answer
        time.sleep(0.2)
    raise AssertionError("the app did not come up")


def test_the_app_runs_and_asks_for_sign_in(cli_path: str, cloud: Workspace, repository: Path) -> None:
    """The CLI's proxy forwards no user token: the app is healthy, acts for nobody, and says how to set it up.

    The CLI keeps its own credentials from the app, so the service principal's are passed by name.
    """
    credentials = ("DATABRICKS_CLIENT_ID", "DATABRICKS_CLIENT_SECRET")
    with _run_local(Cli(cli_path, cloud, repository), *credentials) as (process, port, log):
        try:
            assert _until(60, process, port).json()["status"] == "ok"
        except AssertionError:
            raise AssertionError(log.read_text()) from None
        base = f"http://127.0.0.1:{port}"
        me = httpx.get(f"{base}/api/v1/me")
        assert (me.status_code, me.json()["error_code"]) == (401, "AUTH_REQUIRED")
        assert me.json()["technical_details"]["workspace"] == cloud.url
        assert httpx.get(f"{base}/api/v1/preferences").status_code == 401
        status = httpx.get(f"{base}/api/v1/status", timeout=30).json()
        assert status["authentication"]["status"] == "unavailable"
        assert "user_api_scopes" in status["authentication"]["remedy"]
        assert status["model_serving"]["status"] == "ok"  # asked as the service principal that the CLI is signed in as
        assert httpx.get(base).status_code == 200
    assert process.poll() is not None


def test_as_a_person_it_names_the_variables_that_are_missing(cli_path: str, cloud: Workspace, repository: Path) -> None:
    """The CLI passes neither token nor client id; the app says so instead of acting as somebody else."""
    with _run_local(Cli(cli_path, cloud, repository, "manager@example.com")) as (process, _, log):
        until = time.monotonic() + 40
        while "is not set" not in log.read_text() and time.monotonic() < until:
            time.sleep(0.2)
        assert process.args
        for name in ("DATABRICKS_CLIENT_ID", "DATABRICKS_CLIENT_SECRET"):
            assert f"{name} is not set" in log.read_text()
