"""What was deployed runs again, at the same address, after the workspace was stopped."""

from __future__ import annotations

import time
from pathlib import Path

import httpx
import pytest

from local_workspace.identity.model import Principal
from local_workspace.settings import LocalSettings
from local_workspace.workspace import Workspace

APP = """
import http.server, os
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(os.environ["WORD"].encode())
http.server.HTTPServer(("127.0.0.1", int(os.environ["DATABRICKS_APP_PORT"])), Handler).serve_forever()
"""
SOURCE = "/Workspace/Users/someone/app"


def _deployer(workspace: Workspace) -> Principal:
    deployer = workspace.directory.service_principal("deployer")
    assert deployer is not None
    return deployer


def _wait_for(workspace: Workspace, state: str) -> None:
    until = time.monotonic() + 30
    while workspace.apps.apps.describe("words")["app_status"]["state"] != state:
        assert time.monotonic() < until, workspace.apps.apps.log("words").decode()
        time.sleep(0.05)


def _ask(workspace: Workspace) -> httpx.Response:
    token = workspace.tokens.issue(_deployer(workspace), ["all-apis"]).token
    url = workspace.apps.apps.describe("words")["url"]
    return httpx.get(url, headers={"Authorization": f"Bearer {token}"})


@pytest.mark.slow
def test_a_deployed_app_survives_a_restart_of_the_workspace(tmp_path: Path) -> None:
    settings = LocalSettings(state=tmp_path / "state", taxi_rows=1_000)
    first = Workspace(settings)
    first.start()
    try:
        first.apps.files.make_folders(SOURCE)
        first.apps.files.write(f"{SOURCE}/main.py", APP.encode(), overwrite=True)
        first.apps.apps.create({"name": "words"}, _deployer(first), compute=True)
        body = {"source_code_path": SOURCE, "env_vars": [{"name": "WORD", "value": "hello"}]}
        first.apps.apps.deploy("words", body, _deployer(first))
        _wait_for(first, "RUNNING")
        assert _ask(first).text == "hello"
        url = first.apps.apps.describe("words")["url"]
        first.apps.files.delete(SOURCE, recursive=True)  # a running deployment is a snapshot
    finally:
        first.stop()
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)
    second = Workspace(settings)
    second.start()
    try:
        _wait_for(second, "RUNNING")
        assert second.apps.apps.describe("words")["url"] == url
        assert _ask(second).text == "hello"
    finally:
        second.stop()
