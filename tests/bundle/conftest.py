"""The real Databricks CLI against a local workspace of its own, which runs what the CLI deploys."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from local_workspace.settings import LocalSettings
from local_workspace.workspace import Workspace

ROOT = Path(__file__).parent.parent.parent
CATALOG = "lakefront"

TINY_APP = """
import http.server, json, os

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        document = {"env": dict(os.environ), "headers": {k.lower(): v for k, v in self.headers.items()}}
        body = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

print("tiny app starts", flush=True)
http.server.ThreadingHTTPServer(("0.0.0.0", int(os.environ["DATABRICKS_APP_PORT"])), Handler).serve_forever()
"""


@pytest.fixture(scope="session")
def cli_path() -> str:
    """The CLI of ``DATABRICKS_CLI`` or the PATH; without one the tests say so and are skipped."""
    found = os.environ.get("DATABRICKS_CLI") or shutil.which("databricks")
    if not found or not Path(found).is_file():
        pytest.skip("no Databricks CLI: set DATABRICKS_CLI or put `databricks` (1.13 or newer) on the PATH")
    return found


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """An empty workspace but for the catalog, which the documentation names as a prerequisite."""
    state = tmp_path_factory.mktemp("cloud")
    running = Workspace(LocalSettings(state=state, taxi_rows=2_000, warehouse_start_seconds=0.2))
    running.start()
    try:
        deployer = running.directory.service_principal("deployer")
        assert deployer is not None
        running.metastore.create_catalog(deployer, CATALOG)
        running.metastore.grant(deployer, "catalog", CATALOG, "account users", ["USE CATALOG"])
        running.metastore.grant(deployer, "catalog", CATALOG, "manager@example.com", ["CREATE SCHEMA"])
        yield running
    finally:
        running.stop()


@dataclass
class Cli:
    """Runs the CLI in ``folder`` as the service principal ``deployer``, or as a person with a token."""

    path: str
    cloud: Workspace
    folder: Path
    user: str | None = None
    variables: dict[str, str] = field(default_factory=dict)

    def environment(self) -> dict[str, str]:
        """The variables of one command: the workspace, whose credentials, and the bundle's variables."""
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "NO_PROXY": "127.0.0.1,localhost",
            "DATABRICKS_HOST": self.cloud.url,
            "DATABRICKS_CONFIG_FILE": os.devnull,
            "DATABRICKS_CACHE_ENABLED": "false",
            "DATABRICKS_CLI_DISABLE_TELEMETRY": "1",
            **{f"BUNDLE_VAR_{name}": value for name, value in self.variables.items()},
        }
        if self.user is None:
            known = self.cloud.environment()
            environment |= {name: known[name] for name in ("DATABRICKS_CLIENT_ID", "DATABRICKS_CLIENT_SECRET")}
        else:
            principal = self.cloud.directory.get(self.user)
            assert principal is not None
            environment["DATABRICKS_TOKEN"] = self.cloud.tokens.issue(principal, ["all-apis"]).token
        return environment

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one command; output and exit code are in the result."""
        return subprocess.run(
            [self.path, *arguments],
            cwd=self.folder,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def ok(self, *arguments: str) -> str:
        """Run a command that must succeed; gives what it wrote."""
        done = self(*arguments)
        assert done.returncode == 0, f"databricks {' '.join(arguments)}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr

    def destroy_all(self) -> None:
        """Remove what was deployed; nothing is asked of the CLI where nothing was."""
        name = self.user or self.environment()["DATABRICKS_CLIENT_ID"]
        for target in ("dev", "prod"):
            if self.cloud.apps.files.known(f"/Users/{name}/.bundle/lakefront/{target}/state") is not None:
                self("bundle", "destroy", "-t", target, "--auto-approve", "--force-lock")

    def configuration(self) -> dict[str, Any]:
        """The bundle's file."""
        document: dict[str, Any] = yaml.safe_load((self.folder / "databricks.yml").read_text())
        return document

    def configure(self, document: dict[str, Any]) -> None:
        """Write the bundle's file."""
        (self.folder / "databricks.yml").write_text(yaml.safe_dump(document, sort_keys=False))

    def app(self, name: str) -> dict[str, Any]:
        """The app object as the workspace has it."""
        return self.cloud.apps.apps.describe(name)

    def token(self, user: str) -> str:
        """A token of ``user`` for the front door."""
        answer = httpx.post(f"{self.cloud.url}/.local/token", json={"user": user})
        return str(answer.raise_for_status().json()["access_token"])


@pytest.fixture
def tiny(cli_path: str, cloud: Workspace, tmp_path: Path) -> Iterator[Cli]:
    """The bundle of this repository around an app without requirements; what it deploys is destroyed at the end."""
    folder = tmp_path / "bundle"
    folder.mkdir()
    (folder / "app.py").write_text(TINY_APP)
    (folder / "requirements.txt").touch()
    shutil.copy(ROOT / "app.yaml", folder)
    document = yaml.safe_load((ROOT / "databricks.yml").read_text())
    del document["sync"]  # its patterns match nothing here, about which --strict complains
    cli = Cli(cli_path, cloud, folder)
    cli.configure(document)
    yield cli
    cli.destroy_all()


@pytest.fixture(scope="session")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clean copy of the whole repository: what git has or would take, and nothing that lies about."""
    folder = tmp_path_factory.mktemp("clean") / "lakefront"
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split("\0")  # fmt: skip
    for name in listed:
        if name and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    return folder


@contextmanager
def copied(cli_path: str, cloud: Workspace, repository: Path, folder: Path, user: str | None = None) -> Iterator[Cli]:
    """A copy of the repository with its own CLI; what it deploys is destroyed at the end."""
    shutil.copytree(repository, folder)
    cli = Cli(cli_path, cloud, folder, user)
    try:
        yield cli
    finally:
        cli.destroy_all()


def make(cli: Cli, *arguments: str, answer: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a target of the Makefile in the CLI's folder, with the packages that are installed here."""
    ready = cli.folder.parent / f"{cli.folder.name}.ready"
    ready.touch()
    return subprocess.run(
        ["make", *arguments, f"BIN={Path(sys.executable).parent}", f"READY={ready}", f"PYTHON={sys.executable}"],
        cwd=cli.folder,
        env=cli.environment() | {"DATABRICKS_CLI": cli.path} | variables,
        input=answer,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
