"""Opening a table, and choosing among the views of it."""

from __future__ import annotations

import time
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, html, no_update
from dash.development.base_component import Component

from dashboard.callbacks import callback
from dashboard.components.controls import copy_button
from dashboard.components.feedback import blank
from dashboard.components.signs import Identity, tag
from dashboard.components.waterline import waterline
from dashboard.identity import current_user
from dashboard.pages.unity_catalog import chart, head, ids, inspector, profile, rows, states
from dashboard.pages.unity_catalog import details as details_view
from dashboard.pages.unity_catalog.view_state import ViewState
from dashboard.pages.unity_catalog.warehouse import WarehouseWords
from services.container import Services
from services.errors import LakefrontError
from services.unity_catalog.models import TableDetails

_REFUSED = {403: "refused by Unity Catalog", 404: "not found by Unity Catalog"}


def register(app: Dash, services: Services, warehouse: WarehouseWords) -> None:
    """Add the callbacks: open a table, choose a view."""

    @callback(
        app,
        Output(ids.HEAD, "children"),
        Output(ids.DETAILS, "data"),
        Output(ids.PANEL, "children"),
        Output("uc-tab-bar", "children"),
        Output(ids.TABS_SIDE, "children"),
        Output(ids.TABS_ROW, "hidden"),
        Output(ids.FILTER_BAR, "hidden"),
        Output(ids.STRIP, "children"),
        Output(ids.SHOWN, "data"),
        Input(ids.SOUGHT, "data"),
        State(ids.VIEW, "data"),
        prevent_initial_call=True,
    )
    def open_table(sought: list[Any] | None, data: dict[str, Any] | None) -> Any:
        """Read the table's details and draw the chosen view of it; runs as the user."""
        view = ViewState.of(data)
        if not sought:
            return (no_update,) * 9
        ref = view.ref
        if ref is None:
            nothing = blank("missing", "Choose a table", ["Open a catalog and a schema on the left, then a table."])
            return head.head(view, None), None, nothing, [], [], True, True, [], None
        started, user_name = time.perf_counter(), ""
        try:
            user = current_user()
            user_name = user.user_name
            details = services.unity_catalog.table(user, ref, refresh=sought[2] > 0)
        except LakefrontError as error:
            states.shown(error)
            marks = [tag("No access", "danger", "lock-fill")] if error.status == 403 else []
            strip = refusal(error, user_name, time.perf_counter() - started)
            panel = html.Div(states.problem(error, view, user_name), className="lf-fill")
            return head.head(view, None, *marks), None, panel, [], [], True, True, strip, None
        panel, side = _view(view, details)
        facts = [] if view.view == "details" else [warehouse()]
        strip = details_view.strip(details) if view.view == "details" else [begun(user_name, facts)]
        return (
            head.head(view, details),
            details.model_dump(mode="json"),
            panel,
            head.tab_bar(view),
            side,
            False,
            view.view == "details",
            strip,
            sought,
        )

    app.clientside_callback(
        ClientsideFunction("explorer", "choose"),
        Output(ids.VIEW, "data", allow_duplicate=True),
        *(Input({"type": ids.TABS, "value": tab.value}, "n_clicks", allow_optional=True) for tab in head.TABS),
        State(ids.VIEW, "data"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("explorer", "opened"),
        Output(ids.SHOWN, "storage_type"),
        Input(ids.SHOWN, "data"),
        Input(ids.DETAILS, "data"),
        prevent_initial_call=True,
    )


def begun(user_name: str, facts: list[str]) -> Component:
    """The strip before the first answer: who asks, and what will answer."""
    return waterline(Identity.of_user(user_name), None, facts)


def refusal(error: LakefrontError, user_name: str, seconds: float) -> list[Component]:
    """The strip under a refusal: who asked, how long it took, who refused, and the request's id to copy."""
    identity = Identity.of_user(user_name) if user_name else None
    copy = copy_button("Copy request id", "", text=str(error.technical_details.get("request_id", "")), look="ghost")
    words = _REFUSED.get(error.status, "nothing was read")
    return [waterline(identity, seconds * 1000, [words], [copy])]


def _view(view: ViewState, details: TableDetails) -> tuple[Any, Any]:
    """The chosen view and what stands at the end of the tab bar."""
    if view.view == "chart":
        return chart.panel(view, details), chart.side()
    if view.view == "profile":
        return profile.panel(details), profile.side(view)
    if view.view == "details":
        return details_view.panel(details), []
    return rows.panel(view, details, inspector.layout()), rows.side(view, details)
