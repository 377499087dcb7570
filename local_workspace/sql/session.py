"""A SQL session: whose it is, where its names resolve, its settings, and the statements that run in it."""

from __future__ import annotations

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from local_workspace.identity.model import Caller
from local_workspace.sql import run
from local_workspace.sql.context import Storage
from local_workspace.sql.execution import StatementExecution
from local_workspace.sql.govern import Scope
from local_workspace.sql.model import Parameter, SessionOptions
from local_workspace.sql.settings import initial_configuration, zone_of
from local_workspace.unity_catalog.model import Table

DEFAULT_CATALOG = "lakefront"
DEFAULT_SCHEMA = "default"


class SessionEngine(Storage, Protocol):
    """The engine as its sessions see it.

    Attributes:
        workers: the threads that plan statements and run them to their first rows.
    """

    workers: ThreadPoolExecutor

    def forget(self, session: LocalSession) -> None:
        """The session was closed."""


class LocalSession:
    """See ``model.Session``. Statements of a session run side by side, each on its own cursor."""

    def __init__(self, engine: SessionEngine, caller: Caller, options: SessionOptions) -> None:
        """Open it; the schema is not checked until a statement uses it."""
        self.id = uuid.uuid1().bytes
        self.engine = engine
        self.caller = caller
        self.catalog = (options.catalog or DEFAULT_CATALOG).lower()
        self.schema = (options.schema or DEFAULT_SCHEMA).lower()
        self.configuration = initial_configuration(options.configuration)
        self.temporary: dict[str, Table] = {}
        self._running: set[StatementExecution] = set()
        self._lock = threading.Lock()
        self._closed = False

    @property
    def zone(self) -> str:
        """The session's time zone."""
        return zone_of(self.configuration)

    def scope(self) -> Scope:
        """Where names of the next statement resolve, and with whose rights."""
        principal = self.caller.principal
        return Scope(caller=principal, rights=principal, catalog=self.catalog, schema=self.schema, zone=self.zone)

    def execute(
        self, statement: str, parameters: tuple[Parameter, ...] = (), *, row_limit: int | None = None
    ) -> StatementExecution:
        """Start a statement and return at once."""
        execution = StatementExecution(
            statement,
            lambda stop: run.run(self, statement, parameters, stop, row_limit=row_limit),
            self._forget,
        )
        with self._lock:
            closed = self._closed
            if not closed:
                self._running.add(execution)
        if closed:
            execution.cancel()
        else:
            execution.start(self.engine.workers)
        return execution

    def _forget(self, execution: StatementExecution) -> None:
        with self._lock:
            self._running.discard(execution)

    def close(self) -> None:
        """Cancel what runs and free everything. Idempotent."""
        with self._lock:
            self._closed = True
            running = list(self._running)
        for execution in running:
            execution.close()
        self.temporary.clear()
        self.engine.forget(self)
