"""What passes between the SQL engine and the protocols in front of it (Thrift and the Statement Execution API)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

State = Literal["PENDING", "RUNNING", "FINISHED", "ERROR", "CANCELED", "CLOSED"]


class SqlError(Exception):
    """A statement failed as it would on a warehouse.

    ``str()`` is the whole message that a client shows, ``[CLASS] text SQLSTATE: 42P01``; it never names physical
    tables, the caller's row filter or DuckDB.
    """

    def __init__(self, error_class: str, text: str, sqlstate: str) -> None:
        """Build the platform's message from its parts."""
        super().__init__(f"[{error_class}] {text} SQLSTATE: {sqlstate}")
        self.error_class = error_class
        self.text = text
        self.sqlstate = sqlstate


@dataclass(frozen=True, slots=True)
class Parameter:
    """A bound parameter, in the connector's own form.

    ``name`` is None for ``?``. ``type`` is a Databricks type (``INT``, ``DECIMAL(4,2)``, ``VOID`` for NULL, ``ARRAY``,
    ``MAP``); ``value`` is text; ``arguments`` are the elements of an ARRAY, or key, value, key, value … of a MAP.
    """

    name: str | None
    type: str
    value: str | None = None
    arguments: tuple[Parameter, ...] = ()


@dataclass(frozen=True, slots=True)
class ResultColumn:
    """A result column: ``type_text`` is the Databricks type in upper case (``DECIMAL(10,2)``, ``ARRAY<STRING>``)."""

    name: str
    type_text: str


class Execution(Protocol):
    """One statement on its way. Thread-safe. Ids are UUIDv1 bytes, as the platform's."""

    id: bytes
    statement: str

    @property
    def state(self) -> State:
        """Where it is. FINISHED means: columns are known and the first rows can be fetched."""

    @property
    def error(self) -> SqlError | None:
        """Why it failed, when the state is ERROR (or CANCELED: OPERATION_CANCELED, HY008)."""

    @property
    def columns(self) -> tuple[ResultColumn, ...]:
        """The result's columns; empty for statements without a result."""

    @property
    def arrow_schema(self) -> Any:
        """``pyarrow.Schema`` of the batches that ``fetch`` gives, with the platform's types (thrift.md section 5)."""

    @property
    def rows_affected(self) -> int | None:
        """For INSERT, UPDATE, DELETE and MERGE; None for everything else."""

    def wait(self, seconds: float) -> State:
        """Wait until it has left PENDING and RUNNING, at most ``seconds``; the state then."""

    def fetch(self, max_rows: int, max_bytes: int) -> tuple[Any, bool]:
        """The next page as a ``pyarrow.Table`` and whether more follow. A row larger than ``max_bytes`` comes alone.

        Raises:
            SqlError: the statement failed while it streamed.
        """

    def rewind(self) -> None:
        """Go back to the first row (runs the statement again when its rows are no longer held)."""

    def cancel(self) -> None:
        """Stop it. Idempotent; another statement is never hit."""

    def close(self) -> None:
        """Free everything it holds. Idempotent."""


class Session(Protocol):
    """One SQL session: a caller, a current catalog and schema, a time zone and other settings."""

    id: bytes
    catalog: str
    schema: str
    configuration: dict[str, str]

    def execute(
        self, statement: str, parameters: tuple[Parameter, ...] = (), *, row_limit: int | None = None
    ) -> Execution:
        """Start a statement on a worker thread and return at once. Never raises for the statement's own faults."""

    def close(self) -> None:
        """Cancel what runs, roll back an open transaction, free everything."""


@dataclass(frozen=True, slots=True)
class SessionOptions:
    """How a session is opened; the schema is not checked until a statement uses it (thrift.md section 2)."""

    catalog: str | None = None
    schema: str | None = None
    configuration: dict[str, str] = field(default_factory=dict)
