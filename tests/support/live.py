"""``make run`` in a process of its own, on free ports and a folder of its own."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

ROOT = Path(__file__).parent.parent.parent
_READY_SECONDS = 90


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class LiveApp:
    """Start with ``with``; ``url`` is the front door, ``log`` what the processes wrote."""

    def __init__(self, folder: Path, *, taxi_rows: int = 21_932, arguments: tuple[str, ...] = ()) -> None:
        """Nothing runs yet."""
        self.state = folder / "state"
        self.log_file = folder / "log.txt"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._arguments = ("--taxi-rows", str(taxi_rows), *arguments)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    *("-m", "local_workspace", "--app", ".", "--sample-data", "--warehouse-start-seconds", "0.5"),
                    *("--state", str(self.state), "--front-door-port", str(self.port), *self._arguments),
                ],
                cwd=ROOT,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )
        deadline = time.monotonic() + _READY_SECONDS
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise RuntimeError(f"the local run ended with {self._process.returncode}:\n{self.log[-4000:]}")
            try:
                if httpx.get(f"{self.url}/api/v1/health", timeout=2).status_code == 200:
                    return self
            except httpx.HTTPError:
                pass
            time.sleep(0.1)
        self.stop()
        raise RuntimeError(f"the local run was not ready within {_READY_SECONDS} s:\n{self.log[-4000:]}")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> int | None:
        """Ask it to stop, as Ctrl-C does; gives the exit status."""
        if self._process is None:
            return None
        self._process.send_signal(signal.SIGTERM)
        try:
            status = self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            status = self._process.wait(10)
        self._process = None
        return status

    def kill(self) -> None:
        """End it without a chance to clean up."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None

    @property
    def log(self) -> str:
        """Everything that was written so far."""
        return self.log_file.read_text(errors="replace")

    @property
    def environment(self) -> dict[str, str]:
        """What ``workspace.env`` says."""
        lines = (self.state / "workspace.env").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)

    def token(self, user: str) -> str:
        """A token of one of the accounts."""
        answer = httpx.post(f"{self.url}/.local/token", json={"user": user}, timeout=10)
        answer.raise_for_status()
        return str(answer.json()["access_token"])

    def client(self, user: str | None = None) -> httpx.Client:
        """An HTTP client at the front door; as ``user``, or as whoever is signed in without a token."""
        headers = {"Authorization": f"Bearer {self.token(user)}"} if user else {}
        return httpx.Client(base_url=self.url, headers=headers, timeout=60)

    def faults(self, document: dict[str, Any]) -> None:
        """Set faults and run actions."""
        httpx.put(f"{self.url}/.local/faults", json=document, timeout=30).raise_for_status()

    def clear_faults(self) -> None:
        """Remove every fault."""
        httpx.delete(f"{self.url}/.local/faults", timeout=10).raise_for_status()
