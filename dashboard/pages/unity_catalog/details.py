"""The details view: columns, what you may do, what you do not see, and the table's own facts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from dash import html
from dash.development.base_component import Component

from dashboard.components.controls import button
from dashboard.components.feedback import counting_since, note
from dashboard.components.signs import Identity, mono, state, tag
from dashboard.components.waterline import waterline
from dashboard.components.words import exact
from dashboard.pages.unity_catalog import ids
from dashboard.pages.unity_catalog.figures import type_words
from services.unity_catalog.models import Column, Privilege, TableDetails

_ASKED = ("SELECT", "MODIFY", "MANAGE")


def panel(details: TableDetails) -> Component:
    """The whole view; everything in it came with the table's details."""
    return html.Div(
        html.Div(
            [_columns(details), html.Div(_facts(details), className="stack stack-4 lf-detail-side")],
            className="lf-cols lf-detail",
        ),
        className="lf-scroll lf-fill",
        role="region",
        tabIndex="0",
        **{"aria-label": f"Details of {details.full_name}"},
    )


def strip(details: TableDetails) -> list[Component]:
    """Who asked the catalog, and when."""
    source = "catalog service" if details.source == "rest" else "information_schema, for want of the catalog scopes"
    since = ["refreshed ", counting_since(details.fetched_at.timestamp())]
    refresh = button("Refresh", ids.ROWS_RETRY, "ghost", "arrow-clockwise", small=True)
    return [waterline(Identity.of_user(details.runs_as), details.elapsed_ms, [source, html.Span(since)], [refresh])]


def _columns(details: TableDetails) -> Component:
    heads = [html.Th("Name"), html.Th("Type"), html.Th("Null"), html.Th("Comment")]
    lines = [
        html.Tr(
            [
                html.Td([html.B(column.name), *_marks(column, details)], className="nowrap"),
                html.Td(mono(type_words(column.data_type)), className="small"),
                html.Td("yes" if column.nullable else "no", className="dim"),
                html.Td(column.comment or "", className="dim"),
            ]
        )
        for column in details.columns
    ]
    caption = html.Caption("Columns", className="visually-hidden")
    table = html.Table([caption, html.Thead(html.Tr(heads)), html.Tbody(lines)], className="lf-table")
    return html.Div([html.H2("Columns"), table], className="lf-detail-columns")


def _marks(column: Column, details: TableDetails) -> list[Any]:
    marks: list[Any] = []
    if column.primary_key:
        marks += [" ", tag("key", "", "key")]
    if column.masked:
        marks += [" ", tag("masked", "info", "eye-slash-fill")]
    if column.name in details.row_filter_columns:
        marks += [" ", tag("filters rows", "info", "funnel-fill")]
    return marks


def _facts(details: TableDetails) -> list[Component]:
    return [
        _section("may", "What you may do", _privileges(details)),
        _section("hidden", "What you do not see", _rules(details)),
        _section("table", "Table", [_table(details)]),
    ]


def _section(name: str, title: str, children: list[Component]) -> Component:
    heading = html.H2(title, id=f"uc-details-{name}")
    return html.Section([heading, *children], **{"aria-labelledby": f"uc-details-{name}"})


def _privileges(details: TableDetails) -> list[Component]:
    if details.privileges is None:
        return [html.P("The catalog does not tell which privileges you hold.", className="small dim")]
    held = {one.privilege: one for one in details.privileges}
    names = [*_ASKED, *(name for name in held if name not in _ASKED)]
    lines = [
        part
        for name in names
        for part in (html.Dt(name.replace("_", " ")), html.Dd(_answer(held.get(name) or held.get("ALL_PRIVILEGES"))))
    ]
    return [
        html.P(f"Privileges of {details.runs_as}, groups included.", className="small dim"),
        html.Dl(lines, className="lf-kv"),
    ]


def _answer(privilege: Privilege | None) -> Component:
    if privilege is None:
        return state("No", "")
    return state(f"Yes, from {privilege.inherited_from}" if privilege.inherited_from else "Yes")


def _rules(details: TableDetails) -> list[Component]:
    masked = [column for column in details.columns if column.masked]
    if not details.row_filtered and not masked:
        return [html.P("No row filter and no mask: you see every row and every value.", className="small dim")]
    notes: list[Component] = [
        html.P("Rules of the owner, applied on the warehouse for each statement.", className="small dim")
    ]
    if details.row_filtered:
        words: list[Any] = [html.B("Row filter"), " ", mono(details.row_filter_function or "")]
        if details.row_filter_columns:
            words += [" on ", mono(", ".join(details.row_filter_columns))]
        words.append(html.Div("How many rows it hides is not shown to you.", className="dim small"))
        notes.append(note(words, "info", icon_name="funnel-fill"))
    notes += [
        note(
            [
                html.B("Mask"),
                *([" ", mono(column.mask_function)] if column.mask_function else []),
                " on ",
                mono(column.name),
                html.Div("Filters on this column compare the masked value.", className="dim small"),
            ],
            "info",
            icon_name="eye-slash-fill",
        )
        for column in masked
    ]
    return notes


def _table(details: TableDetails) -> Component:
    lines: list[tuple[str, Any]] = [
        ("Primary key", mono(", ".join(details.primary_key)) if details.primary_key else "none declared")
    ]
    kind = details.table_type.replace("_", " ").lower()
    if details.data_source_format:
        lines.append(("Format", f"{details.data_source_format.title()}, {kind}"))
    else:
        lines.append(("Type", kind.capitalize()))
    for name, moment, who in (
        ("Created", details.created_at, details.created_by),
        ("Changed", details.updated_at, details.updated_by),
    ):
        if moment is not None:
            lines.append((name, _moment(moment, who)))
    return html.Dl([part for name, value in lines for part in (html.Dt(name), html.Dd(value))], className="lf-kv")


def _moment(moment: datetime, who: str | None) -> str:
    return exact(moment) + (f" by {who}" if who else "")
