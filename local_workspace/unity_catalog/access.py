"""Who may do what: privileges with ownership and inheritance, and what each principal can see.

The rules are those of Unity Catalog's privilege model
(https://docs.databricks.com/data-governance/unity-catalog/manage-privileges/privileges): a privilege on a catalog or
schema holds for everything below it, now and later; an owner holds every privilege on the object itself and may manage
what is below, without reading it; ``ALL PRIVILEGES`` is resolved when it is checked and does not include ``MANAGE``;
reading a table also takes ``USE CATALOG`` and ``USE SCHEMA`` on its parents.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar, cast

from local_workspace.identity.model import Principal
from local_workspace.unity_catalog.codec import Securable
from local_workspace.unity_catalog.errors import InvalidRequest, NotFound, PermissionDenied
from local_workspace.unity_catalog.model import (
    Catalog,
    Function,
    Grant,
    RegisteredModel,
    Schema,
    SecurableType,
    Table,
)
from local_workspace.unity_catalog.names import ACCOUNT_USERS, lowered, parents, privilege_name
from local_workspace.unity_catalog.objects import Objects

METASTORE_NAME = "local"
"""The full name of the one metastore, for grants on it."""

SYSTEM = Principal(
    id="0", name="System user", display_name="System user", kind="service_principal", groups=frozenset({"admins"})
)
"""Acts for the workspace itself, for example when it makes the ``samples`` catalog."""

_TABLE = frozenset({"SELECT", "MODIFY", "APPLY_TAG", "MANAGE"})
_EXECUTABLE = frozenset({"EXECUTE", "MANAGE"})
_MODEL = _EXECUTABLE | {"APPLY_TAG", "CREATE_MODEL_VERSION"}
_SCHEMA = (
    _TABLE
    | _MODEL
    | {"USE_SCHEMA", "CREATE_TABLE", "CREATE_FUNCTION", "CREATE_MODEL", "CREATE_VOLUME", "CREATE_MATERIALIZED_VIEW"}
    | {"READ_VOLUME", "WRITE_VOLUME", "REFRESH", "EXTERNAL_USE_SCHEMA"}
)

PRIVILEGES: dict[str, frozenset[str]] = {
    "metastore": frozenset({"CREATE_CATALOG", "MANAGE"}),
    "catalog": _SCHEMA | {"USE_CATALOG", "CREATE_SCHEMA", "BROWSE"},
    "schema": _SCHEMA,
    "table": _TABLE,
    "function": _EXECUTABLE,
    "registered_model": _MODEL,
    "volume": frozenset({"READ_VOLUME", "WRITE_VOLUME", "APPLY_TAG", "MANAGE"}),
}
"""What can be granted on each kind of object, besides ALL PRIVILEGES."""

_NOT_IN_ALL = frozenset({"MANAGE", "EXTERNAL_USE_SCHEMA"})
SEEN_WITH: dict[str, tuple[str, ...]] = {
    "catalog": ("USE_CATALOG", "MANAGE"),
    "schema": ("USE_SCHEMA", "MANAGE"),
    "table": ("SELECT", "MODIFY", "MANAGE"),
    "function": ("EXECUTE", "MANAGE"),
    "registered_model": ("EXECUTE", "CREATE_MODEL_VERSION", "MANAGE"),
}
"""The privileges, one of which lists an object; the first is the one to ask for."""

S = TypeVar("S", bound=Securable)


@dataclass(frozen=True, slots=True)
class EffectivePrivilege:
    """A privilege that a principal holds on an object; ``inherited_from`` is the (type, name) it was granted on."""

    principal: str
    privilege: str
    inherited_from: tuple[str, str] | None = None


def identities(principal: Principal) -> frozenset[str]:
    """The names that grants and owners may call this principal by: its own, its groups', and everybody's."""
    return principal.groups | {principal.name, ACCOUNT_USERS}


class Access(Objects):
    """Objects seen through privileges. All methods are safe to call from any thread."""

    # Privileges --------------------------------------------------------------------------------------------------

    def holds(self, principal: Principal, privilege: str, securable_type: str, full_name: str) -> bool:
        """Whether ``principal`` has ``privilege`` on the object: directly, through groups, from above, by owning it.

        Does not look at USE CATALOG and USE SCHEMA (``require`` does) nor at whether the object exists.
        """
        wanted, name = privilege_name(privilege), full_name.lower()
        if principal.is_admin:
            return True
        if self._owns(principal, securable_type, name):
            return True
        above = parents(securable_type, name)
        if wanted == "MANAGE" and any(self._owns(principal, kind, parent) for kind, parent in above):
            return True
        return any(
            self._granted(principal, wanted, kind, granted_on) for kind, granted_on in [(securable_type, name), *above]
        )

    def owns(self, principal: Principal, securable_type: str, full_name: str) -> bool:
        """Whether ``principal``, or a group of it, is the owner of the object."""
        return self._owns(principal, securable_type, full_name.lower())

    def _owns(self, principal: Principal, securable_type: str, full_name: str) -> bool:
        value = self.find(securable_type, full_name)
        return value is not None and value.owner in identities(principal)

    def _granted(self, principal: Principal, wanted: str, securable_type: str, full_name: str) -> bool:
        grants = self._grants.get((securable_type, full_name))
        if not grants:
            return False
        names = identities(principal)
        through_all = wanted not in _NOT_IN_ALL
        return any(
            wanted in privileges or (through_all and "ALL_PRIVILEGES" in privileges)
            for grantee, privileges in grants.items()
            if grantee in names
        )

    # Demanding ---------------------------------------------------------------------------------------------------

    def require(self, principal: Principal, privilege: str, securable_type: str, full_name: str) -> Securable | None:
        """Demand a privilege in the platform's order: USE CATALOG, USE SCHEMA, existence, then the privilege.

        Returns:
            The object; None for the metastore.

        Raises:
            PermissionDenied: the first privilege in that order that is missing.
            NotFound: the object, or one that contains it, does not exist.
        """
        value = self.require_visible_parents(principal, securable_type, full_name)
        if not self.holds(principal, privilege, securable_type, full_name):
            raise PermissionDenied.lacking(privilege, securable_type, full_name.lower())
        return value

    def require_visible_parents(self, principal: Principal, securable_type: str, full_name: str) -> Securable | None:
        """Demand USE CATALOG and USE SCHEMA on what contains the object, and that the object exists; give it.

        Raises:
            PermissionDenied: USE CATALOG or USE SCHEMA is missing.
            NotFound: the object, or one that contains it, does not exist.
        """
        name = full_name.lower()
        if securable_type == "metastore":
            return None
        for kind, parent in reversed(parents(securable_type, name)):
            if self.find(kind, parent) is None:
                raise NotFound(kind, parent)
            use = "USE_CATALOG" if kind == "catalog" else "USE_SCHEMA"
            if not self.holds(principal, use, kind, parent):
                raise PermissionDenied.lacking(use, kind, parent)
        value = self.find(securable_type, name)
        if value is None:
            raise NotFound(securable_type, name)
        return value

    def require_select(self, principal: Principal, table: Table | str) -> Table:
        """Demand that ``principal`` may read a table or view (a value or a full name); give it as it is now.

        Raises:
            PermissionDenied: USE CATALOG, USE SCHEMA or SELECT is missing.
            NotFound: it does not exist.
        """
        full_name = table if isinstance(table, str) else table.full_name
        return cast("Table", self.require(principal, "SELECT", "table", full_name))

    def require_modify(self, principal: Principal, table: Table | str) -> Table:
        """Demand that ``principal`` may change the rows of a table; see ``require_select``."""
        full_name = table if isinstance(table, str) else table.full_name
        return cast("Table", self.require(principal, "MODIFY", "table", full_name))

    def require_manage(self, principal: Principal, securable_type: SecurableType, full_name: str) -> Securable:
        """Demand ownership (of the object or of what contains it) or MANAGE; give the object.

        Raises:
            PermissionDenied: USE CATALOG, USE SCHEMA or the right to manage is missing.
            NotFound: it does not exist.
        """
        value = self.require(principal, "MANAGE", securable_type, full_name)
        if value is None:
            raise InvalidRequest("The metastore cannot be changed.")
        return value

    # Seeing ------------------------------------------------------------------------------------------------------

    def sees(self, principal: Principal, securable_type: str, full_name: str) -> bool:
        """Whether the object is listed for ``principal``, given that it can use what contains it."""
        return any(
            self.holds(principal, privilege, securable_type, full_name) for privilege in SEEN_WITH[securable_type]
        )

    def reaches(self, principal: Principal, securable_type: str, full_name: str) -> bool:
        """Whether the object is listed for ``principal`` *and* what contains it may be used."""
        name = full_name.lower()
        return self.sees(principal, securable_type, name) and all(
            self.holds(principal, "USE_CATALOG" if kind == "catalog" else "USE_SCHEMA", kind, parent)
            for kind, parent in parents(securable_type, name)
        )

    def may_browse(self, principal: Principal, full_name: str) -> bool:
        """Whether BROWSE on the catalog shows that the object exists, without a right to use it."""
        catalog = full_name.lower().split(".")[0]
        return self.holds(principal, "BROWSE", "catalog", catalog)

    def visible_catalogs(self, principal: Principal) -> list[Catalog]:
        """The catalogs that ``principal`` owns or may use."""
        return [catalog for catalog in self.catalogs() if self.sees(principal, "catalog", catalog.name)]

    def visible_schemas(self, principal: Principal, catalog: str) -> list[Schema]:
        """The schemas of a catalog that ``principal`` owns or may use; none without USE CATALOG."""
        if not self.holds(principal, "USE_CATALOG", "catalog", catalog):
            return []
        return [schema for schema in self.schemas(catalog) if self.sees(principal, "schema", schema.full_name)]

    def visible_tables(self, principal: Principal, catalog: str, schema: str) -> list[Table]:
        """The tables and views of a schema that ``principal`` may read, change or manage."""
        return self._visible(principal, "table", catalog, schema, self.tables(catalog, schema))

    def visible_functions(self, principal: Principal, catalog: str, schema: str) -> list[Function]:
        """The functions of a schema that ``principal`` may execute or manage."""
        return self._visible(principal, "function", catalog, schema, self.functions(catalog, schema))

    def visible_models(self, principal: Principal, catalog: str, schema: str) -> list[RegisteredModel]:
        """The registered models of a schema that ``principal`` may execute or manage."""
        return self._visible(principal, "registered_model", catalog, schema, self.models(catalog, schema))

    def _visible(self, principal: Principal, kind: str, catalog: str, schema: str, values: list[S]) -> list[S]:
        usable = self.holds(principal, "USE_CATALOG", "catalog", catalog) and self.holds(
            principal, "USE_SCHEMA", "schema", lowered(catalog, schema)
        )
        return [value for value in values if self.sees(principal, kind, value.full_name)] if usable else []

    # Listing -----------------------------------------------------------------------------------------------------

    def grants(self, securable_type: str, full_name: str) -> list[Grant]:
        """The grants on the object itself, by principal and privilege (REST spelling, ``USE_SCHEMA``)."""
        kept = self._grants.get((securable_type, full_name.lower()), {})
        kind = cast("SecurableType", securable_type)
        return [
            Grant(kind, full_name.lower(), principal, privilege)
            for principal in sorted(kept)
            for privilege in sorted(kept[principal])
        ]

    def effective_privileges(self, securable_type: str, full_name: str) -> list[EffectivePrivilege]:
        """The grants on the object and those on what contains it that hold for it."""
        name = full_name.lower()
        found = [EffectivePrivilege(grant.principal, grant.privilege) for grant in self.grants(securable_type, name)]
        above: list[tuple[str, str]] = parents(securable_type, name)
        if securable_type != "metastore":
            above = [*above, ("metastore", METASTORE_NAME)]
        applicable = PRIVILEGES[securable_type] | {"ALL_PRIVILEGES", "USE_CATALOG", "USE_SCHEMA"}
        for kind, parent in above:
            found += [
                EffectivePrivilege(grant.principal, grant.privilege, (kind, parent))
                for grant in self.grants(kind, parent)
                if grant.privilege in applicable
            ]
        return found
