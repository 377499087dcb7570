"""The column profile beside the rows: follows the focused column, over the whole table."""

from __future__ import annotations

from typing import Any

from dash import Dash, Input, Output, State, ctx, html, no_update
from dash.development.base_component import Component

from dashboard.api.errors import record
from dashboard.callbacks import callback
from dashboard.components.controls import icon_button, skeleton
from dashboard.components.feedback import counting_since, error_note
from dashboard.components.words import elapsed, number
from dashboard.identity import current_user
from dashboard.pages.unity_catalog import ids
from dashboard.pages.unity_catalog.figures import histogram, percent, top_values, value_words
from dashboard.pages.unity_catalog.view_state import ViewState
from services.container import Services
from services.errors import LakefrontError
from services.unity_catalog.models import Column, ColumnProfile, Profile, ProfileRequest, TableDetails


def layout() -> Component:
    """The profile before a column was read."""
    return html.Aside(
        html.Div(skeleton(60, 90, 40), className="stack"),
        id="uc-inspector",
        className="lf-inspect",
        tabIndex="0",
        **{"aria-label": "Column profile"},
    )


def register(app: Dash, services: Services) -> None:
    """Add the callbacks: which column, and its profile."""

    @callback(
        app,
        Output("uc-column", "data"),
        Input("uc-focused-column", "data"),
        Input("uc-inspect-previous", "n_clicks", allow_optional=True),
        Input("uc-inspect-next", "n_clicks", allow_optional=True),
        Input(ids.DETAILS, "data"),
        State("uc-column", "data"),
        prevent_initial_call=True,
    )
    def choose(focused: str | None, _: int | None, __: int | None, data: Any, chosen: str | None) -> Any:
        """Follow the focused column, or step; runs as nobody."""
        if not data:
            return no_update
        names = [column.name for column in TableDetails.model_validate(data).columns]
        at = names.index(chosen) if chosen in names else -1
        if ctx.triggered_id == "uc-focused-column" and focused in names:
            return focused
        if ctx.triggered_id == "uc-inspect-previous":
            return names[(at - 1) % len(names)]
        if ctx.triggered_id == "uc-inspect-next":
            return names[(at + 1) % len(names)]
        return chosen if at >= 0 else names[0]

    @callback(
        app,
        Output("uc-inspector", "children"),
        Input("uc-column", "data"),
        Input(ids.COUNT, "data"),
        State(ids.VIEW, "data"),
        State(ids.DETAILS, "data"),
        prevent_initial_call=True,
    )
    def show(name: str | None, counted: Any, view_data: dict[str, Any], data: Any) -> Any:
        """Profile the column once the rows and their total are there; runs as the user."""
        view = ViewState.of(view_data)
        if not name or not data or not counted or view.view != "rows" or view.ref is None:
            return no_update
        details = TableDetails.model_validate(data)
        column = next((one for one in details.columns if one.name == name), None)
        if column is None:
            return no_update
        try:
            profile = services.unity_catalog.profile(current_user(), view.ref, ProfileRequest(columns=[name]))
        except LakefrontError as error:
            record(error)
            return [_title(column), error_note(error, "No profile.")]
        return _drawn(column, profile)


def _title(column: Column) -> Component:
    steps = html.Span(
        [
            icon_button("Previous column", "chevron-left", "uc-inspect-previous"),
            icon_button("Next column", "chevron-right", "uc-inspect-next"),
        ],
        className="push row-flex lf-steps-row",
    )
    return html.Div([html.H2(column.name, className="mono cut", title=column.name), steps], className="row-flex")


def _drawn(column: Column, profile: Profile) -> list[Component]:
    figures = profile.columns[0]
    null = "may be null" if column.nullable else "never null"
    comment = f" “{column.comment}”" if column.comment else ""
    masked = " Masked: these figures are of what you see." if column.masked else ""
    rows = profile.rows_read
    parts: list[Component] = [
        _title(column),
        html.P(f"{column.data_type}, {null}.{comment}{masked}", className="dim small"),
    ]
    if figures.histogram:
        parts.append(histogram(figures))
    parts.append(_facts(column, figures, rows))
    if figures.top_values:
        parts.append(html.Div([html.H3("Most frequent"), top_values(figures, rows, 6)]))
    parts.append(
        html.P(
            [
                f"Whole table, without your filters · {elapsed(profile.query.elapsed_ms)} · refreshed ",
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
    if figures.minimum is not None or figures.maximum is not None:
        lines.append(("Smallest", value_words(figures.minimum, column.data_type)))
        lines.append(("Largest", value_words(figures.maximum, column.data_type)))
    return html.Dl(
        [part for name, value in lines for part in (html.Dt(name), html.Dd(value, className="num"))], className="lf-kv"
    )
