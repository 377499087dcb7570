"""The product under measurement: started as ``make run`` starts it, in a folder of its own, on free ports."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil
import urllib3
from databricks import sql

ROOT = Path(__file__).resolve().parents[2]
TABLE = "samples.nyctaxi.trips"
ANALYST = "analyst@example.com"
_READY_SECONDS = 120.0
TOKEN_HEADER = "X-Forwarded-Access-Token"  # noqa: S105 - the header's name


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Client:
    """A kept-alive HTTP client that adds little of its own: urllib3, which the connector uses too."""

    def __init__(self, url: str, headers: dict[str, str]) -> None:
        """No I/O."""
        self._pool = urllib3.connection_from_url(url, maxsize=1, headers=headers, retries=False, timeout=300)

    def get(self, path: str, headers: dict[str, str] | None = None) -> urllib3.BaseHTTPResponse:
        """GET ``path``; the body is read, and decoded."""
        return self._checked(self._pool.request("GET", path, headers=self._with(headers)))

    def send(
        self, method: str, path: str, body: bytes, headers: dict[str, str] | None = None, *, stream: bool = False
    ) -> urllib3.BaseHTTPResponse:
        """Send JSON; with ``stream`` the body is left to be read."""
        given = self._with({"Content-Type": "application/json", **(headers or {})})
        return self._checked(self._pool.urlopen(method, path, body=body, headers=given, preload_content=not stream))

    def post(self, path: str, document: object) -> Any:
        """POST a JSON document; the JSON of the answer."""
        return json.loads(self.send("POST", path, json.dumps(document).encode()).data)

    def close(self) -> None:
        """Close the connection."""
        self._pool.close()

    def _with(self, headers: dict[str, str] | None) -> dict[str, str]:
        return {**self._pool.headers, **(headers or {})}

    @staticmethod
    def _checked(response: urllib3.BaseHTTPResponse) -> urllib3.BaseHTTPResponse:
        if response.status >= 300:
            raise RuntimeError(f"the answer was {response.status}: {response.data[:500]!r}")
        return response


class Product:
    """The local workspace with the app behind its front door. ``start`` may follow ``stop``: the state is kept."""

    def __init__(self, folder: Path, taxi_rows: int) -> None:
        """Nothing runs yet."""
        self.state = folder / "state"
        self.rows = taxi_rows
        self.log_file = folder / "log.txt"
        self.url = ""
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> float:
        """Start it; gives the seconds until its health route answered at the front door.

        Raises:
            RuntimeError: it ended, or did not answer in time.
        """
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        started = time.perf_counter()
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                [
                    sys.executable,
                    *("-m", "local_workspace", "--app", ".", "--sample-data", "--state", str(self.state)),
                    *("--front-door-port", str(port), "--taxi-rows", str(self.rows)),
                ],
                cwd=ROOT,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )
        pool = urllib3.connection_from_url(self.url, retries=False, timeout=2)
        while time.perf_counter() - started < _READY_SECONDS:
            if self._process.poll() is not None:
                raise RuntimeError(f"it ended with {self._process.returncode}: {self._tail()}")
            try:
                if pool.request("GET", "/api/v1/health").status == 200:
                    return time.perf_counter() - started
            except urllib3.exceptions.HTTPError:
                pass
            time.sleep(0.02)
        raise RuntimeError(f"it did not answer within {_READY_SECONDS:g} s: {self._tail()}")

    def stop(self) -> None:
        """Stop it as Ctrl-C does; nothing is left behind. Idempotent."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)

    def _tail(self) -> str:
        return self.log_file.read_text(errors="replace")[-2000:]

    @property
    def environment(self) -> dict[str, str]:
        """How official clients reach the workspace: what ``workspace.env`` says."""
        lines = (self.state / "workspace.env").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)

    @property
    def workspace_url(self) -> str:
        """The workspace's own address."""
        return self.environment["DATABRICKS_HOST"]

    def worker(self) -> psutil.Process:
        """The process that serves the app: gunicorn's one worker.

        Raises:
            RuntimeError: there is none.
        """
        if self._process is not None:
            for one in psutil.Process(self._process.pid).children(recursive=True):
                parent = one.parent()
                if "app.py" in one.cmdline() and parent is not None and "app.py" in parent.cmdline():
                    return one
        raise RuntimeError("there is no worker of the app")

    def app_environment(self) -> dict[str, str]:
        """The environment that the platform gave the app."""
        environment: dict[str, str] = self.worker().environ()
        return environment

    def token(self, user: str = ANALYST) -> str:
        """A user token that the workspace, the warehouse and the front door take."""
        answer = urllib3.request("POST", f"{self.url}/.local/token", json={"user": user}, timeout=10, retries=False)
        return str(answer.json()["access_token"])

    def front_door(self) -> Client:
        """A client at the front door, as a browser's user."""
        return Client(self.url, {"Authorization": f"Bearer {self.token()}"})

    def app(self) -> Client:
        """A client directly at the app's port, with the header that the front door would add."""
        port = self.app_environment()["DATABRICKS_APP_PORT"]
        return Client(f"http://127.0.0.1:{port}", {TOKEN_HEADER: self.token()})

    def workspace(self) -> Client:
        """A client at the workspace itself, with the user's token."""
        return Client(self.workspace_url, {"Authorization": f"Bearer {self.token()}"})

    @contextmanager
    def endpoint_takes(self, endpoint: str, seconds: float) -> Iterator[None]:
        """Let every call of a serving endpoint take so much longer while the block runs."""
        faults = f"{self.workspace_url}/.local/faults"
        fault = {"service": "model_serving", "match": endpoint, "delay_seconds": seconds}
        urllib3.request("PUT", faults, json={"faults": [fault]}, timeout=10, retries=False)
        try:
            yield
        finally:
            urllib3.request("DELETE", faults, timeout=10, retries=False)

    def connect(self) -> Any:
        """An open session of databricks-sql-connector, as the user."""
        environment = self.environment
        path = environment["DATABRICKS_HTTP_PATH"]
        return sql.connect(
            server_hostname="127.0.0.1",
            http_path=path,
            access_token=self.token(),
            _connection_uri=environment["DATABRICKS_HOST"] + path,
            enable_telemetry=False,
        )
