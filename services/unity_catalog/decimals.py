"""Comparing a column with a decimal that one type cannot hold beside the column's own values.

The warehouse compares two decimals in a type with room for the whole digits and the decimals of both, but no type has
more than 38 digits: beyond that it fails on the rows that it meets (``NUMERIC_VALUE_OUT_OF_RANGE``). But a column of
scale ``s`` holds multiples of ``10^-s`` only, and none beyond its largest. So such a comparison says the same as one
with the next multiple below, or the same of every row.

Types: https://docs.databricks.com/aws/en/sql/language-manual/data-types/decimal-type
"""

from __future__ import annotations

import re
from decimal import ROUND_FLOOR, Context, Decimal

from services.unity_catalog import types
from services.unity_catalog.literals import Literal, exact

_DIGITS = 38
_INTEGERS = {"TINYINT": 3, "BYTE": 3, "SMALLINT": 5, "SHORT": 5, "INT": 10, "INTEGER": 10, "BIGINT": 20, "LONG": 20}
"""Whole digits of the decimal that an integer becomes beside a decimal."""
_DECIMAL = re.compile(r"\((\d+)(?:,\s*(\d+))?\)")
_WIDE = Context(prec=200)
_ABOVE = {"eq": False, "ne": True, "lt": True, "le": True, "gt": False, "ge": False}
"""What a comparison with a value above all that the column can hold says of every value."""
_BELOW = {"eq": False, "ne": True, "lt": False, "le": False, "gt": True, "ge": True}
_BETWEEN: dict[str, bool | str] = {"eq": False, "ne": True, "lt": "le", "le": "le", "gt": "gt", "ge": "gt"}
"""What a comparison with a value between two multiples says, as one with the multiple below."""


def fitted(data_type: str, operator: str, bound: Literal) -> tuple[str, Literal] | bool:
    """The comparison in digits that the warehouse has: operator and literal, or what it says of every value not null.

    Args:
        data_type: of the column.
        operator: eq, ne, lt, le, gt or ge.
        bound: what the column is compared with; anything but a decimal stays as it is.
    """
    if not isinstance(bound.value, Decimal):
        return operator, bound
    whole, scale = _room(data_type)
    value, given = bound.value, bound.value.as_tuple()
    decimals = max(-int(given.exponent), 0)
    if max(whole, value.adjusted() + 1) + max(scale, decimals) <= _DIGITS:
        return operator, bound
    if value.copy_abs() > _WIDE.subtract(Decimal(1).scaleb(whole), Decimal(1).scaleb(-scale)):
        return (_ABOVE if value > 0 else _BELOW)[operator]
    multiple = value.quantize(Decimal(1).scaleb(-scale), ROUND_FLOOR, _WIDE)
    if multiple == value:
        return operator, exact(multiple, bound.shown)
    said = _BETWEEN[operator]
    return said if isinstance(said, bool) else (said, exact(multiple, bound.shown))


def _room(data_type: str) -> tuple[int, int]:
    """Whole digits and decimals of a column; a bare DECIMAL has ten whole digits."""
    whole = _INTEGERS.get(types.base(data_type))
    if whole is not None:
        return whole, 0
    found = _DECIMAL.search(data_type)
    precision, scale = (int(found[1]), int(found[2] or 0)) if found else (10, 0)
    return precision - scale, scale
