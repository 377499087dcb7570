"""What a statement needs of its session and of the engine: the interface that keeps statements ignorant of both."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import Any, Protocol

from local_workspace.identity.directory import Directory
from local_workspace.identity.model import Caller
from local_workspace.sql.govern import Scope
from local_workspace.sql.plans import Plans
from local_workspace.sql.results import Stop
from local_workspace.unity_catalog.metastore import Metastore
from local_workspace.unity_catalog.model import Table


class Storage(Protocol):
    """The tables of the workspace and what is known about them; ``engine.Engine`` is it."""

    metastore: Metastore
    directory: Directory
    plans: Plans

    def cursor(self, zone: str) -> Any:
        """A new DuckDB cursor whose timestamps are read and written in ``zone``; the caller closes it."""

    def await_tables(self, physical: Iterable[str], stop: Stop) -> None:
        """Wait until those of the tables that are still being made are there.

        Raises:
            SqlError: the statement was cancelled, or a table could not be made.
        """

    def changing(self, physical: str, stop: Stop) -> AbstractContextManager[None]:
        """Hold a table's lock while its rows or columns change.

        Raises:
            SqlError: the statement was cancelled while it waited.
        """

    def new_physical(self) -> str:
        """A physical name that no statement can spell."""

    def discard(self, physical: str) -> None:
        """Drop a physical table."""


class StatementSession(Protocol):
    """A session as the statement that runs in it sees it; ``session.LocalSession`` is one.

    Attributes:
        caller: as whom statements run.
        catalog: where names of one or two parts resolve; USE changes it.
        schema: where names of one part resolve; USE changes it.
        configuration: what SET has set, by lower-case key.
        temporary: the session's temporary views by lower-case name.
    """

    caller: Caller
    catalog: str
    schema: str
    configuration: dict[str, str]
    temporary: dict[str, Table]

    @property
    def engine(self) -> Storage:
        """Where tables are kept."""

    @property
    def zone(self) -> str:
        """The session's time zone."""

    def scope(self) -> Scope:
        """Where names of the next statement resolve, and with whose rights."""
