"""The control plane's memory: JSON documents in one SQLite file, durable at every step."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

Document = dict[str, Any]


class Store:
    """All collections of one state folder. Thread-safe: one connection behind one lock.

    A change is on disk when the method returns (WAL with full synchronisation), so ``kill -9`` loses nothing.
    """

    def __init__(self, file: Path) -> None:
        """Remember where the file lies; ``open`` makes it."""
        self._file = file
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None

    def open(self) -> None:
        """Open or create the file. Raises sqlite3.Error when the folder cannot be written."""
        connection = sqlite3.connect(self._file, check_same_thread=False, isolation_level=None)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute(
            "CREATE TABLE IF NOT EXISTS document (collection TEXT, key TEXT, position INTEGER, body TEXT NOT NULL,"
            " PRIMARY KEY (collection, key))"
        )
        self._connection = connection

    def close(self) -> None:
        """Close the file. Idempotent."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def collection(self, name: str) -> Collection:
        """The collection called ``name``; it exists as soon as something is put into it."""
        return Collection(self, name)

    def execute(self, sql: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """Run one statement on the file and give its rows.

        Raises:
            RuntimeError: the store is not open.
        """
        with self._lock:
            if self._connection is None:
                raise RuntimeError("the store is not open")
            return self._connection.execute(sql, values).fetchall()

    @property
    def lock(self) -> threading.RLock:
        """Held by a reader that must write what it read before anybody else does."""
        return self._lock


class Collection:
    """Documents of one kind by key, in the order in which they were added."""

    def __init__(self, store: Store, name: str) -> None:
        """See ``Store.collection``."""
        self._store = store
        self._name = name

    def get(self, key: str) -> Document | None:
        """The document of ``key``, a fresh copy, or None."""
        rows = self._store.execute("SELECT body FROM document WHERE collection = ? AND key = ?", (self._name, key))
        return json.loads(rows[0][0]) if rows else None

    def put(self, key: str, document: Document) -> None:
        """Write ``document``; an existing one is replaced and keeps its place."""
        self._store.execute(
            "INSERT INTO document (collection, key, position, body) VALUES (?1, ?2,"
            " (SELECT coalesce(max(position), 0) + 1 FROM document), ?3)"
            " ON CONFLICT (collection, key) DO UPDATE SET body = excluded.body",
            (self._name, key, json.dumps(document)),
        )

    def add(self, key: str, document: Document) -> bool:
        """Write ``document`` unless the key exists. Says whether it was written."""
        with self._store.lock:
            if self.get(key) is not None:
                return False
            self.put(key, document)
            return True

    def update(self, key: str, change: Callable[[Document], Document]) -> Document | None:
        """Replace the document by ``change(document)`` and give the new one; None when there is none."""
        with self._store.lock:
            document = self.get(key)
            if document is None:
                return None
            document = change(document)
            self.put(key, document)
            return document

    def delete(self, key: str) -> bool:
        """Remove the document. Says whether there was one."""
        with self._store.lock:
            existed = self.get(key) is not None
            self._store.execute("DELETE FROM document WHERE collection = ? AND key = ?", (self._name, key))
            return existed

    def items(self) -> list[tuple[str, Document]]:
        """All keys and documents."""
        rows = self._store.execute(
            "SELECT key, body FROM document WHERE collection = ? ORDER BY position", (self._name,)
        )
        return [(key, json.loads(body)) for key, body in rows]

    def values(self) -> list[Document]:
        """All documents."""
        return [document for _, document in self.items()]
