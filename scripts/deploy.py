"""Validate, deploy, follow and destroy the bundle with the Databricks CLI: what ``make deploy`` and its like run.

Standard library only, so that it runs before anything is installed. It acts as whoever the CLI is signed in as.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from typing import Any

APP_KEY = "lakefront"
HEALTHY_SECONDS = 600
"""The platform gives an app ten minutes to start, installation included."""


class DeployError(RuntimeError):
    """A step failed; ``str()`` says what to do next."""


def main(arguments: list[str] | None = None) -> int:
    """Run one action. Returns the exit status: 0 when it is done, 1 when a step failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("action", choices=("validate", "deploy", "logs", "destroy"))
    parser.add_argument("target", choices=("dev", "prod"))
    chosen = parser.parse_args(arguments)
    actions = {"validate": validate, "deploy": deploy, "logs": logs, "destroy": destroy}
    try:
        actions[chosen.action](chosen.target)
    except DeployError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def validate(target: str) -> None:
    """Run both checks: the strict one finds wrong fields, the plan finds references that lead nowhere.

    Raises:
        DeployError: one of them found a mistake; the CLI has shown it.
    """
    _step("Checking the bundle", "bundle", "validate", "--strict", "-t", target)
    _step("Planning", "bundle", "plan", "-t", target)


def deploy(target: str) -> None:
    """Validate, deploy, wait until the app is healthy, print its URL. The app applies its migrations as it starts.

    Raises:
        DeployError: a step failed, or the app did not come up in time.
    """
    validate(target)
    _step("Deploying", "bundle", "deploy", "-t", target)
    name = app_name(target)
    sys.stdout.write(f"Waiting until {name} is healthy …\n")
    until = time.monotonic() + HEALTHY_SECONDS
    app: dict[str, Any] = {}
    while time.monotonic() < until:
        app = _json("apps", "get", name, "-o", "json")
        state = app.get("app_status", {}).get("state")
        if state == "RUNNING":
            sys.stdout.write(f"Lakefront ({target}) is at {app['url']}\n")
            return
        if state == "CRASHED":
            break
        time.sleep(2)
    message = app.get("app_status", {}).get("message", "")
    raise DeployError(f"{name} is not healthy: {message}\nRead its log with `make logs TARGET={target}`.")


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
    summary = _json("bundle", "summary", "-t", target, "-o", "json")
    return str(summary["resources"]["apps"][APP_KEY]["name"])


def _cli() -> str:
    found = os.environ.get("DATABRICKS_CLI") or shutil.which("databricks")
    if not found:
        raise DeployError(
            "The Databricks CLI is missing. Install 1.13 or newer"
            " (https://docs.databricks.com/aws/en/dev-tools/cli/install) or set DATABRICKS_CLI to its path."
        )
    return found


def _step(title: str, *arguments: str) -> None:
    sys.stdout.write(f"{title} …\n")
    sys.stdout.flush()
    done = subprocess.run([_cli(), *arguments], check=False)  # noqa: S603 - the CLI with fixed arguments
    if done.returncode != 0:
        command = " ".join(("databricks", *arguments))
        raise DeployError(
            f"`{command}` failed with exit status {done.returncode}; the message is above. docs/deployment.md lists the"
            " usual ones under Troubleshooting."
        )


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
