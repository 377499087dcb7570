"""The rows of ``information_schema`` views: the metastore as SQL sees it, filtered to what the principal may see.

Column names and types are Databricks' own (https://docs.databricks.com/sql/language-manual/sql-ref-information-schema);
``row_filters`` and ``column_masks`` have the columns that the platform serves, ``table_catalog`` and so on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from local_workspace.identity.model import Principal
from local_workspace.unity_catalog.errors import NotFound
from local_workspace.unity_catalog.model import Catalog, Column, Function, Schema, Table
from local_workspace.unity_catalog.types import type_name, type_precision

if TYPE_CHECKING:
    from local_workspace.unity_catalog.access import Access

Row = tuple[object, ...]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _columns(*definitions: str) -> tuple[Column, ...]:
    """Columns from ``name``, ``name:type`` (string when absent)."""
    pairs = [definition.partition(":") for definition in definitions]
    return tuple(Column(name, type_text or "string") for name, _, type_text in pairs)


_TIMES = ("created:timestamp", "created_by", "last_altered:timestamp", "last_altered_by")
_TABLE_KEY = ("table_catalog", "table_schema", "table_name")
_PRIVILEGE = ("privilege_type", "is_grantable", "inherited_from")


def _time(milliseconds: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=milliseconds)


def _times(value: Catalog | Schema | Table | Function) -> Row:
    by = value.created_by or value.owner
    return _time(value.created_at), by, _time(value.updated_at), by


def _tables(metastore: Access, principal: Principal, catalog: str) -> Iterator[Table]:
    for schema in metastore.visible_schemas(principal, catalog):
        yield from metastore.visible_tables(principal, catalog, schema.name)


def _catalog_rows(metastore: Access, principal: Principal, catalog: str) -> Iterator[Row]:
    for value in metastore.visible_catalogs(principal):
        if value.name == catalog:
            yield (value.name, value.owner, value.comment, *_times(value))


def _schema_rows(metastore: Access, principal: Principal, catalog: str) -> Iterator[Row]:
    """The schemas, and ``information_schema`` itself, which every catalog has."""
    for found in metastore.visible_catalogs(principal):
        if found.name == catalog:
            yield (catalog, "information_schema", "System user", "Information schema (auto-created)", *_times(found))
    for value in metastore.visible_schemas(principal, catalog):
        yield (catalog, value.name, value.owner, value.comment, *_times(value))


def _table_rows(metastore: Access, principal: Principal, catalog: str) -> Iterator[Row]:
    for table in _tables(metastore, principal, catalog):
        is_view = table.table_type == "VIEW"
        insertable = "NO" if is_view else "YES"
        source = "UNKNOWN_DATA_SOURCE_FORMAT" if is_view else "DELTA"
        head = (*_table_key(table), table.table_type, insertable, "PRESERVE", table.owner, table.comment)
        yield (*head, *_times(table), source, table.table_id)


def _table_key(table: Table) -> tuple[str, str, str]:
    return table.catalog_name, table.schema_name, table.name


def _view_rows(metastore: Access, principal: Principal, catalog: str) -> Iterator[Row]:
    """The views; their text is for those who manage them."""
    for table in _tables(metastore, principal, catalog):
        if table.view_definition is not None:
            manages = metastore.holds(principal, "MANAGE", "table", table.full_name)
            text = table.view_definition if manages else None
            yield (*_table_key(table), text, "NONE", "NO", "NO", None)


_COLUMNS = _columns(
    *_TABLE_KEY,
    "column_name",
    "ordinal_position:int",
    "column_default",
    "is_nullable",
    "full_data_type",
    "data_type",
    "character_maximum_length:int",
    "character_octet_length",
    "numeric_precision:int",
    "numeric_precision_radix:int",
    "numeric_scale:int",
    "datetime_precision:int",
    "interval_type",
    "interval_precision:int",
    "maximum_cardinality:int",
    "is_identity",
    "identity_generation",
    "identity_start",
    "identity_increment",
    "identity_maximum",
    "identity_minimum",
    "identity_cycle",
    "is_generated",
    "generation_expression",
    "is_system_time_period_start",
    "is_system_time_period_end",
    "system_time_period_timestamp_generation",
    "is_updatable",
    "partition_ordinal_position:int",
    "comment",
)


def _column_rows(metastore: Access, principal: Principal, catalog: str) -> Iterator[Row]:
    for table in _tables(metastore, principal, catalog):
        for position, column in enumerate(table.columns, start=1):
            known = _about(column) | dict(zip(_TABLE_KEY, _table_key(table), strict=True))
            known["ordinal_position"] = position
            known["is_updatable"] = "NO" if table.table_type == "VIEW" else "YES"
            yield tuple(known.get(each.name) for each in _COLUMNS)


_BITS = {"BYTE": 8, "SHORT": 16, "INT": 32, "LONG": 64, "FLOAT": 24, "DOUBLE": 53}


def _about(column: Column) -> dict[str, object]:
    """What is known of a column; everything else is null ("reserved for future use", says the documentation)."""
    name = type_name(column.type_text)
    known: dict[str, object] = {
        "column_name": column.name,
        "is_nullable": "YES" if column.nullable else "NO",
        "full_data_type": re.sub(r"\s+", " ", column.type_text),
        "data_type": name,
        "datetime_precision": {"DATE": 0, "TIMESTAMP": 3, "TIMESTAMP_NTZ": 3}.get(name),
        "is_identity": "NO",
        "is_generated": "NO",
        "is_system_time_period_start": "NO",
        "is_system_time_period_end": "NO",
        "comment": column.comment,
    }
    if name == "DECIMAL":
        precision, scale = type_precision(column.type_text)
        known |= {"numeric_precision": precision, "numeric_precision_radix": 10, "numeric_scale": scale}
    elif name in _BITS:
        scale_of_integers = None if name in {"FLOAT", "DOUBLE"} else 0
        known |= {"numeric_precision": _BITS[name], "numeric_precision_radix": 2, "numeric_scale": scale_of_integers}
    return known


def _filter_rows(metastore: Access, principal: Principal, catalog: str) -> Iterator[Row]:
    for table in _tables(metastore, principal, catalog):
        if table.row_filter is not None:
            yield (*_table_key(table), table.row_filter.function, ",".join(table.row_filter.columns))


def _mask_rows(metastore: Access, principal: Principal, catalog: str) -> Iterator[Row]:
    for table in _tables(metastore, principal, catalog):
        for column in table.columns:
            if column.mask is not None:
                using = ",".join(column.mask.using) or None
                yield (*_table_key(table), column.name, column.mask.function, using)


def _privilege_rows(metastore: Access, kind: str, objects: Iterable[Catalog | Schema | Table]) -> Iterator[Row]:
    for value in objects:
        for held in metastore.effective_privileges(kind, value.full_name):
            inherited = held.inherited_from[0].upper() if held.inherited_from else "NONE"
            yield (None, held.principal, *value.full_name.split("."), held.privilege, "NO", inherited)


def _catalog_privilege_rows(metastore: Access, principal: Principal, catalog: str) -> Iterator[Row]:
    visible = [value for value in metastore.visible_catalogs(principal) if value.name == catalog]
    return _privilege_rows(metastore, "catalog", visible)


def _schema_privilege_rows(metastore: Access, principal: Principal, catalog: str) -> Iterator[Row]:
    return _privilege_rows(metastore, "schema", metastore.visible_schemas(principal, catalog))


def _table_privilege_rows(metastore: Access, principal: Principal, catalog: str) -> Iterator[Row]:
    return _privilege_rows(metastore, "table", _tables(metastore, principal, catalog))


def primary_key_name(table: Table) -> str:
    """The name of a table's primary key, as the platform names an unnamed one."""
    return f"{table.name}_pk"


def _constraint_rows(metastore: Access, principal: Principal, catalog: str) -> Iterator[Row]:
    for table in _tables(metastore, principal, catalog):
        if table.primary_key:
            key = (table.catalog_name, table.schema_name, primary_key_name(table))
            yield (*key, *_table_key(table), "PRIMARY KEY", "YES", "NO", "NO")


def _key_rows(metastore: Access, principal: Principal, catalog: str) -> Iterator[Row]:
    for table in _tables(metastore, principal, catalog):
        key = (table.catalog_name, table.schema_name, primary_key_name(table))
        for position, column in enumerate(table.primary_key, start=1):
            yield (*key, *_table_key(table), column, position, None)


def _routine_rows(metastore: Access, principal: Principal, catalog: str) -> Iterator[Row]:
    for schema in metastore.visible_schemas(principal, catalog):
        for function in metastore.visible_functions(principal, catalog, schema.name):
            name = (function.catalog_name, function.schema_name, function.name)
            returned = (type_name(function.return_type), function.return_type)
            # The body is for those who may manage the function: it can tell what a filter hides.
            manages = metastore.holds(principal, "MANAGE", "function", function.full_name)
            body = function.body if manages else None
            fixed = ("SQL", body, "YES", "CONTAINS_SQL", "DEFINER")
            yield (*name, *name, function.owner, "FUNCTION", *returned, *fixed, function.comment, *_times(function))


_Source = Callable[["Access", Principal, str], Iterator[Row]]

VIEWS: dict[str, tuple[tuple[Column, ...], _Source]] = {
    "catalogs": (_columns("catalog_name", "catalog_owner", "comment", *_TIMES), _catalog_rows),
    "schemata": (_columns("catalog_name", "schema_name", "schema_owner", "comment", *_TIMES), _schema_rows),
    "tables": (
        _columns(
            *_TABLE_KEY,
            "table_type",
            "is_insertable_into",
            "commit_action",
            "table_owner",
            "comment",
            *_TIMES,
            "data_source_format",
            "storage_sub_directory",
        ),
        _table_rows,
    ),
    "columns": (_COLUMNS, _column_rows),
    "views": (
        _columns(*_TABLE_KEY, "view_definition", "check_option", "is_updatable", "is_insertable_into", "sql_path"),
        _view_rows,
    ),
    "row_filters": (_columns(*_TABLE_KEY, "filter_name", "target_columns"), _filter_rows),
    "column_masks": (_columns(*_TABLE_KEY, "column_name", "mask_name", "using_columns"), _mask_rows),
    "catalog_privileges": (
        _columns("grantor", "grantee", "catalog_name", *_PRIVILEGE),
        _catalog_privilege_rows,
    ),
    "schema_privileges": (
        _columns("grantor", "grantee", "catalog_name", "schema_name", *_PRIVILEGE),
        _schema_privilege_rows,
    ),
    "table_privileges": (_columns("grantor", "grantee", *_TABLE_KEY, *_PRIVILEGE), _table_privilege_rows),
    "table_constraints": (
        _columns(
            "constraint_catalog",
            "constraint_schema",
            "constraint_name",
            *_TABLE_KEY,
            "constraint_type",
            "is_deferrable",
            "initially_deferred",
            "enforced",
        ),
        _constraint_rows,
    ),
    "key_column_usage": (
        _columns(
            "constraint_catalog",
            "constraint_schema",
            "constraint_name",
            *_TABLE_KEY,
            "column_name",
            "ordinal_position:int",
            "position_in_unique_constraint:int",
        ),
        _key_rows,
    ),
    "routines": (
        _columns(
            "specific_catalog",
            "specific_schema",
            "specific_name",
            "routine_catalog",
            "routine_schema",
            "routine_name",
            "routine_owner",
            "routine_type",
            "data_type",
            "full_data_type",
            "routine_body",
            "routine_definition",
            "is_deterministic",
            "sql_data_access",
            "security_type",
            "comment",
            *_TIMES,
        ),
        _routine_rows,
    ),
}
"""Each view that is served: its columns and where its rows come from."""


def rows(metastore: Access, principal: Principal, catalog: str, view: str) -> tuple[tuple[Column, ...], list[Row]]:
    """The columns and rows of ``catalog.information_schema.view``; see ``Metastore.information_schema``.

    Raises:
        NotFound: there is no such view.
    """
    metastore.require(principal, "USE_CATALOG", "catalog", catalog)
    if view not in VIEWS:
        raise NotFound("table", f"{catalog}.information_schema.{view}")
    columns, source = VIEWS[view]
    return columns, list(source(metastore, principal, catalog))
