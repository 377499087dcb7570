"""Taking rows away: the whole filtered and sorted result as a file, with progress and Cancel.

The browser streams the JSON API's export (assets/export.js), so the page and a ``curl`` get the same bytes.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from dash import ALL, ClientsideFunction, Dash, Input, Output, State, ctx, html, no_update
from dash.development.base_component import Component

from dashboard.callbacks import callback
from dashboard.pages.unity_catalog import ids
from dashboard.pages.unity_catalog.view_state import ViewState
from services.container import Services

JOB = "uc-job"


def layout() -> Component:
    """The place of the job panel; assets/export.js fills it."""
    return html.Div(
        id="uc-job-box", role="region", className="lf-toasts lf-job", hidden=True, **{"aria-label": "Export"}
    )


def register(app: Dash, services: Services) -> None:
    """Add the callback that starts an export, and the one that copies the link."""
    cap = services.settings.export_row_cap

    @callback(
        app,
        Output(JOB, "data"),
        Input({"type": "uc-export", "format": ALL}, "n_clicks"),
        Input({"type": "uc-export", "format": ALL, "place": "more"}, "n_clicks"),
        State(ids.VIEW, "data"),
        prevent_initial_call=True,
    )
    def begin(_: list[int | None], __: list[int | None], data: dict[str, Any]) -> Any:
        """Say what the browser should fetch; runs as nobody (the export itself runs as the user)."""
        pressed = ctx.triggered_id
        view = ViewState.of(data)
        if not isinstance(pressed, dict) or not ctx.triggered[0]["value"] or view.ref is None:
            return no_update
        names = "/".join(quote(part, safe="") for part in (view.ref.catalog, view.ref.schema_name, view.ref.table))
        body: dict[str, Any] = {"sort": [one.model_dump() for one in view.sort]}
        if view.tree is not None:
            body["filter"] = view.tree.model_dump(mode="json", by_alias=True)
        return {
            "url": f"/api/v1/unity-catalog/tables/{names}/export?format={pressed['format']}",
            "body": json.dumps(body),
            "format": pressed["format"],
            "name": f"{view.ref.table}.{pressed['format']}",
            "cap": cap,
            "started": ctx.triggered[0]["value"],
        }

    app.clientside_callback(
        ClientsideFunction("exports", "begin"),
        Output(JOB, "storage_type"),
        Input(JOB, "data"),
        prevent_initial_call=True,
    )
