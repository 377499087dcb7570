"""The user's history of invocations, in Lakebase. Writing it never fails, and never holds up, a prediction.

Writes run on a few threads of their own. A prediction waits for its row, because ``logged`` is true only when the row
is written, but not longer than ``WAIT_SECONDS``; an error is answered without waiting.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextvars import copy_context
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from loguru import logger

from services.errors import LakefrontError
from services.identity import User
from services.lakebase import json_text
from services.observability import errors_total

if TYPE_CHECKING:
    from services.lakebase import LakebaseService

Status = Literal["SUCCESS", "ERROR", "TIMEOUT"]
WAIT_SECONDS = 2.0
_THREADS = 4
_BACKLOG = 200
_KEPT_BYTES = 256 * 1024
_SHOWN_ROWS = 20
_ERROR_LENGTH = 4_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One invocation as it is kept; inputs and predictions are JSON texts (see ``kept``), the time milliseconds."""

    request_id: str
    endpoint_name: str
    model_name: str | None
    model_version: str | None
    inputs: str | None
    predictions: str | None
    status: Status
    execution_time_ms: float
    error_message: str | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """Whether the row is written, and if not, why."""

    logged: bool
    reason: str | None = None


class History:
    """Writes the history of invocations. Thread-safe."""

    def __init__(self, lakebase: LakebaseService) -> None:
        """No I/O, no thread yet."""
        self._lakebase = lakebase
        self._executor: ThreadPoolExecutor | None = None
        self._lock = threading.Lock()
        self._free = threading.BoundedSemaphore(_BACKLOG)

    def record(self, user: User, entry: Entry, wait_seconds: float) -> Written:
        """Write ``entry`` for ``user`` and wait for it at most ``wait_seconds``. Never raises.

        The row belongs to the user; the connection to Lakebase is the app's.
        """
        started = self._submit(user, entry)
        if started is None:
            return Written(False, "The history is behind: too many rows wait to be written.")
        try:
            return started.result(timeout=min(wait_seconds, WAIT_SECONDS))
        except FutureTimeoutError:
            return Written(False, "The history did not confirm the row in time.")

    def record_later(self, user: User, entry: Entry) -> None:
        """Write ``entry`` for ``user`` without waiting. Never raises."""
        if self._submit(user, entry) is None:
            logger.error("an invocation is missing from the history: too many rows wait to be written")

    def close(self) -> None:
        """Write what waits, then end the threads."""
        with self._lock:
            executor, self._executor = self._executor, None
        if executor is not None:
            executor.shutdown(wait=True)

    def _submit(self, user: User, entry: Entry) -> Future[Written] | None:
        if not self._free.acquire(blocking=False):
            return None
        with self._lock:
            if self._executor is None:
                self._executor = ThreadPoolExecutor(_THREADS, thread_name_prefix="inference-log")
            executor = self._executor
        return executor.submit(copy_context().run, self._write, user, entry)

    def _write(self, user: User, entry: Entry) -> Written:
        try:
            self._lakebase.record_inference(
                user,
                request_id=entry.request_id,
                endpoint_name=entry.endpoint_name,
                model_name=entry.model_name,
                model_version=entry.model_version,
                inputs=entry.inputs,
                predictions=entry.predictions,
                status=entry.status,
                execution_time_ms=entry.execution_time_ms,
                error_message=entry.error_message[:_ERROR_LENGTH] if entry.error_message else None,
            )
        except Exception as error:  # noqa: BLE001 - the prediction is delivered whatever happens to its log
            code = error.error_code if isinstance(error, LakefrontError) else "INTERNAL_ERROR"
            errors_total.labels(code).inc()
            logger.bind(error_code=code, endpoint=entry.endpoint_name).opt(exception=error).error(
                "the invocation could not be written to the history"
            )
            known = isinstance(error, LakefrontError)
            return Written(False, str(error) if known else "The history could not be written.")
        finally:
            self._free.release()
        return Written(True)


def kept(value: Any, text: str | None = None) -> str | None:
    """The JSON text that is kept of a value: all of it when it is small enough, else its beginning and its size.

    Args:
        value: a JSON value, or None for nothing.
        text: the same as JSON text, where it was written already.
    """
    if value is None:
        return None
    whole = json_text.of_value(value) if text is None else text
    if len(whole) <= _KEPT_BYTES:
        return whole
    rows = value
    if isinstance(value, dict) and len(value) == 1:
        rows = next(iter(value.values()))
    summary: dict[str, Any] = {"shortened": True, "bytes": len(whole)}
    if isinstance(rows, list):
        summary["rows"] = len(rows)
        head = json_text.of_value(rows[:_SHOWN_ROWS])
        if len(head) <= _KEPT_BYTES:
            summary["first_rows"] = rows[:_SHOWN_ROWS]
    return json_text.of_value(summary)
