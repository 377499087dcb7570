"""The values of *is one of*: boxes for a column with few different values, a field with commas for any other.

The frequent values come from one statement that runs as the user, only when the form asks for it, and is kept by the
service. Until they are there a skeleton of the same size stands in their place. assets/filter_form.js cancels the
statement when the form closes or asks for another column's values.
"""

from __future__ import annotations

import json
import re
import time
import uuid
from typing import Any

import dash_bootstrap_components as dbc
from dash import Dash, Input, Output, State, dcc, html, no_update
from dash.development.base_component import Component

from dashboard.callbacks import callback
from dashboard.components.controls import button, search_box, skeleton
from dashboard.components.feedback import counting_since
from dashboard.components.signs import icon
from dashboard.components.words import MINUS, elapsed, number
from dashboard.identity import current_user
from dashboard.pages.unity_catalog import ids
from dashboard.pages.unity_catalog.figures import type_words
from dashboard.pages.unity_catalog.filter_values import Draft, as_option, same
from dashboard.pages.unity_catalog.states import shown
from dashboard.pages.unity_catalog.view_state import ViewState
from services.container import Services
from services.errors import Cancelled, LakefrontError
from services.unity_catalog.filters import OPERATORS
from services.unity_catalog.models import Column, FrequentValues, TableDetails

MOST_DISTINCT = 2_000
"""Columns with more different values get no boxes: their most frequent ones are a few out of very many."""
_TITLE = "uc-filter-many-title"
_SEARCHED = 8
"""More values than this get a search field."""


def wanted(column: Column, operator: str) -> bool:
    """Whether the form of this condition needs the frequent values: as boxes, or as suggestions for a text."""
    return OPERATORS[operator].takes == "many" or (column.kind == "text" and operator in {"eq", "ne"})


def waiting(column: Column, operator: str, draft: Draft) -> list[Component]:
    """What stands there until the frequent values are known, with the request for them; nothing when none is wanted."""
    key = uuid.uuid4().hex
    ask: list[Component] = []
    if wanted(column, operator):
        ask = [dcc.Store(id=ids.FILTER_ASK, data={"column": column.name, "operator": operator, "key": key})]
    lines = html.Div(skeleton(52, 38, 61, 44, 57, 35), className="lf-set-waiting")
    return [
        html.Div(
            [_title(column), lines],
            className="lf-set",
            role="status",
            **{"aria-label": "Reading the frequent values", "data-asks": key if ask else ""},
        ),
        _kept(column, draft),
        *ask,
    ]


def boxes(column: Column, found: FrequentValues, draft: Draft) -> list[Component]:
    """Boxes for the frequent values and for those of the condition, and a field for others where there are more."""
    more = found.distinct > len(found.values)
    searched = len(found.values) > _SEARCHED
    parts: list[Component] = [
        _title(column),
        *([search_box(ids.FILTER_FIND, "Find a value")] if searched else []),
        _boxes(column, _options(column, found, draft), draft, found),
        html.P("No value in this list contains that.", className="lf-set-none small dim", hidden=True),
        html.Div(_facts(column, found), className="lf-set-facts small faint"),
    ]
    return [
        html.Div(
            [*parts, note(ids.FILTER_CHOSEN)],
            className="lf-field lf-set",
            role="group",
            **{"aria-labelledby": _TITLE},
        ),
        html.Div(_list_field(column, draft.listed, "Other values"), hidden=not (more or draft.listed)),
    ]


def typed(column: Column, draft: Draft, why: str) -> list[Component]:
    """The field with commas, and why there are no boxes."""
    words = draft.in_words(column)
    return [
        html.Div([_boxes(column, [], words), note(ids.FILTER_CHOSEN)], hidden=True),
        _list_field(column, words.listed),
        html.P(why, className="small dim lf-set-why"),
    ]


def suggestions(column: Column, found: FrequentValues | None, draft: Draft) -> list[Component]:
    """The frequent values as the browser's own suggestions for a text field."""
    values = found.values if found is not None and found.distinct <= MOST_DISTINCT else []
    options = [html.Option(value=str(one.value)) for one in values]
    return [
        html.Datalist(options, id=ids.FILTER_KNOWN),
        _kept(column, draft),
    ]


def note(identifier: str, problem: str = "", hint: str = "") -> Component:
    """The place under a field for what is wrong, or for a hint (assets/describe.js ties it to the field)."""
    return html.Div(note_words(identifier, problem, hint), id=f"{identifier}-note")


def note_words(identifier: str, problem: str, hint: str = "") -> list[Component]:
    """What stands there; the time of a problem tells assets/filter_form.js that the field was looked at anew."""
    if problem:
        said = {"data-at": f"{time.time():.3f}"}
        return [html.Div(problem, className="invalid-feedback d-block", id=f"{identifier}-error", **said)]
    return [html.Div(hint, className="form-text", id=f"{identifier}-hint")] if hint else []


def list_hint(column: Column) -> str:
    """How values are listed."""
    if column.kind == "timestamp":
        zone = "" if column.data_type == "TIMESTAMP_NTZ" else ", in UTC"
        return f"Commas between them, as 2016-02-29 23:58:48{zone}."
    if column.kind == "date":
        return "Commas between them, as 2016-02-29."
    return 'Commas between them; "quotes" around one with a comma.' if column.kind == "text" else "Commas between them."


def register(app: Dash, services: Services) -> None:
    """Add the callback that reads the frequent values."""

    @callback(
        app,
        Output(ids.FILTER_MANY, "children"),
        Input(ids.FILTER_ASK, "data"),
        State(ids.FILTER_CHOSEN, "value"),
        State(ids.FILTER_LIST, "value"),
        State(ids.VIEW, "data"),
        State(ids.DETAILS, "data"),
    )
    def fill(
        ask: dict[str, str] | None, chosen: list[str] | None, text: str | None, data: dict[str, Any], details: Any
    ) -> Any:
        """Read the frequent values of the form's column; runs as the user."""
        view = ViewState.of(data)
        if not ask or not details or view.ref is None:
            return no_update
        table = TableDetails.model_validate(details)
        column = next(one for one in table.columns if one.name == ask["column"])
        draft = Draft(chosen=tuple(chosen or ()), listed=text or "")
        answered = html.Span(hidden=True, **{"data-answers": ask["key"]})
        suggested = OPERATORS[ask["operator"]].takes != "many"
        try:
            found = services.unity_catalog.frequent_values(current_user(), view.ref, column.name, cancel_key=ask["key"])
        except Cancelled:
            return no_update
        except LakefrontError as error:
            shown(error)
            if suggested:
                return [*suggestions(column, None, draft), answered]
            why = f"The frequent values were not read, so there is nothing to choose from. {error.message}"
            return [*typed(column, draft, why), answered]
        if suggested:
            return [*suggestions(column, found, draft), answered]
        if not found.values or found.distinct > MOST_DISTINCT:
            return [*typed(column, draft, _why_typed(found)), answered]
        return [*boxes(column, found, draft), answered]


def _why_typed(found: FrequentValues) -> str:
    if not found.values:
        return "You see no value in this column: every row holds null, or there is no row."
    return f"{number(found.distinct)} different values are too many to choose from."


def _options(column: Column, found: FrequentValues, draft: Draft) -> list[tuple[str, str]]:
    """Pairs of an option and its count: first the condition's, also where they are not frequent, then the others."""
    frequent = [(as_option(one.value), number(one.count)) for one in found.values]
    counts = {same(column, option): count for option, count in frequent}
    unknown = "no rows" if found.distinct == len(found.values) else ""
    chosen = {same(column, option): option for option in draft.chosen}
    first = [(option, counts.get(value, unknown)) for value, option in chosen.items()]
    return [*first, *((option, count) for option, count in frequent if same(column, option) not in chosen)]


def _boxes(
    column: Column, options: list[tuple[str, str]], draft: Draft, found: FrequentValues | None = None
) -> Component:
    """The boxes; without options the checked values alone, hidden."""
    if not options:
        options = [(one, "") for one in draft.chosen]
    chosen = {same(column, one) for one in draft.chosen}
    drawn = [{"label": _label(column, option, count), "value": option} for option, count in options]
    return html.Div(
        dbc.Checklist(
            id=ids.FILTER_CHOSEN,
            options=drawn,
            value=[option for option, _ in options if same(column, option) in chosen],
            label_class_name="lf-set-label",
        ),
        className="lf-set-list",
        hidden=found is None,
    )


def _kept(column: Column, draft: Draft) -> Component:
    """The fields out of sight, so that what they hold is not forgotten meanwhile."""
    return html.Div(
        [_boxes(column, [], draft), note(ids.FILTER_CHOSEN), _list_field(column, draft.listed)], hidden=True
    )


def _label(column: Column, option: str, count: str) -> list[Component]:
    value = json.loads(option)
    words = _words(column, value)
    said = [icon("eye-slash"), " ", words] if column.masked else words
    look = "cut v" + (" lf-null" if value == "" else "")
    return [html.Span(said, className=look, title=words), html.Span(count, className="num dim")]


def _words(column: Column, value: Any) -> str:
    """A value as cells write it, with all its digits; blanks at its ends are seen by the quotes around it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if column.kind == "number" and isinstance(value, int | float):
        text = repr(float(value))
        return (f"{value:.2f}" if re.fullmatch(r"-?[0-9]+\.[0-9]", text) else text).replace("-", MINUS)
    if isinstance(value, int):
        return str(value).replace("-", MINUS)
    if column.kind == "timestamp":
        return str(value).replace("T", " ").removesuffix("Z")
    return value if value and value == value.strip() else f'"{value}"'


def _facts(column: Column, found: FrequentValues) -> list[Component]:
    """How many values there are, where they come from, and the way to the rows with null."""
    shown_, all_ = len(found.values), number(found.distinct)
    many = f"{shown_} most frequent of {all_}" if found.distinct > shown_ else f"All values: {all_}"
    since = counting_since(found.query.fetched_at.timestamp())
    facts = [html.P([f"{many} · whole table · {elapsed(found.query.elapsed_ms)} · ", since])]
    if column.masked:
        facts.append(html.P("Masked: these are the values as you see them."))
    if column.nullable:
        null = button("Choose the rows with null", None, "ghost", small=True, **{"data-operator": "is_null"})
        facts.append(html.P(["Null is no value. ", null]))
    return facts


def _title(column: Column) -> Component:
    return html.Div(
        ["Values ", html.Span(type_words(column.data_type), className="lf-kind")], className="form-label", id=_TITLE
    )


def _list_field(column: Column, text: str, label: str = "Values") -> Component:
    lines = "\n" in text
    control = dbc.Textarea if lines else dbc.Input
    own = {"rows": 3} if lines else {"type": "text", "autocomplete": "off"}
    kind = html.Span(type_words(column.data_type), className="lf-kind")
    return html.Div(
        [
            html.Label([label, " ", kind], className="form-label", htmlFor=ids.FILTER_LIST),
            control(id=ids.FILTER_LIST, value=text, **own),
            note(ids.FILTER_LIST, hint=list_hint(column)),
        ],
        className="lf-field",
    )
