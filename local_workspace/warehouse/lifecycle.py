"""A warehouse's states: STOPPED, STARTING, RUNNING, and the statements that wait for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from local_workspace.sql.model import SqlError

WarehouseState = Literal["STOPPED", "STARTING", "RUNNING"]
Waiter = Callable[[SqlError | None], None]


@dataclass(frozen=True, slots=True)
class StartPlan:
    """How the next start goes: how many seconds it takes and, when it is to fail, why."""

    seconds: float
    failure: str | None = None


class Lifecycle:
    """One warehouse coming up and going down. Thread-safe; waiters are called outside the lock."""

    def __init__(self, plan: Callable[[], StartPlan]) -> None:
        """``plan`` is asked at each start. The warehouse begins STOPPED."""
        self._plan = plan
        self._lock = threading.Lock()
        self._state: WarehouseState = "STOPPED"
        self._timer: threading.Timer | None = None
        self._waiters: list[Waiter] = []
        self.failure: str | None = None
        self.last_used = time.monotonic()

    @property
    def state(self) -> WarehouseState:
        """Where it is now."""
        return self._state

    def start(self) -> None:
        """Begin to start; nothing happens when it runs or starts already."""
        with self._lock:
            if self._state != "STOPPED":
                return
            plan = self._plan()
            self._state = "STARTING"
            self.failure = None
            timer = threading.Timer(plan.seconds, lambda: self._arrive(timer, plan))
            timer.daemon = True
            self._timer = timer
        timer.start()

    def when_running(self, waiter: Waiter) -> None:
        """Call ``waiter`` as soon as statements can run (at once when they can), starting the warehouse if needed.

        The waiter gets None, or the reason why the warehouse did not come up.
        """
        self.last_used = time.monotonic()
        with self._lock:
            running = self._state == "RUNNING"
            if not running:
                self._waiters.append(waiter)
        if running:
            waiter(None)
        else:
            self.start()

    def stop(self) -> None:
        """Stop; statements that wait for the start fail."""
        with self._lock:
            self._state = "STOPPED"
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            waiters, self._waiters = self._waiters, []
        self._tell(waiters, "it was stopped while it was starting")

    def _arrive(self, timer: threading.Timer, plan: StartPlan) -> None:
        with self._lock:
            if self._timer is not timer:  # stopped, or stopped and started again, in the meantime
                return
            self._timer = None
            self._state = "STOPPED" if plan.failure else "RUNNING"
            self.failure = plan.failure
            self.last_used = time.monotonic()
            waiters, self._waiters = self._waiters, []
        self._tell(waiters, plan.failure)

    @staticmethod
    def _tell(waiters: list[Waiter], failure: str | None) -> None:
        error = None
        if failure is not None:
            error = SqlError("WAREHOUSE_START_FAILED", f"The SQL warehouse did not start: {failure}.", "08001")
        for waiter in waiters:
            waiter(error)
