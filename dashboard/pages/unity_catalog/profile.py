"""The profile view: one row a column with its figures and distribution, of the whole table or the filtered rows."""

from __future__ import annotations

from typing import Any

from dash import Dash, Input, Output, State, ctx, html, no_update, set_props
from dash.development.base_component import Component

from dashboard.callbacks import callback
from dashboard.components.controls import button, segment, skeleton
from dashboard.components.feedback import blank, counting_since, error_panel
from dashboard.components.signs import Identity, icon
from dashboard.components.waterline import sql_button, sql_panel, waterline
from dashboard.components.words import number, plural
from dashboard.identity import current_user
from dashboard.pages.unity_catalog import ids
from dashboard.pages.unity_catalog.figures import NOTHING, distribution, percent, type_words, value_words
from dashboard.pages.unity_catalog.rows import RUNNING
from dashboard.pages.unity_catalog.states import failed_strip, shown
from dashboard.pages.unity_catalog.view_state import ViewState
from dashboard.pages.unity_catalog.warehouse import WarehouseWords
from services.container import Services
from services.errors import Cancelled, LakefrontError
from services.unity_catalog.models import ColumnProfile, Kind, Profile, ProfileRequest, TableDetails

SCOPE = "uc-profile-scope"
BODY = "uc-profile-body"
REFRESH = "uc-profile-refresh"
_SIGNS: dict[Kind, Any] = {"integer": "12", "number": "#", "decimal": "#", "text": "Aa", "boolean": "?"}
_CLOCKS = frozenset({"date", "timestamp"})


def panel(details: TableDetails) -> Component:
    """The view before the figures are there: the columns are known, so the lines already stand."""
    waiting = [
        html.Tr([html.Td(column.name), *(html.Td(skeleton(60)) for _ in range(5))]) for column in details.columns
    ]
    return html.Div(_table(waiting, details.full_name), id=BODY, className="lf-scroll lf-fill", **_region(details))


def side(view: ViewState) -> list[Component]:
    """The choice at the end of the tab bar."""
    options = (("filtered", "Filtered rows"), ("whole", "Whole table"))
    return [segment(SCOPE, "Rows that are profiled", options, "filtered" if view.filter else "whole")]


def register(app: Dash, services: Services, warehouse: WarehouseWords) -> None:
    """Add the callback that reads the profile."""

    @callback(
        app,
        Output(BODY, "children"),
        Input(SCOPE, "value"),
        Input(ids.ASKED, "data"),
        Input(REFRESH, "n_clicks", allow_optional=True),
        Input(ids.SHOWN, "data"),
        State(ids.VIEW, "data"),
        State(ids.DETAILS, "data"),
        running=[RUNNING],
        prevent_initial_call=True,
    )
    def show(scope: str | None, asked: Any, _: int | None, drawn: Any, data: dict[str, Any], details: Any) -> Any:
        """Profile all columns; runs as the user. The strip below is set here too: it belongs to every view."""
        view = ViewState.of(data)
        if view.view != "profile" or not drawn or drawn[0] != view.table or view.ref is None or not details:
            return no_update
        table = TableDetails.model_validate(details)
        request = ProfileRequest(filter=view.tree if scope == "filtered" else None)
        user_name = ""
        try:
            user = current_user()
            user_name = user.user_name
            profile = services.unity_catalog.profile(
                user, view.ref, request, refresh=ctx.triggered_id == REFRESH, cancel_key=(asked or {}).get("key")
            )
        except Cancelled:
            again = button("Read the profile", REFRESH, "primary")
            return blank("starting", "Cancelled", ["You stopped the statement before its answer was here."], [again])
        except LakefrontError as error:
            shown(error)
            set_props(ids.STRIP, {"children": failed_strip(error, user_name)})
            return error_panel(error, retry=button("Try again", REFRESH, "primary"))
        kinds = {column.name: column.kind for column in table.columns}
        lines = [_line(one, kinds.get(one.name, "other"), profile.rows_read) for one in profile.columns]
        set_props(ids.STRIP, {"children": _strip(profile, warehouse())})
        return _table(lines, table.full_name)


def _table(lines: list[Component], name: str) -> Component:
    heads = [
        html.Th("Column"),
        html.Th("Nulls", className="num"),
        html.Th("Distinct, about", className="num"),
        html.Th("Smallest", className="num"),
        html.Th("Largest", className="num"),
        html.Th("Distribution or most frequent values"),
    ]
    caption = html.Caption(f"Profile of the columns of {name}", className="visually-hidden")
    return html.Table([caption, html.Thead(html.Tr(heads)), html.Tbody(lines)], className="lf-table lf-profile")


def _line(profile: ColumnProfile, kind: Kind, rows: int) -> Component:
    mark = icon("clock") if kind in _CLOCKS else _SIGNS.get(kind, "")
    sign = html.Span(mark, className="lf-type-sign faint", **{"aria-hidden": "true"})
    distinct = number(profile.approx_distinct) if profile.approx_distinct is not None else NOTHING
    name = html.Div([html.B(profile.name), html.Div(type_words(profile.data_type), className="small faint")])
    nulls = [number(profile.nulls), html.Div(percent(profile.nulls, rows), className="small faint")]
    return html.Tr(
        [
            html.Td(html.Div([sign, name], className="lf-name-cell")),
            html.Td(nulls, className="num"),
            html.Td(distinct, className="num"),
            *(
                html.Td(words, className="num cut lf-extreme", title=words)
                for words in (value_words(end, profile.data_type) for end in (profile.minimum, profile.maximum))
            ),
            html.Td(distribution(profile, rows), className="lf-distribution"),
        ]
    )


def _strip(profile: Profile, warehouse: str) -> list[Component]:
    since = html.Span(["refreshed ", counting_since(profile.query.fetched_at.timestamp())])
    facts = [warehouse, f"{plural(profile.rows_read, 'row')} read", since]
    statements = ";\n\n".join(query.statement for query in profile.queries)
    actions = [button("Refresh", REFRESH, "ghost", "arrow-clockwise", small=True), sql_button("uc-sql")]
    parameters = {name: value for query in profile.queries for name, value in query.parameters.items()}
    milliseconds = sum(query.elapsed_ms for query in profile.queries)
    return [
        waterline(Identity.of_user(profile.query.runs_as), milliseconds, facts, actions),
        sql_panel("uc-sql", statements, parameters),
    ]


def _region(details: TableDetails) -> dict[str, str]:
    return {"role": "region", "tabIndex": "0", "aria-label": f"Profile of {details.full_name}"}
