"""Taking rows away: the whole filtered and sorted result as a file, with progress and Cancel.

The browser streams the JSON API's export (assets/export.js), so the page and a ``curl`` get the same bytes.
"""

from __future__ import annotations

from dash import ALL, ClientsideFunction, Dash, Input, Output, State, html
from dash.development.base_component import Component

from dashboard.pages.unity_catalog import ids

JOB = "uc-job"


def layout() -> Component:
    """The place of the job panel; assets/export.js fills it."""
    return html.Div(
        id="uc-job-box", role="region", className="lf-toasts lf-job", hidden=True, **{"aria-label": "Export"}
    )


def register(app: Dash) -> None:
    """Add the callbacks: what the browser should fetch (the export itself runs as the user), and fetching it."""
    app.clientside_callback(
        ClientsideFunction("explorer", "order"),
        Output(JOB, "data"),
        Input({"type": "uc-export", "format": ALL}, "n_clicks"),
        Input({"type": "uc-export", "format": ALL, "place": "more"}, "n_clicks"),
        State(ids.VIEW, "data"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("exports", "begin"),
        Output(JOB, "storage_type"),
        Input(JOB, "data"),
        prevent_initial_call=True,
    )
