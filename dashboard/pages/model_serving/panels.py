"""The parts of the Model Serving page before anything is asked: list, form, chat, history."""

import json
import time
from typing import Any

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from dashboard.components.controls import (
    busy_button,
    button,
    icon_button,
    panel,
    segment,
    skeleton,
)
from dashboard.components.feedback import blank, error_panel, note
from dashboard.components.json_editor import editor, pretty
from dashboard.components.serving import endpoint_title, model_form
from dashboard.components.signs import Identity
from dashboard.components.talk import chat, waking_drafts
from dashboard.components.waterline import text_panel, toggle_button, waterline
from dashboard.pages.model_serving import ids, many
from dashboard.pages.model_serving.answers import version_of
from services.errors import LakefrontError
from services.identity import User
from services.model_serving import CUSTOM_MODEL_LIMIT, LANGUAGE_LIMIT, Endpoint, EndpointSchema


def list_panel() -> Component:
    """Return the panel of the endpoints."""
    return panel(
        "Endpoints",
        [
            html.Div(waiting(), id=ids.LIST, className="lf-list-place"),
            html.P("Endpoints you may see", id=ids.LIST_FOOT, className="small faint lf-list-foot"),
        ],
        id="serving-endpoints",
        aside=[
            html.Span(id=ids.COUNT, className="small faint push"),
            icon_button("Refresh the list", "arrow-clockwise", ids.REFRESH),
        ],
        classes="only-wide lf-tall",
    )


def history_panel() -> Component:
    """Return the panel of the person's own calls."""
    options = [
        {"label": "All results", "value": "ALL"},
        {"label": "Success", "value": "SUCCESS"},
        {"label": "Refused or failed", "value": "ERROR"},
        {"label": "Timed out", "value": "TIMEOUT"},
    ]
    which = [{"label": "This endpoint", "value": "HERE"}, {"label": "All endpoints", "value": "ALL"}]
    return panel(
        "History",
        html.Div(html.Div(skeleton(70, 60, 65), className="lf-list-wait"), id=ids.HISTORY),
        id="serving-history-panel",
        aside=[
            html.Span("only yours", className="small faint hide-phone"),
            html.Span(
                [
                    html.Label("Endpoint", htmlFor=ids.HISTORY_ENDPOINT, className="visually-hidden"),
                    dbc.Select(id=ids.HISTORY_ENDPOINT, options=which, value="HERE", size="sm"),
                    html.Label("Result", htmlFor=ids.HISTORY_STATUS, className="visually-hidden"),
                    dbc.Select(id=ids.HISTORY_STATUS, options=options, value="ALL", size="sm"),
                ],
                className="push lf-small-select row-flex",
            ),
            icon_button("Refresh the history", "arrow-clockwise", ids.HISTORY_REFRESH),
        ],
        classes="lf-tall",
    )


def model_panel(endpoint: Endpoint, schema: EndpointSchema, user: User, table: Component | None = None) -> Component:
    """Return the panel of a model with a signature, or of one that does not say what it wants (JSON only).

    `table` is the view that takes rows of a table, when the address brings one along.
    """
    described = schema.described and bool(schema.fields)
    views = _views(described, schema.kind != "tabular", table is not None)
    view = "table" if table is not None else views[0][0]
    first: Any = next(iter(schema.examples.values()), {"inputs": []})
    hints = [] if described else [note(schema.reason or "This endpoint does not say what it wants.", "info")]
    columns = model_form(schema, ids.FIELD, ids.FIELD_NOTE) if described else ""
    form = html.Div(
        [
            *hints,
            html.Div(
                columns,
                id=ids.FORM_VIEW,
                hidden=view != "form",
            ),
            many.view(schema) if described and schema.kind == "tabular" else html.Div(id=ids.MANY_VIEW, hidden=True),
            table if table is not None else html.Div(id=ids.TABLE_VIEW, hidden=True),
            html.Div(
                [
                    editor(
                        ids.JSON_FIELD,
                        ids.JSON_TEXT,
                        "Request, as JSON",
                        pretty(json.dumps(first)),
                        most_bytes=CUSTOM_MODEL_LIMIT if schema.kind in ("tabular", "unknown") else LANGUAGE_LIMIT,
                    ),
                    _examples(schema),
                ],
                id=ids.JSON_VIEW,
                hidden=view != "json",
                className="grow lf-json-view",
            ),
            html.Div(html.Div(id=ids.CODE, className="stack"), id=ids.CODE_VIEW, hidden=True),
            form_foot(view, described, endpoint),
        ],
        className="lf-input",
        role="group",
        **{"aria-label": f"Input of {endpoint.endpoint_name}", "data-submit": ids.PREDICT},
    )
    return html.Section(
        [
            html.Header(
                [*endpoint_title(endpoint), _about(), segment(ids.VIEW, "Kind of input", views, view, "push")],
                className="lf-wrap",
            ),
            _details(),
            waking_drafts(endpoint) if schema.kind == "completions" else None,
            html.Div(
                [form, _outcome(nothing_yet(view))],
                className="lf-cols lf-pair fill lf-serve-pair",
            ),
            html.Div(id=ids.BELOW, className="lf-below"),
            html.Div([html.Div(strip_before(user), id=ids.STRIP), strip_asking(user)], className="lf-strip-place"),
            dcc.Store(id=ids.SHOWN_VIEW, data=view),
        ],
        className="lf-panel",
        key=endpoint.endpoint_name,
        **{"aria-labelledby": "serving-title"},
    )


def nothing_yet(view: str | None) -> Component:
    """Return what stands in the place of the answer before anything was asked in a view."""
    press = {"many": "Predict all rows", "table": "Predict these rows"}.get(view or "", "Predict")
    how = "Fill in the rows" if view == "many" else "Choose the columns" if view == "table" else "Fill in the form"
    return blank("empty", "No answer yet", [f"{how} and press {press}. Each call is kept in your history."])


def strip_before(user: User) -> Component:
    """Return the strip before anything was asked."""
    return waterline(Identity.of_user(user.user_name), None, ["nothing asked yet"])


def strip_asking(user: User) -> Component:
    """Return the strip that lies over the last one while a model is asked; assets/clock.js counts from the press."""
    strip = waterline(Identity.of_user(user.user_name), None, ["waiting for the model"], running_since=time.time())
    starts = f"{ids.PREDICT} {ids.LONGER}"
    return html.Div(strip, className="lf-asking", **{"aria-hidden": "true", "data-starts": starts})


def same_input(view: str | None, other: str | None) -> bool:
    """Return whether two views show the same input: form, JSON and code do; many rows and rows of a table do not."""
    return ((view or "") if view in ("many", "table") else "one") == (
        (other or "") if other in ("many", "table") else "one"
    )


def form_foot(view: str, described: bool, endpoint: Endpoint) -> Component:
    """Return the buttons below the input; one of the three first is shown, as the view asks for."""
    hides = hidden_parts(view)
    verb, doing = ("Predict", "Predicting\u2026") if endpoint.task is None else ("Ask the model", "Asking\u2026")
    # An endpoint that sleeps needs longer for its first answer than one that is awake.
    limit = str(ids.LONGER_SECONDS) if endpoint.asleep else "30"
    predict = busy_button(verb, doing, ids.PREDICT, **{"data-json-save": ids.JSON_VIEW})
    return html.Div(
        [
            html.Span(predict, id=PREDICT_PLACE, hidden=hides[PREDICT_PLACE]),
            button("Predict all rows", ids.SCORE, "primary", hidden=hides[ids.SCORE]),
            button("Predict these rows", ids.TABLE_SCORE, "primary", hidden=hides[ids.TABLE_SCORE]),
            html.Span(
                button("Fill with an example", ids.EXAMPLE, "", "shuffle", hidden=not described),
                id=EXAMPLE_PLACE,
                hidden=hides[EXAMPLE_PLACE],
            ),
            html.Span(
                [
                    html.Label("Give up after", htmlFor=ids.LIMIT),
                    dbc.Input(id=ids.LIMIT, type="text", value=limit, inputmode="numeric", className="num lf-seconds"),
                    "s",
                ],
                className="row-flex small dim push hide-phone",
            ),
        ],
        className="row-flex wrap lf-form-foot",
    )


PREDICT_PLACE, EXAMPLE_PLACE = "serving-predict-place", "serving-example-place"
_SHOWN_IN = {
    ids.FORM_VIEW: {"form"},
    ids.MANY_VIEW: {"many"},
    ids.TABLE_VIEW: {"table"},
    ids.JSON_VIEW: {"json"},
    ids.CODE_VIEW: {"code"},
    PREDICT_PLACE: {"form", "json", "code"},
    ids.SCORE: {"many"},
    ids.TABLE_SCORE: {"table"},
    EXAMPLE_PLACE: {"form"},
}
PARTS = tuple(_SHOWN_IN)
"""The parts of the input that are shown in some views only."""


def hidden_parts(view: str | None) -> dict[str, bool]:
    """Return which of `PARTS` are hidden in a view."""
    return {part: view not in shown for part, shown in _SHOWN_IN.items()}


def _outcome(empty: Component) -> Component:
    """Return the place of the answer, and of the steps while an endpoint wakes up."""
    return html.Div(
        [
            dcc.Interval(id=ids.WAKE_TICK, interval=700, disabled=True),
            html.Div(id=ids.WAKING, className="lf-waking over"),
            html.Div(empty, id=ids.RESULT, className="lf-result", **{"aria-live": "polite"}),
        ],
        className="lf-outcome",
    )


def _about() -> Component:
    toggles = {"aria-expanded": "false", "aria-controls": "serving-details-box", "data-toggle": "serving-details-box"}
    return button("Details", ids.DETAILS_BUTTON, "ghost", "info-circle", small=True, **toggles)


def _details() -> Component:
    """Return the place of the details, closed at first; they are read when they are opened."""
    return html.Div(
        html.Div(skeleton(70, 50, 60), id=ids.DETAILS, className="stack"),
        id="serving-details-box",
        className="lf-details-box",
        hidden=True,
        role="region",
        **{"aria-label": "Details of the endpoint"},
    )


def _examples(schema: EndpointSchema) -> Component:
    """Return one button for the example of each input format."""
    buttons = [
        button(form, {"type": ids.EXAMPLE_FORM, "form": form}, "ghost", None, "mono", small=True)
        for form in schema.examples
    ]
    return html.Div(
        [html.Span("Example as", className="small dim"), *buttons],
        className="row-flex wrap",
        role="group",
        **{"aria-label": "Examples"},
    )


def _views(described: bool, language: bool, table: bool) -> list[tuple[str, str]]:
    views: list[tuple[str, str]] = []
    if described and language:
        views.append(("form", "Form"))
    elif described:
        views += [("form", "One row"), ("many", "Many rows")]
    if table:
        views.append(("table", "Table rows"))
    return [*views, ("json", "JSON"), ("code", "Code")]


def chat_panel(endpoint: Endpoint, schema: EndpointSchema, user: User) -> Component:
    """Return the panel of a chat."""
    strip = waterline(
        Identity.of_user(user.user_name),
        html.Span("nothing asked yet", **{"data-live-time": ""}),
        [version_of(endpoint.model_name, endpoint.model_version), html.Span("", **{"data-live-facts": ""})],
        [toggle_button("chat-code", "Code", "code"), toggle_button("chat-raw", "Raw events", "braces")],
        id="chat-waterline",
    )
    return html.Section(
        [
            html.Header(
                [
                    *endpoint_title(endpoint),
                    _about(),
                    button("New chat", None, "ghost", "plus-lg", "push", small=True, **{"data-chat-new": ""}),
                ],
                className="lf-wrap",
            ),
            _details(),
            chat(endpoint, schema),
            strip,
            text_panel("chat-raw", "", "Raw events"),
            html.Div(
                html.Div(id=ids.CHAT_CODE, className="stack"), id="chat-code", className="lf-details-box", hidden=True
            ),
            dcc.Store(id=ids.CHAT_REQUEST),
        ],
        className="lf-panel lf-tall lf-chat-panel",
        key=endpoint.endpoint_name,
        **{"aria-labelledby": "serving-title"},
    )


def waiting() -> Component:
    """Return what stands where the list will be."""
    return html.Div(skeleton(60, 40, 55, 45), className="lf-list-wait", **{"aria-busy": "true"})


def no_endpoints() -> Component:
    """Return what stands in the list when there is nothing to query."""
    return html.P("There is no endpoint that you may query.", className="dim lf-list-none")


def nothing_to_ask() -> Component:
    """Return the panel of a person who may query no endpoint."""
    words = ["A person who manages an endpoint can let you query it: Serving, the endpoint, Permissions, CAN QUERY."]
    return html.Section(blank("empty", "There is no endpoint that you may query", words), className="lf-panel")


def list_failed(error: LakefrontError) -> Component:
    """Return the panel that says why no endpoint can be opened, with the way to ask again."""
    again = button("Try again", ids.LIST_AGAIN, "primary")
    return html.Section(error_panel(error, retry=again), className="lf-panel")


def no_history() -> Component:
    """Return what stands in the history while no endpoint is open."""
    return html.P("No endpoint is open, so no call is shown.", className="dim lf-list-none")
