"""Validate, deploy, follow and destroy the bundle with the Databricks CLI: what ``make deploy`` and its like run.

It acts as whoever the CLI is signed in as. Everything but ``deploy`` needs the standard library only; ``deploy`` asks
the deployed app for its health through its URL, for which the SDK finds the same credentials as the CLI.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import Any

APP_KEY = "lakefront"
HEALTHY_SECONDS = 600.0
"""The platform gives an app ten minutes to start, installation included."""
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,28}[a-z0-9]")
_PAUSE_SECONDS = 2.0
_ASK_SECONDS = 30.0
_SERVICES = ("authentication", "unity_catalog", "sql_warehouse", "lakebase", "model_serving")


class DeployError(RuntimeError):
    """A step failed; ``str()`` says what to do next."""


@dataclass(frozen=True, slots=True)
class Look:
    """What the app answered at one look.

    Attributes:
        done: it is healthy.
        line: one line of progress.
        advice: what to do about services that are not ok.
    """

    done: bool
    line: str
    advice: str = ""


def main(arguments: list[str] | None = None) -> int:
    """Run one action. Returns the exit status: 0 when it is done, 1 when a step failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("action", choices=("validate", "deploy", "logs", "destroy"))
    parser.add_argument("target", choices=("dev", "prod"))
    parser.add_argument("--wait", type=float, default=HEALTHY_SECONDS, help="seconds until the app must be healthy")
    chosen = parser.parse_args(arguments)
    try:
        if chosen.action == "deploy":
            deploy(chosen.target, chosen.wait)
        else:
            {"validate": validate, "logs": logs, "destroy": destroy}[chosen.action](chosen.target)
    except DeployError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def validate(target: str) -> None:
    """Run both checks: the strict one finds wrong fields, the plan finds references that lead nowhere.

    Raises:
        DeployError: one of them found a mistake, which the CLI has shown, or the app's name is not one.
    """
    _step("Checking the bundle", "bundle", "validate", "--strict", "-t", target)
    _check_name(str(_bundle("validate", target)["resources"]["apps"][APP_KEY].get("name")), target)
    _step("Planning", "bundle", "plan", "-t", target)


def deploy(target: str, seconds: float = HEALTHY_SECONDS) -> None:
    """Validate, deploy, wait until the app is healthy, print its URL.

    The records' schema is migrated by the app itself as it starts, because a service principal owns what it makes:
    migrations run by anybody else would leave the app without rights on its own tables. So the step "migrate" is to
    wait until the app says that its database is ok.

    Raises:
        DeployError: a step failed, or the app was not healthy within ``seconds``.
    """
    validate(target)
    name = app_name(target)
    before = _active_deployment(name)
    try:
        _step("Deploying", "bundle", "deploy", "-t", target)
        if _active_deployment(name) in ("", before):
            # The CLI starts the app when its configuration has changed. New code alone is only uploaded.
            _step("Starting the uploaded code", "bundle", "run", APP_KEY, "-t", target)
    except DeployError as error:
        raise DeployError(f"{error}\n{_after_failure(target)}") from None
    summary = _bundle("summary", target)
    _say(f"Waiting until {name} has migrated its database and is healthy …")
    _say(f"Lakefront ({target}) is at {_wait(target, name, _headers(summary), seconds)}")


def _wait(target: str, name: str, headers: dict[str, str], seconds: float) -> str:
    """The app's URL, as soon as the app answers there and says that it is healthy."""
    until, look = time.monotonic() + seconds, Look(False, "")
    while True:
        app = _json("apps", "get", name, "-o", "json")
        before, look = look, _look(app, headers)
        if look.line != before.line:
            _say(f"  {look.line}")
        if look.done:
            if look.advice:
                _say(look.advice)
            return str(app["url"])
        if app.get("app_status", {}).get("state") == "CRASHED" or time.monotonic() > until:
            state = app.get("app_status", {}).get("message", "")
            raise DeployError(
                f"{name} was deployed but is not healthy: {state or look.line}\n{look.advice}\n"
                f"Read its log with `make logs TARGET={target}`, correct the cause and run"
                f" `make deploy TARGET={target}` again."
            )
        time.sleep(_PAUSE_SECONDS)


def _look(app: dict[str, Any], headers: dict[str, str]) -> Look:
    """Ask health and status through the app's URL, as a browser would."""
    import requests

    try:
        url = str(app["url"])
        health = requests.get(f"{url}/api/v1/health", headers=headers, allow_redirects=False, timeout=_ASK_SECONDS)
        if health.status_code in (302, 401, 403):
            return _refused(app, health.status_code)
        if health.status_code != 200:
            return Look(False, f"the app does not answer yet (HTTP {health.status_code})")
        status = requests.get(f"{url}/api/v1/status", headers=headers, allow_redirects=False, timeout=_ASK_SECONDS)
        report = status.json() if status.status_code == 200 else {}
    except (requests.RequestException, ValueError) as error:
        return Look(False, f"the app does not answer yet ({type(error).__name__})")
    return _judge(report)


def _refused(app: dict[str, Any], status: int) -> Look:
    """The proxy takes OAuth tokens of people who may use the app, and no personal access token."""
    running = app.get("app_status", {}).get("state") == "RUNNING"
    return Look(
        running,
        f"the app's proxy does not accept these credentials (HTTP {status}); the platform says that the app is"
        f" {'running' if running else 'not running yet'}",
        f"Its own checks could not be asked: open {app.get('url')} in a browser and look at the page Status.",
    )


def _judge(report: dict[str, Any]) -> Look:
    """Healthy: the database is ok and nothing is unavailable. A cold warehouse or a missing grant is only told."""
    states = {name: str(report.get(name, {}).get("status", "unknown")) for name in _SERVICES}
    advice = "\n".join(
        f"  {name} is {state}: {report[name].get('detail', '')}\n    {report[name].get('remedy') or ''}".rstrip()
        for name, state in states.items()
        if state not in ("ok", "starting") and name in report
    )
    done = states["lakebase"] == "ok" and not set(states.values()) & {"unavailable", "unknown"}
    return Look(done, ", ".join(f"{name} {state}" for name, state in states.items()), advice)


def logs(target: str) -> None:
    """Follow the app's log until Ctrl-C.

    Raises:
        DeployError: the log cannot be read.
    """
    _step("Following the log (Ctrl-C ends it)", "apps", "logs", app_name(target), "--follow")


def destroy(target: str) -> None:
    """Ask, then remove everything that the bundle made, records included.

    Raises:
        DeployError: the answer was not the target's name, or a step failed.
    """
    question = f"This removes the app, the Lakebase instance AND ITS RECORDS of {target}. Type {target} to go on: "
    sys.stdout.write(question)
    sys.stdout.flush()
    if sys.stdin.readline().strip() != target:
        raise DeployError("Nothing was removed.")
    _step("Removing", "bundle", "destroy", "-t", target, "--auto-approve")


def app_name(target: str) -> str:
    """The app's name in ``target``, as the bundle resolves it.

    Raises:
        DeployError: the bundle cannot be read.
    """
    return str(_bundle("summary", target)["resources"]["apps"][APP_KEY]["name"])


def _active_deployment(name: str) -> str:
    """The id of what the app runs; empty when there is no app, or nothing was started."""
    try:
        app = _json("apps", "get", name, "-o", "json")
    except DeployError:
        return ""
    return str((app.get("active_deployment") or {}).get("deployment_id", ""))


def _check_name(name: str, target: str) -> None:
    """The default name carries the deployer's, which may be longer than the platform takes."""
    if _NAME.fullmatch(name):
        return
    shorter = re.sub(r"[^a-z0-9-]", "-", name.lower())[:30].strip("-")
    raise DeployError(
        f"The app's name would be {name!r} ({len(name)} characters); the platform takes 2 to 30 lower-case letters,"
        f" digits and hyphens. Choose one, for example:\n"
        f"  BUNDLE_VAR_app_name={shorter} make deploy TARGET={target}\n"
        f'or for good, in .databricks/bundle/{target}/variable-overrides.json: {{"app_name": "{shorter}"}}'
    )


def _after_failure(target: str) -> str:
    """What to do after a deployment that failed half-way."""
    return (
        "What was made before the error is kept and used by the next deployment; nothing has to be cleaned up.\n"
        f"If the app itself did not start, its last log lines are above; all of them: `make logs TARGET={target}`.\n"
        f"Correct the cause, then run `make deploy TARGET={target}` again."
    )


def _headers(summary: dict[str, Any]) -> dict[str, str]:
    """The authorization for the app's URL: the same credentials as the CLI's, found by the SDK."""
    try:
        from databricks.sdk.core import Config
    except ImportError:
        raise DeployError("Run this through `make deploy`, which installs the Databricks SDK first.") from None
    workspace = summary.get("workspace", {})
    os.environ.setdefault("DATABRICKS_CLI_PATH", _cli())
    try:
        config = Config(host=workspace.get("host"), profile=workspace.get("profile"), retry_timeout_seconds=30)
        found: dict[str, str] = config.authenticate()
    except (ValueError, OSError, TimeoutError) as error:
        raise DeployError(f"The app was deployed, but its health cannot be asked: {error}") from None
    return found


def _cli() -> str:
    found = os.environ.get("DATABRICKS_CLI") or shutil.which("databricks")
    if not found:
        raise DeployError(
            "The Databricks CLI is missing. Install 1.13 or newer"
            " (https://docs.databricks.com/aws/en/dev-tools/cli/install) or set DATABRICKS_CLI to its path."
        )
    return found


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _step(title: str, *arguments: str) -> None:
    _say(f"{title} …")
    # Not captured: the CLI shows its progress, and asks when something would be destroyed.
    done = subprocess.run([_cli(), *arguments], check=False)  # noqa: S603 - the CLI with fixed arguments
    if done.returncode != 0:
        command = " ".join(("databricks", *arguments))
        raise DeployError(
            f"`{command}` failed with exit status {done.returncode}; the message is above. docs/deployment.md lists the"
            " usual ones under Troubleshooting."
        )


def _bundle(command: str, target: str) -> dict[str, Any]:
    return _json("bundle", command, "-t", target, "-o", "json")


def _json(*arguments: str) -> dict[str, Any]:
    done = subprocess.run(  # noqa: S603 - the CLI with fixed arguments
        [_cli(), *arguments], check=False, capture_output=True, text=True, timeout=120
    )
    if done.returncode != 0:
        raise DeployError(f"`databricks {' '.join(arguments)}` failed:\n{done.stderr.strip()}")
    document: dict[str, Any] = json.loads(done.stdout)
    return document


if __name__ == "__main__":
    sys.exit(main())
