"""The door of Lakebase: TLS, an OAuth token as the password, checked at login only.

A client speaks the Postgres protocol (https://www.postgresql.org/docs/16/protocol-flow.html). The gateway answers the
request for TLS, asks for a clear-text password, which is the token, has it checked, logs in to the real server with
that role's own password and from then on only moves bytes. So a connection outlives its token, as on the platform,
until it is cut. The gateway's event loop has its own thread; every public method may be called from any thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import struct
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

SSL_REQUEST = 80877103
GSS_REQUEST = 80877104
CANCEL_REQUEST = 80877102
LOGIN_SECONDS = 30.0
_LOGINS_AT_ONCE = 32
_MAX_STARTUP = 10_000  # the server's own limit for a startup packet
_MAX_PASSWORD = 65_536
_QUIET = (
    asyncio.IncompleteReadError,
    asyncio.CancelledError,
    ConnectionError,
    ssl.SSLError,
    TimeoutError,
    struct.error,
)


class LoginRefused(Exception):
    """The login is refused.

    Attributes:
        sqlstate: Postgres error code.
        message: what the client is told after ``FATAL:``.
    """

    def __init__(self, sqlstate: str, message: str) -> None:
        super().__init__(message)
        self.sqlstate = sqlstate
        self.message = message


@dataclass(frozen=True, slots=True)
class Admission:
    """A login that was accepted: the physical database and the role's password at the real server."""

    database: str
    password: str


@dataclass(frozen=True, slots=True)
class Login:
    """What a client presents: Postgres role, database as the client names it, and the token."""

    user: str
    database: str
    token: str

    def __repr__(self) -> str:
        """Without the token: a login may land in a log."""
        return f"Login(user={self.user!r}, database={self.database!r})"


def _message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!I", len(body) + 4) + body


def _error(refusal: LoginRefused) -> bytes:
    fields = ((b"S", "FATAL"), (b"V", "FATAL"), (b"C", refusal.sqlstate), (b"M", refusal.message))
    return _message(b"E", b"".join(kind + text.encode() + b"\0" for kind, text in fields) + b"\0")


class Gateway:
    """Listens on 127.0.0.1 and lets in whoever ``admit`` lets in.

    Args:
        upstream: gives the host and port of the real server, at each login.
        admit: decides on a login, in a worker thread (it may block); raises :class:`LoginRefused`.
        tls: the server side of TLS.
        port: 0 picks a free one at start.
    """

    def __init__(
        self,
        upstream: Callable[[], tuple[str, int]],
        admit: Callable[[Login], Admission],
        tls: ssl.SSLContext,
        port: int = 0,
    ) -> None:
        self._upstream = upstream
        self._admit = admit
        self._tls = tls
        self.port = port
        self.logins = 0
        self.refused = 0
        self.latency_seconds = 0.0
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._flowing: asyncio.Event | None = None

    def start(self) -> None:
        """Opens the port.

        Raises:
            OSError: the port is taken.
        """
        ready = threading.Event()
        failure: list[BaseException] = []

        def run() -> None:
            loop = asyncio.new_event_loop()
            loop.set_default_executor(ThreadPoolExecutor(_LOGINS_AT_ONCE, thread_name_prefix="lakebase-login"))
            try:
                server = loop.run_until_complete(self._listen(loop))
            except OSError as error:
                failure.append(error)
                ready.set()
                return
            ready.set()
            loop.run_forever()
            loop.run_until_complete(self._wind_up(server))
            loop.close()

        self._thread = threading.Thread(target=run, name="lakebase-gateway", daemon=True)
        self._thread.start()
        ready.wait(10)
        if failure:
            raise failure[0]

    async def _listen(self, loop: asyncio.AbstractEventLoop) -> asyncio.Server:
        self._loop = loop
        self._flowing = asyncio.Event()
        self._flowing.set()
        server = await asyncio.start_server(self._client, "127.0.0.1", self.port)
        self.port = server.sockets[0].getsockname()[1]
        return server

    async def _wind_up(self, server: asyncio.Server) -> None:
        server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def stop(self) -> None:
        """Closes the port and every connection."""
        if self._loop is None or self._thread is None:
            return
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop = self._thread = None

    def drop_all(self) -> None:
        """Cuts every connection without a word, as a broken network or a closed idle connection does."""

        def abort() -> None:
            for writer in list(self._writers):
                writer.transport.abort()

        self._in_loop(abort)

    def freeze(self) -> None:
        """Lets no byte through any more, in either direction, while the sockets stay open."""
        self._in_loop(lambda: self._flowing.clear() if self._flowing else None)

    def thaw(self) -> None:
        """Ends :meth:`freeze`; what was held back flows on."""
        self._in_loop(lambda: self._flowing.set() if self._flowing else None)

    def _in_loop(self, action: Callable[[], object]) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(action)

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101
        self._tasks.add(task)
        self._writers.add(writer)
        upstream: asyncio.StreamWriter | None = None
        try:
            pair = await asyncio.wait_for(self._log_in(reader, writer), LOGIN_SECONDS)
            if pair is not None:
                upstream = pair[1]
                await asyncio.gather(self._pump(reader, upstream), self._pump(pair[0], writer))
        except LoginRefused as refusal:
            self.refused += 1
            with contextlib.suppress(*_QUIET):
                writer.write(_error(refusal))
                await writer.drain()
        except _QUIET:
            pass  # either side hung up, or never finished its login: there is nobody to tell
        finally:
            self._writers.discard(writer)
            self._tasks.discard(task)
            for side in (writer, upstream):
                if side is not None:
                    side.close()

    async def _log_in(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        """Takes a client through TLS, password and the login to the real server; ``None`` after a cancel request."""
        startup = await self._startup(reader, writer)
        if startup is None:
            return None
        if writer.get_extra_info("ssl_object") is None:
            raise LoginRefused("28000", "connection requires TLS (sslmode=require)")
        words = startup[4:].split(b"\0")
        parameters = dict(zip(words[0::2], words[1::2], strict=False))
        user = parameters.get(b"user", b"").decode()
        writer.write(_message(b"R", struct.pack("!I", 3)))  # AuthenticationCleartextPassword
        await writer.drain()
        token = await self._password(reader)
        database = parameters.get(b"database", b"").decode() or user
        await self._hold()
        admission = await asyncio.to_thread(self._admit, Login(user, database, token))
        parameters.pop(b"", None)
        parameters[b"database"] = admission.database.encode()
        packet = startup[:4] + b"".join(name + b"\0" + value + b"\0" for name, value in parameters.items()) + b"\0"
        pair = await self._log_in_upstream(packet, admission.password, writer)
        self.logins += 1
        return pair

    async def _startup(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes | None:
        """Reads packets until the startup packet; grants TLS, refuses GSS encryption, passes a cancel request on."""
        while True:
            (length,) = struct.unpack("!I", await reader.readexactly(4))
            if not 8 <= length <= _MAX_STARTUP:
                raise LoginRefused("08P01", "invalid length of startup packet")
            packet = await reader.readexactly(length - 4)
            (code,) = struct.unpack_from("!I", packet)
            if code == SSL_REQUEST:
                writer.write(b"S")
                await writer.drain()
                await writer.start_tls(self._tls)
            elif code == GSS_REQUEST:
                writer.write(b"N")
                await writer.drain()
            elif code == CANCEL_REQUEST:
                _, canceller = await asyncio.open_connection(*self._upstream())
                canceller.write(struct.pack("!I", length) + packet)
                await canceller.drain()
                canceller.close()
                return None
            else:
                return packet

    @staticmethod
    async def _password(reader: asyncio.StreamReader) -> str:
        kind = await reader.readexactly(1)
        (length,) = struct.unpack("!I", await reader.readexactly(4))
        if kind != b"p" or not 4 <= length <= _MAX_PASSWORD:
            raise LoginRefused("08P01", "expected password response")
        return (await reader.readexactly(length - 4)).rstrip(b"\0").decode(errors="replace")

    async def _log_in_upstream(
        self, packet: bytes, password: str, client: asyncio.StreamWriter
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        try:
            reader, writer = await asyncio.open_connection(*self._upstream())
        except OSError:
            raise LoginRefused("57P03", "the database system is not available") from None
        writer.write(struct.pack("!I", len(packet) + 4) + packet)
        await writer.drain()
        head = await reader.readexactly(5)
        (length,) = struct.unpack("!I", head[1:])
        rest = await reader.readexactly(length - 4)
        if head[:1] == b"R" and struct.unpack_from("!I", rest)[0] == 3:
            writer.write(_message(b"p", password.encode() + b"\0"))
            await writer.drain()
        else:
            client.write(head + rest)  # an error of the server's own: the client shall read it
        return reader, writer

    def _hold(self) -> Awaitable[object]:
        assert self._flowing is not None  # noqa: S101
        return self._flowing.wait()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert self._flowing is not None  # noqa: S101
        try:
            while data := await reader.read(65536):
                if self.latency_seconds:
                    await asyncio.sleep(self.latency_seconds)
                if not self._flowing.is_set():
                    await self._flowing.wait()
                writer.write(data)
                await writer.drain()
        finally:
            writer.close()
