# ruff: noqa: RUF001 - cells write a real minus sign, and so may what is pasted from them
"""The filter form without a browser: fields to conditions and back, boxes of frequent values, words of chips."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from dash.development.base_component import Component
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.components.conditions import sentence
from dashboard.pages.unity_catalog import filter_set, ids
from dashboard.pages.unity_catalog.filter_form import form, value_fields
from dashboard.pages.unity_catalog.filter_values import (
    Draft,
    WrongValuesError,
    as_option,
    listed,
    picker,
    quoted,
    read,
    same,
    text_of,
)
from dashboard.pages.unity_catalog.view_state import ViewState
from services.unity_catalog import types
from services.unity_catalog.filter_tree import Condition
from services.unity_catalog.filters import OPERATORS, check, operators_for
from services.unity_catalog.literals import literal
from services.unity_catalog.models import Column, FrequentValues, Query, TableDetails, TopValue

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def column(data_type: str, name: str = "c", **more: Any) -> Column:
    """A column of a type, with the operators that suit it."""
    return Column(
        name=name, data_type=data_type, kind=types.kind(data_type), operators=operators_for(data_type), **more
    )


def frequent(*values: Any, distinct: int | None = None) -> FrequentValues:
    """Values as the service answers them, each rarer than the one before."""
    tops = [TopValue(value=value, count=1_000 - at) for at, value in enumerate(values)]
    query = Query(statement="SELECT 1", elapsed_ms=38, runs_as="analyst@example.com", fetched_at=NOW)
    return FrequentValues(values=tops, distinct=len(values) if distinct is None else distinct, query=query)


def parts(node: Any) -> Iterator[Component]:
    """Every component in a tree."""
    for one in node if isinstance(node, list | tuple) else [node]:
        if isinstance(one, Component):
            yield one
            children = getattr(one, "children", None)
            yield from parts([] if children is None else children)


def by_id(node: Any, identifier: str) -> Any:
    """The component with an id."""
    return next(one for one in parts(node) if getattr(one, "id", None) == identifier)


def words(node: Any) -> str:
    """All texts in a tree."""
    if isinstance(node, list | tuple):
        return "".join(words(one) for one in node)
    if isinstance(node, Component):
        children = getattr(node, "children", None)
        return "" if children is None else words(children)
    return str(node)


def through_the_form(one: Column, condition: Condition) -> Condition:
    """The condition that the form gives back when a person opens it and changes nothing; stores are JSON."""
    stored = Condition.model_validate_json(condition.model_dump_json())
    draft = Draft.of(one, stored)
    if OPERATORS[condition.operator].takes == "many" and len(draft.chosen) % 2:
        draft = draft.in_words(one)  # the form without boxes
    return Condition.model_validate_json(read(one, condition.operator, draft).model_dump_json())


def meant(one: Column, condition: Condition) -> list[Any]:
    """The exact values that a condition compares with."""
    values = condition.value if isinstance(condition.value, list) else [condition.value]
    exact = [literal(one.data_type, value, "value").value for value in values]
    return ["NaN" if isinstance(value, float) and math.isnan(value) else value for value in exact]


_MOMENTS = st.datetimes(dt.datetime(1, 1, 2), dt.datetime(9999, 12, 30))  # noqa: DTZ001 - the zone is in the text
_DIGITS = st.integers(-(10**38) + 1, 10**38 - 1)
_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "BIGINT": st.integers(-(2**63), 2**63 - 1).map(lambda n: n if abs(n) <= 2**53 else str(n)),
    "DOUBLE": st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from(["NaN", "Infinity", "-Infinity"]),
    "DECIMAL(38,18)": _DIGITS.map(lambda n: format(Decimal(n).scaleb(-18), "f")),
    "STRING": _TEXT | st.sampled_from(["", " ", '"', ",", '","', "a, b", '"a"', "%_`", "🚕, '", "null", "a\nb"]),
    "BOOLEAN": st.booleans(),
    "DATE": st.dates().map(dt.date.isoformat),
    "TIMESTAMP": _MOMENTS.map(lambda at: at.isoformat() + "Z"),
    "TIMESTAMP_NTZ": _MOMENTS.map(dt.datetime.isoformat),
}


@pytest.mark.parametrize("data_type", VALUES)
@settings(max_examples=150)
@given(data=st.data())
def test_a_condition_comes_back_from_the_form_as_it_was(data_type: str, data: st.DataObject) -> None:
    one = column(data_type)
    operator = data.draw(st.sampled_from(one.operators))
    takes = OPERATORS[operator].takes
    value: Any = None
    if takes == "one":
        value = data.draw(VALUES[data_type])
    elif takes == "two":
        both = [data.draw(VALUES[data_type]), data.draw(VALUES[data_type])]
        exact = {str(item): literal(data_type, item, "value").value for item in both}
        value = sorted(both, key=lambda item: (exact[str(item)] != exact[str(item)], exact[str(item)]))
    elif takes == "many":
        value = data.draw(st.lists(VALUES[data_type], min_size=1, max_size=5, unique_by=str))
    condition = Condition(column="c", operator=operator, value=value)
    back = through_the_form(one, condition)
    check(back, [one])
    if takes == "none":
        assert back == condition
    elif takes == "many":
        assert set(meant(one, back)) == set(meant(one, condition))
    else:
        assert meant(one, back) == meant(one, condition)


@given(st.lists(_TEXT, max_size=6))
def test_a_list_of_texts_comes_back_from_its_field(texts: list[str]) -> None:
    assert listed(", ".join(quoted(text) for text in texts)) == texts


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("plain, two words ,third", ["plain", "two words", "third"]),
        ('"Portland, Oregon", "said ""so"""', ["Portland, Oregon", 'said "so"']),
        ('5" pipe, ""', ['5" pipe', ""]),
        ("a,, b, ", ["a", "b"]),
        ("", []),
    ],
)
def test_lists_as_people_type_them(text: str, values: list[str]) -> None:
    assert listed(text) == values


@pytest.mark.parametrize(
    ("data_type", "operator", "draft", "value"),
    [
        ("DOUBLE", "between", Draft("1.5", "3"), [1.5, 3.0]),
        ("DOUBLE", "ge", Draft(" −8.00 "), -8.0),
        ("DOUBLE", "eq", Draft("nan"), "NaN"),
        ("INT", "eq", Draft("10018"), 10018),
        ("BIGINT", "le", Draft("9223372036854775807"), "9223372036854775807"),
        ("DECIMAL(38,18)", "eq", Draft("12345678901234567890.123456789012345678"), None),
        ("STRING", "eq", Draft(""), ""),
        ("STRING", "contains", Draft(" %"), " %"),
        ("BOOLEAN", "eq", Draft("true"), True),
        ("DATE", "ge", Draft("2016-02-29"), "2016-02-29"),
        ("TIMESTAMP", "ge", Draft("2016-02-29T23:58"), "2016-02-29 23:58:00"),
        ("TIMESTAMP", "in", Draft(chosen=('"2016-02-29T23:58:48.5Z"',)), ["2016-02-29 23:58:48.500"]),
        ("STRING", "in", Draft(chosen=('"a"', '""'), listed='b, a, "c, d"'), ["a", "", "b", "c, d"]),
        ("DOUBLE", "in", Draft(chosen=("25.0",), listed="25, 4"), [25.0, 4.0]),
    ],
)
def test_what_is_typed_becomes_a_value_of_the_columns_type(
    data_type: str, operator: str, draft: Draft, value: Any
) -> None:
    found = read(column(data_type), operator, draft)
    assert found.value == (draft.one if value is None else value)
    check(found, [column(data_type)])


@pytest.mark.parametrize(
    ("data_type", "operator", "draft", "problems"),
    [
        ("INT", "eq", Draft("1.5"), {"one": "A whole number expected, not '1.5'."}),
        ("INT", "eq", Draft("1_000"), {"one": "A whole number expected, not '1_000'."}),
        ("DOUBLE", "ge", Draft(""), {"one": "A value is needed."}),
        ("DOUBLE", "between", Draft("x", ""), {"one": "A number expected, not 'x'.", "to": "A value is needed."}),
        ("DOUBLE", "between", Draft("3", "1.5"), {"one": "From is above To."}),
        ("DOUBLE", "between", Draft("NaN", "1"), {"one": "From is above To."}),
        ("DOUBLE", "eq", Draft("1e400"), {"one": "1e400 is beyond the largest DOUBLE."}),
        ("BIGINT", "between", Draft("9223372036854775807", "9223372036854775806"), {"one": "From is above To."}),
        ("DECIMAL(10,2)", "eq", Draft("1" * 39), {"one": "A number of at most 38 digits expected."}),
        ("DATE", "between", Draft("2016-03-01", "2016-02-29"), {"one": "From is above To."}),
        ("DATE", "eq", Draft(""), {"one": "A whole date is needed: year, month and day."}),
        ("DATE", "in", Draft(listed="2016-02-30"), {"listed": "A date (YYYY-MM-DD) expected."}),
        ("TIMESTAMP", "ge", Draft(""), {"one": "A whole time is needed: date, hours and minutes."}),
        ("BOOLEAN", "eq", Draft("x"), {"one": "True or false expected."}),
        ("STRING", "in", Draft(listed='"open, end'), None),
        ("INT", "in", Draft(listed=",".join(map(str, range(1_001)))), {"listed": "At most 1,000 values."}),
        ("STRING", "in", Draft(), {"chosen": "Choose at least one value.", "listed": "At least one value is needed."}),
    ],
)
def test_a_wrong_value_is_said_at_its_field(
    data_type: str, operator: str, draft: Draft, problems: dict[str, str] | None
) -> None:
    with pytest.raises(WrongValuesError) as caught:
        read(column(data_type), operator, draft)
    assert caught.value.problems == (
        problems or {"listed": "Each quoted value ends with its quote, then a comma follows."}
    )


def test_what_was_typed_moves_to_a_compatible_operator_and_no_other() -> None:
    zips, names = column("INT"), column("STRING")
    assert Draft("25").carried(zips, "ge", "in") == Draft("25", chosen=("25",))
    assert Draft("2x").carried(zips, "ge", "in") == Draft("2x", listed="2x")
    assert Draft(chosen=("7", "8")).carried(zips, "in", "between").one == "7"
    assert Draft("25", "30").carried(zips, "between", "lt") == Draft("25", "30")
    assert Draft("Port").carried(names, "contains", "in") == Draft("Port")
    assert Draft("25", chosen=("7",)).carried(zips, "eq", "in") == Draft("25", chosen=("7",))


@pytest.mark.parametrize(
    ("data_type", "value", "text", "kind"),
    [
        ("DATE", "2016-02-29T00:00:00", "2016-02-29", "date"),
        ("TIMESTAMP", "2016-02-29T23:58:48Z", "2016-02-29T23:58:48", "datetime-local"),
        ("TIMESTAMP", "2016-03-01T00:58:48.25+01:00", "2016-02-29T23:58:48.250", "datetime-local"),
        ("TIMESTAMP", "2016-02-29T23:58:48.123456Z", "2016-02-29T23:58:48.123456", "text"),
        ("TIMESTAMP", "yesterday", "yesterday", "text"),
        ("DECIMAL(38,0)", "99999999999999999999999999999999999999", "99999999999999999999999999999999999999", "text"),
    ],
)
def test_a_picker_is_used_where_it_holds_the_whole_value(data_type: str, value: str, text: str, kind: str) -> None:
    one = column(data_type)
    assert text_of(one, value) == text
    assert picker(one, text) == kind


@pytest.mark.parametrize("data_type", [*VALUES, "INT", "FLOAT", "BINARY", "ARRAY<INT>"])
def test_each_type_and_operator_shows_the_fields_it_takes(data_type: str) -> None:
    one = column(data_type)
    controls = {"DATE": "date", "TIMESTAMP": "datetime-local", "TIMESTAMP_NTZ": "datetime-local"}
    for operator in one.operators:
        fields = value_fields(one, operator, Draft())
        takes = OPERATORS[operator].takes
        shown = [not getattr(part, "hidden", False) for part in fields[:3]]
        assert shown == [takes in {"one", "two"}, takes == "two", takes == "many"], operator
        control = by_id(fields, ids.FILTER_VALUE)
        assert getattr(control, "type", None) == (None if data_type == "BOOLEAN" else controls.get(data_type, "text"))
        if one.kind in {"integer", "number", "decimal"}:
            assert control.inputmode == "decimal"
        asked = [part for part in parts(fields) if getattr(part, "id", None) == ids.FILTER_ASK]
        assert bool(asked) == (takes == "many" or (one.kind == "text" and operator in {"eq", "ne"}))


def test_the_form_of_a_condition_holds_its_values() -> None:
    table = TableDetails(
        catalog_name="c",
        schema_name="s",
        table_name="t",
        full_name="c.s.t",
        table_type="MANAGED",
        columns=[column("INT", "zip"), column("TIMESTAMP", "at")],
        fetched_at=NOW,
        runs_as="analyst@example.com",
    )
    between = Condition(column="at", operator="between", value=["2016-01-01T00:00:00Z", "2016-02-01T00:00:00Z"])
    drawn = form(table, between)
    assert [by_id(drawn, name).value for name in (ids.FILTER_VALUE, ids.FILTER_TO)] == [
        "2016-01-01T00:00:00",
        "2016-02-01T00:00:00",
    ]
    several = form(table, Condition(column="zip", operator="in", value=[1, 2]))
    assert by_id(several, ids.FILTER_CHOSEN).value == ["1", "2"]


def test_boxes_show_the_conditions_values_first_then_the_frequent_ones() -> None:
    one = column("STRING", nullable=True)
    drawn = filter_set.boxes(one, frequent("b", "", " x", distinct=1_730), Draft(chosen=('"rare"', '""')))
    options = by_id(drawn, ids.FILTER_CHOSEN).options
    assert [option["value"] for option in options] == ['"rare"', '""', '"b"', '" x"']
    assert [words(option["label"][0]) for option in options] == ["rare", '""', "b", '" x"']
    assert [words(option["label"][1]) for option in options] == ["", "999", "1,000", "998"]
    assert by_id(drawn, ids.FILTER_CHOSEN).value == ['"rare"', '""']
    said = words(drawn)
    assert "3 most frequent of 1,730 ·" in said
    assert "Other values" in said
    assert "Choose the rows with null" in said
    assert not any(getattr(part, "id", None) == ids.FILTER_FIND for part in parts(drawn))


def test_a_checked_value_is_the_frequent_one_however_it_is_written() -> None:
    prices = column("DECIMAL(10,2)", nullable=False)
    drawn = filter_set.boxes(prices, frequent("25.00", "7.50"), Draft(chosen=("25", '"3"')))
    options = by_id(drawn, ids.FILTER_CHOSEN).options
    assert [option["value"] for option in options] == ["25", '"3"', '"7.50"']
    assert words(options[1]["label"][1]) == "no rows"
    assert "null" not in words(drawn).lower()
    assert same(prices, as_option("25.0")) == same(prices, "25")


def test_many_values_are_searched_and_masked_ones_look_masked() -> None:
    drawn = filter_set.boxes(column("STRING", masked=True), frequent(*"abcdefghi"), Draft())
    assert by_id(drawn, ids.FILTER_FIND).type == "text"
    assert "Masked: these are the values as you see them." in words(drawn)
    label = by_id(drawn, ids.FILTER_CHOSEN).options[0]["label"]
    assert any("bi-eye-slash" in getattr(part, "className", "") for part in parts(label))


def test_without_boxes_the_checked_values_stand_in_the_list() -> None:
    one = column("STRING")
    drawn = filter_set.typed(one, Draft(chosen=('"a, b"', '""'), listed="c"), "Not read.")
    assert by_id(drawn, ids.FILTER_LIST).value == '"a, b", "", c'
    assert by_id(drawn, ids.FILTER_CHOSEN).options == []
    assert "Not read." in words(drawn)


def test_sentences_of_chips() -> None:
    assert sentence(Condition(column="fare", operator="ge", value=25.0)) == ("fare", "at least", "25")
    assert sentence(Condition(column="zip", operator="in", value=[1, 2])) == ("zip", "is one of", "1, 2")
    assert sentence(Condition(column="zip", operator="in", value=list(range(1_000))))[2] == "0, 1, 2, 3 and 996 more"
    assert sentence(Condition(column="zip", operator="between", value=[1, 2]))[2] == "1 and 2"
    assert sentence(Condition(column="name", operator="eq", value=""))[2] == '""'
    tree = ViewState.of(
        {"filter": [{"or": [{"column": "a", "operator": "is_null"}, {"column": "b", "operator": "eq", "value": True}]}]}
    )
    assert sentence(tree.filter[0])[2].startswith("(a is ")


def test_an_option_keeps_its_value() -> None:
    for value in (True, 0, 25.5, "25.5", "", "ü, 🚕", "9223372036854775807"):
        assert json.loads(as_option(value)) == value
