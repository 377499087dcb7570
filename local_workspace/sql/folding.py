"""Casts of literals, done here: DuckDB would bind the general macro for them, which costs milliseconds each.

Only texts whose meaning is certain are folded; every other text, a malformed one too, keeps its macro, so that a cast
in a branch that is never taken does not fail.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime

from sqlglot import exp

from local_workspace.sql.types import plain

_DATE = re.compile(r"(\d{4})(?:-(\d{1,2}))?(?:-(\d{1,2}))?(?:[T ].*)?\Z")
_STAMP = re.compile(
    r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ](\d{1,2})(?::(\d{1,2})(?::(\d{1,2})(?:\.(\d{1,6}))?)?)?)?"
    r"( ?(?:Z|UTC|[+-]\d{2}:\d{2}))?\Z"
)
_INTEGER = re.compile(r"[+-]?\d{1,18}\Z")


def fold(name: str, arguments: list[exp.Expr], utc: bool) -> exp.Expr | None:
    """What a macro gives for literal text, or None when it must be called."""
    rule = _RULES.get(name)
    if rule is None or len(arguments) != 1:
        return None
    value = arguments[0]
    if not isinstance(value, exp.Literal) or not value.is_string:
        return None
    return rule(value.name.strip(" "), utc)


def _date(text: str, _utc: bool) -> exp.Expr | None:
    found = _DATE.match(text)
    if not found or (len(text) > 10 and found.group(3) is None):
        return None
    try:
        day = date(int(found.group(1)), int(found.group(2) or 1), int(found.group(3) or 1))
    except ValueError:
        return None
    return plain(exp.Literal.string(day.isoformat()), "DATE")


def _clock(text: str) -> tuple[str, str] | None:
    """The wall clock and the zone of a text."""
    if re.fullmatch(r"\d{4}(-\d{1,2}){0,2}", text):
        day = _date(text, True)
        return (f"{day.this.name} 00:00:00.000000", "") if day is not None else None
    found = _STAMP.match(text)
    if not found:
        return None
    year, month, day_, hour, minute, second, fraction, zone = found.groups()
    try:
        moment = datetime(  # noqa: DTZ001 - a wall clock; its zone is kept beside it
            int(year),
            int(month),
            int(day_),
            int(hour or 0),
            int(minute or 0),
            int(second or 0),
            int((fraction or "0").ljust(6, "0")),
        )
    except ValueError:
        return None
    return moment.isoformat(" ", "microseconds"), (zone or "").strip().replace("UTC", "+00:00").replace("Z", "+00:00")


def _timestamp(text: str, _utc: bool) -> exp.Expr | None:
    found = _clock(text)
    return plain(exp.Literal.string("".join(found)), "TIMESTAMP") if found else None


def _wall(text: str, _utc: bool) -> exp.Expr | None:
    found = _clock(text)
    return plain(exp.Literal.string(found[0]), "TIMESTAMP_NTZ") if found and not found[1] else None


def _integer(text: str, _utc: bool) -> exp.Expr | None:
    return plain(exp.Literal.string(str(int(text))), "BIGINT") if _INTEGER.match(text) else None


_RULES: dict[str, Callable[[str, bool], exp.Expr | None]] = {
    "cast_date": _date,
    "try_date": _date,
    "cast_timestamp": _timestamp,
    "try_timestamp": _timestamp,
    "wall": _wall,
    "cast_integer": _integer,
    "try_integer": _integer,
}
