"""How a statement is put together: text with named markers, and the typed values bound to them.

No value is ever written into the text. The total order that makes pages exact is built here too.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from services.unity_catalog import types
from services.unity_catalog.identifiers import quote
from services.unity_catalog.models import Column, Sort


@dataclass(frozen=True, slots=True)
class Parameter:
    """A bound value: Databricks type (``BIGINT``, ``DECIMAL(4,2)``) and the text that the warehouse casts to it."""

    name: str
    type: str
    text: str
    shown: Any
    """The value as an answer shows it."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement with everything bound to it."""

    text: str
    parameters: tuple[Parameter, ...] = ()

    def shown(self) -> dict[str, Any]:
        """The bound values by marker, for the ``query`` of an answer."""
        return {parameter.name: parameter.shown for parameter in self.parameters}


@dataclass(slots=True)
class Binder:
    """Hands out markers (``:lf_1`` …) and keeps the values bound to them."""

    parameters: list[Parameter] = field(default_factory=list)

    def bind(self, data_type: str, text: str, shown: Any) -> str:
        """A marker for one value."""
        name = f"lf_{len(self.parameters) + 1}"
        self.parameters.append(Parameter(name, data_type, text, shown))
        return f":{name}"

    def integer(self, value: int) -> str:
        """A marker for a LIMIT or OFFSET: the warehouse takes INT there, not BIGINT."""
        return self.bind("INT", str(value), value)

    def double(self, value: float) -> str:
        """A marker for a DOUBLE."""
        return self.bind("DOUBLE", repr(value), value)

    def build(self, text: str) -> Statement:
        """The finished statement."""
        return Statement(text, tuple(self.parameters))


@dataclass(frozen=True, slots=True)
class OrderTerm:
    """One term of ORDER BY."""

    column: Column
    descending: bool = False

    @property
    def expression(self) -> str:
        """What is ordered by: the column, or its JSON text where the type has no order of its own."""
        name = quote(self.column.name)
        return name if types.orderable(self.column.data_type) else f"to_json({name})"

    @property
    def sql(self) -> str:
        """The term with its null order spelt out, which is Spark's default: nulls smallest."""
        return self.expression + (" DESC NULLS LAST" if self.descending else " ASC NULLS FIRST")


def total_order(columns: Sequence[Column], sort: Sequence[Sort]) -> list[OrderTerm]:
    """The requested sort, continued until no two distinguishable rows tie.

    The tie-breaker is the declared primary key, unless one of its columns is masked (a mask may make keys equal, then
    they prove nothing) and else every column: rows that are equal in all columns are interchangeable. Without a
    requested sort the same terms, in the order of declaration, are the order.

    Args:
        columns: the table's columns, in the order of declaration.
        sort: the requested sort; its columns exist.
    """
    by_name = {column.name: column for column in columns}
    terms = [OrderTerm(by_name[item.column], item.direction == "desc") for item in sort]
    used = {term.column.name for term in terms}
    key = [column for column in columns if column.primary_key]
    if not key or any(column.masked for column in key):
        key = [column for column in columns if column.sortable]
    return terms + [OrderTerm(column) for column in key if column.name not in used]


def order_by(terms: Sequence[OrderTerm]) -> str:
    """The ORDER BY clause, or nothing when the table has no column that can be ordered."""
    return f"\nORDER BY {', '.join(term.sql for term in terms)}" if terms else ""


def where(*predicates: str) -> str:
    """The WHERE clause of all predicates that say something."""
    said = [predicate for predicate in predicates if predicate]
    return f"\nWHERE {' AND '.join(said)}" if said else ""


def marked(text: str, request_id: str) -> str:
    """The statement as it is sent: with the request's id in a comment, to be found in the warehouse's query history."""
    safe = re.sub(r"[^A-Za-z0-9_-]", "", request_id)[:64]
    return f"/* lakefront request_id={safe} */ {text}" if safe else text
