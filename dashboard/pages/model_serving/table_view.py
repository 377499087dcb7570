"""Rows of a table into a model: the view that came with the address, which column goes where, what was predicted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs

import dash_ag_grid as dag
import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from dashboard.components.conditions import sentence
from dashboard.components.feedback import error_note
from dashboard.components.fields import read_field
from dashboard.components.serving import dom_id
from dashboard.components.signs import mono
from dashboard.components.words import number, plural
from dashboard.pages.model_serving import ids
from dashboard.pages.model_serving.many import PREDICTION, SHARE, has_shares, prediction_column, share_column
from dashboard.pages.model_serving.outcomes import label_of, share_of
from dashboard.pages.unity_catalog.view_state import ViewState
from services.container import Services
from services.errors import InvalidRequest, LakefrontError
from services.identity import User
from services.model_serving import EndpointSchema, SchemaField
from services.model_serving.jobs import MOST_ROWS, ScoreJob
from services.model_serving.table_rows import fits, match
from services.unity_catalog.models import Column, TableDetails

FIXED = "__fixed"
"""The choice of a field that takes one value for all rows."""


def view_of(search: str | None) -> ViewState | None:
    """The view of a table that an address brings along in `score`, spelled as the explorer's own address."""
    given = parse_qs((search or "").lstrip("?")).get("score")
    if not given:
        return None
    view, _ = ViewState.of_query(given[-1])
    return view if view.ref is not None else None


def view(services: Services, user: User, schema: EndpointSchema, sought: ViewState) -> Component:
    """Return the form that maps columns to fields; the table is read as the user."""
    assert sought.ref is not None  # noqa: S101 - `view_of` gives no other
    try:
        details = services.unity_catalog.table(user, sought.ref)
    except LakefrontError as error:
        return html.Div(error_note(error, "The table cannot be used."), id=ids.TABLE_VIEW)
    matched = match(schema.fields, details.columns)
    return html.Div(
        [
            _head(sought),
            html.Div(
                [_field(field, details.columns, matched[field.name]) for field in schema.fields],
                className="lf-map",
                role="group",
                **{"aria-label": "Columns of the table for the fields of the model"},
            ),
        ],
        id=ids.TABLE_VIEW,
        className="stack",
    )


def count_words(total: int) -> str:
    """Return how many of the filtered rows will be scored."""
    if total > MOST_ROWS:
        return f"{number(total)} rows match; the first {number(MOST_ROWS)} in the order of the view are predicted."
    return f"{plural(total, 'row')} {'matches' if total == 1 else 'match'}; all of them are predicted."


def read(
    schema: EndpointSchema, names: Sequence[str], columns: Sequence[str | None], values: Sequence[str | None]
) -> tuple[dict[str, str], dict[str, Any]]:
    """Return the column of each field that has one, and the value of each other field.

    Raises:
        InvalidRequest: a value is wrong, or a needed field has neither.
    """
    fields = {one.name: one for one in schema.fields}
    chosen: dict[str, str] = {}
    fixed: dict[str, Any] = {}
    for name, column, text in zip(names, columns, values, strict=True):
        if column and column != FIXED:
            chosen[name] = column
            continue
        value, wrong = read_field(fields[name], text)
        if wrong:
            raise InvalidRequest(name, wrong)
        if value is not None:
            fixed[name] = value
    if not chosen:
        raise InvalidRequest("columns", "at least one field must take its values from a column of the table")
    return chosen, fixed


def grid(schema: EndpointSchema, job: ScoreJob, details: TableDetails) -> Component:
    """Return the table's rows with their predictions."""
    numeric = all(isinstance(one, int | float) for one in job.predictions[:50])
    columns: list[dict[str, Any]] = [
        {
            "field": column.name,
            "headerName": column.name,
            "cellDataType": False,
            "valueFormatter": {"function": f"lakefrontCell(params.value, {column.kind!r})"},
            "cellClassRules": {"v-null": "params.value === null"},
            "minWidth": 172 if column.kind == "timestamp" else 116,
            "flex": 1,
            **({"type": "rightAligned"} if column.kind in ("integer", "number", "decimal") else {}),
        }
        for column in details.columns
    ]
    columns.append(prediction_column(right=numeric))
    if has_shares(schema):
        columns.append(share_column())
    rows = [
        {**row, PREDICTION: label_of(one), SHARE: share_of(one)}
        for row, one in zip(job.shown, job.predictions, strict=False)
    ]
    options = {
        "theme": {"function": "lakefrontGridTheme(themeQuartz)"},
        "ensureDomOrder": True,
        "animateRows": False,
        "suppressFieldDotNotation": True,
        "tabToNextCell": {"function": "false"},
        "enableCellTextSelection": True,
    }
    table = dag.AgGrid(
        id=ids.TABLE_GRID,
        rowData=rows,
        columnDefs=columns,
        defaultColDef={"resizable": True, "sortable": True, "suppressHeaderMenuButton": True, "minWidth": 84},
        dashGridOptions=options,
        className="lf-grid lf-many-grid",
        style={"height": "100%"},
    )
    return html.Div(
        table, role="region", className="lf-many-region lf-scored-region", **{"aria-label": "Rows with predictions"}
    )


def _head(sought: ViewState) -> Component:
    filters = [" ".join(part for part in sentence(node) if part) for node in sought.filter]
    words: list[Any] = ["Rows of ", dcc.Link(mono(sought.table), href=f"/unity-catalog?{sought.query()}")]
    if filters:
        words += [" where ", html.Span(" and ".join(filters), className="mono small")]
    if sought.sort:
        words += [", by ", ", ".join(f"{one.column} {one.direction}" for one in sought.sort)]
    return html.Div(
        [
            html.P([*words, "."]),
            html.P("Counting the rows\u2026", id="serving-table-count", className="small dim", role="status"),
        ],
        className="lf-map-head",
    )


def _field(field: SchemaField, columns: Sequence[Column], matched: str | None) -> Component:
    choice, value = {"type": ids.TABLE_COLUMN, "name": field.name}, {"type": ids.TABLE_VALUE, "name": field.name}
    fitting = [{"label": column.name, "value": column.name} for column in columns if fits(field, column)]
    start = field.default if field.default is not None else field.example
    hint = "same name and type" if matched else "no column of this name and type"
    needed = "" if field.required else ", may be left out"
    return html.Div(
        [
            html.Label(
                [field.name, " ", html.Span(f"{field.format or field.type}{needed}", className="lf-kind")],
                className="form-label",
                htmlFor=dom_id(choice),
            ),
            dbc.Select(
                id=choice,
                value=matched or FIXED,
                options=[{"label": "one value for all", "value": FIXED}, *fitting],
            ),
            html.Div(
                [
                    html.Label(f"Value of {field.name}", className="visually-hidden", htmlFor=dom_id(value)),
                    _value(field, value, start),
                ],
                id={"type": f"{ids.TABLE_VALUE}-place", "name": field.name},
                hidden=bool(matched),
            ),
            html.Span(hint, className="small faint lf-map-hint"),
        ],
        className="lf-map-row",
    )


def _value(field: SchemaField, identifier: Mapping[str, str], start: Any) -> Component:
    first = "" if start is None else str(start)
    choices = [str(one) for one in field.choices] or (["true", "false"] if field.type == "boolean" else [])
    if choices:
        return dbc.Select(id=identifier, value=first, options=choices)
    return dbc.Input(id=identifier, type="text", value=first, autocomplete="off")
