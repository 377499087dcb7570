"""Executions: states, pages, rewind, cancel, side-by-side statements; the sample trips."""

# ruff: noqa: E501 - statements are easier to read in one line
from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from local_workspace.sql.model import Execution, SqlError
from tests.support.local_sql import SqlWorld

ENDLESS = "SELECT count(*) FROM range(10000000) a, range(10000000) b WHERE (a.id * b.id) % 7 = 3"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlWorld]:
    made = SqlWorld(tmp_path_factory.mktemp("sql"), taxi_rows=50_000)
    yield made
    made.engine.close()


def test_pages_cover_every_row_once_and_more_is_exact(world: SqlWorld) -> None:
    execution = world.run("SELECT id FROM range(100000)")
    seen: list[int] = []
    more = True
    while more:
        page, more = execution.fetch(7_777, 1 << 20)
        assert 0 < page.num_rows <= 7_777
        seen += page.column(0).to_pylist()
    assert seen == list(range(100_000))
    execution.close()


def test_a_page_keeps_to_its_bytes_but_never_stays_empty(world: SqlWorld) -> None:
    execution = world.run("SELECT repeat('x', 100000) AS s FROM range(5)")
    sizes = []
    more = True
    while more:
        page, more = execution.fetch(1000, 50_000)
        sizes.append(page.num_rows)
    assert sizes == [1, 1, 1, 1, 1]
    execution.close()


def test_an_empty_result_has_columns(world: SqlWorld) -> None:
    execution = world.run("SELECT 1 AS a WHERE false")
    page, more = execution.fetch(10, 1000)
    assert (page.num_rows, more, page.schema.names) == (0, False, ["a"])
    execution.close()


def test_rewind(world: SqlWorld) -> None:
    execution = world.run("SELECT id FROM range(10)")
    first, _ = execution.fetch(5, 1 << 20)
    execution.rewind()
    again, more = execution.fetch(100, 1 << 20)
    assert first.column(0).to_pylist() == [0, 1, 2, 3, 4]
    assert again.num_rows == 10
    assert not more
    execution.close()


def test_row_limit(world: SqlWorld) -> None:
    execution = world.session().execute("SELECT id FROM range(1000)", row_limit=3)
    execution.wait(10)
    page, more = execution.fetch(100, 1 << 20)
    assert (page.num_rows, more) == (3, False)
    execution.close()


def test_cancel_stops_a_running_statement_and_no_other(world: SqlWorld) -> None:
    session = world.session()
    endless = session.execute(ENDLESS)
    other = session.execute("SELECT sum(id) FROM range(1000000)")
    assert other.wait(20) == "FINISHED"
    assert endless.wait(0.2) == "RUNNING"
    started = time.monotonic()
    endless.cancel()
    assert time.monotonic() - started < 1.5
    assert endless.state == "CANCELED"
    assert "OPERATION_CANCELED" in str(endless.error)
    endless.cancel()
    endless.close()
    other.close()
    assert world.value("1") == 1


def test_closing_a_session_stops_what_it_runs(world: SqlWorld) -> None:
    session = world.new_session()
    endless = session.execute(ENDLESS)
    time.sleep(0.1)
    started = time.monotonic()
    session.close()
    assert time.monotonic() - started < 3
    assert endless.state == "CLOSED"


def read_all(execution: Execution) -> None:
    while execution.fetch(100_000, 1 << 24)[1]:
        pass


def test_a_fault_in_mid_stream_reaches_fetch_or_the_state(world: SqlWorld) -> None:
    execution = world.run("SELECT 1 / (id - 900000) AS x FROM range(1000000)")
    if execution.error is None:
        with pytest.raises(SqlError, match="DIVIDE_BY_ZERO"):
            read_all(execution)
    assert execution.state == "ERROR"
    execution.close()


def test_the_sample_trips_are_plausible(world: SqlWorld) -> None:
    ((rows, first, last, lowest, highest, missing, flat),) = world.rows(
        "SELECT count(*), min(tpep_pickup_datetime), max(tpep_pickup_datetime), min(fare_amount), max(fare_amount), "
        "count_if(dropoff_zip IS NULL), count_if(fare_amount = 52) FROM samples.nyctaxi.trips"
    )
    assert rows == 50_000
    assert first >= datetime(2016, 1, 1, tzinfo=UTC)
    assert last < datetime(2016, 3, 1, tzinfo=UTC)
    assert -8.0 <= lowest < 0
    assert 52 < highest <= 275
    assert 0 < missing < 500
    assert flat > 100
    order = "SELECT count(*) FROM (SELECT fare_amount, lag(trip_distance) OVER (ORDER BY fare_amount) AS d FROM samples.nyctaxi.trips) WHERE d < 0"
    assert world.rows(order) == [(0,)]
    ((slope,),) = world.rows("SELECT corr(trip_distance, fare_amount) FROM samples.nyctaxi.trips")
    assert slope > 0.8


def test_the_sample_trips_are_the_same_in_every_workspace(world: SqlWorld, tmp_path: Path) -> None:
    other = SqlWorld(tmp_path, taxi_rows=50_000)
    sums = "SELECT sum(fare_amount), sum(trip_distance), sum(pickup_zip), sum(unix_seconds(tpep_dropoff_datetime)) FROM samples.nyctaxi.trips"
    assert other.rows(sums) == world.rows(sums)
    other.engine.close()
