"""Saving a view: table, columns, filter, order and chart become one of the person's configurations in Lakebase."""

from __future__ import annotations

import json
import re
from typing import Any

import dash_bootstrap_components as dbc
from dash import Dash, Input, Output, State, html, no_update
from dash.development.base_component import Component

from dashboard.api.errors import record
from dashboard.callbacks import callback
from dashboard.components.controls import button, field
from dashboard.components.feedback import TOASTS, toast
from dashboard.components.signs import mono
from dashboard.identity import current_user
from dashboard.pages.unity_catalog import ids
from dashboard.pages.unity_catalog.view_state import ViewState
from services.container import Services
from services.errors import AlreadyExists, LakefrontError
from services.lakebase import CONFIGURATION

FORM = "uc-save-form"
NAME = "uc-save-name"
SAVE = "uc-save-apply"
CANCEL = "uc-save-cancel"
_NOT_IN_KEYS = re.compile(r"[^A-Za-z0-9._-]+")


def form(view: ViewState, typed: str = "", problem: str = "") -> Component:
    """The small form at the button."""
    name = typed or f"{view.ref.table if view.ref else 'table'}-view"
    control = dbc.Input(id=NAME, type="text", value=name, autocomplete="off", invalid=bool(problem), maxlength=100)
    return html.Div(
        [
            field("Name of the view", control, hint="Letters, digits, dot, dash, underscore.", error=problem or None),
            html.Div(
                [button("Cancel", CANCEL, "ghost", small=True), button("Save", SAVE, "primary", small=True)],
                className="row-flex lf-form-actions",
            ),
        ],
        className="lf-filter-form lf-save-form",
        role="group",
        **{"aria-label": "Save view", "data-submit": SAVE, "data-leave": CANCEL},
    )


def register(app: Dash, services: Services) -> None:
    """Add the callbacks: open the form, save."""

    @callback(
        app,
        Output(FORM, "children"),
        Input("uc-save-view", "n_clicks", allow_optional=True),
        Input("uc-save-view-more", "n_clicks", allow_optional=True),
        Input(CANCEL, "n_clicks", allow_optional=True),
        State(ids.VIEW, "data"),
        prevent_initial_call=True,
    )
    def begin(save: int | None, more: int | None, cancel: int | None, data: dict[str, Any]) -> Any:
        """Open or close the form; runs as nobody."""
        if cancel or not (save or more):
            return []
        return form(ViewState.of(data))

    @callback(
        app,
        Output(FORM, "children", allow_duplicate=True),
        Output(TOASTS, "children", allow_duplicate=True),
        Input(SAVE, "n_clicks", allow_optional=True),
        State(NAME, "value", allow_optional=True),
        State(ids.VIEW, "data"),
        prevent_initial_call=True,
    )
    def save(pressed: int | None, typed: str | None, data: dict[str, Any]) -> Any:
        """Keep the view; runs as the app, confined to the person."""
        if not pressed:
            return no_update, no_update
        view = ViewState.of(data)
        key = _NOT_IN_KEYS.sub("-", (typed or "").strip()).strip("-")
        try:
            services.lakebase.create_record(current_user(), CONFIGURATION, key, json.dumps(view.store()))
        except AlreadyExists:
            return form(view, key, "You have a view of that name; choose another one."), no_update
        except LakefrontError as error:
            record(error)
            return form(view, key, error.message), no_update
        link = html.A("Open views", href="/lakebase")
        return [], toast(["Saved as ", mono(key), ". ", link])
