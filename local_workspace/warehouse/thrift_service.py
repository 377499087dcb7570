"""The connector's Thrift service, TCLIService, for one request of one authenticated caller.

The service definition is the one whose generated classes come with databricks-sql-connector; result formats and
direct results follow what that client expects.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from databricks.sql.thrift_api.TCLIService import TCLIService, ttypes
from thrift.protocol.TBinaryProtocol import TBinaryProtocolAccelerated
from thrift.transport import TTransport

from local_workspace.faults import Fault
from local_workspace.http import ApiError
from local_workspace.identity.model import Caller
from local_workspace.sql.model import Parameter, SessionOptions, SqlError
from local_workspace.warehouse import catalog_calls, encoding
from local_workspace.warehouse.encoding import ResultFormat
from local_workspace.warehouse.operations import Operation
from local_workspace.warehouse.results import Ready
from local_workspace.warehouse.sessions import InvalidHandleError, WarehouseSession
from local_workspace.warehouse.warehouses import Warehouses

EXECUTE_SECONDS = 1.0
"""How long ExecuteStatement waits: until it has answered, its client holds no handle and cannot cancel."""

POLL_SECONDS = 0.5
"""How long a state is held back while nothing changes: the client polls without sleeping, and cancel waits for it."""

_SYNCHRONOUS_SECONDS = 60.0
_PROTOCOL = ttypes.TProtocolVersion.SPARK_CLI_SERVICE_PROTOCOL_V7
_STAGING_STATEMENT = re.compile(r"^\s*(PUT|GET|REMOVE|RM|LIST|LS)\s+['\"]?(/Volumes/|dbfs:|file:|/)", re.IGNORECASE)

_STATES = {
    "PENDING": ttypes.TOperationState.PENDING_STATE,
    "RUNNING": ttypes.TOperationState.RUNNING_STATE,
    "FINISHED": ttypes.TOperationState.FINISHED_STATE,
    "ERROR": ttypes.TOperationState.ERROR_STATE,
    "CANCELED": ttypes.TOperationState.CANCELED_STATE,
    "CLOSED": ttypes.TOperationState.CLOSED_STATE,
}

_STAGING = SqlError(
    "UNSUPPORTED_FEATURE.VOLUME_FILES", "Moving files to and from volumes is not supported by this workspace.", "0A000"
)


def success() -> ttypes.TStatus:
    """The status of an answer that worked."""
    return ttypes.TStatus(ttypes.TStatusCode.SUCCESS_STATUS)


def failure(error: SqlError) -> ttypes.TStatus:
    """The status of an answer that did not; the client shows ``errorMessage``."""
    return ttypes.TStatus(
        ttypes.TStatusCode.ERROR_STATUS, sqlState=error.sqlstate, errorMessage=str(error), displayMessage=str(error)
    )


def parameters_of(request: ttypes.TExecuteStatementReq) -> tuple[Parameter, ...]:
    """The request's bound parameters. A NULL is told by its type, VOID, as its value may be any text."""
    return tuple(
        Parameter(
            one.name,
            one.type or "STRING",
            None if (one.type or "").upper() == "VOID" or one.value is None else _value(one.value),
            _arguments(one.arguments),
        )
        for one in request.parameters or []
    )


def _arguments(arguments: list[Any] | None) -> tuple[Parameter, ...]:
    return tuple(
        Parameter(
            None,
            one.type or "STRING",
            None if (one.type or "").upper() == "VOID" else one.value,
            _arguments(one.arguments),
        )
        for one in arguments or []
    )


def _value(value: ttypes.TSparkParameterValue) -> str | None:
    for one in (value.stringValue, value.doubleValue, value.booleanValue):
        if one is not None:
            return str(one)
    return None


class ThriftService:
    """Answers one HTTP request's call as ``caller`` on the warehouse ``warehouse_id``.

    Attributes:
        fault: set when a fault must be answered instead: a status, or a cut connection.
        refused: set when the caller may not use the warehouse: an HTTP status, as on the platform.
    """

    def __init__(
        self, warehouses: Warehouses, catalogs: catalog_calls.Catalogs, warehouse_id: str, caller: Caller, path: str
    ) -> None:
        """``path`` is the request's path, which faults may match."""
        self._warehouses = warehouses
        self._catalogs = catalogs
        self._warehouse_id = warehouse_id
        self._caller = caller
        self._path = path
        self.fault: Fault | None = None
        self.refused: ApiError | None = None

    def answer(self, message: bytes) -> bytes:
        """One binary-protocol message in, one out. Statements may be long: only the message bounds what is in it."""
        out, most = TTransport.TMemoryBuffer(), len(message)
        TCLIService.Processor(self).process(
            TBinaryProtocolAccelerated(
                TTransport.TMemoryBuffer(message), string_length_limit=most, container_length_limit=most
            ),
            TBinaryProtocolAccelerated(out),
        )
        data: bytes = out.getvalue()
        return data

    def __getattr__(self, name: str) -> Callable[[Any], Any]:
        """The generated processor asks for methods by their names in the service definition."""
        if name not in _CALLS:
            raise AttributeError(name)
        response, method = _CALLS[name]
        return partial(self._answer, name, response, method)

    def _answer(
        self, name: str, response: Callable[..., Any], method: Callable[[ThriftService, Any], Any], request: Any
    ) -> Any:
        """Run one call; whatever goes wrong becomes a TStatus, as an exception would reach the client without cause."""
        if not self._passes_faults(name, request):
            return response(status=success())
        try:
            return method(self, request)
        except InvalidHandleError:
            kind = "OperationHandle" if hasattr(request, "operationHandle") else "SessionHandle"
            status = ttypes.TStatus(
                ttypes.TStatusCode.INVALID_HANDLE_STATUS, sqlState="08003", errorMessage=f"Invalid {kind}."
            )
            return response(status=status)
        except SqlError as error:
            return response(status=failure(error))
        except ApiError as error:
            self.refused = error
            return response(status=success())

    def _passes_faults(self, name: str, request: Any) -> bool:
        """Apply delays and lost sessions; False when a status or a cut connection is to be answered."""
        target = f"{self._path} {name} {getattr(request, 'statement', '')}"
        if self._warehouses.faults.take("sql_warehouse_session", target) is not None:
            self._lose_session(request)
        fault = self._warehouses.faults.take("sql_warehouse", target)
        if fault is None:
            return True
        if fault.drop or fault.status:
            self.fault = fault
            return False
        time.sleep(fault.delay_seconds)
        return True

    def _lose_session(self, request: Any) -> None:
        handle = getattr(request, "sessionHandle", None)
        try:
            if handle is not None:
                self._warehouses.sessions.close(self._session(handle))
            else:
                self._warehouses.sessions.close(self._operation(request.operationHandle)[0])
        except (InvalidHandleError, AttributeError):
            return  # nothing is open that could be lost

    # --- sessions

    def open_session(self, request: ttypes.TOpenSessionReq) -> ttypes.TOpenSessionResp:
        """Open a session; a stopped warehouse begins to start, and statements wait for it."""
        space = request.initialNamespace
        options = SessionOptions(
            catalog=space.catalogName if space else None,
            schema=space.schemaName if space else None,
            configuration=dict(request.configuration or {}),
        )
        session = self._warehouses.open_session(self._warehouse_id, self._caller, options)
        handle = ttypes.TSessionHandle(ttypes.THandleIdentifier(session.id, session.secret), _PROTOCOL)
        return ttypes.TOpenSessionResp(
            status=success(),
            serverProtocolVersion=_PROTOCOL,
            sessionHandle=handle,
            configuration={},
            initialNamespace=ttypes.TNamespace(session.sql.catalog, session.sql.schema),
            canUseMultipleCatalogs=True,
        )

    def close_session(self, request: ttypes.TCloseSessionReq) -> ttypes.TCloseSessionResp:
        """Close a session; what runs in it is interrupted."""
        self._warehouses.sessions.close(self._session(request.sessionHandle))
        return ttypes.TCloseSessionResp(success())

    def get_info(self, request: ttypes.TGetInfoReq) -> ttypes.TGetInfoResp:
        """The server's names."""
        self._session(request.sessionHandle)
        kinds = ttypes.TGetInfoType
        known = {kinds.CLI_SERVER_NAME: "Spark SQL", kinds.CLI_DBMS_NAME: "Spark SQL", kinds.CLI_DBMS_VER: "4.0.0"}
        if request.infoType not in known:
            raise SqlError("UNSUPPORTED_FEATURE.GET_INFO", "This information is not available.", "0A000")
        return ttypes.TGetInfoResp(success(), ttypes.TGetInfoValue(stringValue=known[request.infoType]))

    def refuse(self, request: Any) -> Any:  # noqa: ARG002 - refused whatever it asks
        """Calls that this service does not offer.

        Raises:
            SqlError: always.
        """
        raise SqlError("UNSUPPORTED_FEATURE", "This call is not supported.", "0A000")

    # --- statements

    def execute_statement(self, request: ttypes.TExecuteStatementReq) -> ttypes.TExecuteStatementResp:
        """Start a statement. Its own failure is told by the operation's state, not by this answer's status."""
        self._warehouses.require(self._warehouse_id, self._caller.principal, "CAN_USE")
        session = self._session(request.sessionHandle)
        statement = request.statement or ""
        parameters = parameters_of(request)
        limit = request.resultRowLimit or None

        def begin() -> Any:
            if _STAGING_STATEMENT.match(statement):
                return Ready(statement, error=_STAGING)
            return session.sql.execute(statement, parameters, row_limit=limit)

        operation = Operation(
            begin,
            self._warehouses.lifecycle(self._warehouse_id),
            ResultFormat.of(request),
            _timeout(session, request.queryTimeout),
        )
        session.add(operation)
        direct = request.getDirectResults
        if request.runAsync is False:
            operation.wait(_SYNCHRONOUS_SECONDS if direct is None else EXECUTE_SECONDS)
        elif direct is not None:
            operation.wait(EXECUTE_SECONDS)
        return ttypes.TExecuteStatementResp(success(), _handle(operation), self._direct(session, operation, direct))

    def _direct(
        self, session: WarehouseSession, operation: Operation, wanted: ttypes.TSparkGetDirectResults | None
    ) -> ttypes.TSparkDirectResults | None:
        """All that is known already, and the first page; closes the operation when that page is the last."""
        if wanted is None:
            return None
        results = ttypes.TSparkDirectResults(operationStatus=_status(operation))
        if operation.state != "FINISHED":
            return results
        try:
            results.resultSetMetadata = encoding.metadata(operation.execution, operation.form)
            table, first, more = operation.fetch(wanted.maxRows, wanted.maxBytes)
        except SqlError as error:
            return ttypes.TSparkDirectResults(operationStatus=_error_status(error))
        results.resultSet = ttypes.TFetchResultsResp(
            status=success(),
            hasMoreRows=more,
            # Its description stands beside it: sent twice, clients would spend more on reading it than on the rows.
            results=encoding.row_set(table, operation.columns, operation.form, first),
        )
        if not more:
            results.closeOperation = ttypes.TCloseOperationResp(success())
            session.drop(operation)
        return results

    def get_operation_status(self, request: ttypes.TGetOperationStatusReq) -> ttypes.TGetOperationStatusResp:
        """The state, held back for a while as long as it does not change."""
        _, operation = self._operation(request.operationHandle)
        operation.wait(POLL_SECONDS)
        return _status(operation)

    def get_result_set_metadata(self, request: ttypes.TGetResultSetMetadataReq) -> ttypes.TGetResultSetMetadataResp:
        """The description of the result; an error for a statement that failed or was cancelled."""
        _, operation = self._operation(request.operationHandle)
        _require_result(operation)
        return encoding.metadata(operation.execution, operation.form)

    def fetch_results(self, request: ttypes.TFetchResultsReq) -> ttypes.TFetchResultsResp:
        """The next page with the description of the result."""
        _, operation = self._operation(request.operationHandle)
        _require_result(operation)
        start = request.startRowOffset
        if request.orientation == ttypes.TFetchOrientation.FETCH_FIRST:
            start = 0
        elif request.orientation not in (None, ttypes.TFetchOrientation.FETCH_NEXT):
            raise SqlError("UNSUPPORTED_FEATURE.FETCH_ORIENTATION", "This fetch orientation is not supported.", "HY106")
        table, first, more = operation.fetch(request.maxRows, request.maxBytes, start)
        return ttypes.TFetchResultsResp(
            status=success(),
            hasMoreRows=more,
            results=encoding.row_set(table, operation.columns, operation.form, first),
            resultSetMetadata=encoding.metadata(operation.execution, operation.form),
        )

    def close_operation(self, request: ttypes.TCloseOperationReq) -> ttypes.TCloseOperationResp:
        """Free an operation."""
        session, operation = self._operation(request.operationHandle)
        session.drop(operation)
        return ttypes.TCloseOperationResp(success())

    def cancel_operation(self, request: ttypes.TCancelOperationReq) -> ttypes.TCancelOperationResp:
        """Stop a statement."""
        _, operation = self._operation(request.operationHandle)
        operation.cancel()
        return ttypes.TCancelOperationResp(success())

    # --- metadata

    def list_objects(self, call: catalog_calls.Call, response: Callable[..., Any], request: Any) -> Any:
        """Answer a metadata call with what the caller may see. Always column-based: such requests name no format."""
        session = self._session(request.sessionHandle)
        if getattr(session.sql, "in_transaction", False):
            raise SqlError("UNSUPPORTED_FEATURE", "not supported within a multi-statement transaction.", "0A000")
        columns, table = call(self._catalogs, self._caller.principal, request)
        ready = Ready(call.__name__, table=table, columns=columns)
        operation = Operation(lambda: ready, None, encoding.COLUMNS_ONLY)
        session.add(operation)
        return response(success(), _handle(operation), self._direct(session, operation, request.getDirectResults))

    # --- handles

    def _session(self, handle: ttypes.TSessionHandle) -> WarehouseSession:
        identifier = handle.sessionId
        return self._warehouses.sessions.find(
            identifier.guid, identifier.secret or b"", self._caller, self._warehouse_id
        )

    def _operation(self, handle: ttypes.TOperationHandle) -> tuple[WarehouseSession, Operation]:
        identifier = handle.operationId
        return self._warehouses.sessions.find_operation(
            identifier.guid, identifier.secret or b"", self._caller, self._warehouse_id
        )


def _handle(operation: Operation) -> ttypes.TOperationHandle:
    return ttypes.TOperationHandle(
        operationId=ttypes.THandleIdentifier(operation.id, operation.secret),
        operationType=ttypes.TOperationType.EXECUTE_STATEMENT,
        hasResultSet=True,
    )


def _status(operation: Operation) -> ttypes.TGetOperationStatusResp:
    state = operation.state
    if state == "ERROR":
        return _error_status(operation.error or SqlError("INTERNAL_ERROR", "The statement failed.", "XX000"))
    answer = ttypes.TGetOperationStatusResp(status=success(), operationState=_STATES[state], hasResultSet=True)
    if state == "FINISHED":
        answer.numModifiedRows = operation.execution.rows_affected
    return answer


def _error_status(error: SqlError) -> ttypes.TGetOperationStatusResp:
    return ttypes.TGetOperationStatusResp(
        status=success(),
        operationState=ttypes.TOperationState.ERROR_STATE,
        sqlState=error.sqlstate,
        errorMessage=str(error),
        displayMessage=str(error),
        diagnosticInfo=str(error),
        hasResultSet=True,
    )


def _require_result(operation: Operation) -> None:
    """Raise the operation's error, or that it is not finished."""
    state = operation.wait(POLL_SECONDS)
    if state == "FINISHED":
        return
    raise operation.error or SqlError("OPERATION_NOT_FINISHED", "The statement has not finished.", "HY010")


def _timeout(session: WarehouseSession, asked: int | None) -> float:
    """The statement's limit in seconds, 0 for none: the request's, else the session's STATEMENT_TIMEOUT."""
    if asked:
        return float(asked)
    for key, value in session.sql.configuration.items():
        if key.lower() == "statement_timeout" and str(value).isdigit():
            return float(value)
    return 0


def _listing(call: catalog_calls.Call, response: Callable[..., Any]) -> tuple[Callable[..., Any], Callable[..., Any]]:
    return response, lambda service, request: service.list_objects(call, response, request)


def _open_session_failed(**values: Any) -> ttypes.TOpenSessionResp:
    """Even a refused OpenSession must name a protocol version."""
    return ttypes.TOpenSessionResp(serverProtocolVersion=_PROTOCOL, **values)


_CALLS: dict[str, tuple[Callable[..., Any], Callable[[ThriftService, Any], Any]]] = {
    "OpenSession": (_open_session_failed, ThriftService.open_session),
    "CloseSession": (ttypes.TCloseSessionResp, ThriftService.close_session),
    "GetInfo": (ttypes.TGetInfoResp, ThriftService.get_info),
    "ExecuteStatement": (ttypes.TExecuteStatementResp, ThriftService.execute_statement),
    "GetOperationStatus": (ttypes.TGetOperationStatusResp, ThriftService.get_operation_status),
    "GetResultSetMetadata": (ttypes.TGetResultSetMetadataResp, ThriftService.get_result_set_metadata),
    "FetchResults": (ttypes.TFetchResultsResp, ThriftService.fetch_results),
    "CloseOperation": (ttypes.TCloseOperationResp, ThriftService.close_operation),
    "CancelOperation": (ttypes.TCancelOperationResp, ThriftService.cancel_operation),
    "GetCatalogs": _listing(catalog_calls.get_catalogs, ttypes.TGetCatalogsResp),
    "GetSchemas": _listing(catalog_calls.get_schemas, ttypes.TGetSchemasResp),
    "GetTables": _listing(catalog_calls.get_tables, ttypes.TGetTablesResp),
    "GetColumns": _listing(catalog_calls.get_columns, ttypes.TGetColumnsResp),
    "GetTableTypes": _listing(catalog_calls.get_table_types, ttypes.TGetTableTypesResp),
    "GetFunctions": _listing(catalog_calls.get_functions, ttypes.TGetFunctionsResp),
    "GetPrimaryKeys": _listing(catalog_calls.get_primary_keys, ttypes.TGetPrimaryKeysResp),
    "GetCrossReference": _listing(catalog_calls.get_cross_reference, ttypes.TGetCrossReferenceResp),
    "GetTypeInfo": _listing(catalog_calls.get_type_info, ttypes.TGetTypeInfoResp),
    "GetDelegationToken": (ttypes.TGetDelegationTokenResp, ThriftService.refuse),
    "CancelDelegationToken": (ttypes.TCancelDelegationTokenResp, ThriftService.refuse),
    "RenewDelegationToken": (ttypes.TRenewDelegationTokenResp, ThriftService.refuse),
}
