"""HTTP to the invocation path: pooled, kept-alive connections, and a time limit that is a promise.

urllib3 rather than the SDK's ``query()``: that one neither reads server-sent events nor honours a short time limit (it
retries 429 and 503 for minutes). Of the clients at hand urllib3 adds the least to each call (requests and httpx are
built for more), and it is installed with the SDK anyway.

A socket's own timeout starts anew with every byte, so a server that drips would outlive any limit. Therefore a
watchdog cuts the connection when the time is over, whatever the socket is waiting for.
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NameResolutionError,
    NewConnectionError,
    TimeoutError,  # noqa: A004 - urllib3's own
)
from urllib3.response import BaseHTTPResponse

_CONNECTIONS = 64
_CONNECT_SECONDS = 5.0
ANSWER_LIMIT = 64 * 1024 * 1024
"""Bytes of one answer that are read: four times the largest request, so that one endpoint cannot fill the memory."""


class TimeOver(Exception):
    """The call's time limit has passed."""


class TooLarge(Exception):
    """The answer is larger than ``ANSWER_LIMIT``; the rest of it was not read."""


class Unreachable(Exception):
    """The endpoint cannot be reached, or the connection broke.

    Attributes:
        refused: True when no byte of the request can have been read: trying again is safe.
    """

    def __init__(self, reason: str, *, refused: bool) -> None:
        """``reason`` is one short phrase without secrets."""
        super().__init__(reason)
        self.refused = refused


@dataclass(slots=True)
class Call:
    """One request under way, with its end of time (monotonic seconds)."""

    deadline: float
    connection: HTTPConnection | None = None
    sock: socket.socket | None = None
    is_over: bool = False
    is_done: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def remaining(self) -> float:
        """Seconds left, never negative."""
        return max(0.0, self.deadline - time.monotonic())

    def cut(self) -> None:
        """Break the connection of a call that is not done; a read that waits ends at once."""
        with self.lock:
            if self.is_done:
                return
            self.is_over = True
            # An answer that ends with its connection takes the socket away from it, so it is remembered here too.
            sock = self.sock or (self.connection.sock if self.connection is not None else None)
        if sock is not None:
            with contextlib.suppress(OSError):
                # The plain method also for TLS: the TLS one takes the state from under the thread that reads.
                socket.socket.shutdown(sock, socket.SHUT_RDWR)

    def finish(self) -> None:
        """Say that the connection is no longer this call's, so that a late watchdog does not cut another's."""
        with self.lock:
            self.is_done = True
            self.connection = self.sock = None


_current: ContextVar[Call | None] = ContextVar("serving_call", default=None)


class _Tracked:
    """Tells the current call which connection it uses."""

    def request(self, *args: Any, **kwargs: Any) -> None:
        """Send a request, known to the watchdog."""
        call = _current.get()
        if call is not None:
            with call.lock:
                call.connection = self  # type: ignore[assignment]
        super().request(*args, **kwargs)  # type: ignore[misc]
        if call is not None:
            with call.lock:
                call.sock = self.sock  # type: ignore[attr-defined]


class _Http(_Tracked, HTTPConnection):
    """A plain connection that its call knows."""


class _Https(_Tracked, HTTPSConnection):
    """A TLS connection that its call knows."""


class _HttpPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Http


class _HttpsPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _Https


class Watchdog:
    """Cuts calls whose time is over. One thread for all of them, started by the first call."""

    def __init__(self) -> None:
        """No thread yet."""
        self._condition = threading.Condition()
        self._calls: list[tuple[float, int, Call]] = []
        self._numbers = itertools.count()
        self._thread: threading.Thread | None = None
        self._closed = False

    def watch(self, call: Call) -> None:
        """Cut ``call`` at its deadline unless it is done by then."""
        with self._condition:
            heapq.heappush(self._calls, (call.deadline, next(self._numbers), call))
            if self._thread is None:
                self._closed = False
                self._thread = threading.Thread(target=self._run, name="serving-watchdog", daemon=True)
                self._thread.start()
            elif self._calls[0][2] is call:
                self._condition.notify()

    def close(self) -> None:
        """End the thread. Idempotent."""
        with self._condition:
            self._closed = True
            self._condition.notify()
            thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(timeout=2)

    def _run(self) -> None:
        while (call := self._next()) is not None:
            call.cut()

    def _next(self) -> Call | None:
        """The next call whose time is over; None when closed. Calls that are done leave on the way."""
        with self._condition:
            while not self._closed:
                while self._calls and self._calls[0][2].is_done:
                    heapq.heappop(self._calls)
                wait = self._calls[0][0] - time.monotonic() if self._calls else None
                if wait is not None and wait <= 0:
                    return heapq.heappop(self._calls)[2]
                self._condition.wait(wait)
        return None


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    data: bytes


class Transport:
    """Sends requests to one workspace. Thread-safe."""

    def __init__(self, host: str, ca_file: str | None = None) -> None:
        """No I/O. ``host`` is the workspace's address with its scheme; ``ca_file`` an authority to trust for it."""
        manager = urllib3.PoolManager(maxsize=_CONNECTIONS, block=False, retries=False, ca_certs=ca_file)
        manager.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}
        self._pool = manager.connection_from_url(host)  # once: all calls go to one host
        self._watchdog = Watchdog()

    def close(self) -> None:
        """Close idle connections and the watchdog."""
        self._pool.close()
        self._watchdog.close()

    def post(self, path: str, body: bytes, headers: Mapping[str, str], deadline: float) -> Answer:
        """Send ``body`` and read the whole answer.

        Args:
            path: the path under the workspace's address.
            body: the request's body.
            headers: headers of the request, authorization included.
            deadline: end of time, monotonic seconds.

        Raises:
            TimeOver: no whole answer by ``deadline``.
            Unreachable: the connection failed.
        """
        return self.rest(*self.open(path, body, headers, deadline))

    def rest(self, call: Call, response: BaseHTTPResponse) -> Answer:
        """Read the rest of an open answer and end the call.

        Raises:
            TimeOver: not the whole of it by the call's deadline.
            TooLarge: it is larger than ``ANSWER_LIMIT``.
            Unreachable: the connection broke.
        """
        try:
            with _translated(call):
                data = _whole(response)
            if call.is_over:
                raise TimeOver
            return Answer(response.status, _lower(response), data)
        finally:
            call.finish()
            response.release_conn()

    def open(
        self, path: str, body: bytes, headers: Mapping[str, str], deadline: float
    ) -> tuple[Call, BaseHTTPResponse]:
        """Send ``body`` and read the answer's head. Finish the call and release or close the response afterwards.

        Raises:
            TimeOver: no head by ``deadline``.
            Unreachable: the connection failed.
        """
        call = Call(deadline)
        if call.remaining <= 0:
            raise TimeOver
        self._watchdog.watch(call)
        token = _current.set(call)
        try:
            with _translated(call):
                timeout = urllib3.Timeout(connect=min(_CONNECT_SECONDS, call.remaining), read=call.remaining + 1)
                response = self._pool.urlopen(
                    "POST",
                    path,
                    body=body,
                    headers=headers,
                    timeout=timeout,
                    preload_content=False,
                    redirect=False,
                    retries=False,
                )
        except BaseException:
            call.finish()
            raise
        finally:
            _current.reset(token)
        return call, response


def _whole(response: BaseHTTPResponse) -> bytes:
    """The whole body, up to the limit."""
    length = response.headers.get("content-length", "")
    announced = int(length) if length.isascii() and length.isdigit() else None
    if announced is not None and announced <= ANSWER_LIMIT and "content-encoding" not in response.headers:
        return response.read()
    if announced is None or announced <= ANSWER_LIMIT:
        data = response.read(ANSWER_LIMIT + 1, decode_content=True)
        if len(data) <= ANSWER_LIMIT:
            return data
    response.close()
    raise TooLarge


def _lower(response: BaseHTTPResponse) -> dict[str, str]:
    return {name.lower(): value for name, value in response.headers.items()}


@contextlib.contextmanager
def _translated(call: Call) -> Iterator[None]:
    """Turn urllib3's errors into ours; whatever breaks after the time is over is ``TimeOver``."""
    try:
        yield
    except (HTTPError, OSError, ValueError, AttributeError) as error:
        if call.is_over or call.remaining <= 0:
            raise TimeOver from error
        if not isinstance(error, HTTPError | OSError):
            raise
        refused = isinstance(error, NewConnectionError | NameResolutionError | ConnectTimeoutError)
        if isinstance(error, TimeoutError) and not refused:
            raise TimeOver from error
        raise Unreachable(type(error).__name__, refused=refused) from error
