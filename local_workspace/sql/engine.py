"""The SQL warehouse's engine: one DuckDB instance, its files, its settings and its sessions."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
from loguru import logger

from local_workspace.identity.directory import Directory
from local_workspace.identity.model import Caller
from local_workspace.sql import macros
from local_workspace.sql.model import Session, SessionOptions
from local_workspace.sql.plans import Plans
from local_workspace.sql.results import Stop
from local_workspace.sql.samples import TAXI_DATABASE, TaxiTrips
from local_workspace.sql.session import LocalSession
from local_workspace.sql.settings import is_utc
from local_workspace.unity_catalog.metastore import Metastore
from local_workspace.unity_catalog.model import Table

STORE = "store"
"""DuckDB's name of the file that holds all tables; their names in it say nothing about their logical names."""

WORKERS = 64
"""Threads that plan statements and run them to their first rows; further statements wait in state PENDING."""

_LOCKED = (
    "TimeZone = 'UTC'",
    "ieee_floating_point_ops = false",
    "python_enable_replacements = false",
    "autoinstall_known_extensions = false",
    "autoload_known_extensions = false",
    "allow_community_extensions = false",
    "memory_limit = '2GB'",
    "max_temp_directory_size = '20GB'",
    "allowed_configs = ['TimeZone']",
    "enable_external_access = false",
    "lock_configuration = true",
)


class Engine:
    """Runs Databricks SQL for authenticated callers. Thread-safe.

    Args:
        metastore: names, privileges, filters and masks.
        directory: the principals behind owners' names.
        state: the workspace's folder; the engine keeps its files in ``state/sql``.
        taxi_rows: the size of ``samples.nyctaxi.trips``.
    """

    def __init__(self, metastore: Metastore, directory: Directory, *, state: Path, taxi_rows: int) -> None:
        """Nothing is opened until ``start``."""
        self.metastore = metastore
        self.directory = directory
        self._folder = state / "sql"
        self._taxi = TaxiTrips(metastore, taxi_rows)
        self._root: Any = None
        self._sessions: set[LocalSession] = set()
        self._lock = threading.Lock()
        self._table_locks: dict[str, threading.RLock] = {}
        self.plans = Plans()
        self.workers = ThreadPoolExecutor(WORKERS, "sql-statement")

    def start(self) -> None:
        """Open the database, lock its settings, and begin to make the sample table in the background.

        Raises:
            duckdb.Error: the files cannot be opened, for example because another process has them open.
        """
        (self._folder / "temp").mkdir(parents=True, exist_ok=True)
        self._root = duckdb.connect(str(self._folder / f"{STORE}.duckdb"))
        self._root.execute(f"ATTACH '{_text(self._folder / 'samples.duckdb')}' AS {TAXI_DATABASE}")
        macros.install(self._root)
        self._root.execute(f"SET GLOBAL temp_directory = '{_text(self._folder / 'temp')}'")
        for setting in _LOCKED:
            self._root.execute(f"SET GLOBAL {setting}")
        self.metastore.on_table_dropped(self._discard)
        self._remove_orphans()
        self._taxi.start(self._root.cursor)

    def close(self) -> None:
        """Close all sessions and the database. Idempotent."""
        with self._lock:
            sessions, self._sessions = list(self._sessions), set()
        for session in sessions:
            session.close()
        self.workers.shutdown(wait=False, cancel_futures=True)
        self._taxi.stop()
        if self._root is not None:
            root, self._root = self._root, None
            try:
                root.close()
            except duckdb.Error as fault:  # a statement that does not stop; the process is about to end anyway
                logger.warning("The database was still busy when it was closed: {}", type(fault).__name__)

    def open_session(self, caller: Caller, options: SessionOptions) -> Session:
        """Open a session that acts as ``caller``."""
        session = LocalSession(self, caller, options)
        with self._lock:
            self._sessions.add(session)
        return session

    def forget(self, session: LocalSession) -> None:
        """A session was closed."""
        with self._lock:
            self._sessions.discard(session)

    def cursor(self, zone: str) -> Any:
        """A new cursor whose timestamps are read and written in ``zone``."""
        cursor = self._root.cursor()
        if not is_utc(zone):
            cursor.execute(f"SET TimeZone = '{zone}'")
        return cursor

    def await_tables(self, physical: Iterable[str], stop: Stop) -> None:
        """Wait until the sample table is there, when a statement reads it.

        Raises:
            SqlError: the statement was cancelled, or the table could not be made.
        """
        if any(name.startswith(f"{TAXI_DATABASE}.") for name in physical):
            self._taxi.wait(stop)

    @contextmanager
    def changing(self, physical: str, stop: Stop) -> Iterator[None]:
        """Hold a table's lock: DuckDB refuses two changes of the same rows instead of waiting.

        Raises:
            SqlError: the statement was cancelled while it waited.
        """
        with self._lock:
            lock = self._table_locks.setdefault(physical, threading.RLock())
        while not lock.acquire(timeout=0.05):
            stop.check()
        try:
            yield
        finally:
            lock.release()

    @staticmethod
    def new_physical() -> str:
        """A physical name that no statement can spell."""
        return f"{STORE}.main.t_{uuid.uuid4().hex}"

    def _discard(self, table: Table) -> None:
        """Drop the rows of a table that the metastore no longer knows."""
        self.discard(table.physical)

    def discard(self, physical: str) -> None:
        """Drop a physical table."""
        if self._root is not None and physical.startswith(f"{STORE}."):
            cursor = self._root.cursor()
            try:
                cursor.execute(f"DROP TABLE IF EXISTS {physical}")
            finally:
                cursor.close()

    def _remove_orphans(self) -> None:
        """Drop physical tables without metadata: a process may die between making one and registering it."""
        known = {
            table.physical
            for catalog in self.metastore.catalogs()
            for schema in self.metastore.schemas(catalog.name)
            for table in self.metastore.tables(catalog.name, schema.name)
        }
        rows = self._root.execute(
            "SELECT table_name FROM duckdb_tables() WHERE database_name = ? AND schema_name = 'main'", [STORE]
        ).fetchall()
        for (name,) in rows:
            if f"{STORE}.main.{name}" not in known:
                self._root.execute(f'DROP TABLE {STORE}.main."{name}"')


def _text(path: Path) -> str:
    return str(path.resolve()).replace("'", "''")
