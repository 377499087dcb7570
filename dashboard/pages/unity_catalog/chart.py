"""The chart view: a sentence of native selects, the drawing, its data as a table, and a way from a bar to its rows.

The warehouse groups; nothing is aggregated in the browser. More groups than can be drawn are cut, and a note says so.
"""

from __future__ import annotations

from typing import Any

import dash_bootstrap_components as dbc
from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html, no_update
from dash.development.base_component import Component

from dashboard.api.errors import record
from dashboard.callbacks import callback
from dashboard.components.charts import CONFIG
from dashboard.components.controls import button
from dashboard.components.feedback import error_panel, note
from dashboard.components.signs import Identity, icon
from dashboard.components.waterline import sql_button, sql_panel, waterline
from dashboard.components.words import number
from dashboard.identity import current_user
from dashboard.pages.unity_catalog import ids
from dashboard.pages.unity_catalog.chart_figure import (
    caption,
    click_filter,
    figure,
    figure_words,
    group_words,
    names,
)
from dashboard.pages.unity_catalog.chart_spec import (
    BUCKETS,
    KINDS,
    ChartSpec,
    group_options,
    is_time,
    measure_options,
    measure_words,
)
from dashboard.pages.unity_catalog.view_state import ViewState
from services.container import Services
from services.errors import LakefrontError
from services.unity_catalog.models import AggregateResult, TableDetails

BODY = "uc-chart-body"
GRAPH = "uc-chart"
RESULT = "uc-chart-result"
PICK = "uc-chart-pick"
SHOW_ROWS = "uc-chart-rows"
PICKED = "uc-chart-picked"
SAVE_PICTURE = "uc-chart-picture"
_CHOICES = ("kind", "first", "second", "group", "bucket", "group2")


def panel(view: ViewState, details: TableDetails) -> list[Component]:
    """The sentence and the place of the drawing."""
    spec = ChartSpec.of(view.chart, details)
    return [
        html.Div(
            _sentence(spec, details),
            id="uc-chart-say",
            className="lf-say",
            role="group",
            **{"aria-label": "What the chart shows"},
        ),
        dcc.Store(id=RESULT),
        dcc.Store(id=PICKED),
        html.Div(html.Div(className="lf-skel lf-chart-wait"), id=BODY, className="lf-split"),
    ]


def side() -> list[Component]:
    """What stands at the end of the tab bar."""
    return [button("Save picture", SAVE_PICTURE, "ghost", "image", small=True)]


def register(app: Dash, services: Services) -> None:
    """Add the callbacks: the sentence, the drawing, the click."""
    _register_sentence(app)
    _register_drawing(app, services)
    _register_click(app)
    app.clientside_callback(
        ClientsideFunction("charts", "picture"),
        Output(SAVE_PICTURE, "title"),
        Input(SAVE_PICTURE, "n_clicks", allow_optional=True),
        prevent_initial_call=True,
    )


def _register_sentence(app: Dash) -> None:
    @callback(
        app,
        Output(ids.VIEW, "data", allow_duplicate=True),
        *(Input(f"uc-chart-{name}", "value", allow_optional=True) for name in _CHOICES),
        State(ids.VIEW, "data"),
        State(ids.DETAILS, "data"),
        prevent_initial_call=True,
    )
    def choose(*values: Any) -> Any:
        """Keep the sentence in the view; runs as nobody."""
        *words, data, details = values
        view = ViewState.of(data)
        if view.view != "chart" or not details or words[0] is None:
            return no_update
        table = TableDetails.model_validate(details)
        said = {name: word or "" for name, word in zip(_CHOICES, words, strict=True)}
        before = ChartSpec.of(view.chart, table)
        bucket = said.pop("bucket") or None
        if not is_time(table, said["group"]):
            bucket = None
        elif bucket is None:
            bucket = "day"
        bucket2 = "day" if is_time(table, said["group2"]) else None
        spec = ChartSpec.model_validate({**said, "bucket": bucket, "bucket2": bucket2})
        return no_update if spec == before else {**data, "chart": spec.model_dump(exclude_none=True)}

    @callback(
        app,
        Output("uc-chart-say", "children"),
        Input(ids.VIEW, "data"),
        State(ids.DETAILS, "data"),
        State("uc-chart-bucket", "value", allow_optional=True),
        State("uc-chart-group", "value", allow_optional=True),
        prevent_initial_call=True,
    )
    def redraw(data: Any, details: Any, bucket: str | None, group: str | None) -> Any:
        """Show or hide the time bucket when the group changes; runs as nobody."""
        view = ViewState.of(data)
        if view.view != "chart" or not details or not group:
            return no_update
        table = TableDetails.model_validate(details)
        spec = ChartSpec.of(view.chart, table)
        if bool(spec.bucket) == bool(bucket):
            return no_update
        return _sentence(spec, table)


def _register_drawing(app: Dash, services: Services) -> None:
    @callback(
        app,
        Output(BODY, "children"),
        Output(ids.STRIP, "children", allow_duplicate=True),
        Output(RESULT, "data"),
        Input(ids.VIEW, "data"),
        Input(ids.SHOWN, "data"),
        State(ids.DETAILS, "data"),
        prevent_initial_call=True,
    )
    def draw(data: dict[str, Any], shown: Any, details: Any) -> Any:
        """Ask the warehouse for the groups and draw them; runs as the user."""
        view = ViewState.of(data)
        if view.view != "chart" or shown != [view.table, "chart"] or view.ref is None or not details:
            return no_update, no_update, no_update
        table = TableDetails.model_validate(details)
        spec = ChartSpec.of(view.chart, table)
        try:
            result = services.unity_catalog.aggregate(current_user(), view.ref, spec.request(table, view.tree))
        except LakefrontError as error:
            record(error)
            return html.Div(error_panel(error)), [], None
        return _drawing(result, spec), _strip(result), result.model_dump(mode="json")


def _register_click(app: Dash) -> None:
    @callback(
        app,
        Output(PICK, "children"),
        Output(PICKED, "data"),
        Input(GRAPH, "clickData", allow_optional=True),
        State(RESULT, "data", allow_optional=True),
        State(ids.VIEW, "data"),
        State(ids.DETAILS, "data"),
        prevent_initial_call=True,
    )
    def pick(click: Any, stored: Any, data: Any, details: Any) -> Any:
        """A card with a group's figures and the way to its rows; runs as nobody."""
        if not click or not stored or not details:
            return no_update, no_update
        spec = ChartSpec.of(ViewState.of(data).chart, TableDetails.model_validate(details))
        result = AggregateResult.model_validate(stored)
        row = _row_of(click["points"][0], result, spec)
        if row is None:
            return no_update, no_update
        return _card(result, spec, row), click_filter(spec, result, row)

    @callback(
        app,
        Output(ids.VIEW, "data", allow_duplicate=True),
        Input(SHOW_ROWS, "n_clicks", allow_optional=True),
        State(PICKED, "data", allow_optional=True),
        State(ids.VIEW, "data"),
        prevent_initial_call=True,
    )
    def show_rows(pressed: int | None, picked: Any, data: Any) -> Any:
        """Filter the grid to the group and go there; runs as nobody."""
        if not pressed or not picked:
            return no_update
        return {**data, "view": "rows", "filter": [*data["filter"], *picked]}


def _sentence(spec: ChartSpec, details: TableDetails) -> list[Component]:
    measures, groups = measure_options(details), group_options(details)
    first_label, second_label = "First measure", "Second measure"
    return [
        html.Span("Draw"),
        _select("kind", "Kind of chart", [{"label": words, "value": kind} for kind, words in KINDS.items()], spec.kind),
        html.Span("of"),
        _select("first", first_label, measures, spec.first),
        html.Span("and"),
        _select("second", second_label, [{"label": "nothing else", "value": ""}, *measures], spec.second),
        html.Span("by"),
        _select("group", "Group by column", groups, spec.group),
        _select(
            "bucket",
            "Time bucket",
            [{"label": words, "value": bucket} for bucket, words in BUCKETS.items()],
            spec.bucket or "",
            hidden=spec.bucket is None,
        ),
        html.Span("and"),
        _select("group2", "Second group", [{"label": "no second group", "value": ""}, *groups], spec.group2),
    ]


def _select(name: str, label: str, options: list[dict[str, str]], value: str, *, hidden: bool = False) -> Component:
    """A native select with a name for screen readers; a label wraps it, because the component takes no aria-label."""
    control = dbc.Select(id=f"uc-chart-{name}", options=options, value=value)
    return html.Label([html.Span(label, className="visually-hidden"), control], hidden=hidden)


def _drawing(result: AggregateResult, spec: ChartSpec) -> list[Component]:
    notes: list[Component] = []
    if result.truncated:
        of = f" of {number(result.total_groups)} groups" if result.total_groups else ""
        which = "first" if spec.bucket else "largest"
        notes.append(note(f"The {number(len(result.rows))} {which}{of} are drawn.", "info"))
    if not result.rows:
        notes.append(note("No row matches the filters, so there is nothing to draw.", "info"))
    drawn = html.Figure(
        [
            html.Figcaption(caption(result, spec), className="visually-hidden"),
            *notes,
            dcc.Graph(id=GRAPH, figure=figure(result, spec), config=CONFIG, className="lf-chart", responsive=True),
            html.Div(id=PICK, className="lf-pick", role="status"),
        ],
        className="lf-figure",
    )
    return [drawn, _table(result, spec)]


def _table(result: AggregateResult, spec: ChartSpec) -> Component:
    groups, measures = names(result, spec)
    words = [measure_words(word) for word in (spec.first, spec.second) if word]
    heads = [html.Th(" · ".join(groups) or "All rows"), *(html.Th(word, className="num") for word in words)]
    lines = [
        html.Tr(
            [
                html.Td(group_words(result, spec, row) or "all rows"),
                *(html.Td(figure_words(row[name]), className="num") for name in measures),
            ]
        )
        for row in result.rows
    ]
    cut = "" if result.truncated else ", none cut"
    return html.Aside(
        [
            html.Div(
                [html.H2("Data"), html.Span(f"{number(len(result.rows))} groups{cut}", className="small faint push")],
                className="row-flex lf-data-head",
            ),
            html.Table([html.Thead(html.Tr(heads)), html.Tbody(lines)], className="lf-table dense"),
        ],
        className="lf-inspect lf-data",
        tabIndex="0",
        **{"aria-label": "Data of the chart"},
    )


def _card(result: AggregateResult, spec: ChartSpec, row: dict[str, Any]) -> list[Component]:
    _, measures = names(result, spec)
    words = [
        f"{measure_words(word)} {figure_words(row[name])}"
        for word, name in zip((spec.first, spec.second), measures, strict=False)
    ]
    show = html.Button(
        [icon("funnel"), html.Span("Show these rows")], id=SHOW_ROWS, type="button", className="btn btn-sm btn-primary"
    )
    return [html.B(group_words(result, spec, row)), html.Div(" · ".join(words), className="dim small"), show]


def _row_of(point: dict[str, Any], result: AggregateResult, spec: ChartSpec) -> dict[str, Any] | None:
    """The group that was clicked, by its place on the axis."""
    groups, _ = names(result, spec)
    if not groups:
        return None
    if len(groups) == 1:
        place = point.get("pointIndex", point.get("pointNumber"))
        return result.rows[place] if isinstance(place, int) and place < len(result.rows) else None
    wanted = str(point.get("x"))[:10]
    return next((row for row in result.rows if str(row[groups[0]])[:10] == wanted), None)


def _strip(result: AggregateResult) -> list[Component]:
    query = result.query
    facts = [f"warehouse {query.warehouse_id}"] if query.warehouse_id else []
    of = result.total_groups or len(result.rows)
    facts.append(f"{number(len(result.rows))} of {number(of)} groups")
    return [
        waterline(Identity.of_user(query.runs_as), query.elapsed_ms, facts, [sql_button("uc-sql")]),
        sql_panel("uc-sql", query.statement, query.parameters),
    ]
