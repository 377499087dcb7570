"""The Unity Catalog page: find a governed table, read it, see it, know it, take it away.

``view_state.py`` is what is looked at; the address mirrors it. ``tree.py`` finds a table, ``head.py`` names it,
``filters.py`` narrows it, ``rows.py`` and ``grid.py`` show it, ``states.py`` says why there is nothing to show.
"""

from __future__ import annotations

import uuid
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component

from dashboard.api.errors import record
from dashboard.callbacks import callback
from dashboard.components.feedback import blank
from dashboard.components.signs import tag
from dashboard.identity import current_user
from dashboard.pages.unity_catalog import (
    chart,
    export,
    filters,
    head,
    ids,
    inspector,
    profile,
    rows,
    saved_view,
    states,
    tree,
)
from dashboard.pages.unity_catalog import (
    details as details_view,
)
from dashboard.pages.unity_catalog.view_state import ViewState
from services.container import Services
from services.errors import LakefrontError
from services.unity_catalog.models import TableDetails

_STORES = (
    ids.VIEW,
    ids.DETAILS,
    ids.SHOWN,
    ids.FILTER_EDITED,
    ids.GRID_FAILED,
    ids.ASKED,
    ids.CANCELLED,
    ids.LAST_QUERY,
    ids.COUNT,
    "uc-hidden",
    "uc-focused-column",
    "uc-column",
    export.JOB,
)


def layout() -> Component:
    """The page before anything was read: the browser on the left, an empty work area."""
    work = html.Section(
        [
            html.Div(html.Div(html.H1("Unity Catalog", id="table-name"), className="lf-title"), id=ids.HEAD),
            html.Div(
                [html.Div(head.tab_bar(ViewState()), id="uc-tab-bar"), html.Span(id=ids.TABS_SIDE, className="push")],
                className="lf-bar tabs",
            ),
            html.Div(
                [
                    html.Div(id=ids.CHIPS, className="scroll", role="group", **{"aria-label": "Active filters"}),
                    html.Span(id=ids.COUNT_TEXT, className="push small nowrap hide-phone", role="status"),
                ],
                id=ids.FILTER_BAR,
                className="lf-bar",
                role="group",
                **{"aria-label": "Filters"},
            ),
            html.Div(id=ids.FILTER_FORM),
            html.Div(id=ids.PANEL, role="tabpanel", className="lf-view", tabIndex="-1"),
            html.Div(id=ids.STRIP, className="lf-under"),
            rows.running_strip(),
            html.Div(id=saved_view.FORM),
            export.layout(),
        ],
        className="lf-work",
        **{"aria-labelledby": "table-name"},
    )
    return html.Div(
        [
            *(dcc.Store(id=name) for name in _STORES),
            dcc.Store(id=ids.INSTANCE, data=uuid.uuid4().hex),
            dcc.Store(id=ids.TREE_STATE, data=[]),
            dcc.Store(id=ids.ARRIVED, data=True),
            dcc.Interval(id=ids.POLL, interval=1000, disabled=True),
            tree.layout(),
            work,
        ],
        id=ids.PAGE,
        className="lf-explorer",
    )


def register(app: Dash, services: Services) -> None:
    """Add the callbacks of the page."""
    tree.register(app, services)
    filters.register(app)
    rows.register(app, services)
    inspector.register(app, services)
    profile.register(app, services)
    chart.register(app, services)
    export.register(app, services)
    saved_view.register(app, services)
    _register_arrival(app, services)
    _register_table(app, services)
    app.clientside_callback(
        ClientsideFunction("explorer", "address"),
        Output(ids.ARRIVED, "id"),
        Input(ids.VIEW, "data"),
        prevent_initial_call=True,
    )


def _register_arrival(app: Dash, services: Services) -> None:
    @callback(
        app,
        Output(ids.VIEW, "data"),
        Input(ids.ARRIVED, "data"),
        State("location", "search"),
    )
    def arrive(_: Any, search: str | None) -> dict[str, Any]:
        """Restore the view that the address spells, or open the default table; runs as nobody."""
        view, _unreadable = ViewState.of_query(search or "")
        if not view.table:
            view = view.model_copy(update={"table": services.settings.default_table})
        return view.store()

    @callback(
        app,
        Output(ids.VIEW, "data", allow_duplicate=True),
        Input({"type": ids.TABS, "value": "rows"}, "n_clicks"),
        Input({"type": ids.TABS, "value": "chart"}, "n_clicks"),
        Input({"type": ids.TABS, "value": "profile"}, "n_clicks"),
        Input({"type": ids.TABS, "value": "details"}, "n_clicks"),
        State(ids.VIEW, "data"),
        prevent_initial_call=True,
    )
    def choose_view(*values: Any) -> Any:
        """Look at the table in another way; runs as nobody."""
        pressed = ctx.triggered_id
        if not isinstance(pressed, dict) or not ctx.triggered[0]["value"]:
            return no_update
        return {**values[-1], "view": pressed["value"]}


def _register_table(app: Dash, services: Services) -> None:
    @callback(
        app,
        Output(ids.HEAD, "children"),
        Output(ids.DETAILS, "data"),
        Output(ids.PANEL, "children"),
        Output("uc-tab-bar", "children"),
        Output(ids.TABS_SIDE, "children"),
        Output(ids.FILTER_BAR, "hidden"),
        Output(ids.SHOWN, "data"),
        Output(ids.STRIP, "children", allow_duplicate=True),
        Input(ids.VIEW, "data"),
        Input(ids.ROWS_RETRY, "n_clicks", allow_optional=True),
        State(ids.SHOWN, "data"),
        prevent_initial_call=True,
    )
    def open_table(data: dict[str, Any] | None, _: int | None, shown: list[str] | None) -> Any:
        """Read the table's details and draw the chosen view of it; runs as the user."""
        view = ViewState.of(data)
        retry = ctx.triggered_id == ids.ROWS_RETRY
        wanted = [view.table, view.view]
        if wanted == shown and not retry:
            return (no_update,) * 8
        ref = view.ref
        if ref is None:
            nothing = blank("missing", "Choose a table", ["Open a catalog and a schema on the left, then a table."])
            return head.head(view, None), None, nothing, head.tab_bar(view), [], True, wanted, []
        user_name = ""
        try:
            user = current_user()
            user_name = user.user_name
            details = services.unity_catalog.table(user, ref, refresh=retry)
        except LakefrontError as error:
            record(error)
            marks = [tag("No access", "danger", "lock-fill")] if error.status == 403 else []
            panel = states.problem(error, view, user_name)
            return head.head(view, None, *marks), None, panel, [], [], True, None, []
        panel, side = _view(view, details)
        stored = details.model_dump(mode="json")
        strip = details_view.strip(details) if view.view == "details" else []
        bar = head.tab_bar(view)
        return head.head(view, details), stored, panel, bar, side, view.view == "details", wanted, strip


def _view(view: ViewState, details: TableDetails) -> tuple[Any, Any]:
    """The chosen view and what stands at the end of the tab bar."""
    if view.view == "chart":
        return chart.panel(view, details), chart.side()
    if view.view == "profile":
        return profile.panel(details), profile.side(view)
    if view.view == "details":
        return details_view.panel(details), []
    return rows.panel(view, details, inspector.layout()), []
