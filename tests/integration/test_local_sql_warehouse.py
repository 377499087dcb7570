"""The SQL warehouse through the official clients only: databricks-sql-connector and databricks-sdk.

Every test runs twice: on a plain DuckDB behind the protocol, and on the governed engine.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import urllib3
from databricks.sdk.errors import BadRequest, DatabricksError, NotFound, PermissionDenied
from databricks.sdk.service.sql import (
    Disposition,
    ExecuteStatementRequestOnWaitTimeout,
    Format,
    State,
    StatementParameterListItem,
    StatementState,
)
from databricks.sql import exc
from databricks.sql.backend.types import CommandState

from tests.support.sql_server import SqlServer, sql_server

SLOW = "SELECT sum(a.id * b.id + c.id) FROM range(100000) a CROSS JOIN range(100000) b CROSS JOIN range(1000) c"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlServer]:
    with sql_server(tmp_path_factory.mktemp("warehouse")) as started:
        yield started


@pytest.fixture(autouse=True)
def no_faults(server: SqlServer) -> Iterator[None]:
    yield
    server.faults.clear()


@pytest.fixture
def connection(server: SqlServer) -> Iterator[Any]:
    with server.connect() as open_connection:
        yield open_connection


@pytest.fixture
def cursor(connection: Any) -> Iterator[Any]:
    with connection.cursor() as open_cursor:
        yield open_cursor


def running(server: SqlServer) -> None:
    """Wait until the warehouse runs, so that a test's timing is its own."""
    server.warehouses.lifecycle(server.warehouse_id).start()
    deadline = time.monotonic() + 10
    while server.warehouses.lifecycle(server.warehouse_id).state != "RUNNING":
        assert time.monotonic() < deadline
        time.sleep(0.02)


def wait_for_query(cursor: Any) -> None:
    """Poll an asynchronous statement until it has ended."""
    deadline = time.monotonic() + 10
    while cursor.is_query_pending():
        assert time.monotonic() < deadline
        time.sleep(0.02)


TYPES = [
    ("true", True, "boolean", pa.bool_()),
    ("CAST(-128 AS TINYINT)", -128, "tinyint", pa.int8()),
    ("CAST(32767 AS SMALLINT)", 32767, "smallint", pa.int16()),
    ("CAST(-2147483648 AS INT)", -2147483648, "int", pa.int32()),
    ("CAST(9223372036854775807 AS BIGINT)", 9223372036854775807, "bigint", pa.int64()),
    ("CAST(1.5 AS FLOAT)", 1.5, "float", pa.float32()),
    ("CAST(2.25 AS DOUBLE)", 2.25, "double", pa.float64()),
    ("CAST(1.50 AS DECIMAL(10,2))", Decimal("1.50"), "decimal", pa.decimal128(10, 2)),
    (
        "CAST('12345678901234567890.123456789012345678' AS DECIMAL(38,18))",
        Decimal("12345678901234567890.123456789012345678"),
        "decimal",
        pa.decimal128(38, 18),
    ),
    ("'日本 🎉'", "日本 🎉", "string", pa.string()),
    ("''", "", "string", pa.string()),
    ("CAST('abc' AS BINARY)", b"abc", "binary", pa.binary()),
    ("DATE'2024-02-29'", date(2024, 2, 29), "date", pa.date32()),
    (
        "TIMESTAMP'2024-03-10 01:59:59.123456'",
        datetime(2024, 3, 10, 1, 59, 59, 123456, UTC),
        "timestamp",
        pa.timestamp("us", "Etc/UTC"),
    ),
    (
        "CAST('2024-03-10 01:59:59' AS TIMESTAMP_NTZ)",
        datetime(2024, 3, 10, 1, 59, 59),  # noqa: DTZ001 - the type has no zone
        "timestamp",
        pa.timestamp("us"),
    ),
    ("array(1, 2)", [1, 2], "array", None),
    ("map('a', 1)", [("a", 1)], "map", None),
    ("named_struct('a', 1, 'b', 'x')", {"a": 1, "b": "x"}, "struct", None),
    ("NULL", None, "string", None),
]


@pytest.mark.parametrize(("expression", "value", "code", "arrow"), TYPES)
def test_types_arrive_as_the_connector_documents(
    cursor: Any, server: SqlServer, expression: str, value: Any, code: str, arrow: pa.DataType | None
) -> None:
    cursor.execute(f"SELECT {expression} AS v")
    described = cursor.description[0]
    got = cursor.fetchone()[0]
    assert described[:2] == ("v", code)
    assert (got.tolist() if isinstance(got, np.ndarray) else got) == value
    if arrow is not None and pa.types.is_decimal(arrow):
        assert described[4:6] == (arrow.precision, arrow.scale)
    cursor.execute(f"SELECT {expression} AS v")
    kind = cursor.fetchall_arrow().schema.field("v").type
    assert arrow is None or kind == arrow or (pa.types.is_timestamp(arrow) and str(kind) == str(arrow))


SENT_AS_TEXT = ("CAST('abc'", "array", "map", "named_struct")
"""What the column-based form has no column type for; ``test_types_as_text_on_request`` reads these."""


@pytest.mark.parametrize(
    ("expression", "value", "code", "arrow"), [one for one in TYPES if not one[0].startswith(SENT_AS_TEXT)]
)
def test_types_without_arrow(
    server: SqlServer, expression: str, value: Any, code: str, arrow: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("databricks.sql.backend.thrift_backend.pyarrow", None)
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT {expression} AS v")
        assert cursor.description[0][1] == code
        got = cursor.fetchall()[0][0]
    if isinstance(value, datetime):
        value = value.replace(tzinfo=None)
    assert got == value


def test_nulls_and_column_form(server: SqlServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("databricks.sql.backend.thrift_backend.pyarrow", None)
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT CASE WHEN id % 3 = 0 THEN NULL ELSE id END AS v FROM range(20) ORDER BY id")
        assert [row[0] for row in cursor.fetchall()] == [None if i % 3 == 0 else i for i in range(20)]
        cursor.execute("SELECT id FROM range(3) WHERE id > 5")
        assert cursor.fetchall() == []


def test_types_as_text_on_request(server: SqlServer) -> None:
    with server.connect(_use_arrow_native_complex_types=False) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT array(1, NULL, 3) AS a, map('k', 1) AS m, named_struct('field1', 'a') AS s")
        assert list(cursor.fetchone()) == ["[1,null,3]", '{"k":1}', '{"field1":"a"}']
        assert [one[1] for one in cursor.description] == ["array", "map", "struct"]
    with server.connect(_use_arrow_native_decimals=False) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT CAST(1.50 AS DECIMAL(10,2)) AS d")
        assert cursor.fetchone()[0] == Decimal("1.50")


def test_names_and_empty_results(cursor: Any) -> None:
    cursor.execute("SELECT 1 AS `a b`, 2 AS `a.b`, 3 AS `数据`, 4 AS x, 5 AS x WHERE 1 = 0")
    assert [one[0] for one in cursor.description] == ["a b", "a.b", "数据", "x", "x"]
    assert cursor.fetchall() == []
    cursor.execute("SELECT 1 AS `a.b`")
    assert cursor.fetchone()["a.b"] == 1


def test_named_and_positional_parameters(cursor: Any) -> None:
    cursor.execute("SELECT :n AS a, :s AS b, :x AS c, ':n' AS d", {"n": 5, "s": "it's", "x": None})
    assert list(cursor.fetchone()) == [5, "it's", None, ":n"]
    cursor.execute("SELECT ? AS a, ? AS b", [7, 2.5])
    assert list(cursor.fetchone()) == [7, 2.5]
    cursor.execute("SELECT id FROM range(10) ORDER BY id LIMIT :n", {"n": 2})
    assert [row[0] for row in cursor.fetchall()] == [0, 1]


def test_small_pages_lose_nothing(server: SqlServer, cursor: Any) -> None:
    cursor.arraysize = 7
    cursor.execute("SELECT id FROM range(50) ORDER BY id")
    assert [row[0] for row in cursor.fetchall()] == list(range(50))
    with server.connect().cursor(buffer_size_bytes=100_000) as small:
        small.execute("SELECT id, repeat('x', 100) AS s FROM range(20000) ORDER BY id")
        table = small.fetchall_arrow()
    assert table.column("id").to_pylist() == list(range(20000))


def test_a_row_larger_than_the_page_arrives(server: SqlServer) -> None:
    with server.connect().cursor(buffer_size_bytes=1000) as cursor:
        cursor.execute("SELECT id, repeat('x', 1000000) AS s FROM range(3) ORDER BY id")
        assert [(row[0], len(row[1])) for row in cursor.fetchall()] == [(i, 1_000_000) for i in range(3)]


def test_result_larger_than_direct_results(cursor: Any) -> None:
    cursor.execute("SELECT id FROM range(250000) ORDER BY id")
    table = cursor.fetchall_arrow()
    assert table.num_rows == 250_000
    assert table.column(0).to_numpy().sum() == 249_999 * 250_000 // 2


def test_without_compression(server: SqlServer) -> None:
    with server.connect().cursor() as cursor:
        cursor.connection.lz4_compression = False
        cursor.execute("SELECT id FROM range(1000) ORDER BY id")
        assert cursor.fetchall_arrow().column(0).to_pylist() == list(range(1000))


def test_row_limit(server: SqlServer) -> None:
    with server.connect().cursor(row_limit=3) as cursor:
        cursor.execute("SELECT id FROM range(100) ORDER BY id")
        assert [row[0] for row in cursor.fetchall()] == [0, 1, 2]


def test_failure_tells_class_and_sqlstate(cursor: Any) -> None:
    with pytest.raises(exc.ServerOperationError, match=r"(?s)\[TABLE_OR_VIEW_NOT_FOUND\].*42P01") as caught:
        cursor.execute("SELECT * FROM no_such_table_anywhere")
    assert caught.value.context["operation-id"]
    with pytest.raises(exc.ServerOperationError, match="PARSE_SYNTAX_ERROR"):
        cursor.execute("SELECT FROM WHERE")
    cursor.execute("SELECT 1")
    assert cursor.fetchone()[0] == 1


def test_volume_files_are_refused(server: SqlServer) -> None:
    with (
        server.connect(staging_allowed_local_path="/tmp").cursor() as cursor,
        pytest.raises(exc.ServerOperationError, match="0A000"),
    ):
        cursor.execute("PUT '/tmp/x' INTO '/Volumes/a/b/c/x' OVERWRITE")


def test_cancel_from_another_thread(server: SqlServer, connection: Any) -> None:
    running(server)
    cursor = connection.cursor()
    failures: list[BaseException] = []

    def execute() -> None:
        try:
            cursor.execute(SLOW)
        except exc.Error as error:
            failures.append(error)

    worker = threading.Thread(target=execute)
    worker.start()
    time.sleep(1.6)
    began = time.monotonic()
    cursor.cancel()
    worker.join(10)
    assert not worker.is_alive()
    assert time.monotonic() - began < 3
    assert "OPERATION_CANCELED" in str(failures[0])
    cursor.execute("SELECT 1")
    assert cursor.fetchone()[0] == 1


def test_asynchronous_execution(cursor: Any) -> None:
    cursor.execute_async("SELECT id FROM range(5) ORDER BY id")
    wait_for_query(cursor)
    assert cursor.get_query_state() == CommandState.SUCCEEDED
    cursor.get_async_execution_result()
    assert [row[0] for row in cursor.fetchall()] == list(range(5))
    cursor.execute_async("SELECT * FROM no_such_table_anywhere")
    with pytest.raises(exc.ServerOperationError, match="TABLE_OR_VIEW_NOT_FOUND"):
        wait_for_query(cursor)


def test_asynchronous_cancel(server: SqlServer, cursor: Any) -> None:
    running(server)
    cursor.execute_async(SLOW)
    cursor.cancel()
    assert cursor.get_query_state() == CommandState.CANCELLED
    with pytest.raises(exc.OperationalError):
        cursor.get_async_execution_result()


def test_twenty_sessions_at_once(server: SqlServer) -> None:
    running(server)

    def work(number: int) -> list[int]:
        with server.connect() as connection, connection.cursor() as cursor:
            got = []
            for i in range(5):
                cursor.execute("SELECT :a + :b AS v", {"a": number * 100, "b": i})
                got.append(cursor.fetchone()[0])
            return got

    with ThreadPoolExecutor(20) as pool:
        results = list(pool.map(work, range(20)))
    assert results == [[n * 100 + i for i in range(5)] for n in range(20)]


def test_a_slow_statement_blocks_nobody(server: SqlServer, connection: Any) -> None:
    running(server)
    slow = connection.cursor()
    slow.execute_async(SLOW)
    try:
        for other in (connection, server.connect()):
            began = time.monotonic()
            cursor = other.cursor()
            cursor.execute("SELECT 1")
            assert cursor.fetchone()[0] == 1
            assert time.monotonic() - began < 1.5
        assert slow.is_query_pending()
    finally:
        slow.cancel()


def test_closing_the_connection_ends_what_runs(server: SqlServer) -> None:
    running(server)
    connection = server.connect()
    session_id = bytes.fromhex(connection.get_session_id_hex().replace("-", ""))
    connection.cursor().execute_async(SLOW)
    began = time.monotonic()
    connection.close()
    assert time.monotonic() - began < 3
    assert session_id not in {one.id for one in server.warehouses.sessions.of_warehouse(server.warehouse_id)}


def test_stopped_warehouse_starts_and_the_statement_waits(server: SqlServer) -> None:
    server.faults.set({"faults": [{"service": "sql_warehouse_start", "delay_seconds": 2.0, "times": 1}]})
    server.warehouses.stop(server.warehouse_id)
    began = time.monotonic()
    with server.connect() as connection, connection.cursor() as cursor:
        assert time.monotonic() - began < 1.5
        cursor.execute_async("SELECT 42 AS v")
        assert cursor.get_query_state() == CommandState.PENDING
        assert server.sdk().warehouses.get(server.warehouse_id).state == State.STARTING
        cursor.get_async_execution_result()
        assert cursor.fetchone()[0] == 42
    assert 1.9 < time.monotonic() - began < 6


def test_a_waiting_statement_can_be_cancelled(server: SqlServer) -> None:
    server.faults.set({"faults": [{"service": "sql_warehouse_start", "delay_seconds": 3.0, "times": 1}]})
    server.warehouses.stop(server.warehouse_id)
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute_async("SELECT 42 AS v")
        cursor.cancel()
        assert cursor.get_query_state() == CommandState.CANCELLED


def test_failed_start(server: SqlServer) -> None:
    fault = {
        "service": "sql_warehouse_start",
        "delay_seconds": 0.2,
        "status": 503,
        "message": "No capacity.",
        "times": 1,
    }
    server.warehouses.stop(server.warehouse_id)
    server.faults.set({"faults": [fault]})
    with (
        server.connect() as connection,
        connection.cursor() as cursor,
        pytest.raises(exc.ServerOperationError, match="did not start: No capacity"),
    ):
        cursor.execute("SELECT 1")
    assert server.sdk().warehouses.get(server.warehouse_id).health.status.value == "FAILED"


def test_who_may_not_connect(server: SqlServer) -> None:
    with pytest.raises(exc.RequestError, match="Invalid access token"):
        server.connect(access_token="no-token")
    with pytest.raises(exc.RequestError, match="required scopes: sql"):
        server.connect(access_token=server.token(scopes=("iam.current-user:read",)))
    with pytest.raises(exc.RequestError, match="does not exist"):
        server.connect(http_path="/sql/1.0/warehouses/0123456789abcdef")


def test_token_that_expires_in_mid_session(server: SqlServer) -> None:
    with server.connect(access_token=server.token(seconds=1.5)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        time.sleep(1.7)
        with pytest.raises(exc.RequestError, match="expired") as caught:
            cursor.execute("SELECT 1")
        assert caught.value.context["http-code"] == 401


def test_a_session_serves_nobody_else(server: SqlServer, connection: Any) -> None:
    with server.connect("analyst@example.com") as other, other.cursor() as cursor:
        other.session._session_id = connection.session._session_id
        with pytest.raises(exc.DatabaseError, match="Invalid SessionHandle"):
            cursor.execute("SELECT 1")
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        assert cursor.fetchone()[0] == 1


def test_lost_sessions(server: SqlServer, connection: Any, cursor: Any) -> None:
    cursor.execute("SELECT 1")
    server.faults.set({"actions": ["sql_warehouse.lose_sessions"]})
    with pytest.raises(exc.DatabaseError, match="Invalid SessionHandle"):
        cursor.execute("SELECT 1")


def test_session_lost_by_statement(server: SqlServer) -> None:
    server.faults.set({"faults": [{"service": "sql_warehouse_session", "match": "marked", "times": 1}]})
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        with pytest.raises(exc.DatabaseError, match="Invalid SessionHandle"):
            cursor.execute("SELECT 'marked'")


def test_fault_with_status(server: SqlServer, cursor: Any) -> None:
    server.faults.set({"faults": [{"service": "sql_warehouse", "match": "marked", "status": 500, "times": 1}]})
    cursor.execute("SELECT 1")
    with pytest.raises(exc.RequestError):
        cursor.execute("SELECT 'marked'")
    cursor.execute("SELECT 'marked' AS v")
    assert cursor.fetchone()[0] == "marked"


def test_dropped_connection_is_sent_again(server: SqlServer, cursor: Any) -> None:
    server.faults.set({"faults": [{"service": "sql_warehouse", "match": "marked", "drop": True, "times": 1}]})
    cursor.execute("SELECT 'marked' AS v")
    assert cursor.fetchone()[0] == "marked"
    assert server.faults.describe()["faults"] == []


@pytest.mark.slow
def test_unavailable_warehouse_ends_in_an_error(server: SqlServer) -> None:
    server.faults.set({"faults": [{"service": "sql_warehouse", "status": 503, "retry_after": 1}]})
    with pytest.raises((exc.Error, urllib3.exceptions.HTTPError)):
        server.connect(_retry_stop_after_attempts_count=1)


def test_tls(server: SqlServer) -> None:
    options = {"_port": server.tls_port, "_tls_trusted_ca_file": str(server.ca_file)}
    with server.connect(**options) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT id FROM range(1000) ORDER BY id")
        assert len(cursor.fetchall()) == 1000


def test_session_options(server: SqlServer) -> None:
    with server.connect(catalog="nowhere", schema="neither") as connection, connection.cursor() as cursor:
        cursor.execute("SELECT current_catalog(), current_schema()")
        assert list(cursor.fetchone()) == ["nowhere", "neither"]
        with pytest.raises(exc.ServerOperationError, match="NO_SUCH_CATALOG"):
            cursor.execute("SELECT * FROM t")
    connection = server.connect(session_configuration={"STATEMENT_TIMEOUT": "1"})
    with connection.cursor() as cursor, pytest.raises(exc.ServerOperationError, match="TIMEOUT"):
        cursor.execute(SLOW)
    connection.close()


def test_query_ids_are_uuids(connection: Any, cursor: Any) -> None:
    cursor.execute("SELECT 1")
    assert uuid.UUID(cursor.query_id).version == 1
    assert uuid.UUID(hex=connection.get_session_id_hex())


def test_changes_say_how_many_rows(server: SqlServer, cursor: Any) -> None:
    cursor.execute("CREATE TABLE changed (n INT, s STRING)")
    assert cursor.fetchall() == []
    cursor.execute("INSERT INTO changed VALUES (1, 'a'), (2, 'b'), (3, 'c')")
    assert cursor.rowcount == 3
    assert cursor.fetchone()[0] == 3
    cursor.execute("UPDATE changed SET s = 'x' WHERE n > 1")
    assert cursor.rowcount == 2
    cursor.execute("SELECT n, s FROM changed ORDER BY n")
    assert cursor.rowcount == -1
    assert [tuple(row) for row in cursor.fetchall()] == [(1, "a"), (2, "x"), (3, "x")]
    cursor.execute("DROP TABLE changed")


# --- metadata calls


@pytest.fixture(scope="module")
def things(server: SqlServer) -> str:
    """A catalog with a table, made by an admin; its name."""
    from local_workspace.unity_catalog.model import Column, Table

    admin = server.directory.service_principal("deployer")
    assert admin is not None
    server.metastore.create_catalog(admin, "wh_test")
    server.metastore.create_schema(admin, "wh_test", "s_one")
    columns = (Column("n", "int", False, "a number"), Column("tags", "array<string>"), Column("d", "decimal(10,2)"))
    server.metastore.put_table(admin, Table("wh_test", "s_one", "t_one", admin.name, columns, comment="things"))
    for kind, name, privilege in (
        ("catalog", "wh_test", "USE CATALOG"),
        ("schema", "wh_test.s_one", "USE SCHEMA"),
        ("table", "wh_test.s_one.t_one", "SELECT"),
    ):
        server.metastore.change_grants(admin, kind, name, [("manager@example.com", [privilege], [])])
    return "wh_test"


def test_metadata_calls(server: SqlServer, things: str, cursor: Any) -> None:
    cursor.catalogs()
    assert things in [row["TABLE_CAT"] for row in cursor.fetchall()]
    cursor.schemas(catalog_name=things)
    assert "s_one" in [row["TABLE_SCHEM"] for row in cursor.fetchall()]
    cursor.tables(catalog_name=things, schema_name="s%", table_name="t\\_o%")
    row = cursor.fetchall()[0]
    assert (row["TABLE_NAME"], row["TABLE_TYPE"], row["REMARKS"]) == ("t_one", "TABLE", "things")
    cursor.tables(catalog_name=things, table_types=["VIEW"])
    assert cursor.fetchall() == []
    cursor.columns(catalog_name=things, schema_name="s_one", table_name="t_one")
    rows = cursor.fetchall()
    assert [(r["COLUMN_NAME"], r["DATA_TYPE"], r["TYPE_NAME"], r["IS_NULLABLE"]) for r in rows] == [
        ("n", 4, "INT", "NO"),
        ("tags", 2003, "ARRAY<STRING>", "YES"),
        ("d", 3, "DECIMAL(10,2)", "YES"),
    ]


def test_metadata_lists_only_what_may_be_seen(server: SqlServer, things: str) -> None:
    with server.connect("newcomer@example.com") as connection, connection.cursor() as cursor:
        cursor.catalogs()
        assert things not in [row["TABLE_CAT"] for row in cursor.fetchall()]
        cursor.columns(catalog_name=things)
        assert cursor.fetchall() == []


# --- Statement Execution and warehouse objects, through the SDK


def test_statement_execution_inline(server: SqlServer) -> None:
    answer = server.sdk().statement_execution.execute_statement(
        "SELECT CAST(:n AS INT) + 1 AS a, 'x' AS b, NULL AS c, TIMESTAMP'2016-02-14 16:52:13' AS t, "
        "1.0D AS d, true AS e",
        server.warehouse_id,
        parameters=[StatementParameterListItem("n", type="INT", value="41")],
        wait_timeout="30s",
    )
    assert answer.status.state == StatementState.SUCCEEDED
    assert answer.result.data_array == [["42", "x", None, "2016-02-14T16:52:13.000Z", "1.0", "true"]]
    assert [(one.name, one.position) for one in answer.manifest.schema.columns][:2] == [("a", 0), ("b", 1)]
    assert (answer.manifest.total_row_count, answer.manifest.total_chunk_count) == (1, 1)


def test_statement_execution_chunks(server: SqlServer) -> None:
    execution = server.sdk().statement_execution
    answer = execution.execute_statement(
        "SELECT id FROM range(250000) ORDER BY id",
        server.warehouse_id,
        disposition=Disposition.EXTERNAL_LINKS,
        format=Format.ARROW_STREAM,
        wait_timeout="30s",
    )
    rows: list[int] = []
    result = answer.result
    while True:
        link = result.external_links[0]
        assert link.row_offset == len(rows)
        table = pa.ipc.open_stream(urllib3.request("GET", link.external_link).data).read_all()
        assert table.num_rows == link.row_count
        rows += table.column(0).to_pylist()
        if link.next_chunk_index is None:
            break
        result = execution.get_statement_result_chunk_n(answer.statement_id, link.next_chunk_index)
    assert answer.manifest.total_chunk_count > 1
    assert rows == list(range(answer.manifest.total_row_count)) == list(range(250_000))
    with pytest.raises(NotFound):
        execution.get_statement_result_chunk_n(answer.statement_id, 99)


@pytest.mark.parametrize("form", [Format.ARROW_STREAM, Format.CSV, Format.JSON_ARRAY])
def test_statement_execution_external_links(server: SqlServer, form: Format) -> None:
    answer = server.sdk().statement_execution.execute_statement(
        "SELECT id, CASE WHEN id > 0 THEN id END AS v FROM range(3) ORDER BY id",
        server.warehouse_id,
        disposition=Disposition.EXTERNAL_LINKS,
        format=form,
        wait_timeout="30s",
    )
    link = answer.result.external_links[0].external_link
    data = urllib3.request("GET", link).data
    if form == Format.ARROW_STREAM:
        assert pa.ipc.open_stream(data).read_all().to_pydict() == {"id": [0, 1, 2], "v": [None, 1, 2]}
    elif form == Format.CSV:
        assert data == b"id,v\r\n0,null\r\n1,1\r\n2,2\r\n"
    else:
        assert data == b'[["0",null],["1","1"],["2","2"]]'
    assert urllib3.request("GET", link[:-4] + "0000").status == 403


def test_statement_execution_limits_and_failures(server: SqlServer) -> None:
    execution = server.sdk().statement_execution
    cut = execution.execute_statement("SELECT id FROM range(100)", server.warehouse_id, row_limit=7, wait_timeout="30s")
    assert (cut.manifest.truncated, cut.manifest.total_row_count) == (True, 7)
    exact = execution.execute_statement("SELECT id FROM range(7)", server.warehouse_id, row_limit=7, wait_timeout="30s")
    assert (exact.manifest.truncated, exact.manifest.total_row_count) == (False, 7)
    failed = execution.execute_statement("SELECT * FROM no_such_table", server.warehouse_id, wait_timeout="30s")
    assert failed.status.state == StatementState.FAILED
    assert "TABLE_OR_VIEW_NOT_FOUND" in failed.status.error.message
    for arguments in ({"wait_timeout": "3s"}, {"format": Format.ARROW_STREAM}):
        with pytest.raises(BadRequest):
            execution.execute_statement("SELECT 1", server.warehouse_id, **arguments)
    with pytest.raises(NotFound):
        execution.execute_statement("SELECT 1", "0123456789abcdef")


def test_statement_execution_cancel(server: SqlServer) -> None:
    running(server)
    execution = server.sdk().statement_execution
    began = execution.execute_statement(SLOW, server.warehouse_id, wait_timeout="0s")
    assert began.status.state in (StatementState.PENDING, StatementState.RUNNING)
    with pytest.raises(NotFound):
        server.sdk("analyst@example.com").statement_execution.get_statement(began.statement_id)
    execution.cancel_execution(began.statement_id)
    deadline = time.monotonic() + 5
    while execution.get_statement(began.statement_id).status.state != StatementState.CANCELED:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    waited = execution.execute_statement(
        SLOW, server.warehouse_id, wait_timeout="5s", on_wait_timeout=ExecuteStatementRequestOnWaitTimeout.CANCEL
    )
    assert waited.status.state == StatementState.CANCELED


@pytest.mark.parametrize("cloud_fetch", [True, False])
def test_rest_back_end_of_the_connector(server: SqlServer, cloud_fetch: bool) -> None:
    options = {"_port": server.tls_port, "_tls_trusted_ca_file": str(server.ca_file)}
    with (
        server.connect(use_sea=True, use_cloud_fetch=cloud_fetch, **options) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT id, CAST(id AS STRING) AS s FROM range(120000) ORDER BY id")
        rows = cursor.fetchall()
        assert len(rows) == 120_000
        assert list(rows[-1]) == [119_999, "119999"]
        cursor.execute("SELECT id FROM range(1) WHERE id > 1")
        assert cursor.fetchall() == []
        with pytest.raises(exc.ServerOperationError, match="TABLE_OR_VIEW_NOT_FOUND"):
            cursor.execute("SELECT * FROM no_such_table_anywhere")


def test_warehouse_objects(server: SqlServer) -> None:
    client = server.sdk("analyst@example.com")
    assert [one.name for one in client.warehouses.list()] == ["lakefront-small", "Serverless Starter Warehouse"]
    assert client.warehouses.get(server.warehouse_id).jdbc_url.startswith("jdbc:databricks://127.0.0.1:")
    with pytest.raises(PermissionDenied):
        client.api_client.do("POST", f"/api/2.0/sql/warehouses/{server.warehouse_id}/stop")
    admin = server.sdk("deployer", ("all-apis",))
    made = admin.warehouses.create(name="second", auto_stop_mins=10).result()
    assert made.state == State.RUNNING
    with pytest.raises(DatabricksError, match="already exists"):
        admin.warehouses.create(name="second")
    admin.warehouses.edit(made.id, name="other", auto_stop_mins=0)
    assert admin.warehouses.get(made.id).name == "other"
    assert admin.warehouses.stop(made.id).result().state == State.STOPPED
    assert admin.warehouses.start(made.id).result().state == State.RUNNING
    admin.warehouses.delete(made.id)
    with pytest.raises(NotFound):
        admin.warehouses.get(made.id)
    with pytest.raises(DatabricksError, match="does not implement"):
        next(iter(admin.query_history.list().res or []), None)
