"""From a JSON value to a typed literal of a column: what is taken, and as which text it is bound.

Integers and decimals may come as numbers or as text, because answers write large ones as text; NaN and infinities come
as ``"NaN"``, ``"Infinity"`` and ``"-Infinity"``; dates and times in ISO 8601, times without a zone being UTC.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from services.unity_catalog import types
from services.unity_catalog.errors import invalid

_INTEGER = re.compile(r"[+-]?[0-9]{1,40}")
_SPECIAL = {"nan": math.nan, "infinity": math.inf, "inf": math.inf, "-infinity": -math.inf, "-inf": -math.inf}


@dataclass(frozen=True, slots=True)
class Literal:
    """A value of a column's type: Databricks type, the text to bind, and the Python value."""

    type: str
    text: str
    value: Any
    shown: Any


def literal(data_type: str, value: Any, path: str) -> Literal:
    """The literal of a JSON value for a column of this type.

    Raises:
        InvalidRequest: the value is not of the type; ``path`` is named. The value itself is not repeated: messages are
            logged, and values are people's data.
    """
    convert = _CONVERTERS.get(types.kind(data_type))
    if convert is None:
        raise invalid(path, f"{data_type} cannot be compared with a value")
    try:
        return convert(data_type, value)
    except (ValueError, OverflowError, InvalidOperation, TypeError):
        raise invalid(path, f"{_WANTED[types.kind(data_type)]} expected") from None


_WANTED = {
    "integer": "a number",
    "number": "a number",
    "decimal": "a number of at most 38 digits",
    "text": "text",
    "boolean": "true or false",
    "date": "a date (YYYY-MM-DD)",
    "timestamp": "a time (YYYY-MM-DDTHH:MM:SS)",
}


def _number(value: Any) -> int | float | Decimal:
    """A number, from a number or its text; text keeps all its digits."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise TypeError(value)
    if isinstance(value, str):
        text = value.strip()
        if text.lower() in _SPECIAL:
            return _SPECIAL[text.lower()]
        return int(text) if _INTEGER.fullmatch(text) else Decimal(text)
    return value


def exact(value: int | float | Decimal, shown: Any) -> Literal:
    """A DECIMAL literal that is just wide enough.

    Args:
        value: the number.
        shown: the value as an answer shows it.

    Raises:
        ValueError: not finite, or more than 38 digits.
    """
    exact = value if isinstance(value, Decimal) else Decimal(repr(value))
    if not exact.is_finite() or abs(exact.adjusted()) > 80:
        raise ValueError(value)
    text = format(exact, "f")
    whole, _, fraction = text.lstrip("+-").partition(".")
    precision = max(len(whole.lstrip("0")) + len(fraction), 1)
    if precision > 38:
        raise ValueError(value)
    return Literal(f"DECIMAL({precision},{len(fraction)})", text, exact, shown)


def _integer_literal(_: str, value: Any) -> Literal:
    """For integer columns: BIGINT, or DECIMAL where a fraction or more digits are asked for."""
    number = _number(value)
    if isinstance(number, float) and number.is_integer():
        number = int(number)
    if isinstance(number, int) and -(2**63) <= number < 2**63:
        return Literal("BIGINT", str(number), number, value)
    return exact(number, value)


def _double_literal(data_type: str, value: Any) -> Literal:
    """For DOUBLE and FLOAT columns, in the column's own width, so that a value that was shown is found again."""
    given = _number(value)
    number = float(given)
    if not isinstance(given, float) and not math.isfinite(number):
        raise ValueError(value)
    text = {math.inf: "Infinity", -math.inf: "-Infinity"}.get(number, repr(number))
    return Literal("FLOAT" if types.base(data_type) in ("FLOAT", "REAL") else "DOUBLE", text, number, value)


def _decimal_literal(_: str, value: Any) -> Literal:
    """For DECIMAL columns."""
    return exact(_number(value), value)


def _text_literal(_: str, value: Any) -> Literal:
    """For STRING columns: text only; lone surrogates are no text."""
    if not isinstance(value, str):
        raise TypeError(value)
    value.encode("utf-8")
    return Literal("STRING", value, value, value)


def _boolean_literal(_: str, value: Any) -> Literal:
    """For BOOLEAN columns."""
    if not isinstance(value, bool):
        raise TypeError(value)
    return Literal("BOOLEAN", "true" if value else "false", value, value)


def _iso(value: Any) -> str:
    """The text of a date or time; the forms of ISO 8601 that only Python reads are refused."""
    if not isinstance(value, str) or not re.match(r"\d{4}-\d{2}-\d{2}(?!\d)", value):
        raise ValueError(value)
    return value.strip()


def _date_literal(_: str, value: Any) -> Literal:
    """For DATE columns: a date, or a time at midnight."""
    text = _iso(value)
    moment = dt.datetime.fromisoformat(text)
    if moment.time() != dt.time() or moment.tzinfo is not None:
        raise ValueError(value)
    return Literal("DATE", moment.date().isoformat(), moment.date(), value)


def _timestamp_literal(data_type: str, value: Any) -> Literal:
    """For TIMESTAMP (UTC when no zone is given) and TIMESTAMP_NTZ (a zone is refused: it would say nothing)."""
    moment = dt.datetime.fromisoformat(_iso(value))
    if types.base(data_type) == "TIMESTAMP_NTZ":
        if moment.tzinfo is not None:
            raise ValueError(value)
        return Literal("TIMESTAMP_NTZ", moment.isoformat(sep=" "), moment, value)
    moment = moment.replace(tzinfo=dt.UTC) if moment.tzinfo is None else moment.astimezone(dt.UTC)
    return Literal("TIMESTAMP", moment.isoformat(sep=" "), moment, value)


_CONVERTERS: dict[str, Callable[[str, Any], Literal]] = {
    "integer": _integer_literal,
    "number": _double_literal,
    "decimal": _decimal_literal,
    "text": _text_literal,
    "boolean": _boolean_literal,
    "date": _date_literal,
    "timestamp": _timestamp_literal,
}
