"""Statements of the Statement Execution API: run to the end, kept in chunks on disk, readable for an hour."""

from __future__ import annotations

import csv
import io
import json
import tempfile
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, Any, Literal

import lz4.frame
import pyarrow as pa

from local_workspace.identity.model import Caller
from local_workspace.sql.model import ResultColumn, SqlError, State
from local_workspace.warehouse.operations import Operation
from local_workspace.warehouse.sql_types import rest_columns
from local_workspace.warehouse.text import rows_of_texts

KEEP_SECONDS = 3600
"""Results are available for one hour after success, as the API reference says."""

INLINE_BYTES = 25 * 1024 * 1024
"""A result larger than this cannot be delivered INLINE."""

_FOREVER = 10 * 365 * 86400.0
_CHUNK_ROWS = 100_000
_CHUNK_BYTES = 8 * 1024 * 1024

Format = Literal["JSON_ARRAY", "ARROW_STREAM", "CSV"]

_STATES: dict[State, str] = {
    "PENDING": "PENDING",
    "RUNNING": "RUNNING",
    "FINISHED": "RUNNING",  # the engine is done, its rows are still being written down
    "ERROR": "FAILED",
    "CANCELED": "CANCELED",
    "CLOSED": "CLOSED",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """How the client wants its result. Limits are in rows and bytes; None is no limit."""

    disposition: str
    format: Format
    lz4: bool
    row_limit: int | None
    byte_limit: int | None


@dataclass(frozen=True, slots=True)
class Chunk:
    """A part of the result: ``row_count`` rows from ``row_offset``, ``size`` bytes at ``start`` of the spool file."""

    index: int
    row_offset: int
    row_count: int
    start: int
    size: int


class Statement:
    """One statement of one caller. A thread of its own writes the result down. Thread-safe."""

    def __init__(self, operation: Operation, owner: Caller, wanted: Wanted, release: Callable[[], None]) -> None:
        """``release`` frees what the statement ran in (its own session) and is called once."""
        self.id = str(uuid.UUID(bytes=operation.id))
        self.owner_id = owner.principal.id
        self.wanted = wanted
        self.columns: tuple[ResultColumn, ...] = ()
        self.chunks: list[Chunk] = []
        self.truncated = False
        self.ended_at: float | None = None
        self._operation = operation
        self._release = release
        self._error: SqlError | None = None
        self._state: str | None = None
        self._done = threading.Event()
        self._lock = threading.Lock()
        self._spool: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the statement
        threading.Thread(target=self._run, name="statement", daemon=True).start()

    @property
    def state(self) -> str:
        """The API's state: PENDING, RUNNING, SUCCEEDED, FAILED, CANCELED or CLOSED."""
        return self._state or _STATES[self._operation.state]

    @property
    def error(self) -> SqlError | None:
        """Why it failed."""
        return self._error

    @property
    def row_count(self) -> int:
        """Rows of the whole result."""
        return sum(chunk.row_count for chunk in self.chunks)

    def wait(self, seconds: float) -> str:
        """Wait for its end, at most ``seconds``; the state then."""
        self._done.wait(seconds)
        return self.state

    def cancel(self) -> None:
        """Stop it when it has not ended yet."""
        if not self._done.is_set():
            self._operation.cancel()

    def close(self) -> None:
        """Stop it and free the result; its state is CLOSED from now on."""
        self.cancel()
        self._done.wait(10)
        with self._lock:
            self._state = "CLOSED"
            self._spool.close()

    def read(self, index: int) -> bytes | None:
        """A chunk's bytes as delivered; None when there is no such chunk or the result is gone."""
        with self._lock:
            if self._spool.closed or not 0 <= index < len(self.chunks):
                return None
            chunk = self.chunks[index]
            self._spool.seek(chunk.start)
            return self._spool.read(chunk.size)

    def _run(self) -> None:
        try:
            state = self._operation.wait(_FOREVER)
            if state == "FINISHED":
                self._write_down()
                self._finish("SUCCEEDED", None)
            else:
                self._finish(_STATES[state], self._operation.error)
        except SqlError as error:
            self._finish("CANCELED" if self._operation.state == "CANCELED" else "FAILED", error)
        finally:
            if self._state is None:
                self._finish("FAILED", SqlError("INTERNAL_ERROR", "The result could not be written.", "XX000"))
            self._operation.close()
            self._release()

    def _finish(self, state: str, error: SqlError | None) -> None:
        self._error = error if state == "FAILED" else None
        self._state = state
        self.ended_at = time.monotonic()
        self._done.set()

    def _write_down(self) -> None:
        """Read every page, up to the limits, and write it as a chunk; an INLINE result is one chunk.

        Raises:
            SqlError: the statement failed while it streamed, or its result is too large for INLINE.
        """
        self.columns = self._operation.columns
        inline = self.wanted.disposition == "INLINE"
        pages: list[pa.Table] = []
        offset = size = 0
        more = True
        while more and not self.truncated:
            table, _, more = self._operation.fetch(_CHUNK_ROWS, _CHUNK_BYTES)
            table = self._limited(table, offset, size)
            size += table.nbytes
            if inline and size > INLINE_BYTES:
                text = f"A result delivered INLINE can have at most {INLINE_BYTES} bytes; use EXTERNAL_LINKS."
                raise SqlError("INLINE_BYTE_LIMIT_EXCEEDED", text, "54000")
            if inline:
                pages.append(table)
            else:
                self._append(table, offset)
            offset += table.num_rows
        if pages:
            self._append(pa.concat_tables(pages), 0)

    def _limited(self, table: pa.Table, rows_before: int, bytes_before: int) -> pa.Table:
        """The page cut to the limits; notes when something was cut off."""
        rows = table.num_rows
        if self.wanted.row_limit is not None:
            rows = min(rows, self.wanted.row_limit - rows_before)
        if self.wanted.byte_limit is not None and table.nbytes > self.wanted.byte_limit - bytes_before:
            share = max(0, self.wanted.byte_limit - bytes_before) / table.nbytes
            rows = min(rows, int(table.num_rows * share))
        if rows < table.num_rows:
            self.truncated = True
            return table.slice(0, rows)
        return table

    def _append(self, table: pa.Table, offset: int) -> None:
        if table.num_rows == 0:
            return
        data = self._encoded(table, first=not self.chunks)
        with self._lock:
            start = self._spool.seek(0, io.SEEK_END)
            self._spool.write(data)
            self.chunks.append(Chunk(len(self.chunks), offset, table.num_rows, start, len(data)))

    def _encoded(self, table: pa.Table, *, first: bool) -> bytes:
        """A chunk as delivered; LZ4 compresses the whole of it in the frame format."""
        if self.wanted.format == "ARROW_STREAM":
            sink = pa.BufferOutputStream()
            with pa.ipc.new_stream(sink, table.schema) as writer:
                writer.write_table(table)
            data: bytes = sink.getvalue().to_pybytes()
        elif self.wanted.format == "CSV":
            data = self._csv(table, header=first)
        else:
            data = json.dumps(list(rows_of_texts(table)), ensure_ascii=False, separators=(",", ":")).encode()
        return lz4.frame.compress(data) if self.wanted.lz4 else data

    def _csv(self, table: pa.Table, *, header: bool) -> bytes:
        """RFC 4180; NULL is the text ``null``; only the first chunk names the columns."""
        text = io.StringIO()
        writer = csv.writer(text)
        if header:
            writer.writerow([column.name for column in self.columns])
        writer.writerows(["null" if value is None else value for value in row] for row in rows_of_texts(table))
        return text.getvalue().encode()

    def manifest(self) -> dict[str, Any]:
        """The result's manifest."""
        manifest: dict[str, Any] = {
            "format": self.wanted.format,
            "schema": {"column_count": len(self.columns), "columns": rest_columns(self.columns)},
            "total_chunk_count": len(self.chunks),
            "total_row_count": self.row_count,
            "truncated": self.truncated,
            "chunks": [self._describe(chunk) for chunk in self.chunks],
        }
        if self.wanted.disposition != "INLINE":
            manifest["total_byte_count"] = sum(chunk.size for chunk in self.chunks)
            manifest["result_compression"] = "LZ4_FRAME" if self.wanted.lz4 else "NONE"
        return manifest

    def _describe(self, chunk: Chunk) -> dict[str, Any]:
        entry = {"chunk_index": chunk.index, "row_offset": chunk.row_offset, "row_count": chunk.row_count}
        return entry if self.wanted.disposition == "INLINE" else entry | {"byte_count": chunk.size}


class Statements:
    """The statements that can still be asked about. Thread-safe."""

    def __init__(self) -> None:
        """None yet."""
        self._lock = threading.Lock()
        self._kept: dict[str, Statement] = {}

    def add(self, statement: Statement) -> None:
        """Keep a statement."""
        with self._lock:
            self._kept[statement.id] = statement

    def expire(self) -> None:
        """Forget the statements whose hour is over."""
        limit = time.monotonic() - KEEP_SECONDS
        with self._lock:
            old = [key for key, one in self._kept.items() if one.ended_at is not None and one.ended_at < limit]
            gone = [self._kept.pop(key) for key in old]
        for one in gone:
            one.close()

    def close_all(self) -> None:
        """Stop and forget every statement."""
        with self._lock:
            gone, self._kept = list(self._kept.values()), {}
        for one in gone:
            one.close()

    def find(self, statement_id: str, caller: Caller) -> Statement | None:
        """The caller's statement; another caller's does not exist for it."""
        with self._lock:
            statement = self._kept.get(statement_id)
        return statement if statement is not None and statement.owner_id == caller.principal.id else None

    def by_id(self, statement_id: str) -> Statement | None:
        """Any caller's statement, for links that were signed."""
        with self._lock:
            return self._kept.get(statement_id)
