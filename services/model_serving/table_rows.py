"""Rows of a table as inputs of a model: which column goes into which field, and reading them page by page."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, Protocol

from services.errors import InvalidRequest
from services.identity import User
from services.model_serving.jobs import MOST_ROWS, Rows, ScoreJob
from services.model_serving.models import FieldType, SchemaField
from services.unity_catalog.models import Column, Kind, RowsPage, RowsRequest, Sort, TableRef

PAGE_ROWS = 1_000
_FITTING: Mapping[FieldType, frozenset[Kind]] = {
    "number": frozenset({"integer", "number", "decimal"}),
    "integer": frozenset({"integer", "number", "decimal"}),
    "string": frozenset({"text", "timestamp", "date", "binary", "decimal", "integer"}),
    "boolean": frozenset({"boolean"}),
    "object": frozenset({"nested"}),
    "array": frozenset({"nested"}),
}


class ReadsRows(Protocol):
    """What reads a page of a table as the user: the Unity Catalog service."""

    def rows(self, user: User, ref: TableRef, request: RowsRequest, *, cancel_key: str | None = None) -> RowsPage:
        """One page of rows."""


def fits(field: SchemaField, column: Column) -> bool:
    """Whether values of the column can be values of the field."""
    kinds = _FITTING.get(field.type)
    return kinds is None or column.kind in kinds


def match(fields: Sequence[SchemaField], columns: Sequence[Column]) -> dict[str, str | None]:
    """The column for each field: of the same name, capitals and underscores aside, and of a fitting type; else None."""
    found: dict[str, str | None] = {}
    for field in fields:
        fitting = [column for column in columns if fits(field, column)]
        same = [column.name for column in fitting if column.name == field.name]
        alike = [column.name for column in fitting if _plain(column.name) == _plain(field.name)]
        found[field.name] = next(iter(same + alike), None)
    return found


def source(
    reader: ReadsRows,
    user: User,
    ref: TableRef,
    request: RowsRequest,
    fields: Sequence[SchemaField],
    chosen: Mapping[str, str],
    fixed: Mapping[str, Any],
) -> Callable[[ScoreJob], Rows]:
    """What reads the inputs of a job from a table, as the user, at most ``MOST_ROWS``; the job shows the table's rows.

    A row without a value that the model needs is left out and counted: one such row would fail its whole request.

    Args:
        reader: reads one page.
        user: on whose behalf.
        ref: the table.
        request: filter and order of the view; its limit, offset and columns are not used.
        fields: the model's fields.
        chosen: the column of each field that has one.
        fixed: the value of fields that have no column, the same for every row.
    """
    by_name = {field.name: field for field in fields}
    needed = [name for name in chosen if by_name[name].required and not by_name[name].nullable]

    def read(job: ScoreJob) -> Rows:
        inputs: Rows = []
        while job.read < MOST_ROWS and not job.cancelled.is_set():
            # The page that would pass the cap is cut to it.
            limit = min(PAGE_ROWS, MOST_ROWS - job.read)
            page = reader.rows(user, ref, request.model_copy(update={"limit": limit, "offset": job.read}))
            for row in page.rows:
                values = {name: value_of(by_name[name], row[column]) for name, column in chosen.items()}
                if any(values[name] is None for name in needed):
                    job.left_out += 1
                    continue
                inputs.append({**fixed, **values})
                job.shown.append(row)
            job.read += len(page.rows)
            if page.pagination.next_offset is None:
                break
        return inputs

    return read


def value_of(field: SchemaField, value: Any) -> Any:
    """A table's value as one of the field: exact numbers that came as text become numbers; a text stays a text.

    A whole number is never made from a fraction, and a number beyond doubles never a wrong one: such a value goes on as
    it is, and the model says what it thinks of it.
    """
    if value is None or field.type not in ("number", "integer", "string"):
        return value
    if field.type == "string":
        return value if isinstance(value, str) else str(value)
    if isinstance(value, bool):
        return value
    return _integer(value) if field.type == "integer" else _number(value)


def request_of(filter_tree: Any, sort: Sequence[Sort]) -> RowsRequest:
    """The rows of a view: its filter and order.

    Raises:
        InvalidRequest: the view's filter is none.
    """
    try:
        return RowsRequest(filter=filter_tree, sort=list(sort))
    except ValueError as error:
        raise InvalidRequest("filter", str(error)) from error


def _integer(value: Any) -> Any:
    try:
        exact = Decimal(str(value))
        whole = int(exact)
    except (InvalidOperation, ValueError, OverflowError):
        return value
    return whole if exact == whole else value


def _number(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        number = float(value)
    except ValueError:
        return value
    return number if math.isfinite(number) else None


def _plain(name: str) -> str:
    return name.replace("_", "").casefold()
