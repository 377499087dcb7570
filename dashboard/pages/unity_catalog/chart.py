"""The chart view: a sentence of native selects, the drawing, its data as a table, and a way from a bar to its rows.

The warehouse groups; nothing is aggregated in the browser. More groups than can be drawn are cut, and a note says so.
"""

from __future__ import annotations

from typing import Any

import dash_bootstrap_components as dbc
from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html, no_update, set_props
from dash.development.base_component import Component

from dashboard.callbacks import callback
from dashboard.components.charts import CONFIG
from dashboard.components.controls import button
from dashboard.components.feedback import blank, error_panel, note
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
    NONE,
    ChartSpec,
    group_heading,
    group_options,
    measure_heading,
    measure_options,
    measure_words,
)
from dashboard.pages.unity_catalog.rows import RUNNING
from dashboard.pages.unity_catalog.states import failed_strip, shown
from dashboard.pages.unity_catalog.view_state import ViewState
from dashboard.pages.unity_catalog.warehouse import WarehouseWords
from services.container import Services
from services.errors import Cancelled, LakefrontError
from services.unity_catalog.models import AggregateResult, TableDetails

BODY = "uc-chart-body"
GRAPH = "uc-chart"
RESULT = "uc-chart-result"
PICK = "uc-chart-pick"
SHOW_ROWS = "uc-chart-rows"
PICKED = "uc-chart-picked"
SAID = "uc-chart-said"
"""Store of the sentence as it is drawn, so that drawing it is not taken for a change of it."""
ROW = "uc-chart-row"
"""Store of the line of the table that was pressed."""
ADD_GROUP = "uc-chart-add-group"
AGAIN = "uc-chart-again"
SAVE_PICTURE = "uc-chart-picture"
AS_TABLE = "uc-chart-as-table"
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
        dcc.Store(id=SAID, data=spec.model_dump()),
        dcc.Store(id=RESULT),
        dcc.Store(id=PICKED),
        dcc.Store(id=ROW),
        html.Div(html.Div(className="lf-skel lf-chart-wait"), id=BODY, className="lf-split lf-chart-split"),
    ]


def side() -> list[Component]:
    """What stands at the end of the tab bar."""
    return [
        button("Data as table", AS_TABLE, "ghost", "table", "hide-phone", small=True, **{"aria-pressed": "true"}),
        button("Save picture", SAVE_PICTURE, "ghost", "image", "hide-phone", small=True),
    ]


def register(app: Dash, services: Services, warehouse: WarehouseWords) -> None:
    """Add the callbacks: the sentence, the drawing, the click."""
    _register_sentence(app)
    _register_drawing(app, services, warehouse)
    _register_click(app)
    app.clientside_callback(
        ClientsideFunction("charts", "picture"),
        Output(SAVE_PICTURE, "title"),
        Input(SAVE_PICTURE, "n_clicks"),
        prevent_initial_call=True,
    )


def _register_sentence(app: Dash) -> None:
    app.clientside_callback(
        ClientsideFunction("explorer", "say"),
        Output(ids.VIEW, "data", allow_duplicate=True),
        *(Input(f"uc-chart-{name}", "value", allow_optional=True) for name in _CHOICES),
        Input(ADD_GROUP, "n_clicks", allow_optional=True),
        State(SAID, "data", allow_optional=True),
        State(ids.VIEW, "data"),
        State(ids.DETAILS, "data"),
        prevent_initial_call=True,
    )

    @callback(
        app,
        Output("uc-chart-say", "children"),
        Output(SAID, "data"),
        Input(ids.CHART, "data"),
        State(ids.DETAILS, "data"),
        State(SAID, "data"),
        prevent_initial_call=True,
    )
    def redraw(words: Any, details: Any, said: Any) -> Any:
        """Draw the sentence anew: a time bucket or a second group may have come or gone; runs as nobody."""
        if not details:
            return no_update, no_update
        table = TableDetails.model_validate(details)
        spec = ChartSpec.of(words, table)
        if spec.model_dump() == said:
            return no_update, no_update
        return _sentence(spec, table), spec.model_dump()


def _register_drawing(app: Dash, services: Services, warehouse: WarehouseWords) -> None:
    @callback(
        app,
        Output(BODY, "children"),
        Output(RESULT, "data"),
        Input(ids.CHART, "data"),
        Input(ids.ASKED, "data"),
        Input(ids.SHOWN, "data"),
        Input(AGAIN, "n_clicks", allow_optional=True),
        State(ids.VIEW, "data"),
        State(ids.DETAILS, "data"),
        running=[RUNNING],
        prevent_initial_call=True,
    )
    def draw(_: Any, asked: Any, drawn: Any, __: int | None, data: dict[str, Any], details: Any) -> Any:
        """Ask the warehouse for the groups and draw them; runs as the user. Sets the strip below, too."""
        view = ViewState.of(data)
        if view.view != "chart" or not drawn or drawn[0] != view.table or view.ref is None or not details:
            return no_update, no_update
        table = TableDetails.model_validate(details)
        spec = ChartSpec.of(view.chart, table)
        user_name, again = "", button("Draw the chart", AGAIN, "primary")
        try:
            user = current_user()
            user_name = user.user_name
            result = services.unity_catalog.aggregate(
                user, view.ref, spec.request(table, view.tree), cancel_key=(asked or {}).get("key")
            )
        except Cancelled:
            words = ["You stopped the statement before its answer was here."]
            return html.Div(blank("starting", "Cancelled", words, [again])), None
        except LakefrontError as error:
            shown(error)
            set_props(ids.STRIP, {"children": failed_strip(error, user_name)})
            return html.Div(error_panel(error, retry=again)), None
        set_props(ids.STRIP, {"children": _strip(result, warehouse())})
        return _drawing(result, spec), result.model_dump(mode="json")


def _register_click(app: Dash) -> None:
    @callback(
        app,
        Output(PICK, "children"),
        Output(PICKED, "data"),
        Input(ROW, "data"),
        State(RESULT, "data"),
        State(ids.VIEW, "data"),
        State(ids.DETAILS, "data"),
        prevent_initial_call=True,
    )
    def pick(chosen: Any, stored: Any, data: Any, details: Any) -> Any:
        """A card with a group's figures and the way to its rows; runs as nobody."""
        if not chosen or not stored or not details:
            return [], None
        spec = ChartSpec.of(ViewState.of(data).chart, TableDetails.model_validate(details))
        result = AggregateResult.model_validate(stored)
        row = row_of(chosen, result, spec)
        if row is None:
            return [], None
        return _card(result, spec, row), {
            "filter": click_filter(spec, result, row),
            "place": result.rows.index(row),
        }

    app.clientside_callback(
        ClientsideFunction("explorer", "clicked"),
        Output(ROW, "data"),
        Input(GRAPH, "clickData"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("explorer", "showRows"),
        Output(ids.VIEW, "data", allow_duplicate=True),
        Input(SHOW_ROWS, "n_clicks", allow_optional=True),
        State(PICKED, "data", allow_optional=True),
        State(ids.VIEW, "data"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("explorer", "picked"),
        Output(PICKED, "storage_type"),
        Input(PICKED, "data"),
        prevent_initial_call=True,
    )


def _sentence(spec: ChartSpec, details: TableDetails) -> list[Component]:
    measures, groups = measure_options(details), group_options(details)
    first_label, second_label = "First measure", "Second measure"
    parts = [
        html.Span("Draw"),
        _select("kind", "Kind of chart", [{"label": words, "value": kind} for kind, words in KINDS.items()], spec.kind),
        html.Span("of"),
        _select("first", first_label, measures, spec.first),
        html.Span("and"),
        _select("second", second_label, [{"label": "nothing else", "value": NONE}, *measures], spec.second or NONE),
        html.Span("by"),
        _select("group", "Group by column", groups, spec.group),
    ]
    if spec.bucket:
        buckets = [{"label": words, "value": bucket} for bucket, words in BUCKETS.items()]
        parts.append(_select("bucket", "Time bucket", buckets, spec.bucket))
    if not spec.group2:
        return [*parts, button("Second group", ADD_GROUP, "ghost", "plus-lg", small=True)]
    second = [{"label": "no second group", "value": NONE}, *(one for one in groups if one["value"] != spec.group)]
    return [*parts, html.Span("and"), _select("group2", "Second group", second, spec.group2)]


def _select(name: str, label: str, options: list[dict[str, str]], value: str) -> Component:
    """A native select with a name for screen readers; a label wraps it, because the component takes no aria-label."""
    control = dbc.Select(id=f"uc-chart-{name}", options=options, value=value)
    return html.Label([html.Span(label, className="visually-hidden"), control], key=name)


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
    heads = [
        html.Th(group_heading(spec) if groups else "All rows"),
        *(html.Th(measure_heading(word), className="num") for word in (spec.first, spec.second) if word),
    ]
    lines = [
        html.Tr(
            [
                html.Td(_line_button(group_words(result, spec, row), place) if groups else "all rows"),
                *(html.Td(figure_words(row[name]), className="num") for name in measures),
            ]
        )
        for place, row in enumerate(result.rows)
    ]
    caption_ = html.Caption(
        "Data of the chart; a group shows its figures and leads to its rows", className="visually-hidden"
    )
    return html.Aside(
        html.Table([caption_, html.Thead(html.Tr(heads)), html.Tbody(lines)], className="lf-table dense"),
        className="lf-inspect lf-data",
        tabIndex="0",
        **{"aria-label": "Data of the chart"},
    )


def _line_button(words: str, place: int) -> Component:
    """A group in the table: pressing it does what a click on its bar does (assets/explorer_chart.js)."""
    return html.Button(words, type="button", className="lf-group", **{"data-group": str(place)})


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


def row_of(chosen: dict[str, Any], result: AggregateResult, spec: ChartSpec) -> dict[str, Any] | None:
    """The group that was chosen: by its ``place`` among the rows, or by where it was clicked (``x``, ``series``)."""
    groups, _ = names(result, spec)
    place = chosen.get("place")
    if not groups:
        return None
    if place is not None and (len(groups) == 1 or chosen.get("x") is None):
        return result.rows[place] if 0 <= place < len(result.rows) else None
    wanted = str(chosen.get("x"))
    series = chosen.get("series") if len(groups) == 2 else None
    for row in result.rows:
        x = "null" if row[groups[0]] is None else str(row[groups[0]])
        y = "null" if row[groups[-1]] is None else str(row[groups[-1]])
        if _alike(x, wanted) and (series is None or y == str(series)):
            return row
    return None


def _alike(one: str, other: str) -> bool:
    """Plotly writes a moment its own way: ``2016-01-23`` for ``2016-01-23T00:00:00Z``."""
    plain = [text.replace("T", " ").removesuffix("Z").removesuffix(":00") for text in (one, other)]
    return plain[0] == plain[1] or plain[0].removesuffix(":00").removesuffix(" 00") == plain[1]


def _strip(result: AggregateResult, warehouse: str) -> list[Component]:
    query = result.query
    of = result.total_groups or len(result.rows)
    facts = [warehouse, f"{number(len(result.rows))} of {number(of)} groups"]
    return [
        waterline(Identity.of_user(query.runs_as), query.elapsed_ms, facts, [sql_button("uc-sql")]),
        sql_panel("uc-sql", query.statement, query.parameters),
    ]
