"""Model Serving as people see it: the list of endpoints, the form that fits a model, the answer."""

import json
import math
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from dashboard.components.charts import CONFIG, template
from dashboard.components.controls import meter, scroller
from dashboard.components.fields import hint, range_of
from dashboard.components.language import completion, embeddings, is_completion, is_embeddings
from dashboard.components.signs import hidden, mono, tag
from dashboard.components.signs import state as sign
from dashboard.components.words import number
from services.model_serving import Endpoint, EndpointSchema, SchemaField

TASKS = {
    "llm/v1/chat": "chat",
    "agent/v1/chat": "chat",
    "agent/v2/chat": "chat",
    "llm/v1/completions": "completions",
    "llm/v1/embeddings": "embeddings",
}


def state_of(endpoint: Endpoint) -> Component:
    """Return the state of an endpoint."""
    return endpoint_state(endpoint.state, endpoint.config_update, asleep=endpoint.asleep)


def endpoint_state(state: str, config_update: str, *, asleep: bool) -> Component:
    """Return a state of an endpoint: whether it answers and whether its configuration changes."""
    if config_update == "IN_PROGRESS":
        return sign("Updating", "info", "arrow-repeat")
    if config_update == "UPDATE_FAILED":
        return sign("Ready, update failed" if state == "READY" else "Update failed", "warn")
    if state != "READY":
        return sign("Not ready", "danger")
    if asleep:
        return sign("Asleep, wakes on call", "", "moon")
    return sign("Ready")


def endpoint_list(endpoints: Sequence[Endpoint], chosen: str | None, row_type: str) -> Component:
    """Return the list; each row is a button with the id `{"type": row_type, "name": name}`."""
    rows = []
    for one in endpoints:
        here = {"aria-current": "true"} if one.endpoint_name == chosen else {}
        task = TASKS.get(one.task or "", one.task or "model with a signature")
        rows.append(
            html.Li(
                html.Button(
                    [
                        mono(one.endpoint_name),
                        html.Span([state_of(one), html.Span(task, className="push cut")], className="l2"),
                    ],
                    id={"type": row_type, "name": one.endpoint_name},
                    type="button",
                    **here,
                )
            )
        )
    return html.Ul(rows, className="lf-list")


def endpoint_title(endpoint: Endpoint) -> list[Component]:
    """Return name, state, model and version for the head of the panel."""
    model = endpoint.model_name or "no model named"
    version = f"version {endpoint.model_version}" if endpoint.model_version else ""
    return [
        html.H2(endpoint.endpoint_name, id="serving-title", className="mono lf-endpoint"),
        html.Span(state_of(endpoint), id="serving-state-now", role="status"),
        html.Span(
            [mono(model), " ", html.Span(version, className="nowrap")],
            className="small dim cut",
            title=endpoint.description or model,
        ),
    ]


def model_form(schema: EndpointSchema, field_type: str, note_type: str) -> Component:
    """Return one control for each column: ids `{"type": field_type, "name": column}`, and its note with `note_type`."""
    alone = len(schema.fields) == 1 and schema.fields[0].type == "string" and not schema.fields[0].choices
    wide = "lf-wide" if len(schema.fields) % 2 else ""
    parts = [
        _form_field(one, field_type, note_type, wide if place == 0 else "", alone or one.format == "text")
        for place, one in enumerate(schema.fields)
    ]
    return html.Div(parts, className="lf-cols lf-two lf-form-fields")


def answer(predictions: Any, output: Mapping[str, Any] | None) -> Component:
    """Return a prediction as people read it: one number large, probabilities as bars, anything else as JSON."""
    one = predictions[0] if isinstance(predictions, list) and len(predictions) == 1 else predictions
    if isinstance(one, bool | int | float) and not isinstance(one, bool):
        shown = number(round(one, 2), 2) if isinstance(one, float) else number(one)
        said = str((output or {}).get("description") or "Prediction")
        return html.Div(
            [
                html.H3(said.rstrip("."), className="dim lf-answer-name"),
                html.Div(
                    [
                        html.Span(shown, className="lf-answer"),
                        html.Span(["raw ", mono(repr(one))], className="dim small"),
                    ],
                    className="row-flex lf-answer-line",
                ),
            ]
        )
    if isinstance(one, dict) and isinstance(one.get("probabilities"), dict):
        return _probabilities(one)
    if isinstance(predictions, dict) and is_completion(predictions):
        return completion(predictions)
    if isinstance(predictions, dict) and is_embeddings(predictions):
        return embeddings(predictions)
    text = json.dumps(predictions, indent=2, ensure_ascii=False)
    return html.Pre(
        text[:20_000], className="lf-sql lf-json-answer", role="region", tabIndex="0", **{"aria-label": "Answer"}
    )


def input_table(row: Mapping[str, Any]) -> Component:
    """Return the input of a prediction as a small table, so that an edited form never looks answered."""
    heads = [html.Th(name, className="num" if isinstance(value, int | float) else "") for name, value in row.items()]
    cells = [
        html.Td("null" if value is None else str(value), className="num" if isinstance(value, int | float) else "cut")
        for value in row.values()
    ]
    return scroller(
        html.Table([html.Thead(html.Tr(heads)), html.Tbody(html.Tr(cells))], className="lf-table dense lf-input-table"),
        "The input of this prediction",
    )


def answer_strip(values: Sequence[float]) -> Component:
    """Return earlier numeric answers of the endpoint on one axis, the last one marked; newest last."""
    marked = len(values) - 1
    offsets = [0.62 * math.sin(2.4 * place) for place in range(len(values))]
    offsets[marked] = 0.0
    trace = {
        "type": "scatter",
        "mode": "markers",
        "x": list(values),
        "y": offsets,
        "marker": {
            "size": [14 if place == marked else 8 for place in range(len(values))],
            "symbol": ["circle" if place == marked else "circle-open" for place in range(len(values))],
            "line": {"width": 1.5},
        },
        "hovertemplate": "%{x:.2f}<extra></extra>",
    }
    layout = {
        "template": template("light"),
        "margin": {"l": 8, "r": 12, "t": 4, "b": 24},
        "height": 92,
        "xaxis": {"showgrid": True},
        "yaxis": {"visible": False, "range": [-1, 1]},
    }
    words = f"Your last {len(values)} answers from this endpoint, this one marked"
    said = f": from {min(values):.2f} to {max(values):.2f}, this one {values[-1]:.2f}"
    return html.Figure(
        [
            html.Figcaption([words, hidden(said)], className="small dim"),
            dcc.Graph(
                figure={"data": [trace], "layout": layout},
                config=CONFIG,
                className="lf-strip",
                style={"height": "92px"},
            ),
        ]
    )


def result_tag(moment: datetime, what: str = "row") -> Component:
    """Return when the input was sent that an answer belongs to."""
    return tag(f"for the {what} of {moment.astimezone(UTC):%H:%M:%S} UTC", "", None, "push")


def dom_id(identifier: Mapping[str, str]) -> str:
    """Return the element id that Dash gives to a component with a dictionary as id."""
    return json.dumps(dict(sorted(identifier.items())), separators=(",", ":"))


def _form_field(field: SchemaField, field_type: str, note_type: str, extra: str, long: bool) -> Component:
    identifier = {"type": field_type, "name": field.name}
    start = field.example if field.example is not None else field.default
    first = "" if start is None else json.dumps(start) if isinstance(start, dict | list) else str(start)
    kind = ", ".join(part for part in (field.format or field.type, range_of(field)) if part)
    if field.choices or field.type == "boolean":
        options = [str(one) for one in field.choices] or ["true", "false"]
        control: Component = dbc.Select(
            id=identifier, options=options, value=first.lower() if not field.choices else first
        )
    elif long:
        control = dbc.Textarea(id=identifier, value=first, rows=5, debounce=0.2)
    else:
        keyboard = {"integer": "numeric", "number": "decimal"}.get(field.type, "text")
        control = dbc.Input(
            id=identifier, type="text", value=first, inputmode=keyboard, autocomplete="off", debounce=0.2
        )
    label = [field.name, " ", html.Span(kind, className="lf-kind")]
    note_id = {"type": note_type, "name": field.name}
    return html.Div(
        [
            html.Label(label, className="form-label", htmlFor=dom_id(identifier)),
            control,
            html.Div(hint(field), className="form-text", id=note_id),
        ],
        className=f"lf-field {extra} {'lf-wide' if long else ''}".strip(),
        **{"data-note": re.sub(r"\W", "-", field.name)},
    )


def _probabilities(one: Mapping[str, Any]) -> Component:
    chances = sorted(one["probabilities"].items(), key=lambda pair: -pair[1])
    label = str(one.get("label", chances[0][0]))
    rows = [
        html.Div(
            [
                html.Span(name, className="cut"),
                meter(100 * chance),
                html.Span(f"{100 * chance:.1f} %", className="num"),
            ],
            className="lf-chance",
        )
        for name, chance in chances
    ]
    return html.Div(
        [html.H3("Most likely", className="dim lf-answer-name"), html.Div(label, className="lf-answer"), *rows],
        className="stack",
    )
