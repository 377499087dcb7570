"""Generated filters, sorts and pages against an independent computation in Python, on awkward values of every type."""

from __future__ import annotations

import base64
import datetime as dt
import functools
import logging
import math
import random
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from local_workspace.workspace import Workspace
from services.container import Services
from services.identity import User
from services.unity_catalog import counted_blocks
from services.unity_catalog.models import CountRequest, RowsRequest, Sort, TableRef
from services.unity_catalog.rows import Rows
from tests.support import catalog_lab as lab

# The connector writes every message it sends and receives; hundreds of cases would bury a failure.
logging.getLogger("databricks.sql").setLevel(logging.WARNING)
KEYED = TableRef.of("lakefront", "lab", "keyed")
TIED = TableRef.of("lakefront", "lab", "tied")
MADE = lab.rows(240, seed=7)
TIES = [dict(row, id=row["id"] % 5) for row in lab.rows(40, seed=3)]
CASES = hypothesis_settings(
    max_examples=400, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None
)
FEWER = hypothesis_settings(CASES, max_examples=200)


@pytest.fixture(scope="module")
def analyst(workspace: Workspace, user: Callable[..., User]) -> User:
    lab.make_table(workspace, "keyed", MADE, key=True)
    lab.make_table(workspace, "tied", TIES, key=False)
    repeat = f"INSERT INTO {lab.SCHEMA}.tied SELECT t.* FROM {lab.SCHEMA}.tied AS t CROSS JOIN range(24) AS r"
    lab.execute(workspace, repeat)
    return user("analyst@example.com")


# What the answers say of a value, written without the code under test.
def shown(value: Any) -> Any:
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, int):
        return value if -(2**53) <= value <= 2**53 else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[str(value)]
    if isinstance(value, Decimal):
        return f"{value:.18f}"
    if isinstance(value, dt.datetime):
        return value.replace(tzinfo=None).isoformat() + ("Z" if value.tzinfo else "")
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value


def shown_row(row: dict[str, Any]) -> dict[str, Any]:
    return {name: shown(value) for name, value in row.items()}


# Spark's comparison: NaN equals itself and is the greatest; a comparison with null is unknown.
def compare(left: Any, right: Any) -> int:
    if isinstance(left, float) or isinstance(right, float):
        left_nan, right_nan = left != left, right != right
        if left_nan or right_nan:
            return int(left_nan) - int(right_nan)
    return (left > right) - (left < right)


TESTS: dict[str, Callable[[int], bool]] = {
    "eq": lambda sign: sign == 0,
    "ne": lambda sign: sign != 0,
    "lt": lambda sign: sign < 0,
    "le": lambda sign: sign <= 0,
    "gt": lambda sign: sign > 0,
    "ge": lambda sign: sign >= 0,
}


def holds(tree: dict[str, Any], row: dict[str, Any]) -> bool | None:
    if "and" in tree:
        found = [holds(child, row) for child in tree["and"]]
        return False if False in found else None if None in found else True
    if "or" in tree:
        found = [holds(child, row) for child in tree["or"]]
        return True if True in found else None if None in found else False
    if "not" in tree:
        inner = holds(tree["not"], row)
        return None if inner is None else not inner
    value, operator, wanted = row[tree["column"]], tree["operator"], tree.get("python")
    if operator in ("is_null", "is_not_null"):
        return (value is None) == (operator == "is_null")
    if value is None:
        return None
    if operator == "between":
        return compare(value, wanted[0]) >= 0 and compare(value, wanted[1]) <= 0
    if operator == "in":
        return any(compare(value, one) == 0 for one in wanted)
    if operator in TESTS:
        return TESTS[operator](compare(value, wanted))
    texts = {
        "contains": lambda: wanted in value,
        "not_contains": lambda: wanted not in value,
        "starts_with": lambda: value.startswith(wanted),
        "ends_with": lambda: value.endswith(wanted),
    }
    return texts[operator]()


def ordered(rows: list[dict[str, Any]], sort: list[tuple[str, str]]) -> list[dict[str, Any]]:
    def by(one: dict[str, Any], other: dict[str, Any]) -> int:
        for column, direction in [*sort, ("id", "asc")]:
            left, right = one[column], other[column]
            if left is None or right is None:
                sign = int(left is not None) - int(right is not None)
            else:
                sign = compare(left, right)
            if sign:
                return -sign if direction == "desc" else sign
        return 0

    return sorted(rows, key=functools.cmp_to_key(by))


def without_python(tree: Any) -> Any:
    if isinstance(tree, list):
        return [without_python(child) for child in tree]
    if isinstance(tree, dict):
        return {key: without_python(value) for key, value in tree.items() if key != "python"}
    return tree


def operators(column: str) -> list[str]:
    """What can be asked of a column."""
    if column in lab.NESTED:
        return ["is_null", "is_not_null"]
    kind, _ = lab.COLUMNS[column]
    found = ["is_null", "is_not_null", "eq", "ne", "in"]
    if kind != "BOOLEAN":
        found += ["lt", "le", "gt", "ge", "between"]
    if kind == "STRING":
        found += ["contains", "not_contains", "starts_with", "ends_with"]
    return found


def condition(column: str, operator: str, choose: Callable[[list[Any]], Any]) -> dict[str, Any]:
    """A condition with values that the column may hold; ``choose`` takes one of them."""
    if operator in ("is_null", "is_not_null"):
        return {"column": column, "operator": operator}
    values = [value for value in lab.COLUMNS[column][1] if value is not None]
    if operator in ("in", "between"):
        wanted = [choose(values) for _ in range(2)]
        return {"column": column, "operator": operator, "value": [shown(one) for one in wanted], "python": wanted}
    value = choose(values)
    return {"column": column, "operator": operator, "value": shown(value), "python": value}


@st.composite
def conditions(draw: st.DrawFn) -> dict[str, Any]:
    column = draw(st.sampled_from([*lab.COLUMNS, *lab.NESTED]))
    operator = draw(st.sampled_from(operators(column)))
    return condition(column, operator, lambda values: draw(st.sampled_from(values)))


def trees() -> st.SearchStrategy[dict[str, Any]]:
    return st.recursive(
        conditions(),
        lambda inner: st.one_of(
            st.lists(inner, min_size=1, max_size=3).map(lambda found: {"and": found}),
            st.lists(inner, min_size=1, max_size=3).map(lambda found: {"or": found}),
            inner.map(lambda found: {"not": found}),
        ),
        max_leaves=5,
    ).filter(lambda tree: depth(tree) <= 8)


def depth(tree: dict[str, Any]) -> int:
    if "not" in tree:
        return 1 + depth(tree["not"])
    return 1 + max((depth(child) for child in tree.get("and", tree.get("or", []))), default=0)


SORTS = st.lists(
    st.tuples(st.sampled_from(list(lab.COLUMNS)), st.sampled_from(["asc", "desc"])),
    max_size=3,
    unique_by=lambda pair: pair[0],
)


def asked(tree: Any, sort: list[tuple[str, str]], limit: int, offset: int, count: bool = False) -> RowsRequest:
    return RowsRequest.model_validate(
        {
            "limit": limit,
            "offset": offset,
            "sort": [{"column": column, "direction": direction} for column, direction in sort],
            "filter": None if tree is None else without_python(tree),
            "count": count,
        }
    )


@pytest.mark.parametrize("column", [*lab.COLUMNS, *lab.NESTED])
def test_every_operator_of_a_column_equals_python(services: Services, analyst: User, column: str) -> None:
    chance = random.Random(column)
    for operator in operators(column):
        tree = condition(column, operator, chance.choice)
        matching = [row for row in MADE if holds(tree, row) is True]

        page = services.unity_catalog.rows(analyst, KEYED, asked(tree, [], len(MADE), 0))

        assert page.rows == [shown_row(row) for row in ordered(matching, [])], tree


@given(tree=trees(), sort=SORTS, limit=st.integers(1, 60), offset=st.integers(0, 60))
@CASES
def test_a_page_equals_python(
    services: Services, analyst: User, tree: Any, sort: list[tuple[str, str]], limit: int, offset: int
) -> None:
    matching = [row for row in MADE if holds(tree, row) is True]
    wanted = ordered(matching, sort)[offset : offset + limit]

    page = services.unity_catalog.rows(analyst, KEYED, asked(tree, sort, limit, offset, count=True))

    assert page.rows == [shown_row(row) for row in wanted]
    assert page.pagination.total_rows == len(matching)
    more = offset + limit < len(matching)
    assert page.pagination.next_offset == (offset + limit if more else None)


@given(tree=st.one_of(st.none(), trees()), sort=SORTS, limit=st.integers(1, 60), offset=st.integers(0, 260))
@FEWER
def test_counted_blocks_give_the_same_page_as_a_plain_offset(
    services: Services,
    analyst: User,
    small_blocks: None,
    tree: Any,
    sort: list[tuple[str, str]],
    limit: int,
    offset: int,
) -> None:
    catalog = services.unity_catalog
    details = catalog.table(analyst, KEYED)
    deep = Rows(catalog._runner, keep_seconds=0, deep_offset=0)
    request = asked(tree, sort, limit, offset)

    page = deep.page(analyst, KEYED, details, request, None)

    matching = [row for row in MADE if tree is None or holds(tree, row) is True]
    assert page.rows == [shown_row(row) for row in ordered(matching, sort)[offset : offset + limit]]


@pytest.fixture(scope="module")
def small_blocks() -> Any:
    """Blocks so small that ranges, single values and the next sort column are all reached with 240 rows."""
    patch = pytest.MonkeyPatch()
    patch.setattr(counted_blocks, "LARGE_BLOCK", 10)
    patch.setattr(counted_blocks, "FEW_VALUES", 3)
    patch.setattr(counted_blocks, "RANGES", 5)
    yield
    patch.undo()


@pytest.mark.parametrize("column", ["i", "big", "d", "f", "dec", "s", "b", "day", "ts", "ntz", lab.ODD])
@pytest.mark.parametrize("direction", ["asc", "desc"])
@pytest.mark.parametrize("deep_offset", [0, 10**9])
def test_a_walk_over_ties_neither_repeats_nor_skips(
    services: Services, analyst: User, small_blocks: None, column: str, direction: str, deep_offset: int
) -> None:
    catalog = services.unity_catalog
    details = catalog.table(analyst, TIED)
    assert not details.primary_key
    rows = Rows(catalog._runner, keep_seconds=60, deep_offset=deep_offset)
    walked: list[str] = []
    offset: int | None = 0
    while offset is not None:
        request = asked(None, [(column, direction)], 97, offset)
        page = rows.page(analyst, TIED, details, request, None)
        walked += [repr(row) for row in page.rows]
        offset = page.pagination.next_offset
    expected = TIES * 25
    assert len(walked) == 1000
    assert Counter(walked) == Counter(repr(shown_row(row)) for row in expected)


def test_maps_sort_by_their_json_and_nested_values_stay_json(services: Services, analyst: User) -> None:
    page = services.unity_catalog.rows(
        analyst, KEYED, RowsRequest(limit=240, columns=["id", "m", "arr", "st", "bin"], sort=[Sort(column="m")])
    )
    by_id = {row["id"]: row for row in MADE}
    assert [row["m"] for row in page.rows[:10]] == [None] * 10
    for row in page.rows:
        original = by_id[row["id"]]
        assert (row["m"], row["arr"], row["st"]) == (original["m"], original["arr"], original["st"])
        assert row["bin"] == shown(original["bin"])


def test_a_count_is_kept_and_refreshed(services: Services, analyst: User) -> None:
    first = services.unity_catalog.count(analyst, KEYED, CountRequest())
    again = services.unity_catalog.count(analyst, KEYED, CountRequest())
    anew = services.unity_catalog.count(analyst, KEYED, CountRequest(), refresh=True)
    assert first.total_rows == again.total_rows == anew.total_rows == 240
    assert again.query.cached
    assert again.query.fetched_at == first.query.fetched_at
    assert not anew.query.cached
    assert anew.query.fetched_at > first.query.fetched_at
