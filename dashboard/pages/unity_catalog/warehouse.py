"""What the waterline says of the warehouse: its name and state, read as the app and kept briefly."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet

from services.errors import LakefrontError
from services.unity_catalog.models import WarehouseState

KEPT_SECONDS = 30.0
_PATIENCE_SECONDS = 0.3


class WarehouseWords:
    """Name and state in words. Never makes an answer wait long: a late look-up is there for the next one."""

    def __init__(self, ask: Callable[[], WarehouseState], warehouse_id: str) -> None:
        """``ask`` reads the state as the app. No I/O, no thread until the first use."""
        self._ask = ask
        self._id = warehouse_id
        self._lock = threading.Lock()
        self._known: tuple[float, str] | None = None
        self._asking: Future[str] | None = None
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="warehouse-words")

    def __call__(self) -> str:
        """``warehouse lakefront-small, running``; the id alone while the name is not known."""
        with self._lock:
            known = self._known
            if known is not None and time.monotonic() - known[0] < KEPT_SECONDS:
                return known[1]
            if self._asking is None:
                self._asking = self._worker.submit(self._look)
            asking = self._asking
        try:
            return asking.result(_PATIENCE_SECONDS)
        except NotYet:
            return known[1] if known is not None else f"warehouse {self._id}"

    def _look(self) -> str:
        words = f"warehouse {self._id}"
        try:
            state = self._ask()
            words = f"warehouse {state.name or state.warehouse_id}, {state.state.lower()}"
        except LakefrontError:
            # Without the right to see the warehouse, its id must do; the statements themselves run as the person.
            pass
        with self._lock:
            # A state other than RUNNING is a passing one: it is asked again for the next answer.
            passing = not words.endswith(", running")
            self._known = (time.monotonic() - (KEPT_SECONDS if passing else 0), words)
            self._asking = None
        return words
