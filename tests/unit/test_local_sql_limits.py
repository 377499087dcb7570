"""Consistency of ALTER under faults, cancel while planning, bounded workers, memory and spilling."""

# ruff: noqa: E501 - statements are easier to read in one line
from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from local_workspace.sql import dml, engine, queries
from local_workspace.sql.model import SqlError
from local_workspace.sql.plans import Prepared
from tests.support.local_sql import SqlWorld

DEPLOYER = "deployer"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlWorld]:
    made = SqlWorld(tmp_path_factory.mktemp("sql"), taxi_rows=10)
    made.make_tables()
    yield made
    made.engine.close()


@pytest.fixture
def table(world: SqlWorld) -> str:
    world.rows("CREATE OR REPLACE TABLE lakefront.sales.fragile (a INT, b STRING)", who=DEPLOYER)
    world.rows("INSERT INTO lakefront.sales.fragile VALUES (1, 'x')", who=DEPLOYER)
    return "lakefront.sales.fragile"


CHANGES = [
    "ADD COLUMN c INT",
    "ADD COLUMNS (c INT, d STRING)",
    "DROP COLUMN b",
    "RENAME COLUMN a TO z",
    "ALTER COLUMN a TYPE BIGINT",
    "ALTER COLUMN a SET NOT NULL",
]


def state(world: SqlWorld, table: str) -> tuple[Any, Any]:
    """What is known of a table, and what it holds; reading it proves that both agree."""
    known = [row[:2] for row in world.rows(f"DESCRIBE TABLE {table}", who=DEPLOYER)]
    return known, world.rows(f"SELECT * FROM {table}", who=DEPLOYER)


@pytest.mark.parametrize("change", CHANGES)
def test_alter_changes_both_or_neither_when_the_catalog_fails(
    world: SqlWorld, table: str, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = state(world, table)

    def failing(*_args: Any, **_named: Any) -> None:
        raise SqlError("INTERNAL_ERROR", "injected", "XX000")

    with monkeypatch.context() as patch:
        patch.setattr(world.metastore, "alter_columns", failing)
        assert "injected" in world.error(f"ALTER TABLE {table} {change}", who=DEPLOYER)
    assert state(world, table) == before
    world.rows(f"ALTER TABLE {table} {change}", who=DEPLOYER)
    assert len(state(world, table)[1]) == 1


@pytest.mark.parametrize("step", ["ALTER TABLE", "COMMIT"])
@pytest.mark.parametrize("change", CHANGES)
def test_alter_changes_both_or_neither_when_the_database_fails(
    world: SqlWorld, table: str, change: str, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = state(world, table)
    execute = dml.execute

    def failing(cursor: Any, sql: str, *rest: Any) -> int:
        if sql.startswith(step):
            raise SqlError("INTERNAL_ERROR", "injected", "XX000")
        return execute(cursor, sql, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(dml, "execute", failing)
        assert "injected" in world.error(f"ALTER TABLE {table} {change}", who=DEPLOYER)
    assert state(world, table) == before


@pytest.mark.parametrize(
    "change",
    [
        "RENAME COLUMN a TO b",
        "RENAME COLUMN a TO B",
        "ADD COLUMN A INT",
        "DROP COLUMN nothing",
        "RENAME COLUMN a TO ``",
    ],
)
def test_an_impossible_alter_changes_nothing(world: SqlWorld, table: str, change: str) -> None:
    before = state(world, table)
    assert "SQLSTATE" in world.error(f"ALTER TABLE {table} {change}", who=DEPLOYER)
    assert state(world, table) == before


def test_the_key_s_column_keeps_its_name(world: SqlWorld) -> None:
    world.rows("CREATE OR REPLACE TABLE lakefront.sales.keyed (a INT NOT NULL, PRIMARY KEY (a))", who=DEPLOYER)
    assert "UNSUPPORTED_FEATURE" in world.error("ALTER TABLE lakefront.sales.keyed RENAME COLUMN a TO b", who=DEPLOYER)


def test_cancel_while_planning_is_reported_at_once(world: SqlWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    planning, go_on = threading.Event(), threading.Event()
    prepare = queries.prepare

    def slow(*given: Any) -> Prepared:
        planning.set()
        go_on.wait(20)
        return prepare(*given)

    monkeypatch.setattr(queries, "prepare", slow)
    execution = world.session().execute("SELECT 1 AS never_planned_before")
    assert planning.wait(5)
    started = time.monotonic()
    execution.cancel()
    assert execution.wait(5) == "CANCELED"
    assert time.monotonic() - started < 2
    go_on.set()
    monkeypatch.undo()
    assert world.value("1") == 1
    assert execution.state == "CANCELED"
    execution.close()


def test_statements_beyond_the_workers_wait_and_can_be_cancelled(
    world: SqlWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(world.engine, "workers", ThreadPoolExecutor(2))
    endless = "SELECT count(*) FROM range(10000000) a, range(10000000) b WHERE (a.id * b.id) % 7 = 3"
    session = world.new_session()
    running = [session.execute(endless) for _ in range(2)]
    time.sleep(0.3)
    waiting = session.execute("SELECT 1")
    other = session.execute("SELECT 2")
    assert waiting.wait(0.3) == "PENDING"
    other.cancel()
    assert other.wait(1) == "CANCELED"
    for execution in running:
        execution.cancel()
    assert waiting.wait(10) == "FINISHED"
    session.close()


def test_two_sorts_larger_than_memory_spill_to_the_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = tuple("memory_limit = '200MB'" if "memory_limit" in item else item for item in engine._LOCKED)
    monkeypatch.setattr(engine, "_LOCKED", small)
    made = SqlWorld(tmp_path, taxi_rows=10)
    session = made.new_session()
    sql = "SELECT concat(lpad(CAST((id * 7919) % 1000003 AS STRING), 12, '0'), repeat('x', 150)) AS s FROM range(1000000) ORDER BY s"
    both = [session.execute(sql) for _ in range(2)]
    for execution in both:
        assert execution.wait(60) == "FINISHED", execution.error
        page, more = execution.fetch(3, 1 << 20)
        assert more
        assert [row["s"][:12] for row in page.to_pylist()] == sorted(
            f"{number * 7919 % 1_000_003:012d}" for number in range(1_000_000)
        )[:3]
    # 160 MB a sort and 200 MB of memory for both: what does not fit lies in the folder of the workspace.
    assert sum(file.stat().st_size for file in (tmp_path / "sql" / "temp").rglob("*") if file.is_file()) > 50_000_000
    for execution in both:
        execution.close()
    ((limit, room, folder),) = (
        made.engine.cursor("UTC")
        .sql(
            "SELECT current_setting('memory_limit'), current_setting('max_temp_directory_size'), current_setting('temp_directory')"
        )
        .fetchall()
    )
    assert limit == "190.7 MiB"
    assert room == "18.6 GiB"
    assert Path(folder) == (tmp_path / "sql" / "temp").resolve()
    made.engine.close()
