"""Text that a model writes while one looks on: the chat, a completion, and the steps of an endpoint that wakes up.

The markup is made here; assets/ask_model.js, chat.js and completion.js ask the JSON API and fill it.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any

import dash_bootstrap_components as dbc
from dash import html
from dash.development.base_component import Component

from dashboard.components.controls import button, steps
from dashboard.components.feedback import blank, counting_since, note
from dashboard.components.fields import range_of, spec_of
from services.model_serving import Endpoint, EndpointSchema, SchemaField

PARAMETERS = ("temperature", "max_tokens", "top_p", "top_k")
"""What of a chat's parameters has a field beside it; the code view has room for the others."""


def chat(endpoint: Endpoint, schema: EndpointSchema) -> Component:
    """Return the chat of an endpoint; assets/chat.js fills it and asks the JSON API, so words show as they come."""
    name = endpoint.endpoint_name
    limits = {one.name: one for one in schema.parameters}
    description = note(endpoint.description, "info") if endpoint.description else None
    return html.Div(
        [
            html.Div(
                [
                    *([html.Div(description, className="lf-chat-note")] if description else []),
                    html.Div(
                        className="lf-chat",
                        role="log",
                        tabIndex="0",
                        **{"aria-label": "Conversation", "data-chat-log": ""},
                    ),
                    html.Div(_compose(), className="lf-chat-foot"),
                ],
                className="lf-chat-main",
            ),
            waking_drafts(endpoint),
            html.Div(
                [
                    _chat_field("chat-system", "System prompt", "", dbc.Textarea(id="chat-system", rows=4)),
                    *[_chat_parameter(limits[one]) for one in PARAMETERS if one in limits],
                    dbc.Switch(id="chat-stream", label="Show words as they come", value=True, className="small"),
                    html.P(
                        "The platform ends a stream after 5 minutes; its proxy in front of apps may do so after 2.",
                        className="small faint lf-chat-limit",
                    ),
                ],
                className="lf-params stack",
                role="group",
                **{"aria-label": "Parameters"},
            ),
        ],
        className="lf-chatgrid",
        key=name,
        **{"data-chat": name},
    )


def waking(endpoint: Endpoint, since: float, *, awake: bool) -> Component:
    """Return the steps of an endpoint that wakes up; `since` is when the call was sent, Unix seconds."""
    told = next((one.deployment_message for one in endpoint.served_entities if one.deployment_message), None)
    clock = counting_since(since, "elapsed")
    rows = [
        ("done", "Your request is accepted and waits."),
        (
            "done" if awake else "now",
            "The compute has started." if awake else [html.B("The compute starts"), " ", clock, " so far"],
        ),
        ("now" if awake else "next", "The model loads, answers, and the answer is shown by itself."),
    ]
    explanation = (
        f"{endpoint.endpoint_name} was scaled to zero to save cost. Waking takes from seconds to minutes; "
        "your request waits meanwhile."
    )
    return blank("starting", "The endpoint is waking up", [explanation], below=[steps(rows)], small=told, live=True)


def waking_drafts(endpoint: Endpoint) -> Component:
    """Return the steps before and after the compute has started, hidden: the browser shows a copy where it waits."""
    drafts = [
        html.Div(waking(endpoint, 0, awake=awake), **{"data-waking": "awake" if awake else "asleep"})
        for awake in (False, True)
    ]
    return html.Div(drafts, hidden=True)


def written_live(endpoint_name: str, body: Mapping[str, Any], seconds: float) -> Component:
    """Return the place where a completion appears word by word.

    The browser asks for it as soon as it is in the page (assets/completion.js): `body` of the platform, with the time
    limit in seconds. Each call has a place of its own.
    """
    text = json.dumps({**body, "stream": True, "timeout_seconds": seconds}, ensure_ascii=False)
    request = json.dumps({"endpoint": endpoint_name, "body": text}, ensure_ascii=False)
    named = {"aria-label": "Text that the model writes", "data-live-text": ""}
    return html.Div(
        [
            html.Div(
                [
                    html.Span("asking", className="small dim", **{"data-live-about": ""}),
                    button("Stop", None, "", "stop-fill", "push", small=True, **{"data-live-stop": ""}),
                ],
                className="row-flex",
            ),
            html.Div(**{"data-live-waking": ""}),
            html.Div(className="lf-completion", tabIndex="0", role="region", **named),
            html.Div(**{"data-live-note": ""}),
        ],
        className="lf-answered stack",
        key=uuid.uuid4().hex,
        **{"data-live": request},
    )


def _compose() -> list[Component]:
    return [
        html.Label("Your message", htmlFor="chat-message", className="visually-hidden"),
        dbc.Textarea(id="chat-message", rows=2, placeholder="Write a message"),
        html.Div(
            [
                html.Span(
                    [
                        html.Kbd("Enter"),
                        " sends \u2002 ",
                        html.Kbd("Shift"),
                        " ",
                        html.Kbd("Enter"),
                        " new line \u2002 ",
                        html.Kbd("Esc"),
                        " stops",
                    ],
                    className="small faint hide-phone",
                ),
                button("Stop", None, "", "stop-fill", "push", small=False, hidden=True, **{"data-chat-stop": ""}),
                button("Send", None, "primary", None, "lf-send", small=False, **{"data-chat-send": ""}),
            ],
            className="row-flex lf-compose-foot",
        ),
    ]


def _chat_field(identifier: str, label: str, kind: str, control: Component) -> Component:
    words = [label, " ", html.Span(kind, className="lf-kind")]
    return html.Div([html.Label(words, className="form-label", htmlFor=identifier), control], className="lf-field")


def _chat_parameter(field: SchemaField) -> Component:
    """Return the field of a parameter; assets/chat.js checks what is entered, with the words of `read_field`."""
    start: Any = field.default if field.default is not None else 256 if field.name == "max_tokens" else ""
    keyboard = "numeric" if field.type == "integer" else "decimal"
    identifier = f"chat-{field.name}"
    control = dbc.Input(id=identifier, type="text", value=str(start), inputmode=keyboard, autocomplete="off")
    label = [field.name, " ", html.Span(range_of(field), className="lf-kind")]
    return html.Div(
        [
            html.Label(label, className="form-label", htmlFor=identifier),
            control,
            html.Div(id=f"{identifier}-note", className="form-text", role="status"),
        ],
        className="lf-field",
        **{"data-chat-field": json.dumps(spec_of(field)), "title": field.help or ""},
    )
