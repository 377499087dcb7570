"""Model Serving: the endpoints a person may query, a form that fits each model, the answer, the chat, the history.

Every call to a model runs as the person. The history is theirs, in Lakebase.
"""

import json
import time
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import dash_bootstrap_components as dbc
from dash import ALL, Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component

from dashboard.callbacks import callback
from dashboard.components.controls import (
    BUSY,
    IDLE,
    copy_box,
)
from dashboard.components.feedback import error_note, error_panel
from dashboard.components.history import history_table
from dashboard.components.json_editor import pretty
from dashboard.components.serving import (
    endpoint_list,
    hint,
)
from dashboard.components.snippets import curl_snippet, python_snippet
from dashboard.identity import current_user
from dashboard.pages.model_serving import ids, scoring, table_view
from dashboard.pages.model_serving.answers import answered, earlier_answers, failed, strip_failed, strip_of
from dashboard.pages.model_serving.panels import (
    PARTS,
    chat_panel,
    hidden_parts,
    history_panel,
    list_panel,
    model_panel,
    no_endpoints,
    waiting,
)
from dashboard.pages.model_serving.requests import body_of, invocation_of, read_row, request_of
from dashboard.recent_errors import remember
from dashboard.tour import mark
from services.container import Services
from services.errors import LakefrontError
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
    _register_panel(app, services)
    _register_form(app, services)
    _register_predict(app, services)
    _register_history(app, services)
    scoring.register(app, services)


def _register_list(app: Dash, services: Services) -> None:
    @callback(
        app,
        Output(ids.LIST, "children"),
        Output(ids.COUNT, "children"),
        Output(ids.SELECT, "options"),
        Output(ids.CHOSEN, "data"),
        Input(ids.REFRESH, "n_clicks"),
        State(ids.CHOSEN, "data"),
    )
    def load(_: Any, chosen: str | None) -> tuple[Any, ...]:
        """List the endpoints that the person may see; runs as the person."""
        try:
            endpoints = services.model_serving.list_endpoints(current_user())
        except LakefrontError as error:
            remember(error, "List serving endpoints")
            return error_panel(error), "", [], no_update
        names = [one.endpoint_name for one in endpoints]
        here = chosen if chosen in names else _first(endpoints)
        if not names:
            return no_endpoints(), "0", [], None
        options = [
            {"label": f"{one.endpoint_name}, {one.state.lower().replace('_', ' ')}", "value": one.endpoint_name}
            for one in endpoints
        ]
        return endpoint_list(endpoints, here, ids.ROW), str(len(names)), options, here

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
            schema = services.model_serving.endpoint_schema(user, name)
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
        Input(ids.VIEW, "value", allow_optional=True),
        prevent_initial_call=True,
    )
    def turn(view: str | None) -> tuple[bool, ...]:
        """Show the input as a form, as many rows, as JSON or as code; runs as nobody."""
        return tuple(hidden_parts(view).values())


def _register_form(app: Dash, services: Services) -> None:
    @callback(
        app,
        Output(ids.JSON_TEXT, "value"),
        Output({"type": ids.FIELD, "name": ALL}, "invalid"),
        Output({"type": ids.FIELD_NOTE, "name": ALL}, "children"),
        Output({"type": ids.FIELD_NOTE, "name": ALL}, "className"),
        Input({"type": ids.FIELD, "name": ALL}, "value"),
        State({"type": ids.FIELD, "name": ALL}, "id"),
        State(ids.CHOSEN, "data"),
    )
    def keep_in_step(values: list[str | None], controls: list[dict[str, str]], name: str | None) -> tuple[Any, ...]:
        """Check what was entered and write it as JSON; the schema comes from the kept description."""
        if not controls or name is None:
            return no_update, [], [], []
        try:
            schema = services.model_serving.endpoint_schema(current_user(), name)
        except LakefrontError:
            return (no_update, *([no_update] * len(controls) for _ in range(3)))
        row, wrong = read_row(schema, controls, values)
        fields = {one.name: one for one in schema.fields}
        notes = [wrong.get(one["name"]) or hint(fields[one["name"]]) for one in controls if one["name"] in fields]
        classes = ["invalid-feedback d-block" if wrong.get(one["name"]) else "form-text" for one in controls]
        text = pretty(json.dumps(body_of(schema, row)))
        return text, [one["name"] in wrong for one in controls], notes, classes

    @callback(
        app,
        Output(ids.CODE, "children"),
        Input(ids.JSON_TEXT, "value", allow_optional=True),
        State(ids.CHOSEN, "data"),
        prevent_initial_call=True,
    )
    def show_code(text: str | None, name: str | None) -> Any:
        """Show the same request as curl and as Python; runs as nobody."""
        host = services.settings.databricks_host
        return [
            html.H3("curl"),
            copy_box(curl_snippet(host, name or "", text or "{}"), "the curl command"),
            html.H3("Python, with the Databricks SDK"),
            copy_box(python_snippet(name or "", text or "{}"), "the Python code"),
        ]

    @callback(
        app,
        Output({"type": ids.FIELD, "name": ALL}, "value"),
        Input(ids.EXAMPLE, "n_clicks", allow_optional=True),
        State({"type": ids.FIELD, "name": ALL}, "id"),
        State(ids.CHOSEN, "data"),
        prevent_initial_call=True,
    )
    def fill(clicks: Any, controls: list[dict[str, str]], name: str | None) -> list[Any]:
        """Fill the form with the example of the endpoint's own description."""
        if not clicks or name is None:
            return [no_update] * len(controls)
        schema = services.model_serving.endpoint_schema(current_user(), name)
        examples = {one.name: one.example if one.example is not None else one.default for one in schema.fields}
        return ["" if examples.get(one["name"]) is None else str(examples[one["name"]]) for one in controls]


def _register_predict(app: Dash, services: Services) -> None:
    @callback(
        app,
        Output(ids.RESULT, "children"),
        Output(ids.STRIP, "children"),
        Output(ids.ANSWERED, "data"),
        Output(ids.LIMIT, "value"),
        Input(ids.PREDICT, "n_clicks", allow_optional=True),
        Input(ids.LONGER, "n_clicks", allow_optional=True),
        State(ids.JSON_TEXT, "value", allow_optional=True),
        State({"type": ids.FIELD, "name": ALL}, "value"),
        State({"type": ids.FIELD, "name": ALL}, "id"),
        State(ids.VIEW, "value", allow_optional=True),
        State(ids.LIMIT, "value", allow_optional=True),
        State(ids.CHOSEN, "data"),
        running=[
            (Output(ids.PREDICT, "className"), BUSY, IDLE),
            (Output(ids.RESULT, "className"), "lf-result waiting", "lf-result"),
        ],
        prevent_initial_call=True,
    )
    def predict(
        clicks: Any,
        longer: Any,
        text: str | None,
        values: list[str | None],
        controls: list[dict[str, str]],
        view: str | None,
        limit: str | None,
        name: str | None,
    ) -> tuple[Any, ...]:
        """Invoke the endpoint with the form, or with the JSON; runs as the person."""
        if not (clicks or longer) or name is None:
            return (no_update,) * 4
        seconds = ids.LONGER_SECONDS if ctx.triggered_id == ids.LONGER else limit
        started = time.perf_counter()
        asked = datetime.now(UTC)
        try:
            user = current_user()
            schema = services.model_serving.endpoint_schema(user, name)
            body = request_of(schema, controls, values, text, view)
            invocation = invocation_of(body, seconds)
            result = services.model_serving.invoke(user, name, invocation)
        except LakefrontError as error:
            remember(error, f"Predict with {name}")
            took = (time.perf_counter() - started) * 1000
            return failed(error), strip_failed(error, took), time.time(), str(seconds)
        mark(services, "model")
        earlier = earlier_answers(services, user, name)
        return answered(result, schema, body, asked, earlier), strip_of(result), time.time(), str(seconds)


def _register_history(app: Dash, services: Services) -> None:
    @callback(
        app,
        Output(ids.HISTORY, "children"),
        Input(ids.CHOSEN, "data"),
        Input(ids.ANSWERED, "data"),
        Input(ids.HISTORY_STATUS, "value"),
        Input(ids.HISTORY_REFRESH, "n_clicks"),
    )
    def load(name: str | None, _: Any, status: str | None, __: Any) -> Any:
        """List the person's own calls of this endpoint; runs as the app on Lakebase, for the person."""
        if name is None:
            return no_update
        try:
            page = services.lakebase.list_inference_logs(
                current_user(),
                limit=ids.HISTORY_SIZE,
                endpoint_name=name,
                status=None if status in (None, "ALL") else status,
            )
        except LakefrontError as error:
            return html.Div(
                error_note(error, "The history is not shown.", "Predictions work without it.", tone="warn"),
                className="body",
            )
        return history_table(page.items, page.total, ids.AGAIN)

    @callback(
        app,
        Output(ids.JSON_TEXT, "value", allow_duplicate=True),
        Output(ids.VIEW, "value"),
        Input({"type": ids.AGAIN, "id": ALL}, "n_clicks"),
        State(ids.CHOSEN, "data"),
        prevent_initial_call=True,
    )
    def take_again(clicks: list[Any], name: str | None) -> tuple[Any, Any]:
        """Take the input of an earlier call into the JSON view, ready to be sent again."""
        if not any(clicks) or name is None or not isinstance(ctx.triggered_id, dict):
            return no_update, no_update
        log = services.lakebase.get_inference_log(current_user(), UUID(ctx.triggered_id["id"]))
        return pretty(log.inputs or "{}"), "json"


def _first(endpoints: list[Endpoint]) -> str | None:
    """Return the endpoint to open first: one with a form before one with a chat."""
    ranked = sorted(endpoints, key=lambda one: (one.task is not None, one.state != "READY", len(one.endpoint_name)))
    return ranked[0].endpoint_name if ranked else None
