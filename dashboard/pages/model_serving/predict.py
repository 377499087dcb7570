"""The callback that asks a model, and what is shown while an endpoint that slept wakes up for it."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from typing import Any

from dash import ALL, Dash, Input, Output, State, ctx, html, no_update, set_props
from dash.development.base_component import Component

from dashboard.callbacks import callback
from dashboard.components.controls import BUSY, IDLE
from dashboard.components.talk import waking, written_live
from dashboard.identity import current_user
from dashboard.pages.model_serving import ids
from dashboard.pages.model_serving.answers import answered, earlier_answers, failed, strip_failed, strip_live, strip_of
from dashboard.pages.model_serving.requests import invocation_of, request_of, shaped
from dashboard.recent_errors import remember
from dashboard.tour import mark
from services.container import Services
from services.errors import InvalidInput, InvalidRequest, LakefrontError
from services.model_serving import Endpoint

_QUICK_SECONDS = 0.6


def register(app: Dash, services: Services) -> None:
    """Add the callbacks."""
    _register_predict(app, services)
    _register_waking(app, services)


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
            (Output(ids.WAKE_TICK, "disabled"), False, True),
            (Output(ids.WAKING, "className"), "lf-waking", "lf-waking over"),
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
            schema = shaped(services.model_serving.endpoint_schema(user, name))
            body = request_of(schema, controls, values, text, view)
            invocation = invocation_of(body, seconds)
            if schema.kind == "completions" and body.get("stream") is not False:
                mark(services, "model")
                known = services.model_serving.known_endpoint(user, name)
                return (
                    written_live(name, body, invocation.timeout_seconds),
                    strip_live(user, known),
                    no_update,
                    str(seconds),
                )
            result = services.model_serving.invoke(user, name, invocation)
        except LakefrontError as error:
            remember(error, f"Predict with {name}")
            _say_at_field(error, controls if view == "form" else [])
            took = (time.perf_counter() - started) * 1000
            return failed(error), strip_failed(error, took), time.time(), str(seconds)
        mark(services, "model")
        earlier = earlier_answers(services, user, name)
        return answered(result, schema, body, asked, earlier), strip_of(result), time.time(), str(seconds)


def _register_waking(app: Dash, services: Services) -> None:
    @callback(
        app,
        Output(ids.WAKING, "children"),
        Input(ids.PREDICT, "n_clicks", allow_optional=True),
        Input(ids.LONGER, "n_clicks", allow_optional=True),
        Input(ids.WAKE_TICK, "n_intervals", allow_optional=True),
        State(ids.WAKING, "children", allow_optional=True),
        State(ids.CHOSEN, "data"),
        prevent_initial_call=True,
    )
    def wake(_: Any, __: Any, ticks: int | None, shown: Any, name: str | None) -> Any:
        """While a call takes longer than usual, look whether the endpoint sleeps, and show how it wakes up."""
        if ctx.triggered_id != ids.WAKE_TICK or not ticks or name is None:
            return []
        try:
            endpoint = services.model_serving.get_endpoint(current_user(), name)
        except LakefrontError:
            return no_update  # the call itself says what is wrong
        if not endpoint.asleep and not shown:
            return []
        return waking_up(endpoint, _since(shown))


def waking_up(endpoint: Endpoint, since: float) -> Component:
    """Return the steps of an endpoint that wakes up; `since` is when the call was sent, Unix seconds."""
    shown = waking(endpoint, since, awake=not endpoint.asleep)
    return html.Div(shown, className="lf-answered", **{"data-since": f"{since:.3f}"})


def fields_named(message: str, names: list[str]) -> list[str]:
    """Return the fields that a model's message names, as whole words."""
    return [name for name in names if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", message)]


def _say_at_field(error: LakefrontError, controls: list[dict[str, str]]) -> None:
    """Say a refusal at the field that it names, in the model's own words; the note beside stays."""
    if isinstance(error, InvalidRequest):
        return  # the check of the form says it at the field already
    if not isinstance(error, InvalidInput):
        return
    for name in fields_named(error.message, [one["name"] for one in controls]):
        set_props({"type": ids.FIELD, "name": name}, {"invalid": True})
        note = {"children": error.message, "className": "invalid-feedback d-block"}
        set_props({"type": ids.FIELD_NOTE, "name": name}, note)


def _since(shown: Any) -> float:
    """When the call was sent: kept in what is shown, else a tick ago."""
    try:
        return float(shown["props"]["data-since"])
    except (KeyError, TypeError, ValueError):
        return time.time() - _QUICK_SECONDS
