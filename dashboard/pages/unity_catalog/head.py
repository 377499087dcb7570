"""The head of a table: full name, marks, comment and owner, the views of it, and the actions."""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from dashboard.components.controls import Tab, button, tabs
from dashboard.components.signs import hidden, icon, tag
from dashboard.pages.unity_catalog import ids
from dashboard.pages.unity_catalog.view_state import ViewState
from services.unity_catalog.models import TableDetails

TABS = (Tab("rows", "Rows"), Tab("chart", "Chart"), Tab("profile", "Profile"), Tab("details", "Details"))
_KINDS = {"VIEW": "View", "MATERIALIZED_VIEW": "Materialized view", "STREAMING_TABLE": "Streaming table"}


def name_of(view: ViewState) -> list[Component | str]:
    """The table's name for the heading: catalog and schema quiet, the table itself strong."""
    ref = view.ref
    if ref is None:
        return [view.table or "No table"]
    path = html.Span(f"{ref.catalog}.{ref.schema_name}.", className="hide-phone")
    return [html.Span(path, className="path"), ref.table]


def head(view: ViewState, details: TableDetails | None, *marks: Component) -> list[Component]:
    """Title line and comment line; without ``details`` the name alone, with ``marks`` beside it."""
    actions = html.Span(id="uc-actions", className="row-flex push") if details is None else _actions()
    return [
        html.Div(
            [
                html.H1(name_of(view), id="table-name", className="cut", title=view.table or ""),
                button("Tables", ids.TREE_OPEN, "", "list-nested", "only-narrow", small=True),
                html.Span([*(_marks(details) if details else []), *marks], className="row-flex wrap lf-marks"),
                actions,
            ],
            className="lf-title",
        ),
        *([_comment(details)] if details else []),
    ]


def tab_bar(view: ViewState) -> Component:
    """The ways to look at the table."""
    return tabs(ids.TABS, TABS, view.view, controls=ids.PANEL, label="Ways to look at the table")


def _marks(details: TableDetails) -> list[Component]:
    kind = _KINDS.get(details.table_type) or f"{(details.data_source_format or 'Delta').title()} table"
    marks = [tag(kind, "", None, "hide-phone")]
    if details.access_level != "UNKNOWN":
        marks.append(tag(details.access_level, "", "eye", "hide-phone"))
    if details.row_filtered:
        marks.append(tag("Row filter", "info", "funnel-fill", "hide-phone"))
    masked = sum(column.masked for column in details.columns)
    if masked:
        words = "1 masked column" if masked == 1 else f"{masked} masked columns"
        marks.append(tag(words, "info", "eye-slash-fill", "hide-phone"))
    return marks


def _comment(details: TableDetails) -> Component:
    comment = details.comment or ""
    comment += "." if comment and comment[-1].isalnum() else ""
    owner = html.Span(f"Owner: {details.owner}", className="faint") if details.owner else ""
    return html.P([f"{comment} " if comment else "", owner], className="lf-sub cut", title=details.comment or "")


def _actions() -> Component:
    """Copy link, export, save view; on a phone they stand behind one button."""
    toggles = {"aria-expanded": "false", "aria-haspopup": "true"}
    exports = html.Div(
        [
            button("All rows as CSV", {"type": "uc-export", "format": "csv"}, "ghost"),
            button("All rows as Parquet", {"type": "uc-export", "format": "parquet"}, "ghost"),
        ],
        id="uc-export-menu",
        className="lf-pop lf-menu",
        hidden=True,
        role="group",
        **{"aria-label": "Export"},
    )
    return html.Span(
        [
            button("Copy link", "uc-copy-link", "", "link-45deg", "hide-phone", small=True),
            html.Span(
                [
                    html.Button(
                        [icon("download"), html.Span("Export"), icon("chevron-down", "small")],
                        className="btn btn-sm",
                        type="button",
                        **toggles,
                        **{"data-toggle": "uc-export-menu", "data-pop": "uc-export-menu"},
                    ),
                    exports,
                ],
                className="lf-anchor hide-phone",
            ),
            _score("btn btn-sm hide-phone"),
            button("Save view", "uc-save-view", "", "bookmark", "hide-phone", small=True),
            html.Span(
                [
                    html.Button(
                        [icon("three-dots"), hidden("More actions: export, save view, copy link")],
                        className="btn btn-sm btn-icon",
                        type="button",
                        title="More actions",
                        **toggles,
                        **{"data-toggle": "uc-more-menu", "data-pop": "uc-more-menu"},
                    ),
                    _more(),
                ],
                className="lf-anchor only-phone",
            ),
        ],
        className="row-flex push",
    )


def _score(look: str) -> Component:
    """The way to a model for the rows in view; assets/many_rows.js adds table, filter and order when it is taken."""
    words = [icon("cpu"), html.Span("Score")]
    more = {"data-scores": "", "title": "Predict with a model for each of the filtered rows"}
    return html.A(words, href="/model-serving", className=look, **more)


def _more() -> Component:
    return html.Div(
        [
            button("Copy link", "uc-copy-link-more", "ghost", "link-45deg"),
            button("All rows as CSV", {"type": "uc-export", "format": "csv", "place": "more"}, "ghost", "download"),
            button(
                "All rows as Parquet", {"type": "uc-export", "format": "parquet", "place": "more"}, "ghost", "download"
            ),
            _score("btn btn-ghost"),
            button("Save view", "uc-save-view-more", "ghost", "bookmark"),
            html.Button(
                [icon("layout-three-columns"), html.Span("Columns")],
                className="btn btn-ghost lf-rows-only",
                type="button",
                **{"aria-expanded": "false", "data-toggle": ids.COLUMNS_MENU, "data-pop": ids.COLUMNS_MENU},
            ),
            button("Column profile", "uc-inspect-more", "ghost", "layout-sidebar-reverse", "lf-rows-only"),
            button("Data as table", "uc-chart-as-table-more", "ghost", "table", "lf-chart-only"),
        ],
        id="uc-more-menu",
        className="lf-pop lf-menu",
        hidden=True,
        role="group",
        **{"aria-label": "More actions"},
    )
