"""The app itself, deployed by the real CLI: used by two people, deployed again, healed without a restart."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest

from tests.bundle.conftest import Cli

pytestmark = [pytest.mark.bundle, pytest.mark.timeout(400)]

ANALYST, MANAGER = "analyst@example.com", "manager@example.com"
DEV = "lakefront-dev-deployer"
SERVICES = ("authentication", "unity_catalog", "sql_warehouse", "lakebase", "model_serving")


def _client(cli: Cli, user: str) -> httpx.Client:
    headers = {"Authorization": f"Bearer {cli.token(user)}"}
    return httpx.Client(base_url=cli.app(DEV)["url"], headers=headers, timeout=60)


def _use(cli: Cli, round_number: int) -> None:
    """Rows, a record and a prediction, as two people who must not see each other's record."""
    for user in (ANALYST, MANAGER):
        with _client(cli, user) as client:
            assert client.get("/api/v1/me").raise_for_status().json()["user_name"] == user
            rows = (
                client.get("/api/v1/unity-catalog/tables/samples/nyctaxi/trips/rows?limit=5").raise_for_status().json()
            )
            assert len(rows["rows"]) == 5
            assert rows["query"]["runs_as"] == user
            record = {"preference_key": f"round.{round_number}", "preference_value": user}
            assert client.post("/api/v1/preferences", json=record).status_code == 201
            body = {"dataframe_records": [{"text": "a wonderful ride"}]}
            answer = client.post("/api/v1/model-serving/endpoints/review-sentiment/invocations", json=body)
            assert answer.raise_for_status().json()["predictions"][0]["label"] == "positive"
    for user in (ANALYST, MANAGER):
        with _client(cli, user) as client:
            found: dict[str, Any] = client.get("/api/v1/preferences").raise_for_status().json()
            assert {one["preference_value"] for one in found["preferences"]} == {user}
            assert found["pagination"]["total_rows"] == round_number


def _wait_until_ok(cli: Cli) -> None:
    until = time.monotonic() + 90
    states: dict[str, str] = {}
    with _client(cli, ANALYST) as client:
        while time.monotonic() < until:
            report = client.get("/api/v1/status").raise_for_status().json()
            states = {name: report[name]["status"] for name in SERVICES}
            if set(states.values()) == {"ok"}:
                return
            time.sleep(0.5)
    raise AssertionError(states)


def test_the_app_heals_by_itself_and_keeps_its_access_over_three_deploys(real: Cli) -> None:
    real.ok("bundle", "validate", "--strict")
    assert "App started successfully" in real.ok("bundle", "deploy")
    first = real.app(DEV)["active_deployment"]["deployment_id"]
    _use(real, 1)
    _wait_until_ok(real)
    assert real.app(DEV)["active_deployment"]["deployment_id"] == first

    real.variables["log_level"] = "DEBUG"
    begun = time.monotonic()
    real.ok("bundle", "deploy")
    assert time.monotonic() - begun < 30  # the environment of the first deployment is used again
    _use(real, 2)

    real.ok("bundle", "deploy")
    real.ok("bundle", "run", "lakefront")
    _use(real, 3)
    _wait_until_ok(real)
