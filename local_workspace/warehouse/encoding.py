"""Pages of a result on the Thrift wire: Arrow batches, or columns for clients without Arrow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import lz4.frame
import pyarrow as pa
from databricks.sql.thrift_api.TCLIService import ttypes

from local_workspace.sql.model import Execution, ResultColumn
from local_workspace.warehouse.sql_types import thrift_schema, wire_type
from local_workspace.warehouse.text import column_texts, text_column

PAGE_ROWS = 100_000
PAGE_BYTES = 8 * 1024 * 1024
"""Pages of a few megabytes are fetched several times faster than one huge page, whatever the client would accept."""

_SQL_NAME = b"Spark:DataType:SqlName"


@dataclass(frozen=True, slots=True)
class ResultFormat:
    """What one client can read, from its ExecuteStatement: Arrow at all, LZ4, and which types as Arrow's own."""

    arrow: bool = True
    lz4: bool = False
    complex_as_arrow: bool = True
    decimal_as_arrow: bool = True
    timestamp_as_arrow: bool = True

    @classmethod
    def of(cls, request: ttypes.TExecuteStatementReq) -> ResultFormat:
        """Read it from a request; what a client does not say counts as "cannot" for LZ4 and as "can" for types."""
        native = request.useArrowNativeTypes
        return cls(
            arrow=bool(request.canReadArrowResult),
            lz4=bool(request.canReadArrowResult and request.canDecompressLZ4Result),
            complex_as_arrow=native is None or native.complexTypesAsArrow is not False,
            decimal_as_arrow=native is None or native.decimalAsArrow is not False,
            timestamp_as_arrow=native is None or native.timestampAsArrow is not False,
        )

    def as_text(self, kind: pa.DataType) -> bool:
        """Whether this client wants a column of Arrow type ``kind`` as text."""
        if pa.types.is_nested(kind):
            return not self.complex_as_arrow
        if pa.types.is_decimal(kind):
            return not self.decimal_as_arrow
        if pa.types.is_timestamp(kind):
            return not self.timestamp_as_arrow
        return bool(pa.types.is_null(kind))


COLUMNS_ONLY = ResultFormat(arrow=False)
"""The format every client reads; used for metadata calls, whose requests do not say what the client can do."""


def wire_schema(schema: pa.Schema, columns: tuple[ResultColumn, ...], form: ResultFormat) -> pa.Schema:
    """The Arrow schema as sent: text where the client wants text, each field naming its SQL type."""
    fields = []
    for field, column in zip(schema, columns, strict=True):
        kind = pa.string() if form.as_text(field.type) else field.type
        fields.append(pa.field(column.name, kind, True, {_SQL_NAME: column.type_text.encode()}))
    return pa.schema(fields)


def metadata(execution: Execution, form: ResultFormat) -> ttypes.TGetResultSetMetadataResp:
    """The description of a finished statement's result. Arrow results always carry their Arrow schema."""
    answer = ttypes.TGetResultSetMetadataResp(
        status=ttypes.TStatus(ttypes.TStatusCode.SUCCESS_STATUS),
        schema=thrift_schema(execution.columns),
        resultFormat=ttypes.TSparkRowSetType.COLUMN_BASED_SET,
        lz4Compressed=form.lz4,
        isStagingOperation=False,
    )
    if form.arrow:
        answer.resultFormat = ttypes.TSparkRowSetType.ARROW_BASED_SET
        schema = wire_schema(execution.arrow_schema, execution.columns, form)
        answer.arrowSchema = schema.serialize().to_pybytes()
    return answer


def row_set(table: pa.Table, columns: tuple[ResultColumn, ...], form: ResultFormat, offset: int) -> ttypes.TRowSet:
    """One page. ``offset`` is the number of its first row, from 0."""
    if form.arrow:
        return ttypes.TRowSet(startRowOffset=offset, rows=[], arrowBatches=_batches(table, form))
    encoded = [_column(table.column(i), column) for i, column in enumerate(columns)]
    return ttypes.TRowSet(startRowOffset=offset, rows=[], columns=encoded, columnCount=len(encoded))


def _batches(table: pa.Table, form: ResultFormat) -> list[ttypes.TSparkArrowBatch]:
    """IPC record-batch messages without a schema, each its own LZ4 frame when the client can read that."""
    if table.num_rows == 0:
        return []
    parts = [text_column(column) if form.as_text(column.type) else column for column in table.columns]
    sent = pa.Table.from_arrays(parts, names=table.column_names).combine_chunks()
    batches = []
    for batch in sent.to_batches():
        data = batch.serialize().to_pybytes()
        batches.append(ttypes.TSparkArrowBatch(lz4.frame.compress(data) if form.lz4 else data, batch.num_rows))
    return batches


_COLUMNS: dict[int, tuple[str, Callable[..., Any], Any]] = {
    ttypes.TTypeId.BOOLEAN_TYPE: ("boolVal", ttypes.TBoolColumn, False),
    ttypes.TTypeId.TINYINT_TYPE: ("byteVal", ttypes.TByteColumn, 0),
    ttypes.TTypeId.SMALLINT_TYPE: ("i16Val", ttypes.TI16Column, 0),
    ttypes.TTypeId.INT_TYPE: ("i32Val", ttypes.TI32Column, 0),
    ttypes.TTypeId.BIGINT_TYPE: ("i64Val", ttypes.TI64Column, 0),
    ttypes.TTypeId.FLOAT_TYPE: ("doubleVal", ttypes.TDoubleColumn, 0.0),
    ttypes.TTypeId.DOUBLE_TYPE: ("doubleVal", ttypes.TDoubleColumn, 0.0),
    ttypes.TTypeId.BINARY_TYPE: ("binaryVal", ttypes.TBinaryColumn, b""),
}


def _column(column: pa.ChunkedArray, described: ResultColumn) -> ttypes.TColumn:
    """One TColumn; everything without a column kind of its own (DECIMAL, times, nested, intervals) is text."""
    kind = _COLUMNS.get(wire_type(described.type_text).thrift_id)
    name, make, placeholder = kind or ("stringVal", ttypes.TStringColumn, "")
    values: list[Any] = column.to_pylist() if kind else list(column_texts(column))
    nulls = bytearray((len(values) + 7) // 8)
    for index, value in enumerate(values):
        if value is None:
            nulls[index >> 3] |= 1 << (index & 7)
            values[index] = placeholder
    return ttypes.TColumn(**{name: make(values=values, nulls=bytes(nulls))})
