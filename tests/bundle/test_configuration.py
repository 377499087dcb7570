"""What can be known about ``databricks.yml`` and ``app.yaml`` without a CLI."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from local_workspace.apps import local_app
from local_workspace.apps.documents import SCOPES
from local_workspace.apps.files import FILE_LIMIT_BYTES

ROOT = Path(__file__).parent.parent.parent
PER_TARGET = frozenset({"LAKEBASE_INSTANCE_NAME"})


@pytest.fixture(scope="module")
def bundle() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((ROOT / "databricks.yml").read_text())
    return document


@pytest.fixture(scope="module")
def app(bundle: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = bundle["resources"]["apps"]["lakefront"]
    return found


def test_app_yaml_says_what_the_bundle_says(bundle: dict[str, Any], app: dict[str, Any]) -> None:
    file = yaml.safe_load((ROOT / "app.yaml").read_text())
    assert file["command"] == app["config"]["command"]
    of_bundle = {
        one["name"]: (_resolved(bundle, one.get("value")), one.get("value_from")) for one in app["config"]["env"]
    }
    of_file = {one["name"]: (one.get("value"), one.get("valueFrom")) for one in file["env"]}
    assert of_file.keys() == of_bundle.keys()
    for name in of_file.keys() - PER_TARGET:
        assert of_file[name] == of_bundle[name], name


def _resolved(bundle: dict[str, Any], value: str | None) -> str | None:
    if value is None:
        return None
    return re.sub(r"\$\{var\.(\w+)\}", lambda found: bundle["variables"][found[1]]["default"], value)


def test_every_value_from_names_a_resource(app: dict[str, Any]) -> None:
    keys = {one["name"] for one in app["resources"]}
    assert {one["value_from"] for one in app["config"]["env"] if "value_from" in one} <= keys
    assert "valueFrom" not in (ROOT / "databricks.yml").read_text().replace("`valueFrom", "")


def test_every_variable_is_explained_and_has_a_value(bundle: dict[str, Any]) -> None:
    for name, variable in bundle["variables"].items():
        assert variable.get("description"), name
        assert ("default" in variable) != ("lookup" in variable), name
    used = set(re.findall(r"\$\{var\.(\w+)\}", (ROOT / "databricks.yml").read_text()))
    assert used == set(bundle["variables"])


def test_targets_differ_in_values_only(bundle: dict[str, Any]) -> None:
    assert set(bundle["targets"]) == {"dev", "prod"}
    assert all("resources" not in target for target in bundle["targets"].values())
    assert bundle["targets"]["dev"]["mode"] == "development"
    assert bundle["targets"]["prod"]["mode"] == "production"
    assert bundle["targets"]["prod"]["workspace"]["root_path"]
    assert bundle["targets"]["prod"]["permissions"]


def test_local_runs_and_deployments_have_the_same_scopes_and_resources(app: dict[str, Any]) -> None:
    assert tuple(app["user_api_scopes"]) == local_app.USER_API_SCOPES
    assert set(app["user_api_scopes"]) <= SCOPES
    attached = {one["name"] for one in app["resources"]}
    assert attached == {"warehouse", "database", "endpoint"}


def test_what_is_uploaded_is_small_and_needed_at_run_time(bundle: dict[str, Any]) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split("\n")  # fmt: skip
    tops = {name.split("/")[0] for name in listed if name}
    excluded = {pattern.removesuffix("/**") for pattern in bundle["sync"]["exclude"]}
    uploaded = {top for top in tops if not any(Path("/", top).match(pattern) for pattern in excluded)}
    assert uploaded == {"app.py", "app.yaml", "requirements.txt", "dashboard", "services", "db", "docs"}
    for name in listed:
        if name.split("/")[0] in uploaded and (ROOT / name).is_file():
            assert (ROOT / name).stat().st_size <= FILE_LIMIT_BYTES, name
