"""Conditions of a filter in words, as chips, saved views and model inputs say them."""

from __future__ import annotations

from typing import Any

from services.unity_catalog.filter_tree import And, Condition, FilterNode, Not
from services.unity_catalog.filters import OPERATORS

_OPERATORS = {"ge": "at least", "le": "at most", "gt": "greater than", "lt": "less than"}
_MOST_SAID = 4
"""Values of a list that a chip says before it counts the rest: a bar has room for several chips."""


def sentence(node: FilterNode) -> tuple[str, str, str]:
    """Column, operator and value of a chip; a nested tree is said in one piece."""
    if isinstance(node, Condition):
        operator = _OPERATORS.get(node.operator) or OPERATORS[node.operator].sentence
        return node.column, operator, _words(node)
    if isinstance(node, Not):
        return "not", "", " ".join(sentence(node.negated)).strip()
    word, children = ("and", node.all_of) if isinstance(node, And) else ("or", node.any_of)
    return "", "", f" {word} ".join(f"({' '.join(sentence(child)).strip()})" for child in children)


def _words(condition: Condition) -> str:
    value = condition.value
    if not isinstance(value, list):
        return _value_words(value)
    if condition.operator == "between":
        return " and ".join(_value_words(one) for one in value)
    said = [_value_words(one) for one in value[:_MOST_SAID]]
    rest = len(value) - len(said)
    return ", ".join(said) + (f" and {rest:,} more" if rest else "")


def _value_words(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if value == "":
        return '""'
    return "" if value is None else repr(value).removesuffix(".0") if isinstance(value, float) else str(value)
