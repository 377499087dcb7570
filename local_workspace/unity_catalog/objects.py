"""The metastore's objects: in memory for reading, in the store for the next start."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TypeVar, cast

from loguru import logger

from local_workspace.store import Store
from local_workspace.unity_catalog.codec import READERS, Securable, to_document
from local_workspace.unity_catalog.errors import InvalidRequest
from local_workspace.unity_catalog.model import (
    Catalog,
    ColumnMask,
    Function,
    RegisteredModel,
    RowFilter,
    Schema,
    SecurableType,
    Table,
)
from local_workspace.unity_catalog.names import lowered, name_problem

S = TypeVar("S", bound=Securable)

KINDS: tuple[SecurableType, ...] = ("catalog", "schema", "table", "function", "registered_model")
"""The kinds that are kept, parents before children."""


def now_ms() -> int:
    """The present time in milliseconds since the epoch, as Unity Catalog's REST API gives it."""
    return time.time_ns() // 1_000_000


class Objects:
    """Objects and grants by full name. Values are immutable, so a reader needs no lock.

    Writers hold ``_lock``; each change is in the store before readers can see it.
    """

    def __init__(self, store: Store) -> None:
        """Remember the store; ``start`` reads it."""
        self._store = store
        self._lock = threading.RLock()
        self._objects: dict[SecurableType, dict[str, Any]] = {kind: {} for kind in KINDS}
        self._grants: dict[tuple[str, str], dict[str, frozenset[str]]] = {}
        self._table_listeners: list[Callable[[Table], None]] = []

    def start(self) -> None:
        """Read everything from the store.

        Raises:
            sqlite3.Error: the store cannot be read.
        """
        with self._lock:
            for kind in KINDS:
                items = self._store.collection(f"unity_catalog.{kind}").items()
                self._objects[kind] = {key: READERS[kind](document) for key, document in items}
            self._grants = {
                (document["securable_type"], document["full_name"]): {
                    principal: frozenset(privileges) for principal, privileges in document["grants"].items()
                }
                for document in self._store.collection("unity_catalog.grant").values()
            }

    # Looking up, without regard to privileges --------------------------------------------------------------------

    def catalog(self, name: str) -> Catalog | None:
        """The catalog of that name in any case, or None."""
        return cast("Catalog | None", self._objects["catalog"].get(lowered(name)))

    def schema(self, catalog: str, name: str) -> Schema | None:
        """The schema of that name in any case, or None."""
        return cast("Schema | None", self._objects["schema"].get(lowered(catalog, name)))

    def table(self, catalog: str, schema: str, name: str) -> Table | None:
        """The table or view of that name in any case, or None."""
        return cast("Table | None", self._objects["table"].get(lowered(catalog, schema, name)))

    def function(self, catalog: str, schema: str, name: str) -> Function | None:
        """The function of that name in any case, or None."""
        return cast("Function | None", self._objects["function"].get(lowered(catalog, schema, name)))

    def model(self, catalog: str, schema: str, name: str) -> RegisteredModel | None:
        """The registered model of that name in any case, or None."""
        return cast("RegisteredModel | None", self._objects["registered_model"].get(lowered(catalog, schema, name)))

    def find(self, securable_type: str, full_name: str) -> Securable | None:
        """The object of that kind and full name, or None."""
        kept = self._objects.get(cast("SecurableType", securable_type), {})
        return cast("Securable | None", kept.get(full_name.lower()))

    def catalogs(self) -> list[Catalog]:
        """All catalogs."""
        return self._sorted(Catalog, "catalog")

    def schemas(self, catalog: str) -> list[Schema]:
        """All schemas of a catalog."""
        return self._sorted(Schema, "schema", catalog)

    def tables(self, catalog: str, schema: str) -> list[Table]:
        """All tables and views of a schema."""
        return self._sorted(Table, "table", catalog, schema)

    def functions(self, catalog: str, schema: str) -> list[Function]:
        """All functions of a schema."""
        return self._sorted(Function, "function", catalog, schema)

    def models(self, catalog: str, schema: str) -> list[RegisteredModel]:
        """All registered models of a schema."""
        return self._sorted(RegisteredModel, "registered_model", catalog, schema)

    def _sorted(self, _type: type[S], kind: SecurableType, *parents: str) -> list[S]:
        prefix = f"{lowered(*parents)}." if parents else ""
        # The copy is one step of the interpreter, so a writer cannot change the dictionary under the loop.
        inside = {name: value for name, value in self._objects[kind].copy().items() if name.startswith(prefix)}
        return [inside[name] for name in sorted(inside)]

    def on_table_dropped(self, listener: Callable[[Table], None]) -> None:
        """Have ``listener`` called with each table that is dropped or replaced by other data, to free its storage."""
        self._table_listeners.append(listener)

    # Writing -----------------------------------------------------------------------------------------------------

    def _save(self, kind: SecurableType, value: S) -> S:
        self._store.collection(f"unity_catalog.{kind}").put(value.full_name, to_document(value))
        self._objects[kind][value.full_name] = value
        return value

    @contextmanager
    def _changing(self) -> Iterator[list[Table]]:
        """Several writes as one: all of them are in the store, or after a failure none, nor in memory.

        Yields:
            A list for the tables whose storage is free afterwards. Listeners hear of them when no lock is held any
            more, because they take locks of their own.
        """
        freed: list[Table] = []
        with self._lock, self._store.lock:
            self._store.execute("BEGIN")
            before = self._store.execute("SELECT total_changes()")
            try:
                yield freed
                self._store.execute("COMMIT")
            except BaseException:
                written = self._store.execute("SELECT total_changes()") != before
                self._store.execute("ROLLBACK")
                if written:
                    Objects.start(self)
                raise
        for table, listener in itertools.product(freed, self._table_listeners):
            try:
                listener(table)
            except Exception as error:  # noqa: BLE001 - the table is gone; its storage is swept at the next start
                logger.warning("the storage of dropped table {} is not free yet: {}", table.full_name, error)

    def _remove(self, kind: SecurableType, full_name: str, freed: list[Table]) -> None:
        value = self._objects[kind].pop(full_name, None)
        self._store.collection(f"unity_catalog.{kind}").delete(full_name)
        self._save_grants(kind, full_name, {})
        if isinstance(value, Table):
            freed.append(value)

    def _save_grants(self, securable_type: str, full_name: str, grants: dict[str, frozenset[str]]) -> None:
        collection = self._store.collection("unity_catalog.grant")
        kept = {principal: privileges for principal, privileges in grants.items() if privileges}
        key = f"{securable_type}:{full_name}"
        if not kept:
            collection.delete(key)
            self._grants.pop((securable_type, full_name), None)
            return
        listed = {principal: sorted(privileges) for principal, privileges in kept.items()}
        collection.put(key, {"securable_type": securable_type, "full_name": full_name, "grants": listed})
        self._grants[securable_type, full_name] = kept

    def _children(self, full_name: str) -> list[tuple[SecurableType, str]]:
        """Everything below an object, deepest first."""
        prefix = f"{full_name}."
        return [(kind, name) for kind in reversed(KINDS) for name in self._objects[kind] if name.startswith(prefix)]

    def _move(self, kind: SecurableType, old: str, new: str) -> None:
        """Rename an object: everything below it, the grants, and the masks and filters that name its functions."""
        moved = [(kind, old), *reversed(self._children(old))]
        with_grants = [(k, name, self._grants.get((k, name), {})) for k, name in moved]
        values = [(k, _renamed(self._objects[k][name], new + name[len(old) :])) for k, name in moved]
        for moved_kind, value in values:
            self._save(moved_kind, value)
        for moved_kind, name, grants in with_grants:
            self._save_grants(moved_kind, new + name[len(old) :], grants)
            del self._objects[moved_kind][name]
            self._store.collection(f"unity_catalog.{moved_kind}").delete(name)
            self._save_grants(moved_kind, name, {})
        for table in list(self._objects["table"].values()):
            repointed = _repointed(table, old, new)
            if repointed is not table:
                self._save("table", repointed)


def checked_names(names: Iterable[str]) -> list[str]:
    """The names in lower case.

    Raises:
        InvalidRequest: one of them cannot be an object's name.
    """
    lower = [name.lower() for name in names]
    for name in lower:
        problem = name_problem(name)
        if problem:
            raise InvalidRequest(f"Invalid name '{name}': {problem}.")
    return lower


def _renamed(value: S, full_name: str) -> S:
    parts = full_name.split(".")
    fields = ("catalog_name", "schema_name", "name")
    if isinstance(value, Catalog):
        fields = ("name",)  # type: ignore[assignment]
    elif isinstance(value, Schema):
        fields = ("catalog_name", "name")  # type: ignore[assignment]
    changes: dict[str, Any] = dict(zip(fields, parts, strict=True))
    return replace(value, **changes, updated_at=now_ms())


def _repointed(table: Table, old: str, new: str) -> Table:
    """The table with its masks and its filter naming functions below ``new`` instead of ``old``."""

    def moved(function: str) -> str:
        return new + function[len(old) :] if function == old or function.startswith(f"{old}.") else function

    columns = tuple(
        replace(column, mask=ColumnMask(moved(column.mask.function), column.mask.using)) if column.mask else column
        for column in table.columns
    )
    row_filter = table.row_filter and RowFilter(moved(table.row_filter.function), table.row_filter.columns)
    if columns == table.columns and row_filter == table.row_filter:
        return table
    return replace(table, columns=columns, row_filter=row_filter)
