"""The history of a person's own model calls, as a table."""

import json
from collections.abc import Sequence
from datetime import UTC

from dash import html
from dash.development.base_component import Component

from dashboard.components.controls import button, scroller
from dashboard.components.signs import Tone, state
from dashboard.components.words import elapsed, exact, number, plural, size
from services.lakebase.models import InferenceLog

_RESULTS: dict[str, tuple[str, Tone, str]] = {
    "SUCCESS": ("Success", "ok", "check-circle-fill"),
    "ERROR": ("Refused or failed", "danger", "x-octagon-fill"),
    "TIMEOUT": ("Timed out", "warn", "clock-fill"),
}


def history_table(logs: Sequence[InferenceLog], total: int, again_type: str) -> Component:
    """Return the calls, newest first; "Run again" has the id `{"type": again_type, "id": inference id}`."""
    if not logs:
        return html.P("No call yet. What you ask this endpoint appears here.", className="dim lf-list-none")
    heads = [
        html.Th("Time, UTC"),
        html.Th("Result"),
        html.Th("Input"),
        html.Th("Answer", className="num"),
        html.Th("Time taken", className="num"),
        html.Th(html.Span("Actions", className="visually-hidden")),
    ]
    rows = [_row(log, again_type) for log in logs]
    table = html.Table([html.Thead(html.Tr(heads)), html.Tbody(rows)], className="lf-table dense")
    more = (
        [html.P(f"The newest {len(logs)} of {number(total)} calls.", className="small faint lf-table-more")]
        if total > len(logs)
        else []
    )
    return html.Div([scroller(table, "History of calls"), *more])


def _row(log: InferenceLog, again_type: str) -> Component:
    word, tone, sign = _RESULTS[log.status]
    moment = log.created_at.astimezone(UTC)
    again = button(
        "Use again",
        {"type": again_type, "id": str(log.inference_id)},
        "ghost",
        small=True,
        more=f" the input of {moment:%H:%M:%S}",
    )
    return html.Tr(
        [
            html.Td(f"{moment:%H:%M:%S}", className="nowrap", title=exact(moment)),
            html.Td(state(word, tone, sign), title=log.error_message or ""),
            html.Td(_input(log.inputs), className="dim lf-history-input cut"),
            html.Td(_answer(log.predictions), className="num nowrap"),
            html.Td(elapsed(log.execution_time_ms), className="num nowrap"),
            html.Td(again, className="num"),
        ]
    )


def _input(text: str | None) -> str:
    """Return the input in short: the values of one row, the number of rows, or the last message."""
    value = _loads(text)
    if not isinstance(value, dict):
        return ""
    if value.get("shortened"):
        return (
            plural(int(value["rows"]), "row") if "rows" in value else f"{size(int(value.get('bytes', 0)))}, shortened"
        )
    if isinstance(value.get("messages"), list) and value["messages"]:
        return str(value["messages"][-1].get("content", ""))[:160]
    rows = value.get("dataframe_records") or value.get("instances")
    if isinstance(rows, list):
        if len(rows) == 1 and isinstance(rows[0], dict):
            return ", ".join(str(one) for one in rows[0].values())[:160]
        return plural(len(rows), "row")
    return json.dumps(value, ensure_ascii=False)[:160]


def _answer(text: str | None) -> str:
    value = _loads(text)
    if isinstance(value, dict) and value.get("shortened"):
        return plural(int(value["rows"]), "value") if "rows" in value else "shortened"
    if isinstance(value, list) and len(value) > 1:
        return plural(len(value), "value")
    one = value[0] if isinstance(value, list) and value else value
    if isinstance(one, bool) or one is None:
        return "\u2014" if one is None else str(one).lower()
    if isinstance(one, int | float):
        return number(one, 2) if isinstance(one, float) else number(one)
    if isinstance(one, dict):
        return str(one.get("label") or one.get("content") or "object")[:40]
    return str(one)[:40]


def _loads(text: str | None) -> object:
    try:
        return json.loads(text) if text else None
    except ValueError:
        return None
