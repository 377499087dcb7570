"""Results that exist before anyone asks: failures known in advance, and tables held in memory."""

from __future__ import annotations

import uuid
from typing import Any

import pyarrow as pa

from local_workspace.sql.model import ResultColumn, SqlError, State


class Ready:
    """An execution whose outcome is known from the start: a table, or an error. Follows the Execution protocol."""

    def __init__(
        self,
        statement: str,
        *,
        table: pa.Table | None = None,
        columns: tuple[ResultColumn, ...] = (),
        error: SqlError | None = None,
    ) -> None:
        """Hold ``table`` (with ``columns`` describing it), or fail with ``error``."""
        self.id = uuid.uuid1().bytes
        self.statement = statement
        self.columns = columns
        self.error = error
        self.rows_affected: int | None = None
        self._table = table if table is not None else pa.table({})
        self._next = 0
        self._closed = False

    @property
    def state(self) -> State:
        """ERROR, FINISHED, or CLOSED after ``close``."""
        if self._closed:
            return "CLOSED"
        return "ERROR" if self.error else "FINISHED"

    @property
    def arrow_schema(self) -> Any:
        """The table's schema."""
        return self._table.schema

    def wait(self, seconds: float) -> State:  # noqa: ARG002 - it is over already
        """The state; there is nothing to wait for."""
        return self.state

    def fetch(self, max_rows: int, max_bytes: int) -> tuple[Any, bool]:  # noqa: ARG002 - such tables are small
        """The next ``max_rows`` rows and whether more follow.

        Raises:
            SqlError: the one it was made with.
        """
        if self.error:
            raise self.error
        page = self._table.slice(self._next, max_rows)
        self._next += page.num_rows
        return page, self._next < self._table.num_rows

    def rewind(self) -> None:
        """Go back to the first row."""
        self._next = 0

    def cancel(self) -> None:
        """Nothing runs."""

    def close(self) -> None:
        """Free the table."""
        self._closed = True
        self._table = self._table.slice(0, 0)
