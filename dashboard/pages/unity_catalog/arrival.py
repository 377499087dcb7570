"""Coming to the page and leaving it: what the address or the person's records say, and what is kept for next time."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

from dash import ClientsideFunction, Dash, Input, Output, State, no_update, set_props
from pydantic import ValidationError

from dashboard.callbacks import callback
from dashboard.components.feedback import TOASTS, toast
from dashboard.components.signs import mono
from dashboard.identity import current_user
from dashboard.pages.unity_catalog import ids
from dashboard.pages.unity_catalog.personal import Personal, PersonalRecords
from dashboard.pages.unity_catalog.states import shown
from dashboard.pages.unity_catalog.view_state import SAVED, ViewState
from dashboard.tour import mark
from services.container import Services
from services.errors import LakefrontError
from services.identity import User

PATH = "/unity-catalog"


def register(app: Dash, services: Services, personal: PersonalRecords) -> None:
    """Add the callbacks: restore a view, split it for the parts of the page, remember it."""

    @callback(
        app,
        Output(ids.VIEW, "data"),
        Output(ids.PERSONAL, "data"),
        Input(ids.ARRIVED, "data"),
        State("location", "search"),
        State("location", "pathname"),
    )
    def arrive(followed: str | None, search: str | None, path: str | None) -> Any:
        """Restore the view that the address spells, or the last place, or the default table; runs as the user."""
        if path not in (PATH, f"{PATH}/"):
            return no_update, no_update
        query = followed if followed is not None else search or ""
        try:
            user = current_user()
        except LakefrontError:
            # Not signed in: opening the table says so, with what to set up.
            return ViewState(table=services.settings.default_table).store(), {}
        view, kept = restored(query, user, personal, services.settings.default_table)
        return view.store(), {"date_format": kept.date_format}

    @callback(app, Output(ids.PLACE, "storage_type"), Input(ids.PLACE, "data"), prevent_initial_call=True)
    def leave(data: dict[str, Any] | None) -> Any:
        """Keep where the person was; runs as the app, confined to the person."""
        try:
            if data:
                view = ViewState.of(data)
                personal.remember(current_user(), view)
                mark(services, "table")
                if view.filter:
                    mark(services, "filter")
        except LakefrontError:
            return no_update
        return no_update

    app.clientside_callback(
        ClientsideFunction("explorer", "split"),
        *(Output(name, "data") for name in (ids.SOUGHT, ids.FILTER, ids.CHART, ids.HIDDEN, ids.ASKED)),
        Output(ids.TREE_STATE, "data", allow_duplicate=True),
        Input(ids.VIEW, "data"),
        *(State(name, "data") for name in (ids.SOUGHT, ids.FILTER, ids.CHART, ids.HIDDEN, ids.ASKED)),
        State(ids.TREE_STATE, "data"),
        State(ids.INSTANCE, "data"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("explorer", "personal"),
        Output(ids.PERSONAL, "storage_type"),
        Input(ids.PERSONAL, "data"),
        prevent_initial_call=True,
    )


def restored(query: str, user: User, personal: PersonalRecords, default_table: str) -> tuple[ViewState, Personal]:
    """The view to begin with: a saved one, the address's, the last place, the preferred table, the app's own."""
    saved = parse_qs(query.lstrip("?")).get(SAVED)
    view, unreadable = ViewState.of_query(query)
    named = bool(view.table or saved)
    kept = personal.read(user, place=not named)
    if saved:
        view = _saved(saved[-1], user, personal) or view
    elif unreadable:
        words = ["The address could not be read at ", mono(unreadable), "; the table is shown without it."]
        set_props(TOASTS, {"children": toast(words, tone_icon="exclamation-triangle-fill")})
    if not view.table:
        view = kept.place or ViewState(table=kept.default_table or default_table)
    return view.model_copy(update={"page_size": kept.page_size}), kept


def _saved(key: str, user: User, personal: PersonalRecords) -> ViewState | None:
    """A saved view; what is wrong with it is said, and the page opens as without it."""
    try:
        return personal.view(user, key)
    except LakefrontError as error:
        words = ["The saved view ", mono(key), " was not opened. ", shown(error).message]
    except (ValueError, ValidationError):
        words = ["The record ", mono(key), " holds no view of a table."]
    set_props(TOASTS, {"children": toast(words, tone_icon="exclamation-triangle-fill")})
    return None
