"""The routes of the SQL warehouses: Thrift, Statement Execution, warehouse objects, the connector's side calls."""

from __future__ import annotations

import re
import struct
from typing import Any

from flask import Blueprint, Response, request
from thrift.Thrift import TException

from local_workspace.http import ApiError, apply_http_fault, body, not_implemented
from local_workspace.identity.authentication import authenticated, caller
from local_workspace.warehouse import object_routes, statement_routes
from local_workspace.warehouse.catalog_calls import Catalogs
from local_workspace.warehouse.thrift_service import ThriftService
from local_workspace.warehouse.warehouses import Warehouses

_THRIFT = "application/x-thrift"


def blueprint(warehouses: Warehouses, metastore: Catalogs) -> Blueprint:
    """All routes of this part. Every route needs a token with the scope ``sql`` unless its function says otherwise."""
    routes = Blueprint("warehouse", __name__)
    _add_thrift(routes, warehouses, metastore)
    _add_side_calls(routes)
    _add_faults(routes, warehouses)
    object_routes.add(routes, warehouses)
    statement_routes.add(routes, warehouses)

    # Whatever else lies below these paths is refused as unknown, also with methods that a known path lacks.
    @routes.route("/api/2.0/sql/<path:rest>", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    @authenticated()
    def unknown(rest: str) -> Response:
        raise not_implemented(f"api/2.0/sql/{rest}")

    return routes


def _add_thrift(routes: Blueprint, warehouses: Warehouses, catalogs: Catalogs) -> None:
    @routes.post("/sql/1.0/warehouses/<warehouse_id>")
    @routes.post("/sql/1.0/endpoints/<warehouse_id>")
    @authenticated("sql")
    def thrift(warehouse_id: str) -> Response:
        return _answer_thrift(warehouses, catalogs, warehouse_id)

    @routes.post("/sql/protocolv1/o/<org>/<cluster>")
    @authenticated("sql")
    def thrift_of_cluster(org: str, cluster: str) -> Response:  # noqa: ARG001 - one workspace, whatever its number
        return _answer_thrift(warehouses, catalogs, cluster)

    @routes.after_request
    def explain(response: Response) -> Response:
        """The connector shows an error's text from headers only."""
        if response.status_code >= 400 and request.path.startswith("/sql/"):
            document = response.get_json(silent=True)
            if isinstance(document, dict):
                text = re.sub(r"[^\x20-\x7e]+", " ", str(document.get("message", "")))
                response.headers["x-thriftserver-error-message"] = text
                response.headers.setdefault("x-databricks-reason-phrase", text)
        return response


def _answer_thrift(warehouses: Warehouses, catalogs: Catalogs, warehouse_id: str) -> Response:
    """One Thrift call as the caller.

    Raises:
        ApiError: 404 without the warehouse, 403 when the caller may not use it, 400 for what is no Thrift message.
    """
    if warehouses.get(warehouse_id) is None:
        raise ApiError(404, "RESOURCE_DOES_NOT_EXIST", f"SQL warehouse {warehouse_id} does not exist.")
    service = ThriftService(warehouses, catalogs, warehouse_id, caller(), request.path)
    try:
        answer = service.answer(request.get_data(cache=False))
    except (TException, EOFError, ValueError, TypeError, struct.error) as error:
        raise ApiError(400, "BAD_REQUEST", "The body is not a Thrift message.") from error
    if service.fault is not None:
        apply_http_fault(service.fault)
    if service.refused is not None:
        raise service.refused
    return Response(answer, content_type=_THRIFT)


def _add_faults(routes: Blueprint, warehouses: Warehouses) -> None:
    @routes.before_request
    def apply_fault() -> None:
        """REST calls: the fault may name the path or the statement. Thrift calls look for themselves."""
        if request.path.startswith("/api/2.0/sql/"):
            statement = (request.get_json(silent=True) or {}).get("statement", "") if request.is_json else ""
            fault = warehouses.faults.take("sql_warehouse", f"{request.path} {statement}")
            if fault is not None:
                apply_http_fault(fault)


def _add_side_calls(routes: Blueprint) -> None:
    """What the connector asks for beside SQL."""

    @routes.get("/api/2.0/connector-service/feature-flags/<path:client>")
    @authenticated()
    def feature_flags(client: str) -> dict[str, Any]:  # noqa: ARG001 - no client has any
        return {"flags": [], "ttl_seconds": 900}

    @routes.post("/telemetry-ext")
    @authenticated()
    def telemetry() -> dict[str, Any]:
        return _count_telemetry()

    @routes.post("/telemetry-unauth")
    def telemetry_unauthenticated() -> dict[str, Any]:
        """Open to everybody, as on the platform; what is sent is counted and thrown away."""
        return _count_telemetry()


def _count_telemetry() -> dict[str, Any]:
    logs = body().get("protoLogs")
    return {"errors": [], "numSuccess": 0, "numProtoSuccess": len(logs) if isinstance(logs, list) else 0}
