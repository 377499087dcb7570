"""How a result column's Databricks type is described to clients of either protocol."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from databricks.sql.thrift_api.TCLIService import ttypes

from local_workspace.sql.model import ResultColumn

_DECIMAL = re.compile(r"DECIMAL\((\d+)\s*,\s*(\d+)\)")
_TYPE_IDS = ttypes.TTypeId

# base type -> (Thrift type id, the Statement Execution API's type_name, JDBC java.sql.Types number)
_TYPES: dict[str, tuple[int, str, int]] = {
    "BOOLEAN": (_TYPE_IDS.BOOLEAN_TYPE, "BOOLEAN", 16),
    "TINYINT": (_TYPE_IDS.TINYINT_TYPE, "BYTE", -6),
    "SMALLINT": (_TYPE_IDS.SMALLINT_TYPE, "SHORT", 5),
    "INT": (_TYPE_IDS.INT_TYPE, "INT", 4),
    "BIGINT": (_TYPE_IDS.BIGINT_TYPE, "LONG", -5),
    "FLOAT": (_TYPE_IDS.FLOAT_TYPE, "FLOAT", 6),
    "DOUBLE": (_TYPE_IDS.DOUBLE_TYPE, "DOUBLE", 8),
    "DECIMAL": (_TYPE_IDS.DECIMAL_TYPE, "DECIMAL", 3),
    "STRING": (_TYPE_IDS.STRING_TYPE, "STRING", 12),
    "CHAR": (_TYPE_IDS.STRING_TYPE, "CHAR", 12),
    "VARCHAR": (_TYPE_IDS.STRING_TYPE, "STRING", 12),
    "BINARY": (_TYPE_IDS.BINARY_TYPE, "BINARY", -2),
    "DATE": (_TYPE_IDS.DATE_TYPE, "DATE", 91),
    "TIMESTAMP": (_TYPE_IDS.TIMESTAMP_TYPE, "TIMESTAMP", 93),
    "TIMESTAMP_NTZ": (_TYPE_IDS.TIMESTAMP_TYPE, "TIMESTAMP_NTZ", 93),
    "ARRAY": (_TYPE_IDS.ARRAY_TYPE, "ARRAY", 2003),
    "MAP": (_TYPE_IDS.MAP_TYPE, "MAP", 2000),
    "STRUCT": (_TYPE_IDS.STRUCT_TYPE, "STRUCT", 2002),
    "VOID": (_TYPE_IDS.STRING_TYPE, "NULL", 0),
    "VARIANT": (_TYPE_IDS.STRING_TYPE, "VARIANT", 1111),
}
_YEAR_MONTH = (_TYPE_IDS.INTERVAL_YEAR_MONTH_TYPE, "INTERVAL", 12)
_DAY_TIME = (_TYPE_IDS.INTERVAL_DAY_TIME_TYPE, "INTERVAL", 12)
_UNKNOWN = (_TYPE_IDS.STRING_TYPE, "STRING", 12)


@dataclass(frozen=True, slots=True)
class WireType:
    """One Databricks type as the protocols name it. ``precision`` and ``scale`` are set for DECIMAL only."""

    base: str
    thrift_id: int
    rest_name: str
    jdbc: int
    precision: int | None = None
    scale: int | None = None


@lru_cache(maxsize=1024)
def wire_type(type_text: str) -> WireType:
    """Describe a Databricks type given as text in either case, ``decimal(10,2)`` or ``ARRAY<STRING>``."""
    text = type_text.strip().upper()
    base = re.split(r"[(<\s]", text, maxsplit=1)[0]
    if base == "INTERVAL":
        parts = _YEAR_MONTH if "DAY" not in text and ("YEAR" in text or "MONTH" in text) else _DAY_TIME
    else:
        parts = _TYPES.get(base, _UNKNOWN)
    precision = scale = None
    if base == "DECIMAL":
        digits = _DECIMAL.match(text)
        precision, scale = (int(digits[1]), int(digits[2])) if digits else (10, 0)
    return WireType(base, *parts, precision, scale)


def display_type(type_text: str) -> str:
    """A type as metadata calls show it: upper-case type names, ``STRUCT<name: STRING, age: INT>``."""
    spaced = re.sub(r"\s*([,:])\s*", r"\1 ", re.sub(r"\s+", " ", type_text.strip()))
    # Field names (before a colon) keep their case; DECIMAL's comma takes no blank.
    named = re.sub(r"(`[^`]*`|[A-Za-z_][\w ]*)(:?)", lambda m: m[0] if m[2] or m[0][0] == "`" else m[0].upper(), spaced)
    return re.sub(r"\((\d+), (\d+)\)", r"(\1,\2)", named)


def thrift_schema(columns: tuple[ResultColumn, ...]) -> ttypes.TTableSchema:
    """The ``TTableSchema`` of a result; positions count from 1, and every type is a primitive entry."""
    described = []
    for position, column in enumerate(columns, start=1):
        kind = wire_type(column.type_text)
        qualifiers = None
        if kind.precision is not None:
            qualifiers = ttypes.TTypeQualifiers(
                {
                    "precision": ttypes.TTypeQualifierValue(i32Value=kind.precision),
                    "scale": ttypes.TTypeQualifierValue(i32Value=kind.scale),
                }
            )
        entry = ttypes.TTypeEntry(primitiveEntry=ttypes.TPrimitiveTypeEntry(kind.thrift_id, qualifiers))
        described.append(ttypes.TColumnDesc(column.name, ttypes.TTypeDesc([entry]), position))
    return ttypes.TTableSchema(described)


def rest_columns(columns: tuple[ResultColumn, ...]) -> list[dict[str, object]]:
    """The ``schema.columns`` of a Statement Execution manifest; positions count from 0."""
    described: list[dict[str, object]] = []
    for position, column in enumerate(columns):
        kind = wire_type(column.type_text)
        entry: dict[str, object] = {
            "name": column.name,
            "type_text": column.type_text,
            "type_name": kind.rest_name,
            "position": position,
        }
        if kind.precision is not None:
            entry |= {"type_precision": kind.precision, "type_scale": kind.scale}
        if kind.base == "INTERVAL":
            entry["type_interval_type"] = column.type_text.upper().removeprefix("INTERVAL ")
        described.append(entry)
    return described
