"""REST routes of the Statement Execution API and its sessions."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import secrets
import time
import uuid
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response, request

from local_workspace.http import ApiError, body
from local_workspace.identity.authentication import authenticated, caller
from local_workspace.sql.model import Parameter, SessionOptions, SqlError
from local_workspace.warehouse.encoding import ResultFormat
from local_workspace.warehouse.object_routes import existing
from local_workspace.warehouse.operations import Operation
from local_workspace.warehouse.sessions import InvalidHandleError, WarehouseSession
from local_workspace.warehouse.statements import Chunk, Statement, Statements, Wanted
from local_workspace.warehouse.warehouses import Warehouses

_LINK_SECONDS = 15 * 60
_MEDIA_TYPES = {
    "JSON_ARRAY": "application/json",
    "ARROW_STREAM": "application/vnd.apache.arrow.stream",
    "CSV": "text/csv",
}
_HYBRID = "INLINE_OR_EXTERNAL_LINKS"


def add(routes: Blueprint, warehouses: Warehouses) -> None:
    """Register the routes. A statement belongs to the caller who sent it; for others it does not exist."""
    statements = warehouses.statements
    links = Links()
    _add_sessions(routes, warehouses)
    _add_execution(routes, warehouses, statements, links)
    _add_results(routes, statements, links)


class Links:
    """Signed, short-lived addresses of result chunks; they work without a token, as the API reference demands."""

    def __init__(self) -> None:
        """The key lives as long as the process; so do the results."""
        self._key = secrets.token_bytes(32)

    def make(self, statement_id: str, index: int) -> tuple[str, str]:
        """The address of a chunk on the host that was asked, and when it expires (ISO 8601)."""
        expires = int(time.time()) + _LINK_SECONDS
        signature = self._sign(statement_id, index, expires)
        address = f"{request.host_url}sql-results/{statement_id}/{index}?expires={expires}&signature={signature}"
        return address, datetime.fromtimestamp(expires, UTC).isoformat().replace("+00:00", "Z")

    def check(self, statement_id: str, index: int, expires: str, signature: str) -> bool:
        """Whether an address was made here and is still good."""
        if not expires.isdigit() or int(expires) < time.time():
            return False
        return hmac.compare_digest(self._sign(statement_id, index, int(expires)), signature)

    def _sign(self, statement_id: str, index: int, expires: int) -> str:
        return hmac.new(self._key, f"{statement_id}/{index}/{expires}".encode(), hashlib.sha256).hexdigest()


def _add_sessions(routes: Blueprint, warehouses: Warehouses) -> None:
    @routes.post("/api/2.0/sql/sessions")
    @routes.post("/api/2.0/sql/sessions/")
    @authenticated("sql")
    def create_session() -> dict[str, Any]:
        document = body()
        warehouse_id = _warehouse(warehouses, document)
        options = SessionOptions(document.get("catalog"), document.get("schema"), document.get("session_confs") or {})
        session = _open(warehouses, warehouse_id, options)
        return {"session_id": str(uuid.UUID(bytes=session.id))}

    @routes.delete("/api/2.0/sql/sessions/<session_id>")
    @authenticated("sql")
    def delete_session(session_id: str) -> dict[str, Any]:
        request.get_data()  # the client sends a body; unread it would spoil the connection's next request
        warehouses.sessions.close(_session(warehouses, session_id))
        return {}


def _add_execution(routes: Blueprint, warehouses: Warehouses, statements: Statements, links: Links) -> None:
    @routes.post("/api/2.0/sql/statements")
    @routes.post("/api/2.0/sql/statements/")
    @authenticated("sql")
    def execute() -> dict[str, Any]:
        document = body()
        seconds = _wait_seconds(document.get("wait_timeout", "10s"))
        cancels = document.get("on_wait_timeout", "CONTINUE")
        if cancels not in ("CONTINUE", "CANCEL"):
            raise _invalid("on_wait_timeout must be CONTINUE or CANCEL")
        statement = _begin(warehouses, document, _wanted(document))
        statements.add(statement)
        state = statement.wait(seconds)
        if seconds and cancels == "CANCEL" and state in ("PENDING", "RUNNING"):
            statement.cancel()
            statement.wait(5)
        return _described(statement, links)

    @routes.get("/api/2.0/sql/statements/<statement_id>")
    @authenticated("sql")
    def get_statement(statement_id: str) -> dict[str, Any]:
        request.get_data()
        return _described(_own(statements, statement_id), links)

    @routes.post("/api/2.0/sql/statements/<statement_id>/cancel")
    @authenticated("sql")
    def cancel_statement(statement_id: str) -> dict[str, Any]:
        _own(statements, statement_id).cancel()
        return {}

    @routes.delete("/api/2.0/sql/statements/<statement_id>")
    @authenticated("sql")
    def close_statement(statement_id: str) -> dict[str, Any]:
        request.get_data()
        _own(statements, statement_id).close()
        return {}


def _add_results(routes: Blueprint, statements: Statements, links: Links) -> None:
    @routes.get("/api/2.0/sql/statements/<statement_id>/result/chunks/<int:index>")
    @authenticated("sql")
    def get_chunk(statement_id: str, index: int) -> dict[str, Any]:
        request.get_data()
        statement = _own(statements, statement_id)
        if statement.state != "SUCCEEDED":
            raise _invalid(f"Statement {statement_id} has no result: its state is {statement.state}.")
        if not 0 <= index < len(statement.chunks):
            raise ApiError(404, "NOT_FOUND", f"Chunk {index} of statement {statement_id} does not exist.")
        return _result(statement, statement.chunks[index], links)

    @routes.get("/sql-results/<statement_id>/<int:index>")
    def download(statement_id: str, index: int) -> Response:
        """A signed address: no token is wanted here."""
        if not links.check(statement_id, index, request.args.get("expires", ""), request.args.get("signature", "")):
            raise ApiError(403, "PERMISSION_DENIED", "The link is not valid or has expired.")
        statement = statements.by_id(statement_id)
        data = statement.read(index) if statement else None
        if statement is None or data is None:
            raise ApiError(404, "NOT_FOUND", "The result is no longer available.")
        return Response(data, content_type=_MEDIA_TYPES[statement.wanted.format])


def _invalid(message: str) -> ApiError:
    return ApiError(400, "INVALID_PARAMETER_VALUE", message)


def _warehouse(warehouses: Warehouses, document: dict[str, Any]) -> str:
    warehouse_id = document.get("warehouse_id")
    if not isinstance(warehouse_id, str) or not warehouse_id:
        raise _invalid("warehouse_id is required")
    return str(existing(warehouses, warehouse_id)["id"])


def _open(warehouses: Warehouses, warehouse_id: str, options: SessionOptions) -> WarehouseSession:
    try:
        return warehouses.open_session(warehouse_id, caller(), options)
    except SqlError as error:
        raise ApiError(400, "BAD_REQUEST", str(error)) from error


def _session(warehouses: Warehouses, session_id: str) -> WarehouseSession:
    try:
        return warehouses.sessions.find(uuid.UUID(session_id).bytes, None, caller(), None)
    except (InvalidHandleError, ValueError):
        raise ApiError(404, "NOT_FOUND", f"Session {session_id} does not exist.") from None


def _own(statements: Statements, statement_id: str) -> Statement:
    statement = statements.find(statement_id, caller())
    if statement is None:
        raise ApiError(404, "NOT_FOUND", f"The statement {statement_id} was not found.")
    return statement


def _begin(warehouses: Warehouses, document: dict[str, Any], wanted: Wanted) -> Statement:
    """Start a statement in the session that the body names, or in one of its own that ends with it."""
    warehouse_id = _warehouse(warehouses, document)
    text = document.get("statement")
    if not isinstance(text, str) or not text.strip():
        raise _invalid("statement is required")
    parameters = _parameters(document.get("parameters"))
    warehouses.require(warehouse_id, caller().principal, "CAN_USE")
    session_id = document.get("session_id")
    if session_id:
        session = _session(warehouses, session_id)
    else:
        session = _open(warehouses, warehouse_id, SessionOptions(document.get("catalog"), document.get("schema")))
    operation = Operation(
        lambda: session.sql.execute(text, parameters), warehouses.lifecycle(warehouse_id), ResultFormat()
    )
    session.add(operation)

    def release() -> None:
        if session_id:
            session.drop(operation)
        else:
            warehouses.sessions.close(session)

    return Statement(operation, caller(), wanted, release)


def _parameters(items: Any) -> tuple[Parameter, ...]:
    """The body's named parameters; a missing value is NULL, a missing type STRING."""
    parameters = []
    for item in items or []:
        if not isinstance(item, dict) or not isinstance(item.get("name"), str):
            raise _invalid("a parameter is an object with a name")
        value = item.get("value")
        kind = str(item.get("type") or "STRING") if value is not None else "VOID"
        parameters.append(Parameter(item["name"], kind, None if value is None else str(value)))
    return tuple(parameters)


def _wait_seconds(text: Any) -> float:
    match = re.fullmatch(r"(\d+)s", str(text))
    seconds = int(match[1]) if match else -1
    if seconds != 0 and not 5 <= seconds <= 50:
        raise _invalid("wait_timeout must be 0s or between 5s and 50s")
    return seconds


def _wanted(document: dict[str, Any]) -> Wanted:
    disposition = document.get("disposition", "INLINE")
    form = document.get("format", "JSON_ARRAY")
    if disposition not in ("INLINE", "EXTERNAL_LINKS", _HYBRID) or form not in _MEDIA_TYPES:
        raise _invalid("unknown disposition or format")
    if disposition == "INLINE" and form != "JSON_ARRAY":
        raise _invalid("The format field must be JSON_ARRAY when the disposition field is INLINE.")
    return Wanted(
        disposition,
        form,
        document.get("result_compression") == "LZ4_FRAME" and disposition != "INLINE",
        _limit(document, "row_limit"),
        _limit(document, "byte_limit"),
    )


def _limit(document: dict[str, Any], name: str) -> int | None:
    value = document.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not str(value).isdigit() or int(value) < 1:
        raise _invalid(f"{name} must be a positive number")
    return int(value)


def _described(statement: Statement, links: Links) -> dict[str, Any]:
    """The API's answer: id and status; manifest and first chunk when it SUCCEEDED."""
    status: dict[str, Any] = {"state": statement.state}
    if statement.state == "FAILED" and statement.error is not None:
        status["error"] = {"error_code": "BAD_REQUEST", "message": str(statement.error)}
        status["sql_state"] = statement.error.sqlstate
    answer: dict[str, Any] = {"statement_id": statement.id, "status": status}
    if statement.state == "SUCCEEDED":
        answer["manifest"] = statement.manifest()
        answer["result"] = _result(statement, statement.chunks[0], links) if statement.chunks else {}
    return answer


def _result(statement: Statement, chunk: Chunk, links: Links) -> dict[str, Any]:
    """One chunk: its rows, an attachment, or a link, and where the next one is."""
    place: dict[str, Any] = {"chunk_index": chunk.index, "row_offset": chunk.row_offset, "row_count": chunk.row_count}
    following = chunk.index + 1
    if following < len(statement.chunks):
        place["next_chunk_index"] = following
        place["next_chunk_internal_link"] = f"/api/2.0/sql/statements/{statement.id}/result/chunks/{following}"
    wanted = statement.wanted
    attached = wanted.disposition == "INLINE" or (wanted.disposition == _HYBRID and len(statement.chunks) == 1)
    if not attached:
        address, expiration = links.make(statement.id, chunk.index)
        return {
            "external_links": [place | {"byte_count": chunk.size, "external_link": address, "expiration": expiration}]
        }
    data = statement.read(chunk.index) or b""
    if wanted.format == "JSON_ARRAY" and not wanted.lz4:
        return place | {"data_array": json.loads(data)}
    return place | {"attachment": base64.b64encode(data).decode("ascii")}
