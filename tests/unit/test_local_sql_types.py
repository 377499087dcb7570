"""Types and values of decimals, implicit casts, intervals and rounding; names of columns; limits of what is planned."""

# ruff: noqa: E501 - statements are easier to read in one line
from __future__ import annotations

import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from local_workspace.sql import dialect, queries
from tests.support.local_sql import SqlWorld


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlWorld]:
    made = SqlWorld(tmp_path_factory.mktemp("sql"), taxi_rows=10)
    made.make_tables()
    yield made
    made.engine.close()


# The result types follow the rules of the DECIMAL type in the SQL reference.
TYPED: list[tuple[str, Any, str]] = [
    ("1.0 / 3", Decimal("0.333333"), "DECIMAL(7,6)"),
    ("CAST(10 AS DECIMAL(10,2)) / CAST(3 AS DECIMAL(10,2))", Decimal("3.3333333333333"), "DECIMAL(23,13)"),
    ("CAST(2 AS DECIMAL(10,2)) / CAST(3 AS DECIMAL(10,2))", Decimal("0.6666666666667"), "DECIMAL(23,13)"),
    ("CAST(-2 AS DECIMAL(10,2)) / CAST(3 AS DECIMAL(10,2))", Decimal("-0.6666666666667"), "DECIMAL(23,13)"),
    (
        "CAST(-99999999999999999999.999999999999999999 AS DECIMAL(38,18)) / 7",
        Decimal("-14285714285714285714.285714285714285714"),
        "DECIMAL(38,18)",
    ),
    ("1.5 / 2.0D", 0.75, "DOUBLE"),
    ("1.5 * 2", Decimal("3.0"), "DECIMAL(4,1)"),
    (
        "CAST(99999999.99 AS DECIMAL(10,2)) * CAST(99999999.99 AS DECIMAL(10,2))",
        Decimal("9999999998000000.0001"),
        "DECIMAL(21,4)",
    ),
    ("CAST(1.5 AS DECIMAL(10,2)) + CAST(1 AS DECIMAL(5,3))", Decimal("2.500"), "DECIMAL(12,3)"),
    ("5.5 % 2", Decimal("1.5"), "DECIMAL(2,1)"),
    ("7.5 DIV 2", 3, "BIGINT"),
    ("floor(2.7)", Decimal(2), "DECIMAL(2,0)"),
    ("ceil(-2.7)", Decimal(-2), "DECIMAL(2,0)"),
    ("round(2.555, 2)", Decimal("2.56"), "DECIMAL(4,2)"),
    ("round(1.005D, 2)", 1.01, "DOUBLE"),
    ("round(-2.5D)", -3.0, "DOUBLE"),
    ("round(12345.678D, -2)", 12300.0, "DOUBLE"),
    ("try_divide(1.0, 0)", None, "DECIMAL(7,6)"),
    ("'5' + 1", 6, "BIGINT"),
    ("'5' / 2", 2.5, "DOUBLE"),
    ("'5' * 1.5", 7.5, "DOUBLE"),
    ("'5' = 5", True, "BOOLEAN"),
    ("1 IN ('1', '2')", True, "BOOLEAN"),
    ("DATE'2024-01-01' = '2024'", True, "BOOLEAN"),
    ("DATE'2024-03-01' - DATE'2024-02-01'", "29 00:00:00.000000000", "INTERVAL DAY TO SECOND"),
    ("INTERVAL 14 MONTH", "1-2", "INTERVAL YEAR TO MONTH"),
    ("INTERVAL 0 YEAR", "0-0", "INTERVAL YEAR TO MONTH"),
    ("INTERVAL 25 HOUR", "1 01:00:00.000000000", "INTERVAL DAY TO SECOND"),
]


@pytest.mark.parametrize(("expression", "value", "kind"), TYPED)
def test_value_and_type(world: SqlWorld, expression: str, value: Any, kind: str) -> None:
    execution = world.run(f"SELECT {expression} AS v")
    assert execution.error is None
    assert [column.type_text for column in execution.columns] == [kind]
    got = execution.fetch(1, 1 << 20)[0].to_pylist()[0]["v"]
    assert type(got) is type(value)
    assert got == value
    execution.close()


def test_aggregates_of_decimals_are_exact(world: SqlWorld) -> None:
    source = "(SELECT CAST(id AS DECIMAL(10,2)) + 0.01 AS x FROM range(3)) t"
    sql = f"SELECT avg(x), sum(x), avg(x) FILTER (WHERE x > 1), avg(DISTINCT x), sum(x) / count(*) FROM {source}"
    execution = world.run(sql)
    assert [column.type_text for column in execution.columns[:2]] == ["DECIMAL(15,6)", "DECIMAL(21,2)"]
    row = tuple(execution.fetch(1, 1 << 20)[0].to_pylist()[0].values())
    assert row[:4] == (Decimal("1.010000"), Decimal("3.03"), Decimal("1.510000"), Decimal("1.010000"))
    assert row[4] == Decimal("1.01")
    execution.close()
    running = world.rows(f"SELECT avg(x) OVER (ORDER BY x) FROM {source} ORDER BY x")
    assert running == [(Decimal("0.010000"),), (Decimal("0.510000"),), (Decimal("1.010000"),)]


def test_a_type_passes_ctes_views_unions_and_outer_references(world: SqlWorld) -> None:
    sql = (
        "WITH a AS (SELECT CAST(id AS DECIMAL(10,2)) AS x FROM range(3)), b AS (SELECT * FROM a UNION ALL SELECT * FROM a) "
        "SELECT (SELECT max(o.x) / 3) AS v FROM b AS o WHERE o.x = 2 LIMIT 1"
    )
    assert world.rows(sql) == [(Decimal("0.666667"),)]


@pytest.mark.parametrize(
    ("expression", "error"),
    [
        ("'5.5' = 6", "CAST_INVALID_INPUT"),
        ("'x' + 1", "CAST_INVALID_INPUT"),
        ("1.5 / 0", "DIVIDE_BY_ZERO"),
        ("transform(array(1.5), x -> x / 2)", "UNSUPPORTED_FEATURE"),
        ("round(1.5, CAST(1 AS INT))", "UNSUPPORTED_FEATURE"),
        ("array(INTERVAL 1 DAY)", "UNSUPPORTED_FEATURE"),
    ],
)
def test_refused(world: SqlWorld, expression: str, error: str) -> None:
    assert world.error(f"SELECT {expression}").startswith(f"[{error}")


@pytest.mark.parametrize(
    ("expression", "name"),
    [
        ("DATE'2024-01-01'", "DATE '2024-01-01'"),
        ("TIMESTAMP'2024-01-01 00:00:00'", "TIMESTAMP '2024-01-01 00:00:00'"),
        ("1.5D", "1.5"),
        ("7 DIV 2", "(7 div 2)"),
        ("named_struct('a', 1, 'b', 2)", "named_struct(a, 1, b, 2)"),
        ("CAST('2024-01-01' AS DATE)", "CAST(2024-01-01 AS DATE)"),
    ],
)
def test_names_of_unaliased_expressions(world: SqlWorld, expression: str, name: str) -> None:
    execution = world.run(f"SELECT {expression}")
    assert [column.name for column in execution.columns] == [name]
    execution.close()


@pytest.mark.parametrize(
    "call",
    [
        "substring({},1,2)",
        "pmod({},3)",
        "log(2,{})",
        "round({}*1.0D,2)",
        "array({})[0]",
        "CAST(CAST({} AS STRING) AS INT)",
    ],
)
def test_calls_in_calls_are_planned_in_bounded_time(world: SqlWorld, call: str) -> None:
    expression = "'12'" if "sub" in call else "8"
    for _ in range(12):
        expression = call.format(expression)
    started = time.process_time()  # written into each other the calls would take minutes of it, on any machine
    execution = world.run(f"SELECT {expression}")
    assert execution.state == "FINISHED"
    assert time.process_time() - started < 3
    execution.close()


def test_a_function_that_doubles_its_argument_is_capped(world: SqlWorld) -> None:
    world.rows("CREATE FUNCTION lakefront.sales.twice(x INT) RETURNS INT RETURN x + x", who="deployer")
    try:
        nested = "1"
        for _ in range(5):
            nested = f"lakefront.sales.twice({nested})"
        assert world.value(nested, who="deployer") == 32
        for _ in range(15):
            nested = f"lakefront.sales.twice({nested})"
        started = time.monotonic()
        message = world.error(f"SELECT {nested}", who="deployer")
        assert message.startswith("[FAILED_TO_PARSE_TOO_COMPLEX]")
        assert message.endswith("SQLSTATE: 54001")
        assert time.monotonic() - started < 3
    finally:
        world.rows("DROP FUNCTION lakefront.sales.twice", who="deployer")


@pytest.mark.parametrize(
    "expression",
    ["to_date('2024-01-01')", "CAST('2024-01-01 10:00' AS TIMESTAMP)", "months_between('2024-03-31', '2024-02-29')"],
)
def test_casts_of_literals_are_planned_cheaply(world: SqlWorld, expression: str) -> None:
    world.value(expression)
    times = []
    for _ in range(5):
        started = time.perf_counter()
        world.value(expression)
        times.append(time.perf_counter() - started)
    assert min(times) < 0.05


def test_show_and_information_schema_agree(world: SqlWorld) -> None:
    listed = world.rows("SHOW SCHEMAS IN lakefront")
    assert world.rows("SELECT schema_name FROM lakefront.information_schema.schemata ORDER BY 1") == listed
    assert ("information_schema",) in listed
    tables = [row[1] for row in world.rows("SHOW TABLES IN lakefront.sales")]
    known = "SELECT table_name FROM lakefront.information_schema.tables WHERE table_schema = 'sales' ORDER BY 1"
    assert [row[0] for row in world.rows(known)] == sorted(tables)
    views = [row[1] for row in world.rows("SHOW VIEWS IN lakefront.sales")]
    texts = world.rows("SELECT table_name, view_definition FROM lakefront.information_schema.views ORDER BY 1")
    assert texts == [(name, None) for name in sorted(views)]
    for _, view, _ in world.rows("SHOW TABLES IN lakefront.information_schema"):
        assert world.rows(f"SELECT count(*) >= 0 FROM lakefront.information_schema.{view}") == [(True,)]


@pytest.mark.parametrize("statement", ["EXPLAIN SELECT 1", "DESCRIBE DETAIL people", "DESCRIBE HISTORY people"])
def test_statements_that_are_refused_clearly(world: SqlWorld, statement: str) -> None:
    message = world.error(statement)
    assert message.startswith("[UNSUPPORTED_FEATURE")
    assert message.endswith("SQLSTATE: 0A000")


def test_stored_decimals_are_exact_in_queries_and_changes(world: SqlWorld) -> None:
    who = "deployer"
    world.rows("CREATE OR REPLACE TABLE lakefront.sales.prices (p DECIMAL(10,2), n INT, s STRING, d DATE)", who=who)
    world.rows(
        "INSERT INTO lakefront.sales.prices VALUES (10.00, 3, '7', DATE'2024-01-01'), (0.01, 3, '8', NULL)", who=who
    )
    sql = "SELECT p / n, p / 3, avg(p) OVER (), s + n, d = '2024', d - d FROM lakefront.sales.prices ORDER BY p DESC LIMIT 1"
    execution = world.run(sql, who=who)
    assert execution.error is None
    kinds = [column.type_text for column in execution.columns]
    assert kinds == ["DECIMAL(21,13)", "DECIMAL(14,6)", "DECIMAL(14,6)", "BIGINT", "BOOLEAN", "INTERVAL DAY TO SECOND"]
    row = tuple(execution.fetch(1, 1 << 20)[0].to_pylist()[0].values())
    execution.close()
    assert row[:3] == (Decimal("3.3333333333333"), Decimal("3.333333"), Decimal("5.005000"))
    assert row[3:] == (10, True, "0 00:00:00.000000000")
    world.rows("UPDATE lakefront.sales.prices SET p = p / n WHERE s = 7", who=who)
    assert world.rows("SELECT p FROM lakefront.sales.prices ORDER BY p", who=who) == [
        (Decimal("0.01"),),
        (Decimal("3.33"),),
    ]


COLUMNS = "p DECIMAL(10,2), n INT, b BIGINT, s STRING, d DATE, t TIMESTAMP, f FLOAT, x DOUBLE, tt TINYINT, a ARRAY<INT>"
INFERRED = [
    "SELECT p AS q, q / 2 FROM ty",
    "SELECT *, p / 2 FROM ty",
    "SELECT p / n, n / p, p + n, p * b, p % n, n DIV p, -p, abs(p), b + tt, f + x, f * f, f / f, x + p, n + tt FROM ty",
    "SELECT tt + tt, tt * tt, n + 1, b + 1, tt + 1, 1 + tt, n * n, n % 2, x % 2, tt % tt, b % n, f % 2 FROM ty",
    "SELECT max(p), min(d), sum(tt), sum(f), avg(f), avg(n), sum(p), avg(p), any_value(s) FROM ty",
    "SELECT lag(p) OVER (ORDER BY n), sum(p) OVER (), row_number() OVER (ORDER BY n) FROM ty",
    "SELECT CASE WHEN n > 1 THEN p ELSE 0 END, CASE n WHEN 1 THEN p END, coalesce(p, 0), if(n > 1, p, n), greatest(p, n), nullif(p, 0) FROM ty",
    "SELECT t - t, d - d, t + INTERVAL 1 DAY, d + INTERVAL 1 MONTH, d + 1, INTERVAL 1 DAY + INTERVAL 2 HOUR, t - d FROM ty",
    "SELECT round(p), round(p, 1), floor(p), ceil(p), floor(x), ceil(n), round(x, 1), round(n), round(f, 1) FROM ty",
    "SELECT s + n, s || 'x', concat(a, a), length(s), s = n, n IN (1, 2), try_divide(p, n), try_divide(n, n), try_divide(x, p) FROM ty",
    "SELECT p FROM ty UNION ALL SELECT n FROM ty",
    "WITH c(z) AS (SELECT p FROM ty) SELECT z, z / 2 FROM c",
    "SELECT q.u + 1 FROM ty AS q(u, v, w, k, l, m, o, r, y, i)",
    "SELECT e, e / 2 FROM ty LATERAL VIEW explode(a) t AS e",
    "SELECT p AS n FROM ty ORDER BY n",
    "SELECT * FROM ty a JOIN ty b USING (p)",
    "SELECT * FROM VALUES (1, 'q', 10) t(k, n, v) PIVOT (sum(v) FOR n IN ('q', 'r'))",
]


@pytest.mark.parametrize("statement", INFERRED)
def test_an_inferred_type_is_the_type_of_the_result(world: SqlWorld, statement: str) -> None:
    world.rows(f"CREATE OR REPLACE TABLE lakefront.sales.ty ({COLUMNS})", who="deployer")
    inferred = queries.prepare(world.session("deployer"), dialect.parse(statement), ()).kinds
    execution = world.run(statement, who="deployer")
    assert execution.error is None
    kinds = [column.type_text.replace(" ", "") for column in execution.columns]
    execution.close()
    if len(inferred) == len(kinds):  # otherwise nothing is used of it
        wrong = [pair for pair in zip(inferred, kinds, strict=True) if pair[0] and pair[0].replace(" ", "") != pair[1]]
        assert not wrong
