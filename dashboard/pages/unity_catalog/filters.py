"""The filter bar: one chip for each condition; a small form adds and edits.

Every operator, which types it suits and how people say it come from the service's own table, so the page, the API and
the statement cannot disagree. A wrong value is refused by the service before any statement runs and shown at the form.
"""

from __future__ import annotations

import csv
import json
from typing import Any

import dash_bootstrap_components as dbc
from dash import ALL, ClientsideFunction, Dash, Input, Output, State, ctx, html, no_update
from dash.development.base_component import Component

from dashboard.callbacks import callback
from dashboard.components.controls import button, field
from dashboard.components.signs import hidden, icon
from dashboard.pages.unity_catalog import ids
from dashboard.pages.unity_catalog.view_state import ViewState
from services.errors import InvalidRequest
from services.unity_catalog.filter_tree import And, Condition, FilterNode, Not
from services.unity_catalog.filters import OPERATORS, check
from services.unity_catalog.models import Column, TableDetails

_CHIP_OPERATORS = {"ge": "at least", "le": "at most", "gt": "greater than", "lt": "less than"}
_INPUT_TYPES = {"date": "date", "timestamp": "datetime-local"}


def sentence(node: FilterNode) -> tuple[str, str, str]:
    """Column, operator and value of a chip; a nested tree is said in one piece."""
    if isinstance(node, Condition):
        operator = _CHIP_OPERATORS.get(node.operator) or OPERATORS[node.operator].sentence
        return node.column, operator, _value_words(node.value)
    if isinstance(node, Not):
        return "not", "", " ".join(sentence(node.negated)).strip()
    word, children = ("and", node.all_of) if isinstance(node, And) else ("or", node.any_of)
    return "", "", f" {word} ".join(f"({' '.join(sentence(child)).strip()})" for child in children)


def chips(view: ViewState) -> list[Component]:
    """The chips of a view's filter and the buttons beside them."""
    drawn = [_chip(place, node) for place, node in enumerate(view.filter)]
    clear = button("Clear", ids.FILTER_CLEAR, "ghost", small=True, hidden=not view.filter)
    return [*drawn, button("Filter", ids.FILTER_ADD, "ghost", "plus-lg", small=True), clear]


def form(details: TableDetails, condition: Condition | None, problem: str = "") -> Component:
    """The form of one condition: column, operator, value."""
    column = next((one for one in details.columns if condition and one.name == condition.column), details.columns[0])
    chosen = condition.operator if condition and condition.operator in column.operators else _usual(column)
    names = [{"label": one.name, "value": one.name} for one in details.columns if one.operators]
    value = "" if condition is None else _edit_words(condition)
    return html.Div(
        html.Div(
            [
                field("Column", dbc.Select(id=ids.FILTER_COLUMN, options=names, value=column.name)),
                field("Condition", dbc.Select(id=ids.FILTER_OPERATOR, options=_operator_options(column), value=chosen)),
                html.Div(_value_field(column, chosen, value, problem), id="uc-filter-value-box"),
                html.Div(
                    [
                        button("Cancel", ids.FILTER_CANCEL, "ghost", small=True),
                        button(
                            "Change the filter" if condition else "Add the filter",
                            ids.FILTER_APPLY,
                            "primary",
                            small=True,
                        ),
                    ],
                    className="row-flex lf-form-actions",
                ),
            ],
            className="lf-filter-form",
            role="group",
            **{"aria-label": "Filter", "data-submit": ids.FILTER_APPLY, "data-leave": ids.FILTER_CANCEL},
        ),
        className="lf-filter-place",
    )


def read(column: Column, operator: str, text: str) -> Condition:
    """A condition from what was typed; whether the value suits the column is the service's to say.

    Raises:
        InvalidRequest: a number was expected, or the value is missing.
    """
    takes = OPERATORS[operator].takes
    if takes == "none":
        return Condition(column=column.name, operator=operator)  # type: ignore[arg-type]
    if not text and column.kind != "text":
        raise InvalidRequest("value", "a value is needed")
    if takes == "one":
        value: Any = _scalar(column, text)
    else:
        value = [_scalar(column, part.strip()) for part in _listed(text)]
        if takes == "two" and len(value) != 2:
            raise InvalidRequest("value", "two values with a comma between them, the lowest and the highest")
    return Condition(column=column.name, operator=operator, value=value)  # type: ignore[arg-type]


def register(app: Dash) -> None:
    """Add the callbacks: draw the chips, add, edit, remove, clear."""
    _register_chips(app)
    _register_form(app)
    _register_apply(app)


def _register_chips(app: Dash) -> None:
    @callback(app, Output(ids.CHIPS, "children"), Input(ids.FILTER, "data"), prevent_initial_call=True)
    def draw(nodes: list[Any] | None) -> list[Component]:
        """Draw the chips; runs as nobody."""
        return chips(ViewState.of({"filter": nodes or []}))

    app.clientside_callback(
        ClientsideFunction("explorer", "narrow"),
        Output(ids.VIEW, "data", allow_duplicate=True),
        Output(ids.FILTER_EDITED, "data"),
        Input({"type": ids.CHIP_REMOVE, "place": ALL}, "n_clicks"),
        Input({"type": ids.CHIP_EDIT, "place": ALL}, "n_clicks"),
        Input(ids.FILTER_CLEAR, "n_clicks"),
        Input(ids.FILTER_ADD, "n_clicks"),
        State(ids.VIEW, "data"),
        prevent_initial_call=True,
    )


def _register_form(app: Dash) -> None:
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

    @callback(
        app,
        Output(ids.FILTER_OPERATOR, "options"),
        Output(ids.FILTER_OPERATOR, "value"),
        Output("uc-filter-value-box", "children"),
        Input(ids.FILTER_COLUMN, "value"),
        Input(ids.FILTER_OPERATOR, "value"),
        State(ids.FILTER_VALUE, "value"),
        State(ids.DETAILS, "data"),
        prevent_initial_call=True,
    )
    def choose(name: str, operator: str, typed: str | None, details: dict[str, Any]) -> Any:
        """Fit operators and value field to the chosen column; runs as nobody."""
        if len(ctx.triggered) > 1:
            # The form was just drawn, as it should be: drawing its field anew would take the focus from it.
            return no_update, no_update, no_update
        column = _column(TableDetails.model_validate(details), name)
        fitting = operator if operator in column.operators else _usual(column)
        kept = typed if ctx.triggered_id == ids.FILTER_OPERATOR else ""
        return _operator_options(column), fitting, _value_field(column, fitting, str(kept or ""), "")


def _register_apply(app: Dash) -> None:
    @callback(
        app,
        Output(ids.VIEW, "data", allow_duplicate=True),
        Output(ids.FILTER_EDITED, "data", allow_duplicate=True),
        Output("uc-filter-value-box", "children", allow_duplicate=True),
        Input(ids.FILTER_APPLY, "n_clicks"),
        State(ids.FILTER_COLUMN, "value"),
        State(ids.FILTER_OPERATOR, "value"),
        State(ids.FILTER_VALUE, "value"),
        State(ids.FILTER_EDITED, "data"),
        State(ids.VIEW, "data"),
        State(ids.DETAILS, "data"),
        prevent_initial_call=True,
    )
    def apply(
        pressed: int | None,
        name: str,
        operator: str,
        typed: str | None,
        edited: dict[str, Any] | None,
        data: dict[str, Any],
        details: dict[str, Any],
    ) -> Any:
        """Take the condition over, or say at the field why not; runs as nobody (no statement is sent)."""
        if not pressed:
            return no_update, no_update, no_update
        table = TableDetails.model_validate(details)
        column = _column(table, name)
        text = "" if typed is None else str(typed)
        try:
            condition = read(column, operator, text)
            check(condition, table.columns)
        except InvalidRequest as error:
            return no_update, no_update, _value_field(column, operator, text, _sentence_case(error.reason))
        view = ViewState.of(data)
        place = (edited or {}).get("place")
        nodes = list(view.filter)
        if place is None or place >= len(nodes):
            nodes.append(condition)
        else:
            nodes[place] = condition
        return view.model_copy(update={"filter": nodes}).store(), None, no_update


def _chip(place: int, node: FilterNode) -> Component:
    column, operator, value = sentence(node)
    words = [html.B(column), " ", html.Span(operator, className="op"), " ", value]
    editable = isinstance(node, Condition)
    return html.Span(
        [
            html.Button(words, id={"type": ids.CHIP_EDIT, "place": place}, type="button", disabled=not editable),
            html.Button(
                [icon("x"), hidden(f"Remove the filter on {column or 'several columns'}")],
                id={"type": ids.CHIP_REMOVE, "place": place},
                type="button",
                title="Remove",
            ),
        ],
        className="lf-chip on",
    )


def _column(details: TableDetails, name: str) -> Column:
    return next((one for one in details.columns if one.name == name), details.columns[0])


def _usual(column: Column) -> str:
    """The operator that a person most likely wants."""
    for name in {"text": ("contains",), "boolean": ("eq",)}.get(column.kind, ("ge", "eq", "is_not_null")):
        if name in column.operators:
            return name
    return column.operators[0] if column.operators else "is_not_null"


def _operator_options(column: Column) -> list[dict[str, str]]:
    return [{"label": OPERATORS[name].sentence, "value": name} for name in column.operators]


def _value_field(column: Column, operator: str, value: str, problem: str) -> Component:
    takes = OPERATORS[operator].takes
    if takes == "none":
        return dbc.Input(id=ids.FILTER_VALUE, type="hidden", value="")
    hint = {
        "many": 'Values with commas between them; one with a comma stands in "quotes".',
        "two": "Lowest and highest, with a comma between them.",
    }
    if column.kind == "boolean":
        options = [{"label": "true", "value": "true"}, {"label": "false", "value": "false"}]
        control: Component = dbc.Select(id=ids.FILTER_VALUE, options=options, value=value or "true")
    else:
        kind = _INPUT_TYPES.get(column.kind, "text") if takes == "one" else "text"
        step = {"step": "1"} if kind == "datetime-local" else {}
        control = dbc.Input(
            id=ids.FILTER_VALUE, type=kind, value=value, autocomplete="off", invalid=bool(problem), **step
        )
    return field("Value", control, kind=column.data_type, hint=hint.get(takes), error=problem or None)


def _scalar(column: Column, text: str) -> Any:
    if column.kind == "boolean":
        if text.lower() not in {"true", "false"}:
            raise InvalidRequest("value", "true or false")
        return text.lower() == "true"
    if column.kind in {"integer", "number"}:
        try:
            return int(text) if column.kind == "integer" else float(text)
        except ValueError:
            wanted = "a whole number" if column.kind == "integer" else "a number"
            raise InvalidRequest("value", f"{wanted} expected, not {text!r}") from None
    return text


def _value_words(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_value_words(one) for one in value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if value == "":
        return '""'
    return "" if value is None else repr(value).removesuffix(".0") if isinstance(value, float) else str(value)


def _edit_words(condition: Condition) -> str:
    value = condition.value
    if isinstance(value, list):
        return ", ".join(_quoted(one) if isinstance(one, str) else json.dumps(one) for one in value)
    return "" if value is None else value if isinstance(value, str) else json.dumps(value)


def _listed(text: str) -> list[str]:
    """Values with commas between them, one with a comma in quotes (RFC 4180).

    Raises:
        InvalidRequest: quotes that do not end where a value ends.
    """
    try:
        return next(csv.reader([text], skipinitialspace=True, strict=True), [])
    except csv.Error:
        raise InvalidRequest("value", "each quoted value ends with its quote, then a comma follows") from None


def _quoted(text: str) -> str:
    """A value of a list as ``read`` takes it apart again: in quotes where a comma or a quote would mislead."""
    if text == text.strip() and text and not {",", '"', "\n", "\r"} & set(text):
        return text
    return '"' + text.replace('"', '""') + '"'


def _sentence_case(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"
