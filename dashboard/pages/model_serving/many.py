"""Many rows: an editable grid with the model's columns, checked before anything is sent (assets/many_rows.js)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import dash_ag_grid as dag
from dash import html
from dash.development.base_component import Component

from dashboard.components.controls import button
from dashboard.components.fields import read_field, spec_of
from dashboard.components.words import number
from dashboard.pages.model_serving import ids
from services.errors import InvalidRequest
from services.model_serving import EndpointSchema, SchemaField
from services.model_serving.jobs import MOST_ROWS

FILE_BYTES = 5_000_000
PREDICTION, SHARE = "__prediction", "__share"
_BLANK_ROWS = 7
_SIGNS = {"integer": "t-int", "number": "t-num", "boolean": "t-bool"}
_NUMERIC = ("integer", "number")


def view(schema: EndpointSchema) -> Component:
    """Return the view of many rows, hidden at first: tools, grid, what is wrong, what fits."""
    tools = html.Div(
        [
            button("Add a row", "serving-many-add", "", "plus-lg", small=True),
            button("Remove chosen rows", "serving-many-remove", "ghost", "trash", small=True),
            button("Open a CSV file", "serving-many-open", "ghost", "upload", "push", small=True),
        ],
        className="row-flex wrap",
    )
    limits = (
        f"Paste cells from a spreadsheet, or drop a CSV file here: UTF-8, column names in its first line, at most "
        f"{FILE_BYTES // 1_000_000} MB and {number(MOST_ROWS)} rows. Empty rows are left out."
    )
    return html.Div(
        [
            tools,
            html.Div(
                grid(schema),
                id=ids.MANY_REGION,
                role="region",
                className="lf-many-region",
                **{
                    "aria-label": "Rows to predict",
                    "data-fields": json.dumps([spec_of(one) for one in schema.fields]),
                    "data-cap": str(MOST_ROWS),
                    "data-bytes": str(FILE_BYTES),
                },
            ),
            html.P("1 row to predict", id=ids.MANY_STATUS, role="status", className="small dim"),
            html.P(limits, className="small faint"),
        ],
        id=ids.MANY_VIEW,
        hidden=True,
        className="stack lf-many",
    )


def grid(schema: EndpointSchema) -> Component:
    """Return the editable grid: the example row, then empty ones."""
    first = {one.name: _start(one) for one in schema.fields}
    rows = [{"__id": "0", **first}, *({"__id": str(place + 1)} for place in range(_BLANK_ROWS))]
    return dag.AgGrid(
        id=ids.MANY_GRID,
        rowData=rows,
        columnDefs=[_row_number(), *(_definition(one) for one in schema.fields), *_outputs(schema)],
        defaultColDef={"resizable": True, "sortable": False, "suppressHeaderMenuButton": True, "minWidth": 76},
        getRowId="params.data.__id",
        eventListeners={
            "cellValueChanged": ["lakefrontEdited(params)"],
            "cellFocused": ["lakefrontFocused(params)"],
        },
        dashGridOptions={
            "theme": {"function": "lakefrontGridTheme(themeQuartz)"},
            "rowSelection": {"mode": "multiRow", "headerCheckbox": True},
            "selectionColumnDef": {"width": 36, "pinned": "left"},
            "ensureDomOrder": True,
            "animateRows": False,
            "enableBrowserTooltips": True,
            "enterNavigatesVertically": True,
            "enterNavigatesVerticallyAfterEdit": True,
            "stopEditingWhenCellsLoseFocus": True,
            "suppressFieldDotNotation": True,
            "tabToNextCell": {"function": "false"},
        },
        className="lf-grid lf-many-grid",
        style={"height": "100%"},
    )


def read_rows(schema: EndpointSchema, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[dict[str, Any]]:
    """Return the typed rows of the grid.

    Raises:
        InvalidRequest: a cell holds a wrong value; the field is `rows.<place from 1>.<column>`.
    """
    fields = {one.name: one for one in schema.fields}
    out: list[dict[str, Any]] = []
    for place, row in enumerate(rows, 1):
        typed: dict[str, Any] = {}
        for name, text in zip(columns, row, strict=True):
            field = fields.get(name)
            if field is None:
                continue
            value, wrong = read_field(field, None if text is None else str(text))
            if wrong:
                raise InvalidRequest(f"rows.{place}.{name}", wrong)
            if value is not None or field.required:
                typed[name] = value
        out.append(typed)
    return out


def prediction_column(*, right: bool = False, **more: Any) -> dict[str, Any]:
    """Return the column of the prediction, pinned beside the inputs."""
    return {
        "field": PREDICTION,
        "headerName": "prediction",
        "headerClass": "lf-out ag-right-aligned-header" if right else "lf-out",
        "cellClass": "lf-out ag-right-aligned-cell" if right else "lf-out",
        "cellDataType": False,
        "pinned": "right",
        "width": 96,
        "minWidth": 84,
        "valueFormatter": {"function": "lakefrontPrediction(params.value)"},
        "tooltipValueGetter": {"function": "params.value === undefined ? '' : String(params.value)"},
        **more,
    }


def has_shares(schema: EndpointSchema) -> bool:
    """Return whether the model says how probable its label is."""
    return "probabilities" in ((schema.output or {}).get("properties") or {})


def share_column() -> dict[str, Any]:
    """Return the column of the label's probability."""
    return prediction_column(
        field=SHARE,
        headerName="probability",
        right=True,
        valueFormatter={"function": "params.value === undefined ? '' : params.value.toFixed(3)"},
    )


def _outputs(schema: EndpointSchema) -> list[dict[str, Any]]:
    numeric = (schema.output or {}).get("type") in _NUMERIC
    first = prediction_column(right=numeric)
    return [first, *([share_column()] if has_shares(schema) else [])]


def _definition(field: SchemaField) -> dict[str, Any]:
    numeric = field.type in _NUMERIC and not field.choices
    sign = _SIGNS.get(field.type, "t-text")
    out: dict[str, Any] = {
        "field": field.name,
        "colId": field.name,
        "headerName": field.name,
        "headerTooltip": " · ".join(part for part in (field.name, field.format or field.type, field.help) if part),
        "headerClass": f"{sign} ag-right-aligned-header" if numeric else sign,
        "cellDataType": False,
        "editable": True,
        "cellClassRules": {"lf-wrong": "lakefrontWrong(params)"},
        "tooltipValueGetter": {"function": "lakefrontWrong(params)"},
        "minWidth": max(76, 7 * len(field.name) + 18),  # a name is read in full, on a phone too
        "flex": 1,
    }
    if numeric:
        out["type"] = "rightAligned"
    choices = [str(one) for one in field.choices] or (["true", "false"] if field.type == "boolean" else [])
    if choices:
        out |= {"cellEditor": "agSelectCellEditor", "cellEditorParams": {"values": ["", *choices]}}
    return out


def _row_number() -> dict[str, Any]:
    return {
        "colId": "__row",
        "headerName": "Row",
        "valueGetter": {"function": "params.node.rowIndex + 1"},
        "width": 44,
        "minWidth": 44,
        "resizable": False,
        "cellClass": "c-row",
        "headerClass": "c-row",
        "pinned": "left",
    }


def _start(field: SchemaField) -> str:
    start = field.example if field.example is not None else field.default
    if start is None:
        return ""
    return json.dumps(start) if isinstance(start, dict | list | bool) else str(start)
