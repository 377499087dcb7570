"""The life of a deployment by the real CLI: validate, plan, deploy, run, change, destroy, and again."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest

from tests.bundle.conftest import Cli

pytestmark = pytest.mark.bundle

DEV = "lakefront-dev-deployer"
NAMES = {"dev": DEV, "prod": "lakefront"}


def ask(cli: Cli, name: str, path: str = "/", user: str = "analyst@example.com") -> httpx.Response:
    """One request to a deployed app through its front door."""
    headers = {"Authorization": f"Bearer {cli.token(user)}"}
    return httpx.get(cli.app(name)["url"] + path, headers=headers, timeout=30)


@pytest.mark.parametrize("target", ["dev", "prod"])
def test_the_whole_life(tiny: Cli, target: str) -> None:
    name = NAMES[target]
    assert "Validation OK!" in tiny.ok("bundle", "validate", "--strict", "-t", target)
    plan = tiny.ok("bundle", "plan", "-t", target)
    for resource in (
        "apps.lakefront",
        "database_instances.lakebase",
        "schemas.app_tables",
        "schemas.app_tables.grants",
    ):
        assert f"create {resource}\n" in plan
    assert "App started successfully" in tiny.ok("bundle", "deploy", "-t", target)
    assert "0 to add, 0 to change, 0 to delete" in tiny.ok("bundle", "plan", "-t", target)

    app = tiny.app(name)
    seen = ask(tiny, name).raise_for_status().json()
    assert seen["headers"]["x-forwarded-email"] == "analyst@example.com"
    env = seen["env"]
    assert env["DATABRICKS_CLIENT_ID"] == env["PGUSER"] == app["service_principal_client_id"]
    assert env["DATABRICKS_APP_NAME"] == name
    assert env["LAKEBASE_INSTANCE_NAME"].startswith(f"databricks-app-lakebase-{target}")
    assert env["DATABRICKS_WAREHOUSE_ID"] in {one["id"] for one in tiny.cloud.warehouses.all()}
    assert "DATABRICKS_TOKEN" not in env
    caller = tiny.cloud.tokens.verify(seen["headers"]["x-forwarded-access-token"])
    assert caller.scopes == set(app["effective_user_api_scopes"])

    assert f"You can access the app at {app['url']}" in tiny.ok("bundle", "run", "lakefront", "-t", target)
    assert name in tiny.ok("bundle", "summary", "-t", target)
    assert (
        "tiny app starts"
        in httpx.get(app["url"] + "/logz", headers={"Authorization": f"Bearer {_deployer(tiny)}"}).text
    )
    assert "tiny app starts" in tiny.ok("apps", "logs", name)
    assert name in tiny.ok("apps", "list")

    tiny.ok("bundle", "destroy", "-t", target, "--auto-approve")
    assert tiny("apps", "get", name).returncode == 1
    assert "No active deployment found" in tiny.ok("bundle", "destroy", "-t", target, "--auto-approve")
    begun = time.monotonic()
    assert "App started successfully" in tiny.ok("bundle", "deploy", "-t", target)
    assert time.monotonic() - begun < 60
    assert ask(tiny, name).status_code == 200


def _deployer(cli: Cli) -> str:
    deployer = cli.cloud.directory.service_principal("deployer")
    assert deployer is not None
    return cli.cloud.tokens.issue(deployer, ["all-apis"]).token


def test_a_changed_value_changes_only_that(tiny: Cli) -> None:
    tiny.ok("bundle", "deploy")
    before = tiny.app(DEV)
    tiny.variables["log_level"] = "DEBUG"
    plan = tiny.ok("bundle", "plan")
    assert "update apps.lakefront\n" in plan
    # The grants refer to the app, so the plan cannot know yet that they stay as they are.
    assert set(plan.splitlines()) & {"update database_instances.lakebase", "update schemas.app_tables"} == set()
    assert "0 to add" in plan
    assert "0 created" in tiny.ok("bundle", "deploy")
    assert "0 to add, 0 to change" in tiny.ok("bundle", "plan")
    after = tiny.app(DEV)
    assert ask(tiny, DEV).json()["env"]["LOG_LEVEL"] == "DEBUG"
    for field in ("id", "url", "service_principal_client_id", "create_time", "resources", "user_api_scopes"):
        assert after[field] == before[field], field


def test_a_second_and_a_third_deploy_keep_every_access(tiny: Cli) -> None:
    for _ in range(3):
        tiny.ok("bundle", "deploy")
        app = tiny.app(DEV)
        principal = tiny.cloud.directory.get(app["service_principal_client_id"])
        assert principal is not None
        held = tiny.cloud.metastore.grants("schema", "lakefront.dev_deployer_lakefront_app")
        assert any(grant.principal == principal.name for grant in held)
        permissions = tiny.cloud.apps.permissions
        warehouse = ask(tiny, DEV).json()["env"]["DATABRICKS_WAREHOUSE_ID"]
        assert permissions.has("sql/warehouses", warehouse, principal, "CAN_USE")
        endpoint = tiny.cloud.serving.acl_id("trip-fare")
        assert permissions.has("serving-endpoints", endpoint, principal, "CAN_QUERY")


def test_lists_that_name_the_app_keep_its_access_to_a_warehouse_of_the_bundle_and_others_do_not(tiny: Cli) -> None:
    """The second deployment sets the whole list anew: with the app's entry it may use the warehouse, without it not."""
    document = tiny.configuration()
    app = document["resources"]["apps"]["lakefront"]
    entry = {"service_principal_name": "${resources.apps.lakefront.service_principal_client_id}", "level": "CAN_USE"}
    own = {"name": "own", "permissions": [entry]}
    document["resources"]["sql_warehouses"] = {"own": own}
    app["resources"][0]["sql_warehouse"]["id"] = "${resources.sql_warehouses.own.id}"
    tiny.configure(document)
    for _ in range(2):
        tiny.ok("bundle", "deploy")
        assert _query_as_the_app(tiny) == 200
    own["permissions"] = [{"user_name": "analyst@example.com", "level": "CAN_USE"}]
    tiny.configure(document)
    tiny.ok("bundle", "deploy")
    tiny.ok("bundle", "run", "lakefront")  # starting again grants nothing
    assert _query_as_the_app(tiny) == 403


def _query_as_the_app(cli: Cli) -> int:
    """The HTTP status of a statement on the attached warehouse, with the credentials that the app was given."""
    env = ask(cli, DEV, user="manager@example.com").json()["env"]
    principal = cli.cloud.directory.check_secret(env["DATABRICKS_CLIENT_ID"], env["DATABRICKS_CLIENT_SECRET"])
    assert principal is not None
    return httpx.post(
        f"{cli.cloud.url}/api/2.0/sql/statements",
        json={"statement": "SELECT 1", "warehouse_id": env["DATABRICKS_WAREHOUSE_ID"], "wait_timeout": "30s"},
        headers={"Authorization": f"Bearer {cli.cloud.tokens.issue(principal, ['all-apis']).token}"},
        timeout=40,
    ).status_code


def test_changed_scopes_reach_the_user_token_with_the_next_deployment(tiny: Cli) -> None:
    tiny.ok("bundle", "deploy")
    document = tiny.configuration()
    document["resources"]["apps"]["lakefront"]["user_api_scopes"] = ["sql"]
    tiny.configure(document)
    tiny.ok("bundle", "deploy")
    tiny.ok("bundle", "run", "lakefront")
    token = ask(tiny, DEV).json()["headers"]["x-forwarded-access-token"]
    assert tiny.cloud.tokens.verify(token).scopes == {"sql", "iam.current-user:read", "iam.access-control:read"}


def test_only_those_with_can_use_come_in(tiny: Cli) -> None:
    tiny.variables["users_group"] = "managers"
    tiny.ok("bundle", "deploy")
    assert ask(tiny, DEV, user="manager@example.com").status_code == 200
    refused = ask(tiny, DEV, "/api/v1/me")
    assert (refused.status_code, refused.json()["error_code"]) == (403, "PERMISSION_DENIED")
    assert ask(tiny, DEV, "/logz", user="manager@example.com").status_code == 403


def test_a_person_with_a_token_deploys_too(tiny: Cli) -> None:
    tiny.user = "manager@example.com"
    tiny.ok("bundle", "deploy")
    app = tiny.app("lakefront-dev-manager")
    assert app["creator"] == "manager@example.com"
    assert ask(tiny, app["name"]).status_code == 200
    tiny.ok("bundle", "destroy", "--auto-approve")


def test_a_broken_app_fails_its_deployment_with_its_last_lines(tiny: Cli) -> None:
    (tiny.folder / "app.py").write_text("print('reading settings')\nraise SystemExit('no such thing')\n")
    done = tiny("bundle", "deploy")
    assert done.returncode == 1
    assert "exit status 1 before it listened" in done.stderr
    assert "reading settings" in done.stderr
    assert "no such thing" in done.stderr
    assert tiny.app(DEV)["app_status"]["state"] != "RUNNING"


def test_stop_and_start(tiny: Cli) -> None:
    tiny.ok("bundle", "deploy")
    tiny.ok("apps", "stop", DEV)
    assert ask(tiny, DEV, "/api/v1/health").status_code == 502
    tiny.ok("apps", "start", DEV)
    assert _until_answers(tiny, DEV).status_code == 200


def _until_answers(cli: Cli, name: str) -> httpx.Response:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        answer = ask(cli, name)
        if answer.status_code == 200:
            return answer
        time.sleep(0.2)
    return answer


BROKEN: list[tuple[str, Any, str]] = [
    ("unknown field", lambda b: _app(b).update(colour="blue"), "unknown field: colour"),
    ("missing required field", lambda b: _app(b).pop("name"), 'required field "name" is not set'),
    ("wrong enum", lambda b: _app(b).update(compute_size="HUGE"), 'invalid value "HUGE" for enum field'),
    ("valueFrom", lambda b: _app(b)["config"]["env"][0].update(valueFrom="warehouse"), "valueFrom"),
    ("undefined variable", lambda b: _app(b).update(description="${var.nowhere}"), "${var.nowhere}"),
    ("bad mode", lambda b: b["targets"]["dev"].update(mode="testing"), "unsupported value 'testing'"),
    (
        "failed look-up",
        lambda b: b["variables"]["warehouse_id"]["lookup"].update(warehouse="Nowhere"),
        "failed to resolve warehouse: Nowhere",
    ),
    ("missing source folder", lambda b: _app(b).update(source_code_path="./nowhere"), "nowhere"),
    (
        "resource that is not there",
        lambda b: _app(b)["resources"][1]["database"].update(instance_name="${resources.database_instances.x.name}"),
        'no such node "resources.database_instances.x"',
    ),
]


def _app(bundle: dict[str, Any]) -> dict[str, Any]:
    app: dict[str, Any] = bundle["resources"]["apps"]["lakefront"]
    return app


@pytest.mark.parametrize(("change", "message"), [one[1:] for one in BROKEN], ids=[one[0] for one in BROKEN])
def test_a_broken_configuration_is_found_before_anything_is_deployed(tiny: Cli, change: Any, message: str) -> None:
    document = tiny.configuration()
    change(document)
    tiny.configure(document)
    _expect_refusal(tiny, message)


def test_invalid_yaml_is_found(tiny: Cli) -> None:
    (tiny.folder / "databricks.yml").write_text("bundle:\n  name: [lakefront\n")
    _expect_refusal(tiny, "yaml")


def _expect_refusal(cli: Cli, message: str) -> None:
    """What `make validate` runs: the strict check and then the plan; one of them must fail and say why."""
    checks = [cli("bundle", "validate", "--strict"), cli("bundle", "plan")]
    failed = [check for check in checks if check.returncode == 1]
    assert failed, [check.stdout + check.stderr for check in checks]
    assert message in "".join(check.stdout + check.stderr for check in checks)
    assert cli.cloud.apps.apps.owner(DEV) is None
