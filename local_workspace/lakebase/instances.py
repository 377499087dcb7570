"""Database instances of the Provisioned API: documents in the platform's shape.

Fields follow https://docs.databricks.com/api/workspace/database/getdatabaseinstance.
"""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime
from typing import Any

from local_workspace.http import ApiError
from local_workspace.identity.model import Principal
from local_workspace.lakebase.storages import Document, Storages
from local_workspace.store import Store

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_CAPACITIES = ("CU_1", "CU_2", "CU_4", "CU_8")
_HOST = "127.0.0.1"
_PRIVATE = frozenset({"storage"})
_SETTABLE = (
    "capacity",
    "node_count",
    "retention_window_in_days",
    "stopped",
    "enable_pg_native_login",
    "enable_readable_secondaries",
    "custom_tags",
    "usage_policy_id",
)


def now() -> str:
    """This moment as the REST APIs write it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Instances:
    """Create, read, change and delete instances."""

    def __init__(self, store: Store, storages: Storages, postgres_version: int) -> None:
        """Nothing is read until a method is called."""
        self._documents = store.collection("lakebase_instance")
        self._storages = storages
        self._version = postgres_version

    def ensure(self, name: str, owner: Principal | None, storage: str) -> None:
        """Makes the instance of the first start."""
        if self._documents.add(name, self._document(name, owner.name if owner else "", storage, {})):
            self._storages.hold(storage, self._get(name)["uid"])

    def create(self, document: Document, owner: Principal) -> Document:
        """Makes an instance; it is available at once.

        Raises:
            ApiError: 400 for a bad name or capacity, 409 when the name is taken.
        """
        name = document.get("name")
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise ApiError(400, "INVALID_PARAMETER_VALUE", f"Invalid database instance name: {name!r}.")
        _check_capacity(document)
        if self._documents.get(name) is not None:
            raise ApiError(409, "RESOURCE_ALREADY_EXISTS", f"Database instance {name} already exists.")
        made = self._document(name, owner.name, self._storages.create(owner), document)
        self._storages.hold(made["storage"], made["uid"])
        if not self._documents.add(name, made):
            self._storages.release(made["storage"], made["uid"])
            raise ApiError(409, "RESOURCE_ALREADY_EXISTS", f"Database instance {name} already exists.")
        return _public(made)

    def _document(self, name: str, creator: str, storage: str, wanted: Document) -> Document:
        identity = str(uuid.uuid4())
        document: Document = {
            "name": name,
            "uid": identity,
            "storage": storage,
            "creator": creator,
            "creation_time": now(),
            "pg_version": f"PG_VERSION_{self._version}",
            "read_write_dns": _HOST,
            "read_only_dns": _HOST,
            "capacity": "CU_1",
            "node_count": 1,
            "effective_node_count": 1,
            "retention_window_in_days": 7,
            "effective_retention_window_in_days": 7,
            "stopped": False,
            "enable_pg_native_login": False,
            "effective_enable_pg_native_login": False,
            "enable_readable_secondaries": False,
            "effective_enable_readable_secondaries": False,
        }
        return _changed(document, wanted)

    def get(self, name: str) -> Document:
        """One instance.

        Raises:
            ApiError: 404.
        """
        return _public(self._get(name))

    def _get(self, name: str) -> Document:
        document = self._documents.get(name)
        if document is None:
            raise ApiError(404, "NOT_FOUND", f"Database instance '{name}' not found.")
        return document

    def by_uid(self, uid: str) -> Document:
        """The instance of a uid.

        Raises:
            ApiError: 404.
        """
        for document in self._documents.values():
            if document["uid"] == uid:
                return _public(document)
        raise ApiError(404, "NOT_FOUND", f"Database instance with uid '{uid}' not found.")

    def list(self) -> list[Document]:
        """Every instance."""
        return [_public(document) for document in self._documents.values()]

    def update(self, name: str, wanted: Document) -> Document:
        """Changes capacity, windows, tags or ``stopped``; stopping cuts the connections.

        Raises:
            ApiError: 404; 400 for a bad capacity.
        """
        self._get(name)
        _check_capacity(wanted)
        document = self._documents.update(name, lambda known: _changed(known, wanted))
        if document is None:
            raise ApiError(404, "NOT_FOUND", f"Database instance '{name}' not found.")
        if document["stopped"]:
            self._storages.cut(document["storage"])
        return _public(document)

    def delete(self, name: str) -> None:
        """Removes an instance and its data.

        Raises:
            ApiError: 404.
        """
        document = self._get(name)
        self._documents.delete(name)
        self._storages.release(document["storage"], document["uid"])

    def storage(self, name: str) -> str:
        """The storage of an instance.

        Raises:
            ApiError: 404.
        """
        return str(self._get(name)["storage"])

    def is_stopped(self, name: str) -> bool:
        """Whether an instance of that name exists and is stopped."""
        document = self._documents.get(name)
        return bool(document and document["stopped"])


def _check_capacity(document: Document) -> None:
    capacity = document.get("capacity")
    if capacity is not None and capacity not in _CAPACITIES:
        raise ApiError(
            400, "INVALID_PARAMETER_VALUE", f"Invalid capacity {capacity!r}; one of {', '.join(_CAPACITIES)}."
        )


def _changed(document: Document, wanted: Document) -> Document:
    """``document`` with what a client may set, and the effective values that follow from it."""
    changed: dict[str, Any] = {**document, **{name: wanted[name] for name in _SETTABLE if wanted.get(name) is not None}}
    for name in ("capacity", "node_count", "retention_window_in_days", "enable_pg_native_login"):
        changed[f"effective_{name}"] = changed[name]
    changed["effective_enable_readable_secondaries"] = changed["enable_readable_secondaries"]
    changed["effective_stopped"] = changed["stopped"]
    changed["state"] = "STOPPED" if changed["stopped"] else "AVAILABLE"
    return changed


def _public(document: Document) -> Document:
    return {name: value for name, value in document.items() if name not in _PRIVATE}
