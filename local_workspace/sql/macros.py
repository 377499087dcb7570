"""Macros of a library database that only the engine itself names: which there are, and how they must be called."""

from __future__ import annotations

import re
from typing import Any

from local_workspace.sql.macro_library import CLOCK, LIBRARY, MACROS

ADAPTED: dict[str, tuple[str, ...]] = {
    "add_months": ("cast_date", ""),
    "date_add": ("cast_date", ""),
    "date_sub": ("cast_date", ""),
    "day": ("wall",),
    "dayname": ("wall",),
    "dayofmonth": ("wall",),
    "dayofweek": ("wall",),
    "dayofyear": ("wall",),
    "days_between": ("cast_date", "cast_date"),
    "formatted": ("wall", ""),
    "full_units": ("", "wall", "wall"),
    "hour": ("wall",),
    "last_day": ("cast_date",),
    "minute": ("wall",),
    "month": ("wall",),
    "monthname": ("wall",),
    "months_between": ("wall", "wall"),
    "moved": ("wall", ""),
    "quarter": ("wall",),
    "second": ("wall",),
    "truncated": ("", "wall"),
    "truncated_date": ("", "cast_date"),
    "unix_date": ("cast_date",),
    "unix_micros": ("cast_timestamp",),
    "unix_millis": ("cast_timestamp",),
    "unix_seconds": ("cast_timestamp",),
    "unix_timestamp": ("cast_timestamp",),
    "weekday": ("wall",),
    "weekofyear": ("wall",),
    "year": ("wall",),
}
"""What the arguments of a macro must be turned into where it is called: overloads of macros need a typed argument."""

OVERLOADED = frozenset(
    {"wall", "cast_date", "try_date", "cast_timestamp", "try_timestamp", "cast_integer", "try_integer"}
)
"""Macros with one body for each type, which a bare NULL does not choose between."""

_INTERNAL = frozenset(
    [
        "day_text",
        "clock_text",
        "zone_text",
        "stamp_text",
        "try_date_text",
        "date_text",
        "try_stamp_text",
        "text_to_stamp",
        "wall",
        "cast_date",
        "try_date",
        "cast_timestamp",
        "try_timestamp",
        "int_text",
        "cast_integer",
        "try_integer",
        "mantissa",
        "digits_text",
        "double_text",
        "stamp_to_text",
        "cast_string",
        "cast_binary",
        "days_between",
        "full_units",
        "truncated",
        "truncated_date",
        "moved",
        "formatted",
        "today",
        "day_second",
        "at_month_end",
        "plus_days",
        "plus_time",
        "whole",
        "near_tie",
        "round_double",
        "only_double",
        "no_decimal",
        "no_integer",
        "minus",
        "both",
        "quotient",
        "whole_quotient",
        "whole_ratio",
        "whole_part",
        "remainder",
        "substring3",
        "item",
        "truncated_number",
        "try_int_text",
    ]
)
NAMES = frozenset(definition.partition("(")[0] for definition in MACROS) - _INTERNAL
"""Databricks functions that a macro of the same name answers."""


def _repeating() -> frozenset[str]:
    """Macros that mention an argument more than once, themselves or through another macro."""
    found: set[str] = set()
    for _ in range(len(MACROS)):
        before = len(found)
        for definition in MACROS:
            name, _, rest = definition.partition("(")
            called = set(re.findall(r"\{S\}\.(\w+)\(", definition))
            parameters = rest.partition(")")[0].split(",")
            words = [parameter.split()[0] for parameter in parameters if parameter.strip()]
            bodies = re.split(r", \((?=[\w ,()]*\) AS )", rest)
            repeats = any(len(re.findall(rf"\b{word}\b", body)) > 2 for word in words for body in bodies)
            if repeats or called & found:
                found.add(name)
        if len(found) == before:
            break
    return frozenset(found)


REPEATING = _repeating()
"""Macros whose calls, nested in each other, would grow a statement exponentially."""


def install(connection: Any) -> None:
    """Make the library in a fresh instance. Must run before its settings are locked."""
    connection.execute(f"ATTACH ':memory:' AS {LIBRARY}")
    for schema, clock in CLOCK.items():
        prefix = f"{LIBRARY}.{schema}"
        connection.execute(f"CREATE SCHEMA {prefix}")
        for definition in (*clock, *MACROS):
            connection.execute(f"CREATE MACRO {prefix}.{definition.replace('{S}', prefix)}")
