# ruff: noqa: RUF001 - the page writes dashes, minus signs and quotes as people print them
"""The Unity Catalog page without a browser: its view in the address, its chart's words, what its filter keeps."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from dash import html
from hypothesis import given
from hypothesis import strategies as st

from dashboard.pages.unity_catalog.chart import row_of
from dashboard.pages.unity_catalog.chart_figure import caption, click_filter, figure
from dashboard.pages.unity_catalog.chart_spec import ChartSpec, group_heading, measure_options
from dashboard.pages.unity_catalog.figures import (
    Kept,
    distribution,
    kept_range,
    percent,
    shares,
    top_values,
    type_words,
    value_words,
)
from dashboard.pages.unity_catalog.saved_view import key_of
from dashboard.pages.unity_catalog.view_state import ViewState, split_name
from services.unity_catalog import types
from services.unity_catalog.filter_tree import And, Condition
from services.unity_catalog.models import (
    AggregateResult,
    Column,
    ColumnProfile,
    Query,
    ResultColumn,
    TableDetails,
    TopValue,
)
from tests.unit.test_components import nodes_of

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
NAMES = st.text(min_size=1, max_size=12).filter(lambda name: "`" not in name)
SCALARS = st.one_of(st.integers(-(2**53), 2**53), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=8))
CONDITIONS = st.builds(
    lambda name, operator, value: {"column": name, "operator": operator, "value": value},
    st.text(min_size=1, max_size=10),
    st.sampled_from(["eq", "ge", "lt", "contains"]),
    SCALARS,
)


def table(*columns: Column) -> TableDetails:
    """A table with these columns."""
    return TableDetails(
        catalog_name="c",
        schema_name="s",
        table_name="t",
        full_name="c.s.t",
        table_type="MANAGED",
        columns=list(columns),
        fetched_at=NOW,
        runs_as="analyst@example.com",
    )


TRIPS = table(
    Column(name="at", data_type="TIMESTAMP", kind="timestamp", operators=["ge"]),
    Column(name="fare", data_type="DOUBLE", kind="number", operators=["ge", "between", "in"]),
    Column(name="zip", data_type="INT", kind="integer", operators=["eq"]),
    Column(name="name", data_type="STRING", kind="text", operators=["contains", "eq"]),
    Column(name="paid", data_type="BOOLEAN", kind="boolean", operators=["eq"]),
)


def answer(columns: list[tuple[str, str]], rows: list[dict[str, Any]]) -> AggregateResult:
    """Groups as the service answers them."""
    return AggregateResult(
        columns=[ResultColumn(name=name, data_type=data_type) for name, data_type in columns],
        rows=rows,
        truncated=False,
        query=Query(statement="SELECT 1", elapsed_ms=1, runs_as="analyst@example.com", fetched_at=NOW),
    )


def quoted(parts: tuple[str, ...]) -> str:
    return ".".join(f"`{part}`" for part in parts)


@given(st.tuples(NAMES, NAMES, NAMES))
def test_names_with_dots_come_back(parts: tuple[str, str, str]) -> None:
    assert tuple(split_name(quoted(parts))) == parts


@given(
    parts=st.tuples(NAMES, NAMES, NAMES),
    view=st.sampled_from(["rows", "chart", "profile", "details"]),
    conditions=st.lists(CONDITIONS, max_size=4),
    sort=st.lists(st.tuples(st.text(min_size=1, max_size=8), st.sampled_from(["asc", "desc"])), max_size=3),
    hidden=st.lists(st.text(min_size=1, max_size=8), max_size=3),
)
def test_the_address_restores_the_whole_view(
    parts: tuple[str, str, str], view: str, conditions: list[Any], sort: list[tuple[str, str]], hidden: list[str]
) -> None:
    state = ViewState.of(
        {
            "table": quoted(parts),
            "view": view,
            "filter": conditions,
            "sort": [{"column": name, "direction": direction} for name, direction in sort],
            "hidden": hidden,
            "chart": {"kind": "bar", "group": "é %&=+#"},
        }
    )
    restored, unreadable = ViewState.of_query("?" + state.query())
    assert unreadable is None
    assert restored == state
    assert ViewState.of(json.loads(json.dumps(state.store()))) == state


def test_an_address_that_cannot_be_read_keeps_the_table_and_names_the_part() -> None:
    for part, text in (("filter", "{"), ("sort", '[{"column": 1}]'), ("filter", '[{"column": "a", "operator": "x"}]')):
        view, unreadable = ViewState.of_query(f"?table=c.s.t&{part}={text}")
        assert (view.table, unreadable) == ("c.s.t", part)
        assert view.filter == []
    view, unreadable = ViewState.of_query('?table=c.s.t&filter={"and":[{"column":"a","operator":"is_null"}]}')
    assert unreadable is None
    assert [node.column for node in view.filter if isinstance(node, Condition)] == ["a"]


def test_several_chips_are_one_tree_that_must_hold_whole() -> None:
    one = {"column": "a", "operator": "eq", "value": 1}
    assert isinstance(ViewState.of({"filter": [one]}).tree, Condition)
    both = ViewState.of({"filter": [one, one]}).tree
    assert isinstance(both, And)
    assert len(both.all_of) == 2
    assert ViewState().tree is None


@pytest.mark.parametrize(
    ("value", "data_type", "words"),
    [
        (None, "INT", "–"),
        ("", "STRING", '""'),
        (-8.0, "DOUBLE", "−8.00"),
        (0.125, "DOUBLE", "0.125"),
        (10018, "INT", "10018"),
        ("2016-02-29T23:58:48Z", "TIMESTAMP", "2016-02-29 23:58:48"),
        ("12345678901234567890.123456789012345678", "DECIMAL(38,18)", "12345678901234567890.123456789012345678"),
    ],
)
def test_value_words(value: Any, data_type: str, words: str) -> None:
    assert value_words(value, data_type) == words


@pytest.mark.parametrize(
    ("part", "whole", "words"),
    [(0, 5, "0 %"), (1, 0, "0 %"), (1, 10_000, "< 0.1 %"), (3, 200, "1.5 %"), (5, 5, "100 %")],
)
def test_percent_never_rounds_a_rest_away(part: int, whole: int, words: str) -> None:
    assert percent(part, whole) == words


def test_what_the_filter_keeps_of_a_scale() -> None:
    nodes = [Condition(column="fare", operator="ge", value=25), Condition(column="fare", operator="lt", value=50.5)]
    assert kept_range(nodes, "fare") == Kept(25.0, 50.5)
    assert kept_range(nodes, "zip") is None
    kept = Kept(25.0, None)
    assert kept.holds(20, 30)
    assert not kept.holds(10, 25)
    assert kept.words == "25 ▸ filter keeps"


def test_a_chart_without_words_counts_rows_by_day() -> None:
    spec = ChartSpec.of(None, TRIPS)
    assert (spec.kind, spec.first, spec.group, spec.bucket) == ("bar", "count", "at", "day")
    request = spec.request(TRIPS, None)
    assert (request.order, request.group_by[0].bucket) == ("group", "day")
    assert group_heading(spec) == "Day"
    assert ChartSpec.of({"group": "gone"}, TRIPS).group == "at"
    odd = ChartSpec.of({"group": "zip", "first": "avg fare", "second": "sum:gone"}, TRIPS)
    assert (odd.group, odd.first, odd.second) == ("zip", "count", "")
    assert {"label": "average of fare", "value": "avg:fare"} in measure_options(TRIPS)
    assert not any(one["value"] == "sum:name" for one in measure_options(TRIPS))


@pytest.mark.parametrize(
    ("bucket", "start", "end"),
    [
        ("hour", "2016-02-29T23:00:00Z", "2016-03-01T00:00:00Z"),
        ("day", "2016-02-28T00:00:00Z", "2016-02-29T00:00:00Z"),
        ("week", "2016-02-29T00:00:00Z", "2016-03-07T00:00:00Z"),
        ("month", "2016-12-01T00:00:00Z", "2017-01-01T00:00:00Z"),
        ("year", "2016-01-01T00:00:00Z", "2017-01-01T00:00:00Z"),
    ],
)
def test_a_click_on_a_bar_selects_its_bucket(bucket: str, start: str, end: str) -> None:
    spec = ChartSpec.model_validate({"group": "at", "bucket": bucket})
    row = {"at": start, "n": 3}
    conditions = click_filter(spec, answer([("at", "TIMESTAMP"), ("n", "BIGINT")], [row]), row)
    assert [(one["operator"], one["value"]) for one in conditions] == [("ge", start), ("lt", end)]


def test_a_click_on_null_and_on_a_value() -> None:
    spec = ChartSpec.model_validate({"group": "name", "group2": "zip"})
    row = {"name": None, "zip": 10018, "n": 1}
    result = answer([("name", "STRING"), ("zip", "INT"), ("n", "BIGINT")], [{"name": "a", "zip": 1, "n": 2}, row])
    assert click_filter(spec, result, row) == [
        {"column": "name", "operator": "is_null"},
        {"column": "zip", "operator": "eq", "value": 10018},
    ]
    assert row_of({"x": "null", "series": "10018"}, result, spec) == row
    assert row_of({"x": "b", "series": "1"}, result, spec) is None


def test_two_measures_are_two_panels_on_one_axis() -> None:
    spec = ChartSpec.model_validate({"group": "at", "bucket": "day", "second": "avg:fare"})
    rows = [{"at": f"2016-01-0{day}T00:00:00Z", "n": day, "m": 10.0 + day} for day in (1, 2, 3)]
    result = answer([("at", "TIMESTAMP"), ("n", "BIGINT"), ("m", "DOUBLE")], rows)
    drawn = figure(result, spec)
    assert [trace["yaxis"] for trace in drawn["data"]] == ["y", "y2"]
    assert drawn["layout"]["yaxis"]["rangemode"] == "tozero"
    assert drawn["layout"]["xaxis"]["range"] == ["2015-12-31T12:00:00", "2016-01-03T12:00:00"]
    assert "overlaying" not in drawn["layout"]["yaxis2"]
    words = caption(result, spec)
    assert "number of rows: from 1 (2016-01-01) to 3 (2016-01-03)" in words


def test_a_heat_map_of_one_group_is_one_line_of_it() -> None:
    spec = ChartSpec.model_validate({"group": "name", "kind": "heatmap"})
    rows = [{"name": "a", "n": 3}, {"name": None, "n": 7}]
    result = answer([("name", "STRING"), ("n", "BIGINT")], rows)
    (drawn,) = figure(result, spec)["data"]
    assert (drawn["type"], drawn["x"], drawn["y"], drawn["z"]) == (
        "heatmap",
        ["a", "null"],
        ["number of rows"],
        [[3, 7]],
    )


def test_more_than_six_series_end_in_other() -> None:
    spec = ChartSpec.model_validate({"group": "name", "group2": "zip"})
    rows = [{"name": "a", "zip": number, "n": number} for number in range(1, 10)]
    drawn = figure(answer([("name", "STRING"), ("zip", "INT"), ("n", "BIGINT")], rows), spec)
    assert [trace["name"] for trace in drawn["data"]] == ["9", "8", "7", "6", "5", "other"]
    assert sum(trace["y"][0] for trace in drawn["data"]) == 45


def test_a_typed_name_becomes_a_key() -> None:
    assert key_of("  Long evening trips ") == "Long-evening-trips"
    assert key_of("Ü/ä") == ""


def profiled(values: list[tuple[Any, int]], nulls: int = 0, data_type: str = "STRING") -> ColumnProfile:
    top = [TopValue(value=value, count=count) for value, count in values]
    return ColumnProfile(
        name="c",
        data_type=data_type,
        nulls=nulls,
        null_fraction=0,
        approx_distinct=len(values) or None,
        top_values=top or None,
    )


def words_of(drawn: Any) -> str:
    texts = (getattr(node, "children", None) for node in nodes_of(drawn))
    return " ".join(text for text in texts if isinstance(text, str))


def test_most_frequent_values_are_cut_by_the_page_and_whole_in_their_title() -> None:
    long = "a very long value " * 20
    drawn = top_values(profiled([(long, 40), ("b", 20)]), 200, 6)
    first = next(node for node in nodes_of(drawn) if isinstance(node, html.Td))
    assert (first.children, first.title, first.className) == (long, long, "cut")


def test_bars_of_small_shares_differ_and_say_where_their_scale_ends() -> None:
    found, measure = shares(profiled([("a", 22), ("b", 11)]), 1_000, 6)
    assert [(one.words, one.share, round(one.bar)) for one in found] == [("a", "2.2 %", 44), ("b", "1.1 %", 22)]
    assert measure == "Bars from 0 to 5 % of the rows"
    found, measure = shares(profiled([(True, 820), (False, 180)], data_type="BOOLEAN"), 1_000, 6)
    assert [(one.words, round(one.bar)) for one in found] == [("true", 82), ("false", 18)]
    assert measure.endswith("100 % of the rows")


@pytest.mark.parametrize(
    ("profile", "rows", "said"),
    [
        (profiled([("a", 1), ("b", 1), ("c", 1)]), 3, "all values are distinct"),
        (profiled([("a", 1), ("b", 1)], nulls=7), 9, "all values are distinct"),
        (profiled([], nulls=9), 9, "only nulls"),
        (profiled([]), 0, "no rows"),
        (profiled([]), 5, "no distribution for this type"),
        (profiled([]).model_copy(update={"approx_distinct": 30_000}), 50_000, "too many different values to list"),
    ],
)
def test_a_column_without_frequent_values_says_why(profile: ColumnProfile, rows: int, said: str) -> None:
    assert words_of(distribution(profile, rows)) == said


def test_one_value_alone_is_listed_although_it_occurs_once() -> None:
    assert "a" in words_of(distribution(profiled([("a", 1)]), 1))


@pytest.mark.parametrize(
    ("platform", "shown"),
    [
        ("array<string>", "ARRAY<STRING>"),
        ("decimal(10,2)", "DECIMAL(10,2)"),
        ("struct<name:string,Last Name:array<int>>", "STRUCT<name:STRING,Last Name:ARRAY<INT>>"),
        ("map<string,struct<a:bigint,B:timestamp_ntz>>", "MAP<STRING,STRUCT<a:BIGINT,B:TIMESTAMP_NTZ>>"),
        ("struct<`a b`:int,`c``d<e`:string>", "STRUCT<`a b`:INT,`c``d<e`:STRING>"),
    ],
)
def test_types_are_in_upper_case_and_names_of_fields_as_they_are(platform: str, shown: str) -> None:
    assert types.written(platform) == shown
    assert types.written(shown) == shown


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ("bigint", "BIGINT"),
        ("array<string>", "ARRAY<STRING>"),
        ("struct<Name:string,`Zip Code`:array<decimal(4,1)>>", "STRUCT<Name:STRING,`Zip Code`:ARRAY<DECIMAL(4,1)>>"),
        ("map<string,struct<a: int comment 'the Count'>>", "MAP<STRING,STRUCT<a: INT COMMENT 'the Count'>>"),
        ("string collate de_CI", "STRING COLLATE de_CI"),
    ],
)
def test_types_are_shown_in_one_way_and_names_within_them_as_they_are(told: str, shown: str) -> None:
    assert type_words(told) == shown
