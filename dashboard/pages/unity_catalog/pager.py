"""Place, page and page size under the rows; assets/explorer_pager.js drives the grid's own paging."""

from __future__ import annotations

import dash_bootstrap_components as dbc
from dash import html
from dash.development.base_component import Component

from dashboard.components.controls import button, icon_button
from dashboard.pages.unity_catalog import ids
from dashboard.pages.unity_catalog.view_state import PAGE_SIZES


def pager(page_size: int) -> Component:
    """The row under the grid. Its inputs belong to the browser: no page is turned by the server."""
    return html.Nav(
        [
            html.Span("The total is counted after the first rows are here.", className="dim lf-pager-wait"),
            html.Span(
                ["Rows ", html.B("…"), html.Span(id="uc-pager-of", className="hide-phone")],
                id=ids.PAGER_PLACE,
                className="nowrap",
            ),
            _jump(),
            html.Span(id=ids.PAGER_MESSAGE, className="lf-pager-message", role="alert"),
            html.Span(
                [
                    icon_button("First page", "chevron-bar-left", ids.PAGER_FIRST, "hide-phone", disabled=True),
                    icon_button("Previous page", "chevron-left", ids.PAGER_PREVIOUS, disabled=True),
                    html.Label("Page", htmlFor=ids.PAGER_PAGE, className="lf-page-word"),
                    dbc.Input(
                        id=ids.PAGER_PAGE,
                        value="1",
                        type="text",
                        inputmode="numeric",
                        autocomplete="off",
                        class_name="num",
                    ),
                    html.Span("of more", id=ids.PAGER_TOTAL, className="nowrap"),
                    icon_button("Next page", "chevron-right", ids.PAGER_NEXT, disabled=True),
                    icon_button("Last page", "chevron-bar-right", ids.PAGER_LAST, "hide-phone", disabled=True),
                ],
                className="row-flex push lf-pages",
            ),
            html.Label("Rows on a page", htmlFor=ids.PAGER_SIZE, className="visually-hidden"),
            dbc.Select(
                id=ids.PAGER_SIZE,
                options=[{"label": f"{size} rows", "value": str(size)} for size in PAGE_SIZES],
                value=str(page_size),
                class_name="hide-phone",
            ),
        ],
        id=ids.PAGER,
        className="lf-pager waiting",
        **{"aria-label": "Pages of rows"},
    )


def _jump() -> Component:
    """A row by its number."""
    opener = html.Button(
        "Go to row",
        className="btn btn-ghost btn-sm hide-phone",
        type="button",
        **{"aria-expanded": "false", "aria-haspopup": "true", "data-toggle": ids.JUMP, "data-pop": ids.JUMP},
    )
    form = html.Div(
        [
            html.Label("Row number", htmlFor=ids.JUMP_ROW, className="form-label"),
            html.Div(
                [
                    dbc.Input(id=ids.JUMP_ROW, type="text", inputmode="numeric", autocomplete="off", class_name="num"),
                    button("Go", "uc-jump-go", "primary", small=True),
                ],
                className="row-flex",
            ),
            html.Div(id="uc-jump-message", className="invalid-feedback d-block", role="alert"),
        ],
        id=ids.JUMP,
        className="lf-pop lf-menu lf-jump",
        hidden=True,
        role="group",
        **{"aria-label": "Go to row"},
    )
    return html.Span([opener, form], className="lf-anchor")
