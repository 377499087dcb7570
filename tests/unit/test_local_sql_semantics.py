"""Expressions whose plain translation to DuckDB would give another answer than Databricks."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from local_workspace.sql.model import Parameter
from tests.support.local_sql import SqlWorld


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlWorld]:
    made = SqlWorld(tmp_path_factory.mktemp("sql"), taxi_rows=20_000)
    yield made
    made.engine.close()


TS = "TIMESTAMP'2024-03-10 01:59:30'"
EXPRESSIONS: list[tuple[str, Any]] = [
    ("'it''s'", "it's"),
    ("CAST(2.5 AS INT)", 2),
    ("CAST(3.99D AS BIGINT)", 3),
    ("CAST(-3.99D AS INT)", -3),
    ("CAST(' 12 ' AS INT)", 12),
    ("TRY_CAST('3.7' AS INT)", None),
    ("TRY_CAST('1e3' AS INT)", None),
    ("CAST(1e16D AS STRING)", "1.0E16"),
    ("CAST(1e-5D AS STRING)", "1.0E-5"),
    ("CAST(1e7D AS STRING)", "1.0E7"),
    ("CAST(-0.00012D AS STRING)", "-1.2E-4"),
    ("CAST(CAST('NaN' AS DOUBLE) AS STRING)", "NaN"),
    ("CAST(1.50BD AS STRING)", "1.50"),
    (f"CAST({TS} AS STRING)", "2024-03-10 01:59:30"),
    ("CAST('2024' AS DATE)", date(2024, 1, 1)),
    ("CAST('2024-3' AS DATE)", date(2024, 3, 1)),
    ("TRY_CAST('2024-02-30' AS DATE)", None),
    ("CAST(X'C3A9' AS STRING)", "é"),
    ("TIMESTAMP('2021-09-30 11:27')", datetime(2021, 9, 30, 11, 27, tzinfo=UTC)),
    ("7 / 2", 3.5),
    ("-7 DIV 2", -3),
    ("pmod(-1, 3)", 2),
    ("ln(0)", None),
    ("log(2, 8)", 3.0),
    ("floor(2.7D)", 2),
    ("ceil(2.1)", 3),
    ("round(-2.5)", Decimal(-3)),
    ("bround(2.5)", Decimal(2)),
    ("isnan(NULL)", False),
    ("width_bucket(5.5, 0, 10, 5)", 3),
    ("width_bucket(-1, 0, 10, 5)", 0),
    ("width_bucket(10, 0, 10, 5)", 6),
    ("substring('hello', 0, 2)", "he"),
    ("substring('hello', -3, 2)", "ll"),
    ("substring('hello', -10, 7)", "he"),
    ("left('abc', -1)", ""),
    ("length('é😀')", 2),
    ("octet_length('é')", 2),
    ("locate('b', 'abcb', 3)", 4),
    ("regexp_replace('abc', '(b)', '<$1>')", "a<b>c"),
    ("'axb' LIKE 'a\\_b'", False),
    ("'a_b' LIKE 'a\\_b'", True),
    ("dayofweek(DATE'2024-01-07')", 1),
    ("weekday(DATE'2024-01-07')", 6),
    ("date_add(DATE'2024-01-01', 2)", date(2024, 1, 3)),
    ("DATE'2024-01-31' + INTERVAL 1 MONTH", date(2024, 2, 29)),
    ("datediff(HOUR, TIMESTAMP'2024-01-01 01:59:00', TIMESTAMP'2024-01-01 02:00:00')", 0),
    ("datediff(TIMESTAMP'2024-01-02 00:01:00', TIMESTAMP'2024-01-01 23:59:00')", 1),
    ("months_between('2024-03-31', '2024-02-29')", 1.0),
    ("trunc(DATE'2024-05-06', 'MM')", date(2024, 5, 1)),
    ("date_trunc('HOUR', TIMESTAMP'2024-01-01 05:10:00')", datetime(2024, 1, 1, 5, tzinfo=UTC)),
    ("date_trunc('DAY', DATE'2024-01-01')", datetime(2024, 1, 1, tzinfo=UTC)),
    (f"date_format({TS}, 'yyyy-MM-dd HH:mm:ss.SSS')", "2024-03-10 01:59:30.000"),
    ("to_date('01/02/2024', 'dd/MM/yyyy')", date(2024, 2, 1)),
    (f"unix_timestamp({TS})", 1710035970),
    ("from_unixtime(0)", "1970-01-01 00:00:00"),
    ("array(1, 2)[0]", 1),
    ("get(array(1, 2), 5)", None),
    ("element_at(array(1, 2), -1)", 2),
    ("map('k', 1)['k']", 1),
    ("exists(array(1, 2), x -> x > 1)", True),
    ("from_json('{\"a\": 1}', 'a INT')", {"a": 1}),
    ("sequence(3, 1)", [3, 2, 1]),
    ("current_catalog()", "lakefront"),
    ("X'00ff'", b"\x00\xff"),
    ("1 <=> NULL", False),
]


@pytest.mark.parametrize(("expression", "wanted"), EXPRESSIONS)
def test_value(world: SqlWorld, expression: str, wanted: object) -> None:
    assert world.value(expression) == wanted


FAULTS = [
    ("1 / 0", "DIVIDE_BY_ZERO", "22012"),
    ("5 % 0", "REMAINDER_BY_ZERO", "22012"),
    ("9223372036854775807 + 1", "ARITHMETIC_OVERFLOW", "22003"),
    ("CAST('abc' AS INT)", "CAST_INVALID_INPUT", "22018"),
    ("CAST('3.7' AS INT)", "CAST_INVALID_INPUT", "22018"),
    ("CAST('2024-02-30' AS DATE)", "CAST_INVALID_INPUT", "22018"),
    ("CAST(300 AS TINYINT)", "CAST_OVERFLOW", "22003"),
    ("array(1, 2)[9]", "INVALID_ARRAY_INDEX", "22003"),
    ("nothing", "UNRESOLVED_COLUMN", "42703"),
    ("no_such_function(1)", "UNRESOLVED_ROUTINE", "42883"),
    ("crc32('x')", "UNRESOLVED_ROUTINE", "42883"),
    ("regexp_replace('x', '(?=y)', '')", "UNSUPPORTED_FEATURE", "0A000"),
    (":missing", "UNBOUND_SQL_PARAMETER", "42P02"),
    ("1 LIMIT -1", "INVALID_LIMIT_LIKE_EXPRESSION", "42K0E"),
    ("FROM WHERE", "PARSE_SYNTAX_ERROR", "42601"),
]


@pytest.mark.parametrize(("expression", "error_class", "sqlstate"), FAULTS)
def test_fault(world: SqlWorld, expression: str, error_class: str, sqlstate: str) -> None:
    message = world.error(f"SELECT {expression}")
    assert message.startswith(f"[{error_class}")
    assert message.rstrip().endswith(f"SQLSTATE: {sqlstate}")


TYPES = [
    ("1", "INT"),
    ("count(*)", "BIGINT"),
    ("sum(1)", "BIGINT"),
    ("count_if(true)", "BIGINT"),
    ("row_number() OVER (ORDER BY 1)", "INT"),
    ("year(DATE'2024-01-01')", "INT"),
    ("size(array(1))", "INT"),
    ("floor(1.5D)", "BIGINT"),
    (TS, "TIMESTAMP"),
    ("TIMESTAMP_NTZ'2024-01-01 00:00:00'", "TIMESTAMP_NTZ"),
    ("CAST(1.5 AS DECIMAL(38,18))", "DECIMAL(38,18)"),
    ("named_struct('a', 1, 'b', array('x'))", "STRUCT<a: INT, b: ARRAY<STRING>>"),
    ("map('a', 1)", "MAP<STRING, INT>"),
    ("NULL", "VOID"),
]


@pytest.mark.parametrize(("expression", "kind"), TYPES)
def test_type(world: SqlWorld, expression: str, kind: str) -> None:
    execution = world.run(f"SELECT {expression}")
    assert [column.type_text for column in execution.columns] == [kind]
    execution.close()


NAMES = [
    ("1", "1"),
    ("'x'", "x"),
    ("count(*)", "count(1)"),
    ("1 + 1", "(1 + 1)"),
    ("max(1)", "max(1)"),
    ("NULL", "NULL"),
]


@pytest.mark.parametrize(("expression", "name"), NAMES)
def test_name_of_an_unnamed_column(world: SqlWorld, expression: str, name: str) -> None:
    execution = world.run(f"SELECT {expression}")
    assert [column.name for column in execution.columns] == [name]
    execution.close()


def test_nulls_sort_as_on_the_platform(world: SqlWorld) -> None:
    values = "FROM VALUES (2), (NULL), (1) t(x)"
    assert world.rows(f"SELECT x {values} ORDER BY x") == [(None,), (1,), (2,)]
    assert world.rows(f"SELECT x {values} ORDER BY x DESC") == [(2,), (1,), (None,)]
    assert world.rows(f"SELECT x {values} ORDER BY x NULLS LAST") == [(1,), (2,), (None,)]
    assert world.rows(f"SELECT x {values} ORDER BY x DESC NULLS FIRST") == [(None,), (2,), (1,)]


def test_an_outer_lateral_view_keeps_rows_without_elements(world: SqlWorld) -> None:
    values = "FROM VALUES (1, array(7, 8)), (2, CAST(array() AS ARRAY<INT>)), (3, NULL) s(id, a)"
    inner = world.rows(f"SELECT id, v {values} LATERAL VIEW explode(a) t AS v ORDER BY id, v")
    outer = world.rows(f"SELECT id, v {values} LATERAL VIEW OUTER explode(a) t AS v ORDER BY id, v")
    assert inner == [(1, 7), (1, 8)]
    assert outer == [(1, 7), (1, 8), (2, None), (3, None)]


def test_percentiles(world: SqlWorld) -> None:
    values = "FROM VALUES (1), (2) t(x)"
    assert world.rows(f"SELECT percentile(x, 0.5), median(x), percentile_approx(x, 0.5) {values}") == [(1.5, 1.5, 1)]


def test_columns_of_values_and_range(world: SqlWorld) -> None:
    assert world.rows("SELECT col1, col2 FROM VALUES (1, 'a')") == [(1, "a")]
    assert world.rows("SELECT id FROM range(3)") == [(0,), (1,), (2,)]


def test_parameters_keep_their_types(world: SqlWorld) -> None:
    given = (
        Parameter("i", "INT", "3"),
        Parameter("d", "DECIMAL(4,2)", "12.30"),
        Parameter("t", "TIMESTAMP", "2020-01-02 03:04:05+00:00"),
        Parameter("b", "BOOLEAN", "True"),
        Parameter("n", "VOID"),
        Parameter("s", "STRING", "it's :i"),
        Parameter("a", "ARRAY", None, (Parameter(None, "INT", "1"), Parameter(None, "VOID", "None"))),
        Parameter("unused", "INT", "1"),
    )
    (row,) = world.rows("SELECT :i AS i, :d AS d, :t AS t, :b AS b, :n AS n, :s AS s, :a AS a, ':i' AS l", *given)
    when = datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert row[:2] == (3, Decimal("12.30"))
    assert row[2:6] == (when, True, None, "it's :i")
    assert list(row[6]) == [1, None]
    assert row[7] == ":i"


def test_a_bound_marker_is_named_by_its_value(world: SqlWorld) -> None:
    execution = world.run("SELECT ?, :n + 1", Parameter(None, "STRING", "x"), Parameter("n", "INT", "3"))
    assert [column.name for column in execution.columns] == ["x", "(3 + 1)"]
    execution.close()


def test_question_marks_count_in_the_order_of_the_text(world: SqlWorld) -> None:
    given = (Parameter(None, "INT", "1"), Parameter(None, "STRING", "b"))
    assert world.rows("WITH c AS (SELECT ? AS x) SELECT x, ? AS y FROM c", *given) == [(1, "b")]


def test_a_bound_text_compares_with_a_timestamp_and_keeps_its_quotes(world: SqlWorld) -> None:
    since = Parameter("t", "STRING", "2016-02-01 00:00:00")
    ((some,),) = world.rows("SELECT count(*) FROM samples.nyctaxi.trips WHERE tpep_pickup_datetime >= :t", since)
    assert 0 < some < 20_000
    nasty = "it's \\ \" -- ; %"
    assert world.value(":t", Parameter("t", "STRING", nasty)) == nasty
    assert world.value("'100%_\\\\x' LIKE :p", Parameter("p", "STRING", "100\\%\\_\\\\x")) is True


def test_limit_and_nan_are_bound(world: SqlWorld) -> None:
    given = (Parameter("n", "INT", "2"), Parameter("o", "INT", "1"), Parameter("v", "DOUBLE", "NaN"))
    rows = world.rows("SELECT id, :v FROM range(10) ORDER BY id LIMIT :n OFFSET :o", *given)
    assert [row[0] for row in rows] == [1, 2]
    assert math.isnan(rows[0][1])


def test_time_zone_of_the_session(world: SqlWorld) -> None:
    session = world.new_session()
    for statement in (
        "SET TIME ZONE 'Europe/Amsterdam'",
        "SELECT TIMESTAMP'2024-07-01 00:30:00' AS t, hour(to_timestamp('2024-07-01 00:30:00Z')) AS h",
    ):
        execution = session.execute(statement)
        execution.wait(10)
        assert execution.error is None
    table, _ = execution.fetch(10, 1 << 20)
    assert str(table.schema.field("t").type) == "timestamp[us, tz=Europe/Amsterdam]"
    assert table.to_pylist() == [{"t": datetime(2024, 7, 1, 0, 30, tzinfo=ZoneInfo("Europe/Amsterdam")), "h": 2}]
    session.close()


def test_hours_of_timestamps_agree_with_arithmetic_on_every_row(world: SqlWorld) -> None:
    sql = """SELECT count(*) FROM samples.nyctaxi.trips WHERE date_trunc('HOUR', tpep_pickup_datetime) <>
             timestamp_seconds(unix_seconds(tpep_pickup_datetime) DIV 3600 * 3600)"""
    assert world.rows(sql) == [(0,)]
