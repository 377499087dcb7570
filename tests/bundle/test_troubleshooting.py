"""The messages in ``docs/deployment.md`` are those that the CLI prints: each is provoked and compared."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.bundle.conftest import ROOT, Cli

pytestmark = pytest.mark.bundle

DEV = "lakefront-dev-deployer"
Change = Callable[[dict[str, Any], dict[str, Any]], object]


def documented() -> list[str]:
    """The messages of the first column of the table "The CLI says"."""
    text = (ROOT / "docs/deployment.md").read_text()
    table = text[text.index("| The CLI says |") :].partition("\n\n")[0]
    rows = [line.split(" | ")[0] for line in table.splitlines()[2:]]
    return [message for row in rows for message in re.findall(r"`([^`]+)`", row)]


def _said(cli: Cli, *arguments: str) -> str:
    done = cli(*arguments)
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stdout + done.stderr


def _with(change: Change, *arguments: str) -> Callable[[Cli], str]:
    """Change the bundle (and its app), then run a command that must fail."""

    def scenario(cli: Cli) -> str:
        document = cli.configuration()
        change(document, document["resources"]["apps"]["lakefront"])
        cli.configure(document)
        return _said(cli, "bundle", *arguments)

    return scenario


def _given(name: str, value: str) -> Callable[[Cli], str]:
    """Set a variable of the bundle, then deploy."""

    def scenario(cli: Cli) -> str:
        cli.variables[name] = value
        return _said(cli, "bundle", "deploy")

    return scenario


def _file(name: str, content: str) -> Callable[[Cli], str]:
    """Put a file beside the app, then deploy."""

    def scenario(cli: Cli) -> str:
        (cli.folder / name).write_text(content)
        return _said(cli, "bundle", "deploy")

    return scenario


def _taken(cli: Cli) -> str:
    cli.ok("apps", "create", DEV, "--no-compute", "--no-wait")
    try:
        return _said(cli, "bundle", "deploy")
    finally:
        cli.ok("apps", "delete", DEV)


def _renamed_database(cli: Cli) -> str:
    cli.ok("bundle", "deploy")
    cli.variables["lakebase_name"] = "another-name"
    said = _said(cli, "bundle", "deploy")
    del cli.variables["lakebase_name"]
    return said


def _as_newcomer(cli: Cli) -> str:
    cli.user = "newcomer@example.com"
    try:
        return _said(cli, "bundle", "deploy")
    finally:
        cli("bundle", "destroy", "--auto-approve")
        cli.user = None


STRICT = ("validate", "--strict")
_mistakes = _with(lambda _, app: (app.update(colour="blue", compute_size="HUGE"), app.pop("name")), *STRICT)
"""Three mistakes at once; each has its line."""
SCENARIOS: dict[str, Callable[[Cli], str]] = {
    "failed to resolve warehouse: …": _with(
        lambda b, _: b["variables"]["warehouse_id"]["lookup"].update(warehouse="Nowhere"), *STRICT
    ),
    "An app with the same name already exists: …": _taken,
    "App name … is not valid": _given("app_name", "lakefront-dev-christopher-montgomery"),
    "unknown field: …": _mistakes,
    'required field "…" is not set': _mistakes,
    'invalid value "…" for enum field': _mistakes,
    "Warnings are not allowed in strict mode": _mistakes,
    'no such node "resources.…"': _with(
        lambda _, app: app["resources"][1]["database"].update(instance_name="${resources.database_instances.x.name}"),
        "plan",
    ),
    "…: no such target. Available targets: …": lambda cli: _said(cli, "bundle", *STRICT, "-t", "staging"),
    "is writable by all workspace users": _with(
        lambda b, _: b["targets"]["prod"]["workspace"].update(root_path="/Workspace/Shared/.bundle/lakefront"),
        *STRICT, "-t", "prod",
    ),
    "apps do not support a setting a run_as user that is different from the owner": _with(
        lambda b, _: b["targets"]["prod"].update(run_as={"user_name": "analyst@example.com"}), "validate", "-t", "prod"
    ),
    "the deployment requires destructive actions": _renamed_database,
    "The app ended with exit status …": _file("app.py", "raise SystemExit('broken')\n"),
    "Installing requirements.txt failed": _file("requirements.txt", "./not-there\n"),
    "File is larger than 10485760 bytes": _file("large.bin", "0" * 10_485_761),
    "Catalog '…' does not exist": _given("catalog", "nowhere"),
    "does not have CREATE SCHEMA": _as_newcomer,
    "Serving endpoint with name … not found": _given("serving_endpoint", "nowhere"),
}  # fmt: skip


def test_every_documented_message_is_provoked() -> None:
    assert sorted(documented()) == sorted(SCENARIOS)


def _messages_of(scenario: Callable[[Cli], str]) -> list[str]:
    return [message for message, one in SCENARIOS.items() if one is scenario]


@pytest.mark.parametrize("scenario", dict.fromkeys(SCENARIOS.values()), ids=lambda one: _messages_of(one)[0])
def test_the_cli_prints_what_is_documented(tiny: Cli, scenario: Callable[[Cli], str]) -> None:
    printed = " ".join(scenario(tiny).split())
    for message in _messages_of(scenario):
        pattern = ".+?".join(re.escape(part) for part in message.split("…"))
        assert re.search(pattern, printed), (message, printed)
