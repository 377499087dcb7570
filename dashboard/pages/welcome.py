"""Welcome: the sentence, the integrations with their live state, who is asking, and the tour."""

import time
from typing import Any

from dash import ALL, MATCH, Dash, Input, Output, dcc, html
from dash.development.base_component import Component

from dashboard.api.status import user_or_problem
from dashboard.callbacks import callback
from dashboard.components.controls import panel, scroller, steps
from dashboard.components.feedback import counting_since
from dashboard.components.services import WEIGHT, WORDS, needs_grant
from dashboard.components.signs import IDENTITY_ICONS, Kind, hidden, icon, mono, state
from dashboard.identity import current_user
from dashboard.tour import STEPS, Step, done
from services.container import Services
from services.errors import LakefrontError
from services.settings import Settings
from services.status import ServiceName

OPEN = "welcome-open"
CHECKED = "welcome-checked"
STATE = "welcome-state"
FOUND = "welcome-found"
YOU = "welcome-you"
APP = "welcome-app"
TOUR = "welcome-tour"
TOUR_COUNT = "welcome-tour-count"
ARRIVED = "welcome-arrived"

# page, icon, name, what it shows, who runs it, words for that, the guide and the code of it
INTEGRATIONS: tuple[tuple[str, str, str, str, Kind, str], ...] = (
    (
        "unity_catalog",
        "table",
        "Unity Catalog",
        "A governed table, paged, filtered and charted on the warehouse",
        "user",
        "you",
    ),
    (
        "lakebase",
        "database",
        "Lakebase",
        "Your records in Postgres: create, edit, undo, audit trail",
        "token",
        "the app, for you",
    ),
    (
        "model_serving",
        "cpu",
        "Model Serving",
        "A form from the model\u2019s own schema, a chat, a history",
        "user",
        "you",
    ),
    ("status", "activity", "Status", "State, identity and remedy for each service; your errors", "app", "the app"),
)
RESTS_ON: dict[str, tuple[ServiceName, ...]] = {
    "unity_catalog": ("unity_catalog", "sql_warehouse"),
    "lakebase": ("lakebase",),
    "model_serving": ("model_serving",),
    "status": ("authentication",),
}
_GUIDES = {"status": "/guides/observability"}  # guides that are not called as the page
PATHS = {name: f"/{name.replace('_', '-')}" for name, *_ in INTEGRATIONS}


def layout() -> Component:
    """Return the page as it is before anything answered."""
    return html.Div(
        [
            dcc.Store(id=ARRIVED, data=True),
            *[dcc.Store(id={"type": FOUND, "name": name}) for name, *_ in INTEGRATIONS],
            _hero(),
            panel(
                "Integrations",
                scroller(_integrations(), "Table of the integrations"),
                id="integrations",
                aside=[html.Span("checking", id=CHECKED, className="small faint push")],
                classes="below",
            ),
            html.Div([_who(), _tour()], className="lf-cols lf-welcome2 fill below"),
        ],
        className="lf-page",
    )


def register(app: Dash, services: Services) -> None:
    """Add the callbacks."""

    @callback(
        app,
        Output({"type": STATE, "name": MATCH}, "children"),
        Output({"type": FOUND, "name": MATCH}, "data"),
        Input({"type": FOUND, "name": MATCH}, "id"),
    )
    def check(which: dict[str, str]) -> tuple[Component, float]:
        """Check what one page rests on; runs as the app. A service that fails changes its row and nothing else."""
        found = [services.status.check(name, *user_or_problem()) for name in RESTS_ON[which["name"]]]
        worst = max(found, key=lambda one: WEIGHT[one.status])
        word, tone, sign = WORDS[worst.status]
        lacks = worst.status == "degraded" and needs_grant(worst.remedy)
        return state("Needs a grant" if lacks else word, tone, sign), time.time()

    @callback(app, Output(CHECKED, "children"), Input({"type": FOUND, "name": ALL}, "data"))
    def say_when(found: list[float | None]) -> list[Any]:
        """Say how old the states are; runs as nobody."""
        answered = [moment for moment in found if moment]
        if len(answered) < len(found):
            return [f"checking, {len(answered)} of {len(found)} answered"]
        return ["checked ", counting_since(min(answered))]

    settings = services.settings

    @callback(app, Output(YOU, "children"), Output(APP, "children"), Output(OPEN, "children"), Input(ARRIVED, "data"))
    def name_people(_: Any) -> tuple[str, str, str]:
        """Name the person, the app and the first table; runs as the user."""
        user, _problem = user_or_problem()
        you = f"You, {user.user_name}" if user else "You, not signed in"
        return you, f"The app, {settings.databricks_app_name}", f"Open {settings.default_table}"

    @callback(app, Output(TOUR, "children"), Output(TOUR_COUNT, "children"), Input(ARRIVED, "data"))
    def show_tour(_: Any) -> tuple[Component, str]:
        """Show what the person has done; runs as the app on Lakebase, for the person."""
        try:
            finished = done(services, current_user())
        except LakefrontError:
            return _tour_steps(set(), settings), "not remembered now"
        return _tour_steps(finished, settings), f"{len(finished)} of {len(STEPS)} done"


def _hero() -> Component:
    return html.Section(
        [
            html.Span(className="lf-depth", **{"aria-hidden": "true"}),
            html.H1(
                [
                    "Everything an app does on Databricks,",
                    html.Br(className="hide-phone"),
                    " shown and not only claimed",
                ]
            ),
            html.P(
                "Each page says which service answered, as whom it ran, which statement it sent and how long that "
                "took. Read the code beside it, then point it at your own workspace.",
                className="lead",
            ),
            html.Div(
                [
                    html.A(html.Span("Open a table", id=OPEN), href="/unity-catalog", className="btn btn-primary"),
                    html.A([icon("signpost-split"), "Five-minute tour"], href="#tour", className="btn"),
                ],
                className="row-flex wrap lf-hero-actions",
            ),
        ],
        className="lf-hero",
        **{"aria-label": "What this is"},
    )


def _integrations() -> Component:
    head = html.Tr(
        [
            html.Th("Page"),
            html.Th("What it shows", className="hide-phone"),
            html.Th("Runs as", className="hide-phone"),
            html.Th("State"),
            html.Th("Read", className="hide-phone"),
        ]
    )
    rows = []
    for name, sign, label, shows, kind, runs_as in INTEGRATIONS:
        rows.append(
            html.Tr(
                [
                    html.Td(
                        html.A([icon(sign), label], href=PATHS[name], className="lf-page-link"), className="nowrap"
                    ),
                    html.Td(shows, className="dim hide-phone wide"),
                    html.Td([icon(IDENTITY_ICONS[kind], "faint"), " ", runs_as], className="nowrap small hide-phone"),
                    html.Td(
                        state("Checking", "", "hourglass-split"), id={"type": STATE, "name": name}, className="nowrap"
                    ),
                    html.Td(
                        [
                            html.A(["Guide", hidden(f" of {label}")], href=_GUIDES.get(name, f"/guides{PATHS[name]}")),
                            " \u00b7 ",
                            html.A(["API", hidden(f" of {label}")], href=f"/docs#/{name}"),
                        ],
                        className="nowrap small hide-phone",
                    ),
                ]
            )
        )
    return html.Table([html.Thead(head), html.Tbody(rows)], className="lf-table")


def _who() -> Component:
    lines: tuple[tuple[str, Kind, Any, str, str], ...] = (
        ("p1", "user", html.Span("You", id=YOU), "your own token", "Tables, filters and masks; model calls"),
        ("p2", "app", html.Span("The app", id=APP), "client credentials", "Health checks and warm-up only"),
        ("p3", "token", "The app, for you", "a token for each login", "Your records in Lakebase"),
    )
    rows = [
        html.Li(
            [
                html.Span([icon(IDENTITY_ICONS[kind]), name], className="f"),
                html.Span(html.Span(token), className="w"),
                html.Span(what, className="t"),
            ],
            className=place,
        )
        for place, kind, name, token, what in lines
    ]
    return panel(
        "Who is asking",
        html.Div(
            [
                html.Ul(rows, className="lf-paths"),
                html.P(
                    "There is no way from one line to another. Without your token a page says so, and nothing is read "
                    "in your name.",
                    className="small dim",
                ),
            ],
            className="body",
        ),
        id="who",
        aside=[html.A("Authentication, explained", href="/guides/authentication", className="small push")],
    )


def _tour_steps(finished: set[str], settings: Settings | None = None) -> Component:
    """Return the five steps; the first one that is open is marked and links to its page."""
    open_now = next((step for step in STEPS if step not in finished), None)
    table = mono(settings.default_table) if settings else "a table"
    switch = (settings.account_switch_url if settings else None) or ""
    words: dict[Step, tuple[str, Any, str]] = {
        "table": ("/unity-catalog", ["Open ", table], ""),
        "filter": ("/unity-catalog", "Filter", ", then show the SQL"),
        "preference": ("/lakebase", "Save a preference", ", delete it and undo that"),
        "model": ("/model-serving", "Ask a model", " for a prediction"),
        "manager": (switch, "Sign in as a manager", ": other rows, no masks"),
    }
    items: list[tuple[str, Any]] = []
    for step in STEPS:
        href, what, rest = words[step]
        how = "done" if step in finished else "now" if step == open_now else "next"
        items.append((how, [html.A(what, href=href) if href and how == "now" else html.Span(what), rest]))
    return steps(items)


def _tour() -> Component:
    return panel(
        "Tour",
        html.Div(_tour_steps(set()), id=TOUR, className="body tight"),
        id="tour",
        aside=[html.Span("", id=TOUR_COUNT, className="small faint push")],
    )
