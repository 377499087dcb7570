"""``scripts/deploy.py``, which the make targets run, with the real CLI."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.bundle.conftest import ROOT, Cli

pytestmark = pytest.mark.bundle


def _run(cli: Cli, *arguments: str, answer: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "scripts/deploy.py"), *arguments],
        cwd=cli.folder,
        env=cli.environment() | {"DATABRICKS_CLI": cli.path},
        input=answer,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )


def test_deploy_waits_until_healthy_and_destroy_asks(tiny: Cli) -> None:
    done = _run(tiny, "deploy", "dev")
    assert done.returncode == 0, done.stderr
    url = tiny.app("lakefront-dev-deployer")["url"]
    assert done.stdout.rstrip().endswith(f"Lakefront (dev) is at {url}")
    refused = _run(tiny, "destroy", "dev", answer="no\n")
    assert (refused.returncode, refused.stderr) == (1, "Nothing was removed.\n")
    assert tiny.cloud.apps.apps.owner("lakefront-dev-deployer") is not None
    assert _run(tiny, "destroy", "dev", answer="dev\n").returncode == 0
    assert tiny.cloud.apps.apps.owner("lakefront-dev-deployer") is None


def test_validate_finds_what_only_the_plan_finds(tiny: Cli) -> None:
    assert _run(tiny, "validate", "prod").returncode == 0
    document = tiny.configuration()
    database = document["resources"]["apps"]["lakefront"]["resources"][1]["database"]
    database["instance_name"] = "${resources.database_instances.x.name}"
    tiny.configure(document)
    done = _run(tiny, "validate", "dev")
    assert done.returncode == 1
    assert "docs/deployment.md" in done.stderr


def test_a_broken_app_says_what_to_do(tiny: Cli) -> None:
    (tiny.folder / "app.py").write_text("raise SystemExit('broken')\n")
    done = _run(tiny, "deploy", "dev")
    assert done.returncode == 1
    assert "broken" in done.stderr
    assert "Troubleshooting" in done.stderr
