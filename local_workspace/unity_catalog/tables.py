"""Tables and views: making, altering, governing and dropping their metadata. The SQL engine keeps the rows."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import cast

from local_workspace.identity.model import Principal
from local_workspace.unity_catalog.definitions import Definitions, three_parts
from local_workspace.unity_catalog.errors import AlreadyExists, InvalidRequest, PermissionDenied
from local_workspace.unity_catalog.model import Column, ColumnMask, RowFilter, Table
from local_workspace.unity_catalog.objects import checked_names, now_ms


class Tables(Definitions):
    """Writes on tables and views; all methods take the acting principal first."""

    def require_create_table(self, principal: Principal, full_name: str, *, replace_existing: bool = False) -> None:
        """Demand what ``put_table`` demands, without writing: for a check before rows are produced.

        Raises:
            PermissionDenied, NotFound, AlreadyExists, InvalidRequest: as ``put_table``.
        """
        catalog, schema, name = checked_names(three_parts(full_name))
        existing = self.table(catalog, schema, name)
        self._require_inside(principal, "CREATE_TABLE", "schema", f"{catalog}.{schema}")
        if existing is not None and not replace_existing:
            raise AlreadyExists("table", existing.full_name)
        if existing is not None:
            self.require_manage(principal, "table", existing.full_name)

    def put_table(self, principal: Principal, table: Table, *, replace_existing: bool = False) -> Table:
        """Register a table or view, owned by ``principal``; needs USE and CREATE TABLE on the schema.

        Fills in owner, id and times. Replacing (CREATE OR REPLACE) needs ownership or MANAGE and keeps owner, grants,
        id, time of creation, row filter and masks; listeners of ``on_table_dropped`` get the replaced value when its
        storage differs.

        Returns:
            The table as it is kept.

        Raises:
            PermissionDenied, NotFound, AlreadyExists, InvalidRequest: as the platform.
        """
        with self._changing() as freed:
            catalog, schema, name = checked_names([table.catalog_name, table.schema_name, table.name])
            self.require_create_table(principal, f"{catalog}.{schema}.{name}", replace_existing=replace_existing)
            for function in _functions_of(table):
                self.require(principal, "EXECUTE", "function", function)
            existing = self.table(catalog, schema, name)
            table = _keeping_governance(table, existing)
            _check_columns(table)
            now = now_ms()
            kept = self._save(
                "table",
                replace(
                    table,
                    catalog_name=catalog,
                    schema_name=schema,
                    name=name,
                    owner=existing.owner if existing else principal.name,
                    table_id=existing.table_id if existing else str(uuid.uuid4()),
                    created_at=existing.created_at if existing else now,
                    created_by=existing.created_by if existing else principal.name,
                    updated_at=now,
                ),
            )
            if existing is not None and existing.physical != kept.physical:
                freed.append(existing)
            return kept

    def drop_table(self, principal: Principal, full_name: str) -> Table:
        """Drop a table or view and its grants; needs ownership or MANAGE. Gives what was dropped."""
        with self._changing() as freed:
            table = cast("Table", self.require_manage(principal, "table", full_name))
            self._remove("table", table.full_name, freed)
            return table

    def alter_columns(self, principal: Principal, full_name: str, columns: Iterable[Column]) -> Table:
        """Replace a table's columns (added, dropped, renamed, commented); needs MODIFY or the right to manage.

        Masks are carried over, not set here: who may only MODIFY must leave every masked column as it is, so that
        nobody unmasks a column by renaming it.

        Raises:
            PermissionDenied, NotFound, InvalidRequest: as the platform.
        """
        with self._lock:
            return self._save("table", self.require_alter_columns(principal, full_name, columns))

    def require_alter_columns(self, principal: Principal, full_name: str, columns: Iterable[Column]) -> Table:
        """Demand what ``alter_columns`` demands, without writing: for a check before the rows are changed.

        Returns:
            The table as it will be.

        Raises:
            PermissionDenied, NotFound, InvalidRequest: as ``alter_columns``.
        """
        table = self._require_alter(principal, full_name)
        changed = replace(table, columns=tuple(columns), updated_at=now_ms())
        _check_columns(changed)
        manages = self.holds(principal, "MANAGE", "table", table.full_name)
        if not manages and _masks(changed) != _masks(table):
            raise PermissionDenied.lacking("MANAGE", "table", table.full_name)
        if not set(_masks(changed).values()) <= set(_masks(table).values()):
            raise InvalidRequest("A mask is set with ALTER COLUMN … SET MASK.")
        return changed

    def comment_on_column(self, principal: Principal, full_name: str, column: str, comment: str | None) -> Table:
        """Set or clear a column's comment; needs MODIFY or the right to manage."""
        with self._lock:
            table = self._require_alter(principal, full_name)
            return self._save("table", _with_column(table, column, lambda found: replace(found, comment=comment)))

    def _require_alter(self, principal: Principal, full_name: str) -> Table:
        if self.holds(principal, "MANAGE", "table", full_name):
            return cast("Table", self.require_manage(principal, "table", full_name))
        return self.require_modify(principal, full_name)

    # Keys, filters, masks ----------------------------------------------------------------------------------------

    def set_primary_key(self, principal: Principal, full_name: str, columns: Iterable[str]) -> Table:
        """Declare (or with no column drop) the informational primary key; needs ownership or MANAGE."""
        with self._lock:
            table = cast("Table", self.require_manage(principal, "table", full_name))
            changed = replace(table, primary_key=tuple(columns), updated_at=now_ms())
            _check_columns(changed)
            return self._save("table", changed)

    def set_row_filter(self, principal: Principal, full_name: str, row_filter: RowFilter | None) -> Table:
        """Set or (None) drop a table's row filter.

        Needs ownership of the table or MANAGE, and EXECUTE on the function; readers of the table do not need EXECUTE
        (https://docs.databricks.com/data-governance/unity-catalog/filters-and-masks).

        Raises:
            PermissionDenied, NotFound, InvalidRequest: as the platform.
        """
        with self._lock:
            table = cast("Table", self.require_manage(principal, "table", full_name))
            if row_filter is not None:
                row_filter = RowFilter(row_filter.function.lower(), row_filter.columns)
                self.require(principal, "EXECUTE", "function", row_filter.function)
            changed = replace(table, row_filter=row_filter, updated_at=now_ms())
            _check_columns(changed)
            return self._save("table", changed)

    def set_mask(self, principal: Principal, full_name: str, column: str, mask: ColumnMask | None) -> Table:
        """Set or (None) drop a column's mask; the rights are those of ``set_row_filter``."""
        with self._lock:
            table = cast("Table", self.require_manage(principal, "table", full_name))
            if mask is not None:
                mask = ColumnMask(mask.function.lower(), mask.using)
                self.require(principal, "EXECUTE", "function", mask.function)
            changed = _with_column(table, column, lambda found: replace(found, mask=mask))
            _check_columns(changed)
            return self._save("table", changed)


def _functions_of(table: Table) -> list[str]:
    names = [column.mask.function for column in table.columns if column.mask]
    return names + ([table.row_filter.function] if table.row_filter else [])


def _masks(table: Table) -> dict[str, ColumnMask]:
    return {column.name.lower(): column.mask for column in table.columns if column.mask}


def _keeping_governance(table: Table, existing: Table | None) -> Table:
    """A table that replaces another keeps that one's row filter, and the masks of columns that are there again.

    https://docs.databricks.com/sql/language-manual/sql-ref-syntax-ddl-create-table-using (REPLACE)
    """
    if existing is None or "VIEW" in {table.table_type, existing.table_type}:
        return table
    masks = _masks(existing)
    columns = tuple(replace(column, mask=column.mask or masks.get(column.name.lower())) for column in table.columns)
    return replace(table, columns=columns, row_filter=table.row_filter or existing.row_filter)


def _with_column(table: Table, name: str, change: Callable[[Column], Column]) -> Table:
    if name.lower() not in {column.name.lower() for column in table.columns}:
        raise InvalidRequest(f"Column '{name}' does not exist in table '{table.full_name}'.")
    columns = tuple(change(column) if column.name.lower() == name.lower() else column for column in table.columns)
    return replace(table, columns=columns, updated_at=now_ms())


def _check_columns(table: Table) -> None:
    """Refuse columns that occur twice, and keys, filters and masks that name columns which do not exist."""
    names = [column.name.lower() for column in table.columns]
    if len(set(names)) != len(names):
        raise InvalidRequest(f"Table '{table.full_name}' has two columns of the same name.")
    used = [*table.primary_key, *(table.row_filter.columns if table.row_filter else ())]
    used += [name for column in table.columns if column.mask for name in column.mask.using]
    for name in used:
        if name.lower() not in names:
            raise InvalidRequest(f"Column '{name}' does not exist in table '{table.full_name}'.")
