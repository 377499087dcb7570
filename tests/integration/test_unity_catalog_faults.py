"""Unity Catalog when services fail: lost sessions, a warehouse that is down, starting or slow, a revoked token."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from databricks.sdk import WorkspaceClient

from local_workspace.workspace import Workspace
from services.container import Services
from services.errors import AuthRequired, LakefrontError, WarehouseUnavailable, WorkspaceUnavailable
from services.identity import User
from services.unity_catalog import UnityCatalogService
from services.unity_catalog.models import RowsRequest, TableRef

TRIPS = TableRef.of("samples", "nyctaxi", "trips")
ONE = RowsRequest(limit=1)


@pytest.fixture
def catalog(services: Services, workspace: Workspace) -> Iterator[UnityCatalogService]:
    """A service with a pool of its own, and no fault left behind."""
    made = UnityCatalogService(services.settings, services.clients)
    yield made
    workspace.faults.clear()
    made.close()


def fault(workspace: Workspace, **options: Any) -> None:
    workspace.faults.set({"faults": [options]})


def test_all_sessions_lost_at_once_are_replaced_unseen(
    catalog: UnityCatalogService, workspace: Workspace, user: Callable[..., User]
) -> None:
    analyst = user()
    first = catalog.rows(analyst, TRIPS, ONE)
    workspace.faults.set({"actions": ["sql_warehouse.lose_sessions"]})
    again = catalog.rows(analyst, TRIPS, ONE)
    assert again.rows == first.rows
    assert catalog.pool_statistics() == {"idle": 1, "in_use": 0, "people": 1}


def test_a_session_lost_in_the_middle_of_its_statement_is_replaced(
    catalog: UnityCatalogService, workspace: Workspace, user: Callable[..., User]
) -> None:
    analyst = user()
    first = catalog.rows(analyst, TRIPS, ONE)
    fault(workspace, service="sql_warehouse_session", match="LIMIT", times=1)
    assert catalog.rows(analyst, TRIPS, ONE).rows == first.rows


def test_a_warehouse_that_is_down_is_an_error_within_seconds(
    catalog: UnityCatalogService, workspace: Workspace, user: Callable[..., User]
) -> None:
    analyst = user()
    catalog.table(analyst, TRIPS)
    fault(workspace, service="sql_warehouse", status=503, retry_after=1)
    started = time.monotonic()
    with pytest.raises(WarehouseUnavailable) as caught:
        catalog.rows(analyst, TRIPS, ONE)
    assert time.monotonic() - started < 15
    assert caught.value.retry_after
    assert caught.value.technical_details["warehouse_id"] == workspace.warehouses.default_id
    workspace.faults.clear()
    assert len(catalog.rows(analyst, TRIPS, ONE).rows) == 1


def test_a_workspace_that_is_not_there_is_an_error_within_seconds(
    services: Services, user: Callable[..., User]
) -> None:
    nowhere = services.settings.model_copy(update={"databricks_host": "http://127.0.0.1:1"})
    alone = UnityCatalogService(nowhere, services.clients)
    started = time.monotonic()
    with pytest.raises(WarehouseUnavailable):
        alone.rows(user(), TRIPS, ONE)
    assert time.monotonic() - started < 15
    alone.close()


def test_a_stopped_warehouse_starts_and_the_statement_waits_by_itself(
    catalog: UnityCatalogService, workspace: Workspace, user: Callable[..., User]
) -> None:
    analyst = user()
    catalog.rows(analyst, TRIPS, ONE)
    environment = workspace.environment()
    WorkspaceClient(
        host=environment["DATABRICKS_HOST"],
        client_id=environment["DATABRICKS_CLIENT_ID"],
        client_secret=environment["DATABRICKS_CLIENT_SECRET"],
    ).warehouses.stop(workspace.warehouses.default_id)
    deadline = time.monotonic() + 5
    while catalog.warehouse_state().state == "RUNNING" and time.monotonic() < deadline:
        time.sleep(0.1)
    fault(workspace, service="sql_warehouse_start", delay_seconds=2.0, times=1)
    page = catalog.rows(analyst, TRIPS, ONE)
    assert len(page.rows) == 1
    assert page.query.elapsed_ms >= 1000


def test_an_expired_token_is_401(
    catalog: UnityCatalogService, services: Services, token: Callable[..., str], user: Callable[..., User]
) -> None:
    known = services.identity.resolve(token("analyst@example.com", seconds=2))
    catalog.table(known, TRIPS)
    time.sleep(2.1)
    with pytest.raises(AuthRequired):
        catalog.rows(known, TRIPS, ONE)
    with pytest.raises(AuthRequired):
        catalog.tables(known, "samples", "nyctaxi")


def test_a_catalog_that_fails_is_503_and_nothing_is_kept_of_it(
    catalog: UnityCatalogService, workspace: Workspace, user: Callable[..., User]
) -> None:
    fault(workspace, service="unity_catalog", status=500)
    with pytest.raises(WorkspaceUnavailable):
        catalog.schemas(user(), "samples")
    workspace.faults.clear()
    assert [one.name for one in catalog.schemas(user(), "samples").schemas] == ["nyctaxi"]


def test_no_error_holds_the_token(
    catalog: UnityCatalogService, workspace: Workspace, user: Callable[..., User]
) -> None:
    analyst = user()
    catalog.table(analyst, TRIPS)
    fault(workspace, service="sql_warehouse", status=500, message=f"Bearer {analyst.access_token}")
    with pytest.raises(LakefrontError) as caught:
        catalog.rows(analyst, TRIPS, ONE)
    assert analyst.access_token not in repr(caught.value.technical_details) + caught.value.message
