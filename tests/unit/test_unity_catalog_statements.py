"""Generated statements: valid Databricks SQL, identifiers quoted, no value in the text, errors that name the field."""

from __future__ import annotations

from decimal import Context, Decimal
from typing import Any

import pytest
import sqlglot
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from sqlglot import exp

from services.errors import InvalidRequest
from services.unity_catalog.aggregate import check, output_names, statements
from services.unity_catalog.columns import describe
from services.unity_catalog.decimals import fitted
from services.unity_catalog.filter_tree import Filter
from services.unity_catalog.filters import OPERATORS, operators_for, predicate
from services.unity_catalog.identifiers import checked, quote, reference
from services.unity_catalog.literals import exact
from services.unity_catalog.models import AggregateRequest, Column, ProfileRequest, RowsRequest, Sort
from services.unity_catalog.profile import figures_statement
from services.unity_catalog.rows import checked_sort, count_statement, page_statement
from services.unity_catalog.statements import Binder, marked, total_order
from services.unity_catalog.types import kind, orderable

REF = reference("main", "sales", "orders")
TREES: TypeAdapter[Any] = TypeAdapter(Filter)


def column(name: str, data_type: str, **options: Any) -> Column:
    settings: dict[str, Any] = {"nullable": True, "comment": None, "mask_function": None, "primary_key": False}
    return describe(name=name, data_type=data_type, **(settings | options))


COLUMNS = [
    column("id", "bigint"),
    column("we `ird.na'me %", "string"),
    column("d", "double"),
    column("dec", "decimal(38,18)"),
    column("day", "date"),
    column("ts", "timestamp"),
    column("m", "map<string,int>"),
    column("bin", "binary"),
    column("b", "boolean"),
]


def parsed(text: str) -> exp.Expression:
    found = sqlglot.parse(text, read="databricks")
    assert len(found) == 1
    assert isinstance(found[0], exp.Select | exp.Union)
    return found[0]


@given(
    text=st.text(st.characters(exclude_categories=["Cs"]), max_size=40).filter(lambda text: len(text) > 3),
    operator=st.sampled_from(["eq", "ne", "contains", "starts_with", "ends_with", "not_contains", "lt", "ge"]),
    sort=st.lists(st.sampled_from(["id", "d", "we `ird.na'me %", "m"]), unique=True, max_size=3),
)
@hypothesis_settings(max_examples=200, deadline=None, derandomize=True, database=None)
def test_every_page_statement_is_one_valid_select_without_values(text: str, operator: str, sort: list[str]) -> None:
    tree = TREES.validate_python({"not": {"column": "we `ird.na'me %", "operator": operator, "value": "⟦" + text}})
    terms = total_order(COLUMNS, [Sort(column=name, direction="desc") for name in sort])

    statement = page_statement(REF, COLUMNS, COLUMNS, tree, terms, 100, 7)

    tree_of_sql = parsed(statement.text)
    assert "⟦" not in statement.text
    assert {one.name for one in tree_of_sql.find_all(exp.Placeholder)} == {one.name for one in statement.parameters}
    assert [one.type for one in statement.parameters] == ["STRING", "INT", "INT"]
    assert statement.parameters[0].text == "⟦" + text
    table = tree_of_sql.find(exp.Table)
    assert table is not None
    assert (table.catalog, table.db, table.name) == ("main", "sales", "orders")


@given(name=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=60))
@hypothesis_settings(max_examples=200, deadline=None, derandomize=True, database=None)
def test_a_quoted_name_is_one_identifier_again(name: str) -> None:
    select = parsed(f"SELECT {quote(name)} FROM t")
    assert [one.name for one in select.find_all(exp.Column)] == [name]


@pytest.mark.parametrize("name", ["", "a\x00", "x" * 256, "\ud800"])
def test_names_that_cannot_be_identifiers_are_refused(name: str) -> None:
    with pytest.raises(InvalidRequest):
        quote(name)


@pytest.mark.parametrize("bad", ["a'b", 'a"b', "a`b", "a.b", "a b", "a/b", "", "a;b", "x" * 256, "a\nb"])
@pytest.mark.parametrize("field", ["catalog", "schema", "table"])
def test_a_bad_table_name_names_its_field(bad: str, field: str) -> None:
    names = {"catalog": "c", "schema": "s", "table": "t"} | {field: bad}
    with pytest.raises(InvalidRequest) as caught:
        reference(**names)
    assert caught.value.field == field


def test_a_good_reference_is_unchanged() -> None:
    assert checked(REF).full_name == "main.sales.orders"


def test_without_a_key_all_columns_break_ties_and_maps_do_so_as_json() -> None:
    terms = total_order(COLUMNS, [Sort(column="d", direction="desc")])
    assert [term.sql for term in terms] == [
        "`d` DESC NULLS LAST",
        "`id` ASC NULLS FIRST",
        "`we ``ird.na'me %` ASC NULLS FIRST",
        "`dec` ASC NULLS FIRST",
        "`day` ASC NULLS FIRST",
        "`ts` ASC NULLS FIRST",
        "to_json(`m`) ASC NULLS FIRST",
        "`bin` ASC NULLS FIRST",
        "`b` ASC NULLS FIRST",
    ]


def test_a_key_breaks_ties_unless_it_is_masked() -> None:
    keyed = [column("id", "bigint", primary_key=True), column("name", "string")]
    masked = [column("id", "bigint", primary_key=True, mask_function="c.s.hide"), column("name", "string")]
    sort = [Sort(column="name")]
    assert [term.column.name for term in total_order(keyed, sort)] == ["name", "id"]
    assert [term.column.name for term in total_order(keyed, [])] == ["id"]
    assert [term.column.name for term in total_order(masked, [])] == ["id", "name"]


@pytest.mark.parametrize(
    ("data_type", "can"),
    [
        ("MAP<STRING,INT>", False),
        ("ARRAY<MAP<STRING,INT>>", False),
        ("STRUCT<map: INT>", True),
        ("STRUCT<`a MAP b`: INT>", True),
        ("ARRAY<INT>", True),
        ("VARIANT", False),
        ("STRUCT<a: VARIANT>", False),
        ("DECIMAL(10,2)", True),
    ],
)
def test_what_can_be_ordered(data_type: str, can: bool) -> None:
    assert orderable(data_type) is can


@pytest.mark.parametrize(
    ("condition", "field"),
    [
        ({"column": "nope", "operator": "eq", "value": 1}, "filter.and[0].column"),
        ({"column": "id", "operator": "contains", "value": "1"}, "filter.and[0].operator"),
        ({"column": "m", "operator": "eq", "value": "1"}, "filter.and[0].operator"),
        ({"column": "b", "operator": "lt", "value": True}, "filter.and[0].operator"),
        ({"column": "id", "operator": "eq", "value": "one"}, "filter.and[0].value"),
        ({"column": "id", "operator": "eq", "value": True}, "filter.and[0].value"),
        ({"column": "id", "operator": "eq"}, "filter.and[0].value"),
        ({"column": "id", "operator": "eq", "value": [1]}, "filter.and[0].value"),
        ({"column": "id", "operator": "between", "value": [1]}, "filter.and[0].value"),
        ({"column": "id", "operator": "in", "value": []}, "filter.and[0].value"),
        ({"column": "id", "operator": "in", "value": [1, "x"]}, "filter.and[0].value[1]"),
        ({"column": "id", "operator": "is_null", "value": 1}, "filter.and[0].value"),
        ({"column": "day", "operator": "eq", "value": "2024-02-30"}, "filter.and[0].value"),
        ({"column": "day", "operator": "eq", "value": "20240229"}, "filter.and[0].value"),
        ({"column": "ts", "operator": "eq", "value": "yesterday"}, "filter.and[0].value"),
        ({"column": "ts", "operator": "eq", "value": "0001-01-01T00:00:00+05:00"}, "filter.and[0].value"),
        ({"column": "dec", "operator": "eq", "value": "1" * 39}, "filter.and[0].value"),
        ({"column": "dec", "operator": "eq", "value": "1e9999"}, "filter.and[0].value"),
        ({"column": "d", "operator": "eq", "value": 10**400}, "filter.and[0].value"),
        ({"column": "b", "operator": "eq", "value": "true"}, "filter.and[0].value"),
        ({"column": "we `ird.na'me %", "operator": "eq", "value": 5}, "filter.and[0].value"),
    ],
)
def test_a_misfit_condition_names_its_place(condition: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        predicate(TREES.validate_python({"and": [condition]}), COLUMNS, Binder())
    assert caught.value.field == field


def nested(levels: int) -> dict[str, Any]:
    tree: dict[str, Any] = {"column": "id", "operator": "is_null"}
    for _ in range(levels - 1):
        tree = {"not": tree}
    return tree


def test_eight_levels_are_taken_and_nine_are_not() -> None:
    parsed(count_statement(REF, COLUMNS, TREES.validate_python(nested(8))).text)
    for levels in (9, 50_000):
        with pytest.raises(ValidationError, match="nested deeper than 8"):
            TREES.validate_python(nested(levels))


@pytest.mark.parametrize(
    "body",
    [
        {"limit": 0},
        {"limit": 1001},
        {"limit": "10"},
        {"limit": True},
        {"offset": -1},
        {"offset": 2**31},
        {"unknown": 1},
        {"columns": []},
        {"sort": [{"column": "id", "direction": "up"}]},
        {"filter": {"column": "id", "operator": "like", "value": "x"}},
        {"filter": {"column": "id", "operator": "is_null", "more": 1}},
        {"filter": {"and": []}},
        {"filter": {"and": [1]}},
        {"filter": {"and": [{"column": "id", "operator": "is_null"}] * 1000}},
        {"filter": []},
    ],
)
def test_bad_bodies_are_refused(body: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        RowsRequest.model_validate(body)


def test_a_sort_of_an_unknown_or_repeated_column_is_refused() -> None:
    for sort in ([Sort(column="nope")], [Sort(column="id"), Sort(column="id")]):
        with pytest.raises(InvalidRequest) as caught:
            checked_sort(COLUMNS, sort)
        assert caught.value.field == f"sort[{len(sort) - 1}]"


def test_operators_fit_their_types() -> None:
    assert set(operators_for("BINARY")) == {"is_null", "is_not_null"}
    assert "contains" in operators_for("VARCHAR(10)")
    assert "contains" not in operators_for("INT")
    assert all(operator.sentence for operator in OPERATORS.values())
    assert kind("interval day to second") == "other"


def test_nan_is_never_compared_as_a_literal() -> None:
    for operator in ("eq", "ne", "lt", "le", "gt", "ge"):
        binder = Binder()
        tree = TREES.validate_python({"column": "d", "operator": operator, "value": "NaN"})
        parsed(f"SELECT 1 FROM t WHERE {predicate(tree, COLUMNS, binder)}")
        assert binder.parameters == []


AGGREGATES: list[dict[str, Any]] = [
    {"measures": [{"function": "count"}]},
    {"group_by": [{"column": "ts", "bucket": "month"}], "measures": [{"function": "avg", "column": "d"}]},
    {
        "group_by": [{"column": "day", "bucket": "week"}, {"column": "b"}],
        "measures": [{"function": "count"}, {"function": "count_distinct", "column": "we `ird.na'me %"}],
        "order": "group",
    },
]


@pytest.mark.parametrize("body", AGGREGATES)
def test_aggregates_are_valid_databricks_sql(body: dict[str, Any]) -> None:
    request = AggregateRequest.model_validate(body)
    check(COLUMNS, request)
    for statement in statements(REF, COLUMNS, request, [None] * len(request.group_by)):
        parsed(statement.text)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"measures": [{"function": "sum"}]}, "measures[0].column"),
        ({"measures": [{"function": "sum", "column": "b"}]}, "measures[0].function"),
        ({"measures": [{"function": "min", "column": "m"}]}, "measures[0].function"),
        ({"measures": [{"function": "sum", "column": "nope"}]}, "measures[0].column"),
        ({"measures": [{"function": "count"}], "group_by": [{"column": "m"}]}, "group_by[0].column"),
        ({"measures": [{"function": "count"}], "group_by": [{"column": "id", "bucket": "day"}]}, "group_by[0].bucket"),
        ({"measures": [{"function": "count"}], "group_by": [{"column": "b", "bins": 5}]}, "group_by[0].bins"),
    ],
)
def test_misfit_aggregates_name_their_place(body: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        check(COLUMNS, AggregateRequest.model_validate(body))
    assert caught.value.field == field


@given(
    held=st.integers(-(10**38) + 1, 10**38 - 1),
    scale=st.sampled_from([0, 2, 18, 38]),
    digits=st.integers(-(10**38) + 1, 10**38 - 1),
    exponent=st.integers(-38, 0),
    near=st.booleans(),
    operator=st.sampled_from(["eq", "ne", "lt", "le", "gt", "ge"]),
)
@hypothesis_settings(max_examples=500, deadline=None)
def test_decimals_are_compared_in_digits_that_there_are(
    held: int, scale: int, digits: int, exponent: int, near: bool, operator: str
) -> None:
    """Whatever a DECIMAL(38) holds and is compared with: the same answer, in a type of at most 38 digits."""
    wide = Context(prec=100)
    row = Decimal(held).scaleb(-scale, wide)
    given_value = (
        wide.add(row, Decimal(digits % 7 - 3).scaleb(exponent)) if near else Decimal(digits).scaleb(exponent, wide)
    )
    try:
        bound = exact(given_value, None)
    except ValueError:
        return  # more than 38 digits: refused before it comes here
    compare = {
        "eq": row.__eq__,
        "ne": row.__ne__,
        "lt": row.__lt__,
        "le": row.__le__,
        "gt": row.__gt__,
        "ge": row.__ge__,
    }
    said = fitted(f"DECIMAL(38,{scale})", operator, bound)
    if isinstance(said, bool):
        assert said is compare[operator](given_value)
        return
    name, literal = said
    assert compare[name](Decimal(literal.text)) is compare[operator](given_value)
    precision, decimals = (int(one) for one in literal.type[8:-1].split(","))
    assert max(38 - scale, precision - decimals) + max(scale, decimals) <= 38


def test_output_names_are_unique() -> None:
    request = AggregateRequest.model_validate(
        {
            "group_by": [{"column": "count"}, {"column": "Count"}],
            "measures": [{"function": "count"}, {"function": "count"}, {"function": "sum", "column": "d"}],
        }
    )
    assert output_names(request) == ["count", "Count_2", "count_3", "count_4", "sum_d"]


def test_the_profile_of_every_kind_of_column_is_valid() -> None:
    parsed(figures_statement(REF, COLUMNS, COLUMNS, ProfileRequest()).text)


def test_the_comment_with_the_request_id_cannot_be_left() -> None:
    assert marked("SELECT 1", "a*/ DROP TABLE x /*") == "/* lakefront request_id=aDROPTABLEx */ SELECT 1"
    assert marked("SELECT 1", "") == "SELECT 1"
