"""The sample data itself: small, plausible, the same at every run, and safe as SQL text."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
import sqlglot
from hypothesis import given
from hypothesis import strategies as st
from sqlglot import exp

from scripts import sample_data
from scripts.sample_data import literal, quoted


def test_it_stays_within_the_promised_size() -> None:
    tables = sample_data.tables()
    assert len(sample_data.SCHEMAS) <= 2
    assert len(tables) <= 3
    assert all(0 < len(table.rows) <= 100 for table in tables)
    assert {table.schema for table in tables} == set(sample_data.SCHEMAS)


def test_every_run_makes_the_same_rows() -> None:
    assert sample_data.tables() == sample_data.tables()


def test_rows_fit_their_columns_and_keys_are_unique() -> None:
    python_types = {
        "BIGINT": int,
        "INT": int,
        "STRING": str,
        "BOOLEAN": bool,
        "DATE": date,
        "TIMESTAMP": datetime,
        "ARRAY<STRING>": list,
        "DECIMAL(10,2)": Decimal,
        "DECIMAL(3,2)": Decimal,
    }
    for table in sample_data.tables():
        key = [column.name for column in table.columns].index(table.primary_key)
        assert len({row[key] for row in table.rows}) == len(table.rows)
        for row in table.rows:
            for column, value in zip(table.columns, row, strict=True):
                assert column.comment
                if value is None:
                    assert column.nullable
                else:
                    assert type(value) is python_types[column.data_type], (table.name, column.name, value)


def test_orders_belong_to_customers_of_their_region_and_leave_after_they_came() -> None:
    customers, orders, _ = sample_data.tables()
    region_of = {row[0]: row[3] for row in customers.rows}
    for order_id, customer_id, region, ordered_at, ship_date, status, items, amount, *_ in orders.rows:
        assert region_of[customer_id] == region, order_id
        assert isinstance(ordered_at, datetime)
        assert isinstance(amount, Decimal)
        assert items
        assert amount > 0
        assert (ship_date is None) == (status in {"processing", "cancelled"})
        if isinstance(ship_date, date):
            assert timedelta(0) < ship_date - ordered_at.date() < timedelta(days=7)
    assert {row[2] for row in orders.rows} == set(sample_data.REGIONS)


@given(st.text())
def test_text_survives_as_a_literal(text: str) -> None:
    parsed = sqlglot.parse_one(f"SELECT {literal(text)}", read="databricks").expressions[0]
    assert isinstance(parsed, exp.Literal)
    if "\\" not in text:  # the parser keeps escapes of its own
        assert parsed.this == text


@given(st.text(min_size=1).filter(lambda name: "\x00" not in name))
def test_a_quoted_name_is_one_identifier(name: str) -> None:
    table = sqlglot.parse_one(f"SELECT 1 FROM {quoted('c', 's', name)}", read="databricks").find(exp.Table)
    assert table is not None
    assert (table.catalog, table.db, table.name) == ("c", "s", name)


def test_other_values_as_literals() -> None:
    at = datetime(2024, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=2)))
    assert [literal(value) for value in (None, True, 7, Decimal("1.50"), date(2024, 1, 2), at, ["a", "it's"])] == [
        "NULL",
        "TRUE",
        "7",
        "1.50",
        "DATE'2024-01-02'",
        "TIMESTAMP'2024-01-02 01:04:05Z'",
        "array('a', 'it\\'s')",
    ]
    with pytest.raises(TypeError):
        literal(object())


def test_a_group_name_cannot_leave_the_functions_text() -> None:
    for function in sample_data.functions("it's') OR true --"):
        tree = sqlglot.parse_one(f"SELECT {function.body}", read="databricks")
        called = [call for call in tree.find_all(exp.Anonymous) if call.name.lower() == "is_account_group_member"]
        assert len(called) == 1
        assert len(called[0].expressions) == 1
