"""What the process knows of itself: its pools and how long calls take, its warm-up, and the person's own errors.

The figures are those of /metrics: the same pool statistics, the same histogram.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from dash import html
from dash.development.base_component import Component

from dashboard.components.controls import copy_button, facts, icon_button, meter, panel, scroller, skeleton
from dashboard.components.services import WORDS
from dashboard.components.signs import state
from dashboard.components.words import elapsed, number
from dashboard.recent_errors import recent_errors
from services import latencies
from services.container import Services
from services.warm_up import Warming

_WARMED = {
    "sql_warehouse": ("Warehouse", "Running after"),
    "lakebase": ("Lakebase", "First login after"),
    "unity_catalog": ("Catalog", "First answer after"),
    "model_serving": ("Endpoints", "Listed after"),
}


def waiting() -> list[Component]:
    """Return the three cards before anything is known, as high as those that replace them."""
    return [
        _pool(
            "Lakebase pool", "", None, (("Waiting", None), ("Median", None), ("Tokens made", None), ("Failed", None))
        ),
        _pool(
            "Warehouse sessions",
            "",
            None,
            (("Statements", None), ("Median", None), ("95 of 100", None), ("Cancelled", None)),
        ),
        _warm_up(None, {}),
    ]


def cards(services: Services) -> list[Component]:
    """Return the three cards. No outside call."""
    return [_lakebase(services), _warehouse(services), _warm_up(*services.status.warm_up())]


def _lakebase(services: Services) -> Component:
    pool = services.lakebase.pool_statistics()
    size, free = pool.get("pool_size", 0), pool.get("pool_available", 0)
    minted = latencies.of_operations("lakebase.mint")
    asked = latencies.of_operations("lakebase.", without=("lakebase.mint",))
    figures = (
        ("Waiting", number(pool.get("requests_waiting", 0))),
        ("Median", _time(asked.median_ms)),
        ("Tokens made", number(minted.count - minted.failed)),
        ("Failed", number(pool.get("connect_failures", 0))),
    )
    most = pool.get("pool_max", services.settings.lakebase_pool_size)
    return _pool("Lakebase pool", services.settings.lakebase_name, (size - free, free, most), figures)


def _warehouse(services: Services) -> Component:
    pool = services.unity_catalog.pool_statistics()
    ran = latencies.of_operations("warehouse.")
    figures = (
        ("Statements", number(ran.count)),
        ("Median", _time(ran.median_ms)),
        ("95 of 100", _time(ran.p95_ms)),
        ("Cancelled", number(ran.cancelled)),
    )
    people = number(pool.get("people", 0))
    most = services.settings.warehouse_sessions
    used = (pool.get("in_use", 0), pool.get("idle", 0), most)
    return _pool("Warehouse sessions", f"{people} {'person' if people == '1' else 'people'}", used, figures)


def _pool(
    title: str, tag: str, used: tuple[int, int, int] | None, figures: Sequence[tuple[str, str | None]]
) -> Component:
    """Return a card: in use, idle and the most there may be, then figures; None stands for "not known yet"."""
    busy, idle, most = used or (0, 0, 1)
    words = [html.B(number(busy)), html.Span(" in use", className="dim")]
    line = html.Div(
        [
            html.Span(words if used else skeleton(100), className="lf-skel-words"),
            html.Span(f"{number(idle)} idle, {number(most)} at most" if used else "", className="push dim"),
        ],
        className="row-flex small lf-meter-words",
    )
    shown = html.Dl(
        [html.Div([html.Dt(name), html.Dd(value if value is not None else "\u2013")]) for name, value in figures],
        className="lf-figs",
    )
    return panel(
        title,
        html.Div([html.Div([line, meter(100 * busy / max(most, 1))]), shown], className="body stack lf-pool"),
        id=title.lower().replace(" ", "-"),
        aside=[html.Span(tag or "\u00a0", className="lf-tag push cut")],
    )


def _warm_up(since: float | None, found: Mapping[str, Warming]) -> Component:
    pairs = [(label, _warmed(found.get(name), words)) for name, (label, words) in _WARMED.items()]
    began = f"since {datetime.fromtimestamp(since, UTC):%H:%M} UTC, start of the app" if since else ""
    return panel(
        "Warm-up",
        html.Div(facts(pairs, "lf-warm"), className="body"),
        id="warm-up",
        aside=[html.Span(began, className="small faint push")],
    )


def _warmed(warming: Warming | None, words: str) -> Any:
    if warming is None:
        return html.Span("not asked yet", className="faint")
    if warming.word == "ok" and warming.after_seconds is not None:
        return state(f"{words} {elapsed(warming.after_seconds * 1000)}")
    word, tone, sign = next(shown for name, shown in WORDS.items() if name == warming.word)
    return html.Span(state(word, tone, sign), title=warming.detail)


def _time(milliseconds: float | None) -> str:
    return "\u2013" if milliseconds is None else elapsed(milliseconds)


def errors(user_id: str) -> Component:
    """Return the panel of a person's own recent errors, newest first. No outside call."""
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
