"""Model Serving: the endpoints a person may query, a form that fits each model, the answer, the chat, the history.

Every call to a model runs as the person. The history is theirs, in Lakebase.
"""

import time
from typing import Any

import dash_bootstrap_components as dbc
from dash import ALL, Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component

from dashboard.callbacks import callback
from dashboard.components.feedback import counting_since, error_panel
from dashboard.components.serving import endpoint_list, endpoint_state
from dashboard.identity import current_user
from dashboard.pages.model_serving import calls, details, form, ids, predict, scoring, table_view
from dashboard.pages.model_serving.panels import (
    PARTS,
    chat_panel,
    hidden_parts,
    history_panel,
    list_failed,
    list_panel,
    model_panel,
    no_endpoints,
    no_history,
    nothing_to_ask,
    nothing_yet,
    same_input,
    strip_before,
    waiting,
)
from dashboard.pages.model_serving.requests import shaped
from dashboard.recent_errors import remember
from services.container import Services
from services.errors import LakefrontError
from services.identity import User
from services.model_serving import Endpoint


def layout() -> Component:
    """Return the page before anything answered."""
    return html.Div(
        [
            dcc.Store(id=ids.CHOSEN),
            dcc.Store(id=ids.ANSWERED),
            dcc.Store(id=ids.MANY_ROWS),
            dcc.Store(id=ids.MANY_FILLED),
            dcc.Store(id=ids.JOB),
            dcc.Store(id=ids.STATES),
            dcc.Store(id=ids.HISTORY_PLACE, data=0),
            dcc.Store(id=ids.AGAIN_LOG),
            dcc.Interval(id=ids.LIST_TICK, interval=5000, disabled=True),
            html.Div(id=ids.AGAIN_PLACE),
            dcc.Store(id=ids.JOB_ASK),
            dcc.Store(id=ids.JOB_SEEN),
            dcc.Interval(id=ids.JOB_TICK, interval=300, disabled=True),
            dcc.Download(id=ids.JOB_FILE),
            html.Div(
                html.Div(
                    [
                        html.H1("Model Serving"),
                        html.P(
                            "Ask models that are registered in Unity Catalog. Each call runs as you and is kept in "
                            "your history."
                        ),
                    ]
                ),
                className="lf-head",
            ),
            html.Div(
                [
                    list_panel(),
                    html.Div(
                        [
                            html.Label("Endpoint", className="form-label", htmlFor=ids.SELECT),
                            dbc.Select(id=ids.SELECT, options=[]),
                        ],
                        className="only-narrow",
                    ),
                    html.Div(
                        [html.Div(waiting(), id=ids.PANEL, className="lf-serve-panel"), history_panel()],
                        className="stack stack-4 lf-serve-main",
                    ),
                ],
                className="lf-cols lf-serve first fill",
            ),
        ],
        className="lf-page fill",
    )


def register(app: Dash, services: Services) -> None:
    """Add the callbacks."""
    _register_list(app, services)
    _register_choice(app)
    _register_panel(app, services)
    for part in (form, predict, calls, scoring, details):
        part.register(app, services)


def _register_list(app: Dash, services: Services) -> None:
    @callback(
        app,
        Output(ids.LIST, "children"),
        Output(ids.COUNT, "children"),
        Output(ids.SELECT, "options"),
        Output(ids.CHOSEN, "data"),
        Output(ids.STATES, "data"),
        Output(ids.LIST_TICK, "disabled"),
        Output(ids.LIST_FOOT, "children"),
        Output(ids.PANEL, "children", allow_duplicate=True),
        Output(ids.HISTORY, "children", allow_duplicate=True),
        Input(ids.REFRESH, "n_clicks"),
        Input(ids.LIST_AGAIN, "n_clicks", allow_optional=True),
        Input(ids.LIST_TICK, "n_intervals"),
        Input(ids.ANSWERED, "data"),
        State(ids.CHOSEN, "data"),
        State(ids.STATES, "data"),
        prevent_initial_call="initial_duplicate",
    )
    def load(
        _: Any, __: Any, ___: Any, ____: Any, chosen: str | None, states: dict[str, Any] | None
    ) -> tuple[Any, ...]:
        """List the endpoints that the person may see; runs as the person, and again while an endpoint changes."""
        try:
            user = current_user()
            if ctx.triggered_id == ids.ANSWERED and not _woken(services, user, chosen, states):
                return (no_update,) * 9  # an answer changes the state of an endpoint that slept only
            endpoints = services.model_serving.list_endpoints(user)
        except LakefrontError as error:
            remember(error, "List serving endpoints")
            words = html.P("The endpoints could not be listed.", className="dim lf-list-none")
            panel = (list_failed(error), no_history()) if chosen is None else (no_update, no_update)
            return (words if chosen is None else error_panel(error)), "", [], no_update, no_update, True, "", *panel
        names = [one.endpoint_name for one in endpoints]
        if not names:
            return no_endpoints(), "0", [], None, {}, True, "", nothing_to_ask(), no_history()
        here = chosen if chosen in names else _first(endpoints)
        options = [
            {"label": f"{one.endpoint_name}, {one.state.lower().replace('_', ' ')}", "value": one.endpoint_name}
            for one in endpoints
        ]
        return (
            endpoint_list(endpoints, here, ids.ROW),
            str(len(names)),
            options,
            no_update if here == chosen else here,
            {one.endpoint_name: one.model_dump(mode="json", include=_STATE) for one in endpoints},
            not any(one.changing for one in endpoints),
            ["Endpoints you may see \u00b7 ", counting_since(time.time())],
            no_update,
            no_update,
        )

    @callback(
        app,
        Output(ids.STATE_NOW, "children"),
        Input(ids.STATES, "data"),
        State(ids.CHOSEN, "data"),
        prevent_initial_call=True,
    )
    def state_now(states: dict[str, Any] | None, name: str | None) -> Any:
        """Keep the state in the head of the panel as fresh as the one in the list."""
        found = (states or {}).get(name or "")
        return endpoint_state(**found) if found else no_update


def _woken(services: Services, user: User, name: str | None, states: dict[str, Any] | None) -> bool:
    """Whether the endpoint that answered was last seen asleep, in the list or by itself; it is then asked anew."""
    if name is None:
        return False
    known = services.model_serving.known_endpoint(user, name)
    slept = (known is not None and known.asleep) or bool((states or {}).get(name, {}).get("asleep"))
    if slept:
        services.model_serving.get_endpoint(user, name)
    return slept


_STATE = {"state", "config_update", "asleep"}


def _register_choice(app: Dash) -> None:
    @callback(
        app,
        Output(ids.CHOSEN, "data", allow_duplicate=True),
        Output({"type": ids.ROW, "name": ALL}, "aria-current"),
        Output(ids.SELECT, "value"),
        Input({"type": ids.ROW, "name": ALL}, "n_clicks"),
        Input(ids.SELECT, "value"),
        Input(ids.CHOSEN, "data"),
        State({"type": ids.ROW, "name": ALL}, "id"),
        prevent_initial_call=True,
    )
    def choose(
        clicks: list[Any], selected: str | None, chosen: str | None, controls: list[dict[str, str]]
    ) -> tuple[Any, ...]:
        """Open an endpoint from the list, or from the select of narrow screens."""
        cause = ctx.triggered_id
        name = chosen
        if isinstance(cause, dict) and any(clicks):
            name = cause["name"]
        elif cause == ids.SELECT and selected:
            name = selected
        marks = ["true" if one["name"] == name else None for one in controls]
        return (name if name != chosen else no_update), marks, (name if name != selected else no_update)


def _register_panel(app: Dash, services: Services) -> None:
    @callback(app, Output(ids.PANEL, "children"), Input(ids.CHOSEN, "data"), Input("location", "search"))
    def open_endpoint(name: str | None, search: str | None) -> Any:
        """Show the form, or the chat, of one endpoint; runs as the person."""
        if name is None:
            return no_update
        try:
            user = current_user()
            endpoint = services.model_serving.get_endpoint(user, name)
            schema = shaped(services.model_serving.endpoint_schema(user, name))
        except LakefrontError as error:
            remember(error, f"Open {name}")
            return html.Section(error_panel(error), className="lf-panel")
        if schema.kind == "chat":
            return chat_panel(endpoint, schema, user)
        sought = table_view.view_of(search) if schema.kind == "tabular" and schema.described else None
        table = table_view.view(services, user, schema, sought) if sought is not None else None
        return model_panel(endpoint, schema, user, table)

    @callback(
        app,
        *(Output(part, "hidden") for part in PARTS),
        Output(ids.SHOWN_VIEW, "data"),
        Output(ids.RESULT, "children", allow_duplicate=True),
        Output(ids.STRIP, "children", allow_duplicate=True),
        Output(ids.BELOW, "children", allow_duplicate=True),
        Input(ids.VIEW, "value", allow_optional=True),
        State(ids.SHOWN_VIEW, "data", allow_optional=True),
        State(ids.JOB_TICK, "disabled"),
        prevent_initial_call=True,
    )
    def turn(view: str | None, before: str | None, idle: bool | None) -> tuple[Any, ...]:
        """Show the input as a form, as many rows, as JSON or as code; runs as nobody.

        An answer belongs to its input: it goes when another input comes. One that is still awaited stays in view.
        """
        hides = tuple(hidden_parts(view).values())
        if view is None or same_input(view, before) or not idle:
            return *hides, view, no_update, no_update, no_update
        return *hides, view, nothing_yet(view), strip_before(current_user()), []


def _first(endpoints: list[Endpoint]) -> str | None:
    """Return the endpoint to open first: one with a form before one with a chat."""
    ranked = sorted(endpoints, key=lambda one: (one.task is not None, one.state != "READY", len(one.endpoint_name)))
    return ranked[0].endpoint_name if ranked else None
