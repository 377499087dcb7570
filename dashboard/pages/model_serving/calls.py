"""The person's own calls: filtered, page by page, taken into the form again, or run again after a look at the input."""

from __future__ import annotations

import json
import time
from datetime import UTC
from typing import Any
from uuid import UUID

from dash import ALL, Dash, Input, Output, State, ctx, html, no_update
from dash.development.base_component import Component

from dashboard.callbacks import callback
from dashboard.components.controls import button
from dashboard.components.dialog import dialog
from dashboard.components.feedback import error_note
from dashboard.components.history import history_table
from dashboard.components.json_editor import pretty
from dashboard.components.serving import answer
from dashboard.components.signs import Identity, mono
from dashboard.components.waterline import waterline
from dashboard.components.words import elapsed, exact, number
from dashboard.identity import current_user
from dashboard.pages.model_serving import ids
from dashboard.pages.model_serving.answers import version_of
from dashboard.pages.model_serving.requests import invocation_of
from dashboard.recent_errors import remember
from services.container import Services
from services.errors import LakefrontError
from services.lakebase.models import InferenceLog
from services.model_serving import InvocationResult

_SHOWN_SIGNS = 4_000


def register(app: Dash, services: Services) -> None:
    """Add the callbacks."""
    _register_list(app, services)
    _register_use(app, services)
    _register_again(app, services)


def _register_list(app: Dash, services: Services) -> None:
    @callback(
        app,
        Output(ids.HISTORY, "children"),
        Output(ids.HISTORY_PLACE, "data"),
        Input(ids.CHOSEN, "data"),
        Input(ids.ANSWERED, "data"),
        Input(ids.HISTORY_STATUS, "value"),
        Input(ids.HISTORY_ENDPOINT, "value"),
        Input(ids.HISTORY_REFRESH, "n_clicks"),
        Input(ids.HISTORY_OLDER, "n_clicks", allow_optional=True),
        Input(ids.HISTORY_NEWER, "n_clicks", allow_optional=True),
        State(ids.HISTORY_PLACE, "data"),
    )
    def load(
        name: str | None,
        _: Any,
        status: str | None,
        which: str | None,
        __: Any,
        older: int | None,
        newer: int | None,
        place: int | None,
    ) -> Any:
        """List the person's own calls, one page; runs as the app on Lakebase, for the person."""
        if name is None:
            return no_update, no_update
        step = {ids.HISTORY_OLDER: older, ids.HISTORY_NEWER: newer}
        by = ids.HISTORY_SIZE if ctx.triggered_id == ids.HISTORY_OLDER else -ids.HISTORY_SIZE
        moved = step.get(str(ctx.triggered_id)) is not None
        offset = max(0, (place or 0) + by) if moved else 0
        try:
            page = services.lakebase.list_inference_logs(
                current_user(),
                limit=ids.HISTORY_SIZE,
                offset=offset,
                endpoint_name=None if which == "ALL" else name,
                status=None if status in (None, "ALL") else status,
            )
        except LakefrontError as error:
            note = error_note(error, "The history is not shown.", "Predictions work without it.", tone="warn")
            return html.Div(note, className="body"), 0
        if not page.items and status not in (None, "ALL"):
            return html.P("No call with this result.", className="dim lf-list-none"), 0
        table = history_table(page.items, ids.AGAIN, ids.USE, named=which == "ALL", here=name)
        return [table, _pager(offset, len(page.items), page.total)], offset


def _register_use(app: Dash, services: Services) -> None:
    @callback(
        app,
        Output(ids.JSON_TEXT, "value", allow_duplicate=True),
        Output(ids.VIEW, "value"),
        Input({"type": ids.USE, "id": ALL}, "n_clicks"),
        prevent_initial_call=True,
    )
    def use(clicks: list[Any]) -> tuple[Any, Any]:
        """Take the input of an earlier call into the JSON view, ready to be changed and sent."""
        if not any(clicks) or not isinstance(ctx.triggered_id, dict):
            return no_update, no_update
        log = services.lakebase.get_inference_log(current_user(), UUID(ctx.triggered_id["id"]))
        return pretty(log.inputs or "{}"), "json"


def _register_again(app: Dash, services: Services) -> None:
    @callback(
        app,
        Output(ids.AGAIN_PLACE, "children"),
        Output(ids.AGAIN_LOG, "data"),
        Input({"type": ids.AGAIN, "id": ALL}, "n_clicks"),
        Input(ids.AGAIN_KEEP, "n_clicks", allow_optional=True),
        prevent_initial_call=True,
    )
    def look(clicks: list[Any], keep: Any) -> tuple[Any, Any]:
        """Show the input of an earlier call before it is run again; reads as the app, for the person."""
        if ctx.triggered_id == ids.AGAIN_KEEP:
            return ([], None) if keep else (no_update, no_update)
        if not any(clicks) or not isinstance(ctx.triggered_id, dict):
            return no_update, no_update
        try:
            log = services.lakebase.get_inference_log(current_user(), UUID(ctx.triggered_id["id"]))
        except LakefrontError as error:
            return _dialog("Run again", error_note(error, "Not run."), None), None
        return _question(log), str(log.inference_id)

    @callback(
        app,
        Output(ids.AGAIN_PLACE, "children", allow_duplicate=True),
        Output(ids.ANSWERED, "data", allow_duplicate=True),
        Input(ids.AGAIN_DO, "n_clicks", allow_optional=True),
        State(ids.AGAIN_LOG, "data"),
        State(ids.LIMIT, "value", allow_optional=True),
        running=[(Output(ids.AGAIN_DO, "disabled"), True, False)],
        prevent_initial_call=True,
    )
    def again(clicks: Any, identifier: str | None, limit: str | None) -> tuple[Any, Any]:
        """Invoke the endpoint with the same input; runs as the person."""
        if not clicks or not identifier:
            return no_update, no_update
        try:
            user = current_user()
            log = services.lakebase.get_inference_log(user, UUID(identifier))
            invocation = invocation_of(body_of(log), limit)
            result = services.model_serving.invoke(user, log.endpoint_name, invocation)
        except LakefrontError as error:
            remember(error, "Run a call again")
            return _dialog("Run again", error_note(error, "No answer."), None), time.time()
        return _dialog("The new answer", _answer(log, result), None), time.time()


def body_of(log: InferenceLog) -> dict[str, Any]:
    """Return the request of an earlier call; a streamed one is asked for in one piece."""
    body = json.loads(log.inputs or "{}")
    for name in ("stream", "stream_options"):
        body.pop(name, None)
    return dict(body)


def _question(log: InferenceLog) -> Component:
    body = pretty(json.dumps(body_of(log), ensure_ascii=False))
    cut = len(body) > _SHOWN_SIGNS
    words = [
        html.P(["This input goes to ", mono(log.endpoint_name), " again. It was sent at ", exact(log.created_at), "."]),
        html.Pre(
            body[:_SHOWN_SIGNS],
            className="lf-sql lf-again-input",
            role="region",
            tabIndex="0",
            **{"aria-label": "Input"},
        ),
        *(
            [html.P(f"The first {number(_SHOWN_SIGNS)} of {number(len(body))} signs.", className="small faint")]
            if cut
            else []
        ),
    ]
    return _dialog("Run this call again?", words, button("Run again", ids.AGAIN_DO, "primary"))


def _answer(log: InferenceLog, result: InvocationResult) -> list[Component]:
    shown = result.predictions if result.response is None else result.response
    before = f"Asked at {log.created_at.astimezone(UTC):%H:%M:%S} UTC, it took {elapsed(log.execution_time_ms)}."
    kept = "written to your history" if result.logged else f"not written to your history: {result.log_error}"
    facts = [version_of(result.model_name, result.model_version), kept]
    return [
        answer(shown, None),
        html.P(before, className="small dim"),
        waterline(Identity.of_user(result.runs_as), result.execution_time_ms, facts),
    ]


def _dialog(title: str, body: Any, action: Component | None) -> Component:
    keep = button("Do not run" if action is not None else "Close", ids.AGAIN_KEEP)
    return dialog(ids.AGAIN_DIALOG, title, body, [keep, *([action] if action is not None else [])])


def _pager(offset: int, shown: int, total: int) -> Component:
    words = f"{number(offset + 1)}\u2013{number(offset + shown)} of {number(total)} calls" if shown else "no call here"
    return html.Div(
        [
            html.Span(words, className="small faint"),
            button("Newer", ids.HISTORY_NEWER, "ghost", "chevron-left", "push", small=True, disabled=offset == 0),
            button("Older", ids.HISTORY_OLDER, "ghost", None, small=True, disabled=offset + shown >= total),
        ],
        className="row-flex lf-table-more",
        hidden=total <= shown,
    )
