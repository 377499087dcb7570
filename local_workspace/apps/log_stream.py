"""``/logz/stream``: an app's log over a WebSocket, which is what ``databricks apps logs`` reads (RFC 6455)."""

from __future__ import annotations

import base64
import hashlib
import json
import select
import socket
import struct
import time
from collections.abc import Callable, Mapping
from typing import Any

_MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
"""Added to the client's key by every WebSocket server (RFC 6455, 1.3)."""
_TEXT, _CLOSE = 0x1, 0x8
_POLL_SECONDS = 0.25
_LONGEST_SECONDS = 3600.0


def serve(environ: Mapping[str, Any], log: Callable[[], bytes]) -> None:
    """Answer the handshake on the request's own socket, then send the log line by line until the client goes.

    Args:
        environ: the WSGI environment of the upgrade request.
        log: the whole log as it is now.
    """
    connection = environ.get("lakefront.socket")
    if not isinstance(connection, socket.socket):
        return
    key = str(environ.get("HTTP_SEC_WEBSOCKET_KEY", ""))
    accept = base64.b64encode(hashlib.sha1((key + _MAGIC).encode(), usedforsecurity=False).digest()).decode()
    try:
        connection.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            + f"Sec-WebSocket-Accept: {accept}\r\n\r\n".encode()
        )
        _stream(connection, log)
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:  # the client has gone
        return


def _stream(connection: socket.socket, log: Callable[[], bytes]) -> None:
    sent, search, until = 0, "", time.monotonic() + _LONGEST_SECONDS
    while time.monotonic() < until:
        readable, _, _ = select.select([connection], [], [], _POLL_SECONDS)
        if readable:
            received = connection.recv(4096)
            if not received or received[0] & 0x0F == _CLOSE:
                return
            search = _text(received) or search
        whole = log()
        if len(whole) < sent:  # the log was cut
            sent = 0
        complete = whole.rfind(b"\n") + 1
        for line in whole[sent:complete].decode("utf-8", "replace").splitlines():
            if search in line:
                connection.sendall(_frame(line))
        sent = max(sent, complete)


def _frame(line: str) -> bytes:
    source = "SYSTEM" if "] [platform] " in line else "APP"
    body = json.dumps({"source": source, "timestamp": time.time(), "message": line}).encode()
    head = bytes([0x80 | _TEXT])
    if len(body) < 126:
        return head + bytes([len(body)]) + body
    if len(body) < 65_536:
        return head + bytes([126]) + struct.pack(">H", len(body)) + body
    return head + bytes([127]) + struct.pack(">Q", len(body)) + body


def _text(received: bytes) -> str:
    """The text of a short masked frame: the word that the client searches for."""
    length = received[1] & 0x7F if len(received) > 1 else 0
    if received[0] & 0x0F != _TEXT or length > 125 or len(received) < 6 + length:
        return ""
    mask, data = received[2:6], received[6 : 6 + length]
    return bytes(byte ^ mask[index % 4] for index, byte in enumerate(data)).decode("utf-8", "replace")
