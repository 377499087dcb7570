"""Kept plans: used again for the same question, never after anything that they depend on has changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from local_workspace.sql import queries
from local_workspace.sql.model import Parameter, SessionOptions
from local_workspace.sql.plans import Prepared
from tests.support.local_sql import ANALYST, DEPLOYER, MANAGER, NEWCOMER, SqlWorld


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlWorld]:
    made = SqlWorld(tmp_path_factory.mktemp("sql"))
    made.make_tables()
    yield made
    made.engine.close()


@pytest.fixture
def planned(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The statements of DuckDB that were planned anew, in order."""
    seen: list[str] = []
    prepare = queries.prepare

    def counted(*given: Any) -> Prepared:
        plan = prepare(*given)
        seen.append(plan.sql)
        return plan

    monkeypatch.setattr(queries, "prepare", counted)
    return seen


def number(name: str, value: int) -> Parameter:
    return Parameter(name, "INT", str(value))


def test_a_statement_is_planned_once_whatever_its_numbers_and_its_first_comment(
    world: SqlWorld, planned: list[str]
) -> None:
    sql = "SELECT label FROM plain WHERE id = :n"
    assert world.rows(f"/* request_id=a-1 */ {sql}", number("n", 1)) == [("a",)]
    assert world.rows(f"/* request_id=b-2 */ {sql}", number("n", 2)) == [("b",)]
    assert world.rows(sql, number("n", 3)) == []
    assert len(planned) == 1


def test_values_that_stand_in_the_plan_are_not_mistaken_for_others(world: SqlWorld, planned: list[str]) -> None:
    sql = "SELECT id FROM plain WHERE label = :label"
    assert world.rows(sql, Parameter("label", "STRING", "a")) == [(1,)]
    assert world.rows(sql, Parameter("label", "STRING", "b")) == [(2,)]
    assert world.rows(sql, Parameter("label", "VOID")) == []
    table = "SELECT count(*) FROM IDENTIFIER(:name)"
    assert world.rows(table, Parameter("name", "STRING", "plain")) == [(2,)]
    assert "nothing_like_it" in world.error(table, Parameter("name", "STRING", "nothing_like_it"))
    array = "SELECT id FROM plain WHERE array_contains(:ids, id)"
    for chosen in (1, 2):
        ids = Parameter("ids", "ARRAY", None, (Parameter(None, "INT", str(chosen)),))
        assert world.rows(array, ids) == [(chosen,)]
    assert len(planned) == 6


def test_a_columns_name_shows_the_value_of_its_own_statement(world: SqlWorld) -> None:
    for value in (4, 5, 4):
        execution = world.run("SELECT :n + 1", number("n", value))
        assert [column.name for column in execution.columns] == [f"({value} + 1)"]
        execution.close()


def test_a_revoke_and_a_grant_count_for_the_next_statement(world: SqlWorld, planned: list[str]) -> None:
    sql = "SELECT count(*) FROM lakefront.secret.hidden"
    grants = ("USE SCHEMA ON SCHEMA lakefront.secret", "SELECT ON TABLE lakefront.secret.hidden")
    for grant in grants:
        world.rows(f"GRANT {grant} TO `{ANALYST}`", who=DEPLOYER)
    assert world.rows(sql) == world.rows(sql) == [(1,)]
    assert len(planned) == 1
    for grant in grants:
        world.rows(f"REVOKE {grant} FROM `{ANALYST}`", who=DEPLOYER)
        assert "INSUFFICIENT_PERMISSIONS" in world.error(sql)
        world.rows(f"GRANT {grant} TO `{ANALYST}`", who=DEPLOYER)
        assert world.rows(sql) == [(1,)]
    for grant in grants:
        world.rows(f"REVOKE {grant} FROM `{ANALYST}`", who=DEPLOYER)


def test_what_an_owner_loses_counts_inside_their_view(world: SqlWorld) -> None:
    world.rows(f"GRANT CREATE TABLE ON SCHEMA lakefront.sales TO `{MANAGER}`", who=DEPLOYER)
    world.rows(f"GRANT USE SCHEMA, SELECT ON SCHEMA lakefront.secret TO `{MANAGER}`", who=DEPLOYER)
    world.rows("CREATE VIEW lakefront.sales.lent AS SELECT word FROM lakefront.secret.hidden", who=MANAGER)
    assert world.rows("SELECT * FROM lent") == world.rows("SELECT * FROM lent") == [("swordfish",)]
    world.rows(f"REVOKE SELECT ON SCHEMA lakefront.secret FROM `{MANAGER}`", who=DEPLOYER)
    assert "INSUFFICIENT_PERMISSIONS" in world.error("SELECT * FROM lent")


def test_masks_row_filters_and_columns_are_those_of_the_moment(world: SqlWorld) -> None:
    world.rows("CREATE TABLE lakefront.sales.moving (id INT, email STRING, region STRING)", who=DEPLOYER)
    world.rows("INSERT INTO lakefront.sales.moving VALUES (1, 'a@x.io', 'EU'), (2, 'b@x.io', 'US')", who=DEPLOYER)
    sql = "SELECT * FROM moving ORDER BY id"
    open_rows = [(1, "a@x.io", "EU"), (2, "b@x.io", "US")]
    assert world.rows(sql) == world.rows(sql) == open_rows
    changes = {
        "ALTER COLUMN email SET MASK lakefront.sales.mask_email": [(1, "***", "EU"), (2, "***", "US")],
        "SET ROW FILTER lakefront.sales.only_region ON (region)": [(1, "***", "EU")],
        "DROP ROW FILTER": [(1, "***", "EU"), (2, "***", "US")],
        "ALTER COLUMN email DROP MASK": open_rows,
        "ADD COLUMN note STRING": [(*row, None) for row in open_rows],
    }
    for change, expected in changes.items():
        world.rows(f"ALTER TABLE lakefront.sales.moving {change}", who=DEPLOYER)
        assert world.rows(sql) == expected, change
    world.rows("CREATE OR REPLACE TABLE lakefront.sales.moving (id INT)", who=DEPLOYER)
    assert world.rows(sql) == []


def test_a_functions_new_body_counts(world: SqlWorld) -> None:
    for body, expected in (("x + 1", 2), ("x + 2", 3)):
        world.rows(f"CREATE OR REPLACE FUNCTION lakefront.sales.more(x INT) RETURNS INT RETURN {body}", who=DEPLOYER)
        assert world.rows("SELECT lakefront.sales.more(1)") == [(expected,)]


def test_nobody_gets_the_plan_of_somebody_else(world: SqlWorld) -> None:
    sql = "SELECT current_user(), count(*) FROM people"
    assert world.rows(sql) == [(ANALYST, 1)]
    assert world.rows(sql, who=MANAGER) == [(MANAGER, 2)]
    assert "INSUFFICIENT_PERMISSIONS" in world.error(sql, who=NEWCOMER)
    assert world.rows(sql) == [(ANALYST, 1)]


def test_names_resolve_where_the_session_is_now(world: SqlWorld) -> None:
    def value(session: Any, sql: str) -> Any:
        execution = session.execute(sql)
        assert execution.wait(10) == "FINISHED", execution.error
        return execution.fetch(10, 1 << 20)[0].to_pylist()

    session = world.new_session(DEPLOYER, SessionOptions(catalog="lakefront", schema="sales"))
    assert value(session, "SELECT count(*) AS n FROM plain") == [{"n": 2}]
    value(session, "CREATE TABLE lakefront.secret.plain AS SELECT 1 AS id")
    value(session, "USE SCHEMA secret")
    assert value(session, "SELECT count(*) AS n FROM plain") == [{"n": 1}]
    value(session, "CREATE TEMPORARY VIEW plain AS SELECT * FROM range(5)")
    assert value(session, "SELECT count(*) AS n FROM plain") == [{"n": 5}]
    session.close()
