"""The make targets around the bundle, with the real CLI and a small app in place of ours."""

from __future__ import annotations

import shutil
from pathlib import Path

import httpx
import pytest

from tests.bundle.conftest import ROOT, Cli, make

pytestmark = pytest.mark.bundle

DEV = "lakefront-dev-deployer"
REPORTS = """
import http.server, json, os

STATES = json.loads(os.environ.get("STATES", "{}"))

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        names = ("authentication", "unity_catalog", "sql_warehouse", "lakebase", "model_serving")
        report = {name: {"status": STATES.get(name, "ok"), "detail": "Why.", "remedy": "GRANT it"} for name in names}
        body = json.dumps(report).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

http.server.ThreadingHTTPServer(("0.0.0.0", int(os.environ["DATABRICKS_APP_PORT"])), Handler).serve_forever()
"""


@pytest.fixture
def project(tiny: Cli) -> Cli:
    """The Makefile and its script beside an app that reports the states of the variable ``STATES``."""
    shutil.copy(ROOT / "Makefile", tiny.folder)
    shutil.copy(ROOT / "requirements-dev.txt", tiny.folder)
    (tiny.folder / "scripts").mkdir()
    shutil.copy(ROOT / "scripts/deploy.py", tiny.folder / "scripts")
    (tiny.folder / "app.py").write_text(REPORTS)
    return tiny


def _report(project: Cli, states: str) -> None:
    document = project.configuration()
    document["resources"]["apps"]["lakefront"]["config"]["env"].append({"name": "STATES", "value": states})
    project.configure(document)


def test_deploy_tells_what_is_not_ok_and_destroy_asks(project: Cli) -> None:
    _report(project, '{"unity_catalog": "degraded", "sql_warehouse": "starting"}')
    done = make(project, "deploy")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "unity_catalog is degraded: Why.\n    GRANT it" in done.stdout
    url = project.app(DEV)["url"]
    assert done.stdout.rstrip().endswith(f"Lakefront (dev) is at {url}")
    refused = make(project, "destroy", answer="no\n")
    assert refused.returncode != 0
    assert "AND ITS RECORDS of dev" in refused.stdout
    assert refused.stderr.startswith("Nothing was removed.\n")
    assert project.cloud.apps.apps.owner(DEV) is not None
    assert make(project, "destroy", answer="dev\n").returncode == 0
    assert project.cloud.apps.apps.owner(DEV) is None


def test_changed_code_alone_is_started_too(project: Cli) -> None:
    """`bundle deploy` uploads it and leaves the app as it is; `make deploy` goes on."""
    assert make(project, "deploy").returncode == 0
    (project.folder / "app.py").write_text(REPORTS.replace('"Why."', '"Changed."'))
    assert "0 to change" in project.ok("bundle", "plan")
    done = make(project, "deploy")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Starting the uploaded code …" in done.stdout
    headers = {"Authorization": f"Bearer {project.token('analyst@example.com')}"}
    assert "Changed." in httpx.get(project.app(DEV)["url"], headers=headers).text
    project.variables["log_level"] = "DEBUG"
    assert "Starting the uploaded code" not in make(project, "deploy").stdout  # once is enough


def test_deploy_fails_when_the_database_does_not_become_ok(project: Cli) -> None:
    _report(project, '{"lakebase": "unavailable"}')
    makefile = project.folder / "Makefile"
    makefile.write_text(
        makefile.read_text().replace("deploy.py deploy $(TARGET)", "deploy.py deploy $(TARGET) --wait 3")
    )
    done = make(project, "deploy")
    assert done.returncode != 0
    assert "lakefront-dev-deployer was deployed but is not healthy" in done.stderr
    assert "lakebase is unavailable: Why.\n    GRANT it" in done.stderr
    assert "make logs TARGET=dev" in done.stderr


def test_validate_finds_what_only_the_plan_finds(project: Cli) -> None:
    assert make(project, "validate", "TARGET=prod").returncode == 0
    document = project.configuration()
    database = document["resources"]["apps"]["lakefront"]["resources"][1]["database"]
    database["instance_name"] = "${resources.database_instances.x.name}"
    project.configure(document)
    done = make(project, "validate", "TARGET=dev")
    assert done.returncode != 0
    assert "docs/deployment.md" in done.stderr


def test_a_name_that_is_too_long_is_refused_with_a_shorter_one(project: Cli) -> None:
    project.variables["app_name"] = "lakefront-dev-christopher-montgomery"
    done = make(project, "validate")
    assert done.returncode != 0
    assert "(36 characters); the platform takes 2 to 30 lower-case letters" in done.stderr
    assert "BUNDLE_VAR_app_name=lakefront-dev-christopher-mont make deploy TARGET=dev" in done.stderr
    project.variables["app_name"] = "lakefront-dev-christopher-mont"
    assert make(project, "validate").returncode == 0


def test_a_broken_app_says_what_to_do(project: Cli) -> None:
    (project.folder / "app.py").write_text("raise SystemExit('broken')\n")
    done = make(project, "deploy")
    assert done.returncode != 0
    assert "broken" in done.stderr
    assert "Troubleshooting" in done.stderr
    assert "make logs TARGET=dev" in done.stderr
    assert "run `make deploy TARGET=dev` again" in done.stderr
    (project.folder / "app.py").write_text(REPORTS)
    again = make(project, "deploy")  # nothing had to be cleaned up
    assert again.returncode == 0, again.stdout + again.stderr


def test_without_a_cli_it_says_where_to_get_it(project: Cli, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    for name in ("make", "sh", "env"):
        found = shutil.which(name)
        assert found
        (tmp_path / "bin" / name).symlink_to(found)
    done = make(project, "validate", DATABRICKS_CLI="", PATH=str(tmp_path / "bin"))
    assert done.returncode != 0
    assert "The Databricks CLI is missing. Install 1.13 or newer" in done.stderr
