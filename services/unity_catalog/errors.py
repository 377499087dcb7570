"""What the warehouse and the catalog say when they fail, in the words of ``services.errors``.

The SQL connector drops SQLSTATE on its way, so class and state are read from the message
(https://docs.databricks.com/aws/en/error-messages/). Retries that were used up, a refused connection and a bad
certificate are urllib3's errors, not the connector's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import requests
import urllib3
from databricks.sdk import errors as sdk
from databricks.sql import exc

from services.errors import (
    AuthRequired,
    Cancelled,
    CatalogPermissionDenied,
    InternalError,
    InvalidRequest,
    LakefrontError,
    NotFound,
    PermissionDenied,
    WarehouseUnavailable,
    WorkspaceUnavailable,
)
from services.observability import redact
from services.unity_catalog.models import TableRef
from services.workspace_client import platform_message

_CLASS = re.compile(r"\[([A-Z][A-Z0-9_]+)(?:\.[A-Z0-9_]+)*\]")
_STATE = re.compile(r"SQLSTATE: ?([0-9A-Z]{5})")
_SCOPE = re.compile(r"required scopes?: *([\w.:-]*\w)")
_MISSING_PRIVILEGE = re.compile(r"does not have ([A-Z_ ]+?) on (\w+) '([^']{1,800})'")
_LOST_SESSION = re.compile(
    r"(invalid|unknown|expired|closed|no such)\s*(sql\s+)?session|session\w*\W.{0,120}"
    r"(not found|does not exist|expired|closed|invalid|unknown|terminated)",
    re.IGNORECASE | re.DOTALL,
)
NETWORK_ERRORS = (urllib3.exceptions.HTTPError, OSError)
WAREHOUSE_ERRORS = (exc.Error, *NETWORK_ERRORS)
"""Everything that a call of the SQL connector may raise."""
CATALOG_ERRORS = (sdk.DatabricksError, requests.RequestException, TimeoutError, OSError)
"""Everything that a call of the SDK may raise."""
REFUSALS = (AuthRequired, PermissionDenied, CatalogPermissionDenied, NotFound)
"""Answers after which what was told before must not be told again."""


@dataclass(frozen=True, slots=True)
class Place:
    """What was asked, and where: for the details of an error."""

    workspace: str
    warehouse_id: str
    ref: TableRef | None = None


def invalid(field: str, reason: str) -> InvalidRequest:
    """The caller's mistake at ``field``, a dotted path into the request."""
    return InvalidRequest(field, reason)


def table_not_found(ref: TableRef, nearest: list[str] | None = None) -> NotFound:
    """A table that does not exist for this person, with the nearest names that they may see."""
    return NotFound(
        f"There is no table {ref.full_name}.",
        error_code="TABLE_NOT_FOUND",
        technical_details={
            "catalog": ref.catalog,
            "schema": ref.schema_name,
            "table": ref.table,
            "nearest": nearest or [],
        },
    )


def is_lost_session(error: BaseException) -> bool:
    """Whether the server no longer knows the session, so that the same statement may run on a new one."""
    return isinstance(error, exc.DatabaseError | exc.RequestError) and bool(_LOST_SESSION.search(str(error)))


def is_statement_error(error: BaseException) -> bool:
    """Whether only the statement failed and its session is as good as before."""
    return isinstance(error, exc.ServerOperationError)


def warehouse_error(error: BaseException, place: Place) -> LakefrontError:
    """The error of a connector call, for people."""
    message = str(error)
    found, state = _CLASS.search(message), _STATE.search(message)
    known = _by_class(found.group(1) if found else "", state.group(1) if state else "", message, place)
    if known is not None:
        return known
    status = _http_status(error)
    if status == 401:
        return AuthRequired("sql", place.workspace, "The warehouse does not accept the user token.")
    if status == 403:
        return _scope_denied(message, "sql", place)
    if status == 404 and not is_lost_session(error):
        return WarehouseUnavailable(place.warehouse_id, "the warehouse does not exist or may not be used", 60)
    if isinstance(error, exc.ServerOperationError) and found:
        return InternalError()
    return WarehouseUnavailable(place.warehouse_id, _reason(error))


def _by_class(name: str, state: str, message: str, place: Place) -> LakefrontError | None:
    """The error that the platform's error class or SQLSTATE stands for."""
    if state == "42501" or name in ("INSUFFICIENT_PERMISSIONS", "PERMISSION_DENIED"):
        return _denied(message, place)
    if state in ("42P01", "42704") or name in ("TABLE_OR_VIEW_NOT_FOUND", "SCHEMA_NOT_FOUND"):
        return _missing(place)
    if state == "HY008" or name == "OPERATION_CANCELED":
        return Cancelled("The statement was cancelled.")
    if state == "42703":
        return invalid("columns", "a column of the request is no longer in the table; refresh its details")
    if state[:2] in ("22", "0A"):
        return invalid("statement", redact(re.sub(r"\s*SQLSTATE.*", "", message, flags=re.DOTALL))[:300])
    return None


def catalog_error(error: BaseException, place: Place, *, kind: str = "table", name: str = "") -> LakefrontError:
    """The error of an SDK call, for people; ``kind`` is what was asked for: catalog, schema or table."""
    message = platform_message(error)
    if isinstance(error, sdk.Unauthenticated):
        return AuthRequired("catalog.tables:read", place.workspace, "The workspace does not accept the user token.")
    if lacks_scope(error):
        return _scope_denied(message, "catalog.tables:read", place)
    if isinstance(error, sdk.PermissionDenied):
        return _denied(message, place)
    if isinstance(error, sdk.NotFound):
        return _missing(place, kind, name)
    if isinstance(error, sdk.BadRequest):
        return invalid(kind, redact(message)[:300])
    return WorkspaceUnavailable(place.workspace, type(error).__name__)


def lacks_scope(error: BaseException) -> bool:
    """Whether a call was refused because the user's token lacks a scope, whatever the user may do."""
    text = str(error).lower()
    return isinstance(error, sdk.PermissionDenied) and "required scope" in text


def _denied(message: str, place: Place) -> LakefrontError:
    """No privilege: the table's own error where one was asked for, with the privilege that is missing."""
    missing = _MISSING_PRIVILEGE.search(message)
    privilege = {"privilege": missing.group(1), "on": f"{missing.group(2)} {missing.group(3)}"} if missing else {}
    if place.ref is None:
        return PermissionDenied(
            "You don't have access to this part of the catalog.",
            required_scope="sql",
            workspace=place.workspace,
            **privilege,
        )
    return CatalogPermissionDenied(place.ref.catalog, place.ref.schema_name, place.ref.table, **privilege)


def _missing(place: Place, kind: str = "table", name: str = "") -> NotFound:
    """Something does not exist for this person."""
    if place.ref is not None:
        return table_not_found(place.ref)
    return NotFound(f"There is no {kind} {name}.".replace(" .", "."), error_code=f"{kind.upper()}_NOT_FOUND")


def _scope_denied(message: str, default: str, place: Place) -> PermissionDenied:
    """A token without the scope, or a person who may not use the warehouse."""
    scope = _SCOPE.search(message)
    return PermissionDenied(
        "The user token lacks a scope that this needs." if scope else "You may not use this service.",
        required_scope=scope.group(1) if scope else default,
        workspace=place.workspace,
    )


def _http_status(error: BaseException) -> int | None:
    """The HTTP status that the connector keeps beside its message."""
    context = getattr(error, "context", None) or {}
    status = context.get("http-code")
    return int(status) if status else None


def _reason(error: BaseException) -> str:
    """One short phrase; the whole error is in the log."""
    if isinstance(error, urllib3.exceptions.MaxRetryError) and error.reason is not None:
        return type(error.reason).__name__
    return type(error).__name__
