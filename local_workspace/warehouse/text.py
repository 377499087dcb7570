"""Values as text: for JSON results, for column-based results, and for clients that refuse Arrow's own types."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def timestamp_text(value: datetime) -> str:
    """``2024-03-10 01:59:59.123`` in the value's own zone; the fraction without trailing zeros, as Spark does."""
    text = value.replace(tzinfo=None).isoformat(sep=" ", timespec="seconds")
    return f"{text}.{value.microsecond:06d}".rstrip("0") if value.microsecond else text


def iso_timestamp_text(value: datetime) -> str:
    """``2016-02-14T16:52:13.000Z``, the form of the Statement Execution API; NTZ values carry no zone."""
    timespec = "microseconds" if value.microsecond % 1000 else "milliseconds"
    if value.tzinfo is None:
        return value.isoformat(timespec=timespec)
    return value.isoformat(timespec=timespec).replace("+00:00", "Z")


def double_text(value: float, *, single: bool = False) -> str:
    """A FLOAT or DOUBLE as Spark writes it (Java's rules): ``1.0``, ``1.0E16``, ``1.0E-5``, ``NaN``, ``Infinity``."""
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "Infinity" if value > 0 else "-Infinity"
    number: Any = np.float32(value) if single else np.float64(value)
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        return np.format_float_positional(number, unique=True, trim="0")
    mantissa, _, exponent = np.format_float_scientific(number, unique=True, trim="0").partition("e")
    return f"{mantissa}E{int(exponent)}"


def json_text(value: Any, kind: pa.DataType) -> str:
    """One value as compact JSON: ``[1,2,null]``, ``{"a":1,"b":null}``; map keys become JSON strings."""
    if value is None:
        return "null"
    if pa.types.is_map(kind):
        pairs = (f"{_key(key, kind.key_type)}:{json_text(item, kind.item_type)}" for key, item in value)
        return "{" + ",".join(pairs) + "}"
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return "[" + ",".join(json_text(item, kind.value_type) for item in value) + "]"
    if pa.types.is_struct(kind):
        fields = (
            f"{json.dumps(field.name, ensure_ascii=False)}:{json_text(value[field.name], field.type)}" for field in kind
        )
        return "{" + ",".join(fields) + "}"
    return _json_scalar(value, kind)


def _json_scalar(value: Any, kind: pa.DataType) -> str:
    """A value without parts as JSON; NaN and the infinities, which JSON lacks, become strings."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, Decimal)):
        return scalar_text(value, kind)
    if isinstance(value, float) and np.isfinite(value):
        return scalar_text(value, kind)
    return json.dumps(scalar_text(value, kind), ensure_ascii=False)


def _key(value: Any, kind: pa.DataType) -> str:
    text = scalar_text(value, kind) if not pa.types.is_nested(kind) else json_text(value, kind)
    return json.dumps(text, ensure_ascii=False)


def scalar_text(value: Any, kind: pa.DataType, *, iso: bool = False) -> str:
    """A value as text; ``iso`` picks the Statement Execution API's timestamps. Nested values become JSON."""
    if pa.types.is_nested(kind):
        return json_text(value, kind)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return iso_timestamp_text(value) if iso else timestamp_text(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float):
        return double_text(value, single=pa.types.is_float32(kind))
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    return str(value)


def column_texts(column: pa.ChunkedArray, *, iso: bool = False) -> list[str | None]:
    """A whole column as texts, NULL as None; integers and strings take Arrow's fast way."""
    kind = column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return list(column.to_pylist())
    if pa.types.is_integer(kind):
        return list(pc.cast(column, pa.string()).to_pylist())
    return [None if value is None else scalar_text(value, kind, iso=iso) for value in column.to_pylist()]


def text_column(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The column with every value as text."""
    return pa.chunked_array([pa.array(column_texts(column), pa.string())])


def rows_of_texts(table: pa.Table) -> Iterable[list[str | None]]:
    """Rows as lists of texts, the Statement Execution API's ``data_array``."""
    if table.num_columns == 0:
        return []
    return [list(row) for row in zip(*(column_texts(column, iso=True) for column in table.columns), strict=True)]
