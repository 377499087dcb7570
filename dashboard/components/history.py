"""The history of a person's own model calls, as a table."""

import json
from collections.abc import Sequence
from datetime import UTC

from dash import html
from dash.development.base_component import Component

from dashboard.components.controls import button, scroller
from dashboard.components.signs import Tone, mono, state
from dashboard.components.words import elapsed, exact, number, plural, size
from services.lakebase.models import InferenceLog

_RESULTS: dict[str, tuple[str, Tone, str]] = {
    "SUCCESS": ("Success", "ok", "check-circle-fill"),
    "ERROR": ("Refused or failed", "danger", "x-octagon-fill"),
    "TIMEOUT": ("Timed out", "warn", "clock-fill"),
}


def history_table(
    logs: Sequence[InferenceLog], again_type: str, use_type: str, *, named: bool = False, here: str | None = None
) -> Component:
    """Return the calls, newest first.

    "Run again" has the id `{"type": again_type, "id": inference id}`, "Edit" has `use_type`. `named` tells the endpoint
    of each call; `here` is the endpoint whose form is open, into which its own calls can be taken.
    """
    if not logs:
        return html.P("No call yet. What you ask this endpoint appears here.", className="dim lf-list-none")
    heads = [
        html.Th("Time, UTC"),
        *([html.Th("Endpoint")] if named else []),
        html.Th("Result"),
        html.Th("Input"),
        html.Th("Answer", className="num"),
        html.Th("Time taken", className="num"),
        html.Th(html.Span("Actions", className="visually-hidden")),
    ]
    rows = [_row(log, again_type, use_type if here in (None, log.endpoint_name) else None, named) for log in logs]
    table = html.Table([html.Thead(html.Tr(heads)), html.Tbody(rows)], className="lf-table dense")
    return scroller(table, "History of calls")


def _row(log: InferenceLog, again_type: str, use_type: str | None, named: bool) -> Component:
    word, tone, sign = _RESULTS[log.status]
    moment = log.created_at.astimezone(UTC)
    whole = not _is_shortened(log.inputs)
    identifier, of = str(log.inference_id), f" the input of {moment:%H:%M:%S}"
    actions: list[Component] = []
    if whole and use_type is not None:
        actions.append(button("Edit", {"type": use_type, "id": identifier}, "ghost", small=True, more=of))
    if whole:
        actions.append(button("Run again", {"type": again_type, "id": identifier}, "ghost", small=True, more=of))
    return html.Tr(
        [
            html.Td(f"{moment:%H:%M:%S}", className="nowrap", title=exact(moment)),
            *([html.Td(mono(log.endpoint_name))] if named else []),
            html.Td(state(word, tone, sign), title=log.error_message or ""),
            html.Td(_input(log.inputs), className="dim lf-history-input cut", title=_input(log.inputs)),
            html.Td(_answer(log.predictions), className="num cut lf-history-answer", title=_answer(log.predictions)),
            html.Td(elapsed(log.execution_time_ms), className="num nowrap"),
            html.Td(actions or html.Span("kept in part", className="small faint lf-kept"), className="num nowrap"),
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
        return str(value["messages"][-1].get("content", ""))[:400]
    rows = value.get("dataframe_records", value.get("instances"))
    if isinstance(rows, list):
        if len(rows) == 1 and isinstance(rows[0], dict):
            return ", ".join(str(one) for one in rows[0].values())[:400]
        return plural(len(rows), "row")
    for name in ("prompt", "input"):
        if isinstance(value.get(name), str):
            return str(value[name])[:400]
        if isinstance(value.get(name), list):
            return " \u00b7 ".join(str(one) for one in value[name])[:400]
    return json.dumps(value, ensure_ascii=False)[:400]


def _answer(text: str | None) -> str:
    value = _loads(text)
    if isinstance(value, dict) and value.get("shortened"):
        return plural(int(value["rows"]), "value") if "rows" in value else "shortened"
    if isinstance(value, list) and len(value) > 1:
        return plural(len(value), "value")
    one = (value[0] if value else None) if isinstance(value, list) else value
    if isinstance(one, bool) or one is None:
        return "\u2014" if one is None else str(one).lower()
    if isinstance(one, int | float):
        return number(one, 2) if isinstance(one, float) else number(one)
    if isinstance(one, dict):
        if isinstance(one.get("data"), list):
            return plural(len(one["data"]), "vector")
        return str(one.get("label") or one.get("content") or json.dumps(one, ensure_ascii=False))[:400]
    return str(one)[:400]


def _is_shortened(text: str | None) -> bool:
    """Return whether the input is too large to be kept whole, so that it cannot be sent again."""
    value = _loads(text)
    return not isinstance(value, dict) or bool(value.get("shortened"))


def _loads(text: str | None) -> object:
    try:
        return json.loads(text) if text else None
    except ValueError:
        return None
