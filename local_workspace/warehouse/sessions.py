"""Open sessions: who opened them, what runs in them, and when they are forgotten."""

from __future__ import annotations

import hmac
import secrets
import threading
import time
from dataclasses import dataclass, field

from local_workspace.identity.model import Caller
from local_workspace.sql.model import Session
from local_workspace.warehouse.operations import Operation

IDLE_SECONDS = 15 * 60
"""A client that was killed never closes its session, and there is no heartbeat."""

_KEEP_ENDED_SECONDS = 60
"""Clients send no CloseOperation for a statement that failed; its state can be asked for this long."""


class InvalidHandleError(Exception):
    """A session or operation that does not exist, or is another caller's; the two are told apart by nobody."""


@dataclass(slots=True)
class WarehouseSession:
    """One session of one caller on one warehouse. ``secret`` (16 bytes) must be repeated in handles."""

    sql: Session
    warehouse_id: str
    owner_id: str
    secret: bytes = field(default_factory=lambda: secrets.token_bytes(16))
    operations: dict[bytes, Operation] = field(default_factory=dict)
    used_at: float = field(default_factory=time.monotonic)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def id(self) -> bytes:
        """16 bytes."""
        return self.sql.id

    @property
    def is_busy(self) -> bool:
        """Whether a statement waits or runs."""
        with self.lock:
            running = list(self.operations.values())
        return any(operation.state in ("PENDING", "RUNNING") for operation in running)

    def add(self, operation: Operation) -> None:
        """Keep an operation and drop failed ones that nobody asks for any more."""
        limit = time.monotonic() - _KEEP_ENDED_SECONDS
        with self.lock:
            known = list(self.operations.items())
            old = [
                (key, one)
                for key, one in known
                if one.state in ("ERROR", "CANCELED") and (one.ended_at or limit) < limit
            ]
            for key, _ in old:
                del self.operations[key]
            self.operations[operation.id] = operation
        for _, one in old:
            one.close()

    def drop(self, operation: Operation) -> None:
        """Free an operation."""
        with self.lock:
            self.operations.pop(operation.id, None)
        operation.close()

    def cancel_all(self) -> None:
        """Cancel what waits or runs; results already there stay readable."""
        with self.lock:
            running = list(self.operations.values())
        for operation in running:
            if operation.state in ("PENDING", "RUNNING"):
                operation.cancel()

    def close(self) -> None:
        """Cancel and free everything."""
        with self.lock:
            operations, self.operations = list(self.operations.values()), {}
        for operation in operations:
            operation.close()
        self.sql.close()


class Sessions:
    """All open sessions of all warehouses. Thread-safe."""

    def __init__(self) -> None:
        """None is open."""
        self._lock = threading.Lock()
        self._open: dict[bytes, WarehouseSession] = {}

    def add(self, sql: Session, warehouse_id: str, caller: Caller) -> WarehouseSession:
        """Register a session that ``caller`` opened."""
        session = WarehouseSession(sql, warehouse_id, caller.principal.id)
        with self._lock:
            self._open[session.id] = session
        return session

    def find(
        self, session_id: bytes, secret: bytes | None, caller: Caller, warehouse_id: str | None
    ) -> WarehouseSession:
        """The caller's session. ``secret`` and ``warehouse_id`` are not compared when None (REST ids carry neither).

        Raises:
            InvalidHandleError: it does not exist, or not for this caller.
        """
        with self._lock:
            session = self._open.get(session_id)
        if session is None or session.owner_id != caller.principal.id:
            raise InvalidHandleError
        if secret is not None and not hmac.compare_digest(session.secret, secret):
            raise InvalidHandleError
        if warehouse_id is not None and session.warehouse_id != warehouse_id:
            raise InvalidHandleError
        session.used_at = time.monotonic()
        return session

    def find_operation(
        self, operation_id: bytes, secret: bytes, caller: Caller, warehouse_id: str
    ) -> tuple[WarehouseSession, Operation]:
        """The caller's operation and its session.

        Raises:
            InvalidHandleError: it does not exist, or not for this caller.
        """
        with self._lock:
            candidates = [s for s in self._open.values() if s.owner_id == caller.principal.id]
        for session in candidates:
            operation = session.operations.get(operation_id)
            if operation is not None and operation.owns(secret) and session.warehouse_id == warehouse_id:
                session.used_at = time.monotonic()
                return session, operation
        raise InvalidHandleError

    def of_warehouse(self, warehouse_id: str) -> list[WarehouseSession]:
        """The open sessions of one warehouse."""
        with self._lock:
            return [session for session in self._open.values() if session.warehouse_id == warehouse_id]

    def close(self, session: WarehouseSession) -> None:
        """Forget a session and free what it holds."""
        with self._lock:
            self._open.pop(session.id, None)
        session.close()

    def close_all(self) -> None:
        """Forget every session, as when a warehouse loses its gateway."""
        with self._lock:
            lost, self._open = list(self._open.values()), {}
        for session in lost:
            session.close()

    def expire(self) -> None:
        """Close sessions that were idle for too long."""
        limit = time.monotonic() - IDLE_SECONDS
        with self._lock:
            idle = [session for session in self._open.values() if session.used_at < limit]
        for session in idle:
            if not session.is_busy:
                self.close(session)
