"""The databases and roles of each logical instance: documents in the store, and their twins in the Postgres server."""

from __future__ import annotations

import re
import secrets
from typing import Any

from local_workspace.http import ApiError
from local_workspace.identity.model import Principal
from local_workspace.lakebase.cluster import Cluster
from local_workspace.store import Store

DEFAULT_DATABASE = "databricks_postgres"
_DATABASE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,49}")

Document = dict[str, Any]


class Storages:
    """Which storage has which databases, and which identity has a role in it."""

    def __init__(self, store: Store, cluster: Cluster) -> None:
        """Nothing is read until a method is called."""
        self._documents = store.collection("lakebase_storage")
        self._cluster = cluster

    def create(self, owner: Principal | None, storage: str | None = None, copy_of: str | None = None) -> str:
        """Makes a storage with the default database, and a superuser-like role for its owner.

        Args:
            owner: the creator, if it has an identity here.
            storage: a fixed id, for the storage of the first start; otherwise a new one.
            copy_of: storage whose databases and roles are copied (a branch).

        Returns:
            The storage's id.
        """
        storage = storage or secrets.token_hex(4)
        source = self._documents.get(copy_of) if copy_of else None
        databases: Document = source["databases"] if source else {DEFAULT_DATABASE: {}}
        roles: Document = source["roles"] if source else {}
        if not self._documents.add(storage, {"databases": databases, "roles": roles, "holders": []}):
            return storage
        for database in databases:
            self._cluster.create_database(storage, database, copy_of)
        for role, entry in roles.items():
            for database in entry["databases"]:
                self._cluster.grant_database(role, storage, database)
        if owner is not None:
            self.add_role(storage, owner.name, owner.kind, superuser_like=True)
        return storage

    def hold(self, storage: str, holder: str) -> None:
        """Notes that ``holder`` (an instance or a branch) shows this storage."""
        self._change(storage, lambda entry: entry["holders"].append(holder) if holder not in entry["holders"] else None)

    def release(self, storage: str, holder: str) -> None:
        """Ends :meth:`hold`; without a holder the storage and everything in it is removed."""
        self._change(storage, lambda entry: entry["holders"].remove(holder) if holder in entry["holders"] else None)
        if not (self._documents.get(storage) or {"holders": [""]})["holders"]:
            self._drop(storage)

    def _drop(self, storage: str) -> None:
        for database in self.databases(storage):
            self._cluster.drop_database(storage, database)
        self._documents.delete(storage)

    def databases(self, storage: str) -> dict[str, Document]:
        """Name and document of each database."""
        found: dict[str, Document] = (self._documents.get(storage) or {"databases": {}})["databases"]
        return found

    def roles(self, storage: str) -> dict[str, Document]:
        """Name and document (``kind``, ``superuser``, ``databases``) of each role."""
        found: dict[str, Document] = (self._documents.get(storage) or {"roles": {}})["roles"]
        return found

    def add_database(self, storage: str, database: str) -> None:
        """Makes a database unless it exists.

        Raises:
            ApiError: 400 for a name that Postgres or the platform would not take.
        """
        if not _DATABASE_NAME.fullmatch(database):
            raise ApiError(400, "INVALID_PARAMETER_VALUE", f"Invalid database name: {database!r}.")
        self._cluster.create_database(storage, database)
        self._change(storage, lambda entry: entry["databases"].setdefault(database, {}))

    def remove_database(self, storage: str, database: str) -> None:
        """Drops a database."""
        self._cluster.drop_database(storage, database)
        self._change(storage, lambda entry: entry["databases"].pop(database, None))

    def add_role(self, storage: str, role: str, kind: str, *, superuser_like: bool = False) -> None:
        """Gives an identity a role, without any grant unless ``superuser_like``."""
        self._cluster.create_role(role, superuser_like=superuser_like)

        def change(entry: Document) -> None:
            known = entry["roles"].setdefault(role, {"kind": kind, "superuser": False, "databases": []})
            known["superuser"] = known["superuser"] or superuser_like

        self._change(storage, change)

    def remove_role(self, storage: str, role: str) -> None:
        """Takes a role away: no login any more, open connections are cut. What it owns stays."""
        for database in self.databases(storage):
            self._cluster.revoke_database(role, storage, database)
        self._change(storage, lambda entry: entry["roles"].pop(role, None))

    def grant(self, storage: str, role: str, kind: str, database: str) -> None:
        """Lets an identity connect to a database and create schemas there."""
        self.add_role(storage, role, kind)
        self._cluster.grant_database(role, storage, database)

        def change(entry: Document) -> None:
            granted = entry["roles"][role]["databases"]
            if database not in granted:
                granted.append(database)

        self._change(storage, change)

    def cut(self, storage: str) -> None:
        """Ends every connection to a storage."""
        for database in self.databases(storage):
            self._cluster.cut(storage, database)

    def _change(self, storage: str, change: Any) -> None:
        def apply(entry: Document) -> Document:
            change(entry)
            return entry

        self._documents.update(storage, apply)
