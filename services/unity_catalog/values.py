"""From Arrow to JSON that keeps its meaning, column by column.

BIGINT beyond 2^53 and every DECIMAL become text (a browser's numbers would round them), timestamps and dates ISO 8601,
binary base64, NaN and infinities the words ``NaN``, ``Infinity``, ``-Infinity``; arrays, maps and structs stay JSON.
"""

from __future__ import annotations

import base64
import datetime as dt
import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

SAFE_INTEGER = 2**53
"""Largest whole number that every JSON reader keeps exactly."""


def rows(table: pa.Table) -> list[dict[str, Any]]:
    """The rows of a result as JSON-safe objects, in order."""
    names = table.column_names
    columns = [column(table.column(at)) for at in range(table.num_columns)]
    return [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]


def column(values: pa.ChunkedArray) -> list[Any]:
    """One column as JSON-safe values."""
    kind = values.type
    if (
        pa.types.is_string(kind)
        or pa.types.is_boolean(kind)
        or pa.types.is_null(kind)
        or pa.types.is_large_string(kind)
    ):
        return list(values.to_pylist())
    if pa.types.is_integer(kind):
        return _integers(values)
    if pa.types.is_floating(kind):
        return _floats(values)
    if pa.types.is_timestamp(kind):
        return _timestamps(values)
    convert = converter(kind)
    return [None if value is None else convert(value) for value in values.to_pylist()]


def _integers(values: pa.ChunkedArray) -> list[Any]:
    """Whole numbers; beyond 2^53 as text."""
    found = list(values.to_pylist())
    if values.type.bit_width < 64:
        return found
    return [str(value) if value is not None and abs(value) > SAFE_INTEGER else value for value in found]


def _floats(values: pa.ChunkedArray) -> list[Any]:
    """Floating numbers. FLOAT goes through its shortest text: 1.1 stays 1.1 and does not become 1.100000023841858."""
    if pa.types.is_float32(values.type):
        values = pc.cast(pc.cast(values, pa.string()), pa.float64())
    return [value if value is None or math.isfinite(value) else special(value) for value in values.to_pylist()]


def _timestamps(values: pa.ChunkedArray) -> list[Any]:
    """Instants in UTC with a Z; TIMESTAMP_NTZ without a zone. Arrow writes them ten times faster than Python."""
    suffix = "Z" if values.type.tz else ""
    texts = pc.cast(pc.cast(values, pa.timestamp("us")), pa.string()).to_pylist()
    return [None if text is None else text.replace(" ", "T").removesuffix(".000000") + suffix for text in texts]


def special(value: float) -> str:
    """NaN and the infinities in words."""
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def converter(kind: pa.DataType) -> Callable[[Any], Any]:
    """How a Python value of this Arrow type (not null) becomes JSON-safe; nested types convert what they hold."""
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        inner = converter(kind.value_type)
        return lambda items: [None if item is None else inner(item) for item in items]
    if pa.types.is_map(kind):
        key, value = converter(kind.key_type), converter(kind.item_type)
        return lambda items: {_key(key(name)): None if item is None else value(item) for name, item in items}
    if pa.types.is_struct(kind):
        fields = {kind.field(at).name: converter(kind.field(at).type) for at in range(kind.num_fields)}
        return lambda item: {
            name: None if item[name] is None else convert(item[name]) for name, convert in fields.items()
        }
    if pa.types.is_float32(kind):
        return lambda value: scalar(float(pa.scalar(value, pa.float32()).cast(pa.string()).as_py()))
    return scalar


def _key(value: Any) -> str:
    """A map's key: JSON objects have text keys only."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else str(value)


def scalar(value: Any) -> Any:
    """One plain Python value, JSON-safe."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, int):
        return str(value) if abs(value) > SAFE_INTEGER else value
    if isinstance(value, float):
        return value if math.isfinite(value) else special(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, dt.datetime):
        if value.tzinfo is None:
            return value.isoformat()
        return value.astimezone(dt.UTC).replace(tzinfo=None).isoformat() + "Z"
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    return str(value)


_TYPE_TEXT: tuple[tuple[Callable[[pa.DataType], bool], str], ...] = (
    (pa.types.is_boolean, "BOOLEAN"),
    (pa.types.is_int8, "TINYINT"),
    (pa.types.is_int16, "SMALLINT"),
    (pa.types.is_int32, "INT"),
    (pa.types.is_int64, "BIGINT"),
    (pa.types.is_float32, "FLOAT"),
    (pa.types.is_float64, "DOUBLE"),
    (pa.types.is_date, "DATE"),
    (pa.types.is_binary, "BINARY"),
)


def type_text(kind: pa.DataType) -> str:
    """The Databricks type of a computed column, from its Arrow type."""
    if pa.types.is_decimal(kind):
        return f"DECIMAL({kind.precision},{kind.scale})"
    if pa.types.is_timestamp(kind):
        return "TIMESTAMP" if kind.tz else "TIMESTAMP_NTZ"
    return next((text for matches, text in _TYPE_TEXT if matches(kind)), "STRING")
