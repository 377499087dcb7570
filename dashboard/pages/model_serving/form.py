"""The callbacks of the input: form and JSON in step both ways, examples, the same request as code."""

from __future__ import annotations

import json
from typing import Any

from dash import ALL, Dash, Input, Output, State, ctx, html, no_update, set_props

from dashboard.callbacks import callback
from dashboard.components.controls import copy_box
from dashboard.components.fields import hint
from dashboard.components.json_editor import pretty
from dashboard.components.snippets import curl_snippet, python_snippet
from dashboard.identity import current_user
from dashboard.pages.model_serving import ids
from dashboard.pages.model_serving.requests import body_of, read_row, row_of, shaped, text_of
from services.container import Services
from services.errors import LakefrontError
from services.model_serving import EndpointSchema


def register(app: Dash, services: Services) -> None:
    """Add the callbacks."""
    _register_step(app, services)
    _register_examples(app, services)
    _register_code(app, services)


def _register_step(app: Dash, services: Services) -> None:
    @callback(
        app,
        Output(ids.JSON_TEXT, "value"),
        Output({"type": ids.FIELD, "name": ALL}, "invalid"),
        Output({"type": ids.FIELD_NOTE, "name": ALL}, "children"),
        Output({"type": ids.FIELD_NOTE, "name": ALL}, "className"),
        Input({"type": ids.FIELD, "name": ALL}, "value"),
        State({"type": ids.FIELD, "name": ALL}, "id"),
        State(ids.JSON_TEXT, "value", allow_optional=True),
        State(ids.CHOSEN, "data"),
    )
    def form_to_json(
        values: list[str | None], controls: list[dict[str, str]], text: str | None, name: str | None
    ) -> tuple[Any, ...]:
        """Check what was entered and write it as JSON; the schema comes from the kept description."""
        schema = _schema(services, name) if controls else None
        if schema is None:
            return (no_update, *([no_update] * len(controls) for _ in range(3)))
        row, wrong = read_row(schema, controls, values)
        fields = {one.name: one for one in schema.fields}
        notes = [wrong.get(one["name"]) or hint(fields[one["name"]]) for one in controls if one["name"] in fields]
        classes = ["invalid-feedback d-block" if wrong.get(one["name"]) else "form-text" for one in controls]
        body = body_of(schema, row)
        # JSON that says the same stays as it was typed.
        same = row_of(schema, _loads(text)) == row
        return (
            no_update if same else pretty(json.dumps(body, ensure_ascii=False)),
            [one["name"] in wrong for one in controls],
            notes,
            classes,
        )

    @callback(
        app,
        Input(ids.JSON_TEXT, "value", allow_optional=True),
        State({"type": ids.FIELD, "name": ALL}, "value"),
        State({"type": ids.FIELD, "name": ALL}, "id"),
        State(ids.CHOSEN, "data"),
        prevent_initial_call=True,
    )
    def json_to_form(
        text: str | None, values: list[str | None], controls: list[dict[str, str]], name: str | None
    ) -> None:
        """Write a row that was edited as JSON into the form; JSON of another shape leaves the form alone."""
        schema = _schema(services, name) if controls else None
        row = row_of(schema, _loads(text)) if schema is not None else None
        if schema is None or row is None or row == read_row(schema, controls, values)[0]:
            return
        for control, value in zip(controls, values, strict=True):
            entered = text_of(row.get(control["name"]))
            if entered != (value or ""):
                # Not an output: form and JSON would wait for each other.
                set_props(control, {"value": entered})


def _register_examples(app: Dash, services: Services) -> None:
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
        schema = _schema(services, name) if clicks else None
        if schema is None:
            return [no_update] * len(controls)
        examples = {one.name: one.example if one.example is not None else one.default for one in schema.fields}
        return [text_of(examples.get(one["name"])) for one in controls]

    @callback(
        app,
        Output(ids.JSON_TEXT, "value", allow_duplicate=True),
        Input({"type": ids.EXAMPLE_FORM, "form": ALL}, "n_clicks"),
        State(ids.CHOSEN, "data"),
        prevent_initial_call=True,
    )
    def example(clicks: list[Any], name: str | None) -> Any:
        """Write the example of one input format as JSON."""
        schema = _schema(services, name) if any(clicks) else None
        if schema is None or not isinstance(ctx.triggered_id, dict):
            return no_update
        return pretty(json.dumps(schema.examples[ctx.triggered_id["form"]], ensure_ascii=False))


def _register_code(app: Dash, services: Services) -> None:
    @callback(
        app,
        Output(ids.CODE, "children"),
        Input(ids.JSON_TEXT, "value", allow_optional=True),
        Input(ids.VIEW, "value", allow_optional=True),
        State(ids.CHOSEN, "data"),
        prevent_initial_call=True,
    )
    def show_code(text: str | None, view: str | None, name: str | None) -> Any:
        """Show the same request as curl and as Python, while it is looked at; runs as nobody."""
        return no_update if view != "code" else code_of(services, name or "", text or "{}")

    @callback(
        app,
        Output(ids.CHAT_CODE, "children"),
        Input(ids.CHAT_REQUEST, "data", allow_optional=True),
        State(ids.CHOSEN, "data"),
        prevent_initial_call=True,
    )
    def show_chat_code(text: str | None, name: str | None) -> Any:
        """Show what the chat sends, as JSON and as code; runs as nobody."""
        if not text:
            return no_update
        written = pretty(text)
        return [html.H3("Request, as JSON"), copy_box(written, "the request"), *code_of(services, name or "", written)]


def code_of(services: Services, name: str, text: str) -> list[Any]:
    """Return a request as curl and as Python, each with its button to copy."""
    host = services.settings.databricks_host
    return [
        html.H3("curl"),
        copy_box(curl_snippet(host, name, text), "the curl command"),
        html.H3("Python, with the Databricks SDK"),
        copy_box(python_snippet(name, text), "the Python code"),
    ]


def _schema(services: Services, name: str | None) -> EndpointSchema | None:
    if name is None:
        return None
    try:
        return shaped(services.model_serving.endpoint_schema(current_user(), name))
    except LakefrontError:
        return None  # the call itself will say what is wrong


def _loads(text: str | None) -> Any:
    try:
        return json.loads(text or "")
    except (ValueError, RecursionError):
        return None
