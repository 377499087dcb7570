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
from pydantic import ValidationError

from dashboard.callbacks import callback
from dashboard.components.controls import (
    BUSY,
    IDLE,
    busy_button,
    button,
    copy_box,
    icon_button,
    panel,
    segment,
    skeleton,
)
from dashboard.components.feedback import blank, error_note, error_panel, note
from dashboard.components.history import history_table
from dashboard.components.json_editor import editor, pretty
from dashboard.components.serving import (
    answer,
    answer_strip,
    chat,
    endpoint_list,
    endpoint_title,
    hint,
    input_table,
    model_form,
    read_field,
    result_tag,
)
from dashboard.components.signs import Identity
from dashboard.components.snippets import curl_snippet, python_snippet
from dashboard.components.waterline import text_panel, toggle_button, waterline
from dashboard.identity import current_user
from dashboard.recent_errors import remember
from dashboard.tour import mark
from services.container import Services
from services.errors import InvalidRequest, LakefrontError
from services.identity import User
from services.lakebase.models import InferenceLog
from services.model_serving import Endpoint, EndpointSchema, Invocation, InvocationResult

LIST = "serving-list"
COUNT = "serving-count"
REFRESH = "serving-refresh"
ROW = "serving-row"
SELECT = "serving-select"
CHOSEN = "serving-chosen"
PANEL = "serving-panel"
VIEW = "serving-view"
FIELD = "serving-field"
FIELD_NOTE = "serving-field-note"
FORM_VIEW = "serving-form-view"
JSON_VIEW = "serving-json-view"
CODE_VIEW = "serving-code-view"
JSON_FIELD = "serving-json"
JSON_TEXT = "serving-json-text"
CODE = "serving-code"
PREDICT = "serving-predict"
EXAMPLE = "serving-example"
LIMIT = "serving-limit"
RESULT = "serving-result"
STRIP = "serving-strip"
HISTORY = "serving-history"
HISTORY_STATUS = "serving-history-status"
HISTORY_REFRESH = "serving-history-refresh"  # assets/chat.js presses it when an answer ends
AGAIN = "serving-again"
ANSWERED = "serving-answered"
LONGER = "serving-longer"

HISTORY_SIZE = 20
STRIP_SIZE = 12
LONGER_SECONDS = 120


def layout() -> Component:
    """Return the page before anything answered."""
    return html.Div(
        [
            dcc.Store(id=CHOSEN),
            dcc.Store(id=ANSWERED),
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
                    _list_panel(),
                    html.Div(
                        [
                            html.Label("Endpoint", className="form-label", htmlFor=SELECT),
                            dbc.Select(id=SELECT, options=[]),
                        ],
                        className="only-narrow",
                    ),
                    html.Div(
                        [html.Div(_waiting(), id=PANEL, className="lf-serve-panel"), _history_panel()],
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


def _register_list(app: Dash, services: Services) -> None:
    @callback(
        app,
        Output(LIST, "children"),
        Output(COUNT, "children"),
        Output(SELECT, "options"),
        Output(CHOSEN, "data"),
        Input(REFRESH, "n_clicks"),
        State(CHOSEN, "data"),
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
            return _no_endpoints(), "0", [], None
        options = [
            {"label": f"{one.endpoint_name}, {one.state.lower().replace('_', ' ')}", "value": one.endpoint_name}
            for one in endpoints
        ]
        return endpoint_list(endpoints, here, ROW), str(len(names)), options, here

    @callback(
        app,
        Output(CHOSEN, "data", allow_duplicate=True),
        Output({"type": ROW, "name": ALL}, "aria-current"),
        Output(SELECT, "value"),
        Input({"type": ROW, "name": ALL}, "n_clicks"),
        Input(SELECT, "value"),
        Input(CHOSEN, "data"),
        State({"type": ROW, "name": ALL}, "id"),
        prevent_initial_call=True,
    )
    def choose(
        clicks: list[Any], selected: str | None, chosen: str | None, ids: list[dict[str, str]]
    ) -> tuple[Any, ...]:
        """Open an endpoint from the list, or from the select of narrow screens."""
        cause = ctx.triggered_id
        name = chosen
        if isinstance(cause, dict) and any(clicks):
            name = cause["name"]
        elif cause == SELECT and selected:
            name = selected
        marks = ["true" if one["name"] == name else None for one in ids]
        return (name if name != chosen else no_update), marks, (name if name != selected else no_update)


def _register_panel(app: Dash, services: Services) -> None:
    @callback(app, Output(PANEL, "children"), Input(CHOSEN, "data"))
    def open_endpoint(name: str | None) -> Any:
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
            return _chat_panel(endpoint, schema, user)
        return _model_panel(endpoint, schema, user)

    @callback(
        app,
        Output(FORM_VIEW, "hidden"),
        Output(JSON_VIEW, "hidden"),
        Output(CODE_VIEW, "hidden"),
        Input(VIEW, "value", allow_optional=True),
        prevent_initial_call=True,
    )
    def turn(view: str | None) -> tuple[bool, bool, bool]:
        """Show the input as a form, as JSON or as code; runs as nobody."""
        return view != "form", view != "json", view != "code"


def _register_form(app: Dash, services: Services) -> None:
    @callback(
        app,
        Output(JSON_TEXT, "value"),
        Output({"type": FIELD, "name": ALL}, "invalid"),
        Output({"type": FIELD_NOTE, "name": ALL}, "children"),
        Output({"type": FIELD_NOTE, "name": ALL}, "className"),
        Input({"type": FIELD, "name": ALL}, "value"),
        State({"type": FIELD, "name": ALL}, "id"),
        State(CHOSEN, "data"),
    )
    def keep_in_step(values: list[str | None], ids: list[dict[str, str]], name: str | None) -> tuple[Any, ...]:
        """Check what was entered and write it as JSON; the schema comes from the kept description."""
        if not ids or name is None:
            return no_update, [], [], []
        try:
            schema = services.model_serving.endpoint_schema(current_user(), name)
        except LakefrontError:
            return (no_update, *([no_update] * len(ids) for _ in range(3)))
        row, wrong = _read_row(schema, ids, values)
        fields = {one.name: one for one in schema.fields}
        notes = [wrong.get(one["name"]) or hint(fields[one["name"]]) for one in ids if one["name"] in fields]
        classes = ["invalid-feedback d-block" if wrong.get(one["name"]) else "form-text" for one in ids]
        text = pretty(json.dumps(_body(schema, row)))
        return text, [one["name"] in wrong for one in ids], notes, classes

    @callback(
        app, Output(CODE, "children"), Input(JSON_TEXT, "value"), State(CHOSEN, "data"), prevent_initial_call=True
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
        Output({"type": FIELD, "name": ALL}, "value"),
        Input(EXAMPLE, "n_clicks", allow_optional=True),
        State({"type": FIELD, "name": ALL}, "id"),
        State(CHOSEN, "data"),
        prevent_initial_call=True,
    )
    def fill(clicks: Any, ids: list[dict[str, str]], name: str | None) -> list[Any]:
        """Fill the form with the example of the endpoint's own description."""
        if not clicks or name is None:
            return [no_update] * len(ids)
        schema = services.model_serving.endpoint_schema(current_user(), name)
        examples = {one.name: one.example if one.example is not None else one.default for one in schema.fields}
        return ["" if examples.get(one["name"]) is None else str(examples[one["name"]]) for one in ids]


def _register_predict(app: Dash, services: Services) -> None:
    @callback(
        app,
        Output(RESULT, "children"),
        Output(STRIP, "children"),
        Output(ANSWERED, "data"),
        Output(LIMIT, "value"),
        Input(PREDICT, "n_clicks", allow_optional=True),
        Input(LONGER, "n_clicks", allow_optional=True),
        State(JSON_TEXT, "value", allow_optional=True),
        State({"type": FIELD, "name": ALL}, "value"),
        State({"type": FIELD, "name": ALL}, "id"),
        State(VIEW, "value", allow_optional=True),
        State(LIMIT, "value", allow_optional=True),
        State(CHOSEN, "data"),
        running=[
            (Output(PREDICT, "className"), BUSY, IDLE),
            (Output(RESULT, "className"), "lf-result waiting", "lf-result"),
        ],
        prevent_initial_call=True,
    )
    def predict(
        clicks: Any,
        longer: Any,
        text: str | None,
        values: list[str | None],
        ids: list[dict[str, str]],
        view: str | None,
        limit: str | None,
        name: str | None,
    ) -> tuple[Any, ...]:
        """Invoke the endpoint with the form, or with the JSON; runs as the person."""
        if not (clicks or longer) or name is None:
            return (no_update,) * 4
        seconds = LONGER_SECONDS if ctx.triggered_id == LONGER else limit
        started = time.perf_counter()
        asked = datetime.now(UTC)
        try:
            user = current_user()
            schema = services.model_serving.endpoint_schema(user, name)
            body = _request(schema, ids, values, text, view)
            invocation = _invocation(body, seconds)
            result = services.model_serving.invoke(user, name, invocation)
        except LakefrontError as error:
            remember(error, f"Predict with {name}")
            took = (time.perf_counter() - started) * 1000
            return _failed(error), _strip_failed(error, took), time.time(), str(seconds)
        mark(services, "model")
        earlier = _earlier(services, user, name)
        return _answered(result, schema, body, asked, earlier), _strip(result), time.time(), str(seconds)


def _register_history(app: Dash, services: Services) -> None:
    @callback(
        app,
        Output(HISTORY, "children"),
        Input(CHOSEN, "data"),
        Input(ANSWERED, "data"),
        Input(HISTORY_STATUS, "value"),
        Input(HISTORY_REFRESH, "n_clicks"),
    )
    def load(name: str | None, _: Any, status: str | None, __: Any) -> Any:
        """List the person's own calls of this endpoint; runs as the app on Lakebase, for the person."""
        if name is None:
            return no_update
        try:
            page = services.lakebase.list_inference_logs(
                current_user(),
                limit=HISTORY_SIZE,
                endpoint_name=name,
                status=None if status in (None, "ALL") else status,
            )
        except LakefrontError as error:
            return html.Div(
                error_note(error, "The history is not shown.", "Predictions work without it.", tone="warn"),
                className="body",
            )
        return history_table(page.items, page.total, AGAIN)

    @callback(
        app,
        Output(JSON_TEXT, "value", allow_duplicate=True),
        Output(VIEW, "value"),
        Input({"type": AGAIN, "id": ALL}, "n_clicks"),
        State(CHOSEN, "data"),
        prevent_initial_call=True,
    )
    def take_again(clicks: list[Any], name: str | None) -> tuple[Any, Any]:
        """Take the input of an earlier call into the JSON view, ready to be sent again."""
        if not any(clicks) or name is None or not isinstance(ctx.triggered_id, dict):
            return no_update, no_update
        log = services.lakebase.get_inference_log(current_user(), UUID(ctx.triggered_id["id"]))
        return pretty(log.inputs or "{}"), "json"


def _list_panel() -> Component:
    return panel(
        "Endpoints",
        [
            html.Div(_waiting(), id=LIST, className="lf-list-place"),
            html.P(["Endpoints you may query"], className="small faint lf-list-foot"),
        ],
        id="serving-endpoints",
        aside=[
            html.Span(id=COUNT, className="small faint push"),
            icon_button("Refresh the list", "arrow-clockwise", REFRESH),
        ],
        classes="only-wide lf-tall",
    )


def _history_panel() -> Component:
    options = [
        {"label": "All results", "value": "ALL"},
        {"label": "Success", "value": "SUCCESS"},
        {"label": "Refused", "value": "ERROR"},
        {"label": "Timed out", "value": "TIMEOUT"},
    ]
    return panel(
        "History",
        html.Div(html.Div(skeleton(70, 60, 65), className="body stack"), id=HISTORY),
        id="serving-history-panel",
        aside=[
            html.Span("only yours", className="small faint hide-phone"),
            html.Span(
                [
                    html.Label("Result", htmlFor=HISTORY_STATUS, className="visually-hidden"),
                    dbc.Select(id=HISTORY_STATUS, options=options, value="ALL", size="sm"),
                ],
                className="push lf-small-select",
            ),
            icon_button("Refresh the history", "arrow-clockwise", HISTORY_REFRESH),
        ],
        classes="lf-tall",
    )


def _model_panel(endpoint: Endpoint, schema: EndpointSchema, user: User) -> Component:
    described = schema.described and bool(schema.fields)
    views = ([("form", "One row")] if described else []) + [("json", "JSON"), ("code", "Code")]
    view = views[0][0]
    first: Any = next(iter(schema.examples.values()), {"inputs": []})
    hints = [] if described else [note(schema.reason or "This endpoint does not say what it wants.", "info")]
    form = html.Div(
        [
            *hints,
            html.Div(model_form(schema, FIELD, FIELD_NOTE) if described else "", id=FORM_VIEW, hidden=not described),
            html.Div(
                editor(JSON_FIELD, JSON_TEXT, "Request, as JSON", pretty(json.dumps(first))),
                id=JSON_VIEW,
                hidden=described,
                className="grow",
            ),
            html.Div(html.Div(id=CODE, className="stack"), id=CODE_VIEW, hidden=True),
            _form_foot(described),
        ],
        className="lf-input",
        role="group",
        **{"aria-label": f"Input of {endpoint.endpoint_name}", "data-submit": PREDICT},
    )
    empty = blank("empty", "No answer yet", ["Fill in the form and press Predict. Each call is kept in your history."])
    return html.Section(
        [
            html.Header(
                [*endpoint_title(endpoint), segment(VIEW, "Kind of input", views, view, "push")], className="lf-wrap"
            ),
            html.Div(
                [form, html.Div(empty, id=RESULT, className="lf-result", **{"aria-live": "polite"})],
                className="lf-cols lf-pair fill lf-serve-pair",
            ),
            html.Div(waterline(Identity.of_user(user.user_name), None, ["nothing asked yet"]), id=STRIP),
        ],
        className="lf-panel",
        key=endpoint.endpoint_name,
        **{"aria-labelledby": "serving-title"},
    )


def _form_foot(described: bool) -> Component:
    return html.Div(
        [
            busy_button("Predict", "Predicting\u2026", PREDICT, **{"data-json-save": JSON_VIEW}),
            button("Fill with an example", EXAMPLE, "", "shuffle", small=False, hidden=not described),
            html.Span(
                [
                    html.Label("Give up after", htmlFor=LIMIT),
                    dbc.Input(id=LIMIT, type="text", value="30", inputmode="numeric", className="num lf-seconds"),
                    "s",
                ],
                className="row-flex small dim push hide-phone",
            ),
        ],
        className="row-flex wrap lf-form-foot",
    )


def _chat_panel(endpoint: Endpoint, schema: EndpointSchema, user: User) -> Component:
    strip = waterline(
        Identity.of_user(user.user_name),
        html.Span("nothing asked yet", **{"data-chat-time": ""}),
        [_version(endpoint.model_name, endpoint.model_version), html.Span("", **{"data-chat-facts": ""})],
        [toggle_button("chat-raw", "Raw events", "braces")],
        id="chat-waterline",
    )
    return html.Section(
        [
            html.Header(
                [
                    *endpoint_title(endpoint),
                    button("New chat", None, "ghost", "plus-lg", "push", small=True, **{"data-chat-new": ""}),
                ]
            ),
            chat(endpoint, schema),
            strip,
            text_panel("chat-raw", "", "Raw events"),
        ],
        className="lf-panel lf-tall lf-chat-panel",
        key=endpoint.endpoint_name,
        **{"aria-labelledby": "serving-title"},
    )


def _read_row(
    schema: EndpointSchema, ids: list[dict[str, str]], values: list[str | None]
) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the row that the form holds, and what is wrong by column."""
    fields = {one.name: one for one in schema.fields}
    row: dict[str, Any] = {}
    wrong: dict[str, str] = {}
    for identifier, text in zip(ids, values, strict=True):
        field = fields.get(identifier["name"])
        if field is None:
            continue
        value, problem = read_field(field, text)
        if problem:
            wrong[field.name] = problem
        if value is not None or field.required:
            row[field.name] = value
    return row, wrong


def _body(schema: EndpointSchema, row: dict[str, Any]) -> dict[str, Any]:
    """Return the request of one row, in the first form of input that the endpoint describes."""
    form = schema.forms[0] if schema.forms else "dataframe_records"
    if form == "dataframe_split":
        return {form: {"columns": list(row), "data": [list(row.values())]}}
    if form == "inputs":
        return {form: {name: [value] for name, value in row.items()}}
    return {form: [row]}


def _request(
    schema: EndpointSchema, ids: list[dict[str, str]], values: list[str | None], text: str | None, view: str | None
) -> dict[str, Any]:
    if ids and view != "json":
        row, wrong = _read_row(schema, ids, values)
        if wrong:
            name, problem = next(iter(wrong.items()))
            raise InvalidRequest(name, problem)
        return _body(schema, row)
    try:
        body = json.loads(text or "")
    except ValueError as error:
        raise InvalidRequest("JSON", str(error)) from error
    if not isinstance(body, dict):
        raise InvalidRequest("JSON", "an object expected, with one of the forms of input")
    return body


def _invocation(body: dict[str, Any], seconds: Any) -> Invocation:
    try:
        return Invocation.model_validate({**body, "timeout_seconds": float(str(seconds or 30))})
    except (ValidationError, ValueError) as error:
        if isinstance(error, ValidationError):
            first = error.errors()[0]
            raise InvalidRequest(".".join(map(str, first["loc"])), first["msg"]) from error
        raise InvalidRequest("timeout_seconds", "a number of seconds expected, 1 to 300") from error


def _earlier(services: Services, user: User, name: str) -> list[float]:
    """Return the person's last single-number answers of an endpoint, oldest first; none when Lakebase is down."""
    try:
        logs = services.lakebase.list_inference_logs(user, limit=STRIP_SIZE, endpoint_name=name, status="SUCCESS").items
    except LakefrontError:
        return []
    return [number for log in reversed(logs) if (number := _number_of(log)) is not None]


def _number_of(log: InferenceLog) -> float | None:
    try:
        value = json.loads(log.predictions or "null")
    except ValueError:
        return None
    one = value[0] if isinstance(value, list) and len(value) == 1 else value
    return float(one) if isinstance(one, int | float) and not isinstance(one, bool) else None


def _answered(
    result: InvocationResult, schema: EndpointSchema, body: dict[str, Any], asked: datetime, earlier: list[float]
) -> list[Component]:
    records = body.get("dataframe_records") or body.get("instances")
    row = records[0] if isinstance(records, list) and len(records) == 1 and isinstance(records[0], dict) else None
    shown = result.predictions if result.response is None else result.response
    parts: list[Component] = [
        html.Div(result_tag(asked), className="row-flex"),
        answer(shown, schema.output),
    ]
    if len(earlier) > 1 and result.logged:
        parts.append(answer_strip(earlier))
    if row is not None:
        parts.append(input_table(row))
    return [html.Div(parts, className="lf-answered stack")]


def _strip(result: InvocationResult) -> list[Component]:
    kept = "written to your history" if result.logged else f"not written to your history: {result.log_error}"
    whole = json.dumps(result.model_dump(mode="json"), indent=2, ensure_ascii=False)
    return [
        waterline(
            Identity.of_user(result.runs_as),
            result.execution_time_ms,
            [_version(result.model_name, result.model_version), kept],
            [toggle_button("serving-raw", "Raw answer", "braces")],
        ),
        text_panel("serving-raw", whole, "Raw answer"),
    ]


def _failed(error: LakefrontError) -> Component:
    what = "Not asked." if error.error_code == "INVALID_REQUEST" else "No answer."
    if error.error_code == "INVALID_INPUT":
        what = "The model refused the input."
    actions = []
    if error.status == 503:
        actions = [button(f"Wait longer, {LONGER_SECONDS} s", LONGER, small=True)]
    return html.Div(error_note(error, what, "Your input is kept.", actions), className="lf-answered")


def _strip_failed(error: LakefrontError, took: float) -> Component:
    user = current_user_or_none()
    return waterline(Identity.of_user(user) if user else None, took, [error.error_code])


def current_user_or_none() -> str | None:
    """Return the name of the person, or None when nobody is signed in."""
    try:
        return current_user().user_name
    except LakefrontError:
        return None


def _version(model: str | None, version: str | None) -> str:
    name = (model or "model").rsplit(".", 1)[-1]
    return f"{name} version {version}" if version else name


def _waiting() -> Component:
    return html.Div(skeleton(60, 40, 55, 45), className="lf-list-wait", **{"aria-busy": "true"})


def _first(endpoints: list[Endpoint]) -> str | None:
    """Return the endpoint to open first: one with a form before one with a chat."""
    ranked = sorted(endpoints, key=lambda one: (one.task is not None, one.state != "READY", len(one.endpoint_name)))
    return ranked[0].endpoint_name if ranked else None


def _no_endpoints() -> Component:
    return html.P("There is no endpoint that you may query.", className="dim lf-list-none")
