"""Faults on demand: tests tell a service to fail, how, and how often.

``PUT /.local/faults`` with ``{"faults": [...], "actions": [...]}`` replaces the active faults and runs the
actions once; ``DELETE`` clears them; ``GET`` shows them. A fault has

* ``service``: one of ``SERVICES``;
* ``match``: text that the request's path, statement or endpoint must contain (default: anything);
* ``status``: HTTP status to answer instead (or a refused login for Lakebase);
* ``delay_seconds``: wait first; ``drop``: close the connection without an answer;
* ``sql_warehouse_start``: ``delay_seconds`` is how long the next start takes; with ``status`` it fails;
  ``sql_warehouse_session``: the session of the matching call is lost;
* ``times``: how many times (default: until cleared); ``retry_after``: seconds, sent as a header; ``message``.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

SERVICES = frozenset(
    {
        "identity",
        "unity_catalog",
        "sql_warehouse",
        "sql_warehouse_start",
        "sql_warehouse_session",
        "lakebase_mint",
        "lakebase_login",
        "model_serving",
        "apps",
    }
)
_FIELDS = frozenset({"service", "match", "status", "delay_seconds", "drop", "times", "retry_after", "message"})


class FaultError(ValueError):
    """A fault that cannot be set; ``str()`` says which field and why."""


@dataclass(slots=True)
class Fault:
    """One active fault; see the module's text for the fields."""

    service: str
    match: str = ""
    status: int | None = None
    delay_seconds: float = 0.0
    drop: bool = False
    times: int | None = None
    retry_after: int | None = None
    message: str = "Injected fault."


class Faults:
    """The active faults and the actions that parts of the workspace offer. Thread-safe."""

    def __init__(self) -> None:
        """No fault is active."""
        self._lock = threading.Lock()
        self._active: list[Fault] = []
        self._actions: dict[str, Callable[[], None]] = {}

    def action(self, name: str, run: Callable[[], None]) -> None:
        """Offer an action, such as ``lakebase.cut_connections``."""
        self._actions[name] = run

    def take(self, service: str, target: str = "") -> Fault | None:
        """The first fault for ``service`` whose ``match`` is in ``target``; uses it up once."""
        with self._lock:
            for fault in self._active:
                if fault.service == service and fault.match in target:
                    if fault.times is not None:
                        fault.times -= 1
                        if fault.times <= 0:
                            self._active.remove(fault)
                    return fault
        return None

    def set(self, document: dict[str, Any]) -> None:
        """Replace the active faults, then run the actions.

        Raises:
            FaultError: an unknown service, field or action.
        """
        faults = [_parse(one) for one in document.get("faults", [])]
        actions = document.get("actions", [])
        for name in actions:
            if name not in self._actions:
                raise FaultError(f"unknown action {name!r}; known: {', '.join(sorted(self._actions))}")
        with self._lock:
            self._active = faults
        for name in actions:
            self._actions[name]()

    def clear(self) -> None:
        """Remove every fault."""
        with self._lock:
            self._active = []

    def describe(self) -> dict[str, Any]:
        """Active faults and known services and actions, for ``GET``."""
        with self._lock:
            active = [asdict(fault) for fault in self._active]
        return {"faults": active, "services": sorted(SERVICES), "actions": sorted(self._actions)}


def _parse(document: Any) -> Fault:
    if not isinstance(document, dict):
        raise FaultError("a fault is an object")
    unknown = set(document) - _FIELDS
    if unknown:
        raise FaultError(f"unknown field {sorted(unknown)[0]!r}; known: {', '.join(sorted(_FIELDS))}")
    if document.get("service") not in SERVICES:
        raise FaultError(f"service must be one of {', '.join(sorted(SERVICES))}")
    return Fault(**document)
