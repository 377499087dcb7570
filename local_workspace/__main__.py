"""``python -m local_workspace``: run the local workspace, alone or with an app behind its front door."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from pathlib import Path

from rich.console import Console

from local_workspace.app_data import SampleData
from local_workspace.apps.local_app import AppError, LocalApp
from local_workspace.lock import StateError
from local_workspace.server import AddressTakenError
from local_workspace.settings import PLATFORM_TAXI_ROWS, LocalSettings
from local_workspace.workspace import Workspace


def main(arguments: list[str] | None = None) -> int:
    """Run until SIGINT or SIGTERM. Returns the exit status: 0 after a clean stop, 1 when it could not start."""
    settings = _settings(arguments)
    console = Console(stderr=True, highlight=False)
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    workspace = Workspace(settings)
    try:
        workspace.start()
    except (StateError, AddressTakenError) as error:
        console.print(f"[bold red]Not started:[/] {error}")
        return 1
    samples = SampleData(workspace)
    try:
        if settings.sample_data:
            samples.tables()
        if settings.app is not None:
            return _run_app(workspace, samples, console, stopped)
        sys.stdout.write(workspace.environment_file.read_text())
        sys.stdout.flush()
        console.print(f"Local workspace at [bold]{workspace.url}[/]. Ctrl-C stops it.")
        stopped.wait()
    finally:
        samples.stop()
        workspace.stop()
    return 0


def _run_app(workspace: Workspace, samples: SampleData, console: Console, stopped: threading.Event) -> int:
    settings = workspace.settings
    folder = settings.app or Path()
    app = LocalApp(
        workspace.site, workspace.warehouses, workspace.lakebase, settings.state, folder, settings.front_door_port
    )
    try:
        app.start(stopped)
    except (AppError, AddressTakenError) as error:
        console.print(f"[bold red]Not started:[/] {error}")
        app.stop()
        return 1
    if settings.sample_records:
        samples.records(app.variables, settings.sample_records)
    try:
        if not stopped.is_set():
            console.print(f"Lakefront is at [bold]{app.url}[/] (signed in as analyst@example.com). Ctrl-C stops it.")
        while not stopped.wait(0.5):
            if (status := app.exit_status()) is not None:
                console.print(f"[bold red]The app stopped[/] with exit status {status}; its log is above.")
                return 1
    finally:
        app.stop()
    return 0


def _settings(arguments: list[str] | None) -> LocalSettings:
    parser = argparse.ArgumentParser(prog="python -m local_workspace", description=__doc__)
    parser.add_argument("--state", type=Path, default=Path(".local"), help="folder that keeps everything between runs")
    parser.add_argument("--port", type=int, default=0, help="port of the workspace (default: a free one)")
    parser.add_argument("--tls-port", type=int, default=0, help="its port over TLS (default: a free one)")
    parser.add_argument("--taxi-rows", type=int, default=PLATFORM_TAXI_ROWS, help="rows of samples.nyctaxi.trips")
    parser.add_argument("--token-seconds", type=float, default=3600, help="life of an access token")
    parser.add_argument(
        "--warehouse-start-seconds", type=float, default=2.0, help="how long a warehouse takes to start"
    )
    parser.add_argument("--postgres-version", type=int, choices=(16, 18), default=16, help="Postgres behind Lakebase")
    parser.add_argument("--app", type=Path, help="folder of an app to run behind the front door")
    parser.add_argument("--sample-data", action="store_true", help="run scripts/setup_sample_data.py once per state")
    parser.add_argument("--sample-records", metavar="ACCOUNT", help="and a few Lakebase records of this account")
    parser.add_argument("--front-door-port", type=int, default=0, help="port of the front door")
    chosen = parser.parse_args(arguments)
    return LocalSettings(
        state=chosen.state.absolute(),
        port=chosen.port,
        tls_port=chosen.tls_port,
        taxi_rows=chosen.taxi_rows,
        token_seconds=chosen.token_seconds,
        warehouse_start_seconds=chosen.warehouse_start_seconds,
        postgres_version=chosen.postgres_version,
        sample_data=chosen.sample_data,
        sample_records=chosen.sample_records,
        app=chosen.app.absolute() if chosen.app else None,
        front_door_port=chosen.front_door_port,
    )


if __name__ == "__main__":
    sys.exit(main())
