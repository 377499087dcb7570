"""Status: the state, identity and remedy of each service; pools; the errors this person met.

What needs attention comes first, opened, with its remedy. Each row asks for itself and fills in when it is answered;
every 30 s all ask again, without moving the focus or the scroll.
"""

import time
from collections.abc import Mapping
from typing import Any

from dash import ALL, MATCH, Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component

from dashboard.api.status import user_or_problem
from dashboard.callbacks import callback
from dashboard.components.controls import button, copy_box, copy_button, facts, icon_button, meter, panel, scroller
from dashboard.components.feedback import countdown, counting_since
from dashboard.components.services import LABELS, WORDS, identity_of, sentence
from dashboard.components.signs import Identity, hidden, icon, identity_sign, mono
from dashboard.components.words import elapsed, number
from dashboard.recent_errors import recent_errors
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

SECONDS = 30
KEPT_TIMES = 13
NAMES: tuple[ServiceName, ...] = tuple(LABELS)


def layout() -> Component:
    """Return the page before anything answered: every row is there and counts its seconds."""
    now = time.time()
    return html.Div(
        [
            dcc.Interval(id=EVERY, interval=SECONDS * 1000),
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
            html.Div(id=POOLS, className="lf-cols lf-three fill below"),
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
        data = {"status": found.status, "at": time.time(), "times": times}
        return _row(name, found, times), "lf-svc-item attention" if attention else "lf-svc-item", data

    @callback(
        app,
        Output(SENTENCE, "children"),
        Output(CHECKED, "children"),
        Input({"type": FOUND, "name": ALL}, "data"),
        State({"type": FOUND, "name": ALL}, "id"),
        prevent_initial_call=True,
    )
    def conclude(found: list[dict[str, Any] | None], ids: list[dict[str, str]]) -> tuple[str, Any]:
        """Say the state of all in one sentence, once every service has answered; runs as nobody."""
        answered = {which["name"]: one["status"] for which, one in zip(ids, found, strict=True) if one}
        if len(answered) < len(NAMES):
            return f"{len(answered)} of five services have answered.", ""
        latest = max(one["at"] for one in found if one)
        again = ["Checked ", counting_since(latest), ", again in ", countdown(SECONDS)]
        return sentence({name: answered[name] for name in NAMES}), again

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
            [
                _pool("Lakebase pool", services.settings.lakebase_name, services.lakebase.pool_statistics()),
                _pool("Warehouse sessions", "of this process", services.unity_catalog.pool_statistics()),
                _identities(services),
            ],
            _errors(user.user_id if user else ""),
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
                html.Span(["checking, ", counting_since(now, "elapsed")], className="dim"),
                html.Span(),
                html.Span(),
                html.Span(),
            ],
            className="lf-svc",
        ),
        id={"type": ROW, "name": name},
        className="lf-svc-item",
    )


def _row(name: ServiceName, found: ServiceStatus, times: list[float | None]) -> list[Component]:
    word, tone, sign = WORDS[found.status]
    took = "no answer" if found.latency_ms is None else elapsed(found.latency_ms)
    line = html.Div(
        [
            icon(sign, f"is-{tone}"),
            html.H2(LABELS[name]),
            html.Span(word, className=f"is-{tone} lf-svc-word"),
            html.Span(found.detail, className="dim"),
            identity_sign(identity_of(name, found)),
            html.Span(
                [html.Span([hidden("took "), took], className="nowrap ms"), _spark(times)],
                className="row-flex small lf-svc-time",
            ),
        ],
        className="lf-svc",
    )
    if not found.remedy:
        return [line]
    advice = (
        "Whoever owns it can run this:" if found.remedy.lstrip().upper().startswith("GRANT") else "What to do about it:"
    )
    remedy = html.Div(
        [html.P(advice, className="dim"), copy_box(found.remedy, f"the remedy for {LABELS[name]}")],
        className="lf-svc-more stack",
    )
    return [line, remedy]


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


def _pool(title: str, tag: str, numbers: Mapping[str, float]) -> Component:
    """Return the figures of a pool, by the names that /metrics has for them."""
    size, free = numbers.get("pool_size"), numbers.get("pool_available")
    used: list[Component] = []
    if size is not None and free is not None:
        most = max(numbers.get("pool_max", size), 1)
        busy = size - free
        used = [
            html.Div(
                [
                    html.Div(
                        [
                            html.Span([html.B(number(busy)), html.Span(" in use", className="dim")]),
                            html.Span(f"{number(free)} idle, {number(most)} at most", className="push dim"),
                        ],
                        className="row-flex small lf-meter-words",
                    ),
                    meter(100 * busy / most),
                ]
            )
        ]
    shown = [(_FIGURES[name], number(value)) for name, value in numbers.items() if name in _FIGURES]
    figures = html.Dl([html.Div([html.Dt(name), html.Dd(value)]) for name, value in shown[:8]], className="lf-figs")
    empty = html.P("Nothing was opened yet.", className="small dim")
    return panel(
        title,
        html.Div([*used, figures if shown else empty], className="body stack lf-pool"),
        id=title.lower().replace(" ", "-"),
        aside=[html.Span(tag, className="lf-tag push cut")],
    )


_FIGURES = {
    "requests_waiting": "Waiting",
    "connections_num": "Opened so far",
    "requests_num": "Requests",
    "connect_failures": "Failed",
    "idle": "Idle",
    "in_use": "In use",
    "people": "People",
}
"""The figures worth showing, by the name that the pools and /metrics have for them."""


def _identities(services: Services) -> Component:
    settings = services.settings
    pairs = [
        ("Table of the explorer", mono(settings.default_table)),
        ("Warehouse", mono(settings.databricks_warehouse_id)),
        ("Lakebase", mono(settings.lakebase_name)),
        ("The app", [identity_sign(Identity("app", settings.databricks_app_name))]),
    ]
    return panel(
        "Configured",
        html.Div(facts(pairs), className="body"),
        id="configured",
        aside=[html.Span("what this process asks", className="small faint push")],
    )


def _errors(user_id: str) -> Component:
    entries = recent_errors.of(user_id)
    rows = [
        html.Tr(
            [
                html.Td(f"{entry.at:%H:%M:%S}", className="nowrap", title=f"{entry.at:%Y-%m-%d %H:%M:%S} UTC"),
                html.Td(entry.error_code, className="mono small"),
                html.Td(entry.what, className="dim wide"),
                html.Td(str(entry.status)),
                html.Td(
                    [
                        html.Span(entry.request_id, className="mono small"),
                        " ",
                        icon_button(
                            f"Copy the request id {entry.request_id}",
                            "copy",
                            None,
                            small=True,
                            **{"data-copy": entry.request_id},
                        ),
                    ],
                    className="nowrap",
                ),
            ]
        )
        for entry in entries
    ]
    heads = html.Tr([html.Th(word) for word in ("Time, UTC", "Error", "What you did", "Status", "Request id")])
    body = (
        scroller(
            html.Table([html.Thead(heads), html.Tbody(rows)], className="lf-table dense"), "Table of your recent errors"
        )
        if rows
        else html.P("None since this process started.", className="body dim")
    )
    text = "\n".join(f"{one.at:%H:%M:%S} {one.error_code} {one.what} {one.status} {one.request_id}" for one in entries)
    aside = [html.Span("of this process, only yours", className="small faint hide-phone")]
    if rows:
        aside.append(copy_button("Copy all", "errors", "push", text=text, look="ghost"))
    return panel("Your recent errors", body, id="recent-errors", aside=aside)
