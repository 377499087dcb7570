"""What an app is attached to: grants for its service principal, and the values that ``valueFrom`` takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from local_workspace.apps.environment import Attached
from local_workspace.apps.permissions import LEVELS, Permissions
from local_workspace.http import ApiError
from local_workspace.identity.model import Principal
from local_workspace.lakebase.lakebase import Lakebase
from local_workspace.serving.serving import Serving
from local_workspace.warehouse.warehouses import Warehouses

Resource = Mapping[str, Any]

KINDS = ("sql_warehouse", "serving_endpoint", "database", "postgres")
"""The kinds that the local workspace has."""
_DATABASES = frozenset({"database", "postgres"})
_ELSEWHERE = ("uc_securable", "secret", "job", "experiment", "genie_space", "app")


class Resources:
    """Attaches resources to apps."""

    def __init__(self, warehouses: Warehouses, serving: Serving, lakebase: Lakebase, permissions: Permissions) -> None:
        """Nothing is read yet."""
        self._warehouses = warehouses
        self._serving = serving
        self._lakebase = lakebase
        self._permissions = permissions

    def check(self, resources: list[Any]) -> None:
        """Check shape, kinds, permissions and that what is named exists.

        Raises:
            ApiError: 400 or 404 with the resource's key; 501 for a kind that the local workspace does not have.
        """
        seen: set[str] = set()
        for resource in resources:
            key = resource.get("name") if isinstance(resource, dict) else None
            if not isinstance(key, str) or not key:
                raise _invalid("Each app resource needs a 'name'.")
            if key in seen:
                raise _invalid(f"The app resource '{key}' is defined twice.")
            seen.add(key)
            kind, body = _kind(resource)
            self._find[kind](self, body)

    def attach(self, resources: list[Resource], principal: Principal) -> None:
        """Grant what each resource says to the app's ``principal``.

        Raises:
            ApiError: 404 for an object that does not exist any more.
        """
        for resource in resources:
            kind, body = _kind(resource)
            if kind in _DATABASES:
                self._lakebase.attach(*_database(kind, body, principal))
            else:
                acl_kind, object_id, _ = self._find[kind](self, body)
                self._permissions.grant(acl_kind, object_id, principal, body.get("permission", LEVELS[acl_kind][0]))

    def resolve(self, resources: list[Resource], principal: Principal) -> Attached:
        """What the resources give to a starting app. Grants nothing: what was taken away since stays away.

        Raises:
            ApiError: 404 for an object that does not exist any more.
        """
        values: dict[str, str] = {}
        postgres: dict[str, str] = {}
        for resource in resources:
            kind, body = _kind(resource)
            value = self._find[kind](self, body)[2]
            if kind in _DATABASES:
                variables = self._lakebase.variables(*_database(kind, body, principal))
                value = variables["PGHOST"] if kind == "database" else f"{body['branch']}/endpoints/primary"
                postgres = postgres or variables  # the platform injects them for the first database only
            values[str(resource["name"])] = value
        return Attached(values, postgres)

    def detach(self, resources: list[Resource], principal: Principal) -> None:
        """Take back the permissions that attaching gave. The Postgres role stays, as it may own data."""
        for resource in resources:
            kind, body = _kind(resource)
            try:
                acl_kind, object_id, _ = self._find[kind](self, body)
            except ApiError:
                continue  # the object went first
            self._permissions.revoke(acl_kind, object_id, principal)

    def _warehouse(self, body: Resource) -> tuple[str, str, str]:
        warehouse_id = _text(body, "sql_warehouse", "id")
        _level(body, "sql/warehouses")
        if self._warehouses.get(warehouse_id) is None:
            raise ApiError(404, "RESOURCE_DOES_NOT_EXIST", f"SQL warehouse {warehouse_id} does not exist.")
        return "sql/warehouses", warehouse_id, warehouse_id

    def _endpoint(self, body: Resource) -> tuple[str, str, str]:
        name = _text(body, "serving_endpoint", "name")
        _level(body, "serving-endpoints")
        return "serving-endpoints", self._serving.acl_id(name), name

    def _database(self, body: Resource) -> tuple[str, str, str]:
        name = _text(body, "database", "instance_name")
        _text(body, "database", "database_name")
        self._lakebase.storage_of(name)
        return "database-instances", name, name

    def _postgres(self, body: Resource) -> tuple[str, str, str]:
        branch = _text(body, "postgres", "branch")
        _text(body, "postgres", "database")
        self._lakebase.storage_of(branch)
        return "database-projects", branch.split("/")[1], branch

    _find: dict[str, Callable[[Resources, Resource], tuple[str, str, str]]] = {
        "sql_warehouse": _warehouse,
        "serving_endpoint": _endpoint,
        "database": _database,
        "postgres": _postgres,
    }


def _database(kind: str, body: Resource, principal: Principal) -> tuple[str, Principal, str]:
    """Instance or branch, whose role, and the database's name."""
    if kind == "database":
        return body["instance_name"], principal, body["database_name"]
    return body["branch"], principal, body["database"]


def _kind(resource: Resource) -> tuple[str, Resource]:
    named = [kind for kind in (*KINDS, *_ELSEWHERE) if resource.get(kind) is not None]
    if len(named) != 1:
        raise _invalid(f"The app resource '{resource.get('name')}' needs exactly one of {', '.join(KINDS)}.")
    if named[0] in _ELSEWHERE:
        raise ApiError(501, "NOT_IMPLEMENTED", f"The local workspace has no app resource of kind {named[0]}.")
    body = resource[named[0]]
    if not isinstance(body, dict):
        raise _invalid(f"{named[0]} of the app resource '{resource.get('name')}' must be an object.")
    return named[0], body


def _text(body: Resource, kind: str, field: str) -> str:
    value = body.get(field)
    if not isinstance(value, str) or not value:
        raise _invalid(f"An app resource of kind {kind} needs '{field}'.")
    return value


def _level(body: Resource, acl_kind: str) -> None:
    level = body.get("permission")
    if level is not None and level not in LEVELS[acl_kind]:
        raise _invalid(f"{level!r} is not a permission of {acl_kind}; one of {', '.join(LEVELS[acl_kind])}.")


def _invalid(message: str) -> ApiError:
    return ApiError(400, "INVALID_PARAMETER_VALUE", message)
