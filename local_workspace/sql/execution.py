"""One statement on its way: a worker thread, a state, a stream of pages, cancel and rewind."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from typing import Any

import pyarrow as pa
from loguru import logger

from local_workspace.sql import errors
from local_workspace.sql.model import ResultColumn, SqlError, State
from local_workspace.sql.results import Result, Stop

HELD_BYTES = 32 << 20
"""Rows of results up to this size stay in memory for a rewind; larger ones are read again from the database."""
_ENDED = frozenset({"FINISHED", "ERROR", "CANCELED", "CLOSED"})


class StatementExecution:
    """Runs one statement; see ``model.Execution`` for the contract.

    Args:
        statement: its text, for those who list statements.
        run: does the work on the worker thread; it is called again by ``rewind`` when the rows are no longer held.
        on_end: called once when it is closed.
    """

    def __init__(
        self,
        statement: str,
        run: Callable[[Stop], Result],
        on_end: Callable[[StatementExecution], None],
    ) -> None:
        self.id = uuid.uuid1().bytes
        self.statement = statement
        self._run = run
        self._on_end = on_end
        self._lock = threading.Lock()
        self._fetching = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._state: State = "PENDING"
        self._error: SqlError | None = None
        self._stop = Stop()
        self._pages: Pages | None = None
        self._columns: tuple[ResultColumn, ...] = ()
        self._schema = pa.schema([])
        self._rows_affected: int | None = None

    @property
    def state(self) -> State:
        """Where it is."""
        return self._state

    @property
    def error(self) -> SqlError | None:
        """Why it failed or that it was cancelled."""
        return self._error

    @property
    def columns(self) -> tuple[ResultColumn, ...]:
        """The result's columns."""
        return self._columns

    @property
    def arrow_schema(self) -> Any:
        """The schema of what ``fetch`` gives."""
        return self._schema

    @property
    def rows_affected(self) -> int | None:
        """The number of changed rows, for DML."""
        return self._rows_affected

    def start(self, workers: Executor) -> None:
        """Run it on a thread of ``workers``; it stays PENDING while all of them are busy."""
        workers.submit(self._work)

    def _work(self) -> None:
        # A statement that was cancelled while it was planned is reported at once and keeps its thread until the planner
        # returns: planning is plain computation that nothing interrupts, so its number is bounded instead.
        with self._changed:
            if self._state != "PENDING":
                return
            self._state = "RUNNING"
        try:
            result = self._run(self._stop)
            pages = Pages(result)
        except SqlError as fault:
            self._fail(fault)
        except Exception as fault:  # noqa: BLE001 - the client must get an answer; the log gets the cause
            logger.opt(exception=fault).error("A statement failed unexpectedly")
            self._fail(errors.internal())
        else:
            self._succeed(result, pages)

    def _succeed(self, result: Result, pages: Pages) -> None:
        with self._changed:
            if self._state == "RUNNING":
                self._columns, self._schema = result.columns, result.schema
                self._rows_affected = result.rows_affected
                self._pages = pages
                self._state = "FINISHED"
                self._changed.notify_all()
                return
        pages.close()

    def _fail(self, fault: SqlError) -> None:
        with self._changed:
            if self._state == "RUNNING":
                self._error = errors.canceled() if self._stop.requested else fault
                self._state = "CANCELED" if self._stop.requested else "ERROR"
            self._changed.notify_all()

    def wait(self, seconds: float) -> State:
        """Wait until it has ended or its first rows are there, at most ``seconds``."""
        with self._changed:
            self._changed.wait_for(lambda: self._state in _ENDED, timeout=seconds)
            return self._state

    def fetch(self, max_rows: int, max_bytes: int) -> tuple[Any, bool]:
        """The next page and whether more follow.

        Raises:
            SqlError: the statement failed or was cancelled, or has not finished.
        """
        with self._fetching:
            pages = self._pages
            if self._state != "FINISHED" or pages is None:
                raise self._error or SqlError("OPERATION_NOT_READY", "The result is not available.", "HY010")
            try:
                return pages.take(max_rows, max_bytes)
            except SqlError as fault:
                self._end(fault)
                raise self._error or fault from fault

    def _end(self, fault: SqlError) -> None:
        with self._changed:
            if self._state == "FINISHED":
                self._state, self._error = "ERROR", fault
            self._changed.notify_all()

    def rewind(self) -> None:
        """Go back to the first row.

        Raises:
            SqlError: running the statement again failed.
        """
        with self._fetching:
            if self._pages is None or self._state != "FINISHED":
                return
            if not self._pages.restart():
                self._pages.close()
                self._pages = Pages(self._run(self._stop))

    def cancel(self) -> None:
        """Stop it; a result that is only partly read is given up too."""
        with self._changed:
            if self._state in ("ERROR", "CANCELED", "CLOSED"):
                return
            if self._state == "FINISHED" and (self._pages is None or self._pages.complete):
                return
            running = self._state == "RUNNING"
            self._state, self._error = "CANCELED", errors.canceled()
            self._changed.notify_all()
        self._stop.request(wait=running)
        self._release()

    def close(self) -> None:
        """Free everything."""
        with self._changed:
            if self._state == "CLOSED":
                return
            running = self._state == "RUNNING"
            self._state = "CLOSED"
            self._changed.notify_all()
        self._stop.request(wait=running)
        self._release()
        self._on_end(self)

    def _release(self) -> None:
        with self._fetching:
            if self._pages is not None:
                self._pages.close()
                self._pages = None


class Pages:
    """Cuts a result's batches into pages, one batch ahead so that ``more`` is exact."""

    def __init__(self, result: Result) -> None:
        """Read the first batch, and the second, so that a small result is complete at once."""
        self._result = result
        self._schema = result.schema
        self._batches: Iterator[pa.RecordBatch] = result.batches
        self._held: list[pa.RecordBatch] | None = []
        self._held_bytes = 0
        self._queue: list[pa.RecordBatch] = []
        self._exhausted = False
        self._place = 0
        self._read()
        self._read()

    @property
    def complete(self) -> bool:
        """Whether every row has left the database."""
        return self._exhausted

    def _read(self) -> None:
        while not self._exhausted:
            batch = next(self._batches, None)
            if batch is None:
                self._exhausted = True
                self._result.close()
            elif batch.num_rows:
                self._hold(batch)
                self._queue.append(batch)
                return

    def _hold(self, batch: pa.RecordBatch) -> None:
        self._held_bytes += batch.nbytes
        if self._held is not None and self._held_bytes <= HELD_BYTES:
            self._held.append(batch)
        else:
            self._held = None

    def restart(self) -> bool:
        """Go back to the first row when everything read so far is held."""
        if self._held is None:
            return False
        self._queue = list(self._held)
        self._place = 0
        return True

    def take(self, max_rows: int, max_bytes: int) -> tuple[pa.Table, bool]:
        """The next at most ``max_rows`` rows of at most ``max_bytes``, at least one row, and whether more follow."""
        parts: list[pa.RecordBatch] = []
        rows, size = max(1, max_rows), 0
        while rows > 0:
            if not self._queue:
                self._read()
            if not self._queue:
                break
            part = _fitting(self._queue[0].slice(self._place), rows, max_bytes - size, first=not parts)
            if part.num_rows == 0:
                break
            parts.append(part)
            rows -= part.num_rows
            size += part.get_total_buffer_size() if part.num_columns == 0 else _size(part)
            self._place += part.num_rows
            if self._place == self._queue[0].num_rows:
                self._queue.pop(0)
                self._place = 0
        if not self._queue:
            self._read()
        return pa.Table.from_batches(parts, self._schema), bool(self._queue)

    def close(self) -> None:
        """Free the stream."""
        self._queue, self._held, self._exhausted = [], None, True
        self._result.close()


def _size(batch: pa.RecordBatch) -> int:
    return int(batch.nbytes)


def _fitting(batch: pa.RecordBatch, rows: int, room: int, *, first: bool) -> pa.RecordBatch:
    """The head of ``batch`` that fits; its first row in any case when the page is empty so far."""
    part = batch.slice(0, min(rows, batch.num_rows))
    while part.num_rows > 1 and _size(part) > room:
        part = part.slice(0, max(1, min(part.num_rows - 1, part.num_rows * max(room, 0) // max(1, _size(part)))))
    if part.num_rows == 1 and not first and _size(part) > room:
        return part.slice(0, 0)
    return part
