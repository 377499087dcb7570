"""What the columns of a table hold: two statements, whatever the number of columns.

The first counts nulls and distinct values (approximately) and finds least, greatest, mean and middle values. The second
counts distributions with what the first told: histograms of numbers and times, most frequent values of text and
booleans.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from services.identity import User
from services.unity_catalog import types, values
from services.unity_catalog.columns import chosen
from services.unity_catalog.filters import predicate
from services.unity_catalog.identifiers import qualified, quote
from services.unity_catalog.models import (
    Bin,
    Column,
    ColumnProfile,
    Profile,
    ProfileRequest,
    TableDetails,
    TableRef,
    TopValue,
)
from services.unity_catalog.running import Runner
from services.unity_catalog.statements import Binder, Statement, where

BINS = 40
TOP = 8
MOST_DISTINCT = 20_000
"""Columns with more distinct values have no frequent ones worth a GROUP BY over all of them."""
_EPOCH = dt.datetime(1970, 1, 1)  # noqa: DTZ001 - a base for arithmetic; the zone is said by the suffix
_IDENTIFIER = re.compile(r"(^|_)(id|zip|zipcode|code|key)$", re.IGNORECASE)
"""Names of whole-number columns that name things: how often each occurs says more than how they lie on a scale."""
_FIGURES = frozenset({"integer", "number", "decimal", "text", "boolean", "date", "timestamp"})


@dataclass(slots=True)
class _Figures:
    """What the first statement told about a column; ``low`` and ``high`` are its finite extent as numbers."""

    column: Column
    nulls: int
    distinct: int | None = None
    minimum: Any = None
    maximum: Any = None
    low: float | None = None
    high: float | None = None
    nan: int | None = None
    mean: float | None = None
    median: float | None = None
    bins: list[tuple[int, int]] = field(default_factory=list)
    top: list[TopValue] = field(default_factory=list)

    @property
    def has_histogram(self) -> bool:
        """Whether its values lie on a scale and there are any."""
        on_scale = number_of(self.column) is not None and not (self.is_identifier and self.has_top)
        return on_scale and self.low is not None and self.high is not None

    @property
    def has_top(self) -> bool:
        """Whether frequent values are worth asking for."""
        few = self.distinct is not None and 0 < self.distinct <= MOST_DISTINCT
        return few and (self.column.kind in ("text", "boolean") or self.is_identifier)

    @property
    def is_identifier(self) -> bool:
        """Whether its whole numbers are names rather than amounts."""
        return _names_things(self.column)

    @property
    def step(self) -> float:
        """The width of a bar; whole for whole numbers and days, so that no bar is empty by construction."""
        low, high = self.low or 0.0, self.high or 0.0
        if self.column.kind in ("integer", "date"):
            return float(max(1, math.ceil((high - low + 1) / BINS)))
        return (high - low) / BINS or 1.0


def number_of(column: Column) -> str | None:
    """A DOUBLE that stands for a value on its scale: days for dates, microseconds for times; None without a scale."""
    name = quote(column.name)
    if column.kind in ("integer", "number", "decimal"):
        return f"CAST({name} AS DOUBLE)"
    if column.kind == "date":
        return f"CAST(unix_date({name}) AS DOUBLE)"
    if column.kind == "timestamp":
        instant = f"CAST({name} AS TIMESTAMP)" if types.base(column.data_type) == "TIMESTAMP_NTZ" else name
        return f"CAST(unix_micros({instant}) AS DOUBLE)"
    return None


def profile(
    runner: Runner, user: User, ref: TableRef, details: TableDetails, request: ProfileRequest, key: str | None
) -> Profile:
    """Profile columns over the filtered rows. Runs as the user.

    Raises:
        InvalidRequest: columns or filter do not fit the table.
        LakefrontError: see ``Runner.run``.
    """
    columns = chosen(details.columns, request.columns)
    first = runner.run(user, figures_statement(ref, details.columns, columns, request), "warehouse.profile", ref, key)
    row = values.rows(first.table)[0]
    figures = [_figures(row, at, column) for at, column in enumerate(columns)]
    queries = [first.query]
    second = distribution_statement(ref, details.columns, figures, request)
    if second is not None:
        result = runner.run(user, second, "warehouse.profile", ref, key)
        queries.append(result.query)
        _fill(figures, values.rows(result.table))
    total = int(row["n"])
    spent = sum(query.elapsed_ms for query in queries)
    return Profile(
        rows_read=total,
        columns=[_told(one, total) for one in figures],
        queries=queries,
        query=first.query.model_copy(update={"elapsed_ms": spent}),
    )


def figures_statement(
    ref: TableRef, known: Sequence[Column], columns: Sequence[Column], request: ProfileRequest
) -> Statement:
    """The first statement: one row with the figures of every column. Raises InvalidRequest for a misfit filter."""
    binder = Binder()
    ends = ""
    if any(column.kind == "number" for column in columns):
        low, high = binder.bind("DOUBLE", "-Infinity", "-Infinity"), binder.bind("DOUBLE", "Infinity", "Infinity")
        ends = f"> {low} AND {{c}} < {high}"
    items = ["COUNT(*) AS `n`"]
    for at, column in enumerate(columns):
        items += _figure_items(at, column, ends)
    filtered = where(predicate(request.filter, known, binder))
    listed = ",\n  ".join(items)
    return binder.build(f"SELECT\n  {listed}\nFROM {qualified(ref)}{filtered}")


def _figure_items(at: int, column: Column, ends: str) -> list[str]:
    """The items of one column in the first statement."""
    name, number = quote(column.name), number_of(column)
    items = [f"COUNT({name}) AS `c{at}_present`"]
    if column.kind not in _FIGURES:
        return items
    items += [
        f"approx_count_distinct({name}) AS `c{at}_distinct`",
        f"MIN({name}) AS `c{at}_min`",
        f"MAX({name}) AS `c{at}_max`",
    ]
    measured = number
    if column.kind == "number":
        measured = finite = f"CASE WHEN {number} {ends.replace('{c}', number or '')} THEN {number} END"
        items += [f"MIN({finite}) AS `c{at}_low`", f"MAX({finite}) AS `c{at}_high`"]
        items.append(f"COUNT(CASE WHEN isnan({name}) THEN 1 END) AS `c{at}_nan`")
    elif number is not None:
        items += [f"MIN({number}) AS `c{at}_low`", f"MAX({number}) AS `c{at}_high`"]
    if _is_amount(column):
        items += [f"AVG({measured}) AS `c{at}_mean`", f"percentile_approx({measured}, 0.5) AS `c{at}_median`"]
    return items


def _names_things(column: Column) -> bool:
    """Whether its whole numbers are names rather than amounts."""
    return column.kind == "integer" and _IDENTIFIER.search(column.name) is not None


def _is_amount(column: Column) -> bool:
    """Whether a mean says something: numbers, but not whole numbers that name things."""
    return column.kind in ("integer", "number", "decimal") and not _names_things(column)


def _figures(row: dict[str, Any], at: int, column: Column) -> _Figures:
    """The figures of one column from the first statement's row."""
    distinct = row.get(f"c{at}_distinct")
    nan = row.get(f"c{at}_nan")
    return _Figures(
        column=column,
        nulls=int(row["n"]) - int(row[f"c{at}_present"]),
        distinct=None if distinct is None else int(distinct),
        minimum=row.get(f"c{at}_min"),
        maximum=row.get(f"c{at}_max"),
        low=row.get(f"c{at}_low"),
        high=row.get(f"c{at}_high"),
        nan=None if nan is None else int(nan),
        mean=row.get(f"c{at}_mean"),
        median=row.get(f"c{at}_median"),
    )


def distribution_statement(
    ref: TableRef, known: Sequence[Column], figures: Sequence[_Figures], request: ProfileRequest
) -> Statement | None:
    """The second statement: bars and frequent values of all columns, one block each; None when there is none."""
    binder = Binder()
    filtered = predicate(request.filter, known, binder)
    parts: list[str] = []
    for at, one in enumerate(figures):
        if one.has_histogram:
            parts.append(_histogram(at, one, ref, filtered, binder))
        elif one.has_top:
            parts.append(_top(at, one, ref, filtered, binder))
    return binder.build("\nUNION ALL\n".join(parts)) if parts else None


def _histogram(at: int, one: _Figures, ref: TableRef, filtered: str, binder: Binder) -> str:
    """Counts by bar."""
    number = number_of(one.column)
    low, high, width = binder.double(one.low or 0.0), binder.double(one.high or 0.0), binder.double(one.step)
    inside = where(filtered, f"{number} >= {low}", f"{number} <= {high}")
    bar = f"CAST(floor(({number} - {low}) / {width}) AS INT)"
    return (
        f"SELECT {at} AS `c`, {bar} AS `bar`, CAST(NULL AS STRING) AS `value`, COUNT(*) AS `n`"
        f"\nFROM {qualified(ref)}{inside}\nGROUP BY 2"
    )


def _top(at: int, one: _Figures, ref: TableRef, filtered: str, binder: Binder) -> str:
    """The most frequent values."""
    name = quote(one.column.name)
    inside = where(filtered, f"{name} IS NOT NULL")
    return (
        f"(SELECT {at} AS `c`, CAST(NULL AS INT) AS `bar`, CAST({name} AS STRING) AS `value`, COUNT(*) AS `n`"
        f"\nFROM {qualified(ref)}{inside}\nGROUP BY {name}\nORDER BY `n` DESC, `value` ASC NULLS FIRST"
        f"\nLIMIT {binder.integer(TOP)})"
    )


def _fill(figures: Sequence[_Figures], rows: Sequence[dict[str, Any]]) -> None:
    """Put the second statement's rows to their columns."""
    for row in rows:
        one, count = figures[int(row["c"])], int(row["n"])
        if row["bar"] is not None:
            one.bins.append((min(int(row["bar"]), BINS - 1), count))
        else:
            one.top.append(TopValue(value=_value(one.column, row["value"]), count=count))


def _value(column: Column, text: str) -> Any:
    """A frequent value in its column's own terms: the second statement tells all of them as text."""
    if column.kind == "boolean":
        return text == "true"
    return values.scalar(int(text)) if column.kind == "integer" else text


def _told(one: _Figures, total: int) -> ColumnProfile:
    """One column's profile."""
    return ColumnProfile(
        name=one.column.name,
        data_type=one.column.data_type,
        masked=one.column.masked,
        nulls=one.nulls,
        null_fraction=one.nulls / total if total else 0.0,
        approx_distinct=None if one.distinct is None else min(one.distinct, total - one.nulls),
        minimum=one.minimum,
        maximum=one.maximum,
        histogram=_bars(one) if one.has_histogram else None,
        top_values=sorted(one.top, key=lambda top: (-top.count, str(top.value))) if one.has_top else None,
        nan=one.nan,
        mean=one.mean,
        median=one.median,
    )


def _bars(one: _Figures) -> list[Bin]:
    """The bars from the least value to the greatest, empty ones included."""
    low, high, step = one.low or 0.0, one.high or 0.0, one.step
    bars = max(1, min(BINS, math.ceil((high - low + (1 if one.column.kind in ("integer", "date") else 0)) / step)))
    counts = [0] * bars
    for at, count in one.bins:
        counts[min(at, bars - 1)] += count
    inner = [_edge(one.column, low + step * at) for at in range(1, bars)]
    # A DOUBLE cannot hold every BIGINT or microsecond; the ends are known exactly.
    exact = one.column.kind in ("integer", "date", "timestamp")
    ends = (one.minimum, one.maximum) if exact else (_edge(one.column, low), _edge(one.column, high))
    edges = [ends[0], *inner, ends[1]]
    return [Bin(low=edges[at], high=edges[at + 1], count=count) for at, count in enumerate(counts)]


def _edge(column: Column, number: float) -> Any:
    """An edge of a bar in the column's own terms."""
    if column.kind == "integer":
        return values.scalar(int(number))
    if column.kind == "date":
        return (_EPOCH + dt.timedelta(days=int(number))).date().isoformat()
    if column.kind == "timestamp":
        moment = _EPOCH + dt.timedelta(microseconds=int(number))
        return moment.isoformat() + ("" if types.base(column.data_type) == "TIMESTAMP_NTZ" else "Z")
    return values.scalar(number)
