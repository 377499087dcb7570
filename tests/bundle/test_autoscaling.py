"""The Autoscaling variant of Lakebase, exactly as ``docs/deployment.md`` tells people to write it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.bundle.conftest import Cli

pytestmark = pytest.mark.bundle

ROOT = Path(__file__).parent.parent.parent


def _documented() -> dict[str, Any]:
    """The YAML block of the documentation that begins with a comment naming the switch."""
    text = (ROOT / "docs/deployment.md").read_text()
    block = re.search(r"```yaml\n# autoscaling\n(.*?)```", text, re.DOTALL)
    assert block is not None
    document: dict[str, Any] = yaml.safe_load(block[1])
    return document


def autoscaling(bundle: dict[str, Any]) -> dict[str, Any]:
    """The bundle after what the documentation tells a person to replace."""
    change = _documented()
    resources, app = bundle["resources"], bundle["resources"]["apps"]["lakefront"]
    del resources["database_instances"]
    resources["postgres_projects"] = change["resources"]["postgres_projects"]
    new = change["resources"]["apps"]["lakefront"]
    app["resources"] = [one for one in app["resources"] if one["name"] != "database"] + new["resources"]
    app["config"]["env"] = [one for one in app["config"]["env"] if one["name"] != "LAKEBASE_INSTANCE_NAME"] + new[
        "config"
    ]["env"]
    del bundle["variables"]["lakebase_capacity"]
    for target in bundle["targets"].values():
        target.get("variables", {}).pop("lakebase_capacity", None)
    return bundle


@pytest.mark.parametrize(("target", "name"), [("dev", "lakefront-dev-deployer"), ("prod", "lakefront")])
def test_the_variant_is_deployed_and_clean(tiny: Cli, target: str, name: str) -> None:
    tiny.configure(autoscaling(tiny.configuration()))
    assert "Validation OK!" in tiny.ok("bundle", "validate", "--strict", "-t", target)
    tiny.ok("bundle", "deploy", "-t", target)
    assert "0 to add, 0 to change" in tiny.ok("bundle", "plan", "-t", target)
    headers = {"Authorization": f"Bearer {tiny.token('analyst@example.com')}"}
    env = httpx.get(tiny.app(name)["url"], headers=headers).raise_for_status().json()["env"]
    assert env["LAKEBASE_ENDPOINT"].startswith(f"projects/databricks-app-lakebase-{target}")
    assert env["LAKEBASE_ENDPOINT"].endswith("/branches/production/endpoints/primary")
    assert env["PGUSER"] == env["DATABRICKS_CLIENT_ID"]
    assert "LAKEBASE_INSTANCE_NAME" not in env
