"""Running statements: on a session of the user's own, once more on a new one when the server lost it, cancellable.

Cancelling reaches the warehouse: ``cancel`` finds the cursor that runs under a key and tells the server to stop it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
from databricks.sql.parameters.native import DbsqlParameterBase
from loguru import logger

from services.errors import Cancelled, LakefrontError, WarehouseUnavailable
from services.identity import User
from services.observability import request_id, timed
from services.settings import Settings
from services.unity_catalog.cache import now
from services.unity_catalog.errors import (
    WAREHOUSE_ERRORS,
    Place,
    is_lost_session,
    is_statement_error,
    warehouse_error,
)
from services.unity_catalog.models import Query, TableRef
from services.unity_catalog.sessions import SessionPool, WarehouseSession
from services.unity_catalog.statements import Parameter, Statement, marked

_CANCEL_SECONDS = 10.0
"""How long ``cancel`` insists: until the server has named the statement there is nothing to cancel."""
_STATE_SECONDS = 2.0
_PATIENCE_STATES = frozenset({"STARTING"})


class _Bound(DbsqlParameterBase):  # type: ignore[misc]
    """A named parameter in the connector's form, with the type and the text that we chose."""

    def __init__(self, parameter: Parameter) -> None:
        self.name = parameter.name
        self.value = parameter.text
        self._type = parameter.type

    def _cast_expr(self) -> str:
        return self._type


@dataclass(eq=False, slots=True)
class Running:
    """A statement on its way, or the stream of one."""

    deadline: float
    started: float = field(default_factory=time.perf_counter)
    cancelled: threading.Event = field(default_factory=threading.Event)
    done: threading.Event = field(default_factory=threading.Event)
    timed_out: bool = False
    cursor: Any = None

    def stop(self, wait_seconds: float = _CANCEL_SECONDS) -> None:
        """Cancel it on the server; returns when it has ended, or after ``wait_seconds``."""
        self.cancelled.set()
        deadline = time.monotonic() + wait_seconds
        while not self.done.is_set() and time.monotonic() < deadline:
            cursor = self.cursor
            if cursor is not None:
                with suppress(*WAREHOUSE_ERRORS):
                    cursor.cancel()
            self.done.wait(0.1)


@dataclass(frozen=True, slots=True)
class Result:
    """All rows of a statement, and where they came from."""

    table: pa.Table
    query: Query


class Runner:
    """Runs statements as users. Thread-safe."""

    def __init__(self, settings: Settings, pool: SessionPool, warehouse_state: Callable[[], str]) -> None:
        """``warehouse_state`` tells the warehouse's state as the app. No I/O."""
        self._pool = pool
        self._place = Place(settings.databricks_host, settings.databricks_warehouse_id)
        self._seconds = settings.warehouse_timeout_seconds
        self._warehouse_state = warehouse_state
        self._lock = threading.Lock()
        self._running: dict[tuple[str, str], list[Running]] = {}
        self._all: set[Running] = set()
        self._closing = threading.Event()
        self._watch: threading.Thread | None = None

    def start(self) -> None:
        """Begin stopping statements that exceed their time."""
        with self._lock:
            if self._watch is not None or self._closing.is_set():
                return
            self._watch = threading.Thread(target=self._watch_for_ever, name="warehouse-watch", daemon=True)
        self._watch.start()

    def close(self) -> None:
        """Cancel everything that runs."""
        self._closing.set()
        with self._lock:
            running = list(self._all)
        for one in running:
            one.stop(1.0)

    def run(
        self, user: User, statement: Statement, operation: str, ref: TableRef | None = None, key: str | None = None
    ) -> Result:
        """Run a statement to its end. Runs as the user.

        Args:
            user: whose session it runs on.
            statement: text and bound values.
            operation: name for the log and the metric, ``warehouse.rows`` for example.
            ref: the table, for the details of errors.
            key: under which ``cancel`` finds it.

        Raises:
            LakefrontError: it failed, was cancelled or took too long (see ``errors.py``).
        """
        with self.opened(user, statement, operation, ref, key) as running:
            table = running.cursor.fetchall_arrow()
            elapsed = time.perf_counter() - running.started
            return Result(table, self.told(user, statement, running.cursor.query_id, elapsed))

    def told(self, user: User, statement: Statement, query_id: str | None, seconds: float) -> Query:
        """The provenance of an answer."""
        return Query(
            statement=statement.text,
            parameters=statement.shown(),
            query_id=query_id,
            elapsed_ms=round(seconds * 1000),
            runs_as=user.user_name,
            warehouse_id=self._place.warehouse_id,
            fetched_at=now(),
        )

    @contextmanager
    def opened(
        self,
        user: User,
        statement: Statement,
        operation: str,
        ref: TableRef | None = None,
        key: str | None = None,
        *,
        streaming: bool = False,
    ) -> Iterator[Running]:
        """Execute a statement and lend its cursor. Runs as the user.

        With ``streaming`` the time limit covers the execution only, and a session left in mid-stream is not reused.

        Raises:
            LakefrontError: as ``run``; also for errors that the connector raises inside the block.
        """
        place = Place(self._place.workspace, self._place.warehouse_id, ref)
        self._pool.start()
        self.start()
        running = Running(time.monotonic() + self._seconds)
        self._register(user, key, running)
        try:
            with timed(operation, table=ref.full_name if ref else None) as fields:
                session = self._execute(user, statement, running)
                fields["query_id"] = session.cursor.query_id
                if streaming:
                    running.deadline = float("inf")
                finished = False
                try:
                    yield running
                    finished = not streaming
                except WAREHOUSE_ERRORS as error:
                    finished = is_statement_error(error)
                    raise
                finally:
                    running.cursor = None
                    self._return(session, reusable=finished)
        except WAREHOUSE_ERRORS as error:
            raise self._explain(error, running, place) from error
        finally:
            running.done.set()
            self._unregister(user, key, running)

    def cancel(self, user: User, key: str) -> bool:
        """Stop this user's statements of that key; whether there was one."""
        with self._lock:
            found = list(self._running.get((user.user_id, key), ()))
        for one in found:
            threading.Thread(target=one.stop, name="warehouse-cancel", daemon=True).start()
        return bool(found)

    def _execute(self, user: User, statement: Statement, running: Running) -> WarehouseSession:
        """Execute on a kept session, and once more on another when the server lost the first."""
        while True:
            session = self._checkout(user, running)
            try:
                self._execute_on(session, statement, running)
            except WAREHOUSE_ERRORS as error:
                running.cursor = None
                self._return(session, reusable=is_statement_error(error))
                if session.used == 0 or running.cancelled.is_set() or not is_lost_session(error):
                    raise
                logger.bind(error_type=type(error).__name__).info("a warehouse session was lost and is replaced")
            except BaseException:
                running.cursor = None
                self._pool.discard(session)
                raise
            else:
                return session

    def _execute_on(self, session: WarehouseSession, statement: Statement, running: Running) -> None:
        # The connector keeps the last statement's id on the cursor; cancelling must never reach that one.
        session.cursor.active_command_id = None
        running.cursor = session.cursor
        if running.cancelled.is_set():
            raise Cancelled("The statement was cancelled.")
        parameters = [_Bound(parameter) for parameter in statement.parameters]
        session.cursor.execute(marked(statement.text, request_id()), parameters=parameters or None)

    def _checkout(self, user: User, running: Running) -> WarehouseSession:
        """A session; while the warehouse starts, the statement waits by itself."""
        while True:
            try:
                return self._pool.checkout(user)
            except WAREHOUSE_ERRORS as error:
                explained = warehouse_error(error, self._place)
                waiting = isinstance(explained, WarehouseUnavailable) and not running.cancelled.is_set()
                if not waiting or time.monotonic() > running.deadline or self._state() not in _PATIENCE_STATES:
                    raise
                running.cancelled.wait(1.0)

    def _state(self) -> str:
        """The warehouse's state; UNKNOWN when the workspace does not tell it at once: an error must not wait for it."""
        told: list[str] = []

        def ask() -> None:
            with suppress(LakefrontError):
                told.append(self._warehouse_state())

        asking = threading.Thread(target=ask, name="warehouse-state", daemon=True)
        asking.start()
        asking.join(_STATE_SECONDS)
        return told[0] if told else "UNKNOWN"

    def _return(self, session: WarehouseSession, *, reusable: bool) -> None:
        if reusable:
            self._pool.give_back(session)
        else:
            self._pool.discard(session)

    def _explain(self, error: BaseException, running: Running, place: Place) -> LakefrontError:
        """The error for people; a statement that we stopped ourselves says why."""
        if running.timed_out:
            return WarehouseUnavailable(place.warehouse_id, f"no answer within {self._seconds:g} s", 30)
        if running.cancelled.is_set():
            return Cancelled("The statement was cancelled.")
        return warehouse_error(error, place)

    def _register(self, user: User, key: str | None, running: Running) -> None:
        with self._lock:
            self._all.add(running)
            if key is not None:
                self._running.setdefault((user.user_id, key), []).append(running)

    def _unregister(self, user: User, key: str | None, running: Running) -> None:
        with self._lock:
            self._all.discard(running)
            if key is not None:
                entries = self._running[(user.user_id, key)]
                entries.remove(running)
                if not entries:
                    del self._running[(user.user_id, key)]

    def _watch_for_ever(self) -> None:
        """Stop statements beyond their time: no person waits for an answer without end."""
        while not self._closing.wait(1.0):
            moment = time.monotonic()
            with self._lock:
                late = [one for one in self._all if one.deadline < moment and not one.cancelled.is_set()]
            for one in late:
                one.timed_out = True
                threading.Thread(target=one.stop, name="warehouse-timeout", daemon=True).start()
