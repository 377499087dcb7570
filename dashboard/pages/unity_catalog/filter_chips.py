"""The filter bar's chips: one for each condition, said in words."""

from __future__ import annotations

from typing import Any

from dash import html
from dash.development.base_component import Component

from dashboard.components.controls import button
from dashboard.components.signs import hidden, icon
from dashboard.pages.unity_catalog import ids
from dashboard.pages.unity_catalog.view_state import ViewState
from services.unity_catalog.filter_tree import And, Condition, FilterNode, Not
from services.unity_catalog.filters import OPERATORS

_CHIP_OPERATORS = {"ge": "at least", "le": "at most", "gt": "greater than", "lt": "less than"}
_MOST_SAID = 4
"""Values of a list that a chip says before it counts the rest: a bar has room for several chips."""


def sentence(node: FilterNode) -> tuple[str, str, str]:
    """Column, operator and value of a chip; a nested tree is said in one piece."""
    if isinstance(node, Condition):
        operator = _CHIP_OPERATORS.get(node.operator) or OPERATORS[node.operator].sentence
        return node.column, operator, _words(node)
    if isinstance(node, Not):
        return "not", "", " ".join(sentence(node.negated)).strip()
    word, children = ("and", node.all_of) if isinstance(node, And) else ("or", node.any_of)
    return "", "", f" {word} ".join(f"({' '.join(sentence(child)).strip()})" for child in children)


def chips(view: ViewState) -> list[Component]:
    """The chips of a view's filter and the buttons beside them."""
    drawn = [_chip(place, node) for place, node in enumerate(view.filter)]
    clear = button("Clear", ids.FILTER_CLEAR, "ghost", small=True, hidden=not view.filter)
    return [*drawn, button("Filter", ids.FILTER_ADD, "ghost", "plus-lg", small=True), clear]


def _chip(place: int, node: FilterNode) -> Component:
    column, operator, value = sentence(node)
    words = [html.B(column), " ", html.Span(operator, className="op"), " ", value]
    editable = isinstance(node, Condition)
    return html.Span(
        [
            html.Button(words, id={"type": ids.CHIP_EDIT, "place": place}, type="button", disabled=not editable),
            html.Button(
                [icon("x"), hidden(f"Remove the filter on {column or 'several columns'}")],
                id={"type": ids.CHIP_REMOVE, "place": place},
                type="button",
                title="Remove",
            ),
        ],
        className="lf-chip on",
    )


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
