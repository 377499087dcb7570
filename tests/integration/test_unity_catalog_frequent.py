"""Frequent values of a column: counted as Python counts them, and each finds its rows again through the filter form."""

from __future__ import annotations

import math
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from dashboard.pages.unity_catalog.filter_set import boxes
from dashboard.pages.unity_catalog.filter_values import Draft, as_option, read
from local_workspace.workspace import Workspace
from services.container import Services
from services.errors import Cancelled, InvalidRequest
from services.identity import User
from services.unity_catalog.frequent import MOST
from services.unity_catalog.models import CountRequest, TableRef
from tests.support import catalog_lab as lab

TRIPS = TableRef.of("samples", "nyctaxi", "trips")
CUSTOMERS = TableRef.of("lakefront", "sales", "customers")
LAB = TableRef.of("lakefront", "lab", "frequent")
MADE = lab.rows(160, seed=23)


@pytest.fixture(scope="module")
def analyst(workspace: Workspace, user: Callable[..., User]) -> User:
    lab.make_table(workspace, "frequent", MADE, key=True)
    return user("analyst@example.com")


@pytest.mark.parametrize("name", list(lab.COLUMNS))
def test_each_frequent_value_finds_its_rows_through_the_form(services: Services, analyst: User, name: str) -> None:
    catalog = services.unity_catalog
    column = next(one for one in catalog.table(analyst, LAB).columns if one.name == name)
    found = catalog.frequent_values(analyst, LAB, name)
    values = [row[name] for row in MADE if row[name] is not None]
    expected = Counter("NaN" if isinstance(one, float) and math.isnan(one) else one for one in values)
    assert sorted(one.count for one in found.values) == sorted(expected.values())
    assert [one.count for one in found.values] == sorted(expected.values(), reverse=True)
    assert found.distinct == len(expected)
    draft = Draft(chosen=tuple(as_option(one.value) for one in found.values))
    assert "no rows" not in str(boxes(column, found, draft))
    for one in found.values:
        condition = read(column, "in", Draft(chosen=(as_option(one.value),)))
        assert catalog.count(analyst, LAB, CountRequest(filter=condition)).total_rows == one.count, one
        typed = read(column, "in", Draft(chosen=(as_option(one.value),)).in_words(column))
        assert catalog.count(analyst, LAB, CountRequest(filter=typed)).total_rows == one.count, one
    every = read(column, "in", draft)
    assert catalog.count(analyst, LAB, CountRequest(filter=every)).total_rows == len(values)


def test_of_many_values_the_most_frequent_are_told_and_how_many_there_are(services: Services, analyst: User) -> None:
    found = services.unity_catalog.frequent_values(analyst, TRIPS, "fare_amount")
    assert len(found.values) == MOST < found.distinct
    counts = [one.count for one in found.values]
    assert counts == sorted(counts, reverse=True)
    assert "LIMIT" in found.query.statement
    with pytest.raises(InvalidRequest):
        services.unity_catalog.frequent_values(analyst, LAB, "arr")


def test_values_are_kept_for_one_person_and_masked_for_who_sees_masks(
    services: Services, user: Callable[..., User]
) -> None:
    catalog, analyst, manager = services.unity_catalog, user("analyst@example.com"), user("manager@example.com")
    masked = catalog.frequent_values(analyst, CUSTOMERS, "email")
    assert catalog.frequent_values(analyst, CUSTOMERS, "email") is masked
    clear = catalog.frequent_values(manager, CUSTOMERS, "email")
    assert {str(one.value).partition("@")[0] for one in masked.values} == {"***"}
    assert clear.query.runs_as == "manager@example.com"
    assert not any("***" in str(one.value) for one in clear.values)
    catalog.forget()
    assert catalog.frequent_values(analyst, CUSTOMERS, "email") is not masked


def test_a_statement_that_nobody_waits_for_is_cancelled(
    services: Services, analyst: User, workspace: Workspace
) -> None:
    catalog = services.unity_catalog
    lab.execute(
        workspace,
        f"CREATE OR REPLACE VIEW {lab.SCHEMA}.slow_values AS SELECT a.id * 1000003 + b.id AS n "
        "FROM range(60000) AS a CROSS JOIN range(60000) AS b",
        f"GRANT SELECT ON TABLE {lab.SCHEMA}.slow_values TO `analysts`",
    )
    ended: list[Any] = []

    def ask() -> None:
        try:
            ended.append(
                catalog.frequent_values(analyst, TableRef.of("lakefront", "lab", "slow_values"), "n", cancel_key="left")
            )
        except Cancelled as error:
            ended.append(error)

    asking = threading.Thread(target=ask)
    asking.start()
    deadline = time.monotonic() + 20
    while not catalog.cancel(analyst, "left"):
        assert time.monotonic() < deadline, "it never ran"
        time.sleep(0.05)
    asking.join(20)
    assert [type(one) for one in ended] == [Cancelled]
