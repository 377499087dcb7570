"""A saved view in words: table, filter, columns, order, chart, and the way to open it on the Unity Catalog page."""

import json
from typing import Any

from dash import html
from dash.development.base_component import Component
from pydantic import ValidationError

from dashboard.components.conditions import sentence
from dashboard.components.controls import facts
from dashboard.components.signs import icon, mono
from dashboard.pages.unity_catalog.view_state import ViewState

_VIEWS = {"rows": "Rows", "chart": "Chart", "profile": "Profile", "details": "Details"}


def view_card(value: str) -> list[Component] | None:
    """Return the card of a record's JSON text, or None when it spells no view of a table."""
    view = _view_of(value)
    if view is None:
        return None
    pairs: list[tuple[str, Any]] = [
        ("Table", mono(view.table)),
        ("Filter", _filter(view)),
        ("Order", _order(view)),
        ("Columns", ["all but ", mono(", ".join(view.hidden))] if view.hidden else "all"),
        ("Shown as", _VIEWS[view.view]),
    ]
    opens = html.A(
        [icon("box-arrow-up-right"), html.Span("Open this view")],
        href=f"/unity-catalog?{view.query()}",
        className="btn",
        id="lakebase-open-view",
    )
    return [facts(pairs, "lf-view-card"), html.Div(opens)]


def _view_of(value: str) -> ViewState | None:
    try:
        document = json.loads(value)
        view = ViewState.of(document) if isinstance(document, dict) else None
    except (ValueError, ValidationError):
        return None
    return view if view is not None and view.ref is not None else None


def _filter(view: ViewState) -> Any:
    if not view.filter:
        return "none, all rows"
    said = [" ".join(part for part in sentence(node) if part).strip() for node in view.filter]
    return " and ".join(said)


def _order(view: ViewState) -> Any:
    if not view.sort:
        return "as the table has it"
    ways = {"asc": "ascending", "desc": "descending"}
    return ", then ".join(f"{one.column} {ways[one.direction]}" for one in view.sort)
