"""What statements mean, through the official connector: results as Databricks SQL documents them, never DuckDB's own.

The expected values follow the SQL reference (ANSI mode, session zone UTC). Where the engine may refuse instead, the
test allows the refusal, and only that: another row is a failure.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from databricks.sql import exc

from tests.support.sql_server import SqlServer, sql_server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlServer]:
    with sql_server(tmp_path_factory.mktemp("semantics"), start_seconds=0) as started:
        yield started


@pytest.fixture(scope="module")
def cursor(server: SqlServer) -> Iterator[Any]:
    with server.connect() as connection, connection.cursor() as opened:
        yield opened


def values(cursor: Any, statement: str) -> list[Any]:
    """The rows; of a single column its values."""
    cursor.execute(statement)
    rows = [tuple(cell.tolist() if isinstance(cell, np.ndarray) else cell for cell in row) for row in cursor.fetchall()]
    return [row[0] if len(row) == 1 else row for row in rows]


ONE_VALUE = [
    ("'it''s'", "it's"),
    (r"'it\'s'", "it's"),
    ('"double quoted"', "double quoted"),
    ("7 / 2", 3.5),
    ("7 DIV 2", 3),
    ("-7 % 3", -1),
    ("'5' + 1", 6),
    ("CAST(2.5 AS INT)", 2),
    ("CAST(3.99D AS BIGINT)", 3),
    ("CAST(-2.5 AS INT)", -2),
    ("try_cast('3.7' AS INT)", None),
    ("try_cast('x' AS DATE)", None),
    ("CAST('2024' AS DATE)", date(2024, 1, 1)),
    ("CAST('2024-03' AS DATE)", date(2024, 3, 1)),
    ("CAST(CAST(1e16 AS DOUBLE) AS STRING)", "1.0E16"),
    ("CAST(CAST(10000000 AS DOUBLE) AS STRING)", "1.0E7"),
    ("CAST(TIMESTAMP'2024-03-10 01:59:59' AS STRING)", "2024-03-10 01:59:59"),
    ("CAST(1.50 AS STRING)", "1.50"),
    ("CAST(true AS STRING)", "true"),
    ("dayofweek(DATE'2024-03-10')", 1),
    ("weekday(DATE'2024-03-10')", 6),
    ("datediff(DATE'2024-03-10', DATE'2024-03-01')", 9),
    ("datediff(DAY, TIMESTAMP'2024-03-01 23:00:00', TIMESTAMP'2024-03-02 01:00:00')", 0),
    ("timestampdiff(HOUR, TIMESTAMP'2024-03-01 01:59:00', TIMESTAMP'2024-03-01 02:00:00')", 0),
    ("date_add(DATE'2024-02-28', 2)", date(2024, 3, 1)),
    ("date_sub(DATE'2024-03-01', 1)", date(2024, 2, 29)),
    ("DATE'2024-01-31' + INTERVAL 1 MONTH", date(2024, 2, 29)),
    ("add_months(DATE'2024-01-31', 1)", date(2024, 2, 29)),
    ("trunc(DATE'2024-03-10', 'MM')", date(2024, 3, 1)),
    ("last_day(DATE'2024-02-10')", date(2024, 2, 29)),
    ("date_format(TIMESTAMP'2024-03-10 01:02:03.456', 'yyyy-MM-dd HH:mm:ss.SSS')", "2024-03-10 01:02:03.456"),
    ("unix_timestamp(TIMESTAMP'1970-01-01 00:01:00')", 60),
    ("year(DATE'2024-03-10')", 2024),
    ("hour(TIMESTAMP'2024-03-10 05:59:59')", 5),
    ("substring('hello', 0, 2)", "he"),
    ("substring('hello', 2)", "ello"),
    ("substring('hello', -3, 2)", "ll"),
    ("length('é')", 1),
    ("octet_length('é')", 2),
    (r"regexp_replace('a1b', '(\\d)', '<$1>')", "a<1>b"),
    (r"regexp_extract('x12y', '(\\d+)', 1)", "12"),
    (r"'a_b' LIKE 'a\\_b'", True),
    (r"'axb' LIKE 'a\\_b'", False),
    ("'ABC' ILIKE 'a%'", True),
    ("round(2.5)", Decimal("3")),
    ("round(-2.5)", Decimal("-3")),
    ("bround(2.5)", Decimal("2")),
    ("ln(0)", None),
    ("isnan(CAST(NULL AS DOUBLE))", False),
    ("nullif(1, 1)", None),
    ("NULL <=> NULL", True),
    ("array(1, 2, 3)[0]", 1),
    ("get(array(1, 2), 5)", None),
    ("element_at(array(1, 2), 1)", 1),
    ("element_at(array(1, 2), -1)", 2),
    ("map('k', 1)['k']", 1),
    ("size(array(1, 2))", 2),
    ("array_contains(array(1, 2), 2)", True),
    ("exists(array(1, 2), x -> x > 1)", True),
    ("transform(array(1, 2), x -> x + 1)", [2, 3]),
    ("filter(array(1, 2, 3), x -> x > 1)", [2, 3]),
    ("concat_ws('-', 'a', NULL, 'b')", "a-b"),
    ("coalesce(NULL, 2)", 2),
    ("if(true, 1, 2)", 1),
    ("greatest(1, NULL, 3)", 3),
    ("upper('é')", "É"),
    ("lpad('7', 3, '0')", "007"),
    ("split('a,b', ',')", ["a", "b"]),
    ("instr('hello', 'l')", 3),
    ("CAST('2024-03-10T05:00:00Z' AS TIMESTAMP) = TIMESTAMP'2024-03-10 05:00:00'", True),
    ("date_trunc('MONTH', TIMESTAMP'2024-03-10 05:00:00') = TIMESTAMP'2024-03-01 00:00:00'", True),
    ("try_divide(1, 0)", None),
    ("current_user()", "manager@example.com"),
    ("is_account_group_member('managers')", True),
    ("is_account_group_member('nobodies')", False),
]


def same(got: Any, wanted: Any) -> bool:
    """Equal in value, and in kind as far as dates, truth values and texts go."""
    if isinstance(wanted, (bool, str, list)) or wanted is None:
        return type(got) is type(wanted) and bool(got == wanted)
    if isinstance(wanted, date) and not isinstance(wanted, datetime):
        return type(got) is date and got == wanted
    return bool(got == wanted)


@pytest.mark.parametrize(("expression", "wanted"), ONE_VALUE)
def test_expressions(cursor: Any, expression: str, wanted: Any) -> None:
    try:
        got = values(cursor, f"SELECT {expression} AS v")[0]
    except exc.ServerOperationError as error:
        if "UNSUPPORTED" in str(error) or "UNRESOLVED_ROUTINE" in str(error):
            pytest.skip(f"refused: {error}")
        raise
    assert same(got, wanted), (got, wanted)


@pytest.mark.parametrize(
    ("expression", "error"),
    [
        ("1 / 0", "DIVIDE_BY_ZERO"),
        ("1.0 / 0", "DIVIDE_BY_ZERO"),
        ("5 % 0", "BY_ZERO"),
        ("CAST('abc' AS INT)", "CAST_INVALID_INPUT"),
        ("CAST('3.7' AS INT)", "CAST_INVALID_INPUT"),
        ("CAST('2024-02-30' AS DATE)", "CAST_INVALID_INPUT"),
        ("CAST(300 AS TINYINT)", "OVERFLOW"),
        ("9223372036854775807 + 1", "ARITHMETIC_OVERFLOW"),
        ("array(1, 2)[9]", "INVALID_ARRAY_INDEX"),
        ("no_such_function(1)", "UNRESOLVED_ROUTINE"),
        ("no_such_column", "UNRESOLVED_COLUMN"),
        (":missing", "UNBOUND_SQL_PARAMETER"),
    ],
)
def test_expressions_that_fail(cursor: Any, expression: str, error: str) -> None:
    with pytest.raises(exc.ServerOperationError, match=error) as caught:
        values(cursor, f"SELECT {expression} AS v")
    assert "SQLSTATE" in str(caught.value)
    assert "duckdb" not in str(caught.value).lower()
    assert "lib." not in str(caught.value)


QUERIES = [
    ("SELECT x FROM VALUES (2), (NULL), (1) AS t(x) ORDER BY x", [None, 1, 2]),
    ("SELECT x FROM VALUES (2), (NULL), (1) AS t(x) ORDER BY x DESC", [2, 1, None]),
    ("SELECT x FROM VALUES (2), (NULL), (1) AS t(x) ORDER BY x NULLS LAST", [1, 2, None]),
    ("SELECT id FROM range(3) ORDER BY id", [0, 1, 2]),
    ("SELECT id FROM range(2, 8, 3) ORDER BY id", [2, 5]),
    ("SELECT count(*), count(x), sum(x), avg(x) FROM VALUES (1), (NULL), (4) AS t(x)", [(3, 2, 5, 2.5)]),
    ("SELECT percentile(x, 0.5) FROM VALUES (1), (2), (3), (4) AS t(x)", [2.5]),
    ("SELECT x, row_number() OVER (ORDER BY x DESC) FROM VALUES (1), (2) AS t(x) ORDER BY x", [(1, 2), (2, 1)]),
    ("SELECT x FROM VALUES (1), (2), (3) AS t(x) QUALIFY row_number() OVER (ORDER BY x DESC) = 1", [3]),
    ("WITH a AS (SELECT 1 AS n UNION ALL SELECT 2) SELECT sum(n) FROM a", [3]),
    ("SELECT explode(array(1, 2)) AS e ORDER BY e", [1, 2]),
    ("SELECT id, e FROM range(1) LATERAL VIEW explode(array(7, 8)) t AS e ORDER BY e", [(0, 7), (0, 8)]),
    (
        (
            "SELECT k, e FROM VALUES (1, array(7)), (2, CAST(NULL AS ARRAY<INT>)) AS t(k, a)"
            " LATERAL VIEW OUTER explode(a) x AS e ORDER BY k"
        ),
        [(1, 7), (2, None)],
    ),
    ("SELECT 1 UNION SELECT 1", [1]),
    ("SELECT 1 EXCEPT SELECT 2", [1]),
    ("SELECT col1 FROM VALUES (5)", [5]),
    ("SELECT id FROM range(10) ORDER BY id LIMIT 2 OFFSET 3", [3, 4]),
    ("SELECT s FROM VALUES ('b'), ('a'), ('B') AS t(s) ORDER BY s", ["B", "a", "b"]),
]


@pytest.mark.parametrize(("statement", "wanted"), QUERIES)
def test_queries(cursor: Any, statement: str, wanted: list[Any]) -> None:
    try:
        got = values(cursor, statement)
    except exc.ServerOperationError as error:
        if "UNSUPPORTED" in str(error):
            pytest.skip(f"refused: {error}")
        raise
    assert got == wanted


@pytest.mark.parametrize(
    ("expression", "name", "code"),
    [
        ("1", "1", "int"),
        ("'x'", "x", "string"),
        ("count(*)", "count(1)", "bigint"),
        ("sum(id)", "sum(id)", "bigint"),
        ("max(id)", "max(id)", "bigint"),
        ("avg(id)", "avg(id)", "double"),
        ("1.50", "1.50", "decimal"),
    ],
)
def test_names_and_types_of_columns(cursor: Any, expression: str, name: str, code: str) -> None:
    cursor.execute(f"SELECT {expression} FROM range(3)")
    assert cursor.description[0][:2] == (name, code)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM `/etc/passwd`",
        "SELECT getenv('HOME')",
        "SELECT * FROM duckdb_settings()",
        "SELECT * FROM duckdb_tables()",
        "SELECT current_setting('threads')",
        "SELECT * FROM sqlite_master",
        "SELECT * FROM store.main.t1",
        "SELECT lib.main.to_int('1')",
        "ATTACH '/tmp/x.db' AS x",
        "COPY (SELECT 1) TO '/tmp/x.csv'",
        "PRAGMA database_list",
        "INSTALL httpfs",
        "CALL pragma_version()",
        "EXPORT DATABASE '/tmp/x'",
        "SELECT 1; SELECT 2",
        "CREATE MACRO m(x) AS x",
        "SET threads = 1; SELECT 1",
        "",
    ],
)
def test_the_engine_beneath_cannot_be_reached(cursor: Any, statement: str) -> None:
    with pytest.raises(exc.Error) as caught:
        values(cursor, statement)
    assert "SQLSTATE" in str(caught.value)
    assert "duckdb" not in str(caught.value).lower().replace(statement.lower(), "") or "duckdb" in statement


def test_session_statements(server: SqlServer) -> None:
    with server.connect() as connection, connection.cursor() as cursor:
        assert values(cursor, "SELECT current_catalog(), current_schema()") == [("lakefront", "default")]
        values(cursor, "USE CATALOG samples")
        values(cursor, "USE SCHEMA nyctaxi")
        assert values(cursor, "SELECT current_catalog(), current_schema()") == [("samples", "nyctaxi")]
        values(cursor, "SET TIME ZONE 'Europe/Amsterdam'")
        cursor.execute("SELECT TIMESTAMP'2024-07-01 12:00:00' AS t")
        moment = cursor.fetchone()[0]
        assert moment.utcoffset() is not None
        assert moment.isoformat() == "2024-07-01T12:00:00+02:00"
        assert str(moment.tzinfo) == "Europe/Amsterdam"


def test_sessions_do_not_share_their_settings(server: SqlServer) -> None:
    with server.connect() as first, server.connect() as second:
        values(first.cursor(), "USE CATALOG samples")
        assert values(second.cursor(), "SELECT current_catalog()") == ["lakefront"]


def test_a_failure_in_a_later_page_is_told(cursor: Any) -> None:
    with pytest.raises(exc.DatabaseError, match="DIVIDE_BY_ZERO"):
        values(cursor, "SELECT 1 / (id - 250000) AS v FROM range(300000)")
    assert values(cursor, "SELECT 1") == [1]
