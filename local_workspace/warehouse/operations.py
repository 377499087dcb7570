"""A statement as a client sees it: from waiting for the warehouse to its last page."""

from __future__ import annotations

import hmac
import secrets
import threading
import time
import uuid
from collections.abc import Callable

import pyarrow as pa

from local_workspace.sql.model import Execution, ResultColumn, SqlError, State
from local_workspace.warehouse.encoding import PAGE_BYTES, PAGE_ROWS, ResultFormat
from local_workspace.warehouse.lifecycle import Lifecycle

CANCELED = SqlError("OPERATION_CANCELED", "Operation was canceled.", "HY008")


def timed_out(seconds: float) -> SqlError:
    """The error of a statement that ran longer than its limit."""
    text = f"Query execution is cancelled due to exceeding the timeout ({seconds:g}s)."
    return SqlError("QUERY_EXECUTION_TIMEOUT_EXCEEDED", text, "57KD0")


class Operation:
    """One statement. Thread-safe. PENDING while its warehouse starts; then its execution's states.

    Attributes:
        id: 16 bytes, the statement's id to clients.
        secret: 16 bytes that a handle must repeat.
        form: how its pages are sent.
        offset: number of the next page's first row.
    """

    def __init__(
        self,
        begin: Callable[[], Execution],
        lifecycle: Lifecycle | None,
        form: ResultFormat,
        timeout: float = 0,
    ) -> None:
        """Run ``begin`` when the warehouse of ``lifecycle`` is up (None: at once); ``timeout`` 0 is no limit."""
        self.secret = secrets.token_bytes(16)
        self.form = form
        self.offset = 0
        self.ended_at: float | None = None
        self._begin_execution = begin
        self._lock = threading.Lock()
        self._page_lock = threading.Lock()
        self._begun = threading.Event()
        self._execution: Execution | None = None
        self._error: SqlError | None = None
        self._state: State = "PENDING"
        self._timer: threading.Timer | None = None
        if lifecycle is None:
            self._begin(None)
        else:
            lifecycle.when_running(self._begin)
        self.id = self._execution.id if self._execution is not None else uuid.uuid1().bytes
        if timeout > 0:
            self._timer = threading.Timer(timeout, self._time_out, (timeout,))
            self._timer.daemon = True
            self._timer.start()

    @property
    def state(self) -> State:
        """Where it is."""
        execution = self._execution
        if self._error is not None or execution is None:
            return self._state
        state = execution.state
        if state not in ("PENDING", "RUNNING") and self.ended_at is None:
            self.ended_at = time.monotonic()
            self._stop_timer()
        return state

    @property
    def error(self) -> SqlError | None:
        """Why it failed or that it was cancelled; None otherwise."""
        if self._error is not None:
            return self._error
        execution = self._execution
        if execution is None:
            return None
        if execution.error is None and execution.state == "CANCELED":
            return CANCELED
        return execution.error

    @property
    def columns(self) -> tuple[ResultColumn, ...]:
        """The result's columns, once it has FINISHED."""
        return self.execution.columns

    @property
    def execution(self) -> Execution:
        """The engine's execution.

        Raises:
            SqlError: there is none: it was cancelled or failed before it began.
        """
        if self._execution is None:
            raise self._error or CANCELED
        return self._execution

    def owns(self, secret: bytes) -> bool:
        """Whether a handle with ``secret`` is this operation's."""
        return hmac.compare_digest(self.secret, secret)

    def wait(self, seconds: float) -> State:
        """Wait until it has left PENDING and RUNNING, at most ``seconds``; the state then."""
        deadline = time.monotonic() + seconds
        if self._begun.wait(seconds) and self._error is None and self._execution is not None:
            self._execution.wait(max(0.0, deadline - time.monotonic()))
        return self.state

    def fetch(
        self, max_rows: int | None, max_bytes: int | None, start: int | None = None
    ) -> tuple[pa.Table, int, bool]:
        """The next page, the number of its first row and whether more follow. ``start`` asks for another first row.

        Raises:
            SqlError: the statement failed, also while it streamed.
        """
        rows = min(max_rows or PAGE_ROWS, PAGE_ROWS)
        size = min(max_bytes or PAGE_BYTES, PAGE_BYTES)
        with self._page_lock:
            if start is not None and start != self.offset:
                self._go_to(start, size)
            table, more = self.execution.fetch(rows, size)
            first = self.offset
            self.offset += table.num_rows
        return table, first, more

    def _go_to(self, start: int, size: int) -> None:
        """Stand before row ``start``, reading from the beginning."""
        self.execution.rewind()
        self.offset = 0
        more = True
        while more and self.offset < start:
            skipped, more = self.execution.fetch(start - self.offset, size)
            self.offset += skipped.num_rows

    def cancel(self) -> None:
        """Stop it; a statement that still waits for its warehouse never runs. Idempotent."""
        self._fail(CANCELED, "CANCELED")

    def close(self) -> None:
        """Stop it and free what it holds. Idempotent."""
        self.cancel()
        self._stop_timer()
        if self._execution is not None:
            self._execution.close()

    def _begin(self, failure: SqlError | None) -> None:
        """Called when the warehouse is up, or did not come up."""
        with self._lock:
            if self._error is not None:
                return
            if failure is not None:
                self._error, self._state = failure, "ERROR"
                self.ended_at = time.monotonic()
            else:
                self._execution = self._begin_execution()
            self._begun.set()

    def _time_out(self, seconds: float) -> None:
        if self.state in ("PENDING", "RUNNING"):
            self._fail(timed_out(seconds), "ERROR")

    def _fail(self, error: SqlError, state: State) -> None:
        with self._lock:
            execution = self._execution
            if execution is None:
                if self._error is None:
                    self._error, self._state = error, state
                    self.ended_at = time.monotonic()
                self._begun.set()
                return
            if state == "ERROR" and execution.state in ("PENDING", "RUNNING"):
                self._error, self._state = error, state
                self.ended_at = time.monotonic()
        execution.cancel()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
