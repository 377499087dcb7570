"""Warehouse sessions, pooled: opening one costs ten times what a page costs.

A session belongs to one person and one token. It is checked out exclusively, so a statement never meets another's; the
pool is bounded in all and per person; idle sessions are closed; a new token, or one near its end, gets a new session.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from databricks import sql
from loguru import logger

from services.errors import WarehouseUnavailable
from services.identity import User
from services.observability import pool_statistics
from services.settings import Settings
from services.unity_catalog.errors import WAREHOUSE_ERRORS

IDLE_SECONDS = 300.0
"""Longest life of an unused session; a serverless warehouse can go to sleep behind it."""
WAIT_SECONDS = 10.0
"""Longest wait for a free place in the pool."""
TOKEN_MARGIN_SECONDS = 60.0
"""A token this near to its end opens no statement on a kept session."""
_SOCKET_SECONDS = 30.0
_RETRIES = 1
"""Of the connector, each after up to five seconds (its least): enough for a dropped connection."""
Connect = Callable[[User], Any]


@dataclass(eq=False, slots=True)
class WarehouseSession:
    """One open connection of one person. ``cursor`` is its only one: the connector never forgets a cursor it made."""

    user_id: str
    token_key: str
    expires_at: float | None
    connection: Any
    cursor: Any
    used: int = 0
    idle_since: float = field(default_factory=time.monotonic)

    @property
    def fresh(self) -> bool:
        """Whether its token lives for a while yet."""
        return self.expires_at is None or self.expires_at - time.time() > TOKEN_MARGIN_SECONDS

    def fits(self, user: User) -> bool:
        """Whether this person's request may run on it now."""
        return self.user_id == user.user_id and self.token_key == user.token_key and self.fresh


def connector(settings: Settings) -> Connect:
    """How a session of a user is opened, with the time limits that the connector does not set by itself."""
    address = urlsplit(settings.databricks_host)
    extra: dict[str, Any] = {}
    if address.scheme == "http":
        # The connector builds https addresses from a host name; a workspace on loopback speaks plain http.
        extra["_connection_uri"] = settings.databricks_host + settings.http_path
    elif address.port is not None:
        extra["_port"] = address.port
    if settings.databricks_ca_file is not None:
        extra["_tls_trusted_ca_file"] = str(settings.databricks_ca_file)

    def connect(user: User) -> Any:
        return sql.connect(
            server_hostname=address.hostname,
            http_path=settings.http_path,
            access_token=user.access_token,
            user_agent_entry=settings.databricks_app_name,
            # Telemetry asks port 443 of the host before the first statement and waits half a minute for no answer.
            enable_telemetry=False,
            use_inline_params=False,
            session_configuration={"timezone": "UTC", "ansi_mode": "true"},
            _disable_pandas=True,
            _socket_timeout=_SOCKET_SECONDS,
            _retry_delay_min=0.5,
            _retry_delay_max=5,
            _retry_stop_after_attempts_count=_RETRIES,
            _retry_stop_after_attempts_duration=_SOCKET_SECONDS,
            **extra,
        )

    return connect


class SessionPool:
    """The sessions of everybody. Thread-safe; no I/O while its lock is held."""

    def __init__(self, settings: Settings, connect: Connect | None = None) -> None:
        """No I/O. ``connect`` opens a connection as a user; tests count with it."""
        self._connect = connect or connector(settings)
        self._warehouse_id = settings.databricks_warehouse_id
        self._most = settings.warehouse_sessions
        self._most_per_user = settings.warehouse_sessions_per_user
        self._changed = threading.Condition()
        self._idle: list[WarehouseSession] = []
        self._busy: dict[str, int] = {}
        self._closing = threading.Event()
        self._evictor: threading.Thread | None = None

    def start(self) -> None:
        """Begin closing idle sessions."""
        with self._changed:
            if self._evictor is not None or self._closing.is_set():
                return
            self._evictor = threading.Thread(target=self._evict_for_ever, name="warehouse-sessions", daemon=True)
        self._evictor.start()

    def close(self) -> None:
        """Close the idle sessions; those in use are closed as they come back."""
        self._closing.set()
        with self._changed:
            idle, self._idle = self._idle, []
        for session in idle:
            _close(session)

    def checkout(self, user: User, wait_seconds: float = WAIT_SECONDS) -> WarehouseSession:
        """A session of this person, theirs alone until ``give_back`` or ``discard``. Runs as the user.

        Raises:
            WarehouseUnavailable: no place within ``wait_seconds``.
            databricks.sql.exc.Error, urllib3.exceptions.HTTPError: it could not be opened.
        """
        deadline = time.monotonic() + wait_seconds
        with self._changed:
            while True:
                session, leaving, reserved = self._take(user)
                if session is not None or reserved:
                    break
                remaining = deadline - time.monotonic()
                if remaining <= 0 or not self._changed.wait(remaining):
                    raise WarehouseUnavailable(self._warehouse_id, "all warehouse sessions are in use", 2)
            self._report()
        for old in leaving:
            _close(old)
        return session or self._open(user)

    def _take(self, user: User) -> tuple[WarehouseSession | None, list[WarehouseSession], bool]:
        """Under the lock: an idle session that fits, or a reserved place with the sessions that must leave for it."""
        mine = [session for session in self._idle if session.user_id == user.user_id]
        fitting = [session for session in mine if session.fits(user)]
        # A session of another token of theirs stays while that token lives: two browsers of one person, each with a
        # token of its own, would otherwise close each other's session at every page.
        leaving = [session for session in mine if not session.fresh]
        others = [session for session in mine if session.fresh and session not in fitting]
        if not fitting and len(others) + self._busy.get(user.user_id, 0) >= self._most_per_user and others:
            leaving.append(min(others, key=lambda one: one.idle_since))
        for session in leaving:
            self._idle.remove(session)
        if fitting:
            session = max(fitting, key=lambda one: one.idle_since)
            self._idle.remove(session)
            self._busy[user.user_id] = self._busy.get(user.user_id, 0) + 1
            return session, leaving, True
        if self._busy.get(user.user_id, 0) >= self._most_per_user:
            self._idle.extend(leaving)
            return None, [], False
        if sum(self._busy.values()) + len(self._idle) >= self._most:
            if not self._idle:
                self._idle.extend(leaving)
                return None, [], False
            oldest = min(self._idle, key=lambda one: one.idle_since)
            self._idle.remove(oldest)
            leaving.append(oldest)
        self._busy[user.user_id] = self._busy.get(user.user_id, 0) + 1
        return None, leaving, True

    def _open(self, user: User) -> WarehouseSession:
        """Open a session on a reserved place."""
        try:
            connection = self._connect(user)
            return WarehouseSession(
                user.user_id, user.token_key, user.token_expires_at, connection, connection.cursor()
            )
        except BaseException:
            self._free(user.user_id)
            raise

    def give_back(self, session: WarehouseSession) -> None:
        """Return a session that is as good as before."""
        session.used += 1
        session.idle_since = time.monotonic()
        with self._changed:
            keep = not self._closing.is_set()
            if keep:
                self._idle.append(session)
            self._release(session.user_id)
        if not keep:
            _close(session)

    def discard(self, session: WarehouseSession) -> None:
        """Return a session that is lost or in an unknown state."""
        self._free(session.user_id)
        _close(session)

    def _free(self, user_id: str) -> None:
        with self._changed:
            self._release(user_id)

    def _release(self, user_id: str) -> None:
        """Under the lock: one place of this person is free again."""
        left = self._busy.get(user_id, 1) - 1
        if left:
            self._busy[user_id] = left
        else:
            self._busy.pop(user_id, None)
        self._report()
        self._changed.notify_all()

    def statistics(self) -> dict[str, int]:
        """How many sessions are idle and in use, and of how many people."""
        with self._changed:
            people = {session.user_id for session in self._idle} | set(self._busy)
            return {"idle": len(self._idle), "in_use": sum(self._busy.values()), "people": len(people)}

    def _report(self) -> None:
        pool_statistics.labels("warehouse", "idle").set(len(self._idle))
        pool_statistics.labels("warehouse", "in_use").set(sum(self._busy.values()))

    def evict(self, idle_seconds: float = IDLE_SECONDS) -> int:
        """Close the sessions that were not used for so long or whose token ends; the number closed."""
        now, ends = time.monotonic(), time.time() + TOKEN_MARGIN_SECONDS
        with self._changed:
            leaving = [
                session
                for session in self._idle
                if now - session.idle_since >= idle_seconds
                or (session.expires_at is not None and session.expires_at <= ends)
            ]
            for session in leaving:
                self._idle.remove(session)
            self._report()
            self._changed.notify_all()
        for session in leaving:
            _close(session)
        return len(leaving)

    def _evict_for_ever(self) -> None:
        while not self._closing.wait(10):
            with suppress(*WAREHOUSE_ERRORS):
                self.evict()


def _close(session: WarehouseSession) -> None:
    """Close for good; a session that the server has lost already is no fault."""
    try:
        session.connection.close()
    except WAREHOUSE_ERRORS as error:
        logger.bind(error_type=type(error).__name__).debug("a warehouse session could not be closed")
