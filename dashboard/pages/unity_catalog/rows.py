"""The rows of a table: the browser reads them from the JSON API; what is said of them is drawn here.

``assets/explorer_rows.js`` gives the grid its blocks straight from ``POST …/query``, the route of ``dashboard/api``, so
that a block takes no longer than the API takes. The strip, the states and the total follow the rows and never delay
them. A statement that nobody waits for any more is cancelled on the warehouse.
"""

from __future__ import annotations

from typing import Any

import dash_bootstrap_components as dbc
from dash import ClientsideFunction, Dash, Input, Output, State, html, no_update, set_props
from dash.development.base_component import Component
from pydantic import ValidationError

from dashboard.api.contract import ErrorBody
from dashboard.callbacks import callback
from dashboard.components.controls import button
from dashboard.components.feedback import blank
from dashboard.components.signs import Identity, icon, state
from dashboard.components.waterline import sql_button, sql_panel, waterline
from dashboard.identity import current_user
from dashboard.pages.unity_catalog import ids, states, total
from dashboard.pages.unity_catalog.grid import grid
from dashboard.pages.unity_catalog.pager import pager
from dashboard.pages.unity_catalog.view_state import ViewState
from dashboard.pages.unity_catalog.warehouse import WarehouseWords
from services.container import Services
from services.errors import Cancelled, LakefrontError
from services.identity import User
from services.unity_catalog.models import CountRequest, Query, TableDetails

SQL_PANEL = "uc-sql"
RUNNING = (Output(ids.RUNNING, "className"), "lf-running on", "lf-running")
"""For ``running=``: the strip counts the seconds (assets/explorer_waiting.js) and offers Cancel after the first one."""


def panel(view: ViewState, details: TableDetails, inspector: Component) -> Component:
    """The rows view: grid and column profile, pager; states lie over all of it."""
    region = html.Div(
        html.Div(grid(view, details), id=ids.GRID_BOX, className="lf-grid-box"),
        className="lf-grid-region",
        role="region",
        **{"aria-label": f"Rows of {details.full_name}", "data-table": view.table},
    )
    return html.Div(
        [
            html.Div([region, inspector], className="lf-split"),
            pager(view.page_size),
            html.Div(id=ids.GRID_STATE, className="lf-grid-state"),
            html.Div(id=ids.STARTING, className="lf-grid-state lf-starting"),
        ],
        className="lf-rows",
    )


def side(view: ViewState, details: TableDetails) -> list[Component]:
    """What stands at the end of the tab bar: the column chooser and the switch of the column profile."""
    names = [column.name for column in details.columns]
    shown = [name for name in names if name not in view.hidden]
    toggles = {"aria-expanded": "false", "aria-haspopup": "true"}
    chooser = html.Fieldset(
        [
            html.Legend("Columns that are shown", className="lf-menu-title"),
            dbc.Checklist(
                id=ids.COLUMNS_SHOWN, options=[{"label": name, "value": name} for name in names], value=shown
            ),
        ],
        id=ids.COLUMNS_MENU,
        className="lf-pop lf-menu lf-columns-menu",
        hidden=True,
    )
    return [
        html.Button(
            [icon("layout-three-columns"), "Columns ", html.Span(str(len(shown)), id="uc-columns-count")],
            className="btn btn-ghost btn-sm hide-phone",
            type="button",
            **toggles,
            **{"data-toggle": ids.COLUMNS_MENU, "data-pop": ids.COLUMNS_MENU},
        ),
        html.Button(
            [icon("layout-sidebar-reverse"), "Column profile"],
            id="uc-inspect-toggle",
            className="btn btn-ghost btn-sm hide-phone",
            type="button",
            **{"aria-pressed": "true"},
        ),
        chooser,
    ]


def strip(query: Query, warehouse: str, counted: str) -> list[Component]:
    """The waterline under the rows, and the statement it opens."""
    facts = [warehouse, html.Span(counted, id=total.STRIP_COUNT)]
    return [
        waterline(Identity.of_user(query.runs_as), query.elapsed_ms, facts, [sql_button(SQL_PANEL)]),
        sql_panel(SQL_PANEL, query.statement, query.parameters),
    ]


def running_strip() -> Component:
    """The strip of a statement that takes longer than a second: its edge flows, seconds count, Cancel is offered.

    It lies over the last answer's strip, so nothing moves; assets/explorer_waiting.js keeps its words.
    """
    parts = [
        html.Span(className="as lf-running-as"),
        html.Span(className="sep"),
        html.Span("running", className="lf-running-words"),
        html.Span(className="sep hide-phone"),
        html.Span(className="lf-running-fact hide-phone"),
        html.Span(button("Cancel", ids.ROWS_CANCEL, "ghost", small=True), className="push row-flex lf-actions"),
    ]
    return html.Div(html.Div(parts, className="lf-waterline running"), id=ids.RUNNING, className="lf-running")


def register(app: Dash, services: Services, warehouse: WarehouseWords) -> None:
    """Add the callbacks: what is said of the rows, waiting, cancelling, and the grid's own moves."""
    _register_told(app, warehouse, services)
    _register_waiting(app, services)
    _register_cancelling(app, services)
    _register_clientside(app)


def _register_told(app: Dash, warehouse: WarehouseWords, services: Services) -> None:
    """What the page says of the rows that the browser read from the JSON API: after they are shown, never before."""

    @callback(
        app,
        Output(ids.GRID_STATE, "children"),
        Input(ids.LAST_QUERY, "data"),
        State(ids.VIEW, "data"),
        State(ids.ASKED, "data"),
        State(ids.COUNT, "data"),
        prevent_initial_call=True,
    )
    def tell(
        last: dict[str, Any] | None,
        data: dict[str, Any],
        asked: dict[str, Any] | None,
        count: dict[str, Any] | None,
    ) -> Any:
        """Draw the strip of an answer, and the empty state when it holds no row; runs as the user."""
        key = (asked or {}).get("key")
        if not last or last["key"] != key:
            return no_update
        known = count if count and count.get("key") == key else None
        counted = total.words_of(known["elapsed_ms"]) if known else "counting…"
        set_props(ids.STRIP, {"children": strip(Query.model_validate(last["query"]), warehouse(), counted)})
        if not last["empty"]:
            return []
        view = ViewState.of(data)
        try:
            return [_empty(services, current_user(), view)]
        except LakefrontError as error:
            states.shown(error)
            return [states.empty(view, None, None)]

    @callback(
        app,
        Output(ids.GRID_STATE, "children", allow_duplicate=True),
        Input(ids.GRID_FAILED, "data"),
        State(ids.VIEW, "data"),
        prevent_initial_call=True,
    )
    def explain(failed: dict[str, Any] | None, data: dict[str, Any]) -> Any:
        """Say why there are no rows. The API has logged the error; its body comes back from the browser."""
        if not failed:
            return no_update
        try:
            user_name = current_user().user_name
        except LakefrontError:
            user_name = ""
        error = _error_of(failed.get("problem"))
        if error.error_code == Cancelled.error_code:
            return _cancelled()
        set_props(ids.STRIP, {"children": states.failed_strip(error, user_name)})
        return states.problem(error, ViewState.of(data), user_name)


def _register_waiting(app: Dash, services: Services) -> None:
    @callback(app, Output(ids.STARTING, "children"), Input(ids.WAITING, "data"), prevent_initial_call=True)
    def watch(waiting: dict[str, Any] | None) -> Any:
        """While a statement waits: is the warehouse starting? Runs as the app."""
        if not waiting:
            return []
        try:
            found = services.unity_catalog.warehouse_state()
        except LakefrontError:
            return no_update
        if found.state == "RUNNING":
            return []
        set_props(ids.COUNT_TEXT, {"children": state("Warehouse starting", "info")})
        return states.warehouse_starting(found, waiting["since"] / 1000)


def _register_cancelling(app: Dash, services: Services) -> None:
    @callback(
        app,
        Output(ids.CANCELLED, "storage_type"),
        Input(ids.CANCELLED, "data"),
        State(ids.VIEW, "data"),
        prevent_initial_call=True,
    )
    def cancel(order: dict[str, Any] | None, data: dict[str, Any]) -> Any:
        """Stop statements that nobody waits for any more, on the warehouse; runs as the user."""
        if not order:
            return no_update
        try:
            user = current_user()
            for key in order["keys"]:
                services.unity_catalog.cancel(user, key)
        except LakefrontError as error:
            states.shown(error)
        view = ViewState.of(data)
        if order["by"] == "person" and not order["restored"] and view.view == "rows":
            set_props(ids.GRID_STATE, {"children": _cancelled()})
        return no_update


def _cancelled() -> Component:
    again = button("Read the rows", ids.ROWS_RETRY, "primary")
    return blank("starting", "Cancelled", ["The statement was stopped before its rows were here."], [again])


def _register_clientside(app: Dash) -> None:
    """What needs AG Grid's own API, in assets/explorer_rows.js, explorer_pager.js and explorer_grid.js."""
    for function, output, sources in (
        ("take", (ids.GRID_BOX, "title"), (Input(ids.GRID, "getRowsRequest"),)),
        ("reload", (ids.ASKED, "storage_type"), (Input(ids.ASKED, "data"),)),
        ("answered", (ids.LAST_QUERY, "storage_type"), (Input(ids.LAST_QUERY, "data"), State(ids.VIEW, "data"))),
        ("total", (ids.COUNT, "storage_type"), (Input(ids.COUNT, "data"), State(ids.ASKED, "data"))),
        ("size", (ids.PAGER_PLACE, "title"), (Input(ids.PAGER_SIZE, "value"),)),
        ("hide", (ids.HIDDEN, "storage_type"), (Input(ids.HIDDEN, "data"),)),
    ):
        app.clientside_callback(
            ClientsideFunction("explorer", function), Output(*output), *sources, prevent_initial_call=True
        )
    app.clientside_callback(
        ClientsideFunction("explorer", "chosenColumns"),
        Output(ids.VIEW, "data", allow_duplicate=True),
        Input(ids.COLUMNS_SHOWN, "value"),
        State(ids.VIEW, "data"),
        State(ids.DETAILS, "data"),
        prevent_initial_call=True,
    )


def _error_of(body: Any) -> LakefrontError:
    """The API's error from its body; without one the app could not be reached at all, or a sign-in page answered."""
    try:
        told = ErrorBody.model_validate(body)
    except ValidationError:
        words = "The app did not answer. If your sign-in has ended, load the page again."
        return LakefrontError(words, error_code="NO_ANSWER")
    return LakefrontError(
        told.message,
        error_code=told.error_code,
        technical_details=told.technical_details,
        retry_after=told.retry_after,
    )


def _empty(services: Services, user: User, view: ViewState) -> Component:
    """The empty state: how many rows there would be without any filter, and without the last one."""
    assert view.ref is not None  # noqa: S101 - the caller read its rows
    if not view.filter:
        return states.empty(view, None, None)
    whole = services.unity_catalog.count(user, view.ref, CountRequest()).total_rows
    without = None
    if len(view.filter) > 1:
        wider = view.model_copy(update={"filter": view.filter[:-1]})
        without = services.unity_catalog.count(user, view.ref, wider.count_request).total_rows
    return states.empty(view, whole, without)
