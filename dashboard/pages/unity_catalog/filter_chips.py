"""The filter bar's chips: one for each condition, said in words."""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from dashboard.components.conditions import sentence
from dashboard.components.controls import button
from dashboard.components.signs import hidden, icon
from dashboard.pages.unity_catalog import ids
from dashboard.pages.unity_catalog.view_state import ViewState
from services.unity_catalog.filter_tree import Condition, FilterNode


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
