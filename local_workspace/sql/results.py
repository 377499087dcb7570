"""What running a statement gives: columns, a stream of Arrow batches, and a way to stop it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb
import pyarrow as pa

from local_workspace.sql import errors, types
from local_workspace.sql.model import ResultColumn

BATCH_ROWS = 32_768
_PATIENCE = 2.0


class Stop:
    """Stops what a worker runs. ``guard`` names the cursor that is busy; ``request`` interrupts exactly that one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cursor: Any = None
        self._idle = threading.Event()
        self._idle.set()
        self.requested = False

    def check(self) -> None:
        """Raise when a stop was requested.

        Raises:
            SqlError: OPERATION_CANCELED.
        """
        if self.requested:
            raise errors.canceled()

    def guard(self, cursor: Any) -> None:
        """From now on ``request`` interrupts ``cursor``."""
        with self._lock:
            self.check()
            self._cursor = cursor
            self._idle.clear()

    def release(self) -> None:
        """The cursor is idle; nothing is interrupted any more."""
        with self._lock:
            self._cursor = None
            self._idle.set()

    def request(self, *, wait: bool) -> None:
        """Stop it. With ``wait``, interrupt again until the worker has let go: the first can come before its start."""
        self.requested = True
        for _ in range(int(_PATIENCE / 0.02)):
            with self._lock:
                if self._cursor is None:
                    return
                self._cursor.interrupt()
            if not wait or self._idle.wait(0.02):
                return


@dataclass(slots=True)
class Result:
    """A statement's result while it is read.

    Attributes:
        columns: the result's columns.
        schema: the Arrow schema of the batches.
        batches: the rows.
        rows_affected: for DML.
        close: frees the cursor behind it.
    """

    columns: tuple[ResultColumn, ...] = ()
    schema: pa.Schema = field(default_factory=lambda: pa.schema([]))
    batches: Iterator[pa.RecordBatch] = field(default_factory=lambda: iter(()))
    rows_affected: int | None = None
    close: Callable[[], None] = lambda: None


def nothing() -> Result:
    """The result of a statement that gives none."""
    return Result()


def table(columns: Iterable[tuple[str, str]], rows: Iterable[Iterable[object]], zone: str = "Etc/UTC") -> Result:
    """A result from Python values; ``columns`` are (name, Databricks type in upper case)."""
    described = tuple(ResultColumn(name, text) for name, text in columns)
    schema = pa.schema([types.field(c.name, c.type_text, types.arrow_type(c.type_text, zone)) for c in described])
    values = [list(row) for row in rows]
    arrays = [pa.array([row[place] for row in values], schema.field(place).type) for place in range(len(described))]
    return Result(described, schema, iter([pa.RecordBatch.from_arrays(arrays, schema=schema)]))


def changed(rows: int, *, inserted: bool = False) -> Result:
    """The one-row result of DML."""
    names = ["num_affected_rows", *(["num_inserted_rows"] if inserted else [])]
    made = table([(name, "BIGINT") for name in names], [[rows] * len(names)])
    made.rows_affected = rows
    return made


def described(relation: Any, kinds: Sequence[str | None] = ()) -> tuple[ResultColumn, ...]:
    """The columns of a bound query; ``kinds`` tells the two types of intervals apart, which are one in DuckDB.

    Raises:
        SqlError: UNSUPPORTED_FEATURE for an interval of an unknown type.
    """
    made = []
    for place, (name, duck) in enumerate(zip(relation.columns, relation.types, strict=True)):
        text = types.from_duck(duck)
        if "INTERVAL" in text:
            inferred = kinds[place] if len(kinds) == len(relation.columns) else None
            if text != types.DAYS or inferred not in (types.DAYS, types.YEARS):
                raise errors.unsupported("An interval whose type is not certain")
            text = inferred
        made.append(ResultColumn(name, text))
    return tuple(made)


def stream(
    cursor: Any,
    sql: str,
    values: dict[str, Any],
    *,
    zone: str,
    stop: Stop,
    known: Iterable[str] = (),
    limit: int | None = None,
    kinds: Sequence[str | None] = (),
) -> Result:
    """Run a query on ``cursor`` and stream it; the first batch is not read yet.

    The cursor belongs to the result and is closed with it.

    Raises:
        SqlError: the statement does not bind, or failed before its first row.
    """
    try:
        stop.guard(cursor)
        relation = cursor.sql(sql, params=values) if values else cursor.sql(sql)
        if limit is not None:
            relation = relation.limit(limit)
        columns = described(relation, kinds)
        wire = [types.arrow_from_duck(kind, zone) for kind in relation.types]
        schema = pa.schema([types.field(c.name, c.type_text, kind) for c, kind in zip(columns, wire, strict=True)])
        stop.check()
        reader = relation.to_arrow_reader(BATCH_ROWS)
    except (duckdb.Error, OSError, pa.ArrowException) as fault:
        stop.release()
        cursor.close()
        raise errors.from_duckdb(fault, known) from fault
    except BaseException:
        stop.release()
        cursor.close()
        raise
    closed = threading.Event()

    def close() -> None:
        if not closed.is_set():
            closed.set()
            stop.release()
            cursor.close()

    return Result(columns, schema, _batches(reader, schema, stop, close, tuple(known)), close=close)


def _batches(
    reader: Any, schema: pa.Schema, stop: Stop, close: Callable[[], None], known: tuple[str, ...]
) -> Iterator[pa.RecordBatch]:
    try:
        while True:
            stop.check()
            batch = reader.read_next_batch()
            yield types.cast_batch(batch, schema)
    except StopIteration:
        return
    except (duckdb.Error, OSError, pa.ArrowException) as fault:
        raise errors.from_duckdb(fault, known) from fault
    finally:
        close()
