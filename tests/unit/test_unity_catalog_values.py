"""Values keep their meaning on their way to JSON, quickly; errors of the platform become ours."""

from __future__ import annotations

import datetime as dt
import json
import time
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
import requests
import urllib3
from databricks.sdk import errors as sdk
from databricks.sql import exc

from services.unity_catalog import values
from services.unity_catalog.errors import Place, catalog_error, is_lost_session, lacks_scope, warehouse_error
from services.unity_catalog.models import TableRef

DENIED = (
    "[INSUFFICIENT_PERMISSIONS] Insufficient privileges:\nUser does not have SELECT on Table 'c.s.t'. SQLSTATE: 42501"
)
MISSING = "[TABLE_OR_VIEW_NOT_FOUND] The table or view `c`.`s`.`t` cannot be found. SQLSTATE: 42P01"
PLACE = Place("https://w", "id", TableRef.of("c", "s", "t"))


@pytest.mark.parametrize(
    ("kind", "value", "shown"),
    [
        (pa.int64(), 2**53, 2**53),
        (pa.int64(), 2**53 + 1, "9007199254740993"),
        (pa.int64(), -(2**63), "-9223372036854775808"),
        (pa.int32(), 7, 7),
        (pa.float64(), 0.1, 0.1),
        (pa.float64(), float("nan"), "NaN"),
        (pa.float64(), float("inf"), "Infinity"),
        (pa.float64(), float("-inf"), "-Infinity"),
        (pa.float32(), 1.1, 1.1),
        (pa.float32(), float("nan"), "NaN"),
        (pa.decimal128(38, 18), Decimal("1E-18"), "0.000000000000000001"),
        (pa.decimal128(10, 2), Decimal("1.50"), "1.50"),
        (pa.timestamp("us", tz="Etc/UTC"), dt.datetime(2024, 1, 2, 3, 4, 5, tzinfo=dt.UTC), "2024-01-02T03:04:05Z"),
        (pa.timestamp("us"), dt.datetime.fromisoformat("0001-01-01T00:00:00.000001"), "0001-01-01T00:00:00.000001"),
        (pa.timestamp("us"), dt.datetime.fromisoformat("9999-12-31T23:59:59.120000"), "9999-12-31T23:59:59.120000"),
        (pa.timestamp("us", tz="Europe/Amsterdam"), dt.datetime(2024, 1, 2, tzinfo=dt.UTC), "2024-01-02T00:00:00Z"),
        (pa.date32(), dt.date(9999, 12, 31), "9999-12-31"),
        (pa.binary(), b"\x00\xff", "AP8="),
        (pa.bool_(), True, True),
        (pa.string(), "🚕'\"", "🚕'\""),
        (pa.list_(pa.float64()), [1.0, float("nan"), None], [1.0, "NaN", None]),
        (pa.list_(pa.float32()), [1.1], [1.1]),
        (pa.map_(pa.int64(), pa.string()), [(2**60, "x")], {"1152921504606846976": "x"}),
        (
            pa.struct([("a", pa.decimal128(5, 2)), ("b", pa.date32())]),
            {"a": Decimal("1.00"), "b": None},
            {"a": "1.00", "b": None},
        ),
    ],
)
def test_a_value_and_null(kind: pa.DataType, value: Any, shown: Any) -> None:
    table = pa.table({"v": pa.array([value, None], kind)})
    assert values.rows(table) == [{"v": shown}, {"v": None}]
    json.dumps(values.rows(table), allow_nan=False)


def test_a_hundred_rows_take_less_than_a_millisecond_or_so() -> None:
    moment = dt.datetime(2016, 1, 1, tzinfo=dt.UTC)
    table = pa.table(
        {
            "a": pa.array([moment] * 100, pa.timestamp("us", tz="Etc/UTC")),
            "b": [1.5] * 100,
            "c": pa.array(range(100), pa.int32()),
            "d": ["text"] * 100,
        }
    )
    best = min(_seconds(table) for _ in range(20))
    assert best < 0.003


def _seconds(table: pa.Table) -> float:
    started = time.perf_counter()
    values.rows(table)
    return time.perf_counter() - started


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (exc.ServerOperationError(DENIED), "CATALOG_PERMISSION_DENIED"),
        (exc.ServerOperationError(MISSING), "TABLE_NOT_FOUND"),
        (exc.ServerOperationError("[UNRESOLVED_COLUMN.WITH_SUGGESTION] no SQLSTATE: 42703"), "INVALID_REQUEST"),
        (exc.ServerOperationError("[ARITHMETIC_OVERFLOW] long overflow. SQLSTATE: 22003"), "INVALID_REQUEST"),
        (exc.DatabaseError("[OPERATION_CANCELED] x SQLSTATE: HY008"), "CANCELLED"),
        (exc.RequestError("Error during request", context={"http-code": 401}), "AUTH_REQUIRED"),
        (exc.RequestError("Invalid scope, required scopes: sql", context={"http-code": 403}), "PERMISSION_DENIED"),
        (exc.RequestError("gone", context={"http-code": 404}), "WAREHOUSE_UNAVAILABLE"),
        (exc.RequestError("x", context={"http-code": 503}), "WAREHOUSE_UNAVAILABLE"),
        (urllib3.exceptions.MaxRetryError(None, "/", None), "WAREHOUSE_UNAVAILABLE"),  # type: ignore[arg-type]
        (exc.ServerOperationError("[INTERNAL_ERROR] boom SQLSTATE: XX000"), "INTERNAL_ERROR"),
    ],
)  # fmt: skip
def test_errors_of_the_warehouse(error: Exception, code: str) -> None:
    found = warehouse_error(error, PLACE)
    assert found.error_code == code
    if code == "CATALOG_PERMISSION_DENIED":
        assert found.message == "You don't have access to this table."
        assert found.technical_details == {
            "catalog": "c",
            "schema": "s",
            "table": "t",
            "privilege": "SELECT",
            "on": "Table c.s.t",
        }
    if code == "WAREHOUSE_UNAVAILABLE":
        assert found.retry_after


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (sdk.PermissionDenied("User does not have USE SCHEMA on Schema 'c.s'."), "CATALOG_PERMISSION_DENIED"),
        (
            sdk.PermissionDenied("Provided OAuth token does not have required scopes: unity-catalog"),
            "PERMISSION_DENIED",
        ),
        (sdk.NotFound("Table 'c.s.t' does not exist."), "TABLE_NOT_FOUND"),
        (sdk.Unauthenticated("expired"), "AUTH_REQUIRED"),
        (sdk.InternalError("x"), "WORKSPACE_UNAVAILABLE"),
        (requests.ConnectionError("x"), "WORKSPACE_UNAVAILABLE"),
        (TimeoutError("x"), "WORKSPACE_UNAVAILABLE"),
    ],
)
def test_errors_of_the_catalog(error: Exception, code: str) -> None:
    assert catalog_error(error, PLACE).error_code == code


def test_a_missing_scope_is_told_from_a_missing_privilege() -> None:
    assert lacks_scope(sdk.PermissionDenied("Invalid scope, required scopes: unity-catalog"))
    assert not lacks_scope(sdk.PermissionDenied("User does not have USE SCHEMA on Schema 'c.s'."))


@pytest.mark.parametrize(
    ("text", "lost"),
    [
        ("Invalid SessionHandle: SessionHandle [x]", True),
        ("The session 12-34 was not found", True),
        ("unknown session", True),
        ("[TABLE_OR_VIEW_NOT_FOUND] The table or view `session`.`x` cannot", False),
        ("syntax error", False),
    ],
)
def test_a_lost_session_is_known_by_its_words(text: str, lost: bool) -> None:
    assert is_lost_session(exc.DatabaseError(text)) is lost
