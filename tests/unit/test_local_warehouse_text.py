"""Values as text, types as clients read them, and columns for clients without Arrow."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import lz4.frame
import pyarrow as pa
import pytest
from databricks.sql.thrift_api.TCLIService import ttypes
from hypothesis import given
from hypothesis import strategies as st

from local_workspace.sql.model import ResultColumn
from local_workspace.warehouse import text
from local_workspace.warehouse.encoding import COLUMNS_ONLY, ResultFormat, row_set, wire_schema
from local_workspace.warehouse.sql_types import display_type, thrift_schema, wire_type


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1.0, "1.0"),
        (0.1, "0.1"),
        (-0.0, "-0.0"),
        (1e16, "1.0E16"),
        (1e-5, "1.0E-5"),
        (1e7, "1.0E7"),
        (9999999.0, "9999999.0"),
        (0.001, "0.001"),
        (123456789.125, "1.23456789125E8"),
        (float("nan"), "NaN"),
        (float("-inf"), "-Infinity"),
    ],
)
def test_doubles_are_written_as_spark_writes_them(value: float, expected: str) -> None:
    assert text.double_text(value) == expected


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_double_text_reads_back_exactly(value: float) -> None:
    assert float(text.double_text(value)) == value


def test_float_shows_its_own_digits() -> None:
    assert text.scalar_text(pa.scalar(0.1, pa.float32()).as_py(), pa.float32()) == "0.1"


def test_timestamps() -> None:
    assert text.timestamp_text(datetime(2024, 3, 1, 5, 0, 0, 120000, UTC)) == "2024-03-01 05:00:00.12"
    assert text.iso_timestamp_text(datetime(2016, 2, 14, 16, 52, 13, tzinfo=UTC)) == "2016-02-14T16:52:13.000Z"
    assert text.iso_timestamp_text(datetime(2016, 2, 14, 16, 52, 13, 1, UTC)) == "2016-02-14T16:52:13.000001Z"
    assert text.iso_timestamp_text(datetime(2016, 2, 14, 16, 52, 13)) == "2016-02-14T16:52:13.000"  # noqa: DTZ001


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        (pa.list_(pa.int32()), [1, 2, None], "[1,2,null]"),
        (pa.struct([("a", pa.int32()), ("b", pa.string())]), {"a": 1, "b": None}, '{"a":1,"b":null}'),
        (pa.map_(pa.int32(), pa.float64()), [(1, 0.5)], '{"1":0.5}'),
        (pa.list_(pa.decimal128(4, 2)), [Decimal("1.50")], "[1.50]"),
        (pa.list_(pa.date32()), [date(2024, 1, 2)], '["2024-01-02"]'),
        (pa.list_(pa.string()), ['a"b', "é"], '["a\\"b","é"]'),
        (pa.list_(pa.float64()), [float("nan")], '["NaN"]'),
        (pa.list_(pa.bool_()), [True], "[true]"),
    ],
)
def test_nested_values_are_compact_json(kind: pa.DataType, value: Any, expected: str) -> None:
    assert text.column_texts(pa.chunked_array([pa.array([value], kind)])) == [expected]


def test_types_are_described() -> None:
    schema = thrift_schema((ResultColumn("d", "DECIMAL(38,18)"), ResultColumn("a", "ARRAY<INT>")))
    entries = [column.typeDesc.types[0].primitiveEntry for column in schema.columns]
    assert [column.position for column in schema.columns] == [1, 2]
    assert entries[0].typeQualifiers.qualifiers["scale"].i32Value == 18
    assert entries[1].type == ttypes.TTypeId.ARRAY_TYPE
    assert wire_type("interval year to month").thrift_id == ttypes.TTypeId.INTERVAL_YEAR_MONTH_TYPE
    assert wire_type("INTERVAL DAY TO SECOND").thrift_id == ttypes.TTypeId.INTERVAL_DAY_TIME_TYPE
    assert wire_type("VOID").thrift_id == ttypes.TTypeId.STRING_TYPE


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        ("int", "INT"),
        ("decimal(10,2)", "DECIMAL(10,2)"),
        ("array<string>", "ARRAY<STRING>"),
        ("map<string,int>", "MAP<STRING, INT>"),
        ("struct<name:string,Age:int>", "STRUCT<name: STRING, Age: INT>"),
    ],
)
def test_types_are_shown_as_metadata_calls_show_them(stored: str, shown: str) -> None:
    assert display_type(stored) == shown


@given(st.lists(st.one_of(st.none(), st.integers(-(2**31), 2**31 - 1)), max_size=40))
def test_column_form_marks_nulls_bit_by_bit(values: list[int | None]) -> None:
    table = pa.table({"v": pa.array(values, pa.int32())})
    column = row_set(table, (ResultColumn("v", "INT"),), COLUMNS_ONLY, 0).columns[0].i32Val
    nulls = [bool(column.nulls[i // 8] >> (i % 8) & 1) for i in range(len(values))]
    assert nulls == [value is None for value in values]
    assert [None if null else value for null, value in zip(nulls, column.values, strict=True)] == values


@pytest.mark.parametrize("lz4_allowed", [True, False])
def test_arrow_batches_read_as_one_stream(lz4_allowed: bool) -> None:
    form = ResultFormat(lz4=lz4_allowed, complex_as_arrow=False)
    columns = (ResultColumn("n", "BIGINT"), ResultColumn("a", "ARRAY<INT>"), ResultColumn("x", "VOID"))
    table = pa.table({"n": [1, 2], "a": pa.array([[1], None], pa.list_(pa.int32())), "x": pa.nulls(2)})
    sent = row_set(table, columns, form, 5)
    parts = [lz4.frame.decompress(one.batch) if lz4_allowed else one.batch for one in sent.arrowBatches]
    schema = wire_schema(table.schema, columns, form)
    read = pa.ipc.open_stream(b"".join([schema.serialize().to_pybytes(), *parts])).read_all()
    assert read.to_pydict() == {"n": [1, 2], "a": ["[1]", None], "x": [None, None]}
    assert (sent.startRowOffset, sum(one.rowCount for one in sent.arrowBatches)) == (5, 2)
    assert read.schema.field("n").metadata == {b"Spark:DataType:SqlName": b"BIGINT"}
