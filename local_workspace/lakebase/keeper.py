"""Starts Postgres again when it ended by itself or was killed from outside, as the managed service does."""

from __future__ import annotations

import logging
import subprocess
import threading

from local_workspace.lakebase.postgres import Postgres, PostgresError

_LOOK_SECONDS = 0.5
_log = logging.getLogger(__name__)


class Keeper:
    """A thread that looks after one server. What ``Postgres.stop`` and ``Postgres.kill`` end stays ended."""

    def __init__(self, postgres: Postgres) -> None:
        """Nothing runs yet."""
        self._postgres = postgres
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to look."""
        self._ended.clear()
        self._thread = threading.Thread(target=self._look, name="lakebase-keeper", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Look no more; returns when no start is under way. Call it before the server is stopped."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join(30)
            self._thread = None

    def _look(self) -> None:
        missed: subprocess.Popen[bytes] | None = None
        while not self._ended.wait(_LOOK_SECONDS):
            process = self._postgres.process
            if process is None or process.poll() is None:
                missed = None
            elif process is not missed:
                # An orderly stop forgets its process in the moment after its end: look twice.
                missed = process
            else:
                self._restart(process)

    def _restart(self, process: subprocess.Popen[bytes]) -> None:
        _log.warning("Postgres ended with code %s; starting it again", process.returncode)
        try:
            self._postgres.stop()  # closes what belongs to the ended process
            self._postgres.start()
        except (PostgresError, OSError) as error:
            _log.error("Postgres does not start: %s", error)
