"""The frame of the Lakebase page, and what the browser itself does on it.

All calls run as the app with a database token, for one person: row-level security and every statement name them.
"""

from dash import ClientsideFunction, Dash, Input, Output, dcc, html
from dash.development.base_component import Component

from dashboard.components.controls import button, search_box
from dashboard.components.records import TYPES
from dashboard.pages.lakebase import changes, form, ids, listing, removal, strips
from services.container import Services


def layout() -> Component:
    """Return the page before anything answered."""
    return html.Div(
        [
            dcc.Store(id=ids.VIEW, data={"kind": TYPES[0].name, "offset": 0}),
            dcc.Store(id=ids.CHOSEN),
            dcc.Store(id=ids.CHANGED),
            dcc.Store(id=ids.DELETED),
            dcc.Store(id=ids.COUNTS),
            dcc.Store(id=ids.OUTCOME),
            dcc.Store(id=ids.SHOWN),
            html.Div(
                [
                    html.Div(
                        [
                            html.H1("Lakebase"),
                            html.P(
                                "Your own records in Postgres. Nobody else sees them, and you see nobody else\u2019s."
                            ),
                        ]
                    ),
                    html.Span(id=ids.AVAILABLE, className="push hide-phone lf-checked", role="status"),
                ],
                className="lf-head",
            ),
            html.Div(id=ids.ALERT),
            html.Div(
                [
                    html.Div(
                        [
                            html.Div(listing.type_tabs(TYPES[0].name, {}), id=ids.TABS, className="lf-tabs-place"),
                            button(
                                "New preference",
                                ids.NEW,
                                "",
                                "plus-lg",
                                "push",
                                "lf-new",
                                small=True,
                                **{"data-leaves-form": ""},
                            ),
                        ],
                        className="lf-bar tabs",
                    ),
                    html.Div(
                        [
                            html.Section(
                                [
                                    html.Div(
                                        search_box(ids.SEARCH, "Search keys and values"), className="lf-list-search"
                                    ),
                                    html.Div(listing.waiting(), id=ids.LIST, className="lf-list-place"),
                                    html.Div(id=ids.FOOT, className="lf-pager"),
                                ],
                                className="pane-list",
                                **{"aria-label": "Records"},
                            ),
                            html.Div(id=ids.FORM, className="lf-form-place"),
                            html.Aside(
                                [
                                    html.Div(
                                        [
                                            html.H2("Audit trail"),
                                            html.Span("this record", className="small faint push"),
                                        ],
                                        className="row-flex lf-trail-head",
                                    ),
                                    html.Div(id=ids.TRAIL),
                                ],
                                className="pane-trail",
                                **{"aria-label": "Audit trail"},
                            ),
                        ],
                        className="lf-cols lf-records fill",
                        id=ids.BODY,
                        role="tabpanel",
                        **{"aria-label": "Records and the chosen one"},
                    ),
                    html.Div(strips.answered(None), id=ids.STRIP),
                ],
                className="lf-panel lf-tall first",
            ),
            html.Div(id=ids.DIALOG),
        ],
        className="lf-page fill",
        id=ids.PAGE,
    )


def register(app: Dash, services: Services) -> None:
    """Add the callbacks."""
    for function, cause in (
        ("saveOutcome", Input(ids.OUTCOME, "data")),
        ("markChosen", Input(ids.CHOSEN, "data")),
        ("listArrived", Input(ids.LIST, "children")),
    ):
        shown = Output(ids.SHOWN, "data", allow_duplicate=True)
        app.clientside_callback(ClientsideFunction("lakefront", function), shown, cause, prevent_initial_call=True)
    listing.register(app, services)
    form.register(app, services)
    changes.register(app, services)
    removal.register(app, services)
