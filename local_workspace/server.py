"""HTTP and HTTPS servers on loopback: cheroot (threads, HTTP/1.1 keep-alive, no delay for small packets)."""

from __future__ import annotations

import io
import socket
import threading
from typing import Any

from cheroot.ssl.builtin import BuiltinSSLAdapter
from cheroot.workers.threadpool import ThreadPool
from cheroot.wsgi import Gateway_10, Server

from local_workspace.tls import Tls

_THREADS = 64
"""Long polls and streams hold a thread each; idle keep-alive connections hold none."""

_MOST_THREADS = 512
_MORE_THREADS = 32
"""Added when all are taken, by clients that send their requests slowly for example."""

_HANDSHAKE_SECONDS = 5
"""A client that connects and says nothing must not keep others waiting: cheroot shakes hands as it accepts."""


class AddressTakenError(RuntimeError):
    """The port is in use by another program; ``str()`` says which and what to do."""


class _Gateway(Gateway_10):  # type: ignore[misc]
    """Hands the socket to the application, so that a fault can cut the connection; sends small answers in one go."""

    def get_environ(self) -> dict[str, Any]:
        """The WSGI environment of the request."""
        environ: dict[str, Any] = super().get_environ()
        environ["lakefront.socket"] = self.req.conn.socket
        return environ

    def write(self, chunk: bytes) -> None:
        """Send a part of the body; the first one leaves together with the head, so that the client wakes up once."""
        if self.req.sent_headers:
            super().write(chunk)
            return
        connection = self.req.conn
        stream, connection.wfile = connection.wfile, io.BytesIO()
        try:
            super().write(chunk)
        finally:
            held, connection.wfile = connection.wfile, stream
            stream.write(held.getvalue())


class _Adapter(BuiltinSSLAdapter):  # type: ignore[misc]
    """cheroot's TLS adapter with a limit on the handshake."""

    def wrap(self, sock: socket.socket) -> Any:
        """Shake hands within the limit."""
        usual = sock.gettimeout()
        sock.settimeout(_HANDSHAKE_SECONDS)
        wrapped = super().wrap(sock)
        wrapped[0].settimeout(usual)
        return wrapped


class _Threads(ThreadPool):  # type: ignore[misc]
    """Threads that become more when all are taken, so that slow clients do not shut out the others."""

    def put(self, obj: Any) -> None:
        """Hand a connection to a thread."""
        if self.qsize >= self.idle:
            self.grow(_MORE_THREADS)
        super().put(obj)


class LoopbackServer:
    """A WSGI application served on 127.0.0.1 by a background thread."""

    def __init__(self, name: str, application: Any, port: int, tls: Tls | None = None) -> None:
        """Bind at once, so that a taken port is found before anything else starts.

        Raises:
            AddressTakenError: the port is in use.
        """
        self._server = Server(
            ("127.0.0.1", port),
            application,
            numthreads=_THREADS,
            request_queue_size=256,
            timeout=75,
            shutdown_timeout=1,
        )
        # cheroot's own limit is ten: with more clients than that, every answer would end its connection.
        self._server.keep_alive_conn_limit = None
        self._server.requests = _Threads(self._server, min=_THREADS, max=_MOST_THREADS)
        self._server.gateway = _Gateway
        if tls is not None:
            self._server.ssl_adapter = _Adapter(str(tls.certificate), str(tls.key))
        self._server.error_log = lambda *_args, **_kwargs: None
        try:
            self._server.prepare()
        except OSError as error:
            raise AddressTakenError(f"port {port} on 127.0.0.1 is in use; choose another one ({error})") from error
        self.port: int = self._server.bind_addr[1]
        self._thread = threading.Thread(target=self._server.serve, name=f"server-{name}", daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Stop answering; requests under way get a second."""
        self._server.stop()
