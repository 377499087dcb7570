"""The state of each service, asked as the app (and, for authentication, as the person), side by side.

One slow service delays no other: each check has its own thread and the same time limit.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from contextvars import copy_context
from typing import Literal, get_args

import requests
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import DatabricksError, NotFound, PermissionDenied
from databricks.sdk.service.serving import ServingEndpoint
from databricks.sdk.service.sql import State as WarehouseState
from loguru import logger
from pydantic import BaseModel, Field

from services.errors import LakefrontError
from services.identity import User
from services.lakebase import LakebaseService
from services.model_serving import ModelServingService
from services.observability import timed
from services.settings import Settings
from services.unity_catalog import UnityCatalogService
from services.warm_up import Warming, WarmUp
from services.workspace_client import ClientFactory

ServiceName = Literal["authentication", "unity_catalog", "sql_warehouse", "lakebase", "model_serving"]
StatusWord = Literal["ok", "starting", "degraded", "unavailable"]

WARMED: tuple[ServiceName, ...] = ("unity_catalog", "sql_warehouse", "lakebase", "model_serving")
"""What the warm-up asks; authentication needs a person."""


class ServiceStatus(BaseModel):
    """One service: its state, who asked, how long it took, and what to do when it is not ok."""

    status: StatusWord
    runs_as: str = Field(description="Identity of the check.")
    latency_ms: float | None = Field(description="Time of the check, milliseconds; null when it did not end in time.")
    detail: str = Field(description="One sentence for people.")
    checked_at: float = Field(description="Seconds since the epoch.")
    remedy: str | None = Field(default=None, description="The exact GRANT or setting, when the service is not ok.")


class StatusReport(BaseModel):
    """All services, each under its name."""

    authentication: ServiceStatus
    unity_catalog: ServiceStatus
    sql_warehouse: ServiceStatus
    lakebase: ServiceStatus
    model_serving: ServiceStatus


class Health(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"
    version: str


_Finding = tuple[StatusWord, str, str | None]


class StatusService:
    """Checks services. Runs as the app's service principal; ``authentication`` looks at the user's token instead."""

    def __init__(
        self,
        settings: Settings,
        clients: ClientFactory,
        unity_catalog: UnityCatalogService,
        lakebase: LakebaseService,
        model_serving: ModelServingService,
    ) -> None:
        """No I/O."""
        self._settings = settings
        self._clients = clients
        self._unity_catalog = unity_catalog
        self._lakebase = lakebase
        self._model_serving = model_serving
        self._threads = ThreadPoolExecutor(max_workers=12, thread_name_prefix="status")
        self._warm_up = WarmUp(WARMED, self._warm)
        self._warehouse_asked = False

    def start(self) -> None:
        """Warm the services up in the background, again and again until they answer."""
        self._warm_up.start()

    def close(self) -> None:
        """Stop warming up; checks under way end on their own. Idempotent."""
        self._warm_up.stop()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def warm_up(self) -> tuple[float, dict[str, Warming]]:
        """When the process began to warm up (seconds since the epoch), and how far each service is. No outside call."""
        return self._warm_up.started_at, self._warm_up.progress()

    def check(self, name: ServiceName, user: User | None, problem: LakefrontError | None = None) -> ServiceStatus:
        """Check one service within the time limit. ``problem`` is why there is no ``user``."""
        return self._finish(name, self._begin(name, user, problem), time.monotonic())

    def report(self, user: User | None, problem: LakefrontError | None = None) -> StatusReport:
        """Check all services at once; takes as long as the slowest, at most the time limit."""
        started = time.monotonic()
        running = {name: self._begin(name, user, problem) for name in get_args(ServiceName)}
        return StatusReport.model_validate(
            {name: self._finish(name, future, started) for name, future in running.items()}
        )

    def _begin(
        self, name: ServiceName, user: User | None, problem: LakefrontError | None
    ) -> Future[tuple[_Finding, float]]:
        checks: dict[ServiceName, Callable[[], _Finding]] = {
            "authentication": lambda: self._authentication(user, problem),
            "unity_catalog": self._catalog,
            "sql_warehouse": self._warehouse,
            "lakebase": self._database,
            "model_serving": self._serving,
        }

        def run() -> tuple[_Finding, float]:
            begun = time.perf_counter()
            with timed(f"status.{name}"):
                finding = checks[name]()
            return finding, (time.perf_counter() - begun) * 1000

        return self._threads.submit(copy_context().run, run)

    def _finish(self, name: ServiceName, future: Future[tuple[_Finding, float]], started: float) -> ServiceStatus:
        runs_as = "you" if name == "authentication" else "the app"
        left = max(0.0, started + self._settings.status_timeout_seconds - time.monotonic())
        milliseconds: float | None = None
        remedy: str | None = None
        try:
            (word, detail, remedy), milliseconds = future.result(timeout=left)
        except FutureTimeout:
            word, detail = "unavailable", f"No answer within {self._settings.status_timeout_seconds:g} s."
        except LakefrontError as error:
            reason = error.technical_details.get("error_type") or error.technical_details.get("reason")
            word, detail = "unavailable", f"{error.message} ({reason})" if reason else error.message
        self._warm_up.note(name, word, detail)
        return ServiceStatus(
            status=word,
            runs_as=runs_as,
            latency_ms=None if milliseconds is None else round(milliseconds, 1),
            detail=detail,
            checked_at=time.time(),
            remedy=None if word == "ok" else remedy or self._remedy(name),
        )

    def _authentication(self, user: User | None, problem: LakefrontError | None) -> _Finding:
        if user is None:
            detail = problem.message if problem is not None else "The request carries no user token."
            return "unavailable", detail, "Declare user_api_scopes [sql, model-serving, …] for the app and restart it."
        missing = [scope for scope in ("sql", "model-serving") if user.scopes and not _has(user.scopes, scope)]
        if missing:
            return (
                "degraded",
                f"Signed in as {user.user_name}; the token lacks {', '.join(missing)}.",
                f"Add {', '.join(missing)} to the app's user_api_scopes, then restart the app.",
            )
        families = dict.fromkeys(scope.partition(".")[0] for scope in user.scopes)
        scopes = f", scopes {', '.join(families)}" if families else ""
        return "ok", f"Token of {user.user_name}{scopes}{_life(user)}.", None

    def _catalog(self) -> _Finding:
        table = self._settings.default_table
        catalog, _, rest = table.partition(".")
        schema = rest.partition(".")[0]
        principal = self._settings.databricks_client_id
        try:
            found = self._app().tables.get(table)
        except PermissionDenied:
            remedy = (
                f"GRANT USE CATALOG ON CATALOG `{catalog}` TO `{principal}`;\n"
                f"GRANT USE SCHEMA ON SCHEMA `{catalog}`.`{schema}` TO `{principal}`;\n"
                f"GRANT SELECT ON TABLE {'.'.join(f'`{part}`' for part in table.split('.'))} TO `{principal}`;"
            )
            return "degraded", f"The app may not see {table}; what people see does not depend on it.", remedy
        except NotFound:
            return "degraded", f"There is no table {table}.", "Set DEFAULT_TABLE to a table that exists."
        except (DatabricksError, requests.RequestException) as error:
            return "unavailable", f"Unity Catalog does not answer ({type(error).__name__}).", None
        return "ok", f"The catalog answers; {found.full_name} is there.", None

    def _warehouse(self) -> _Finding:
        warehouse_id = self._settings.databricks_warehouse_id
        try:
            warehouse = self._app().warehouses.get(warehouse_id)
        except PermissionDenied:
            return (
                "degraded",
                f"The app may not see warehouse {warehouse_id}.",
                f"Attach the warehouse to the app as a resource with CAN_USE (id {warehouse_id}).",
            )
        except NotFound:
            return "unavailable", f"There is no warehouse {warehouse_id}.", "Set DATABRICKS_WAREHOUSE_ID."
        except (DatabricksError, requests.RequestException) as error:
            return "unavailable", f"The warehouse API does not answer ({type(error).__name__}).", None
        name = warehouse.name or warehouse_id
        if warehouse.state is WarehouseState.RUNNING:
            rest = f"; it stops after {warehouse.auto_stop_mins} min of rest" if warehouse.auto_stop_mins else ""
            return "ok", f"Warehouse {name} is running{rest}.", None
        if warehouse.state in (WarehouseState.STARTING, WarehouseState.STOPPED, WarehouseState.STOPPING):
            word = str(warehouse.state.value).lower() if warehouse.state else "unknown"
            return "starting", f"Warehouse {name} is {word}; the next statement starts it.", None
        return "unavailable", f"Warehouse {name} was deleted.", "Set DATABRICKS_WAREHOUSE_ID."

    def _database(self) -> _Finding:
        detail = self._lakebase.check()
        return "ok", detail, None

    def _serving(self) -> _Finding:
        try:
            endpoints = list(self._app().serving_endpoints.list())
        except PermissionDenied:
            return (
                "degraded",
                "The app may not list serving endpoints.",
                "Attach an endpoint to the app with CAN_QUERY.",
            )
        except (DatabricksError, requests.RequestException) as error:
            return "unavailable", f"Model Serving does not answer ({type(error).__name__}).", None
        ready = sum(1 for one in endpoints if one.state and one.state.ready and one.state.ready.value == "READY")
        if endpoints and not ready:
            return "starting", f"{len(endpoints)} endpoints, none ready yet.", None
        updating = [one.name for one in endpoints if _is_updating(one) and one.name]
        more = f"; {', '.join(updating)} updating" if updating else ""
        return "ok", f"{ready} of {len(endpoints)} endpoints ready{more}.", None

    def _remedy(self, name: ServiceName) -> str:
        """What to do about a service that is not ok, when its check knows nothing more exact."""
        settings = self._settings
        if name == "lakebase":
            return (
                f"Attach the database to the app (CAN_CONNECT_AND_CREATE) and check LAKEBASE_INSTANCE_NAME or"
                f" LAKEBASE_ENDPOINT: {settings.lakebase_name}"
            )
        if name == "sql_warehouse":
            return f"databricks warehouses start {settings.databricks_warehouse_id}"
        return f"Check that the app reaches {settings.databricks_host}; the log names the call."

    def _app(self) -> WorkspaceClient:
        return self._clients.for_app()

    def _warm(self, name: str) -> tuple[str, str]:
        found = self.check(next(one for one in WARMED if one == name), None)
        if name == "sql_warehouse" and found.status == "starting":
            self._start_warehouse()
        return found.status, found.detail

    def _start_warehouse(self) -> None:
        """Ask a stopped warehouse to start, once in the life of the process. Runs as the app (CAN_USE is enough)."""
        if self._warehouse_asked or not self._settings.warm_up_warehouse:
            return
        self._warehouse_asked = True
        try:
            self._app().warehouses.start(self._settings.databricks_warehouse_id)
        except (DatabricksError, LakefrontError, requests.RequestException) as error:
            logger.bind(error_type=type(error).__name__).warning("the warehouse could not be asked to start")


def _has(scopes: tuple[str, ...], wanted: str) -> bool:
    return wanted in scopes or "all-apis" in scopes


def _life(user: User) -> str:
    if user.token_expires_at is None:
        return ""
    return f"; {max(0, round((user.token_expires_at - time.time()) / 60))} min left"


def _is_updating(endpoint: ServingEndpoint) -> bool:
    update = endpoint.state.config_update if endpoint.state else None
    return update is not None and update.value == "IN_PROGRESS"
