"""Pooled connections to Lakebase: a fresh token for each login, bounded waiting, and recovery by itself.

Why not the pool's defaults (all of it is proven by the tests of this package):

* A token lives an hour and is checked at login only, so the password must be made anew for *each* connection.
* The built-in check of a stale connection costs a round trip of its own and tries one after the other with growing
  pauses; ours is the first statement of the work itself, and drains all at once.
* Reconnecting doubles its pause up to a minute; ours gives up after two seconds and starts again.
* A statement on a connection whose server is frozen waits for ever on the client's side; a watchdog cuts it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import psycopg
from psycopg.rows import TupleRow
from psycopg_pool import ConnectionPool, PoolTimeout

from db.errors import DatabaseUnavailable, TokenUnavailable, connect_error_type, is_outage, unavailable
from db.watchdog import Watchdog

Connection = psycopg.Connection[TupleRow]
Parameters = Callable[[], Mapping[str, Any]]
"""Gives libpq parameters (host, port, user, dbname, password …) for one login, with a fresh password."""
Opening = Callable[[Connection], object]
"""The first statement on a connection; one round trip."""


def _sign_of_life(connection: Connection) -> object:
    return connection.execute("")


@dataclass(frozen=True, slots=True)
class PoolOptions:
    """Limits of the pool; times are seconds.

    Attributes:
        min_size: connections that are kept open.
        max_size: most connections.
        wait: longest wait for a connection.
        statement: longest run of one statement on the server.
        transaction: longest time between checkout and return as the client sees it, frozen servers included.
        connect: longest login.
        lifetime: a connection is replaced at this age; below a token's hour, and far below Lakebase's three days.
        idle: a connection beyond ``min_size`` that is unused for this long is closed, so a database can scale to zero.
    """

    min_size: int = 2
    max_size: int = 10
    wait: float = 3.0
    statement: float = 5.0
    transaction: float = 8.0
    connect: float = 5.0
    lifetime: float = 45 * 60
    idle: float = 10 * 60


@dataclass
class _Logins:
    """Attempts to connect: how many are under way, and why the newest failed (forgotten at the next success)."""

    error: BaseException | None = None
    count: int = 0
    minting: int = 0
    connecting: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, error: BaseException | None) -> None:
        with self.lock:
            self.error = error
            self.count += error is not None

    @contextmanager
    def under_way(self, stage: Literal["minting", "connecting"]) -> Iterator[None]:
        with self.lock:
            setattr(self, stage, getattr(self, stage) + 1)
        try:
            yield
        finally:
            with self.lock:
                setattr(self, stage, getattr(self, stage) - 1)

    def explanation(self) -> BaseException | None:
        """Why there may be no connection: the last failure, or what has been waited for all the time."""
        if self.error is None and self.minting:
            return TokenUnavailable("the token has been waited for in vain")
        if self.error is None and self.connecting:
            return psycopg.OperationalError("connection timeout expired")
        return self.error


class Pool:
    """A ``psycopg_pool`` with the rules above. Does no I/O before :meth:`open`."""

    def __init__(self, parameters: Parameters, schema: str, options: PoolOptions | None = None) -> None:
        """Builds the pool.

        Args:
            parameters: see :data:`Parameters`; it must be bounded in time.
            schema: the only schema on the connections' search path.
            options: limits.
        """
        self.options = options or PoolOptions()
        self._schema = schema
        self._parameters = parameters
        self._logins = _Logins()
        self._watchdog = Watchdog()
        self._drained_at = 0.0
        self._drain_lock = threading.Lock()
        self._checking = threading.Lock()
        self._health_checks = 0
        self._pool: ConnectionPool[Connection] | None = None

    def open(self) -> None:
        """Starts connecting in the background; returns at once, whether the database answers or not."""
        self._watchdog.start()
        self._pool = ConnectionPool(
            kwargs=self._login,
            connection_class=self._connection_class(),
            configure=self._configure,
            reconnect_failed=lambda pool: pool.check(),
            reconnect_timeout=2.0,
            min_size=self.options.min_size,
            max_size=self.options.max_size,
            timeout=self.options.wait,
            max_lifetime=self.options.lifetime,
            max_idle=self.options.idle,
            num_workers=4,
            open=False,
            name="lakebase",
        )
        self._pool.open(wait=False)

    def close(self) -> None:
        """Closes every connection. Idempotent."""
        if self._pool is not None:
            self._pool.close(timeout=2)
            self._pool = None
        self._watchdog.stop()

    @contextmanager
    def connection(self, opening: Opening = _sign_of_life) -> Iterator[Connection]:
        """A working connection for one piece of work, back in the pool afterwards.

        A transaction that is open at the end is committed, or rolled back when the block raises.

        Args:
            opening: the first statement, which is the check too: where it finds the connection dead nothing was done
                yet, so it is repeated on another one.

        Raises:
            DatabaseUnavailable: none can be had within ``options.wait``, or it broke, or it took longer than
                ``options.transaction``; a health check of the pool has been started.
        """
        pool = self._pool
        if pool is None:
            raise DatabaseUnavailable("08003", "the pool is closed")
        try:
            connection = self._opened(pool, opening)
            try:
                with self._watchdog.limit(connection, self.options.transaction), connection:
                    yield connection
            finally:
                pool.putconn(connection)
        except DatabaseUnavailable:
            raise
        except Exception as error:
            if not is_outage(error):
                raise
            self.check_soon()
            raise unavailable(error, self._logins.explanation()) from error

    def direct(self) -> Connection:
        """One connection outside the pool, for migrations; the caller closes it.

        Raises:
            DatabaseUnavailable: the login failed.
        """
        try:
            connection: Connection = self._connection_class().connect(**self._login())
            self._configure(connection)
        except (psycopg.Error, TokenUnavailable) as error:
            raise DatabaseUnavailable(connect_error_type(error), str(error).splitlines()[0]) from error
        return connection

    def waited_in_vain(self) -> DatabaseUnavailable:
        """The error for a wait that ended without a connection: why the pool could not connect lately, if it tried."""
        return unavailable(PoolTimeout("no connection in time"), self._logins.explanation())

    def check_soon(self) -> None:
        """Checks every idle connection in the background and replaces the broken ones; one check at a time."""
        pool = self._pool
        if pool is None or not self._checking.acquire(blocking=False):
            return

        self._health_checks += 1

        def run() -> None:
            try:
                pool.check()
            except psycopg.Error as error:
                self._logins.note(error)
            finally:
                self._checking.release()

        threading.Thread(target=run, name="lakebase-pool-check", daemon=True).start()

    def statistics(self) -> dict[str, int]:
        """Counters and gauges of the pool (``pool_size`` …), ``connect_failures`` and ``health_checks``."""
        counters = dict(self._pool.get_stats()) if self._pool is not None else {}
        return {**counters, "connect_failures": self._logins.count, "health_checks": self._health_checks}

    def _login(self) -> dict[str, Any]:
        """Parameters of one login; a failure to mint is remembered, so that who waits in vain can be told why."""
        try:
            with self._logins.under_way("minting"):
                parameters = dict(self._parameters())
        except Exception as error:
            self._logins.note(error)
            raise
        return {
            "connect_timeout": max(2, round(self.options.connect)),
            "keepalives_idle": 30,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": round(self.options.transaction * 1000),
            "autocommit": True,  # who wants a transaction begins it, in one round trip with what it begins with
            **parameters,
        }

    def _connection_class(self) -> type[Connection]:
        logins = self._logins

        class Noted(psycopg.Connection[TupleRow]):
            """A connection whose failed logins are noted."""

            @classmethod
            def connect(cls, *args: Any, **kwargs: Any) -> Any:
                """As psycopg's own."""
                try:
                    with logins.under_way("connecting"):
                        connection = super().connect(*args, **kwargs)
                except psycopg.Error as error:
                    logins.note(error)
                    raise
                logins.note(None)
                return connection

        return Noted

    def _configure(self, connection: Connection) -> None:
        """Settings that every session has; in one round trip."""
        milliseconds = str(round(self.options.statement * 1000))
        connection.execute(
            "SELECT set_config('search_path', %s, false), set_config('statement_timeout', %s, false),"
            " set_config('lock_timeout', %s, false), set_config('idle_in_transaction_session_timeout', %s, false)",
            (self._schema, milliseconds, milliseconds, milliseconds),
        )

    def _opened(self, pool: ConnectionPool[Connection], opening: Opening) -> Connection:
        """A connection of the pool on which ``opening`` has run."""
        deadline = time.monotonic() + self.options.wait
        while True:
            connection = pool.getconn(deadline - time.monotonic())
            try:
                with self._watchdog.limit(connection, self.options.wait):
                    opening(connection)
            except BaseException as error:
                dead = connection.closed and isinstance(error, psycopg.Error)
                if dead:
                    self._renew(pool)
                pool.putconn(connection)
                if not dead:
                    raise
            else:
                return connection

    def _renew(self, pool: ConnectionPool[Connection]) -> None:
        """Replaces every connection: one that is dead means that its neighbours are dead too."""
        with self._drain_lock:
            due = time.monotonic() - self._drained_at > 1.0
            if due:
                self._drained_at = time.monotonic()
        if due:
            pool.drain()
