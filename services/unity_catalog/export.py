"""The whole filtered and sorted result as a download: read in Arrow batches, written as they come, in flat memory.

An export reads at most ``row_cap`` rows; how many rows there are is counted first, so that a cut is told before the
first byte. It can be cancelled, and a download that is broken off stops the statement on the warehouse.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager
from typing import Any, Literal, Protocol

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from services.errors import Cancelled, LakefrontError
from services.unity_catalog import values
from services.unity_catalog.models import ExportProgress, TableRef
from services.unity_catalog.running import Running

BATCH_ROWS = 20_000
Format = Literal["csv", "parquet"]
_MEDIA_TYPES = {"csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet"}
_State = Literal["running", "done", "cancelled", "failed"]


class _Sink:
    """A file that hands out what was written to it and forgets it; it tells how much that was in all."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._written = 0
        self.closed = False

    def write(self, data: Any) -> int:
        """Take bytes or a buffer."""
        part = bytes(data)
        self._parts.append(part)
        self._written += len(part)
        return len(part)

    def tell(self) -> int:
        """How many bytes were written."""
        return self._written

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """Nothing to close."""

    def take(self) -> bytes:
        """What was written since the last call."""
        data = b"".join(self._parts)
        self._parts.clear()
        return data


class _Writer(Protocol):
    def write_table(self, table: pa.Table) -> None: ...

    def close(self) -> None: ...


class Export:
    """One export. Iterate it once, for bytes; ``progress`` may be read from any thread."""

    def __init__(
        self,
        ref: TableRef,
        file_format: Format,
        opened: AbstractContextManager[Running],
        *,
        key: str,
        total_rows: int,
        row_cap: int,
    ) -> None:
        """Execute the statement and read the first batch, so that errors come before the first byte.

        Args:
            ref: the table; it names the file.
            file_format: csv or parquet.
            opened: the statement's cursor, as ``Runner.opened`` lends it.
            key: under which the statement can be cancelled.
            total_rows: how many rows the filter leaves.
            row_cap: most rows that are written.

        Raises:
            LakefrontError: the statement failed.
        """
        self.file_format: Format = file_format
        self.filename = f"{re.sub(r'[^A-Za-z0-9_-]', '_', ref.table)}.{file_format}"
        self.media_type = _MEDIA_TYPES[file_format]
        self.row_cap = row_cap
        self.total_rows = min(total_rows, row_cap)
        self.truncated = total_rows > row_cap
        self._key = key
        self._rows = 0
        self._bytes = 0
        self._started = time.monotonic()
        self._ended: float | None = None
        self._state: _State = "running"
        self._error: str | None = None
        self._chunks = self._run(opened)
        self._first: bytes | None = next(self._chunks, b"")

    def __iter__(self) -> Iterator[bytes]:
        """The file's bytes, as they are made."""
        if self._first:
            first, self._first = self._first, None
            yield first
        yield from self._chunks

    def close(self) -> None:
        """Stop it: nobody reads on. What was made and not read is dropped; only the progress is kept."""
        self._chunks.close()
        self._first = None

    @property
    def progress(self) -> ExportProgress:
        """How far it is."""
        return ExportProgress(
            key=self._key,
            file_format=self.file_format,
            filename=self.filename,
            rows=self._rows,
            bytes=self._bytes,
            total_rows=self.total_rows,
            row_cap=self.row_cap,
            truncated=self.truncated,
            elapsed_ms=round(((self._ended or time.monotonic()) - self._started) * 1000),
            state=self._state,
            error=self._error,
        )

    def _run(self, opened: AbstractContextManager[Running]) -> Generator[bytes, None, None]:
        try:
            with opened as running:
                yield from self._write(running)
            self._state = "done"
        except GeneratorExit:
            self._state = "cancelled"
            raise
        except LakefrontError as error:
            self._state = "cancelled" if isinstance(error, Cancelled) else "failed"
            self._error = error.message
            raise
        finally:
            if self._state == "running":
                self._state = "failed"
            self._ended = time.monotonic()

    def _write(self, running: Running) -> Iterator[bytes]:
        sink = _Sink()
        writer: _Writer | None = None
        while True:
            if running.cancelled.is_set():
                raise Cancelled("The export was cancelled.")
            batch = running.cursor.fetchmany_arrow(BATCH_ROWS)
            if writer is None:
                writer = _writer(self.file_format, sink, batch.schema)
            if batch.num_rows == 0:
                break
            writer.write_table(batch)
            self._rows += batch.num_rows
            data = sink.take()
            self._bytes += len(data)
            if data:
                yield data
        writer.close()
        data = sink.take()
        self._bytes += len(data)
        yield data


def _writer(file_format: Format, sink: _Sink, schema: pa.Schema) -> _Writer:
    """A writer of the format into the sink."""
    if file_format == "parquet":
        return pq.ParquetWriter(pa.PythonFile(sink, mode="w"), schema, compression="zstd")  # type: ignore[no-any-return]
    return _CsvWriter(sink, schema)


class _CsvWriter:
    """CSV (RFC 4180), UTF-8, one header line. Null is an empty field, empty text is ``""``.

    Times are ISO 8601; binary base64; nested values JSON; NaN and infinities the words of the JSON answers. These
    become text first: Arrow writes zoned times eight times slower than text, and nested values not at all.
    """

    def __init__(self, sink: _Sink, schema: pa.Schema) -> None:
        self._sink = sink
        self._writers: dict[tuple[pa.DataType, ...], pa_csv.CSVWriter] = {}
        self.write_table(schema.empty_table())  # the header

    def write_table(self, table: pa.Table) -> None:
        """Write one batch. A writer is bound to the columns' types, and a batch with a NaN in it has a text there."""
        columns = [one if _plain(one) else _as_text(one) for one in table.columns]
        batch = pa.table(columns, names=table.column_names)
        types = tuple(batch.schema.types)
        if types not in self._writers:
            options = pa_csv.WriteOptions(include_header=not self._writers, quoting_style="needed")
            file = pa.PythonFile(self._sink, mode="w")
            self._writers[types] = pa_csv.CSVWriter(file, batch.schema, write_options=options)
        self._writers[types].write_table(batch)

    def close(self) -> None:
        """Write what is left."""
        for writer in self._writers.values():
            writer.close()


def _plain(column: pa.ChunkedArray) -> bool:
    """Whether Arrow writes the column as CSV by itself, as we want it."""
    if pa.types.is_floating(column.type):
        return bool(pc.all(pc.is_finite(column), min_count=0).as_py())
    tests = (pa.types.is_string, pa.types.is_integer, pa.types.is_boolean, pa.types.is_date)
    return any(test(column.type) for test in tests)


def _as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column as the text that CSV holds."""
    kind = column.type
    if pa.types.is_timestamp(kind):
        plain = pc.cast(pc.cast(column, pa.timestamp("us")), pa.string())
        text = pc.replace_substring(plain, " ", "T", max_replacements=1)
        return pc.binary_join_element_wise(text, "Z", "") if kind.tz else text
    if pa.types.is_floating(kind):
        word = pc.if_else(pc.is_nan(column), "NaN", pc.if_else(pc.greater(column, 0), "Infinity", "-Infinity"))
        return pc.if_else(pc.is_finite(column), pc.cast(column, pa.string()), word)
    safe = values.column(column)
    if pa.types.is_nested(kind):
        safe = [None if value is None else json.dumps(value, ensure_ascii=False) for value in safe]
    texts = [None if value is None else value if isinstance(value, str) else str(value) for value in safe]
    return pa.chunked_array([pa.array(texts, pa.string())])
