"""One HTTP server behind a proxy: keep-alive connections, and bodies streamed in both directions."""

from __future__ import annotations

import collections
import http.client
import io
import logging
import select
import threading
import time
from collections.abc import Iterable, Iterator
from typing import Protocol

CHUNK = 64 * 1024
_HELD_BYTES = 1024 * 1024
"""A body up to this size is received whole before the server is asked, as proxies do: a slow client then takes none of
the server's threads. A larger one streams after its first part."""
_CONNECT_SECONDS = 5.0
_IDLE_LIMIT = 64

_log = logging.getLogger(__name__)


class UpstreamUnavailable(Exception):
    """The server cannot be reached, or closed the connection without an answer."""


class UpstreamTimeout(Exception):
    """The server did not begin its answer within the request's time limit."""


class Readable(Protocol):
    """What a request body must offer: WSGI's input does."""

    def read(self, size: int = -1, /) -> bytes:
        """At most ``size`` bytes; empty at the end."""


class Answer:
    """A response whose body has not been read yet.

    Iterating gives the body as it arrives, without waiting for a full buffer, so that server-sent events pass at once.
    ``close`` must be called; it returns the connection to the pool when the body was read to its end.
    """

    def __init__(
        self,
        upstream: Upstream,
        connection: http.client.HTTPConnection,
        response: http.client.HTTPResponse,
        until: float,
    ) -> None:
        """Made by ``Upstream.request`` only."""
        self._upstream = upstream
        self._connection = connection
        self._response = response
        self._until = until
        self._finished = False
        self.status = response.status
        self.reason = response.reason
        self.headers: list[tuple[str, str]] = response.getheaders()

    def __iter__(self) -> Iterator[bytes]:
        """The body in pieces of at most 64 KiB.

        Raises:
            UpstreamTimeout: the request's time limit passed; what was sent so far is incomplete.
            UpstreamUnavailable: the server broke off.
        """
        while True:
            left = self._until - time.monotonic()
            if left <= 0:
                raise UpstreamTimeout
            try:
                if self._connection.sock is not None:
                    self._connection.sock.settimeout(left)
                piece = self._response.read1(CHUNK)
            except TimeoutError as error:
                raise UpstreamTimeout from error
            except (OSError, http.client.HTTPException) as error:
                raise UpstreamUnavailable(str(error)) from error
            if not piece:
                if self._response.length:  # a body shorter than its Content-Length must not look complete
                    raise UpstreamUnavailable("the answer is shorter than announced")
                self._finished = True
                return
            yield piece

    def close(self) -> None:
        """Give the connection back, or close it when the body was left unread."""
        if self._finished and not self._response.will_close:
            self._response.close()
            self._upstream.give_back(self._connection)
        else:
            self._response.close()
            self._connection.close()


class Upstream:
    """A server at one loopback address. Thread-safe; a request takes a connection of its own from a pool."""

    def __init__(self, host: str, port: int) -> None:
        """Nothing is opened until the first request."""
        self.host = host
        self.port = port
        self._idle: collections.deque[http.client.HTTPConnection] = collections.deque()
        self._lock = threading.Lock()

    def request(
        self,
        method: str,
        target: str,
        headers: Iterable[tuple[str, str]],
        body: Readable | None,
        length: int | None,
        limit_seconds: float,
    ) -> Answer:
        """Send a request and wait for the head of its answer.

        Args:
            method: the HTTP method.
            target: path and query exactly as the client wrote them.
            headers: all headers but ``Transfer-Encoding`` and ``Content-Length``.
            body: where the body is read from, or None.
            length: the body's length in bytes; None with a body means that it is sent in chunks.
            limit_seconds: for the whole exchange, the body of the answer included.

        Raises:
            UpstreamUnavailable: no connection, or it broke before the answer, or the client broke off its body.
            UpstreamTimeout: no answer in time.
        """
        sent_body = body is not None and length != 0
        if body is not None and length:
            body = _begun(body, length)
        until = time.monotonic() + limit_seconds
        connection, reused = self._take()
        try:
            return self._exchange(connection, method, target, list(headers), body, length, until)
        except UpstreamUnavailable:
            # A kept connection may have been closed by the server just now. Without a body (which is spent by now)
            # nothing can have been half done, so one new connection is tried; a POST is never sent twice.
            if not reused or sent_body or method not in {"GET", "HEAD", "OPTIONS"}:
                raise
        return self._exchange(self._open(), method, target, list(headers), None, None, until)

    def _exchange(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        target: str,
        headers: list[tuple[str, str]],
        body: Readable | None,
        length: int | None,
        until: float,
    ) -> Answer:
        try:
            connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
            for name, value in headers:
                connection.putheader(name, value)
            try:
                _send_body(connection, body, length)
            except (BrokenPipeError, ConnectionResetError) as error:
                # A server may answer and close before it has read a body that it refuses (RFC 9112, 9.6).
                _log.debug("the app stopped reading: %s", error)
            if connection.sock is not None:
                connection.sock.settimeout(max(0.001, until - time.monotonic()))
            return Answer(self, connection, connection.getresponse(), until)
        except TimeoutError as error:
            connection.close()
            raise UpstreamTimeout from error
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise UpstreamUnavailable(str(error)) from error

    def give_back(self, connection: http.client.HTTPConnection) -> None:
        """Keep a connection for the next request."""
        with self._lock:
            if connection.port == self.port and len(self._idle) < _IDLE_LIMIT:
                self._idle.append(connection)
                return
        connection.close()

    def close(self) -> None:
        """Close the idle connections."""
        with self._lock:
            idle = list(self._idle)
            self._idle.clear()
        for connection in idle:
            connection.close()

    def move_to(self, port: int) -> None:
        """Use another port from now on; 0 for none, then every request finds nobody."""
        with self._lock:
            self.port = port
        self.close()

    def _take(self) -> tuple[http.client.HTTPConnection, bool]:
        while True:
            with self._lock:
                connection = self._idle.pop() if self._idle else None
            if connection is None:
                return self._open(), False
            if connection.sock is not None and not _readable(connection):
                return connection, True
            connection.close()

    def _open(self) -> http.client.HTTPConnection:
        if self.port == 0:
            raise UpstreamUnavailable("there is no process")
        connection = http.client.HTTPConnection(self.host, self.port, timeout=_CONNECT_SECONDS)
        try:
            connection.connect()
        except OSError as error:
            raise UpstreamUnavailable(str(error)) from error
        return connection


class _Begun:
    """A body whose first part has been received already."""

    def __init__(self, first: bytes, rest: Readable) -> None:
        self._first = io.BytesIO(first)
        self._rest = rest

    def read(self, size: int = -1, /) -> bytes:
        """At most ``size`` bytes; empty at the end."""
        return self._first.read(size) or self._rest.read(size)


def _begun(body: Readable, length: int) -> Readable:
    wanted, parts = min(length, _HELD_BYTES), []
    while wanted > 0:
        piece = body.read(wanted)
        if not piece:
            raise UpstreamUnavailable("the client broke off its request")
        parts.append(piece)
        wanted -= len(piece)
    return _Begun(b"".join(parts), body)


def _readable(connection: http.client.HTTPConnection) -> bool:
    """Whether an idle connection has something to read: then the server has closed it."""
    poller = select.poll()
    poller.register(connection.sock, select.POLLIN)
    return bool(poller.poll(0))


def _send_body(connection: http.client.HTTPConnection, body: Readable | None, length: int | None) -> None:
    if body is None:
        connection.endheaders()
        return
    if length is not None:
        connection.putheader("Content-Length", str(length))
        connection.endheaders()
        while length > 0:
            piece = body.read(min(CHUNK, length))
            if not piece:
                raise UpstreamUnavailable("the client broke off its request")
            connection.send(piece)
            length -= len(piece)
        return
    connection.putheader("Transfer-Encoding", "chunked")
    connection.endheaders()
    while piece := body.read(CHUNK):
        connection.send(b"%x\r\n%b\r\n" % (len(piece), piece))
    connection.send(b"0\r\n\r\n")
