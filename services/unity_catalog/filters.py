"""From a filter tree to a predicate: operators as a table, values bound in the type of their column."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from services.unity_catalog import types
from services.unity_catalog.decimals import fitted
from services.unity_catalog.errors import invalid
from services.unity_catalog.filter_tree import And, Condition, FilterNode, Not, Or
from services.unity_catalog.identifiers import quote
from services.unity_catalog.literals import literal
from services.unity_catalog.models import Column, Kind
from services.unity_catalog.statements import Binder

_ORDERED: frozenset[Kind] = frozenset({"integer", "number", "decimal", "text", "date", "timestamp"})
_COMPARED: frozenset[Kind] = _ORDERED | {"boolean"}
_TEXT: frozenset[Kind] = frozenset({"text"})
_ANY: frozenset[Kind] = _COMPARED | {"binary", "nested", "other"}


@dataclass(frozen=True, slots=True)
class Operator:
    """What an operator is: its SQL over ``{c}`` (the column) and ``{v}``, how people say it, and what it suits.

    Text is compared as the warehouse does: case matters, and no sign in a value has a special meaning.
    """

    name: str
    sql: str
    sentence: str
    kinds: frozenset[Kind]
    takes: Literal["one", "two", "many", "none"] = "one"


OPERATORS: Mapping[str, Operator] = {
    operator.name: operator
    for operator in (
        Operator("eq", "{c} = {v}", "is", _COMPARED),
        Operator("ne", "{c} <> {v}", "is not", _COMPARED),
        Operator("lt", "{c} < {v}", "is less than", _ORDERED),
        Operator("le", "{c} <= {v}", "is at most", _ORDERED),
        Operator("gt", "{c} > {v}", "is greater than", _ORDERED),
        Operator("ge", "{c} >= {v}", "is at least", _ORDERED),
        Operator("between", "", "is between", _ORDERED, "two"),
        Operator("in", "", "is one of", _COMPARED, "many"),
        Operator("contains", "contains({c}, {v})", "contains", _TEXT),
        Operator("not_contains", "NOT contains({c}, {v})", "does not contain", _TEXT),
        Operator("starts_with", "startswith({c}, {v})", "starts with", _TEXT),
        Operator("ends_with", "endswith({c}, {v})", "ends with", _TEXT),
        Operator("is_null", "{c} IS NULL", "is null", _ANY, "none"),
        Operator("is_not_null", "{c} IS NOT NULL", "is not null", _ANY, "none"),
    )
}

# NaN equals itself and is greater than every number; it is never compared as a literal, because file statistics do not
# know it and would prune the rows. Each answer keeps nulls unknown, as a comparison would.
_NEVER = "CASE WHEN {c} IS NULL THEN NULL ELSE FALSE END"
_ALWAYS = "CASE WHEN {c} IS NULL THEN NULL ELSE TRUE END"
_WITH_NAN = {
    "eq": "CASE WHEN {c} IS NULL THEN NULL ELSE isnan({c}) END",
    "ge": "CASE WHEN {c} IS NULL THEN NULL ELSE isnan({c}) END",
    "ne": "CASE WHEN {c} IS NULL THEN NULL ELSE NOT isnan({c}) END",
    "lt": "CASE WHEN {c} IS NULL THEN NULL ELSE NOT isnan({c}) END",
    "gt": _NEVER,
    "le": _ALWAYS,
}


def operators_for(data_type: str) -> list[str]:
    """The names of the operators that suit a column of this type."""
    kind = types.kind(data_type)
    return [operator.name for operator in OPERATORS.values() if kind in operator.kinds]


def predicate(tree: FilterNode | None, columns: Sequence[Column], binder: Binder, path: str = "filter") -> str:
    """The predicate of a tree over these columns, in brackets where needed; empty for no tree.

    Raises:
        InvalidRequest: unknown column, operator that does not suit the column, or value that does not suit either; the
            error names the place (``filter.and[1].value``).
    """
    if tree is None:
        return ""
    by_name = {column.name: column for column in columns}
    return _node(tree, by_name, binder, path)


def check(tree: FilterNode, columns: Sequence[Column]) -> None:
    """Say whether a tree suits these columns, without any statement (the page's form asks before it applies).

    Raises:
        InvalidRequest: as ``predicate``.
    """
    predicate(tree, columns, Binder(), "filter")


def _node(node: FilterNode, columns: Mapping[str, Column], binder: Binder, path: str) -> str:
    """The predicate of one node."""
    if isinstance(node, And):
        parts = [_node(child, columns, binder, f"{path}.and[{at}]") for at, child in enumerate(node.all_of)]
        return "(" + " AND ".join(parts) + ")"
    if isinstance(node, Or):
        parts = [_node(child, columns, binder, f"{path}.or[{at}]") for at, child in enumerate(node.any_of)]
        return "(" + " OR ".join(parts) + ")"
    if isinstance(node, Not):
        return f"(NOT {_node(node.negated, columns, binder, f'{path}.not')})"
    return f"({_condition(node, columns, binder, path)})"


def _condition(condition: Condition, columns: Mapping[str, Column], binder: Binder, path: str) -> str:
    """The predicate of one condition."""
    column = columns.get(condition.column)
    if column is None:
        raise invalid(f"{path}.column", f"the table has no column named {condition.column!r}")
    operator = OPERATORS[condition.operator]
    if types.kind(column.data_type) not in operator.kinds:
        raise invalid(f"{path}.operator", f"{operator.name} does not suit {column.name}, which is {column.data_type}")
    values = _values(condition, operator, path)
    if operator.takes == "none":
        return _fill(operator.sql, quote(column.name), "")
    if operator.name == "between":
        lowest = _compare("ge", column, values[0], binder, f"{path}.value[0]")
        highest = _compare("le", column, values[1], binder, f"{path}.value[1]")
        return f"{lowest} AND {highest}"
    if operator.name == "in":
        return _one_of(column, values, binder, path)
    return _compare(operator.name, column, values[0], binder, f"{path}.value")


def _values(condition: Condition, operator: Operator, path: str) -> list[Any]:
    """The condition's values as a list, counted."""
    value = condition.value
    if operator.takes == "none":
        if value is not None:
            raise invalid(f"{path}.value", f"{operator.name} takes no value")
        return []
    if operator.takes == "one":
        if value is None or isinstance(value, list):
            raise invalid(f"{path}.value", f"{operator.name} takes one value; for nulls there is is_null")
        return [value]
    if not isinstance(value, list) or not value:
        raise invalid(f"{path}.value", f"{operator.name} takes a list of values")
    if operator.takes == "two" and len(value) != 2:
        raise invalid(f"{path}.value", "between takes two values, the lowest and the highest")
    return list(value)


def _compare(name: str, column: Column, value: Any, binder: Binder, path: str) -> str:
    """One comparison; NaN apart."""
    bound = literal(column.data_type, value, path)
    if isinstance(bound.value, float) and math.isnan(bound.value):
        return _fill(_WITH_NAN[name], quote(column.name), "")
    said = fitted(column.data_type, name, bound)
    if isinstance(said, bool):
        return _fill(_ALWAYS if said else _NEVER, quote(column.name), "")
    name, bound = said
    marker = binder.bind(bound.type, bound.text, value)
    return _fill(OPERATORS[name].sql, quote(column.name), marker)


def _one_of(column: Column, values: list[Any], binder: Binder, path: str) -> str:
    """``IN`` over the values, with NaN beside it."""
    literals = [literal(column.data_type, value, f"{path}.value[{at}]") for at, value in enumerate(values)]
    plain = [item for item in literals if not (isinstance(item.value, float) and math.isnan(item.value))]
    name = quote(column.name)
    said = [fitted(column.data_type, "eq", item) for item in plain]
    possible = [one[1] for one in said if not isinstance(one, bool)]
    parts = []
    if possible:
        markers = ", ".join(binder.bind(item.type, item.text, item.shown) for item in possible)
        parts.append(f"{name} IN ({markers})")
    if len(plain) < len(literals):
        parts.append(_fill(_WITH_NAN["eq"], name, ""))
    return " OR ".join(parts) or _fill(_NEVER, name, "")


def _fill(template: str, column: str, marker: str) -> str:
    """Put a column and a marker into a template; ``str.format`` would read braces in a column's name only once."""
    return template.replace("{v}", marker).replace("{c}", column)
