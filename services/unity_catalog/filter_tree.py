"""The filter tree of a table view: what a condition may say, and how deep a tree may be.

A tree is a condition ``{"column", "operator", "value"}``, or ``{"and": [...]}``, ``{"or": [...]}``, ``{"not": ...}``
around trees. It is checked here for shape only; whether a value suits its column is known in ``filters.py``, where the
column's type is.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag

MAX_DEPTH = 8
"""Levels of a tree: a lone condition is one level, each and/or/not around it one more."""
MAX_CONDITIONS = 200
"""Conditions in one tree, so that a statement stays readable and far below the warehouse's parameter limit."""
MAX_VALUES = 1_000
"""Values in one ``in`` list."""

Operator = Literal[
    "eq",
    "ne",
    "lt",
    "le",
    "gt",
    "ge",
    "between",
    "in",
    "contains",
    "not_contains",
    "starts_with",
    "ends_with",
    "is_null",
    "is_not_null",
]
Scalar = bool | int | float | str
UNION_TAG = "kind:"
"""Begins the tags of a tree's kinds, so that they can be told from fields where pydantic says what is wrong where."""


def _one_reason(value: Any) -> Any:
    """Refuse what is no value with one reason, instead of one for each type that it could have had.

    Raises:
        ValueError: neither a scalar, nor a list of at most ``MAX_VALUES`` of them, nor null; or a number that is not
            finite: JSON has none, and what is too large for a DOUBLE would silently become one.
    """
    many = value if isinstance(value, list) else [value]
    if len(many) > MAX_VALUES:
        raise ValueError(f"at most {MAX_VALUES} values")
    if value is not None and not all(isinstance(one, bool | int | float | str) for one in many):
        raise ValueError("a value is text, a number, true or false, or a list of them; for nulls there is is_null")
    if any(isinstance(one, float) and not math.isfinite(one) for one in many):
        raise ValueError('a number beyond DOUBLE is none; write "NaN", "Infinity" and "-Infinity" as text')
    return value


class Condition(BaseModel):
    """One comparison of a column: ``value`` is a scalar, two for ``between``, a list for ``in``, nothing for nulls."""

    model_config = ConfigDict(extra="forbid", strict=True)

    column: str = Field(min_length=1, max_length=255)
    operator: Operator
    value: Annotated[
        Scalar | Annotated[list[Scalar], Field(max_length=MAX_VALUES)] | None, BeforeValidator(_one_reason)
    ] = None


class And(BaseModel):
    """All of the trees hold."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    all_of: list[FilterNode] = Field(alias="and", min_length=1, max_length=MAX_CONDITIONS)


class Or(BaseModel):
    """At least one of the trees holds."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    any_of: list[FilterNode] = Field(alias="or", min_length=1, max_length=MAX_CONDITIONS)


class Not(BaseModel):
    """The tree does not hold. As in SQL, a comparison with a null is neither true nor false, negated or not."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    negated: FilterNode = Field(alias="not")


def _kind(node: Any) -> str:
    """Which model a node is: by its distinguishing key, for dictionaries and for models alike."""
    if isinstance(node, dict):
        for key in ("and", "or", "not"):
            if key in node:
                return UNION_TAG + key
        return UNION_TAG + "condition"
    kinds: dict[type, str] = {And: "and", Or: "or", Not: "not"}
    return UNION_TAG + kinds.get(type(node), "condition")


FilterNode = Annotated[
    Annotated[Condition, Tag(UNION_TAG + "condition")]
    | Annotated[And, Tag(UNION_TAG + "and")]
    | Annotated[Or, Tag(UNION_TAG + "or")]
    | Annotated[Not, Tag(UNION_TAG + "not")],
    Discriminator(_kind),
]


def _children(node: Any) -> list[Any]:
    """The trees directly inside a raw node or a model; malformed ones give none (the models refuse them)."""
    if isinstance(node, And):
        return list(node.all_of)
    if isinstance(node, Or):
        return list(node.any_of)
    if isinstance(node, Not):
        return [node.negated]
    if not isinstance(node, dict):
        return []
    found: list[Any] = []
    for key in ("and", "or"):
        if isinstance(node.get(key), list):
            found += node[key]
    return found + ([node["not"]] if "not" in node else [])


def _bounded(tree: Any) -> Any:
    """Refuse a tree that is too deep or too wide before anything recursive touches it.

    Raises:
        ValueError: deeper than ``MAX_DEPTH`` or more than ``MAX_CONDITIONS`` conditions.
    """
    level, depth, nodes = [tree], 0, 0
    while level:
        depth += 1
        nodes += len(level)
        if depth > MAX_DEPTH:
            raise ValueError(f"the filter is nested deeper than {MAX_DEPTH} levels")
        if nodes > 4 * MAX_CONDITIONS:
            raise ValueError(f"the filter holds more than {MAX_CONDITIONS} conditions")
        level = [child for node in level for child in _children(node)]
    return tree


Filter = Annotated[FilterNode, BeforeValidator(_bounded)]
"""A whole tree, as requests carry it."""


def conditions(tree: FilterNode | None) -> Iterator[Condition]:
    """Every condition of a tree, from left to right (the page shows them as chips)."""
    if isinstance(tree, Condition):
        yield tree
    elif tree is not None:
        for child in _children(tree):
            yield from conditions(child)


And.model_rebuild()
Or.model_rebuild()
Not.model_rebuild()
