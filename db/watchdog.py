"""A time limit for whatever waits on a socket: one thread that cuts connections whose time is over.

``statement_timeout`` is the server's promise; a server that is frozen, or behind a broken network, cannot keep it,
and a blocked client thread cannot help itself. Shutting its socket down from outside makes it fail at once.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Iterator
from typing import Protocol

_AGAIN = 1.0
_NEVER = float("inf")


class HasSocket(Protocol):
    """Anything with a file descriptor of a socket."""

    def fileno(self) -> int:
        """The descriptor."""


class Watchdog:
    """Cuts the sockets of pieces of work that take too long."""

    def __init__(self) -> None:
        """The thread starts with :meth:`start`."""
        self._deadlines: dict[int, float] = {}
        self._changed = threading.Condition()
        self._wakes_at = _NEVER
        self._running = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Starts the thread; again after a fork or a stop."""
        if self._running:
            return
        self._running = True
        self._thread = threading.Thread(target=self._run, name="lakebase-watchdog", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread."""
        with self._changed:
            self._running = False
            self._changed.notify()

    @contextlib.contextmanager
    def limit(self, connection: HasSocket, seconds: float) -> Iterator[None]:
        """Lets the block run for ``seconds``, then cuts the connection's socket.

        A duplicate of the descriptor is kept meanwhile: when the connection is closed within the block, its number
        may already belong to another socket, which must not be cut.
        """
        descriptor = os.dup(connection.fileno())
        deadline = time.monotonic() + seconds
        with self._changed:
            self._deadlines[descriptor] = deadline
            if deadline < self._wakes_at:  # else the thread looks early enough by itself: most limits wake nobody
                self._wakes_at = deadline
                self._changed.notify()
        try:
            yield
        finally:
            with self._changed:
                del self._deadlines[descriptor]
                os.close(descriptor)

    def _run(self) -> None:
        with self._changed:
            while self._running:
                now = time.monotonic()
                for descriptor, deadline in self._deadlines.items():
                    if now >= deadline:
                        _cut(descriptor)
                        self._deadlines[descriptor] = now + _AGAIN
                self._wakes_at = min(self._deadlines.values(), default=_NEVER)
                self._changed.wait(None if self._wakes_at == _NEVER else self._wakes_at - now)


def _cut(descriptor: int) -> None:
    """Shuts down the socket behind ``descriptor``, which stays open."""
    with contextlib.suppress(OSError), socket.socket(fileno=os.dup(descriptor)) as duplicate:
        duplicate.shutdown(socket.SHUT_RDWR)
