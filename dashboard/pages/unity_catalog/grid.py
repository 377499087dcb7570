"""The grid: column definitions from the table's types; blocks of rows as AG Grid's infinite row model asks for them.

``assets/explorer_rows.js`` is the grid's datasource. Two traps shape it and this file: every request must be answered
or failed, or the grid waits for ever; and blocks are read again through the grid's own cache, not by new column
definitions. Two requests may run at once: the page that is shown, and the one that is wanted next.
"""

from __future__ import annotations

from typing import Any

import dash_ag_grid as dag
from dash.development.base_component import Component

from dashboard.pages.unity_catalog import ids
from dashboard.pages.unity_catalog.figures import type_words
from dashboard.pages.unity_catalog.view_state import ViewState
from services.unity_catalog.models import Column, Kind, TableDetails

ROW_NUMBER = "__row"

_SIGNS: dict[Kind, str] = {
    "integer": "t-int",
    "number": "t-num",
    "decimal": "t-num",
    "text": "t-text",
    "date": "t-time",
    "timestamp": "t-time",
    "boolean": "t-bool",
    "binary": "t-text",
    "nested": "t-text",
    "other": "t-text",
}
_WIDTHS: dict[Kind, int] = {"timestamp": 196, "integer": 102, "number": 102, "decimal": 124, "date": 116, "boolean": 96}
_FIXED = frozenset({"timestamp", "date", "boolean"})
"""Kinds whose values all have the same width: the room that is left goes to the others."""
_NUMERIC = frozenset({"integer", "number", "decimal"})


def grid(view: ViewState, details: TableDetails) -> Component:
    """The grid of a table, with skeleton rows until the first block is there."""
    return dag.AgGrid(
        id=ids.GRID,
        rowModelType="infinite",
        columnDefs=[_row_number(), *(_definition(column, view) for column in details.columns)],
        defaultColDef={
            "resizable": True,
            "sortable": True,
            "suppressHeaderMenuButton": True,
            "minWidth": 96,
        },
        dashGridOptions={
            "theme": {"function": "lakefrontGridTheme(themeQuartz)"},
            "pagination": True,
            "suppressPaginationPanel": True,
            "paginationPageSize": view.page_size,
            "cacheBlockSize": view.page_size,
            "infiniteInitialRowCount": view.page_size,
            "maxConcurrentDatasourceRequests": 2,
            "maxBlocksInCache": 10,
            "ensureDomOrder": True,
            "enableCellTextSelection": True,
            "animateRows": False,
            "rowBuffer": 2,
            "suppressDragLeaveHidesColumns": True,
            "rowClassRules": {"lf-waiting": "!params.data"},
            "tabToNextCell": {"function": "false"},
            "suppressFieldDotNotation": True,
        },
        className="lf-grid",
        style={"height": "100%"},
    )


def _row_number() -> dict[str, Any]:
    return {
        "colId": ROW_NUMBER,
        "headerName": "Row",
        "headerTooltip": "Row number in this order",
        "valueGetter": {"function": "params.node.rowIndex + 1"},
        "width": 52,
        "minWidth": 52,
        "sortable": False,
        "resizable": False,
        "cellClass": "c-row",
        "headerClass": "c-row",
        "pinned": "left",
    }


def _definition(column: Column, view: ViewState) -> dict[str, Any]:
    numeric = column.kind in _NUMERIC
    sign = _SIGNS[column.kind]
    order = next((place for place, one in enumerate(view.sort) if one.column == column.name), None)
    tooltip = " · ".join(
        part
        for part in (
            column.name,
            type_words(column.data_type) + (", UTC" if column.data_type == "TIMESTAMP" else ""),
            column.comment,
            "masked: you see what the owner's mask lets through" if column.masked else None,
        )
        if part
    )
    definition: dict[str, Any] = {
        "field": column.name,
        "colId": column.name,
        "headerName": column.name,
        "headerTooltip": tooltip,
        "headerClass": f"{sign} ag-right-aligned-header" if numeric else sign + (" is-masked" if column.masked else ""),
        "cellDataType": False,
        "sortable": column.sortable,
        "hide": column.name in view.hidden,
        "valueFormatter": {"function": f"lakefrontCell(params.value, {column.kind!r})"},
        "cellClassRules": {
            "v-null": "params.data && (params.value === null || params.value === '')",
            **({"v-masked": "params.data && params.value !== null"} if column.masked else {}),
        },
        "width": max(_WIDTHS.get(column.kind, 160), _heading(column)),
        "minWidth": max(_WIDTHS.get(column.kind, 120), _heading(column)),
        **({} if column.kind in _FIXED else {"flex": 1 if numeric else 2}),
    }
    if numeric:
        definition["type"] = "rightAligned"
    if order is not None:
        definition |= {"sort": view.sort[order].direction, "sortIndex": order}
    return definition


def _heading(column: Column) -> int:
    """The width that a heading takes at 12 px: its letters, the type's sign, the padding; long names are cut."""
    letters = sum(1.5 if one in "mwMW" else 0.6 if one in "fijlrt" else 1.0 for one in column.name)
    return min(240, round(6.7 * letters) + (36 if column.kind == "number" else 43))
