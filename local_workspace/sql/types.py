"""Types between Databricks, DuckDB and Arrow.

The Databricks type of a result follows DuckDB's type after the statement is bound; the Arrow types on the wire are
those that the SQL connector's documentation states for each Databricks type.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from sqlglot import exp
from sqlglot.errors import SqlglotError

from local_workspace.sql import errors
from local_workspace.sql.model import SqlError

_T = exp.DataType.Type
YEARS, DAYS = "INTERVAL YEAR TO MONTH", "INTERVAL DAY TO SECOND"
_SIMPLE = {
    "boolean": "BOOLEAN",
    "tinyint": "TINYINT",
    "smallint": "SMALLINT",
    "integer": "INT",
    "bigint": "BIGINT",
    "hugeint": "BIGINT",
    "utinyint": "SMALLINT",
    "usmallint": "INT",
    "uinteger": "BIGINT",
    "ubigint": "DECIMAL(20,0)",
    "float": "FLOAT",
    "double": "DOUBLE",
    "varchar": "STRING",
    "enum": "STRING",
    "uuid": "STRING",
    "json": "VARIANT",
    "blob": "BINARY",
    "date": "DATE",
    "timestamp": "TIMESTAMP_NTZ",
    "timestamp with time zone": "TIMESTAMP",
    "interval": "INTERVAL DAY TO SECOND",
    "null": "VOID",
    "sqlnull": "VOID",
    '"null"': "VOID",
}
_DUCK = {
    _T.BOOLEAN: "BOOLEAN",
    _T.TINYINT: "TINYINT",
    _T.SMALLINT: "SMALLINT",
    _T.INT: "INTEGER",
    _T.BIGINT: "BIGINT",
    _T.FLOAT: "FLOAT",
    _T.DOUBLE: "DOUBLE",
    _T.TEXT: "VARCHAR",
    _T.VARCHAR: "VARCHAR",
    _T.CHAR: "VARCHAR",
    _T.BINARY: "BLOB",
    _T.DATE: "DATE",
    _T.TIMESTAMP: "TIMESTAMPTZ",
    _T.TIMESTAMPTZ: "TIMESTAMPTZ",
    _T.TIMESTAMPLTZ: "TIMESTAMPTZ",
    _T.TIMESTAMPNTZ: "TIMESTAMP",
    _T.VARIANT: "JSON",
    _T.INTERVAL: "INTERVAL",
}
_OTHER = frozenset({_T.DECIMAL, _T.ARRAY, _T.LIST, _T.MAP, _T.STRUCT, _T.NULL})
_NAMES = {
    _T.BOOLEAN: "boolean",
    _T.TINYINT: "tinyint",
    _T.SMALLINT: "smallint",
    _T.INT: "int",
    _T.BIGINT: "bigint",
    _T.FLOAT: "float",
    _T.DOUBLE: "double",
    _T.TEXT: "string",
    _T.BINARY: "binary",
    _T.DATE: "date",
    _T.TIMESTAMP: "timestamp",
    _T.TIMESTAMPTZ: "timestamp",
    _T.TIMESTAMPLTZ: "timestamp",
    _T.TIMESTAMPNTZ: "timestamp_ntz",
    _T.VARIANT: "variant",
}
_ARROW = {
    "BOOLEAN": pa.bool_(),
    "TINYINT": pa.int8(),
    "SMALLINT": pa.int16(),
    "INT": pa.int32(),
    "BIGINT": pa.int64(),
    "FLOAT": pa.float32(),
    "DOUBLE": pa.float64(),
    "STRING": pa.string(),
    "BINARY": pa.binary(),
    "DATE": pa.date32(),
    "TIMESTAMP_NTZ": pa.timestamp("us"),
    "VARIANT": pa.string(),
    "VOID": pa.string(),
    "INTERVAL DAY TO SECOND": pa.string(),
    "INTERVAL YEAR TO MONTH": pa.string(),
}


def parse_type(text: str) -> exp.DataType:
    """A Databricks type as a tree.

    Raises:
        SqlError: UNSUPPORTED_DATATYPE.
    """
    try:
        tree = exp.DataType.build(text, dialect="databricks", udt=False)
    except (SqlglotError, ValueError) as fault:
        raise _unknown(text) from fault
    check(tree, text)
    return tree


PLAIN = "plain_cast"
"""Marks a cast that must reach DuckDB as it is."""


def plain(value: exp.Expr, kind: str) -> exp.Cast:
    """``value`` cast to a Databricks type by DuckDB's own rules: for values whose text or type is known to fit."""
    made = exp.Cast(this=value, to=parse_type(kind))
    made.meta[PLAIN] = True
    return made


def _unknown(text: str) -> SqlError:
    return SqlError("UNSUPPORTED_DATATYPE", f'Unsupported data type "{text.upper()}".', "0A000")


def check(tree: exp.DataType, text: str = "") -> None:
    """Refuse types outside the platform's own.

    Raises:
        SqlError: UNSUPPORTED_DATATYPE.
    """
    for node in tree.find_all(exp.DataType):
        if node.this not in _DUCK and node.this not in _OTHER:
            raise _unknown(text or node.sql(dialect="databricks"))


def duck_type(tree: exp.DataType) -> str:
    """How DuckDB spells a Databricks type."""
    kind = tree.this
    parts = tree.expressions
    if kind == _T.DECIMAL:
        return f"DECIMAL({','.join(part.name for part in parts)})" if parts else "DECIMAL(10,0)"
    if kind in (_T.ARRAY, _T.LIST):
        return duck_type(parts[0]) + "[]"
    if kind == _T.MAP:
        return f"MAP({duck_type(parts[0])}, {duck_type(parts[1])})"
    if kind == _T.STRUCT:
        return "STRUCT(" + ", ".join(f'"{p.name}" {duck_type(p.args["kind"])}' for p in parts) + ")"
    return _DUCK[kind]


def type_text(tree: exp.DataType) -> str:
    """The catalog's spelling of a type, in lower case: ``decimal(10,2)``, ``array<string>``, ``struct<a:int>``."""
    kind = tree.this
    parts = tree.expressions
    if kind == _T.DECIMAL:
        numbers = [part.name for part in parts]
        return f"decimal({(numbers or ['10'])[0]},{numbers[1] if len(numbers) > 1 else '0'})"
    if kind in (_T.ARRAY, _T.LIST):
        return f"array<{type_text(parts[0])}>"
    if kind == _T.MAP:
        return f"map<{type_text(parts[0])},{type_text(parts[1])}>"
    if kind == _T.STRUCT:
        return "struct<" + ",".join(f"{p.name}:{type_text(p.args['kind'])}" for p in parts) + ">"
    if kind in (_T.VARCHAR, _T.CHAR):
        return f"{'varchar' if kind == _T.VARCHAR else 'char'}({parts[0].name})" if parts else "string"
    if kind == _T.INTERVAL:
        return "interval day to second"
    return _NAMES[kind]


def from_duck(kind: Any) -> str:
    """The Databricks type, in upper case, of a DuckDB type object (``DuckDBPyType``)."""
    name = kind.id
    if name == "decimal":
        precision, scale = (item[1] for item in kind.children)
        return f"DECIMAL({precision},{scale})"
    if name in ("list", "array"):
        return f"ARRAY<{from_duck(kind.children[0][1])}>"
    if name == "map":
        return f"MAP<{from_duck(kind.children[0][1])}, {from_duck(kind.children[1][1])}>"
    if name == "struct":
        return "STRUCT<" + ", ".join(f"{key}: {from_duck(child)}" for key, child in kind.children) + ">"
    if name == "varchar" and str(kind).upper() == "JSON":
        return "VARIANT"
    return _SIMPLE.get(name) or _SIMPLE.get(str(kind).lower()) or "STRING"


def arrow_from_duck(kind: Any, zone: str) -> pa.DataType:
    """The Arrow type on the wire for a DuckDB type; TIMESTAMP carries the session's zone."""
    name = kind.id
    if name in ("list", "array"):
        return pa.list_(pa.field("element", arrow_from_duck(kind.children[0][1], zone)))
    if name == "map":
        return pa.map_(arrow_from_duck(kind.children[0][1], zone), arrow_from_duck(kind.children[1][1], zone))
    if name == "struct":
        return pa.struct([pa.field(key, arrow_from_duck(child, zone)) for key, child in kind.children])
    return arrow_type(from_duck(kind), zone)


def arrow_type(text: str, zone: str) -> pa.DataType:
    """The Arrow type of a simple Databricks type in upper case."""
    if text == "TIMESTAMP":
        return pa.timestamp("us", tz=zone)
    if text.startswith("DECIMAL"):
        precision, scale = text[8:-1].split(",")
        return pa.decimal128(int(precision), int(scale))
    return _ARROW.get(text, pa.string())


def field(name: str, text: str, kind: pa.DataType) -> pa.Field:
    """An Arrow field with the metadata that tells clients the SQL type."""
    return pa.field(name, kind, metadata={"Spark:DataType:SqlName": text.split("<")[0]})


def cast_batch(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """``batch`` with the types of ``schema``.

    Raises:
        SqlError: ARITHMETIC_OVERFLOW when a sum does not fit BIGINT.
    """
    if batch.schema.types == schema.types:
        return pa.RecordBatch.from_arrays(batch.columns, schema=schema)
    arrays = [_top(array, item) for array, item in zip(batch.columns, schema, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _top(array: pa.Array, item: pa.Field) -> pa.Array:
    if pa.types.is_interval(array.type):
        name = (item.metadata or {}).get(b"Spark:DataType:SqlName", b"").decode()
        texts = [None if value is None else interval_text(value, name) for value in array.to_pylist()]
        return pa.array(texts, pa.string())
    return _cast(array, item.type)


def _cast(array: pa.Array, kind: pa.DataType) -> pa.Array:
    if array.type == kind:
        return array
    try:
        return _nested(array, kind)
    except pa.ArrowInvalid as fault:
        raise errors.from_duckdb(OverflowError("overflow")) from fault


def _nested(array: pa.Array, kind: pa.DataType) -> pa.Array:
    if pa.types.is_map(kind) and pa.types.is_map(array.type):
        keys, items = _cast(array.keys, kind.key_type), _cast(array.items, kind.item_type)
        made = pa.MapArray.from_arrays(_offsets(array), keys, items, mask=_mask(array))
        return made if made.type == kind else made.cast(kind)
    if pa.types.is_list(kind) and pa.types.is_list(array.type):
        values = _cast(array.values, kind.value_type)
        return pa.ListArray.from_arrays(_offsets(array), values, type=kind, mask=_mask(array))
    if pa.types.is_struct(kind) and pa.types.is_struct(array.type):
        children = [_cast(array.field(i), kind.field(i).type) for i in range(kind.num_fields)]
        return pa.StructArray.from_arrays(children, fields=list(kind), mask=_mask(array))
    return array.cast(kind)


def _mask(array: pa.Array) -> pa.Array | None:
    return pc.is_null(array) if array.null_count else None


def _offsets(array: pa.Array) -> pa.Array:
    return array.offsets


def interval_text(value: Any, kind: str = DAYS) -> str:
    """Spark's text of an interval: ``1-2`` for years and months, ``1 02:03:04.000000000`` otherwise."""
    if kind == YEARS:
        sign, months = ("-", -value.months) if value.months < 0 else ("", value.months)
        return f"{sign}{months // 12}-{months % 12}"
    total = (value.months * 30 + value.days) * 86_400_000_000_000 + value.nanoseconds
    sign, total = ("-", -total) if total < 0 else ("", total)
    seconds, nanos = divmod(total, 1_000_000_000)
    days, rest = divmod(seconds, 86_400)
    return f"{sign}{days} {rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}.{nanos:09d}"
