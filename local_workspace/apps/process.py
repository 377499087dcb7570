"""One app process, started, watched and stopped as the Apps platform does it."""

from __future__ import annotations

import collections
import contextlib
import http.client
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import psutil

from local_workspace.apps.app_spec import AppError

STOP_SECONDS = 15.0
"""The platform's time between SIGTERM and SIGKILL."""
KEPT_LINES = 200

LineSink = Callable[[bytes], None]


def free_port() -> int:
    """A port on loopback that nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class AppProcess:
    """An app's process group. Its output goes line by line to ``sink``; the last lines are kept for error messages."""

    def __init__(
        self,
        command: list[str],
        environment: Mapping[str, str],
        folder: Path,
        port: int,
        sink: LineSink,
        pid_file: Path,
    ) -> None:
        """Nothing is started yet. ``pid_file`` remembers the process in case this one is killed."""
        self._command = command
        self._environment = dict(environment)
        self._folder = folder
        self._sink = sink
        self._pid_file = pid_file
        self._process: subprocess.Popen[bytes] | None = None
        self._watcher: subprocess.Popen[bytes] | None = None
        self._reader: threading.Thread | None = None
        self._lines: collections.deque[str] = collections.deque(maxlen=KEPT_LINES)
        self.port = port

    def start(self) -> None:
        """Start the process in its own group and session.

        Raises:
            AppError: the program does not exist or cannot be run.
        """
        reclaim(self._pid_file)
        program = shutil.which(self._command[0], path=self._environment.get("PATH"))
        if program is None:
            raise AppError(f"The command cannot be started: there is no program {self._command[0]!r}.")
        try:
            self._process = subprocess.Popen(  # noqa: S603 - starting the app's own command is the purpose
                [program, *self._command[1:]],
                cwd=self._folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            raise AppError(f"The command cannot be started: {error}") from None
        self._watcher = _watch(self._process.pid)
        _remember(self._pid_file, self._process.pid)
        self._reader = threading.Thread(target=self._read, args=(self._process,), name="app-log", daemon=True)
        self._reader.start()

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self._process is not None and self._process.poll() is None

    def exit_status(self) -> int | None:
        """The exit status of a process that has ended (negative: the signal that ended it), else None."""
        return None if self._process is None else self._process.poll()

    def last_lines(self, count: int = 20) -> list[str]:
        """The last lines that it wrote."""
        return list(self._lines)[-count:]

    def wait_until_answers(self, seconds: float, stopped: threading.Event | None = None) -> None:
        """Wait until it answers HTTP on its port, with any status.

        Raises:
            AppError: it ended, or did not listen in time; with its last log lines.
        """
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if stopped is not None and stopped.is_set():
                return
            if not self.running:
                if self._reader is not None:
                    self._reader.join(2)
                raise AppError(self._failure(f"The app ended with exit status {self.exit_status()} before it listened"))
            if _answers(self.port, min(5.0, max(0.1, until - time.monotonic()))):
                return
            time.sleep(0.05)
        raise AppError(self._failure(f"The app did not listen on port {self.port} within {seconds:g} seconds"))

    def stop(self, seconds: float = STOP_SECONDS) -> int | None:
        """SIGTERM, then after ``seconds`` SIGKILL, for the whole process group. Gives the exit status. Idempotent."""
        process = self._process
        if process is None:
            return None
        if process.poll() is None:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(seconds)
        if self._watcher is not None:
            self._watcher.kill()  # before the group's id may belong to somebody else
            self._watcher.communicate()
            self._watcher = None
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)  # what the command left behind, or all of it after the time limit
        status = process.wait()
        if self._reader is not None:
            self._reader.join(2)
        self._pid_file.unlink(missing_ok=True)
        return status

    def _failure(self, what: str) -> str:
        lines = self.last_lines()
        log = "\n".join(lines) if lines else "(it wrote nothing)"
        return f"{what}. Its last log lines:\n{log}"

    def _read(self, process: subprocess.Popen[bytes]) -> None:
        if process.stdout is None:
            return
        with process.stdout as output:
            for line in output:
                self._lines.append(line.decode("utf-8", "replace").rstrip("\r\n"))
                self._sink(line)


def _answers(port: int, seconds: float) -> bool:
    """Whether it speaks HTTP. Gunicorn binds before its worker is there, so connecting is not enough."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
    try:
        connection.request("GET", "/")
        connection.getresponse().read(1)
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True


def _watch(group: int) -> subprocess.Popen[bytes]:
    """Starts a tiny process that ends the group when this process is gone, even by ``kill -9``.

    It waits for the end of its standard input, a pipe whose other end only this process holds.
    """
    return subprocess.Popen(  # noqa: S603 - fixed but for a number
        ["/bin/sh", "-c", f"read _; kill -KILL -{group} 2>/dev/null"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        start_new_session=True,
    )


def _remember(pid_file: Path, pid: int) -> None:
    pid_file.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(psutil.Error):
        pid_file.write_text(f"{pid} {psutil.Process(pid).create_time()}", encoding="ascii")


def reclaim(pid_file: Path) -> None:
    """End the process group that a killed workspace left behind; a reused id is recognised by its start time."""
    try:
        pid, created = pid_file.read_text(encoding="ascii").split()
        left = psutil.Process(int(pid))
        if abs(left.create_time() - float(created)) < 1 and left.status() != psutil.STATUS_ZOMBIE:
            os.killpg(int(pid), signal.SIGKILL)
            left.wait(5)
    except (OSError, ValueError, psutil.Error):
        pass  # no file, no such process, or not ours any more: nothing is left behind
    pid_file.unlink(missing_ok=True)
