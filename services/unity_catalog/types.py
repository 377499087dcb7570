"""What a column's type means to a reader: its kind, which filter operators suit it, whether it can be sorted.

Types: https://docs.databricks.com/aws/en/sql/language-manual/sql-ref-datatypes
"""

from __future__ import annotations

import re

from services.unity_catalog.models import Kind

_KINDS: dict[str, Kind] = {
    "TINYINT": "integer",
    "BYTE": "integer",
    "SMALLINT": "integer",
    "SHORT": "integer",
    "INT": "integer",
    "INTEGER": "integer",
    "BIGINT": "integer",
    "LONG": "integer",
    "FLOAT": "number",
    "REAL": "number",
    "DOUBLE": "number",
    "DECIMAL": "decimal",
    "DEC": "decimal",
    "NUMERIC": "decimal",
    "STRING": "text",
    "CHAR": "text",
    "VARCHAR": "text",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "TIMESTAMP": "timestamp",
    "TIMESTAMP_NTZ": "timestamp",
    "BINARY": "binary",
    "ARRAY": "nested",
    "MAP": "nested",
    "STRUCT": "nested",
}
# MAP and VARIANT cannot be ordered, nor can anything that holds one: the warehouse answers INVALID_ORDERING_TYPE.
# The words are looked for outside of quoted field names.
_UNORDERABLE = re.compile(r"\b(MAP|VARIANT|OBJECT|GEOGRAPHY|GEOMETRY|INTERVAL)\b")
_JSON_ABLE = re.compile(r"\b(MAP|VARIANT)\b")
_QUOTED = re.compile(r"`(?:[^`]|``)*`")
_FIELD_NAME = re.compile(r"[^\s<,:>]+\s*:")


_NAME_OR_WORD = re.compile(r"(`(?:[^`]|``)*`|[^<,:>]+(?=:))|([a-z_]+)")


def written(data_type: str) -> str:
    """The type in upper case, the names of a struct's fields as they are: ``ARRAY<STRUCT<name:STRING>>``."""
    return _NAME_OR_WORD.sub(lambda found: found[1] or found[2].upper(), data_type)


def base(data_type: str) -> str:
    """The type's name alone: ``DECIMAL`` of ``DECIMAL(10,2)``, ``ARRAY`` of ``ARRAY<INT>``."""
    return re.split(r"[\s(<]", data_type.strip().upper(), maxsplit=1)[0]


def kind(data_type: str) -> Kind:
    """What a column of this type is to a reader; ``other`` for intervals, variants and whatever comes."""
    return _KINDS.get(base(data_type), "other")


def orderable(data_type: str) -> bool:
    """Whether ``ORDER BY`` takes a column of this type."""
    return not _UNORDERABLE.search(_bare(data_type))


def comparable_as_json(data_type: str) -> bool:
    """Whether a column that cannot be ordered can be through ``to_json`` (maps, variants and what holds them)."""
    return bool(_JSON_ABLE.search(_bare(data_type)))


def _bare(data_type: str) -> str:
    """The type without its field names, in upper case."""
    return _FIELD_NAME.sub("", _QUOTED.sub("q", data_type)).upper()


def is_float(data_type: str) -> bool:
    """Whether the type knows NaN and infinities."""
    return kind(data_type) == "number"
