"""The session pool: exclusive, bounded, one identity and one token a session, idle and lost ones replaced."""

from __future__ import annotations

import threading
import time
from typing import Any

import pyarrow as pa
import pytest
from databricks.sql import exc

from services.errors import Cancelled, WarehouseUnavailable
from services.identity import User
from services.settings import Settings
from services.unity_catalog.running import Runner
from services.unity_catalog.sessions import SessionPool
from services.unity_catalog.statements import Statement

SETTINGS = Settings.model_validate(
    {
        "databricks_host": "http://127.0.0.1:1",
        "databricks_client_id": "app",
        "databricks_client_secret": "secret",
        "databricks_warehouse_id": "w",
        "lakebase_instance_name": "lakefront",
        "warehouse_sessions": 4,
        "warehouse_sessions_per_user": 2,
        "warehouse_timeout_seconds": 30,
    }
)


def person(name: str, token: str = "t", expires_in: float | None = 3600) -> User:
    expires = None if expires_in is None else time.time() + expires_in
    return User(name, name, name, (), True, (), expires, token)


class FakeCursor:
    """A cursor that answers, fails as told, or runs until it is cancelled."""

    def __init__(self, connection: FakeConnection) -> None:
        self.connection = connection
        self.active_command_id: Any = None
        self.query_id = "q"
        self.stopped = threading.Event()

    def execute(self, statement: str, parameters: Any = None) -> None:
        self.connection.executed.append(statement)
        if self.connection.failures:
            raise self.connection.failures.pop(0)
        if "endless" in statement:
            assert self.stopped.wait(10)
            raise exc.DatabaseError("[OPERATION_CANCELED] stopped SQLSTATE: HY008")

    def fetchall_arrow(self) -> pa.Table:
        return pa.table({"n": [1]})

    def cancel(self) -> None:
        self.stopped.set()


class FakeConnection:
    """A connection that remembers."""

    def __init__(self, user: User) -> None:
        self.user = user
        self.closed = False
        self.executed: list[str] = []
        self.failures: list[BaseException] = []

    def cursor(self) -> FakeCursor:
        return FakeCursor(self)

    def close(self) -> None:
        self.closed = True


class Warehouse:
    """Counts what is opened."""

    def __init__(self) -> None:
        self.opened: list[FakeConnection] = []

    def connect(self, user: User) -> FakeConnection:
        self.opened.append(FakeConnection(user))
        return self.opened[-1]


@pytest.fixture
def warehouse() -> Warehouse:
    return Warehouse()


@pytest.fixture
def pool(warehouse: Warehouse) -> SessionPool:
    return SessionPool(SETTINGS, warehouse.connect)


def test_a_session_is_kept_for_the_same_person_and_token(pool: SessionPool, warehouse: Warehouse) -> None:
    for _ in range(5):
        pool.give_back(pool.checkout(person("a")))
    assert len(warehouse.opened) == 1


def test_no_session_serves_two_people_or_two_tokens(pool: SessionPool, warehouse: Warehouse) -> None:
    pool.give_back(pool.checkout(person("a", "one")))
    pool.give_back(pool.checkout(person("b", "one")))
    pool.give_back(pool.checkout(person("a", "two")))
    assert [connection.user.user_id for connection in warehouse.opened] == ["a", "b", "a"]
    assert [connection.closed for connection in warehouse.opened] == [False, False, False]


def test_two_tokens_of_one_person_keep_a_session_each(pool: SessionPool, warehouse: Warehouse) -> None:
    for _ in range(5):
        pool.give_back(pool.checkout(person("a", "one")))
        pool.give_back(pool.checkout(person("a", "two")))
    assert len(warehouse.opened) == 2
    pool.give_back(pool.checkout(person("a", "three")))
    assert [connection.closed for connection in warehouse.opened] == [True, False, False]


def test_a_token_near_its_end_gets_no_kept_session(pool: SessionPool, warehouse: Warehouse) -> None:
    pool.give_back(pool.checkout(person("a", expires_in=30)))
    pool.give_back(pool.checkout(person("a", expires_in=30)))
    assert len(warehouse.opened) == 2
    assert warehouse.opened[0].closed


def test_a_session_is_checked_out_exclusively(pool: SessionPool) -> None:
    first, second = pool.checkout(person("a")), pool.checkout(person("a"))
    assert first is not second


def test_a_person_has_a_bound_and_waits_for_a_place(pool: SessionPool) -> None:
    first = pool.checkout(person("a"))
    pool.checkout(person("a"))
    with pytest.raises(WarehouseUnavailable):
        pool.checkout(person("a"), wait_seconds=0.05)
    threading.Timer(0.1, pool.give_back, [first]).start()
    assert pool.checkout(person("a"), wait_seconds=5) is first


def test_all_people_have_a_bound_and_idle_sessions_make_room(pool: SessionPool, warehouse: Warehouse) -> None:
    for name in "abcd":
        pool.give_back(pool.checkout(person(name)))
    pool.checkout(person("e"))
    assert [connection.closed for connection in warehouse.opened] == [True, False, False, False, False]
    assert pool.statistics() == {"idle": 3, "in_use": 1, "people": 4}


def test_a_failed_opening_frees_its_place(warehouse: Warehouse) -> None:
    def refuse(user: User) -> Any:
        raise exc.RequestError("no")

    pool = SessionPool(SETTINGS, refuse)
    for _ in range(5):
        with pytest.raises(exc.RequestError):
            pool.checkout(person("a"), wait_seconds=0.05)
    assert pool.statistics()["in_use"] == 0


def test_idle_sessions_are_evicted(pool: SessionPool, warehouse: Warehouse) -> None:
    pool.give_back(pool.checkout(person("a")))
    assert pool.evict(idle_seconds=60) == 0
    assert pool.evict(idle_seconds=0) == 1
    assert warehouse.opened[0].closed


def test_sessions_that_come_back_after_the_end_are_closed(pool: SessionPool, warehouse: Warehouse) -> None:
    session = pool.checkout(person("a"))
    pool.close()
    pool.give_back(session)
    assert warehouse.opened[0].closed


def test_many_threads_never_share_a_session(warehouse: Warehouse) -> None:
    pool = SessionPool(SETTINGS, warehouse.connect)
    in_use: set[int] = set()
    lock = threading.Lock()
    wrong: list[str] = []

    def work(name: str) -> None:
        for _ in range(50):
            session = pool.checkout(person(name), wait_seconds=30)
            with lock:
                if id(session) in in_use or session.connection.user.user_id != name:
                    wrong.append(name)
                in_use.add(id(session))
            with lock:
                in_use.discard(id(session))
            pool.give_back(session)

    threads = [threading.Thread(target=work, args=(name,)) for name in "aabbccddee"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert pool.statistics()["in_use"] == 0


def runner(pool: SessionPool, state: str = "RUNNING") -> Runner:
    return Runner(SETTINGS, pool, lambda: state)


def test_a_lost_session_is_replaced_without_the_user_seeing_it(pool: SessionPool, warehouse: Warehouse) -> None:
    running = runner(pool)
    running.run(person("a"), Statement("SELECT 1"), "test")
    warehouse.opened[0].failures = [exc.DatabaseError("Invalid SessionHandle: SessionHandle [1-2-3]")]
    assert running.run(person("a"), Statement("SELECT 2"), "test").table.num_rows == 1
    assert [connection.closed for connection in warehouse.opened] == [True, False]


def test_a_new_session_that_is_lost_at_once_is_an_error(pool: SessionPool, warehouse: Warehouse) -> None:
    original = warehouse.connect

    def broken(user: User) -> FakeConnection:
        connection = original(user)
        connection.failures = [exc.DatabaseError("Invalid SessionHandle: unknown session")]
        return connection

    lost = SessionPool(SETTINGS, broken)
    with pytest.raises(WarehouseUnavailable):
        runner(lost).run(person("a"), Statement("SELECT 1"), "test")
    assert len(warehouse.opened) == 1


def test_a_failed_statement_keeps_its_session(pool: SessionPool, warehouse: Warehouse) -> None:
    running = runner(pool)
    running.run(person("a"), Statement("SELECT 1"), "test")
    warehouse.opened[0].failures = [exc.ServerOperationError("[DIVIDE_BY_ZERO] no SQLSTATE: 22012")]
    with pytest.raises(Exception, match="DIVIDE_BY_ZERO"):
        running.run(person("a"), Statement("SELECT 1/0"), "test")
    running.run(person("a"), Statement("SELECT 1"), "test")
    assert len(warehouse.opened) == 1


def test_cancel_stops_the_statement_of_that_person_and_key_only(pool: SessionPool) -> None:
    running = runner(pool)
    outcome: list[BaseException] = []

    def work() -> None:
        try:
            running.run(person("a"), Statement("endless"), "test", key="k")
        except Cancelled as error:
            outcome.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    deadline = time.monotonic() + 5
    while not running._running and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not running.cancel(person("b"), "k")
    assert not running.cancel(person("a"), "other")
    assert running.cancel(person("a"), "k")
    thread.join(10)
    assert len(outcome) == 1
    assert not running.cancel(person("a"), "k")


def test_a_late_statement_is_stopped(warehouse: Warehouse) -> None:
    impatient = SETTINGS.model_copy(update={"warehouse_timeout_seconds": 0.1})
    running = Runner(impatient, SessionPool(impatient, warehouse.connect), lambda: "RUNNING")
    started = time.monotonic()
    with pytest.raises(WarehouseUnavailable) as caught:
        running.run(person("a"), Statement("endless"), "test")
    assert "no answer within" in caught.value.technical_details["reason"]
    assert time.monotonic() - started < 5
    running.close()


def test_a_starting_warehouse_is_waited_for(warehouse: Warehouse) -> None:
    attempts: list[int] = []

    def connect(user: User) -> FakeConnection:
        attempts.append(1)
        if len(attempts) < 3:
            raise exc.RequestError("503")
        return warehouse.connect(user)

    running = runner(SessionPool(SETTINGS, connect), "STARTING")
    assert running.run(person("a"), Statement("SELECT 1"), "test").table.num_rows == 1
    assert len(attempts) == 3


def test_a_warehouse_that_does_not_answer_is_not_waited_for() -> None:
    def connect(user: User) -> Any:
        raise exc.RequestError("no")

    with pytest.raises(WarehouseUnavailable):
        runner(SessionPool(SETTINGS, connect), "RUNNING").run(person("a"), Statement("SELECT 1"), "test")
