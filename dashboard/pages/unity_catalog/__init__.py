"""The Unity Catalog page: find a governed table, read it, see it, know it, take it away.

``view_state.py`` is what is looked at; the address mirrors it. ``tree.py`` finds a table, ``head.py`` names it,
``filters.py`` narrows it, ``rows.py`` and ``grid.py`` show it, ``states.py`` says why there is nothing to show.
assets/explorer_view.js splits the view into what each part needs, so that a change asks the server only for what it
changes; assets/explorer_rows.js reads the rows.
"""

from __future__ import annotations

import uuid

from dash import Dash, dcc, html
from dash.development.base_component import Component

from dashboard.components.controls import skeleton
from dashboard.pages.unity_catalog import (
    arrival,
    chart,
    export,
    filters,
    head,
    ids,
    inspector,
    profile,
    rows,
    saved_view,
    table,
    total,
    tree,
)
from dashboard.pages.unity_catalog.personal import PersonalRecords
from dashboard.pages.unity_catalog.view_state import ViewState
from dashboard.pages.unity_catalog.warehouse import WarehouseWords
from services.container import Services

_STORES = (
    ids.VIEW,
    ids.SOUGHT,
    ids.FILTER,
    ids.CHART,
    ids.HIDDEN,
    ids.PLACE,
    ids.PERSONAL,
    ids.SAVING,
    ids.DETAILS,
    ids.SHOWN,
    ids.FILTER_EDITED,
    ids.GRID_FAILED,
    ids.ASKED,
    ids.CANCELLED,
    ids.LAST_QUERY,
    ids.COUNT_ASK,
    ids.COUNT,
    ids.COLUMN,
    ids.WAITING,
    export.JOB,
)


def layout() -> Component:
    """The page before anything was read: the browser on the left, lines where the table will be."""
    work = html.Section(
        [
            html.Div(html.Div(html.H1("Unity Catalog", id="table-name"), className="lf-title"), id=ids.HEAD),
            html.Div(
                [html.Div(head.tab_bar(ViewState()), id="uc-tab-bar"), html.Span(id=ids.TABS_SIDE, className="push")],
                id=ids.TABS_ROW,
                className="lf-bar tabs",
            ),
            html.Div(
                [
                    html.Div(id=ids.CHIPS, className="scroll", role="group", **{"aria-label": "Active filters"}),
                    html.Span(id=ids.COUNT_TEXT, className="push small nowrap hide-phone", role="status"),
                ],
                id=ids.FILTER_BAR,
                className="lf-bar",
                role="group",
                **{"aria-label": "Filters"},
            ),
            html.Div(id=ids.FILTER_FORM),
            html.Div(
                html.Div(skeleton(70, 82, 64, 76, 58), className="lf-open-wait"),
                id=ids.PANEL,
                role="tabpanel",
                className="lf-view",
                **{"aria-labelledby": "table-name"},
            ),
            html.Div([html.Div(id=ids.STRIP), rows.running_strip()], className="lf-under"),
            html.Div(id=saved_view.FORM),
            export.layout(),
        ],
        className="lf-work",
        **{"aria-labelledby": "table-name"},
    )
    return html.Div(
        [
            *(dcc.Store(id=name) for name in _STORES),
            dcc.Store(id=ids.INSTANCE, data=uuid.uuid4().hex),
            dcc.Store(id=ids.TREE_STATE, data={"open": [], "table": ""}),
            dcc.Store(id=ids.ARRIVED),
            tree.layout(),
            work,
        ],
        id=ids.PAGE,
        className="lf-explorer",
    )


def register(app: Dash, services: Services) -> None:
    """Add the callbacks of the page."""
    personal = PersonalRecords(services.lakebase)
    warehouse = WarehouseWords(services.unity_catalog.warehouse_state, services.settings.databricks_warehouse_id)
    arrival.register(app, services, personal)
    table.register(app, services, warehouse)
    tree.register(app, services)
    filters.register(app, services)
    rows.register(app, services, warehouse)
    total.register(app, services)
    inspector.register(app, services)
    profile.register(app, services, warehouse)
    chart.register(app, services, warehouse)
    export.register(app)
    saved_view.register(app, services, personal)
