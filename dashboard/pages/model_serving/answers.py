"""The answer of a call, the strip below it, and what is said when there is none."""

import json
from datetime import datetime
from typing import Any

from dash import html
from dash.development.base_component import Component

from dashboard.components.controls import (
    button,
)
from dashboard.components.feedback import error_note
from dashboard.components.serving import (
    answer,
    answer_strip,
    input_table,
    result_tag,
)
from dashboard.components.signs import Identity
from dashboard.components.waterline import text_panel, toggle_button, waterline
from dashboard.identity import current_user
from dashboard.pages.model_serving import ids
from services.container import Services
from services.errors import LakefrontError
from services.identity import User
from services.lakebase.models import InferenceLog
from services.model_serving import Endpoint, EndpointSchema, InvocationResult


def earlier_answers(services: Services, user: User, name: str) -> list[float]:
    """Return the person's last single-number answers of an endpoint, oldest first; none when Lakebase is down."""
    try:
        page = services.lakebase.list_inference_logs(user, limit=ids.STRIP_SIZE, endpoint_name=name, status="SUCCESS")
    except LakefrontError:
        return []
    return [number for log in reversed(page.items) if (number := number_of(log)) is not None]


def number_of(log: InferenceLog) -> float | None:
    """Return the one number that a call answered, or None when it answered anything else."""
    try:
        value = json.loads(log.predictions or "null")
    except ValueError:
        return None
    one = value[0] if isinstance(value, list) and len(value) == 1 else value
    return float(one) if isinstance(one, int | float) and not isinstance(one, bool) else None


def answered(
    result: InvocationResult, schema: EndpointSchema, body: dict[str, Any], asked: datetime, earlier: list[float]
) -> list[Component]:
    """Return the answer with the input it belongs to, and where it lies among earlier answers."""
    records = body.get("dataframe_records") or body.get("instances")
    row = records[0] if isinstance(records, list) and len(records) == 1 and isinstance(records[0], dict) else None
    shown = result.predictions if result.response is None else result.response
    when = html.Div(result_tag(asked, "row" if schema.kind == "tabular" else "input"), className="lf-answer-when")
    parts: list[Component] = [when, answer(shown, schema.output)]
    if len(earlier) > 1 and result.logged:
        parts.append(answer_strip(earlier))
    if row is not None:
        parts.append(input_table(row))
    return [html.Div(parts, className="lf-answered stack")]


def strip_of(result: InvocationResult) -> list[Component]:
    """Return the strip below an answer, with the raw answer to open."""
    kept = "written to your history" if result.logged else f"not written to your history: {result.log_error}"
    whole = json.dumps(result.model_dump(mode="json"), indent=2, ensure_ascii=False)
    return [
        waterline(
            Identity.of_user(result.runs_as),
            result.execution_time_ms,
            [version_of(result.model_name, result.model_version), kept],
            [toggle_button("serving-raw", "Raw answer", "braces")],
        ),
        text_panel("serving-raw", whole, "Raw answer"),
    ]


def strip_live(user: User, endpoint: Endpoint | None) -> list[Component]:
    """Return the strip below an answer that is written live; the browser says in it how it goes (ask_model.js)."""
    model = version_of(endpoint.model_name, endpoint.model_version) if endpoint else "model"
    return [
        waterline(
            Identity.of_user(user.user_name),
            html.Span("asking", **{"data-live-time": ""}),
            [model, html.Span("", **{"data-live-facts": ""})],
            [toggle_button("serving-raw", "Raw events", "braces")],
            id="serving-live-strip",
        ),
        text_panel("serving-raw", "", "Raw events"),
    ]


def failed(error: LakefrontError) -> Component:
    """Return what is said when there is no answer: why, that the input is kept, and what to do."""
    what = "Not asked." if error.error_code == "INVALID_REQUEST" else "No answer."
    limit = error.technical_details.get("timeout_seconds")
    if limit is not None:
        what = f"No answer within {float(limit):g} s."
    if error.error_code == "INVALID_INPUT":
        what = "The model refused the input."
    actions = []
    if error.status == 503:
        words = "Wait longer," if limit is not None else "Ask again, wait up to"
        actions = [button(f"{words} {ids.LONGER_SECONDS} s", ids.LONGER, small=True)]
    return html.Div(error_note(error, what, "Your input is kept.", actions), className="lf-answered")


def strip_failed(error: LakefrontError, took: float) -> Component:
    """Return the strip of a call that failed."""
    user = current_user_or_none()
    said = {"INVALID_REQUEST": "not asked", "INVALID_INPUT": "refused by the model"}.get(error.error_code, "no answer")
    return waterline(Identity.of_user(user) if user else None, took, [said])


def current_user_or_none() -> str | None:
    """Return the name of the person, or None when nobody is signed in."""
    try:
        return current_user().user_name
    except LakefrontError:
        return None


def version_of(model: str | None, version: str | None) -> str:
    """Return the short name of a model with its version."""
    name = (model or "model").rsplit(".", 1)[-1]
    return f"{name} version {version}" if version else name
