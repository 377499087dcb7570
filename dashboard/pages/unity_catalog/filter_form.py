"""The form of one condition: column, operator, and the fields that fit both.

Every operator, which types it suits and how people say it come from the service's own table, so the page, the API and
the statement cannot disagree. A wrong value is said at its field before any statement runs. All fields are always
there, those that do not fit hidden: so nothing that was typed is lost when the operator changes.
"""

from __future__ import annotations

from typing import Any

import dash_bootstrap_components as dbc
from dash import Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component

from dashboard.callbacks import callback
from dashboard.components.controls import button, field
from dashboard.pages.unity_catalog import ids
from dashboard.pages.unity_catalog.figures import type_words
from dashboard.pages.unity_catalog.filter_set import list_hint, note, note_words, waiting
from dashboard.pages.unity_catalog.filter_values import Draft, Field, WrongValuesError, picker, read
from dashboard.pages.unity_catalog.view_state import ViewState
from services.errors import InvalidRequest
from services.unity_catalog.filter_tree import Condition
from services.unity_catalog.filters import OPERATORS, check
from services.unity_catalog.models import Column, TableDetails

_NUMBERS = frozenset({"integer", "number", "decimal"})
_FIELDS: dict[Field, str] = {
    "one": ids.FILTER_VALUE,
    "to": ids.FILTER_TO,
    "chosen": ids.FILTER_CHOSEN,
    "listed": ids.FILTER_LIST,
}
_TYPED = (
    State(ids.FILTER_VALUE, "value"),
    State(ids.FILTER_TO, "value"),
    State(ids.FILTER_CHOSEN, "value"),
    State(ids.FILTER_LIST, "value"),
)
"""What ``_draft`` takes."""
_JUDGED: tuple[Field, ...] = ("one", "to", "listed")
"""Fields that may look wrong."""
_UNSAID = (no_update,) * (len(_FIELDS) + len(_JUDGED))
"""In the place of what ``_said`` gives, where nothing is said."""


def form(details: TableDetails, condition: Condition | None) -> Component:
    """The form of a new condition, or of one that there is."""
    column = next((one for one in details.columns if condition and one.name == condition.column), details.columns[0])
    chosen = condition.operator if condition and condition.operator in column.operators else usual(column)
    names = [{"label": one.name, "value": one.name} for one in details.columns if one.operators]
    draft = Draft.of(column, condition if condition and condition.operator == chosen else None)
    apply = "Change the filter" if condition else "Add the filter"
    actions = [
        button("Cancel", ids.FILTER_CANCEL, "ghost", small=True),
        button(apply, ids.FILTER_APPLY, "primary", small=True),
    ]
    return html.Div(
        html.Div(
            [
                field("Column", dbc.Select(id=ids.FILTER_COLUMN, options=names, value=column.name)),
                field("Condition", dbc.Select(id=ids.FILTER_OPERATOR, options=operator_options(column), value=chosen)),
                html.Div(value_fields(column, chosen, draft), id=ids.FILTER_BOX, className="lf-filter-value"),
                html.Div(actions, className="row-flex lf-form-actions"),
            ],
            className="lf-filter-form",
            role="group",
            tabIndex="-1",
            **{"aria-label": "Filter", "data-submit": ids.FILTER_APPLY, "data-leave": ids.FILTER_CANCEL},
        ),
        className="lf-filter-place",
    )


def value_fields(column: Column, operator: str, draft: Draft) -> list[Component]:
    """The fields for the operator's values, those of other operators hidden."""
    takes = OPERATORS[operator].takes
    two = takes == "two"
    hint = _hint(column, two=two)
    return [
        _field("From" if two else "Value", ids.FILTER_VALUE, column, draft.one, takes in {"one", "two"}, hint),
        _field("To", ids.FILTER_TO, column, draft.to, two, _hint(column, two=two, last=True)),
        html.Div(
            waiting(column, operator, draft),
            id=ids.FILTER_MANY,
            className="lf-choices",
            hidden=takes != "many",
            **{"data-drawn": f"{column.name} {operator}"},
        ),
        dcc.Store(id=ids.FILTER_DRAWN, data=operator),
    ]


def usual(column: Column) -> str:
    """The operator that a person most likely wants."""
    for name in {"text": ("contains",), "boolean": ("eq",)}.get(column.kind, ("ge", "eq", "is_not_null")):
        if name in column.operators:
            return name
    return column.operators[0] if column.operators else "is_not_null"


def operator_options(column: Column) -> list[dict[str, str]]:
    """The operators that the column's type takes, in words."""
    return [{"label": OPERATORS[name].sentence, "value": name} for name in column.operators]


def register(app: Dash) -> None:
    """Add the callbacks: open and close the form, fit it to the choice, apply it."""
    _register_opening(app)
    _register_choosing(app)
    _register_applying(app)


def _register_opening(app: Dash) -> None:
    @callback(
        app,
        Output(ids.FILTER_FORM, "children"),
        Input(ids.FILTER_EDITED, "data"),
        State(ids.VIEW, "data"),
        State(ids.DETAILS, "data"),
        prevent_initial_call=True,
    )
    def begin(edited: dict[str, Any] | None, data: dict[str, Any], details: dict[str, Any] | None) -> Any:
        """Open the form for a new condition or for a chip's, or close it; runs as nobody."""
        if not edited or not details:
            return []
        place = edited["place"]
        node = ViewState.of(data).filter[place] if place is not None else None
        return form(TableDetails.model_validate(details), node if isinstance(node, Condition) else None)


def _register_choosing(app: Dash) -> None:
    @callback(
        app,
        Output(ids.FILTER_OPERATOR, "options"),
        Output(ids.FILTER_OPERATOR, "value"),
        Output(ids.FILTER_BOX, "children"),
        Input(ids.FILTER_COLUMN, "value"),
        Input(ids.FILTER_OPERATOR, "value"),
        State(ids.FILTER_DRAWN, "data"),
        State(ids.DETAILS, "data"),
        *_TYPED,
        prevent_initial_call=True,
    )
    def choose(name: str, operator: str, before: str, details: dict[str, Any], *typed: Any) -> Any:
        """Fit operators and fields to the chosen column and operator; runs as nobody."""
        if len(ctx.triggered) > 1:
            # The form was just drawn, as it should be: drawing its field anew would take the focus from it.
            return no_update, no_update, no_update
        column = _column(TableDetails.model_validate(details), name)
        fitting = operator if operator in column.operators else usual(column)
        draft = Draft()
        if ctx.triggered_id == ids.FILTER_OPERATOR:
            draft = _draft(*typed).carried(column, before, fitting)
        return operator_options(column), fitting, value_fields(column, fitting, draft)


def _register_applying(app: Dash) -> None:
    @callback(
        app,
        Output(ids.VIEW, "data", allow_duplicate=True),
        Output(ids.FILTER_EDITED, "data", allow_duplicate=True),
        *(Output(f"{identifier}-note", "children") for identifier in _FIELDS.values()),
        *(Output(_FIELDS[name], "invalid") for name in _JUDGED),
        Input(ids.FILTER_APPLY, "n_clicks"),
        State(ids.FILTER_COLUMN, "value"),
        State(ids.FILTER_OPERATOR, "value"),
        State(ids.FILTER_EDITED, "data"),
        State(ids.VIEW, "data"),
        State(ids.DETAILS, "data"),
        *_TYPED,
        prevent_initial_call=True,
    )
    def apply(
        pressed: int | None,
        name: str,
        operator: str,
        edited: dict[str, Any] | None,
        data: dict[str, Any],
        details: dict[str, Any],
        *typed: Any,
    ) -> Any:
        """Take the condition over, or say at the field why not; runs as nobody (no statement is sent)."""
        if not pressed:
            return no_update, no_update, *_UNSAID
        table = TableDetails.model_validate(details)
        column = _column(table, name)
        try:
            condition = read(column, operator, _draft(*typed))
            check(condition, table.columns)
        except WrongValuesError as error:
            return no_update, no_update, *_said(column, operator, error.problems)
        except InvalidRequest as error:
            reason = f"{error.reason[:1].upper()}{error.reason[1:]}."
            return no_update, no_update, *_said(column, operator, {"one": reason, "listed": reason})
        return _placed(ViewState.of(data), condition, (edited or {}).get("place")).store(), None, *_UNSAID


def _placed(view: ViewState, condition: Condition, place: int | None) -> ViewState:
    """The view with the condition in its place, at the end when it is new."""
    nodes = list(view.filter)
    if place is None or place >= len(nodes):
        nodes.append(condition)
    else:
        nodes[place] = condition
    return view.model_copy(update={"filter": nodes})


def _said(column: Column, operator: str, problems: dict[Field, str]) -> list[Any]:
    """The notes of all fields, and which of them are wrong."""
    two = OPERATORS[operator].takes == "two"
    hints: dict[Field, str] = {
        "one": _hint(column, two=two),
        "to": _hint(column, two=two, last=True),
        "listed": list_hint(column),
    }
    notes = [note_words(_FIELDS[name], problems.get(name, ""), hints.get(name, "")) for name in _FIELDS]
    return [*notes, *(name in problems for name in _JUDGED)]


def _draft(one: str | None, to: str | None, chosen: list[str] | None, listed: str | None) -> Draft:
    texts = ["" if text is None else str(text) for text in (one, to, listed)]
    return Draft(texts[0], texts[1], tuple(chosen or ()), texts[2])


def _column(details: TableDetails, name: str) -> Column:
    return next((one for one in details.columns if one.name == name), details.columns[0])


def _hint(column: Column, *, two: bool, last: bool = False) -> str:
    """What stands under a field: the zone of times, and once that both ends belong to a range."""
    zone = "In UTC" if column.kind == "timestamp" and column.data_type != "TIMESTAMP_NTZ" else ""
    if not two:
        return f"{zone}." if zone else ""
    if not last:
        return ""
    return f"{zone}, both ends included." if zone else "Both ends are included."


def _field(label: str, identifier: str, column: Column, value: str, used: bool, hint: str) -> Component:
    words = [label, " ", html.Span(type_words(column.data_type), className="lf-kind")]
    control = _control(identifier, column, value, used)
    return html.Div(
        [html.Label(words, className="form-label", htmlFor=identifier), control, note(identifier, hint=hint)],
        className="lf-field",
        hidden=not used,
    )


def _control(identifier: str, column: Column, value: str, used: bool) -> Component:
    """The control for one value: a picker for times, a choice for booleans, else a text, so that digits are kept."""
    if column.kind == "boolean":
        options = [{"label": "true", "value": "true"}, {"label": "false", "value": "false"}]
        return dbc.Select(id=identifier, options=options, value=value or ("true" if used else None))
    if "\n" in value:
        return dbc.Textarea(id=identifier, value=value, rows=3)
    own: dict[str, Any] = {"type": picker(column, value), "autocomplete": "off"}
    if own["type"] == "datetime-local":
        own["step"] = "0.001" if "." in value else "1"
    if column.kind in _NUMBERS:
        own["inputmode"] = "decimal"
    if column.kind == "text" and identifier == ids.FILTER_VALUE:
        own["list"] = ids.FILTER_KNOWN
    return dbc.Input(id=identifier, value=value, **own)
