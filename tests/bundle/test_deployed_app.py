"""The app itself, deployed by ``make deploy`` and the real CLI out of a clean copy of this repository.

Three deployments are shared by the tests, which go on from one another: ``dev`` by a person with a token, ``prod`` by
a service principal, and Autoscaling Lakebase.
"""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from local_workspace.apps.files import FILE_LIMIT_BYTES
from local_workspace.workspace import Workspace
from tests.bundle.conftest import ROOT, Cli, copied, make
from tests.bundle.test_autoscaling import autoscaling

pytestmark = [pytest.mark.bundle, pytest.mark.timeout(400)]

ANALYST, MANAGER = "analyst@example.com", "manager@example.com"
SERVICES = ("authentication", "unity_catalog", "sql_warehouse", "lakebase", "model_serving")
TABLE = "lakefront.dev_manager_lakefront_app.greetings"
FEELING = "/api/v1/model-serving/endpoints/review-sentiment/invocations"


@dataclass
class Deployed:
    """One deployment of the real app.

    Attributes:
        cli: the CLI in the copied repository.
        name: the app's name.
        target: the bundle's target.
        done: what ``make deploy`` said.
        seen: every status report that the app gave while it was being deployed.
        rounds: how often :func:`use` was called.
    """

    cli: Cli
    name: str
    target: str
    done: subprocess.CompletedProcess[str]
    seen: list[dict[str, Any]] = field(default_factory=list)
    rounds: int = 0

    @property
    def app(self) -> dict[str, Any]:
        """The app object."""
        return self.cli.app(self.name)

    def client(self, user: str) -> httpx.Client:
        """A client of the app's URL as ``user``."""
        headers = {"Authorization": f"Bearer {self.cli.token(user)}"}
        return httpx.Client(base_url=self.app["url"], headers=headers, timeout=60)

    def deploy(self) -> None:
        """Deploy again with the CLI."""
        self.cli.ok("bundle", "deploy", "-t", self.target)

    def wait_until_ok(self, but: str = "") -> None:
        """Wait until every service, ``but`` one, is ok."""
        until, states = time.monotonic() + 90, {}
        with self.client(ANALYST) as client:
            while time.monotonic() < until:
                report = client.get("/api/v1/status").raise_for_status().json()
                states = {name: report[name]["status"] for name in SERVICES if name != but}
                if set(states.values()) == {"ok"}:
                    return
                time.sleep(0.5)
        raise AssertionError(states)


def use(deployed: Deployed) -> None:
    """Rows, a record and a prediction, as two people who must not see each other's record; earlier records stay."""
    deployed.rounds += 1
    for user in (ANALYST, MANAGER):
        with deployed.client(user) as client:
            assert client.get("/api/v1/me").raise_for_status().json()["user_name"] == user
            rows = client.get("/api/v1/unity-catalog/tables/samples/nyctaxi/trips/rows?limit=5")
            assert len(rows.raise_for_status().json()["rows"]) == 5
            assert rows.json()["query"]["runs_as"] == user
            record = {"preference_key": f"round.{deployed.rounds}", "preference_value": user}
            assert client.post("/api/v1/preferences", json=record).status_code == 201
            answer = client.post(FEELING, json={"dataframe_records": [{"text": "a wonderful ride"}]})
            assert answer.raise_for_status().json()["predictions"][0]["label"] == "positive"
            assert answer.json()["logged"] is True
    for user in (ANALYST, MANAGER):
        with deployed.client(user) as client:
            found = client.get("/api/v1/preferences").raise_for_status().json()
            assert {one["preference_value"] for one in found["preferences"]} == {user}
            assert found["pagination"]["total_rows"] == deployed.rounds


class _Watcher(threading.Thread):
    """While the bundle is deployed: makes the app's table as soon as there is a schema, and notes what the app says."""

    def __init__(self, cli: Cli, name: str) -> None:
        super().__init__(name="watch-deployment", daemon=True)
        self.cli, self.app_name, self.seen = cli, name, list[dict[str, Any]]()
        self.over = threading.Event()
        self._table = False

    def run(self) -> None:
        headers = {"Authorization": f"Bearer {self.cli.token(MANAGER)}"}
        while not self.over.wait(0.2):
            self._table = self._table or self._make_table()
            if self.cli.cloud.apps.apps.owner(self.app_name) is None:
                continue
            try:
                answer = httpx.get(f"{self.cli.app(self.app_name)['url']}/api/v1/status", headers=headers, timeout=20)
            except httpx.HTTPError:
                continue
            if answer.status_code == 200:
                self.seen.append(answer.json())

    def _make_table(self) -> bool:
        principal = self.cli.cloud.directory.get(MANAGER)
        assert principal is not None
        token = self.cli.cloud.tokens.issue(principal, ["all-apis"]).token
        body = {
            "statement": f"CREATE TABLE {TABLE} AS SELECT 'hello' AS greeting",
            "warehouse_id": self.cli.cloud.warehouses.default_id,
            "wait_timeout": "30s",
        }
        headers = {"Authorization": f"Bearer {token}"}
        made = httpx.post(f"{self.cli.cloud.url}/api/2.0/sql/statements", json=body, headers=headers, timeout=40)
        return bool(made.json().get("status", {}).get("state") == "SUCCEEDED")


@pytest.fixture(scope="module")
def dev(
    cli_path: str, cloud: Workspace, repository: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployed]:
    """Deployed to an empty workspace by a person; the app's own table can be read through the bundle's grant only."""
    name = "lakefront-dev-manager"
    with copied(cli_path, cloud, repository, tmp_path_factory.mktemp("dev") / "bundle", MANAGER) as cli:
        cli.variables["default_table"] = TABLE
        # The CLI grants after it has started the app; the pause makes the moment between the two long enough to see.
        cloud.faults.set(
            {"faults": [{"service": "unity_catalog", "match": "/permissions/schema/", "delay_seconds": 6}]}
        )
        watcher = _Watcher(cli, name)
        watcher.start()
        try:
            done = make(cli, "deploy", "TARGET=dev")
        finally:
            watcher.over.set()
            watcher.join()
            cloud.faults.clear()
        assert done.returncode == 0, done.stdout + done.stderr
        yield Deployed(cli, name, "dev", done, watcher.seen)


@pytest.fixture(scope="module")
def prod(
    cli_path: str, cloud: Workspace, repository: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployed]:
    """Deployed as a service principal."""
    with copied(cli_path, cloud, repository, tmp_path_factory.mktemp("prod") / "bundle") as cli:
        done = make(cli, "deploy", "TARGET=prod")
        assert done.returncode == 0, done.stdout + done.stderr
        yield Deployed(cli, "lakefront", "prod", done)


def test_it_starts_without_grants_says_what_is_missing_and_heals(dev: Deployed) -> None:
    first = dev.app["active_deployment"]["deployment_id"]
    early = [one["unity_catalog"] for one in dev.seen if one["unity_catalog"]["status"] == "degraded"]
    assert early, dev.seen
    assert f"TO `{dev.app['service_principal_client_id']}`" in early[-1]["remedy"]
    assert "GRANT USE SCHEMA ON SCHEMA `lakefront`.`dev_manager_lakefront_app`" in early[-1]["remedy"]
    dev.wait_until_ok(but="sql_warehouse")  # it starts with its first statement
    use(dev)
    dev.wait_until_ok()
    assert dev.app["active_deployment"]["deployment_id"] == first
    assert len(dev.cli.cloud.apps.apps.deployments.list(dev.name)) == 1


def test_make_deploy_shows_its_steps_and_the_url(dev: Deployed) -> None:
    lines = dev.done.stdout.splitlines()
    steps = [line for line in lines if line.endswith("…")]
    assert [step.split()[0] for step in steps] == ["Checking", "Planning", "Deploying", "Waiting"]
    assert any(line.strip().startswith("authentication ok") and "lakebase ok" in line for line in lines)
    assert f"Lakefront (dev) is at {dev.app['url']}" in lines


def test_only_what_runs_is_uploaded(dev: Deployed) -> None:
    folder = dev.cli.cloud.settings.state / f"files/Users/{MANAGER}/.bundle/lakefront/dev/files"
    assert {one.name for one in folder.iterdir()} == {
        "app.py", "app.yaml", "requirements.txt", "dashboard", "services", "db", "docs",
    }  # fmt: skip
    files = [one for one in folder.rglob("*") if one.is_file()]
    assert len(files) > 50
    assert all(one.stat().st_size <= FILE_LIMIT_BYTES for one in files)
    assert not [one for one in files if one.suffix == ".pyc" or one.name.startswith(".")]
    guides = {one.name for one in files if one.suffix == ".md"}
    assert guides == {one.name for one in (ROOT / "docs").glob("*.md")}


def test_it_runs_on_its_own_requirements_alone(dev: Deployed) -> None:
    """What only the development needs is not in the environment that the app was started from."""
    found = []
    for python in (dev.cli.cloud.settings.state / "venvs").glob("*/bin/python"):
        asked = "import importlib.util as u;print([n for n in ('dash','duckdb','pytest','sqlglot') if u.find_spec(n)])"
        found.append(subprocess.run([python, "-c", asked], capture_output=True, text=True, check=True).stdout.strip())
    assert "['dash']" in found
    assert not [one for one in found if one not in ("['dash']", "[]")]


def test_two_people_use_it_after_a_second_and_a_third_deploy(dev: Deployed) -> None:
    dev.cli.variables["log_level"] = "DEBUG"
    begun = time.monotonic()
    dev.deploy()
    assert time.monotonic() - begun < 30  # the environment of the first deployment is used again
    use(dev)
    dev.deploy()
    dev.cli.ok("bundle", "run", "lakefront")
    use(dev)
    dev.wait_until_ok()


def test_permissions_that_forget_the_app_take_its_records_away_and_come_back(dev: Deployed) -> None:
    """Without the app's entry in the list the tests above would fail: this is what they prove."""
    good = (dev.cli.folder / "databricks.yml").read_text()
    document = dev.cli.configuration()
    document["resources"]["database_instances"]["lakebase"]["permissions"] = [
        {"user_name": ANALYST, "level": "CAN_USE"}
    ]
    dev.cli.configure(document)
    dev.deploy()
    dev.cli.ok("bundle", "run", "lakefront")  # a new process has no connection from before
    with dev.client(ANALYST) as client:
        answer = client.post("/api/v1/preferences", json={"preference_key": "lost", "preference_value": 1})
        assert (answer.status_code, answer.json()["error_code"]) == (503, "DATABASE_UNAVAILABLE")
        report = client.get("/api/v1/status").json()["lakebase"]
        assert report["status"] == "unavailable"
        assert "Attach the database to the app" in report["remedy"]

    (dev.cli.folder / "databricks.yml").write_text(good)
    dev.deploy()
    dev.wait_until_ok()
    use(dev)


def test_production_as_a_service_principal(prod: Deployed) -> None:
    app = prod.app
    assert app["creator"] == prod.cli.environment()["DATABRICKS_CLIENT_ID"]
    assert f"Lakefront (prod) is at {app['url']}" in prod.done.stdout
    use(prod)
    prod.wait_until_ok()
    for _ in range(2):
        prod.deploy()
        prod.cli.ok("bundle", "run", "lakefront", "-t", "prod")
        use(prod)


def test_the_record_survives_in_autoscaling_lakebase(
    cli_path: str, cloud: Workspace, repository: Path, tmp_path: Path
) -> None:
    """The variant of the documentation, with a login to the project's endpoint."""
    with copied(cli_path, cloud, repository, tmp_path / "bundle") as cli:
        cli.configure(autoscaling(cli.configuration()))
        done = make(cli, "deploy", "TARGET=dev")
        assert done.returncode == 0, done.stdout + done.stderr
        deployed = Deployed(cli, "lakefront-dev-deployer", "dev", done)
        use(deployed)
        with deployed.client(ANALYST) as client:
            detail = client.get("/api/v1/status").json()["lakebase"]["detail"]
            assert detail.startswith("projects/databricks-app-lakebase-dev-deployer/branches/production/endpoints/")
        deployed.deploy()
        cli.ok("bundle", "run", "lakefront")
        use(deployed)
