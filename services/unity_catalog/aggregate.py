"""Groups and measures for charts: the warehouse groups, the answer holds what can be drawn and says what was cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from services.identity import User
from services.unity_catalog import types, values
from services.unity_catalog.errors import invalid
from services.unity_catalog.filters import predicate
from services.unity_catalog.identifiers import qualified, quote
from services.unity_catalog.models import (
    AggregateRequest,
    AggregateResult,
    Column,
    GroupBy,
    Kind,
    Measure,
    ResultColumn,
    TableDetails,
    TableRef,
)
from services.unity_catalog.running import Runner
from services.unity_catalog.statements import Binder, Statement, where

_NUMBERS: frozenset[Kind] = frozenset({"integer", "number", "decimal"})
_GROUPABLE: frozenset[Kind] = _NUMBERS | {"text", "boolean", "date", "timestamp"}
_FUNCTIONS = {"sum": "SUM", "avg": "AVG", "min": "MIN", "max": "MAX", "count": "COUNT"}


@dataclass(frozen=True, slots=True)
class Extent:
    """Least and greatest finite value of a column that is cut into equal steps."""

    lowest: float
    highest: float

    def step(self, bins: int) -> float:
        """The width of a step; one for a column of one value."""
        return (self.highest - self.lowest) / bins or 1.0


def statements(
    ref: TableRef, columns: Sequence[Column], request: AggregateRequest, extents: Sequence[Extent | None]
) -> tuple[Statement, Statement]:
    """The statement of the groups (one more than the limit), and the one that counts them all.

    Args:
        ref: the table.
        columns: its columns.
        request: what is asked; its columns were checked by ``check``.
        extents: for each group column with ``bins`` its extent, else None.

    Raises:
        InvalidRequest: the filter does not fit.
    """
    by_name = {column.name: column for column in columns}
    names = output_names(request)
    binder = Binder()
    groups = [
        _group(by_name[group.column], group, extent, binder)
        for group, extent in zip(request.group_by, extents, strict=True)
    ]
    filtered = where(predicate(request.filter, columns, binder))
    source = f"\nFROM {qualified(ref)}{filtered}"
    grouped = f"\nGROUP BY {', '.join(str(at + 1) for at in range(len(groups)))}" if groups else ""
    selected = [*groups, *(_measure(measure) for measure in request.measures)]
    aliased = ", ".join(f"{item} AS {quote(name)}" for item, name in zip(selected, names, strict=True))
    numbered = ", ".join(f"{item} AS g{at}" for at, item in enumerate(groups)) or "1"
    inner = f"SELECT {numbered}{source}{grouped}"
    counting = binder.build(f"SELECT COUNT(*) AS `n`\nFROM ({inner}) AS g")
    order = _order(request, names) if groups else ""
    text = f"SELECT {aliased}{source}{grouped}{order}\nLIMIT {binder.integer(request.limit + 1)}"
    return binder.build(text), counting


def check(columns: Sequence[Column], request: AggregateRequest) -> None:
    """Whether groups and measures suit the columns.

    Raises:
        InvalidRequest: they do not; the field is named.
    """
    for at, group in enumerate(request.group_by):
        column = _named(columns, group.column, f"group_by[{at}].column")
        _check_group(column, group, f"group_by[{at}]")
    for at, measure in enumerate(request.measures):
        if measure.column is None:
            if measure.function != "count":
                raise invalid(f"measures[{at}].column", f"{measure.function} needs a column")
            continue
        column = _named(columns, measure.column, f"measures[{at}].column")
        if measure.function in ("sum", "avg") and column.kind not in _NUMBERS:
            raise invalid(
                f"measures[{at}].function", f"{measure.function} needs a number; {column.name} is {column.data_type}"
            )
        if measure.function in ("min", "max", "count_distinct") and column.kind not in _GROUPABLE:
            raise invalid(f"measures[{at}].function", f"{measure.function} does not suit {column.data_type}")


def output_names(request: AggregateRequest) -> list[str]:
    """Names of the answer's columns: the group's column, ``count``, ``avg_fare_amount``; made unique by a number."""
    wanted = [group.column for group in request.group_by]
    wanted += [
        f"{measure.function}_{measure.column}" if measure.column else measure.function for measure in request.measures
    ]
    names: list[str] = []
    for name in wanted:
        unique, number = name, 1
        while unique.lower() in {taken.lower() for taken in names}:
            number += 1
            unique = f"{name}_{number}"
        names.append(unique)
    return names


def aggregate(
    runner: Runner, user: User, ref: TableRef, details: TableDetails, request: AggregateRequest, key: str | None
) -> AggregateResult:
    """Groups and measures of the filtered table. Runs as the user.

    When there are more groups than the limit, the largest by the first measure remain (or the first ones), and a second
    statement counts them all.

    Raises:
        InvalidRequest: groups, measures or filter do not fit the table.
        LakefrontError: see ``Runner.run``.
    """
    check(details.columns, request)
    extents = [_extent(runner, user, ref, details, request, group, key) for group in request.group_by]
    statement, counting = statements(ref, details.columns, request, extents)
    result = runner.run(user, statement, "warehouse.aggregate", ref, key)
    truncated = result.table.num_rows > request.limit
    total = None
    if truncated:
        total = int(runner.run(user, counting, "warehouse.aggregate", ref, key).table.column(0)[0].as_py())
    table = _in_group_order(result.table.slice(0, request.limit), len(request.group_by))
    return AggregateResult(
        columns=[ResultColumn(name=one.name, data_type=values.type_text(one.type)) for one in table.schema],
        rows=values.rows(table),
        truncated=truncated,
        total_groups=total,
        query=result.query,
    )


def _named(columns: Sequence[Column], name: str, field: str) -> Column:
    """The column of a name. Raises InvalidRequest at ``field``."""
    for column in columns:
        if column.name == name:
            return column
    raise invalid(field, f"the table has no column named {name!r}")


def _check_group(column: Column, group: GroupBy, field: str) -> None:
    """Whether a column can be grouped so."""
    if column.kind not in _GROUPABLE:
        raise invalid(f"{field}.column", f"{column.name} cannot be grouped by: it is {column.data_type}")
    if group.bucket is not None and group.bins is not None:
        raise invalid(field, "bucket and bins exclude each other")
    if group.bucket is not None and column.kind not in ("timestamp", "date"):
        raise invalid(f"{field}.bucket", f"a bucket needs a timestamp or a date; {column.name} is {column.data_type}")
    if group.bins is not None and column.kind not in _NUMBERS:
        raise invalid(f"{field}.bins", f"bins need a number; {column.name} is {column.data_type}")


def _group(column: Column, group: GroupBy, extent: Extent | None, binder: Binder) -> str:
    """The expression of a group."""
    name = quote(column.name)
    if group.bucket is not None:
        truncated = f"date_trunc('{group.bucket.upper()}', {name})"
        # date_trunc gives a TIMESTAMP, whatever it is given.
        own = types.base(column.data_type)
        return truncated if own == "TIMESTAMP" else f"CAST({truncated} AS {own})"
    if group.bins is None or extent is None:
        return name
    number = f"CAST({name} AS DOUBLE)"
    low, high = binder.double(extent.lowest), binder.double(extent.highest)
    width, last = binder.double(extent.step(group.bins)), binder.double(float(group.bins - 1))
    # Beyond the finite extent lie NaN and the infinities only: they have no place on an axis.
    return (
        f"CASE WHEN {number} >= {low} AND {number} <= {high}"
        f" THEN {low} + {width} * LEAST(CAST(floor(({number} - {low}) / {width}) AS DOUBLE), {last}) END"
    )


def _measure(measure: Measure) -> str:
    """The expression of a measure."""
    if measure.column is None:
        return "COUNT(*)"
    name = quote(measure.column)
    if measure.function == "count_distinct":
        return f"COUNT(DISTINCT {name})"
    return f"{_FUNCTIONS[measure.function]}({name})"


def _order(request: AggregateRequest, names: Sequence[str]) -> str:
    """Which groups come first, and so remain when there are too many."""
    groups = [f"{quote(name)} ASC NULLS FIRST" for name in names[: len(request.group_by)]]
    first = [f"{quote(names[len(groups)])} DESC NULLS LAST"] if request.order == "largest" else []
    return f"\nORDER BY {', '.join([*first, *groups])}"


def _extent(
    runner: Runner,
    user: User,
    ref: TableRef,
    details: TableDetails,
    request: AggregateRequest,
    group: GroupBy,
    key: str | None,
) -> Extent | None:
    """The finite extent of a column with ``bins`` among the filtered rows."""
    if group.bins is None:
        return None
    binder = Binder()
    number = f"CAST({quote(group.column)} AS DOUBLE)"
    low, high = binder.bind("DOUBLE", "-Infinity", "-Infinity"), binder.bind("DOUBLE", "Infinity", "Infinity")
    finite = f"CASE WHEN {number} > {low} AND {number} < {high} THEN {number} END"
    filtered = where(predicate(request.filter, details.columns, binder))
    text = f"SELECT MIN({finite}) AS `lowest`, MAX({finite}) AS `highest`\nFROM {qualified(ref)}{filtered}"
    row = values.rows(runner.run(user, binder.build(text), "warehouse.aggregate", ref, key).table)[0]
    return Extent(row["lowest"] or 0.0, row["highest"] or 0.0)


def _in_group_order(table: pa.Table, groups: int) -> pa.Table:
    """The groups in the order of their columns, nulls first."""
    if groups == 0 or table.num_rows < 2:
        return table
    keys = pa.table({f"k{at}": table.column(at) for at in range(groups)})
    order = pc.sort_indices(keys, sort_keys=[(f"k{at}", "ascending", "at_start") for at in range(groups)])
    return table.take(order)
