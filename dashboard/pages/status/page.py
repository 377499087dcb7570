"""Status: the state, identity and remedy of each service; pools; the errors this person met.

What needs attention comes first, opened, with its remedy. Each row asks for itself and fills in when it is answered;
every 30 s all ask again, without moving the focus or the scroll.
"""

import re
import time
from collections.abc import Sequence
from typing import Any

from dash import ALL, MATCH, ClientsideFunction, Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component

from dashboard.api.status import user_or_problem
from dashboard.callbacks import callback
from dashboard.components.controls import button, copy_box
from dashboard.components.feedback import countdown, counting_since
from dashboard.components.services import LABELS, WORDS, identity_of, needs_grant, sentence
from dashboard.components.signs import hidden, icon, identity_sign
from dashboard.components.words import elapsed
from dashboard.pages.status import cards
from services.container import Services
from services.status import ServiceName, ServiceStatus

SENTENCE = "status-sentence"
CHECKED = "status-checked"
CHECK_NOW = "status-check-now"
EVERY = "status-every"
ROW = "status-row"
FOUND = "status-found"
POOLS = "status-pools"
ERRORS = "status-errors"
SHOWN = "status-shown"  # output of the browser's own steps; holds nothing

SECONDS = 30
KEPT_TIMES = 13
NAMES: tuple[ServiceName, ...] = tuple(LABELS)


def layout() -> Component:
    """Return the page before anything answered: every row is there and counts its seconds."""
    now = time.time()
    return html.Div(
        [
            dcc.Interval(id=EVERY, interval=SECONDS * 1000),
            dcc.Store(id=SHOWN),
            html.Div(
                [
                    html.Div([html.H1("Status"), html.P("Checking five services.", id=SENTENCE, role="status")]),
                    html.Span(
                        [
                            html.Span(id=CHECKED, className="hide-phone"),
                            button("Check now", CHECK_NOW, "", "arrow-clockwise", small=True),
                        ],
                        className="push row-flex small dim lf-checked",
                    ),
                ],
                className="lf-head",
            ),
            html.Section(
                [
                    _head(),
                    html.Div([_waiting(name, now) for name in NAMES], className="lf-svc-list"),
                    *[dcc.Store(id={"type": FOUND, "name": name}) for name in NAMES],
                ],
                className="lf-panel first",
                **{"aria-label": "Services"},
            ),
            html.Div(cards.waiting(), id=POOLS, className="lf-cols lf-three fill below"),
            html.Div(id=ERRORS, className="below"),
        ],
        className="lf-page",
    )


def register(app: Dash, services: Services) -> None:
    """Add the callbacks."""

    @callback(
        app,
        Output({"type": ROW, "name": MATCH}, "children"),
        Output({"type": ROW, "name": MATCH}, "className"),
        Output({"type": FOUND, "name": MATCH}, "data"),
        Input(EVERY, "n_intervals"),
        Input(CHECK_NOW, "n_clicks"),
        State({"type": FOUND, "name": MATCH}, "data"),
        State({"type": FOUND, "name": MATCH}, "id"),
    )
    def check(_: Any, __: Any, before: dict[str, Any] | None, which: dict[str, str]) -> tuple[Any, str, dict[str, Any]]:
        """Check one service; runs as the app, except authentication, which looks at the user's token."""
        name = next(one for one in NAMES if one == which["name"])
        user, problem = user_or_problem()
        found = services.status.check(name, user, problem)
        times = [*(before or {}).get("times", []), found.latency_ms][-KEPT_TIMES:]
        attention = found.status in ("degraded", "unavailable")
        data = {
            "status": found.status,
            "at": time.time(),
            "times": times,
            "grant": found.status == "degraded" and needs_grant(found.remedy),
        }
        return (
            _row(name, found, times, services.settings.databricks_app_name),
            "lf-svc-item attention" if attention else "lf-svc-item",
            data,
        )

    @callback(
        app,
        Output(SENTENCE, "children"),
        Output(CHECKED, "children"),
        Input({"type": FOUND, "name": ALL}, "data"),
        State({"type": FOUND, "name": ALL}, "id"),
        prevent_initial_call=True,
    )
    def conclude(found: list[dict[str, Any] | None], ids: list[dict[str, str]]) -> tuple[Any, Any]:
        """Say the state of all in one sentence, once every service has answered; runs as nobody."""
        answered = {which["name"]: one["status"] for which, one in zip(ids, found, strict=True) if one}
        if len(answered) < len(NAMES):
            return f"{len(answered)} of five services have answered.", ""
        latest = max(one["at"] for one in found if one)
        again = ["Checked ", counting_since(latest), ", again in ", countdown(SECONDS)]
        grants = {which["name"] for which, one in zip(ids, found, strict=True) if one and one.get("grant")}
        said = sentence({name: answered[name] for name in NAMES}, grants)
        return _marked(said, [LABELS[name] for name in NAMES if answered[name] != "ok"]), again

    app.clientside_callback(
        ClientsideFunction("status", "checking"),
        Output(SHOWN, "data"),
        Input(EVERY, "n_intervals"),
        Input(CHECK_NOW, "n_clicks"),
    )
    # One callback for each row: a callback over all rows would wait for the slowest of them.
    app.clientside_callback(
        ClientsideFunction("status", "checked"),
        Output({"type": FOUND, "name": MATCH}, "id"),
        Input({"type": FOUND, "name": MATCH}, "data"),
        State({"type": FOUND, "name": MATCH}, "id"),
    )

    @callback(
        app,
        Output(POOLS, "children"),
        Output(ERRORS, "children"),
        Input(EVERY, "n_intervals"),
        Input(CHECK_NOW, "n_clicks"),
    )
    def show_process(_: Any, __: Any) -> tuple[list[Component], Component]:
        """Show what this process knows of its pools, and the user's own errors; no outside call but the identity's."""
        user, _problem = user_or_problem()
        return (
            cards.cards(services),
            cards.errors(user.user_id if user else ""),
        )


def _head() -> Component:
    words = ("", "Service", "State", "What was found", "Runs as", "Time taken")
    return html.Div(
        [html.Span(word) for word in words], className="lf-svc lf-svc-head only-wide", **{"aria-hidden": "true"}
    )


def _waiting(name: ServiceName, now: float) -> Component:
    return html.Div(
        html.Div(
            [
                icon("hourglass-split"),
                html.H2(LABELS[name]),
                html.Span(["checking, ", counting_since(now, "elapsed")], className="dim lf-svc-word"),
                html.Span("\u00a0", className="dim lf-svc-detail"),
                html.Span("\u00a0", className="small"),
                html.Span("\u00a0", className="small lf-svc-time"),
            ],
            className="lf-svc",
        ),
        id={"type": ROW, "name": name},
        className="lf-svc-item",
    )


def _row(name: ServiceName, found: ServiceStatus, times: list[float | None], app: str) -> list[Component]:
    word, tone, sign = WORDS[found.status]
    took = "no answer" if found.latency_ms is None else elapsed(found.latency_ms)
    line = html.Div(
        [
            icon(sign, f"is-{tone}"),
            html.H2(LABELS[name]),
            html.Span(word, className=f"is-{tone} lf-svc-word"),
            html.Span(found.detail, className="dim lf-svc-detail"),
            identity_sign(identity_of(name, found, app)),
            html.Span(
                [html.Span([hidden("took "), took], className="nowrap ms"), _spark(times)],
                className="row-flex small lf-svc-time",
            ),
        ],
        className="lf-svc",
    )
    if not found.remedy or found.status == "starting":
        return [line]
    remedy: list[Component] = [html.P(found.remedy, className="dim")]
    if needs_grant(found.remedy):
        statement = copy_box(found.remedy, f"the remedy for {LABELS[name]}")
        remedy = [html.P("Whoever owns it can run this:", className="dim"), statement]
    return [line, html.Div(remedy, className="lf-svc-more stack")]


def _spark(times: list[float | None]) -> Component:
    """Return the last times as a small line; decoration beside the figure, so it has no text of its own."""
    known = [one for one in times if one is not None]
    if len(known) < 2:
        return html.Span(className="spark hide-phone", style={"--picture": "none", "background": "none"})
    top = max(known) or 1
    step = 72 / (KEPT_TIMES - 1)
    points = " ".join(f"{place * step + 1:.1f},{18 - 15 * value / top:.1f}" for place, value in enumerate(known))
    drawing = (
        "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 74 20' fill='none' stroke='%23000'"
        f" stroke-width='1.5'%3E%3Cpolyline points='{points}'/%3E%3C/svg%3E"
    )
    return html.Span(className="spark hide-phone", style={"--picture": f'url("{drawing}")'}, **{"aria-hidden": "true"})


def _marked(text: str, names: Sequence[str]) -> list[Component | str]:
    """Return a sentence with the names in it set bold."""
    if not names:
        return [text]
    parts = re.split(f"({'|'.join(re.escape(name) for name in names)})", text)
    return [html.B(part) if part in names else part for part in parts if part]
