"""The workspace's SQL warehouses: objects kept in the store, their states, their sessions."""

from __future__ import annotations

import secrets
import threading
import time
from typing import Any, Protocol

from local_workspace.access import EVERYBODY_USES, Access, Open
from local_workspace.faults import Faults
from local_workspace.http import ApiError
from local_workspace.identity.model import Caller, Principal
from local_workspace.settings import LocalSettings
from local_workspace.sql.model import Session, SessionOptions
from local_workspace.store import Store
from local_workspace.warehouse.lifecycle import Lifecycle, StartPlan
from local_workspace.warehouse.sessions import Sessions, WarehouseSession
from local_workspace.warehouse.statements import Statements

DEFAULT_NAME = "lakefront-small"
STARTER_NAME = "Serverless Starter Warehouse"
"""Every new workspace on the platform has one of this name; bundles look it up."""
KIND = "sql/warehouses"
"""The warehouses' type in the permissions API."""
_HOUSEKEEPING_SECONDS = 15

_DEFAULTS: dict[str, Any] = {
    "cluster_size": "2X-Small",
    "min_num_clusters": 1,
    "max_num_clusters": 1,
    "auto_stop_mins": 120,
    "spot_instance_policy": "COST_OPTIMIZED",
    "enable_photon": True,
    "enable_serverless_compute": True,
    "warehouse_type": "PRO",
    "channel": {"name": "CHANNEL_NAME_CURRENT"},
    "tags": {},
}
"""The platform's defaults of the create call, as the REST reference states them."""

EDITABLE = frozenset({"name", *_DEFAULTS})


class OpensSessions(Protocol):
    """What the warehouses need of the SQL engine."""

    def open_session(self, caller: Caller, options: SessionOptions) -> Session:
        """Open a session for ``caller``; raises SqlError."""


class NameTakenError(ValueError):
    """Another warehouse has that name."""


class Warehouses:
    """All warehouses. Thread-safe. Their states live in memory: after a restart every warehouse is STOPPED."""

    def __init__(
        self,
        store: Store,
        engine: OpensSessions,
        settings: LocalSettings,
        faults: Faults,
        access: Access | None = None,
    ) -> None:
        """Nothing is read until ``start``. Without ``access`` everybody may use every warehouse."""
        self._objects = store.collection("sql_warehouse")
        self._engine = engine
        self._settings = settings
        self._access = access or Open()
        self.faults = faults
        self.sessions = Sessions()
        self.statements = Statements()
        self._lock = threading.Lock()
        self._lifecycles: dict[str, Lifecycle] = {}
        self._closing = threading.Event()

    @property
    def default_id(self) -> str:
        """The id of the warehouse that every workspace starts with (the oldest one)."""
        return str(self._objects.values()[0]["id"])

    def start(self) -> None:
        """Make the first warehouse when there is none, offer the faults' actions, begin housekeeping."""
        if not self._objects.values():
            for name in (DEFAULT_NAME, STARTER_NAME):
                made = self.create({"name": name}, "data-platform@example.com")
                self._access.ensure(KIND, made["id"], [EVERYBODY_USES])
        self.faults.action("sql_warehouse.stop", self._stop_all)
        self.faults.action("sql_warehouse.starting", self._restart_all)
        self.faults.action("sql_warehouse.lose_sessions", self.sessions.close_all)
        threading.Thread(target=self._housekeeping, name="warehouse-housekeeping", daemon=True).start()

    def close(self) -> None:
        """End every session and stop every warehouse."""
        self._closing.set()
        self.statements.close_all()
        self.sessions.close_all()
        for lifecycle in list(self._lifecycles.values()):
            lifecycle.stop()

    def all(self) -> list[dict[str, Any]]:
        """Every warehouse as stored: configuration, without state."""
        return self._objects.values()

    def get(self, warehouse_id: str) -> dict[str, Any] | None:
        """One warehouse's configuration."""
        return self._objects.get(warehouse_id)

    def create(self, wanted: dict[str, Any], creator: str) -> dict[str, Any]:
        """Make a warehouse; it is STOPPED.

        Raises:
            NameTakenError: the name is in use.
        """
        self._require_free(wanted["name"], None)
        warehouse_id = secrets.token_hex(8)
        document = {"id": warehouse_id, **_DEFAULTS, **wanted, "creator_name": creator}
        self._objects.put(warehouse_id, document)
        return document

    def edit(self, warehouse_id: str, wanted: dict[str, Any]) -> dict[str, Any] | None:
        """Change a warehouse's configuration; None when it does not exist.

        Raises:
            NameTakenError: the new name is in use.
        """
        if "name" in wanted:
            self._require_free(wanted["name"], warehouse_id)
        return self._objects.update(warehouse_id, lambda document: document | wanted)

    def delete(self, warehouse_id: str) -> bool:
        """Stop a warehouse and remove it with its sessions. Says whether it existed."""
        if self.get(warehouse_id) is None:
            return False
        self.stop(warehouse_id)
        for session in self.sessions.of_warehouse(warehouse_id):
            self.sessions.close(session)
        self._access.forget(KIND, warehouse_id)
        return self._objects.delete(warehouse_id)

    def stop(self, warehouse_id: str) -> None:
        """Stop a warehouse and cancel what runs on it; sessions stay, and their next statement starts it again."""
        self.lifecycle(warehouse_id).stop()
        for session in self.sessions.of_warehouse(warehouse_id):
            session.cancel_all()

    def lifecycle(self, warehouse_id: str) -> Lifecycle:
        """The states of one warehouse."""
        with self._lock:
            return self._lifecycles.setdefault(warehouse_id, Lifecycle(self._plan_start))

    def open_session(self, warehouse_id: str, caller: Caller, options: SessionOptions) -> WarehouseSession:
        """Open a session and begin to start its warehouse when that is stopped.

        Raises:
            ApiError: 403 when the caller may not use the warehouse.
            SqlError: the initial catalog does not exist or may not be used.
        """
        self.require(warehouse_id, caller.principal, "CAN_USE")
        session = self.sessions.add(self._engine.open_session(caller, options), warehouse_id, caller)
        self.lifecycle(warehouse_id).start()
        return session

    def may(self, warehouse_id: str, principal: Principal, level: str) -> bool:
        """Whether ``principal`` has the permission ``level`` on a warehouse."""
        return self._access.has(KIND, warehouse_id, principal, level)

    def require(self, warehouse_id: str, principal: Principal, level: str) -> None:
        """Refuse whoever lacks a permission.

        Raises:
            ApiError: 403.
        """
        if not self.may(warehouse_id, principal, level):
            message = f"{principal.name} is not authorized to use this SQL warehouse ({level} on {warehouse_id})."
            raise ApiError(403, "PERMISSION_DENIED", f"{message} Please contact your administrator.")

    def _plan_start(self) -> StartPlan:
        fault = self.faults.take("sql_warehouse_start")
        if fault is None:
            return StartPlan(self._settings.warehouse_start_seconds)
        failure = fault.message.rstrip(".") if fault.status or fault.drop else None
        return StartPlan(fault.delay_seconds or self._settings.warehouse_start_seconds, failure)

    def _require_free(self, name: str, but: str | None) -> None:
        if any(one["name"] == name and one["id"] != but for one in self._objects.values()):
            raise NameTakenError(f"SQL warehouse with name `{name}` already exists")

    def _stop_all(self) -> None:
        for document in self._objects.values():
            self.stop(document["id"])

    def _restart_all(self) -> None:
        for document in self._objects.values():
            self.stop(document["id"])
            self.lifecycle(document["id"]).start()

    def _housekeeping(self) -> None:
        while not self._closing.wait(_HOUSEKEEPING_SECONDS):
            self.sessions.expire()
            self.statements.expire()
            self._auto_stop()

    def _auto_stop(self) -> None:
        """Stop warehouses on which nothing has run for their ``auto_stop_mins`` (0: never)."""
        for document in self._objects.values():
            lifecycle = self.lifecycle(document["id"])
            minutes = document["auto_stop_mins"]
            idle = time.monotonic() - lifecycle.last_used
            busy = any(session.is_busy for session in self.sessions.of_warehouse(document["id"]))
            if minutes and lifecycle.state == "RUNNING" and not busy and idle > minutes * 60:
                self.stop(document["id"])
