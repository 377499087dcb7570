"""Making, changing and dropping catalogs, schemas and functions; all methods take the acting principal first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, cast

from local_workspace.identity.model import Principal
from local_workspace.store import Store
from local_workspace.unity_catalog.access import METASTORE_NAME, PRIVILEGES, SYSTEM, Access
from local_workspace.unity_catalog.codec import Securable
from local_workspace.unity_catalog.errors import (
    AlreadyExists,
    InvalidRequest,
    NotEmpty,
    PermissionDenied,
    PrincipalNotFound,
)
from local_workspace.unity_catalog.model import Catalog, Function, Parameter, Schema, SecurableType
from local_workspace.unity_catalog.names import ACCOUNT_USERS, LABELS, privilege_name, spaced
from local_workspace.unity_catalog.objects import checked_names, now_ms


class Definitions(Access):
    """Catalogs, schemas, functions, and what all objects have: comment, owner, properties, name, grants."""

    def __init__(self, store: Store) -> None:
        """See ``Objects``."""
        super().__init__(store)
        self._knows: Callable[[str], bool] | None = None

    def recognise(self, knows: Callable[[str], bool]) -> None:
        """Refuse grants to, and ownership by, principals for whom ``knows(name)`` is false."""
        self._knows = knows

    # Catalogs ----------------------------------------------------------------------------------------------------

    def create_catalog(
        self,
        principal: Principal,
        name: str,
        *,
        comment: str | None = None,
        properties: Mapping[str, str] | None = None,
    ) -> Catalog:
        """Make a catalog owned by ``principal``; needs CREATE CATALOG on the metastore.

        Raises:
            PermissionDenied, AlreadyExists, InvalidRequest: as the platform.
        """
        (name,) = checked_names([name])
        with self._lock:
            self.require(principal, "CREATE_CATALOG", "metastore", METASTORE_NAME)
            if self.catalog(name) is not None:
                raise AlreadyExists("catalog", name)
            now = now_ms()
            return self._save(
                "catalog", Catalog(name, principal.name, comment, now, now, principal.name, dict(properties or {}))
            )

    def drop_catalog(self, principal: Principal, name: str, *, cascade: bool = False) -> None:
        """Drop a catalog; needs ownership or MANAGE. Raises NotEmpty unless ``cascade`` drops its contents too."""
        self._drop_container(principal, "catalog", name.lower(), cascade)

    # Schemas -----------------------------------------------------------------------------------------------------

    def create_schema(
        self,
        principal: Principal,
        catalog: str,
        name: str,
        *,
        comment: str | None = None,
        properties: Mapping[str, str] | None = None,
    ) -> Schema:
        """Make a schema owned by ``principal``; needs USE CATALOG and CREATE SCHEMA on the catalog.

        Raises:
            PermissionDenied, NotFound, AlreadyExists, InvalidRequest: as the platform.
        """
        catalog, name = checked_names([catalog, name])
        with self._lock:
            self._require_inside(principal, "CREATE_SCHEMA", "catalog", catalog)
            if name == "information_schema" or self.schema(catalog, name) is not None:
                raise AlreadyExists("schema", f"{catalog}.{name}")
            now = now_ms()
            return self._save(
                "schema",
                Schema(catalog, name, principal.name, comment, dict(properties or {}), now, now, principal.name),
            )

    def drop_schema(self, principal: Principal, full_name: str, *, cascade: bool = False) -> None:
        """Drop a schema; needs ownership or MANAGE. Raises NotEmpty unless ``cascade`` drops its contents too."""
        self._drop_container(principal, "schema", full_name.lower(), cascade)

    def _drop_container(self, principal: Principal, kind: SecurableType, full_name: str, cascade: bool) -> None:
        with self._changing() as freed:
            self.require_manage(principal, kind, full_name)
            children = self._children(full_name)
            if children and not cascade:
                raise NotEmpty(kind, full_name)
            for child_kind, child in children:
                self._remove(child_kind, child, freed)
            self._remove(kind, full_name, freed)

    def _require_inside(self, principal: Principal, privilege: str, kind: str, container: str) -> None:
        """Demand the right to make something in ``container``: USE it, and the CREATE privilege."""
        use = "USE_CATALOG" if kind == "catalog" else "USE_SCHEMA"
        self.require(principal, use, kind, container)
        if not self.holds(principal, privilege, kind, container):
            raise PermissionDenied.lacking(privilege, kind, container)

    # Functions ---------------------------------------------------------------------------------------------------

    def create_function(
        self,
        principal: Principal,
        full_name: str,
        *,
        parameters: Iterable[Parameter],
        return_type: str,
        body: str,
        comment: str | None = None,
        replace_existing: bool = False,
    ) -> Function:
        """Make a SQL function owned by ``principal``; needs USE and CREATE FUNCTION on the schema.

        Replacing keeps owner and grants and needs ownership or MANAGE.

        Raises:
            PermissionDenied, NotFound, AlreadyExists, InvalidRequest: as the platform.
        """
        catalog, schema, name = checked_names(three_parts(full_name))
        with self._lock:
            existing = self.function(catalog, schema, name)
            self._require_inside(principal, "CREATE_FUNCTION", "schema", f"{catalog}.{schema}")
            if existing is not None and not replace_existing:
                raise AlreadyExists("function", existing.full_name)
            if existing is not None:
                self.require_manage(principal, "function", existing.full_name)
            now = now_ms()
            return self._save(
                "function",
                Function(
                    catalog,
                    schema,
                    name,
                    existing.owner if existing else principal.name,
                    tuple(parameters),
                    return_type,
                    body,
                    comment,
                    existing.created_at if existing else now,
                    now,
                    existing.created_by if existing else principal.name,
                ),
            )

    def drop_function(self, principal: Principal, full_name: str) -> None:
        """Drop a function; needs ownership or MANAGE. A table that uses it as filter or mask cannot be read then."""
        with self._changing() as freed:
            self.require_manage(principal, "function", full_name)
            self._remove("function", full_name.lower(), freed)

    # What all objects have ---------------------------------------------------------------------------------------

    def comment_on(
        self, principal: Principal, securable_type: SecurableType, full_name: str, comment: str | None
    ) -> Securable:
        """Set or clear an object's comment; needs ownership or MANAGE (for a table MODIFY will do)."""
        with self._lock:
            if securable_type == "table" and self.holds(principal, "MODIFY", "table", full_name):
                table = self.require_modify(principal, full_name)
                return self._save("table", replace(table, comment=comment, updated_at=now_ms()))
            return self._change(principal, securable_type, full_name, comment=comment)

    def set_owner(self, principal: Principal, securable_type: SecurableType, full_name: str, owner: str) -> Securable:
        """Give an object to a user, service principal or group; needs ownership or MANAGE."""
        self._check_principal(principal, owner)
        return self._change(principal, securable_type, full_name, owner=owner)

    def set_properties(
        self, principal: Principal, securable_type: SecurableType, full_name: str, properties: Mapping[str, str]
    ) -> Securable:
        """Replace the properties of a catalog, schema or table; needs ownership or MANAGE."""
        return self._change(principal, securable_type, full_name, properties=dict(properties))

    def rename(self, principal: Principal, securable_type: SecurableType, full_name: str, new_name: str) -> Securable:
        """Rename an object; what is below it, the grants on it and its use as filter or mask follow.

        Args:
            principal: who acts; needs ownership or MANAGE.
            securable_type: the kind of object.
            full_name: its present full name.
            new_name: its new last part, or for a table a full name in the same catalog.

        Raises:
            PermissionDenied, NotFound, AlreadyExists, InvalidRequest: as the platform.
        """
        old = full_name.lower()
        parts = new_name.lower().split(".")
        if len(parts) == 1:
            parts = [*old.split(".")[:-1], *parts]
        new = ".".join(checked_names(parts))
        if len(parts) != old.count(".") + 1 or (parts[0] != old.split(".")[0] and securable_type != "catalog"):
            raise InvalidRequest(f"Cannot rename '{old}' to '{new}': an object stays in its catalog.")
        with self._changing():
            self.require_manage(principal, securable_type, old)
            if new != old:
                self._check_free(principal, securable_type, old, new)
                self._move(securable_type, old, new)
            return cast("Securable", self.find(securable_type, new))

    def _check_free(self, principal: Principal, securable_type: SecurableType, old: str, new: str) -> None:
        if self.find(securable_type, new) is not None:
            raise AlreadyExists(securable_type, new)
        container, _, _ = new.rpartition(".")
        if container != old.rpartition(".")[0]:
            self._require_inside(principal, "CREATE_TABLE", "schema", container)

    def _change(self, principal: Principal, securable_type: SecurableType, full_name: str, **changes: Any) -> Securable:
        with self._lock:
            value = self.require_manage(principal, securable_type, full_name)
            return self._save(securable_type, replace(value, **changes, updated_at=now_ms()))

    # Grants ------------------------------------------------------------------------------------------------------

    def grant(
        self, principal: Principal, securable_type: str, full_name: str, to: str, privileges: Iterable[str]
    ) -> None:
        """Grant privileges (either spelling) to a user, service principal or group.

        Needs ownership of the object or of what contains it, or MANAGE. Granting what is granted changes nothing.

        Raises:
            PermissionDenied, NotFound, PrincipalNotFound, InvalidRequest: as the platform.
        """
        self.change_grants(principal, securable_type, full_name, [(to, list(privileges), [])])

    def revoke(
        self, principal: Principal, securable_type: str, full_name: str, from_: str, privileges: Iterable[str]
    ) -> None:
        """Take privileges back; ALL PRIVILEGES takes everything. Revoking what is not granted changes nothing."""
        self.change_grants(principal, securable_type, full_name, [(from_, [], list(privileges))])

    def change_grants(
        self,
        principal: Principal,
        securable_type: str,
        full_name: str,
        changes: Iterable[tuple[str, list[str], list[str]]],
    ) -> None:
        """Apply several changes ``(grantee, added, removed)`` at once, or none of them; see ``grant``."""
        name = full_name.lower()
        with self._lock:
            self._require_grantor(principal, securable_type, name)
            kept = dict(self._grants.get((securable_type, name), {}))
            for grantee, added, removed in changes:
                gained = _grantable(securable_type, added)
                lost = _grantable(securable_type, removed)
                present = kept.get(grantee, frozenset())
                if gained or not present:
                    self._check_principal(principal, grantee)
                kept[grantee] = (frozenset() if "ALL_PRIVILEGES" in lost else present - lost) | gained
            self._save_grants(securable_type, name, kept)

    def _require_grantor(self, principal: Principal, securable_type: str, name: str) -> None:
        if securable_type not in PRIVILEGES:
            raise InvalidRequest(f"'{securable_type}' is not a securable type that the local workspace keeps.")
        self.require(principal, "MANAGE", securable_type, name)

    def _check_principal(self, acting: Principal, name: str) -> None:
        """Refuse a name that nobody has. The workspace itself may use names of its own, as owners of its samples."""
        unchecked = self._knows is None or acting == SYSTEM or name == ACCOUNT_USERS
        if not unchecked and self._knows is not None and not self._knows(name):
            raise PrincipalNotFound(name)


def three_parts(full_name: str) -> list[str]:
    """The parts of a three-level name.

    Raises:
        InvalidRequest: it has another number of levels.
    """
    parts = full_name.split(".")
    if len(parts) != 3:
        raise InvalidRequest(f"'{full_name}' is not a valid name: catalog.schema.object is needed.")
    return parts


def _grantable(securable_type: str, privileges: Iterable[str]) -> frozenset[str]:
    names = frozenset(privilege_name(privilege) for privilege in privileges)
    for name in sorted(names - PRIVILEGES[securable_type] - {"ALL_PRIVILEGES"}):
        raise InvalidRequest(f"Privilege {spaced(name)} is not applicable to this entity [{LABELS[securable_type]}].")
    return names
