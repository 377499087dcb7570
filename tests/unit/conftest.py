"""The app without a workspace."""

from __future__ import annotations

import pytest
from dash import Dash
from flask import Flask

from dashboard.app_shell import create_dash
from dashboard.identity import attach
from services.container import build
from services.settings import load


@pytest.fixture(scope="session")
def app() -> Dash:
    """The app as it is built; nothing is started, and nobody answers at the workspace's address."""
    settings = load(
        {
            "DATABRICKS_HOST": "http://127.0.0.1:9",
            "DATABRICKS_CLIENT_ID": "id",
            "DATABRICKS_CLIENT_SECRET": "secret",
            "DATABRICKS_WAREHOUSE_ID": "w",
            "LAKEBASE_INSTANCE_NAME": "db",
        }
    )
    server = Flask("test", static_folder=None)
    services = build(settings)
    attach(server.extensions, services)
    return create_dash(server, services)
