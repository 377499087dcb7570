"""Docs: the repository's guides, read where the app runs. ``library.py`` finds them, ``markdown.py`` draws one.

Shown to everybody who may open the app; no service is asked.
"""

from __future__ import annotations

from typing import Any

import dash_bootstrap_components as dbc
from dash import ClientsideFunction, Dash, Input, Output, html
from dash.development.base_component import Component
from flask import Flask, Response, abort, send_from_directory

from dashboard.pages.guides.library import IMAGES, PATH, Guide, guides
from dashboard.pages.guides.markdown import Drawn, Linker, draw
from services.container import Services

SELECT = "guides-select"
_HOUR = 3600


def layout(guide: Guide | None = None) -> Component:
    """The guide beside the list of all; without one, what each is about."""
    drawn = draw(guide.text, Linker(guides())) if guide is not None else _overview()
    here = guide.path if guide is not None else PATH
    return html.Div(
        [_list(here, drawn), _select(here), html.Article(drawn.body, className="lf-guide")],
        className="lf-page lf-guides",
    )


def register(app: Dash, _services: Services) -> None:
    """Add the choice of a guide on a narrow screen, and the route of the guides' pictures."""
    app.clientside_callback(
        ClientsideFunction("guides", "open"),
        Output("location", "pathname", allow_duplicate=True),
        Input(SELECT, "value"),
        prevent_initial_call=True,
    )
    server: Flask = app.server

    @server.get(f"{PATH}/images/<name>")
    def guide_image(name: str) -> Response:
        if not name.endswith(".png"):
            abort(404)
        return send_from_directory(IMAGES, name, max_age=_HOUR)


def find(path: str) -> Guide | None:
    """The guide of a path of the app, ``/guides/lakebase``."""
    return guides().get(path.removeprefix(f"{PATH}/")) if path.startswith(f"{PATH}/") else None


def _overview() -> Drawn:
    lines = [
        html.Li([html.A(html.B(guide.title), href=guide.path), html.P(guide.summary, className="dim")])
        for guide in guides().values()
    ]
    words = html.P("How Lakefront works, how to run, change and deploy it, and what to do when something is missing.")
    return Drawn([html.H1("Docs"), words, html.Ul(lines, className="lf-guide-list")], [])


def _list(here: str, drawn: Drawn) -> Component:
    """All guides; under the open one its sections."""
    items = []
    for guide in guides().values():
        mark: dict[str, Any] = {"aria-current": "page"} if guide.path == here else {}
        sections = [html.Li(html.A(title, href=f"#{anchor}")) for anchor, title in drawn.sections] if mark else []
        items.append(
            html.Li([html.A(guide.short, href=guide.path, **mark), *([html.Ul(sections)] if sections else [])])
        )
    return html.Nav(html.Ul(items), className="lf-guides-list", **{"aria-label": "Guides"})


def _select(here: str) -> Component:
    options = [{"label": "All guides", "value": PATH}]
    options += [{"label": guide.short, "value": guide.path} for guide in guides().values()]
    field = [dbc.Label("Guide", html_for=SELECT), dbc.Select(id=SELECT, options=options, value=here)]
    return html.Div(field, className="lf-field lf-guides-select")
