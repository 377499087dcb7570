"""The total beside the rows: a statement of its own that is asked when the first rows are there, and kept briefly."""

from __future__ import annotations

from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, html, no_update, set_props

from dashboard.callbacks import callback
from dashboard.components.words import elapsed, number
from dashboard.identity import current_user
from dashboard.pages.unity_catalog import ids
from dashboard.pages.unity_catalog.states import shown
from dashboard.pages.unity_catalog.view_state import ViewState
from services.container import Services
from services.errors import Cancelled, LakefrontError
from services.unity_catalog.models import CountRequest

STRIP_COUNT = "uc-strip-count"
"""Id of the words in the rows' waterline that say how long the count took."""


def register(app: Dash, services: Services) -> None:
    """Add the callbacks: when to count, and counting."""
    app.clientside_callback(
        ClientsideFunction("explorer", "whenToCount"),
        Output(ids.COUNT_ASK, "data"),
        Input(ids.LAST_QUERY, "data"),
        Input(ids.SHOWN, "data"),
        Input(ids.ASKED, "data"),
        State(ids.COUNT, "data"),
        State(ids.COUNT_ASK, "data"),
        State(ids.VIEW, "data"),
        prevent_initial_call=True,
    )

    @callback(
        app,
        Output(ids.COUNT, "data"),
        Output(ids.COUNT_TEXT, "children"),
        Input(ids.COUNT_ASK, "data"),
        State(ids.VIEW, "data"),
        prevent_initial_call=True,
    )
    def count(key: str | None, data: dict[str, Any]) -> Any:
        """Count the filtered rows, and the whole table beside them; runs as the user."""
        view = ViewState.of(data)
        if not key or view.ref is None:
            return no_update, no_update
        try:
            user = current_user()
            counted = services.unity_catalog.count(user, view.ref, view.count_request, cancel_key=key)
            whole = counted
            if view.filter:
                whole = services.unity_catalog.count(user, view.ref, CountRequest(), cancel_key=key)
        except Cancelled:
            return no_update, no_update
        except LakefrontError as error:
            shown(error)
            if view.view == "rows":
                set_props(STRIP_COUNT, {"children": "the total is not known"})
            return no_update, html.Span("total not known", className="dim")
        if view.view == "rows":
            set_props(STRIP_COUNT, {"children": words_of(counted.query.elapsed_ms)})
        document = {"key": key, "total": counted.total_rows, "elapsed_ms": counted.query.elapsed_ms}
        return document, in_words(counted.total_rows, whole.total_rows, bool(view.filter))


def words_of(milliseconds: int) -> str:
    """What the strip says of a count."""
    return f"count took {elapsed(milliseconds)}"


def in_words(total: int, whole: int, filtered: bool) -> list[Any]:
    """``1,284,113 of 10,000,000 rows``, with the filtered total strong."""
    if not filtered:
        return [html.B(number(total)), html.Span(" row" if total == 1 else " rows", className="dim")]
    return [html.B(number(total)), html.Span(f" of {number(whole)} rows", className="dim")]
