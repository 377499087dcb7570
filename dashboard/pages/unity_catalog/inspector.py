"""The column profile beside the rows: follows the focused column, over the whole table.

On a screen without room for it, it is a modal dialog behind the button "Column profile".
"""

from __future__ import annotations

from typing import Any

from dash import Dash, Input, Output, State, html, no_update
from dash.development.base_component import Component

from dashboard.callbacks import callback
from dashboard.components.controls import icon_button, skeleton
from dashboard.components.feedback import counting_since, error_note
from dashboard.components.words import elapsed, number
from dashboard.identity import current_user
from dashboard.pages.unity_catalog import ids
from dashboard.pages.unity_catalog.figures import (
    ALL_DISTINCT,
    Kept,
    all_distinct,
    histogram,
    kept_range,
    percent,
    top_values,
    type_words,
    value_words,
)
from dashboard.pages.unity_catalog.states import shown
from dashboard.pages.unity_catalog.view_state import ViewState
from services.container import Services
from services.errors import LakefrontError
from services.unity_catalog.models import Column, ColumnProfile, Profile, ProfileRequest, TableDetails

_LONG = 24
"""Signs of a figure that may stand on two lines; more of them are cut. A time has 19."""


def layout() -> Component:
    """The profile before a column was read."""
    waiting = [*skeleton(80), *skeleton(100, height=72), *skeleton(70, 50, 62, 44, 66, 52)]
    return html.Section(
        [
            icon_button("Close", "x-lg", "uc-inspect-close", "lf-inspect-close"),
            html.Div(html.Div(waiting, className="stack"), id=ids.INSPECTOR, className="lf-inspect-body"),
        ],
        id="uc-inspect-box",
        className="lf-inspect",
        tabIndex="0",
        **{"aria-label": "Column profile"},
    )


def register(app: Dash, services: Services) -> None:
    """Add the callback that reads a column's profile."""

    @callback(
        app,
        Output(ids.INSPECTOR, "children"),
        Input(ids.COLUMN, "data"),
        State(ids.VIEW, "data"),
        State(ids.DETAILS, "data"),
        prevent_initial_call=True,
    )
    def show(wanted: dict[str, Any] | None, view_data: dict[str, Any], data: Any) -> Any:
        """Profile the column (assets/explorer.js asks once the rows and their total are there); runs as the user."""
        view = ViewState.of(view_data)
        name = (wanted or {}).get("name")
        if not name or not data or view.ref is None:
            return no_update
        details = TableDetails.model_validate(data)
        column = next((one for one in details.columns if one.name == name), None)
        if column is None:
            return no_update
        try:
            profile = services.unity_catalog.profile(current_user(), view.ref, ProfileRequest(columns=[name]))
        except LakefrontError as error:
            return [_title(column), error_note(shown(error), "No profile.")]
        return _drawn(column, profile, kept_range(view.filter, name))


def _title(column: Column) -> Component:
    steps = html.Span(
        [
            icon_button("Previous column", "chevron-left", "uc-inspect-previous"),
            icon_button("Next column", "chevron-right", "uc-inspect-next"),
        ],
        className="push row-flex lf-steps-row",
    )
    return html.Div([html.H2(column.name, className="mono cut", title=column.name), steps], className="row-flex")


def _drawn(column: Column, profile: Profile, kept: Kept | None) -> list[Component]:
    figures = profile.columns[0]
    null = "may be null" if column.nullable else "never null"
    comment = f" “{column.comment}”" if column.comment else ""
    masked = " Masked: these figures are of what you see." if column.masked else ""
    rows = profile.rows_read
    parts: list[Component] = [
        _title(column),
        html.P(f"{type_words(column.data_type)}, {null}.{comment}{masked}", className="dim small"),
    ]
    if figures.histogram:
        parts.append(histogram(figures, kept=kept))
    parts.append(_facts(column, figures, rows))
    if all_distinct(figures):
        parts.append(html.P(f"{ALL_DISTINCT}.", className="dim small"))
    elif figures.top_values:
        parts.append(html.Div([html.H3("Most frequent"), top_values(figures, rows, 6)]))
    parts.append(
        html.P(
            [
                "Whole table, without your filters · ",
                html.Span(elapsed(profile.query.elapsed_ms), className="text-nowrap"),
                " · refreshed ",
                counting_since(profile.query.fetched_at.timestamp()),
            ],
            className="small faint",
        )
    )
    return parts


def _facts(column: Column, figures: ColumnProfile, rows: int) -> Component:
    lines: list[tuple[str, Any]] = [
        ("Nulls", [number(figures.nulls), html.Span(f" · {percent(figures.nulls, rows)}", className="faint")])
    ]
    if figures.approx_distinct is not None:
        lines.append(("Distinct, about", number(figures.approx_distinct)))
    if figures.nan:
        lines.append(("NaN", number(figures.nan)))
    middle = [
        (name, value_words(round(value, 2), "DOUBLE"))
        for name, value in (("Median, about", figures.median), ("Mean", figures.mean))
        if isinstance(value, float)
    ]
    if figures.minimum is not None or figures.maximum is not None:
        smallest, largest = (value_words(one, column.data_type) for one in (figures.minimum, figures.maximum))
        lines += [("Smallest", smallest), *middle, ("Largest", largest)]
    return html.Dl([part for name, value in lines for part in (html.Dt(name), _figure(value))], className="lf-kv")


def _figure(value: Any) -> Component:
    """A figure at the right edge; a long one is cut, whole in its title."""
    if isinstance(value, str) and len(value) > _LONG:
        return html.Dd(value, className="num cut", title=value)
    return html.Dd(value, className="num")
