"""How the local workspace is started: a plain value, built by the command line and by tests."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

PLATFORM_TAXI_ROWS = 21_932
"""Rows of ``samples.nyctaxi.trips`` on Databricks; the default size of the synthetic table."""


@dataclass(frozen=True, slots=True)
class LocalSettings:
    """Start options.

    Attributes:
        state: the folder that keeps everything between runs.
        port: port of the plain-http address; 0 picks a free one.
        tls_port: port of the https address; 0 picks a free one.
        taxi_rows: rows of the synthetic ``samples.nyctaxi.trips``.
        token_seconds: life of an access token, seconds.
        warehouse_start_seconds: how long a stopped warehouse takes to start, seconds.
        postgres_version: major version of the Postgres behind Lakebase, 16 or 18.
        sample_data: whether the sample data is made for a new state folder.
        sample_records: the account that gets a few Lakebase records at the first start of an app, or None.
        app: folder of the app to run behind a front door, or None for the workspace alone.
        front_door_port: port of that front door; 0 picks a free one.
        app_start_seconds: how long the app may take until it answers, seconds.
    """

    state: Path
    port: int = 0
    tls_port: int = 0
    taxi_rows: int = PLATFORM_TAXI_ROWS
    token_seconds: float = 3600
    warehouse_start_seconds: float = 2.0
    postgres_version: int = 16
    sample_data: bool = False
    sample_records: str | None = None
    app: Path | None = None
    front_door_port: int = 0
    app_start_seconds: float = 60
