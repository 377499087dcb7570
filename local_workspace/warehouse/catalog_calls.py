"""The metadata calls of Thrift: catalogs, schemas, tables, columns, as JDBC's DatabaseMetaData names them.

Only what the caller may see is listed: the metastore decides.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Protocol

import pyarrow as pa

from local_workspace.identity.model import Principal
from local_workspace.sql.model import ResultColumn
from local_workspace.unity_catalog.model import Catalog, Function, Schema, Table
from local_workspace.warehouse.sql_types import display_type, wire_type

Listing = tuple[tuple[ResultColumn, ...], pa.Table]


class Catalogs(Protocol):
    """What the calls need to know of Unity Catalog; every method lists what ``principal`` may see."""

    def visible_catalogs(self, principal: Principal) -> list[Catalog]:
        """Visible catalogs."""

    def visible_schemas(self, principal: Principal, catalog: str) -> list[Schema]:
        """Visible schemas of a catalog."""

    def visible_tables(self, principal: Principal, catalog: str, schema: str) -> list[Table]:
        """Visible tables and views of a schema."""

    def visible_functions(self, principal: Principal, catalog: str, schema: str) -> list[Function]:
        """Visible functions of a schema."""


class Call(Protocol):
    """One metadata call: the result of a request."""

    __name__: str

    def __call__(self, catalogs: Catalogs, principal: Principal, request: Any) -> Listing:
        """Columns and rows."""


_ARROW = {"STRING": pa.string(), "INT": pa.int32(), "SMALLINT": pa.int16(), "TINYINT": pa.int8()}


def _columns(text: str) -> tuple[ResultColumn, ...]:
    """``NAME`` is a STRING, ``NAME:INT`` says its type."""
    pairs = (item.partition(":") for item in text.split())
    return tuple(ResultColumn(name, kind or "STRING") for name, _, kind in pairs)


_CATALOGS = _columns("TABLE_CAT")
_SCHEMAS = _columns("TABLE_SCHEM TABLE_CATALOG")
_TABLE_TYPES = _columns("TABLE_TYPE")
_TABLES = _columns(
    "TABLE_CAT TABLE_SCHEM TABLE_NAME TABLE_TYPE REMARKS TYPE_CAT TYPE_SCHEM TYPE_NAME SELF_REFERENCING_COL_NAME"
    " REF_GENERATION"
)
_COLUMNS = _columns(
    "TABLE_CAT TABLE_SCHEM TABLE_NAME COLUMN_NAME DATA_TYPE:INT TYPE_NAME COLUMN_SIZE:INT BUFFER_LENGTH:TINYINT"
    " DECIMAL_DIGITS:INT NUM_PREC_RADIX:INT NULLABLE:INT REMARKS COLUMN_DEF SQL_DATA_TYPE:INT SQL_DATETIME_SUB:INT"
    " CHAR_OCTET_LENGTH:INT ORDINAL_POSITION:INT IS_NULLABLE SCOPE_CATALOG SCOPE_SCHEMA SCOPE_TABLE"
    " SOURCE_DATA_TYPE:SMALLINT IS_AUTO_INCREMENT"
)
_FUNCTIONS = _columns("FUNCTION_CAT FUNCTION_SCHEM FUNCTION_NAME REMARKS FUNCTION_TYPE:INT SPECIFIC_NAME")
_PRIMARY_KEYS = _columns("TABLE_CAT TABLE_SCHEM TABLE_NAME COLUMN_NAME KEY_SEQ:INT PK_NAME")
_CROSS_REFERENCE = _columns(
    "PKTABLE_CAT PKTABLE_SCHEM PKTABLE_NAME PKCOLUMN_NAME FKTABLE_CAT FKTABLE_SCHEM FKTABLE_NAME FKCOLUMN_NAME"
    " KEY_SEQ:SMALLINT UPDATE_RULE:SMALLINT DELETE_RULE:SMALLINT FK_NAME PK_NAME DEFERRABILITY:SMALLINT"
)
_TYPE_INFO = _columns(
    "TYPE_NAME DATA_TYPE:INT PRECISION:INT LITERAL_PREFIX LITERAL_SUFFIX CREATE_PARAMS NULLABLE:SMALLINT"
    " CASE_SENSITIVE:SMALLINT SEARCHABLE:SMALLINT UNSIGNED_ATTRIBUTE:SMALLINT FIXED_PREC_SCALE:SMALLINT"
    " AUTO_INCREMENT:SMALLINT LOCAL_TYPE_NAME MINIMUM_SCALE:SMALLINT MAXIMUM_SCALE:SMALLINT SQL_DATA_TYPE:INT"
    " SQL_DATETIME_SUB:INT NUM_PREC_RADIX:INT"
)

# base type -> (size, decimal digits, radix), as JDBC's getColumns defines them
_SIZES: dict[str, tuple[int | None, int | None, int | None]] = {
    "BOOLEAN": (1, None, None),
    "TINYINT": (3, 0, 10),
    "SMALLINT": (5, 0, 10),
    "INT": (10, 0, 10),
    "BIGINT": (19, 0, 10),
    "FLOAT": (7, 7, 10),
    "DOUBLE": (15, 15, 10),
    "DATE": (10, None, None),
    "TIMESTAMP": (29, 6, None),
    "TIMESTAMP_NTZ": (29, 6, None),
}


def _listing(columns: tuple[ResultColumn, ...], rows: Iterable[Sequence[Any]]) -> Listing:
    transposed = list(zip(*rows, strict=True)) or [()] * len(columns)
    arrays = [pa.array(values, _ARROW[column.type_text]) for values, column in zip(transposed, columns, strict=True)]
    return columns, pa.Table.from_arrays(arrays, names=[column.name for column in columns])


def _matcher(pattern: str | None) -> Callable[[str], bool]:
    """A LIKE pattern (``%``, ``_``, backslash escapes), without regard to case; None and empty match everything."""
    if not pattern:
        return lambda _name: True
    parts = []
    for part in re.findall(r"\\.|.", pattern, re.DOTALL):
        if part == "%":
            parts.append(".*")
        elif part == "_":
            parts.append(".")
        else:
            parts.append(re.escape(part[-1]))
    compiled = re.compile("".join(parts), re.IGNORECASE | re.DOTALL)
    return lambda name: compiled.fullmatch(name) is not None


def _schemas(catalogs: Catalogs, principal: Principal, request: Any) -> Iterator[Schema]:
    wanted_catalog, wanted_schema = _matcher(request.catalogName), _matcher(request.schemaName)
    for catalog in sorted(catalogs.visible_catalogs(principal), key=lambda one: one.name):
        if wanted_catalog(catalog.name):
            found = sorted(catalogs.visible_schemas(principal, catalog.name), key=lambda one: one.name)
            yield from (schema for schema in found if wanted_schema(schema.name))


def _tables(catalogs: Catalogs, principal: Principal, request: Any) -> Iterator[Table]:
    wanted = _matcher(request.tableName)
    for schema in _schemas(catalogs, principal, request):
        found = sorted(catalogs.visible_tables(principal, schema.catalog_name, schema.name), key=lambda one: one.name)
        yield from (table for table in found if wanted(table.name))


def _kind(table: Table) -> str:
    return "VIEW" if table.table_type == "VIEW" else "TABLE"


def get_catalogs(catalogs: Catalogs, principal: Principal, request: Any) -> Listing:  # noqa: ARG001 - it has no filter
    """GetCatalogs."""
    return _listing(
        _CATALOGS, ([one.name] for one in sorted(catalogs.visible_catalogs(principal), key=lambda one: one.name))
    )


def get_schemas(catalogs: Catalogs, principal: Principal, request: Any) -> Listing:
    """GetSchemas, by patterns."""
    return _listing(_SCHEMAS, ([one.name, one.catalog_name] for one in _schemas(catalogs, principal, request)))


def get_table_types(catalogs: Catalogs, principal: Principal, request: Any) -> Listing:  # noqa: ARG001 - always the same
    """GetTableTypes."""
    return _listing(_TABLE_TYPES, [["TABLE"], ["VIEW"]])


def get_tables(catalogs: Catalogs, principal: Principal, request: Any) -> Listing:
    """GetTables, by patterns and table types (none or an empty list: all)."""
    kinds = {kind.upper() for kind in request.tableTypes or ()}
    rows = (
        [one.catalog_name, one.schema_name, one.name, _kind(one), one.comment or "", None, None, None, None, None]
        for one in _tables(catalogs, principal, request)
        if not kinds or _kind(one) in kinds
    )
    return _listing(_TABLES, rows)


def get_columns(catalogs: Catalogs, principal: Principal, request: Any) -> Listing:
    """GetColumns, by patterns; ordered by table, then position."""
    wanted = _matcher(request.columnName)
    rows = []
    for table in _tables(catalogs, principal, request):
        for position, column in enumerate(table.columns):
            if wanted(column.name):
                rows.append(
                    _column_row(table, column.name, column.type_text, column.nullable, column.comment, position)
                )
    return _listing(_COLUMNS, rows)


def _column_row(
    table: Table, name: str, type_text: str, nullable: bool, comment: str | None, position: int
) -> list[Any]:
    kind = wire_type(type_text)
    size, digits, radix = _SIZES.get(kind.base, (None, None, None))
    if kind.base == "DECIMAL":
        size, digits, radix = kind.precision, kind.scale, 10
    place = [table.catalog_name, table.schema_name, table.name, name]
    described = [kind.jdbc, display_type(type_text), size, None, digits, radix, int(nullable), comment or "", None]
    rest = [None, None, None, position, "YES" if nullable else "NO", None, None, None, None, "NO"]
    return [*place, *described, *rest]


def get_functions(catalogs: Catalogs, principal: Principal, request: Any) -> Listing:
    """GetFunctions: SQL functions of Unity Catalog, by patterns. FUNCTION_TYPE 1: no table result."""
    wanted = _matcher(request.functionName)
    rows = [
        [one.catalog_name, one.schema_name, one.name, one.comment or "", 1, one.full_name]
        for schema in _schemas(catalogs, principal, request)
        for one in catalogs.visible_functions(principal, schema.catalog_name, schema.name)
        if wanted(one.name)
    ]
    return _listing(_FUNCTIONS, rows)


def get_primary_keys(catalogs: Catalogs, principal: Principal, request: Any) -> Listing:
    """GetPrimaryKeys: the declared, informational keys."""
    rows = [
        [table.catalog_name, table.schema_name, table.name, column, place, f"{table.name}_pk"]
        for table in _tables(catalogs, principal, request)
        for place, column in enumerate(table.primary_key, start=1)
    ]
    return _listing(_PRIMARY_KEYS, rows)


def get_cross_reference(catalogs: Catalogs, principal: Principal, request: Any) -> Listing:  # noqa: ARG001 - none exist
    """GetCrossReference: this metastore keeps no foreign keys."""
    return _listing(_CROSS_REFERENCE, [])


def get_type_info(catalogs: Catalogs, principal: Principal, request: Any) -> Listing:  # noqa: ARG001 - always the same
    """GetTypeInfo: the SQL types and their JDBC numbers."""
    return _listing(_TYPE_INFO, [_type_row(name) for name in _TYPE_NAMES])


_TYPE_NAMES = (
    *("BOOLEAN", "TINYINT", "SMALLINT", "INT", "BIGINT", "FLOAT", "DOUBLE", "DECIMAL"),
    *("STRING", "BINARY", "DATE", "TIMESTAMP", "ARRAY", "MAP", "STRUCT"),
)


def _type_row(name: str) -> list[Any]:
    size, digits, radix = (38, 38, 10) if name == "DECIMAL" else _SIZES.get(name, (None, None, None))
    quote = "'" if name in ("STRING", "DATE", "TIMESTAMP") else None
    searchable = 0 if name in ("ARRAY", "MAP", "STRUCT") else 3
    flags = [1, int(name == "STRING"), searchable, int(radix is None), 0, 0]
    return [name, wire_type(name).jdbc, size, quote, quote, None, *flags, None, 0, digits or 0, None, None, radix]
