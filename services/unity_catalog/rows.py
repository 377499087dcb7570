"""Pages of rows and totals: filter, sort and page are the warehouse's work; nothing loads a table into Python."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from services.identity import User
from services.unity_catalog import values
from services.unity_catalog.cache import Asked, Cache
from services.unity_catalog.columns import chosen, result_column
from services.unity_catalog.counted_blocks import DEEP_OFFSET, CountedBlocks, Narrowed
from services.unity_catalog.errors import invalid
from services.unity_catalog.filter_tree import FilterNode
from services.unity_catalog.filters import predicate
from services.unity_catalog.identifiers import qualified, quote
from services.unity_catalog.models import (
    Column,
    Count,
    Pagination,
    Query,
    RowsPage,
    RowsRequest,
    Sort,
    TableDetails,
    TableRef,
)
from services.unity_catalog.running import Runner
from services.unity_catalog.statements import Binder, OrderTerm, Statement, order_by, total_order, where


def page_statement(
    ref: TableRef,
    columns: Sequence[Column],
    selected: Sequence[Column],
    tree: FilterNode | None,
    terms: Sequence[OrderTerm],
    limit: int,
    offset: int,
    narrowed: Narrowed | None = None,
) -> Statement:
    """The statement of a page.

    Args:
        ref: the table.
        columns: all of its columns, which the filter may name.
        selected: the columns of the answer.
        tree: the filter.
        terms: the total order.
        limit: most rows.
        offset: rows before them; with ``narrowed`` its own offset counts.
        narrowed: where the page lies, for deep pages.

    Raises:
        InvalidRequest: the filter does not fit the columns.
    """
    binder = Binder()
    names = ", ".join(quote(column.name) for column in selected)
    filtered = predicate(tree, columns, binder)
    inside = narrowed.sql(binder) if narrowed is not None else ""
    start = narrowed.offset if narrowed is not None else offset
    text = (
        f"SELECT {names}\nFROM {qualified(ref)}{where(filtered, inside)}{order_by(terms)}"
        f"\nLIMIT {binder.integer(limit)} OFFSET {binder.integer(start)}"
    )
    return binder.build(text)


def count_statement(ref: TableRef, columns: Sequence[Column], tree: FilterNode | None) -> Statement:
    """The statement that counts what a filter leaves. Raises InvalidRequest as ``page_statement``."""
    binder = Binder()
    return binder.build(f"SELECT COUNT(*) AS `n`\nFROM {qualified(ref)}{where(predicate(tree, columns, binder))}")


def checked_sort(columns: Sequence[Column], sort: Sequence[Sort]) -> list[Sort]:
    """The sort, unchanged, when it can be done.

    Raises:
        InvalidRequest: a column is unknown, named twice or cannot be sorted.
    """
    found = chosen(columns, [item.column for item in sort], "sort")
    for at, column in enumerate(found):
        if not column.sortable:
            raise invalid(f"sort[{at}]", f"{column.name} cannot be sorted: it is {column.data_type}")
    return list(sort)


def filter_key(tree: FilterNode | None) -> str:
    """A filter as a key of caches."""
    return tree.model_dump_json(by_alias=True) if tree is not None else ""


class Rows:
    """Reads pages and totals as users. Thread-safe."""

    def __init__(self, runner: Runner, keep_seconds: float, deep_offset: int = DEEP_OFFSET) -> None:
        """``keep_seconds``: how long totals and block counts are kept. No I/O."""
        self._runner = runner
        self._counts: Cache[Count] = Cache(keep_seconds)
        self._blocks = CountedBlocks(keep_seconds)
        self._deep_offset = deep_offset

    def page(self, user: User, ref: TableRef, details: TableDetails, request: RowsRequest, key: str | None) -> RowsPage:
        """A page of rows, in a total order. Runs as the user.

        One row more than asked for is read: it tells whether another page follows, without counting.

        Raises:
            InvalidRequest: columns, sort or filter do not fit the table.
            LakefrontError: see ``Runner.run``.
        """
        selected = chosen(details.columns, request.columns)
        terms = total_order(details.columns, checked_sort(details.columns, request.sort))
        narrowed, spent = self._narrow(user, ref, details, request, terms, key)
        statement = page_statement(
            ref, details.columns, selected, request.filter, terms, request.limit + 1, request.offset, narrowed
        )
        result = self._runner.run(user, statement, "warehouse.rows", ref, key)
        found = values.rows(result.table.slice(0, request.limit))
        more = result.table.num_rows > request.limit
        total = self._total(user, ref, details, request, len(found), more, key)
        return RowsPage(
            columns=[result_column(column) for column in selected],
            rows=found,
            pagination=Pagination(
                limit=request.limit,
                offset=request.offset,
                returned=len(found),
                total_rows=total,
                next_offset=request.offset + request.limit if more else None,
            ),
            query=result.query.model_copy(update={"elapsed_ms": result.query.elapsed_ms + spent}),
        )

    def count(
        self,
        user: User,
        ref: TableRef,
        details: TableDetails,
        tree: FilterNode | None,
        *,
        refresh: bool = False,
        key: str | None = None,
    ) -> Count:
        """How many rows the filter leaves, kept briefly. Runs as the user.

        Raises:
            InvalidRequest: the filter does not fit the table.
            LakefrontError: see ``Runner.run``.
        """
        kept_under = Asked.by(user, ref, filter_key(tree))
        kept = None if refresh else self._counts.get(kept_under)
        if kept is not None:
            return kept.model_copy(update={"query": kept.query.model_copy(update={"cached": True})})
        statement = count_statement(ref, details.columns, tree)
        result = self._runner.run(user, statement, "warehouse.count", ref, key)
        made = Count(total_rows=int(result.table.column(0)[0].as_py()), query=result.query)
        self._counts.put(kept_under, made)
        return made

    def forget(self) -> None:
        """Forget totals and block counts."""
        self._counts.clear()
        self._blocks.forget()

    def forget_table(self, user: User, ref: TableRef) -> None:
        """Forget totals and block counts of one person and table."""
        self._counts.forget_table(user, ref)
        self._blocks.forget_table(user, ref)

    def _total(
        self,
        user: User,
        ref: TableRef,
        details: TableDetails,
        request: RowsRequest,
        returned: int,
        more: bool,
        key: str | None,
    ) -> int | None:
        """The total, unless it is not wanted; a last page that holds rows tells it by itself."""
        if request.count is False:
            return None
        if not more and (returned > 0 or request.offset == 0):
            return request.offset + returned
        if request.count is None:
            return None
        return self.count(user, ref, details, request.filter, key=key).total_rows

    def _narrow(
        self,
        user: User,
        ref: TableRef,
        details: TableDetails,
        request: RowsRequest,
        terms: Sequence[OrderTerm],
        key: str | None,
    ) -> tuple[Narrowed | None, int]:
        """Where a deep page lies, and the milliseconds that finding it took."""
        if request.offset < self._deep_offset or not terms:
            return None, 0
        # A filter that does not fit is the caller's fault, whatever is known about the table's blocks.
        predicate(request.filter, details.columns, Binder())
        spent: list[Query] = []

        def run(statement: Statement) -> pa.Table:
            result = self._runner.run(user, statement, "warehouse.blocks", ref, key)
            spent.append(result.query)
            return result.table

        def filtered(binder: Binder) -> str:
            return predicate(request.filter, details.columns, binder)

        narrowed = self._blocks.narrow(
            run,
            Asked.by(user, ref, filter_key(request.filter)),
            qualified(ref),
            filtered,
            terms,
            request.offset,
            request.limit + 1,
        )
        return narrowed, sum(query.elapsed_ms for query in spent)
