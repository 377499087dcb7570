"""``services/status.py`` against the local workspace: what is asked, as whom, and what to do when it is not fine."""

from __future__ import annotations

import time

from local_workspace.workspace import Workspace
from services.container import build
from services.settings import Settings


def test_the_warm_up_starts_a_stopped_warehouse_once(workspace: Workspace, settings: Settings) -> None:
    warehouse = workspace.warehouses.default_id
    workspace.warehouses.stop(warehouse)
    services = build(settings)
    services.start()
    try:
        for _ in range(100):
            if services.status.check("sql_warehouse", None).status == "ok":
                break
            time.sleep(0.1)
        assert services.status.check("sql_warehouse", None).status == "ok"
        workspace.warehouses.stop(warehouse)
        time.sleep(1.2)
        stopped = services.status.check("sql_warehouse", None)
        assert stopped.status == "starting"
        assert stopped.remedy == f"databricks warehouses start {warehouse}"
    finally:
        services.close()


def test_a_warehouse_that_shall_rest_is_left_alone(workspace: Workspace, settings: Settings) -> None:
    workspace.warehouses.stop(workspace.warehouses.default_id)
    services = build(settings.model_copy(update={"warm_up_warehouse": False}))
    services.start()
    try:
        time.sleep(1.5)
        assert services.status.check("sql_warehouse", None).status == "starting"
    finally:
        services.close()


def test_whatever_is_not_ok_comes_with_a_remedy(settings: Settings) -> None:
    nowhere = settings.model_copy(
        update={"databricks_host": "http://127.0.0.1:9", "outside_timeout_seconds": 1.0, "status_timeout_seconds": 2.0}
    )
    services = build(nowhere)
    try:
        report = services.status.report(None)
        for name in ("authentication", "unity_catalog", "sql_warehouse", "lakebase", "model_serving"):
            found = getattr(report, name)
            assert found.status == "unavailable", name
            assert found.remedy, name
    finally:
        services.close()
