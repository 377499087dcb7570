"""REST routes of the warehouse objects, ``/api/2.0/sql/warehouses``."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request

from local_workspace.http import ApiError, body
from local_workspace.identity.authentication import admin_only, authenticated, caller
from local_workspace.warehouse.warehouses import EDITABLE, NameTakenError, Warehouses


def add(routes: Blueprint, warehouses: Warehouses) -> None:
    """Register the routes: admins create; the rest follows the warehouse's permissions."""
    _add_reading(routes, warehouses)
    _add_writing(routes, warehouses)


def _add_reading(routes: Blueprint, warehouses: Warehouses) -> None:
    @routes.get("/api/2.0/sql/warehouses")
    @authenticated("sql")
    def list_warehouses() -> dict[str, Any]:
        seen = [one for one in warehouses.all() if warehouses.may(one["id"], caller().principal, "CAN_VIEW")]
        return {"warehouses": [_described(warehouses, one) for one in seen]}

    @routes.get("/api/2.0/sql/warehouses/<warehouse_id>")
    @authenticated("sql")
    def get_warehouse(warehouse_id: str) -> dict[str, Any]:
        return _described(warehouses, _permitted(warehouses, warehouse_id, "CAN_VIEW"))

    @routes.post("/api/2.0/sql/warehouses/<warehouse_id>/start")
    @authenticated("sql")
    def start_warehouse(warehouse_id: str) -> dict[str, Any]:
        _permitted(warehouses, warehouse_id, "CAN_USE")
        warehouses.lifecycle(warehouse_id).start()
        return {}


def _add_writing(routes: Blueprint, warehouses: Warehouses) -> None:
    @routes.post("/api/2.0/sql/warehouses")
    @authenticated("sql")
    def create_warehouse() -> dict[str, Any]:
        admin_only()
        wanted = _wanted()
        if "name" not in wanted:
            raise _invalid("Warehouse name is required")
        try:
            made = warehouses.create(wanted, caller().principal.name)
        except NameTakenError as error:
            raise ApiError(400, "INVALID_PARAMETER_VALUE", str(error)) from error
        warehouses.lifecycle(made["id"]).start()  # the platform starts a new warehouse at once
        return {"id": made["id"]}

    @routes.post("/api/2.0/sql/warehouses/<warehouse_id>/edit")
    @authenticated("sql")
    def edit_warehouse(warehouse_id: str) -> dict[str, Any]:
        _permitted(warehouses, warehouse_id, "CAN_MANAGE")
        try:
            warehouses.edit(warehouse_id, _wanted())
        except NameTakenError as error:
            raise ApiError(400, "INVALID_PARAMETER_VALUE", str(error)) from error
        return {}

    @routes.post("/api/2.0/sql/warehouses/<warehouse_id>/stop")
    @authenticated("sql")
    def stop_warehouse(warehouse_id: str) -> dict[str, Any]:
        _permitted(warehouses, warehouse_id, "CAN_MANAGE")
        warehouses.stop(warehouse_id)
        return {}

    @routes.delete("/api/2.0/sql/warehouses/<warehouse_id>")
    @authenticated("sql")
    def delete_warehouse(warehouse_id: str) -> dict[str, Any]:
        _permitted(warehouses, warehouse_id, "CAN_MANAGE")
        warehouses.delete(warehouse_id)
        return {}


def existing(warehouses: Warehouses, warehouse_id: str) -> dict[str, Any]:
    """A warehouse's configuration.

    Raises:
        ApiError: 404 when it does not exist.
    """
    document = warehouses.get(warehouse_id)
    if document is None:
        raise ApiError(404, "RESOURCE_DOES_NOT_EXIST", f"SQL warehouse {warehouse_id} does not exist.")
    return document


def _permitted(warehouses: Warehouses, warehouse_id: str, level: str) -> dict[str, Any]:
    document = existing(warehouses, warehouse_id)
    warehouses.require(warehouse_id, caller().principal, level)
    return document


def _invalid(message: str) -> ApiError:
    return ApiError(400, "INVALID_PARAMETER_VALUE", message)


_COUNTS = frozenset({"auto_stop_mins", "min_num_clusters", "max_num_clusters"})


def _wanted() -> dict[str, Any]:
    """The settings of a create or edit body; fields that local warehouses do not have are left out."""
    wanted = {key: value for key, value in body().items() if key in EDITABLE and value is not None}
    name = wanted.get("name", "-")
    if not isinstance(name, str) or not 0 < len(name) < 100:
        raise _invalid("Warehouse name must have 1 to 99 characters")
    for key in _COUNTS & wanted.keys():
        try:
            wanted[key] = int(wanted[key])
        except (TypeError, ValueError):
            raise _invalid(f"{key} must be a number") from None
    minutes = wanted.get("auto_stop_mins", 0)
    if minutes != 0 and minutes < 1:
        raise _invalid("auto_stop_mins must be 0 or at least 1")
    if wanted.get("min_num_clusters", 1) > wanted.get("max_num_clusters", 40):
        raise _invalid("min_num_clusters must not exceed max_num_clusters")
    return wanted


def _described(warehouses: Warehouses, document: dict[str, Any]) -> dict[str, Any]:
    """The platform's endpoint object: configuration, state, and how drivers connect."""
    lifecycle = warehouses.lifecycle(document["id"])
    host, _, port = request.host.partition(":")
    port = port or ("443" if request.is_secure else "80")
    path = f"/sql/1.0/warehouses/{document['id']}"
    health: dict[str, Any] = {"status": "HEALTHY"}
    if lifecycle.failure:
        health = {"status": "FAILED", "summary": "The warehouse did not start.", "details": lifecycle.failure}
    return document | {
        "size": document["cluster_size"],
        "state": lifecycle.state,
        "num_clusters": int(lifecycle.state == "RUNNING"),
        "num_active_sessions": len(warehouses.sessions.of_warehouse(document["id"])),
        "jdbc_url": f"jdbc:databricks://{host}:{port}/default;transportMode=http;ssl={int(request.is_secure)};"
        f"AuthMech=3;httpPath={path};",
        "odbc_params": {"hostname": host, "path": path, "protocol": request.scheme, "port": int(port)},
        "health": health,
    }
