"""The three record types as tabs, and the list of the chosen one: search, pages, counts."""

import time
from typing import Any

from dash import ALL, Dash, Input, Output, State, ctx, html, no_update
from dash.development.base_component import Component

from dashboard.callbacks import callback
from dashboard.components.controls import Tab, button, skeleton, tabs
from dashboard.components.feedback import error_panel
from dashboard.components.records import KINDS, TYPES, RecordType, list_foot, no_records, record_list
from dashboard.identity import current_user
from dashboard.pages.lakebase import ids, strips
from dashboard.recent_errors import remember
from services.container import Services
from services.errors import LakefrontError
from services.lakebase.models import RecordCounts


def waiting() -> Component:
    """Return the rows of a list that is not there yet, as high as those that replace them."""
    rows = [html.Div(skeleton(50, 80), className="lf-list-wait") for _ in range(5)]
    return html.Div(rows, **{"aria-busy": "true"})


def type_tabs(chosen: str, counts: dict[str, int]) -> Component:
    """Return the tabs, each with the number of its records once that is known."""
    choices = [Tab(kind.name, kind.plural, counts.get(kind.name), kind.short) for kind in TYPES]
    return tabs(ids.TAB, choices, chosen, controls=ids.BODY, label="Record types")


def register(app: Dash, services: Services) -> None:
    """Add the callbacks."""
    _register_load(app, services)
    _register_turning(app)


def _register_load(app: Dash, services: Services) -> None:
    @callback(
        app,
        Output(ids.LIST, "children"),
        Output(ids.FOOT, "children"),
        Output(ids.TABS, "children"),
        Output(ids.COUNTS, "data"),
        Output(ids.STRIP, "children"),
        Output(ids.AVAILABLE, "children"),
        Output(ids.ALERT, "children", allow_duplicate=True),
        Output(ids.NEW, "children"),
        Input(ids.VIEW, "data"),
        Input(ids.SEARCH, "value"),
        Input(ids.CHANGED, "data"),
        Input(ids.RELOAD, "n_clicks", allow_optional=True),
        State(ids.CHOSEN, "data"),
        State(ids.COUNTS, "data"),
        prevent_initial_call="initial_duplicate",
    )
    def load(
        view: dict[str, Any], search: str | None, _: Any, __: Any, chosen: dict[str, Any] | None, counts: Any
    ) -> tuple[Any, ...]:
        """Load one page of the list and the counts of all types, in one transaction; runs as the app, for the person.

        After a change the strip goes on telling of the change, and a failure leaves the list that is there.
        """
        kind = KINDS[view["kind"]]
        started = time.perf_counter()
        try:
            page = services.lakebase.list_records(
                current_user(),
                kind.kind,
                limit=ids.PAGE_SIZE,
                offset=view["offset"],
                search=(search or "").strip(),
                newest=True,
                counts=True,
            )
        except LakefrontError as error:
            remember(error, f"Open {kind.plural.lower()}")
            took = (time.perf_counter() - started) * 1000
            return _failed(services, error, took, kind, counts)
        found = _by_name(page.counts or RecordCounts())
        here = chosen["key"] if chosen else None
        rows = record_list(page.items, here, ids.ROW) if page.items else no_records(kind, search or "")
        after_change = ctx.triggered_id == ids.CHANGED
        return (
            rows,
            list_foot(view["offset"], len(page.items), page.total, ids.EARLIER, ids.LATER),
            type_tabs(kind.name, found),
            found,
            no_update if after_change else strips.answered(page.provenance),
            strips.available(services),
            no_update if after_change else "",
            _new_words(kind.singular),
        )


def _failed(services: Services, error: LakefrontError, took: float, kind: RecordType, counts: Any) -> tuple[Any, ...]:
    """Return the outputs of a load that failed: the list of before if there is one, else the error in its place."""
    down: Any
    strip, down = strips.failed(services, error, took), strips.unavailable(services)
    if error.status == 401:
        down = ""  # the database was not asked
    if counts is None:
        panel = error_panel(error, retry=button("Try again", ids.RELOAD, "primary"))
        return panel, "", type_tabs(kind.name, {}), no_update, strip, down, "", _new_words(kind.singular)
    alert = strips.alert(error, "Not loaded.", "The list is as it was.")
    return no_update, no_update, type_tabs(kind.name, counts), no_update, strip, down, alert, no_update


def _register_turning(app: Dash) -> None:
    @callback(
        app,
        Output(ids.VIEW, "data"),
        Output(ids.CHOSEN, "data", allow_duplicate=True),
        Input({"type": ids.TAB, "value": ALL}, "n_clicks"),
        Input(ids.EARLIER, "n_clicks", allow_optional=True),
        Input(ids.LATER, "n_clicks", allow_optional=True),
        Input(ids.SEARCH, "value"),
        State(ids.VIEW, "data"),
        prevent_initial_call=True,
    )
    def turn(tab: list[Any], earlier: Any, later: Any, _: Any, view: dict[str, Any]) -> tuple[Any, Any]:
        """Show another type or another page of the list."""
        cause = ctx.triggered_id
        if cause == ids.SEARCH:
            return ({**view, "offset": 0} if view["offset"] else no_update), no_update
        if not any((*tab, earlier, later)):
            return no_update, no_update
        if cause in (ids.EARLIER, ids.LATER):
            step = ids.PAGE_SIZE if cause == ids.LATER else -ids.PAGE_SIZE
            return {**view, "offset": max(0, view["offset"] + step)}, no_update
        return {"kind": cause["value"], "offset": 0}, None


def _by_name(counts: RecordCounts) -> dict[str, int]:
    return {kind.name: getattr(counts, kind.kind.name) for kind in TYPES}


def _new_words(singular: str) -> list[Component]:
    return [
        html.I(className="bi bi-plus-lg", **{"aria-hidden": "true"}),
        html.Span(f"New {singular}", className="lf-new-words"),
    ]
