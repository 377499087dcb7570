"""App and deployment objects as the Apps API shows them, and the checks of what clients send."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from local_workspace.apps.sign_in import ALWAYS_GRANTED
from local_workspace.http import ApiError

Document = dict[str, Any]

SCOPES = frozenset(
    {
        "sql", "sql:restricted-query", "sql.statement-execution", "sql.warehouses:read", "model-serving",
        "catalog.catalogs:read", "catalog.schemas:read", "catalog.tables:read", "catalog.connections", "files", "genie",
        "postgres", "vector-search", "ai-gateway", "ai-functions", "workspace.workspace", "mcp.external",
        "mcp.functions", "apps", "dashboards.genie", "files.files", "serving.serving-endpoints",
        "vectorsearch.vector-search-indexes", "vectorsearch.vector-search-endpoints",
    }
)  # fmt: skip
"""Scopes that an app may ask for."""
SIZES = ("MEDIUM", "LARGE", "XLARGE")
UPDATABLE = frozenset(
    {"description", "resources", "user_api_scopes", "compute_size", "budget_policy_id", "usage_policy_id",
     "forward_user_access_token", "compute_min_instances", "compute_max_instances", "git_repository",
     "telemetry_export_destinations"}
)  # fmt: skip
_ALIASES = {"files.files": "files", "dashboards.genie": "genie", "serving.serving-endpoints": "model-serving"}
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,28}[a-z0-9])?")


def now() -> str:
    """The time as the API writes it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def checked_name(name: Any) -> str:
    """An app's name.

    Raises:
        ApiError: 400, not 2 to 30 lower-case letters, digits and hyphens.
    """
    if not isinstance(name, str) or len(name) < 2 or not _NAME.fullmatch(name):
        raise ApiError(
            400,
            "INVALID_PARAMETER_VALUE",
            f"App name {name!r} is not valid: use 2 to 30 lower-case letters, digits and hyphens, with a letter or"
            " digit at both ends.",
        )
    return name


def checked_fields(body: Mapping[str, Any]) -> Document:
    """The fields of an app that a client may set, checked.

    Raises:
        ApiError: 400 for an unknown scope or compute size, or lists that are none.
    """
    wanted = {key: body[key] for key in UPDATABLE & body.keys() if body[key] is not None}
    for key in ("resources", "user_api_scopes"):
        if not isinstance(wanted.get(key, []), list):
            raise ApiError(400, "INVALID_PARAMETER_VALUE", f"'{key}' must be a list.")
    for scope in wanted.get("user_api_scopes", []):
        if scope not in SCOPES:
            raise ApiError(400, "INVALID_PARAMETER_VALUE", f"The specified scope {scope} is not a valid scope.")
    if wanted.get("compute_size", "MEDIUM") not in SIZES:
        raise ApiError(400, "INVALID_PARAMETER_VALUE", f"compute_size must be one of {', '.join(SIZES)}.")
    return wanted


def effective_scopes(document: Mapping[str, Any]) -> tuple[str, ...]:
    """The scopes of the user token that the front door forwards."""
    asked = {_ALIASES.get(scope, scope) for scope in document.get("user_api_scopes") or []}
    return tuple(sorted(asked | set(ALWAYS_GRANTED)))


def shown_app(document: Mapping[str, Any], url: str, app_status: Document) -> Document:
    """The app object. Active deployments keep the values of their variables: the CLI compares them."""
    inner = {"compute", "compute_message", "port", "last_request", "update_state"}
    shown = {key: value for key, value in document.items() if key not in inner and value is not None}
    return shown | {
        "url": url,
        "effective_user_api_scopes": list(effective_scopes(document)),
        "app_status": app_status,
        "compute_status": {"state": document["compute"], "message": document["compute_message"]},
    }


def shown_deployment(document: Mapping[str, Any]) -> Document:
    """The deployment object of its own routes: the variables' names without their values."""
    shown = dict(document)
    if shown.get("env_vars"):
        shown["env_vars"] = [{"name": entry.get("name")} for entry in shown["env_vars"]]
    return shown


def missing(name: str) -> ApiError:
    """The platform's 404 for an app."""
    return ApiError(404, "RESOURCE_DOES_NOT_EXIST", f"App with name {name} does not exist or is deleted.")
