"""The database as the rest of the app sees it: one way in, for one user at a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import contextmanager

import psycopg
from psycopg import errors as pg

from db import migrate, safety
from db.errors import DatabaseUnavailable, unavailable
from db.pool import Connection, Pool

NOT_READY = "3F000"
"""SQLSTATE "invalid schema name": the schema is not there, or not at this version, and may not be made by the app."""

_PAUSE = 0.5
_BEGIN = "BEGIN; SELECT set_config('lakefront.user_id', %s, true)"


class Database:
    """Transactions for one user each, over a pool.

    The schema is brought up to date and checked by the first transaction that reaches the server, not at start: so the
    app starts without a database, or before its grants have arrived, and heals by itself.
    """

    def __init__(self, pool: Pool, schema: str, *, may_migrate: bool = True) -> None:
        """No I/O.

        Args:
            pool: a pool whose search path is ``schema``.
            schema: where the tables lie.
            may_migrate: whether missing migrations are applied by the app itself.
        """
        self._pool = pool
        self._schema = schema
        self._may_migrate = may_migrate
        self._ready = False
        self._lock = threading.Lock()
        self._attempt: Future[None] | None = None
        self._failed_at = 0.0

    @contextmanager
    def user_transaction(self, user_id: str) -> Iterator[Connection]:
        """One transaction that sees and writes the rows of one user only. The only public way to a connection.

        The user's id is a setting of the transaction that every row-security policy compares with; it ends with the
        transaction, so nothing of it stays on the pooled connection.

        Args:
            user_id: owner of the rows.

        Raises:
            ValueError: an empty user id.
            DatabaseUnavailable: no connection, or it broke; whether a change was committed is then unknown to the
                caller only if it broke during the commit itself.
            UnsafeDatabase: row security would not hold.
            MigrationError: the schema cannot be brought to this version.
        """
        if not isinstance(user_id, str) or not user_id.strip():
            raise ValueError("a user id is needed")
        self.prepare()

        def begin(connection: Connection) -> object:
            # Both in one round trip, which takes a cursor that binds the value on this side.
            return psycopg.ClientCursor(connection).execute(_BEGIN, (user_id,))

        with self._pool.connection(begin) as connection:
            yield connection

    def prepare(self) -> None:
        """Migrates, where allowed, and checks that row security holds; once. A failure is tried again soon.

        The work has a thread of its own, so that nobody waits longer for it than for a connection.

        Raises:
            DatabaseUnavailable: the server cannot be reached in time, or the role may not do it (SQLSTATE 42501).
            UnsafeDatabase: row security would not hold; nothing is served.
            MigrationError: see :func:`db.migrate.migrate`.
        """
        if self._ready:
            return
        try:
            self._current_attempt().result(self._pool.options.wait)
        except FutureTimeout:
            self._pool.check_soon()
            raise self._pool.waited_in_vain() from None
        except DatabaseUnavailable:
            self._pool.check_soon()
            raise

    def _current_attempt(self) -> Future[None]:
        """The attempt under way, or the last one if it failed a moment ago, or a new one."""
        with self._lock:
            attempt = self._attempt
            if attempt is not None and (not attempt.done() or time.monotonic() - self._failed_at < _PAUSE):
                return attempt
            attempt = self._attempt = Future()
            threading.Thread(target=self._run_attempt, args=(attempt,), name="lakebase-prepare", daemon=True).start()
            return attempt

    def _run_attempt(self, attempt: Future[None]) -> None:
        try:
            self._prepare()
        except Exception as error:  # noqa: BLE001  # handed over to whoever waits for the attempt
            self._failed_at = time.monotonic()
            attempt.set_exception(error)
        else:
            self._ready = True
            attempt.set_result(None)

    def _prepare(self) -> None:
        with self._pool.direct() as connection:
            try:
                if self._may_migrate and not migrate.is_current(connection, self._schema):
                    migrate.migrate(connection, self._schema)
                elif not migrate.is_current(connection, self._schema):
                    raise DatabaseUnavailable(NOT_READY, "migrations are missing: run python -m scripts.migrate")
                safety.check(connection, self._schema)
            except pg.InsufficientPrivilege as error:
                raise unavailable(error) from error
            except psycopg.OperationalError as error:
                raise unavailable(error) from error

    def ping(self) -> float:
        """Asks the server for a sign of life through the pool and prepares the schema.

        Returns:
            Milliseconds of the round trip.

        Raises:
            DatabaseUnavailable: as :meth:`user_transaction`, like the others there.
        """
        self.prepare()
        with self._pool.connection() as connection:
            started = time.perf_counter()
            connection.execute("SELECT 1")
            return (time.perf_counter() - started) * 1000
