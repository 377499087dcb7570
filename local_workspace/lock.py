"""One workspace for one state folder."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


class StateError(RuntimeError):
    """The state folder cannot be used; ``str()`` says why and what to do."""


class StateLock:
    """A lock that the operating system releases when the process dies, ``kill -9`` included."""

    def __init__(self, folder: Path) -> None:
        """``folder`` is made when it is not there."""
        self._folder = folder
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the folder.

        Raises:
            StateError: it cannot be written, or another workspace has it.
        """
        file = self._folder / "lock"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise StateError(
                f"cannot write to the state folder {self._folder}: {error.strerror}; choose another with STATE=…"
            ) from error
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self.release()
            raise StateError(
                f"another local workspace uses {self._folder}; stop it, or choose another folder with STATE=…"
            ) from error

    def release(self) -> None:
        """Give the folder back. Idempotent."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
