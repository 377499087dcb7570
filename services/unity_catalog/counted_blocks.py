"""Deep pages at the price of first pages, by counting blocks of the first sort column.

``ORDER BY k, … LIMIT 100 OFFSET 5000000`` makes a warehouse sort five million rows only to throw them away. But where
in the order a row lies can be counted without sorting. One aggregate counts the rows of each *block* of ``k``::

    SELECT MIN(k) AS lowest, MAX(k) AS highest, COUNT(*) AS n FROM t WHERE <filter> GROUP BY <bucket that rises with k>

Adding the counts up in sort order tells which blocks hold the page, and how many rows come before them. The page is
then the same statement, restricted to those blocks, with the small offset that remains::

    SELECT … FROM t WHERE <filter> AND k >= :lowest AND k <= :highest ORDER BY k, … LIMIT 100 OFFSET 1234

It is exact, not an estimate: blocks are disjoint ranges of ``k``, so ties of ``k`` never lie in two blocks, and
whatever breaks the ties works inside a block as it does in the whole. Nulls are a block of their own (smallest), and so
is NaN (greatest), which is tested with ``isnan`` and never compared. A block that is still large is counted once more,
inside itself: by finer ranges, or, when it holds a single value, by the next sort column.

The counts are kept for a short time per person, table, filter and column. A table that changes meanwhile may shift
pages by as many rows as were added or removed, which is what a plain OFFSET does too.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Literal, Self

import pyarrow as pa
import pyarrow.compute as pc

from services.identity import User
from services.unity_catalog import types, values
from services.unity_catalog.cache import Asked, Cache
from services.unity_catalog.identifiers import quote
from services.unity_catalog.literals import literal
from services.unity_catalog.models import Column, TableRef
from services.unity_catalog.statements import Binder, OrderTerm, Statement, where

DEEP_OFFSET = 5_000
"""Pages that begin later are narrowed down; below, keeping the first rows while sorting is as cheap as counting.
Engines leave that cheap way at an offset in proportion to the table, so a million rows need the narrowing early."""
LARGE_BLOCK = 200_000
"""A page inside a larger block is narrowed down once more."""
FEW_VALUES = 10_000
"""Up to so many distinct values each value is its own block."""
RANGES = 8_000
MOST_BLOCKS = 50_000
_LEVELS = 4

Run = Callable[[Statement], pa.Table]
Predicate = Callable[[Binder], str]


@dataclass(frozen=True, slots=True)
class Block:
    """Rows whose ``k`` lies between two values (JSON-safe, both included), or is null, or is NaN."""

    kind: Literal["null", "values", "nan"]
    lowest: Any
    highest: Any
    rows: int


@dataclass(frozen=True, slots=True)
class Counted:
    """All blocks of a column, from the smallest to the greatest, and for each the rows up to its end."""

    blocks: tuple[Block, ...]
    ends: tuple[int, ...]

    @classmethod
    def of(cls, blocks: Sequence[Block]) -> Self:
        """Add up the rows once: looking a page up is then quick, however many blocks there are."""
        return cls(tuple(blocks), tuple(accumulate(block.rows for block in blocks)))


@dataclass(frozen=True, slots=True)
class Range:
    """Neighbouring blocks of one column, from the smallest to the greatest: a predicate that leaves just their rows."""

    column: Column
    blocks: tuple[Block, ...]

    @property
    def rows(self) -> int:
        """How many rows it leaves."""
        return sum(block.rows for block in self.blocks)

    @property
    def single(self) -> bool:
        """Whether it is one value (or null, or NaN), so that only the next sort column can divide it."""
        return len(self.blocks) == 1 and self.blocks[0].lowest == self.blocks[0].highest

    def sql(self, binder: Binder) -> str:
        """The predicate, with its bounds bound in the column's type."""
        name = quote(self.column.name)
        parts = []
        bounded = [block for block in self.blocks if block.kind == "values"]
        if bounded and bounded[0].lowest == bounded[-1].highest:
            parts.append(f"{name} = {self._bound(bounded[0].lowest, binder)}")
        elif bounded:
            lowest, highest = self._bound(bounded[0].lowest, binder), self._bound(bounded[-1].highest, binder)
            parts.append(f"({name} >= {lowest} AND {name} <= {highest})")
        if self.blocks[0].kind == "null":
            parts.append(f"{name} IS NULL")
        if self.blocks[-1].kind == "nan":
            parts.append(f"isnan({name})")
        return f"({' OR '.join(parts)})"

    def _bound(self, value: Any, binder: Binder) -> str:
        found = literal(self.column.data_type, value, "sort")
        return binder.bind(found.type, found.text, value)


@dataclass(frozen=True, slots=True)
class Narrowed:
    """Where a page lies: the ranges to restrict the statement to, and the offset that remains inside them."""

    ranges: tuple[Range, ...]
    offset: int

    def sql(self, binder: Binder) -> str:
        """All ranges as one predicate; empty when nothing could be narrowed."""
        return " AND ".join(part.sql(binder) for part in self.ranges)


class CountedBlocks:
    """Finds the blocks of deep pages. Thread-safe; holds nothing but counts."""

    def __init__(self, seconds: float) -> None:
        """``seconds``: how long counts are kept. No I/O."""
        self._counts: Cache[Counted] = Cache(seconds, size=100)

    def narrow(
        self,
        run: Run,
        key: Asked,
        table: str,
        predicate: Predicate,
        terms: Sequence[OrderTerm],
        offset: int,
        limit: int,
    ) -> Narrowed:
        """Say where the rows [offset, offset + limit) of the total order lie.

        Args:
            run: runs a statement as the user.
            key: whose rows of which table under which filter are counted.
            table: the quoted table.
            predicate: writes the filter into a statement.
            terms: the total order.
            offset: rows before the page.
            limit: rows of the page.
        """
        ranges: tuple[Range, ...] = ()
        at = 0
        for _ in range(_LEVELS):
            if at >= len(terms):
                break
            counted = self._blocks(run, key, table, predicate, ranges, terms[at].column)
            if not counted.blocks:
                break
            found, before = _covering(counted, terms[at].descending, offset, limit)
            chosen = Range(terms[at].column, found)
            ranges, offset = (*ranges, chosen), offset - before
            if chosen.rows <= LARGE_BLOCK or len(found) > 1:
                break
            at += chosen.single
        return Narrowed(ranges, offset)

    def forget(self) -> None:
        """Forget all counts."""
        self._counts.clear()

    def forget_table(self, user: User, ref: TableRef) -> None:
        """Forget the counts of one person and table."""
        self._counts.forget_table(user, ref)

    def _blocks(
        self, run: Run, key: Asked, table: str, predicate: Predicate, ranges: tuple[Range, ...], column: Column
    ) -> Counted:
        """The counts of one column's blocks inside the ranges, from the smallest block to the greatest."""

        def inside(binder: Binder) -> str:
            return where(predicate(binder), *(part.sql(binder) for part in ranges))

        within = tuple((part.column.name, part.blocks) for part in ranges)
        return self._counts.get_or_make(
            key._replace(what=(key.what, column.name, within)), lambda: Counted.of(_count(run, table, inside, column))
        )


def _covering(counted: Counted, descending: bool, offset: int, limit: int) -> tuple[tuple[Block, ...], int]:
    """The blocks that hold the page, smallest first, and the rows before them in sort order."""
    blocks, ends = counted.blocks, counted.ends
    greatest = len(blocks) - 1
    if descending:
        # Descending, a row's place counts from the other end; so do the blocks that hold the page.
        high = min(bisect_left(ends, ends[-1] - offset), greatest)
        low = min(bisect_right(ends, ends[-1] - offset - limit), high)
        return blocks[low : high + 1], ends[-1] - ends[high]
    low = min(bisect_right(ends, offset), greatest)
    high = max(low, min(bisect_left(ends, offset + limit), greatest))
    return blocks[low : high + 1], ends[low] - blocks[low].rows


def _count(run: Run, table: str, inside: Predicate, column: Column) -> list[Block]:
    """Count a column's blocks, from the smallest to the greatest; none for types that have no ranges."""
    binder = Binder()
    bucket = _bucket(run, table, inside, column, binder)
    if bucket is None:
        return []
    name = quote(column.name)
    nan = f"isnan({name})" if types.is_float(column.data_type) else "FALSE"
    text = (
        f"SELECT {bucket} AS `bucket`, {nan} AS `is_nan`, MIN({name}) AS `lowest`, MAX({name}) AS `highest`,"
        f" COUNT(*) AS `n`\nFROM {table}{inside(binder)}\nGROUP BY 1, 2\nLIMIT {binder.integer(MOST_BLOCKS + 1)}"
    )
    found = run(binder.build(text))
    if found.num_rows > MOST_BLOCKS:
        return []
    # Arrow orders text by its UTF-8 bytes, as the warehouse does; null comes first, and NaN last by its mark.
    keys = [(name, "ascending", "at_start") for name in ("is_nan", "lowest")]
    ordered = found.take(pc.sort_indices(found, sort_keys=keys))
    return list(map(_block, *(values.column(ordered[name]) for name in ("is_nan", "lowest", "highest", "n"))))


def _block(is_nan: bool | None, lowest: Any, highest: Any, rows: int) -> Block:
    """A counted group as a block."""
    if is_nan:
        return Block("nan", None, None, rows)
    if lowest is None:
        return Block("null", None, None, rows)
    return Block("values", lowest, highest, rows)


def _bucket(run: Run, table: str, inside: Predicate, column: Column, binder: Binder) -> str | None:
    """An expression that never falls as the column rises, with a moderate number of values; None if there is none."""
    kind, name = types.kind(column.data_type), quote(column.name)
    if kind == "boolean":
        return name
    if kind == "text":
        return _text_bucket(run, table, inside, name, binder)
    number = _as_number(column)
    if number is None:
        return None
    finite = number
    if kind == "number":
        low, high = binder.bind("DOUBLE", "-Infinity", "-Infinity"), binder.bind("DOUBLE", "Infinity", "Infinity")
        finite = f"CASE WHEN {number} > {low} AND {number} < {high} THEN {number} END"
    lowest, highest, distinct = _extent(run, table, inside, name, finite, binder)
    binder.parameters.clear()
    if distinct <= FEW_VALUES or lowest is None or highest is None:
        return name
    # A span beyond the greatest DOUBLE has no step: then steps are counted from zero.
    origin = lowest if math.isfinite(highest - lowest) else 0.0
    step = (highest - origin) / RANGES if origin else max(abs(lowest), abs(highest)) / RANGES
    if step == 0.0:
        return name
    low, high, width = binder.double(lowest), binder.double(highest), binder.double(step)
    start = binder.double(origin)
    special = f"WHEN isnan({name}) THEN 0 " if kind == "number" else ""
    return (
        f"CASE {special}WHEN {number} < {low} THEN -{2 * RANGES} WHEN {number} > {high} THEN {2 * RANGES}"
        f" ELSE floor(({number} - {start}) / {width}) END"
    )


def _extent(
    run: Run, table: str, inside: Predicate, name: str, expression: str, binder: Binder
) -> tuple[Any, Any, int]:
    """Least and greatest value of an expression, and about how many distinct values the column has."""
    text = (
        f"SELECT MIN({expression}) AS `lowest`, MAX({expression}) AS `highest`,"
        f" approx_count_distinct({name}) AS `distinct_values`\nFROM {table}{inside(binder)}"
    )
    row = values.rows(run(binder.build(text)))[0]
    return row["lowest"], row["highest"], int(row["distinct_values"] or 0)


def _as_number(column: Column) -> str | None:
    """A DOUBLE that never falls as the column rises; rounding may make neighbours equal, which is no harm."""
    kind, name = types.kind(column.data_type), quote(column.name)
    if kind in ("integer", "decimal", "number"):
        return f"CAST({name} AS DOUBLE)"
    if kind == "date":
        return f"CAST(unix_date({name}) AS DOUBLE)"
    if kind == "timestamp":
        instant = f"CAST({name} AS TIMESTAMP)" if types.base(column.data_type) == "TIMESTAMP_NTZ" else name
        return f"CAST(unix_micros({instant}) AS DOUBLE)"
    return None


def _text_bucket(run: Run, table: str, inside: Predicate, name: str, binder: Binder) -> str:
    """A prefix just longer than what all texts share; the text itself where there are few."""
    lowest, highest, distinct = _extent(run, table, inside, name, name, binder)
    binder.parameters.clear()
    if distinct <= FEW_VALUES or not highest:
        return name
    shared = 0
    while shared < min(len(lowest), len(highest)) and lowest[shared] == highest[shared]:
        shared += 1
    return f"left({name}, {binder.integer(shared + (2 if highest.isascii() else 1))})"
