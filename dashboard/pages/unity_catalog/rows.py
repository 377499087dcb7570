"""The rows of a table: blocks as the grid asks for them, the total beside them, never before them.

Filters and orders are pushed down to the warehouse; nothing loads a table. The total is a statement of its own, kept
briefly, and arrives after the first rows. A statement that nobody waits for any more is cancelled on the warehouse.
"""

from __future__ import annotations

import time
from typing import Any

import dash_bootstrap_components as dbc
from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html, no_update
from dash.development.base_component import Component

from dashboard.api.errors import record
from dashboard.callbacks import callback
from dashboard.components.controls import button, icon_button
from dashboard.components.signs import Identity
from dashboard.components.waterline import sql_button, sql_panel, waterline
from dashboard.components.words import elapsed, number
from dashboard.identity import current_user
from dashboard.pages.unity_catalog import ids, states
from dashboard.pages.unity_catalog.grid import grid, request_of, sort_of
from dashboard.pages.unity_catalog.view_state import PAGE_SIZES, ViewState
from services.container import Services
from services.errors import Cancelled, LakefrontError
from services.identity import User
from services.unity_catalog.models import Count, CountRequest, Query, TableDetails, TableRef

SQL_PANEL = "uc-sql"


def panel(view: ViewState, details: TableDetails, inspector: Component) -> list[Component]:
    """The rows view: grid and column profile, pager."""
    region = html.Div(
        [
            html.Div(grid(view, details), id=ids.GRID_BOX, className="lf-grid-box"),
            html.Div(id=ids.GRID_STATE, className="lf-grid-state"),
            html.Div(id=ids.STARTING, className="lf-grid-state"),
        ],
        className="lf-grid-region",
        role="region",
        **{"aria-label": f"Rows of {details.full_name}"},
    )
    return [html.Div([region, inspector], className="lf-split"), pager(view.page_size)]


def pager(page_size: int) -> Component:
    """Place, page and page size; assets/explorer.js drives the grid's own paging."""
    return html.Nav(
        [
            html.Span(
                ["Rows ", html.B("…"), html.Span(id="uc-pager-of", className="hide-phone")],
                id=ids.PAGER_PLACE,
                className="nowrap",
            ),
            html.Span(id=ids.PAGER_MESSAGE, className="lf-pager-message", role="status"),
            html.Span(
                [
                    icon_button("First page", "chevron-bar-left", ids.PAGER_FIRST, "hide-phone", disabled=True),
                    icon_button("Previous page", "chevron-left", ids.PAGER_PREVIOUS, disabled=True),
                    html.Label("Page", htmlFor=ids.PAGER_PAGE, className="hide-phone"),
                    dcc.Input(
                        id=ids.PAGER_PAGE, value="1", type="text", inputMode="numeric", className="form-control num"
                    ),
                    html.Span("of more", id=ids.PAGER_TOTAL, className="nowrap"),
                    icon_button("Next page", "chevron-right", ids.PAGER_NEXT),
                    icon_button("Last page", "chevron-bar-right", ids.PAGER_LAST, "hide-phone", disabled=True),
                ],
                className="row-flex push lf-pages",
            ),
            html.Label("Rows on a page", htmlFor=ids.PAGER_SIZE, className="visually-hidden"),
            dbc.Select(
                id=ids.PAGER_SIZE,
                options=[{"label": f"{size} rows", "value": str(size)} for size in PAGE_SIZES],
                value=str(page_size),
                class_name="hide-phone",
            ),
        ],
        id=ids.PAGER,
        className="lf-pager",
        **{"aria-label": "Pages of rows"},
    )


def strip(query: Query | None, user_name: str, facts: list[Any], *, failed: str = "") -> list[Component]:
    """The waterline under the rows, and the statement it opens."""
    identity = Identity.of_user(user_name)
    if query is None:
        return [waterline(identity, failed or None, facts)]
    return [
        waterline(identity, query.elapsed_ms, facts, [sql_button(SQL_PANEL)]),
        sql_panel(SQL_PANEL, query.statement, query.parameters),
    ]


def register(app: Dash, services: Services) -> None:
    """Add the callbacks of grid, total, strip and pager."""
    _register_blocks(app, services)
    _register_order(app)
    _register_waiting(app, services)
    _register_total(app, services)
    _register_strip(app)
    _register_clientside(app)


def _register_blocks(app: Dash, services: Services) -> None:
    @callback(
        app,
        Output(ids.GRID, "getRowsResponse"),
        Output(ids.GRID_FAILED, "data"),
        Output(ids.GRID_STATE, "children"),
        Output(ids.LAST_QUERY, "data"),
        Input(ids.GRID, "getRowsRequest"),
        State(ids.VIEW, "data"),
        State(ids.INSTANCE, "data"),
        State(ids.COUNT, "data"),
        running=[
            (Output(ids.RUNNING, "className"), "lf-running on", "lf-running"),
            (Output(ids.POLL, "disabled"), False, True),
        ],
        prevent_initial_call=True,
    )
    def load(request: dict[str, Any] | None, data: dict[str, Any], instance: str, count: dict[str, Any] | None) -> Any:
        """Answer one block; runs as the user. Every request is answered or failed, or the grid would wait for ever."""
        view = ViewState.of(data)
        if request is None or view.ref is None:
            return no_update, no_update, no_update, no_update
        user_name = ""
        try:
            user = current_user()
            user_name = user.user_name
            page = services.unity_catalog.rows(
                user, view.ref, request_of(view, request), cancel_key=statement_key(instance, view)
            )
        except Cancelled:
            return no_update, {"at": time.time()}, no_update, no_update
        except LakefrontError as error:
            record(error)
            shown = states.problem(error, view, user_name)
            return no_update, {"at": time.time()}, shown, {"failed": error.message}
        offset, returned = page.pagination.offset, page.pagination.returned
        total = _known_total(view, count)
        if page.pagination.next_offset is None:
            total = offset + returned
        last = {"query": page.query.model_dump(mode="json"), "sort": sort_of(request)}
        return {"rowData": page.rows, "rowCount": total}, no_update, [], last


def _register_order(app: Dash) -> None:
    @callback(
        app,
        Output(ids.VIEW, "data", allow_duplicate=True),
        Input(ids.LAST_QUERY, "data"),
        State(ids.VIEW, "data"),
        prevent_initial_call=True,
    )
    def remember_order(last: dict[str, Any] | None, data: dict[str, Any]) -> Any:
        """Keep the order that the headers show in the view; runs as nobody."""
        view = ViewState.of(data)
        if not last or "sort" not in last or last["sort"] == [one.model_dump() for one in view.sort]:
            return no_update
        return {**data, "sort": last["sort"]}


def _register_waiting(app: Dash, services: Services) -> None:
    @callback(
        app,
        Output(ids.STARTING, "children"),
        Input(ids.POLL, "n_intervals"),
        Input(ids.POLL, "disabled"),
        prevent_initial_call=True,
    )
    def watch(ticks: int | None, idle: bool) -> Any:
        """While a statement waits: is the warehouse starting? Runs as the app."""
        if idle or not ticks:
            return []
        try:
            warehouse = services.unity_catalog.warehouse_state()
        except LakefrontError:
            return no_update
        if warehouse.state == "RUNNING":
            return []
        return states.warehouse_starting(warehouse, time.time() - ticks)

    @callback(
        app,
        Output(ids.CANCELLED, "data"),
        Input(ids.ROWS_CANCEL, "n_clicks"),
        Input(ids.VIEW, "data"),
        State(ids.ASKED, "data"),
        State(ids.INSTANCE, "data"),
        prevent_initial_call=True,
    )
    def cancel(pressed: int | None, data: dict[str, Any], asked: str | None, instance: str) -> Any:
        """Stop the statement that nobody waits for any more, on the warehouse; runs as the user."""
        now = statement_key(instance, ViewState.of(data))
        if asked and (asked != now or pressed):
            try:
                services.unity_catalog.cancel(current_user(), asked)
            except LakefrontError:
                return no_update
        return now

    # What was asked last, for the next change: written only after ``cancel`` has read the value before.
    app.clientside_callback("function(key) { return key; }", Output(ids.ASKED, "data"), Input(ids.CANCELLED, "data"))


def _register_total(app: Dash, services: Services) -> None:
    @callback(
        app,
        Output(ids.COUNT, "data"),
        Output(ids.COUNT_TEXT, "children"),
        Output(ids.GRID_STATE, "children", allow_duplicate=True),
        Input(ids.LAST_QUERY, "data"),
        State(ids.VIEW, "data"),
        State(ids.COUNT, "data"),
        prevent_initial_call=True,
    )
    def total(last: dict[str, Any] | None, data: dict[str, Any], known: dict[str, Any] | None) -> Any:
        """Count the filtered rows, and the whole table beside them, once the rows are there; runs as the user."""
        view = ViewState.of(data)
        if not last or "query" not in last or view.ref is None:
            return no_update, "", no_update
        if known and known.get("key") == count_key(view):
            return no_update, no_update, no_update
        try:
            user = current_user()
            counted = services.unity_catalog.count(user, view.ref, view.count_request)
            whole = services.unity_catalog.count(user, view.ref, CountRequest()) if view.filter else counted
            empty = _empty(services, user, view.ref, view, counted, whole)
        except LakefrontError as error:
            record(error)
            return no_update, "total not known", no_update
        document = {"key": count_key(view), "total": counted.total_rows, "elapsed_ms": counted.query.elapsed_ms}
        return document, _count_words(counted.total_rows, whole.total_rows, bool(view.filter)), empty

    @callback(
        app,
        Output(ids.VIEW, "data", allow_duplicate=True),
        Input("uc-empty-clear", "n_clicks"),
        Input("uc-empty-remove", "n_clicks", allow_optional=True),
        State(ids.VIEW, "data"),
        prevent_initial_call=True,
    )
    def widen(clear: int | None, remove: int | None, data: dict[str, Any]) -> Any:
        """Take filters away from an empty view; runs as nobody."""
        if not clear and not remove:
            return no_update
        return {**data, "filter": [] if clear else data["filter"][:-1]}


def _register_strip(app: Dash) -> None:
    @callback(
        app,
        Output(ids.STRIP, "children"),
        Input(ids.LAST_QUERY, "data"),
        Input(ids.COUNT, "data"),
        State(ids.VIEW, "data"),
        prevent_initial_call=True,
    )
    def draw(last: dict[str, Any] | None, count: dict[str, Any] | None, data: dict[str, Any]) -> Any:
        """Draw the waterline; runs as nobody but says who ran the statement."""
        view = ViewState.of(data)
        if not last or view.view != "rows":
            return no_update
        if "query" not in last:
            return strip(None, "you", ["nothing was read"], failed="failed")
        query = Query.model_validate(last["query"])
        facts: list[Any] = [f"warehouse {query.warehouse_id}"] if query.warehouse_id else []
        if count and count.get("key") == count_key(view):
            facts.append(f"count took {elapsed(count['elapsed_ms'])}")
        else:
            facts.append("counting…")
        return strip(query, query.runs_as, facts)


def _register_clientside(app: Dash) -> None:
    """What needs AG Grid's own API, in assets/explorer.js."""
    for function, output, sources in (
        ("fail", (ids.GRID_FAILED, "id"), (Input(ids.GRID_FAILED, "data"), State(ids.GRID, "getRowsRequest"))),
        ("reload", (ids.PAGE, "title"), (Input(ids.VIEW, "data"),)),
        ("retry", (ids.GRID_BOX, "title"), (Input(ids.ROWS_RETRY, "n_clicks"),)),
        ("total", (ids.PAGER, "title"), (Input(ids.COUNT, "data"), Input(ids.GRID, "getRowsResponse"))),
        ("size", (ids.PAGER_PLACE, "title"), (Input(ids.PAGER_SIZE, "value"),)),
        ("columns", (ids.GRID_BOX, "lang"), (Input("uc-hidden", "data"),)),
    ):
        app.clientside_callback(
            ClientsideFunction("explorer", function), Output(*output), *sources, prevent_initial_call=True
        )


def statement_key(instance: str, view: ViewState) -> str:
    """The name of the statement that this visit waits for: another table or filter is another statement."""
    return f"{instance}:{count_key(view)}"


def count_key(view: ViewState) -> str:
    """What decides the total: table and filter, not the order."""
    return view.model_copy(update={"sort": []}).key()


def _known_total(view: ViewState, count: dict[str, Any] | None) -> int | None:
    return int(count["total"]) if count and count.get("key") == count_key(view) else None


def _count_words(total: int, whole: int, filtered: bool) -> list[Any]:
    if not filtered:
        return [html.B(number(total)), html.Span(" rows", className="dim")]
    return [html.B(number(total)), html.Span(f" of {number(whole)} rows", className="dim")]


def _empty(services: Services, user: User, ref: TableRef, view: ViewState, counted: Count, whole: Count) -> Any:
    """The empty state when nothing matches, with the count without the last filter."""
    if counted.total_rows:
        return no_update
    wider = view.model_copy(update={"filter": view.filter[:-1]})
    without = services.unity_catalog.count(user, ref, wider.count_request).total_rows if len(view.filter) > 1 else None
    return states.empty(view, whole.total_rows if view.filter else None, without)


def running_strip() -> Component:
    """Appears when a statement takes longer than a second (the stylesheet waits, not a script): seconds and Cancel."""
    return html.Div(
        [
            html.Span("running", className="lf-running-words"),
            button("Cancel", ids.ROWS_CANCEL, "ghost", small=True),
        ],
        id=ids.RUNNING,
        className="lf-running",
        role="status",
    )
