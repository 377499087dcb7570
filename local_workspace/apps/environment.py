"""The environment of an app's process: what the Apps platform injects, and nothing of the developer's shell.

Variables: https://docs.databricks.com/aws/en/dev-tools/databricks-apps/system-env
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from local_workspace.apps.app_spec import AppError, AppSpec

_PASSED = ("LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "SYSTEMROOT", "HTTP_PROXY", "HTTPS_PROXY", "SSL_CERT_FILE")
"""What a process needs of the machine. Everything else stays outside: credentials above all."""

SIGN_IN_PATH = "/.local/sign-in"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the app is.

    Attributes:
        name: the app's name.
        client_id: OAuth client id of its service principal.
        client_secret: its secret.
        host: address of the workspace.
        workspace_id: numeric id, as text.
    """

    name: str
    client_id: str
    client_secret: str = field(repr=False)
    host: str
    workspace_id: str


@dataclass(frozen=True, slots=True)
class Attached:
    """What the attached resources give: ``values`` by resource key for ``valueFrom``, and the ``PG…`` variables."""

    values: Mapping[str, str] = field(default_factory=dict)
    postgres: Mapping[str, str] = field(default_factory=dict)


def build(
    spec: AppSpec, identity: Identity, attached: Attached, port: int, interpreter_folder: Path, home: Path
) -> dict[str, str]:
    """The whole environment of the process.

    Args:
        spec: what to start; its ``env`` entries are resolved and win over injected variables.
        identity: who the app is.
        attached: what its resources resolve to.
        port: where it must listen.
        interpreter_folder: folder of the Python that ``python`` shall mean.
        home: its home folder, so that no profile or password file of the developer is found.

    Raises:
        AppError: ``valueFrom`` names a resource that is not attached.
    """
    environment = {name: os.environ[name] for name in _PASSED if name in os.environ}
    environment |= {
        "PATH": os.pathsep.join([str(interpreter_folder), os.environ.get("PATH", os.defpath)]),
        "VIRTUAL_ENV": str(interpreter_folder.parent),
        "HOME": str(home),
        "NO_PROXY": "127.0.0.1,localhost",
        "PYTHONUNBUFFERED": "1",
        "DATABRICKS_APP_NAME": identity.name,
        "DATABRICKS_WORKSPACE_ID": identity.workspace_id,
        "DATABRICKS_HOST": identity.host,
        "DATABRICKS_APP_PORT": str(port),
        "FLASK_RUN_HOST": "127.0.0.1",
        "DATABRICKS_CLIENT_ID": identity.client_id,
        "DATABRICKS_CLIENT_SECRET": identity.client_secret,
        "ACCOUNT_SWITCH_URL": SIGN_IN_PATH,
        **attached.postgres,
    }
    for variable in spec.env:
        if variable.value_from is None:
            environment[variable.name] = variable.value or ""
        elif variable.value_from in attached.values:
            environment[variable.name] = attached.values[variable.value_from]
        else:
            known = ", ".join(sorted(attached.values)) or "none"
            raise AppError(
                f"Variable {variable.name} takes its value from the resource '{variable.value_from}', which the app"
                f" does not have. Its resources: {known}."
            )
    return environment


def command(spec: AppSpec, port: int) -> list[str]:
    """The command with ``DATABRICKS_APP_PORT`` substituted, the only variable that the platform replaces."""
    return [
        part.replace("${DATABRICKS_APP_PORT}", str(port)).replace("$DATABRICKS_APP_PORT", str(port))
        for part in spec.command
    ]
