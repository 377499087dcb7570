"""A chat answer as it is written: server-sent events from the endpoint, one chunk at a time.

The format is that of the HTML standard's event streams as the OpenAI-compatible APIs use it: ``data:`` lines with JSON,
the last one ``[DONE]``.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse

from services.errors import LakefrontError, ModelUnavailable
from services.model_serving import payload
from services.model_serving.errors import UpstreamTimeout, message_of
from services.model_serving.models import InvocationResult
from services.model_serving.transport import Call

_DONE = "[DONE]"
_LONGEST_LINE = 4 * 1024 * 1024
_KEPT_SIGNS = 1_000_000


class ChatStream:
    """An iterator of the endpoint's chunks, each as the endpoint sent it. Closing it stops the upstream call.

    Attributes:
        usage: the token counts of the last chunk that had them.
        status: ``open`` until it ended; then ``done``, ``stopped`` (closed before its end), ``failed`` or ``timeout``.
        first_token_ms: time from sending the request to the first text, milliseconds.
        served_entity: the served entity that answers.
        result: what a plain invocation would have answered, once the stream is done.
    """

    def __init__(
        self,
        call: Call,
        response: BaseHTTPResponse,
        *,
        url: str,
        started: float,
        on_end: Callable[[ChatStream], InvocationResult | None],
    ) -> None:
        """Take over an open answer; ``started`` is when the request was sent (``time.perf_counter``)."""
        self._call = call
        self._response = response
        self._url = url
        self._started = started
        self._on_end = on_end
        self._chunks = self._read()
        self._ending = threading.Lock()
        self._pieces: list[str] = []
        self._kept = 0
        self.usage: dict[str, Any] | None = None
        self.finish_reason: str | None = None
        self.status = "open"
        self.error: LakefrontError | None = None
        self.first_token_ms: float | None = None
        self.execution_time_ms = 0.0
        self.served_entity = response.headers.get("served-model-name")
        self.result: InvocationResult | None = None

    @property
    def text(self) -> str:
        """What was written so far, up to a million signs."""
        return "".join(self._pieces)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return self

    def __next__(self) -> dict[str, Any]:
        """The next chunk.

        Raises:
            ModelUnavailable: the endpoint broke off, or the time limit has passed.
        """
        if self.status != "open":
            raise StopIteration
        try:
            chunk = next(self._chunks)
        except StopIteration:
            self._end("done")
            raise
        except LakefrontError as error:
            if not self._end("timeout" if isinstance(error, UpstreamTimeout) else "failed", error):
                raise StopIteration from error  # closed from another thread: so the broken read looks here
            raise
        self._note(chunk)
        return chunk

    def close(self) -> None:
        """Stop: the upstream connection is closed at once. Idempotent; safe from another thread."""
        self._end("stopped")

    def __enter__(self) -> ChatStream:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def _end(self, status: str, error: LakefrontError | None = None) -> bool:
        """End the stream, once; False when it ended before."""
        with self._ending:
            if self.status != "open":
                return False
            self.status, self.error = status, error
        self.execution_time_ms = (time.perf_counter() - self._started) * 1000
        if status == "done":
            self._call.finish()
            self._response.release_conn()
        else:
            self._call.cut()
            self._call.finish()
            self._response.close()
        self.result = self._on_end(self)
        return True

    def _note(self, chunk: dict[str, Any]) -> None:
        """Keep the text and the usage of a chunk."""
        if isinstance(chunk.get("usage"), dict):
            self.usage = chunk["usage"]
        choices = chunk.get("choices")
        for choice in choices if isinstance(choices, list) else []:
            if not isinstance(choice, dict):
                continue
            delta = choice.get("delta")
            piece = delta.get("content") if isinstance(delta, dict) else choice.get("text")
            if isinstance(piece, str) and piece:
                if self.first_token_ms is None:
                    self.first_token_ms = (time.perf_counter() - self._started) * 1000
                self._keep(piece)
            self.finish_reason = choice.get("finish_reason") or self.finish_reason

    def _keep(self, piece: str) -> None:
        """Keep a piece of the text, up to what the history has room for."""
        if self._kept < _KEPT_SIGNS:
            self._pieces.append(piece)
            self._kept += len(piece)

    def _read(self) -> Iterator[dict[str, Any]]:
        """Chunks until ``[DONE]``; whatever else ends the stream is an error."""
        for data in self._events():
            if data == _DONE:
                for _ in self._events():  # the end of the body, so that the connection can be used again
                    pass
                return
            try:
                chunk = payload.decode(data.encode())
            except ValueError:
                raise ModelUnavailable(self._url, self._response.status, reason="not_json") from None
            if not isinstance(chunk, dict):
                raise ModelUnavailable(self._url, self._response.status, reason="not_an_object")
            if chunk.get("error") or chunk.get("error_code"):
                reason = message_of(data.encode())
                raise ModelUnavailable(self._url, self._response.status, reason=reason)
            yield chunk
        raise ModelUnavailable(self._url, self._response.status, reason="stream_broke_off")

    def _events(self) -> Iterator[str]:
        """The ``data`` of each event."""
        lines: list[str] = []
        for line in self._lines():
            if not line:
                if lines:
                    yield "\n".join(lines)
                    lines = []
            elif line.startswith("data:"):
                lines.append(line[5:].removeprefix(" "))
        if lines:
            yield "\n".join(lines)

    def _lines(self) -> Iterator[str]:
        buffer = b""
        while True:
            try:
                piece = self._response.read1(65536, decode_content=True)
            except (HTTPError, OSError, ValueError, AttributeError) as error:
                self._check_time()
                reason = type(error).__name__
                raise ModelUnavailable(self._url, self._response.status, reason=reason) from error
            if not piece:
                self._check_time()
                break
            buffer += piece
            *whole, buffer = buffer.replace(b"\r\n", b"\n").split(b"\n")
            for line in whole:
                yield line.decode("utf-8", "replace")
            if len(buffer) > _LONGEST_LINE:
                raise ModelUnavailable(self._url, self._response.status, reason="line_too_long")
        if buffer:
            yield buffer.decode("utf-8", "replace")

    def _check_time(self) -> None:
        if self._call.is_over or self._call.remaining <= 0:
            raise UpstreamTimeout(self._url, None, reason="time_limit")
