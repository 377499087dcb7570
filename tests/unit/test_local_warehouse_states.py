"""Warehouses coming up and going down, statements that wait for them, sessions that are forgotten."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local_workspace.faults import Faults
from local_workspace.identity.model import Caller, Principal
from local_workspace.settings import LocalSettings
from local_workspace.sql.engine import Engine
from local_workspace.sql.model import SessionOptions, SqlError
from local_workspace.store import Store
from local_workspace.warehouse import sessions as sessions_module
from local_workspace.warehouse.encoding import ResultFormat
from local_workspace.warehouse.lifecycle import Lifecycle, StartPlan
from local_workspace.warehouse.operations import Operation
from local_workspace.warehouse.results import Ready
from local_workspace.warehouse.sessions import InvalidHandleError
from local_workspace.warehouse.warehouses import Warehouses
from tests.support.local_sql import SqlWorld


def caller(number: str = "1") -> Caller:
    return Caller(Principal(number, f"{number}@example.com", number, "user"), frozenset({"sql"}), time.time() + 60)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    made = SqlWorld(tmp_path_factory.mktemp("engine")).engine
    yield made
    made.close()


@pytest.fixture
def warehouses(tmp_path: Path, engine: Engine) -> Callable[[], Warehouses]:
    """``warehouses()``: started anew, on the store of the test."""

    def start() -> Warehouses:
        store = Store(tmp_path / "store.sqlite")
        store.open()
        made = Warehouses(store, engine, LocalSettings(state=tmp_path, warehouse_start_seconds=0.05), Faults())
        made.start()
        return made

    return start


def test_start_takes_its_time_and_waiters_are_told_once() -> None:
    lifecycle = Lifecycle(lambda: StartPlan(0.1))
    told: list[SqlError | None] = []
    arrived = threading.Event()
    lifecycle.when_running(lambda error: (told.append(error), arrived.set()))  # type: ignore[func-returns-value]
    assert lifecycle.state == "STARTING"
    assert told == []
    assert arrived.wait(2)
    assert lifecycle.state == "RUNNING"
    lifecycle.when_running(told.append)
    assert told == [None, None]


def test_stop_while_starting_fails_the_waiters_and_the_old_start_does_not_come_true() -> None:
    lifecycle = Lifecycle(lambda: StartPlan(0.1))
    told: list[SqlError | None] = []
    lifecycle.when_running(told.append)
    lifecycle.stop()
    assert "stopped while it was starting" in str(told[0])
    time.sleep(0.2)
    assert lifecycle.state == "STOPPED"


def test_failed_start() -> None:
    lifecycle = Lifecycle(lambda: StartPlan(0.01, "no capacity"))
    operation = Operation(lambda: Ready("x"), lifecycle, ResultFormat())
    assert operation.wait(2) == "ERROR"
    assert "no capacity" in str(operation.error)
    assert lifecycle.failure == "no capacity"


def test_operation_cancelled_before_it_began_never_begins() -> None:
    lifecycle = Lifecycle(lambda: StartPlan(0.1))
    begun: list[int] = []

    def begin() -> Any:
        begun.append(1)
        return Ready("x")

    operation = Operation(begin, lifecycle, ResultFormat())
    assert operation.state == "PENDING"
    operation.cancel()
    assert operation.wait(0) == "CANCELED"
    time.sleep(0.2)
    assert begun == []
    with pytest.raises(SqlError, match="OPERATION_CANCELED"):
        operation.fetch(1, 1)


def test_operation_that_waits_can_time_out() -> None:
    operation = Operation(lambda: Ready("x"), Lifecycle(lambda: StartPlan(5)), ResultFormat(), timeout=0.05)
    assert operation.wait(2) == "ERROR"
    assert "QUERY_EXECUTION_TIMEOUT_EXCEEDED" in str(operation.error)


def test_the_first_warehouse_keeps_its_id(warehouses: Callable[[], Warehouses]) -> None:
    first = warehouses()
    known = first.default_id
    first.close()
    again = warehouses()
    assert again.default_id == known
    assert len(known) == 16
    assert int(known, 16)
    assert again.lifecycle(known).state == "STOPPED"
    again.close()


def test_sessions_are_found_by_their_owner_only(warehouses: Callable[[], Warehouses]) -> None:
    made = warehouses()
    session = made.open_session(made.default_id, caller("1"), SessionOptions())
    found = made.sessions.find(session.id, session.secret, caller("1"), made.default_id)
    assert found is session
    for secret, who, where in (
        (session.secret, caller("2"), made.default_id),
        (b"x" * 16, caller("1"), made.default_id),
        (session.secret, caller("1"), "another"),
    ):
        with pytest.raises(InvalidHandleError):
            made.sessions.find(session.id, secret, who, where)
    made.close()


def test_idle_sessions_expire_and_busy_ones_do_not(
    warehouses: Callable[[], Warehouses], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions_module, "IDLE_SECONDS", -1)
    made = warehouses()
    idle = made.open_session(made.default_id, caller(), SessionOptions())
    busy = made.open_session(made.default_id, caller(), SessionOptions())
    busy.add(Operation(lambda: Ready("x"), Lifecycle(lambda: StartPlan(30)), ResultFormat()))
    made.sessions.expire()
    assert made.sessions.of_warehouse(made.default_id) == [busy]
    assert idle.sql.execute("SELECT 1").wait(5) == "CANCELED", "it is closed"
    made.close()


def test_failed_operations_are_dropped_after_a_while(
    warehouses: Callable[[], Warehouses], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = warehouses()
    session = made.open_session(made.default_id, caller(), SessionOptions())
    failed = Operation(lambda: Ready("x", error=SqlError("X", "y", "XX000")), None, ResultFormat())
    session.add(failed)
    assert failed.state == "ERROR"
    session.add(Operation(lambda: Ready("x"), None, ResultFormat()))
    assert failed.id in session.operations
    monkeypatch.setattr(sessions_module, "_KEEP_ENDED_SECONDS", -1)
    session.add(Operation(lambda: Ready("x"), None, ResultFormat()))
    assert failed.id not in session.operations
    made.close()
