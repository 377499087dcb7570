"""Saving a view: table, columns, filter, order and chart become one of the person's configurations in Lakebase."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import quote

import dash_bootstrap_components as dbc
from dash import Dash, Input, Output, State, html, no_update
from dash.development.base_component import Component

from dashboard.callbacks import callback
from dashboard.components.controls import button, field
from dashboard.components.feedback import TOASTS, toast
from dashboard.components.signs import mono
from dashboard.identity import current_user
from dashboard.pages.unity_catalog import ids
from dashboard.pages.unity_catalog.personal import PersonalRecords, SavedView
from dashboard.pages.unity_catalog.states import shown
from dashboard.pages.unity_catalog.view_state import SAVED, ViewState
from services.container import Services
from services.errors import AlreadyExists, LakefrontError
from services.lakebase import CONFIGURATION

FORM = "uc-save-form"
NAME = "uc-save-name"
SAVE = "uc-save-apply"
CANCEL = "uc-save-cancel"
VIEWS = "uc-save-views"
"""Button that opens the form again: it lists the saved views, each a link (assets/explorer_view.js)."""
_NOT_IN_KEYS = re.compile(r"[^A-Za-z0-9._-]+")


def form(view: ViewState, saved: list[SavedView], typed: str = "", problem: str = "") -> Component:
    """The small form at the button, with the views that were saved before."""
    name = typed or f"{view.ref.table if view.ref else 'table'}-view"
    control = dbc.Input(id=NAME, type="text", value=name, autocomplete="off", invalid=bool(problem), maxlength=100)
    return html.Div(
        [
            field("Name of the view", control, hint="Letters, digits, dot, dash, underscore.", error=problem or None),
            html.Div(
                [
                    button("Cancel", CANCEL, "ghost", small=True),
                    button("Save view", SAVE, "primary", small=True),
                ],
                className="row-flex lf-form-actions",
            ),
            *([_list(saved)] if saved else []),
        ],
        className="lf-filter-form lf-save-form",
        role="group",
        **{"aria-label": "Save view", "data-submit": SAVE, "data-leave": CANCEL},
    )


def open_link(key: str, words: str) -> Component:
    """A link that opens a saved view."""
    return html.A(words, href=f"/unity-catalog?{SAVED}={quote(key, safe='')}")


def _list(saved: list[SavedView]) -> Component:
    lines = [html.Li([open_link(one.key, one.key), html.Span(one.table, className="small faint cut")]) for one in saved]
    return html.Div([html.H2("Open a saved view"), html.Ul(lines, className="lf-saved")], className="stack")


def register(app: Dash, services: Services, personal: PersonalRecords) -> None:
    """Add the callbacks: open the form, save."""

    @callback(
        app,
        Output(FORM, "children"),
        Input(ids.SAVING, "data"),
        State(ids.VIEW, "data"),
        prevent_initial_call=True,
    )
    def begin(saving: float | None, data: dict[str, Any]) -> Any:
        """Open or close the form; the list of saved views is read as the app, confined to the person."""
        if not saving:
            return []
        try:
            saved = personal.views(current_user())
        except LakefrontError:
            saved = []
        return form(ViewState.of(data), saved)

    @callback(
        app,
        Output(FORM, "children", allow_duplicate=True),
        Output(TOASTS, "children", allow_duplicate=True),
        Input(SAVE, "n_clicks"),
        State(NAME, "value"),
        State(ids.VIEW, "data"),
        prevent_initial_call=True,
    )
    def save(pressed: int | None, typed: str | None, data: dict[str, Any]) -> Any:
        """Keep the view; runs as the app, confined to the person."""
        if not pressed:
            return no_update, no_update
        view = ViewState.of(data)
        key = key_of(typed or "")
        try:
            user = current_user()
            services.lakebase.create_record(user, CONFIGURATION, key, json.dumps(view.store()))
        except AlreadyExists:
            words = "You have a view of that name; choose another one."
            return form(view, personal.views(current_user()), key, words), no_update
        except LakefrontError as error:
            return form(view, [], typed or "", shown(error).message), no_update
        views = html.Button("Open views", id=VIEWS, className="btn btn-ghost btn-sm", type="button")
        return [], toast(["Saved as ", mono(key), ". ", views])


def key_of(name: str) -> str:
    """A record's key from a name that a person typed."""
    return _NOT_IN_KEYS.sub("-", name.strip()).strip("-")
