"""The filter bar: chips for the conditions that there are, a form for one more or for a change.

``filter_chips.py`` says conditions in words, ``filter_form.py`` is the form, ``filter_values.py`` reads its fields,
``filter_set.py`` lets a person choose among a column's frequent values. assets/filter_form.js moves the focus.
"""

from __future__ import annotations

from typing import Any

from dash import ALL, ClientsideFunction, Dash, Input, Output, State
from dash.development.base_component import Component

from dashboard.callbacks import callback
from dashboard.pages.unity_catalog import filter_form, filter_set, ids
from dashboard.pages.unity_catalog.filter_chips import chips
from dashboard.pages.unity_catalog.view_state import ViewState
from services.container import Services


def register(app: Dash, services: Services) -> None:
    """Add the callbacks: draw the chips, add, edit, remove, clear."""
    _register_chips(app)
    filter_form.register(app)
    filter_set.register(app, services)


def _register_chips(app: Dash) -> None:
    @callback(app, Output(ids.CHIPS, "children"), Input(ids.FILTER, "data"), prevent_initial_call=True)
    def draw(nodes: list[Any] | None) -> list[Component]:
        """Draw the chips; runs as nobody."""
        return chips(ViewState.of({"filter": nodes or []}))

    app.clientside_callback(
        ClientsideFunction("explorer", "narrow"),
        Output(ids.VIEW, "data", allow_duplicate=True),
        Output(ids.FILTER_EDITED, "data"),
        Input({"type": ids.CHIP_REMOVE, "place": ALL}, "n_clicks"),
        Input({"type": ids.CHIP_EDIT, "place": ALL}, "n_clicks"),
        Input(ids.FILTER_CLEAR, "n_clicks"),
        Input(ids.FILTER_ADD, "n_clicks"),
        State(ids.VIEW, "data"),
        prevent_initial_call=True,
    )
