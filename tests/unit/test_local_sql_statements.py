"""DDL, DML, SHOW, DESCRIBE, USE and SET, and the statements of the sample data's script."""

# ruff: noqa: E501 - statements are easier to read in one line
from __future__ import annotations

import argparse
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from databricks.sdk.errors import NotFound

from local_workspace.identity.directory import DEPLOYER
from scripts.setup_sample_data import Setup
from tests.support.local_sql import ANALYST, MANAGER, SqlWorld


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlWorld]:
    made = SqlWorld(tmp_path_factory.mktemp("sql"))
    for statement in ("CREATE CATALOG lab", "CREATE SCHEMA lab.s COMMENT 'it''s'", "USE lab.s"):
        made.rows(statement, who=DEPLOYER)
    yield made
    made.engine.close()


def rows(world: SqlWorld, sql: str) -> list[tuple[Any, ...]]:
    return world.rows(sql, who=DEPLOYER)


def test_all_types_survive_a_table(world: SqlWorld) -> None:
    rows(
        world,
        "CREATE TABLE kinds (b BOOLEAN, t TINYINT, i INT, l BIGINT, f FLOAT, d DOUBLE, n DECIMAL(38,18), s STRING, x BINARY, "
        "day DATE, ts TIMESTAMP, ntz TIMESTAMP_NTZ, a ARRAY<STRUCT<p: INT>>, m MAP<STRING, ARRAY<INT>>)",
    )
    rows(
        world,
        "INSERT INTO kinds VALUES (true, 1, 2, 3, 1.5, CAST('NaN' AS DOUBLE), 0.000000000000000001, 'é', X'00', DATE'2024-01-01', "
        "TIMESTAMP'2024-01-01 00:00:00', TIMESTAMP_NTZ'2024-01-01 00:00:00', array(named_struct('p', 1)), map('k', array(1)))",
    )
    execution = world.run("SELECT * FROM kinds", who=DEPLOYER)
    described = [row[1] for row in rows(world, "DESCRIBE TABLE kinds")]
    assert [column.type_text.lower().replace(", ", ",").replace(": ", ":") for column in execution.columns] == described
    table, _ = execution.fetch(10, 1 << 20)
    assert table.num_rows == 1
    assert str(table.column("n")[0].as_py()) == "1E-18"


def test_changes_count_their_rows(world: SqlWorld) -> None:
    rows(world, "CREATE OR REPLACE TABLE t (id INT, v STRING)")
    inserted = world.run("INSERT INTO t (v, id) VALUES ('a', 1), ('b', 2)", who=DEPLOYER)
    assert inserted.rows_affected == 2
    assert [column.name for column in inserted.columns] == ["num_affected_rows", "num_inserted_rows"]
    assert world.run("UPDATE t SET v = upper(v) WHERE id = 1", who=DEPLOYER).rows_affected == 1
    merge = "MERGE INTO t USING (SELECT 2 AS id, 'B' AS v UNION ALL SELECT 3, 'c') s ON t.id = s.id "
    assert (
        world.run(merge + "WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *", who=DEPLOYER).rows_affected
        == 2
    )
    assert rows(world, "SELECT * FROM t ORDER BY id") == [(1, "A"), (2, "B"), (3, "c")]
    assert world.run("DELETE FROM t WHERE id > 1", who=DEPLOYER).rows_affected == 2
    rows(world, "INSERT OVERWRITE t SELECT id + 10, v FROM t")
    assert rows(world, "SELECT * FROM t") == [(11, "A")]
    rows(world, "TRUNCATE TABLE t")
    assert rows(world, "SELECT count(*) FROM t") == [(0,)]


def test_a_value_that_does_not_fit_is_an_error(world: SqlWorld) -> None:
    rows(world, "CREATE OR REPLACE TABLE t (id INT NOT NULL)")
    assert "CAST_INVALID_INPUT" in world.error("INSERT INTO t VALUES ('x')", who=DEPLOYER)
    assert "NOT_NULL" in world.error("INSERT INTO t VALUES (NULL)", who=DEPLOYER)
    assert "INSERT_COLUMN_ARITY_MISMATCH" in world.error("INSERT INTO t VALUES (1, 2)", who=DEPLOYER)


def test_alter_table(world: SqlWorld) -> None:
    rows(
        world,
        "CREATE OR REPLACE TABLE a (id INT COMMENT 'key', v INT, CONSTRAINT a_pk PRIMARY KEY (id)) TBLPROPERTIES ('k' = 'w')",
    )
    rows(world, "INSERT INTO a VALUES (1, 2)")
    rows(world, "ALTER TABLE a ADD COLUMNS (w STRING COMMENT 'new')")
    rows(world, "ALTER TABLE a RENAME COLUMN v TO value")
    rows(world, "ALTER TABLE a ALTER COLUMN value COMMENT 'renamed'")
    rows(world, "ALTER TABLE a ALTER COLUMN value TYPE BIGINT")
    rows(world, "COMMENT ON TABLE a IS 'a table'")
    assert rows(world, "DESCRIBE a") == [("id", "int", "key"), ("value", "bigint", "renamed"), ("w", "string", "new")]
    assert rows(world, "SELECT * FROM a") == [(1, 2, None)]
    rows(world, "ALTER TABLE a DROP COLUMN w")
    rows(world, "ALTER TABLE a RENAME TO lab.s.b")
    extended = rows(world, "DESCRIBE TABLE EXTENDED b")
    assert ("Comment", "a table", "") in extended
    assert ("b_pk", "PRIMARY KEY (`id`)", "") in extended
    assert rows(world, "SHOW TBLPROPERTIES b") == [("k", "w")]
    rows(world, "DROP TABLE b")
    assert "TABLE_OR_VIEW_NOT_FOUND" in world.error("SELECT * FROM b", who=DEPLOYER)
    rows(world, "DROP TABLE IF EXISTS b")


def test_create_table_as_select_and_views(world: SqlWorld) -> None:
    rows(world, "CREATE OR REPLACE TABLE c AS SELECT 1 AS id, sum(2) AS s, CAST(1.5 AS DECIMAL(10,2)) AS d")
    assert [row[1] for row in rows(world, "DESCRIBE c")] == ["int", "bigint", "decimal(10,2)"]
    rows(world, "CREATE VIEW v (a COMMENT 'first', b) AS SELECT id, s FROM c")
    assert rows(world, "SELECT a, b FROM v") == [(1, 2)]
    assert "EXPECT_TABLE_NOT_VIEW" in world.error("DROP TABLE v", who=DEPLOYER)
    rows(world, "CREATE TEMPORARY VIEW tv AS SELECT 5 AS five")
    assert rows(world, "SELECT * FROM tv") == [(5,)]
    assert rows(world, "SHOW VIEWS") == [("s", "v", False, False)]


def test_a_view_made_from_another_schema_keeps_its_tables(world: SqlWorld) -> None:
    rows(world, "CREATE SCHEMA IF NOT EXISTS lab.other")
    rows(world, "CREATE OR REPLACE TABLE lab.s.near AS SELECT 1 AS x")
    rows(world, "CREATE VIEW lab.other.far AS SELECT near.x FROM near")
    assert rows(world, "SELECT x FROM lab.other.far") == [(1,)]


def test_functions(world: SqlWorld) -> None:
    rows(world, "CREATE OR REPLACE FUNCTION twice(x INT) RETURNS INT COMMENT 'doubles' RETURN x * 2")
    assert rows(world, "SELECT twice(1 + 1), lab.s.twice(id) FROM (SELECT 3 AS id)") == [(4, 6)]
    assert "WRONG_NUM_ARGS" in world.error("SELECT twice(1, 2)", who=DEPLOYER)
    assert rows(world, "SHOW FUNCTIONS IN lab.s") == [("lab.s.twice",)]
    assert "UNRESOLVED_COLUMN" in world.error("CREATE FUNCTION bad(x INT) RETURN y", who=DEPLOYER)


def test_show_and_use(world: SqlWorld) -> None:
    assert ("lab",) in rows(world, "SHOW CATALOGS")
    assert ("s",) in rows(world, "SHOW SCHEMAS IN lab LIKE 's*'")
    assert rows(world, "SELECT current_catalog(), current_schema()") == [("lab", "s")]
    assert "SCHEMA_NOT_FOUND" in world.error("USE SCHEMA nowhere", who=DEPLOYER)
    assert "NO_SUCH_CATALOG_EXCEPTION" in world.error("USE CATALOG nowhere", who=DEPLOYER)
    assert "SCHEMA_NOT_EMPTY" in world.error("DROP SCHEMA lab.s", who=DEPLOYER)


def test_settings(world: SqlWorld) -> None:
    assert rows(world, "SET use_cached_result = false") == [("use_cached_result", "false")]
    assert rows(world, "SET use_cached_result") == [("use_cached_result", "false")]
    assert rows(world, "SET nothing.known") == [("nothing.known", "<undefined>")]
    assert "INVALID_CONF_VALUE" in world.error("SET TIME ZONE 'Mars/Olympus'", who=DEPLOYER)
    assert "UNSUPPORTED_FEATURE" in world.error("SET AUTOCOMMIT = FALSE", who=DEPLOYER)


def test_grants_take_effect_at_once(world: SqlWorld) -> None:
    rows(world, "CREATE OR REPLACE TABLE g AS SELECT 1 AS x")
    assert "USE CATALOG" in world.error("SELECT * FROM lab.s.g", who=ANALYST)
    rows(world, "GRANT USE CATALOG ON CATALOG lab TO `analyst@example.com`")
    rows(world, "GRANT USE SCHEMA ON SCHEMA lab.s TO `analyst@example.com`")
    rows(world, "GRANT SELECT ON lab.s.g TO `analyst@example.com`")
    assert world.rows("SELECT * FROM lab.s.g", who=ANALYST) == [(1,)]
    assert ("analyst@example.com", "SELECT", "TABLE", "lab.s.g") in rows(world, "SHOW GRANTS ON TABLE lab.s.g")
    rows(world, "REVOKE SELECT ON TABLE lab.s.g FROM `analyst@example.com`")
    assert "SELECT on Table" in world.error("SELECT * FROM lab.s.g", who=ANALYST)
    assert "FLY is not applicable" in world.error("GRANT FLY ON TABLE lab.s.g TO analysts", who=DEPLOYER)


def test_data_survives_a_restart(tmp_path: Any) -> None:
    first = SqlWorld(tmp_path, taxi_rows=10)
    for statement in ("CREATE CATALOG k", "CREATE SCHEMA k.s", "CREATE TABLE k.s.t AS SELECT 42 AS x"):
        first.rows(statement, who=DEPLOYER)
    first.engine.close()
    second = SqlWorld(tmp_path, taxi_rows=10)
    assert second.rows("SELECT x FROM k.s.t", who=DEPLOYER) == [(42,)]
    assert second.rows("SELECT count(*) FROM samples.nyctaxi.trips") == [(10,)]
    second.engine.close()


class _Cursor:
    """The part of the connector's cursor that the script uses."""

    def __init__(self, world: SqlWorld) -> None:
        self._world = world
        self._rows: list[tuple[Any, ...]] = []
        self.description: list[Any] = []

    def execute(self, statement: str) -> None:
        execution = self._world.run(statement, who=DEPLOYER)
        self.description = list(execution.columns)
        execution.close()
        self._rows = self._world.rows(statement, who=DEPLOYER) if statement.startswith("SELECT") else []

    def fetchall(self) -> list[tuple[Any, ...]]:
        return self._rows


def _absent(*_args: Any, **_named: Any) -> Any:
    raise NotFound("none")


def test_the_script_of_the_sample_data_runs(world: SqlWorld) -> None:
    getter = SimpleNamespace(get=_absent)
    none = SimpleNamespace(get=lambda *_a, **_k: SimpleNamespace(privilege_assignments=[]))
    client = SimpleNamespace(catalogs=getter, schemas=getter, functions=getter, tables=getter, grants=none)
    options = argparse.Namespace(catalog="lakefront", analysts_group="analysts", managers_group="managers")
    for step in Setup(client, _Cursor(world), options, lambda _outcome, _what: None).steps():
        step()
    assert world.rows("SELECT count(DISTINCT region) FROM lakefront.sales.orders", who=ANALYST) == [(1,)]
    assert world.rows("SELECT count(DISTINCT region) FROM lakefront.sales.orders", who=MANAGER) == [(3,)]
    assert world.rows("SELECT count(*) FROM lakefront.sales.customers WHERE email LIKE '***@%'", who=ANALYST) == [
        (100,)
    ]
    assert world.rows("SELECT count(*) > 0 FROM lakefront.restricted.salaries", who=MANAGER) == [(True,)]
    assert "USE SCHEMA" in world.error("SELECT * FROM lakefront.restricted.salaries", who=ANALYST)
