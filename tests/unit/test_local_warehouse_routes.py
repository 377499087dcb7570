"""Calls that the official Python clients never send, and requests that are no calls at all."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from databricks.sql.thrift_api.TCLIService import TCLIService, ttypes
from thrift.protocol import TBinaryProtocol
from thrift.transport import THttpClient

from tests.support.sql_server import SqlServer, sql_server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlServer]:
    with sql_server(tmp_path_factory.mktemp("routes"), start_seconds=0) as started:
        yield started


@pytest.fixture
def client(server: SqlServer) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {server.token()}"}
    with httpx.Client(base_url=server.url, headers=headers, timeout=10) as opened:
        yield opened


@pytest.fixture
def raw(server: SqlServer) -> Iterator[Any]:
    """The generated client, as another driver would use it."""
    transport = THttpClient.THttpClient(f"{server.url}{server.http_path}")
    transport.setCustomHeaders({"Authorization": f"Bearer {server.token()}"})
    transport.open()
    yield TCLIService.Client(TBinaryProtocol.TBinaryProtocol(transport))
    transport.close()


@pytest.fixture
def session(raw: Any) -> Any:
    return raw.OpenSession(ttypes.TOpenSessionReq(client_protocol_i64=42247)).sessionHandle


def first_column(raw: Any, answer: Any) -> list[str]:
    fetched = raw.FetchResults(ttypes.TFetchResultsReq(answer.operationHandle, maxRows=1000))
    return list(fetched.results.columns[0].stringVal.values)


def test_information(raw: Any, session: Any) -> None:
    kinds = ttypes.TGetInfoType
    assert raw.GetInfo(ttypes.TGetInfoReq(session, kinds.CLI_DBMS_NAME)).infoValue.stringValue == "Spark SQL"
    refused = raw.GetInfo(ttypes.TGetInfoReq(session, kinds.CLI_MAX_COLUMN_NAME_LEN))
    assert refused.status.statusCode == ttypes.TStatusCode.ERROR_STATUS


def test_lists_for_other_drivers(raw: Any, session: Any) -> None:
    assert "DECIMAL" in first_column(raw, raw.GetTypeInfo(ttypes.TGetTypeInfoReq(session)))
    assert first_column(raw, raw.GetTableTypes(ttypes.TGetTableTypesReq(session))) == ["TABLE", "VIEW"]
    assert first_column(raw, raw.GetFunctions(ttypes.TGetFunctionsReq(session, functionName="%"))) == []
    assert first_column(raw, raw.GetPrimaryKeys(ttypes.TGetPrimaryKeysReq(session))) == []
    assert first_column(raw, raw.GetCrossReference(ttypes.TGetCrossReferenceReq(session))) == []


def test_delegation_tokens_are_refused(raw: Any, session: Any) -> None:
    answer = raw.GetDelegationToken(ttypes.TGetDelegationTokenReq(session, "a", "b"))
    assert answer.status.statusCode == ttypes.TStatusCode.ERROR_STATUS


def test_a_guid_alone_is_no_credential(raw: Any, session: Any) -> None:
    forged = ttypes.TSessionHandle(ttypes.THandleIdentifier(session.sessionId.guid, b"0" * 16))
    answer = raw.ExecuteStatement(ttypes.TExecuteStatementReq(forged, "SELECT 1"))
    assert answer.status.statusCode == ttypes.TStatusCode.INVALID_HANDLE_STATUS
    assert answer.operationHandle is None


def test_fetching_again_from_a_row(raw: Any, session: Any) -> None:
    request = ttypes.TExecuteStatementReq(session, "SELECT id FROM range(10) ORDER BY id", runAsync=False)
    handle = raw.ExecuteStatement(request).operationHandle

    def fetch(orientation: int, start: int | None = None, rows: int = 4) -> list[int]:
        answer = raw.FetchResults(ttypes.TFetchResultsReq(handle, orientation, rows, startRowOffset=start))
        assert answer.status.statusCode == ttypes.TStatusCode.SUCCESS_STATUS
        return list(answer.results.columns[0].i64Val.values)

    following, beginning = ttypes.TFetchOrientation.FETCH_NEXT, ttypes.TFetchOrientation.FETCH_FIRST
    assert [fetch(following), fetch(following), fetch(following), fetch(following)] == [
        [0, 1, 2, 3],
        [4, 5, 6, 7],
        [8, 9],
        [],
    ]
    assert fetch(beginning) == [0, 1, 2, 3]
    assert fetch(following, start=6) == [6, 7, 8, 9]
    refused = raw.FetchResults(ttypes.TFetchResultsReq(handle, ttypes.TFetchOrientation.FETCH_PRIOR, 4))
    assert refused.status.statusCode == ttypes.TStatusCode.ERROR_STATUS


def test_states_are_held_back_but_not_for_long(raw: Any, session: Any) -> None:
    slow = "SELECT sum(a.id * b.id) FROM range(1000000) a CROSS JOIN range(1000000) b"
    handle = raw.ExecuteStatement(ttypes.TExecuteStatementReq(session, slow, runAsync=True)).operationHandle
    began = time.monotonic()
    status = raw.GetOperationStatus(ttypes.TGetOperationStatusReq(handle))
    assert status.operationState == ttypes.TOperationState.RUNNING_STATE
    assert 0.4 < time.monotonic() - began < 1.0
    raw.CancelOperation(ttypes.TCancelOperationReq(handle))
    status = raw.GetOperationStatus(ttypes.TGetOperationStatusReq(handle))
    assert status.operationState == ttypes.TOperationState.CANCELED_STATE
    described = raw.GetResultSetMetadata(ttypes.TGetResultSetMetadataReq(handle))
    assert "HY008" in described.status.errorMessage


def test_long_strings_are_read(raw: Any) -> None:
    request = ttypes.TOpenSessionReq(client_protocol_i64=42247, configuration={"note": "x" * 17_000_000})
    assert raw.OpenSession(request).status.statusCode == ttypes.TStatusCode.SUCCESS_STATUS


@pytest.mark.parametrize("message", [b"", b"hello", b"\x80\x01\x00\x01\x00\x00\x00\x0bOpenSession", b"\xff" * 40])
def test_what_is_no_thrift_is_a_client_error(server: SqlServer, client: httpx.Client, message: bytes) -> None:
    answer = client.post(server.http_path, content=message)
    assert answer.status_code == 400, answer.content


def test_errors_are_told_in_headers(server: SqlServer) -> None:
    answer = httpx.post(f"{server.url}{server.http_path}", content=b"", timeout=10)
    assert answer.status_code == 401
    assert "Credential was not sent" in answer.headers["x-thriftserver-error-message"]


def test_what_the_connector_asks_beside_sql(server: SqlServer, client: httpx.Client) -> None:
    flags = client.get("/api/2.0/connector-service/feature-flags/PYTHON/4.9.0")
    assert flags.json() == {"flags": [], "ttl_seconds": 900}
    counted = {"errors": [], "numSuccess": 0, "numProtoSuccess": 2}
    assert client.post("/telemetry-ext", json={"protoLogs": ["a", "b"]}).json() == counted
    assert httpx.post(f"{server.url}/telemetry-unauth", json={"protoLogs": ["a", "b"]}, timeout=10).json() == counted
    assert httpx.post(f"{server.url}/telemetry-ext", json={}, timeout=10).status_code == 401


@pytest.mark.parametrize("path", ["history/queries", "queries", "warehouses/x/unknown", "config/warehouses"])
def test_what_is_missing_says_so(client: httpx.Client, path: str) -> None:
    answer = client.get(f"/api/2.0/sql/{path}")
    assert (answer.status_code, answer.json()["error_code"]) == (501, "NOT_IMPLEMENTED")


@pytest.mark.parametrize(
    "change",
    [
        {"statement": ""},
        {"warehouse_id": None},
        {"wait_timeout": "51s"},
        {"on_wait_timeout": "MAYBE"},
        {"row_limit": 0},
        {"disposition": "PIGEON"},
        {"parameters": ["x"]},
    ],
)
def test_bad_statement_requests(server: SqlServer, client: httpx.Client, change: dict[str, Any]) -> None:
    document = {"statement": "SELECT 1", "warehouse_id": server.warehouse_id, **change}
    assert client.post("/api/2.0/sql/statements", json=document).status_code == 400


def test_links_end_and_cannot_be_forged(
    server: SqlServer, client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = {"statement": "SELECT 1", "warehouse_id": server.warehouse_id, "disposition": "EXTERNAL_LINKS"}
    link = client.post("/api/2.0/sql/statements", json=document).json()["result"]["external_links"][0]["external_link"]
    assert httpx.get(link, timeout=10).json() == [["1"]]
    assert httpx.get(link.replace("/0?", "/1?"), timeout=10).status_code == 403
    now: Callable[[], float] = time.time
    monkeypatch.setattr("local_workspace.warehouse.statement_routes.time.time", lambda: now() + 3600)
    assert httpx.get(link, timeout=10).status_code == 403
