"""Calling an endpoint: one request with its time limit, repeated only where that is safe."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from loguru import logger
from urllib3.response import BaseHTTPResponse

from services.errors import LakefrontError, ModelUnavailable
from services.identity import User
from services.model_serving import errors, payload, retries
from services.model_serving.errors import UpstreamTimeout
from services.model_serving.transport import ANSWER_LIMIT, Answer, Call, TimeOver, TooLarge, Transport, Unreachable


@dataclass(slots=True)
class Run:
    """One invocation under way, on behalf of ``user``.

    Attributes:
        name: the endpoint.
        url: its invocation address, for errors.
        path: the same without the host.
        body: what is sent.
        inputs: the request as it is kept in the history.
        request_id: the correlation id.
        started: when it began (``time.perf_counter``).
        deadline: when it must have ended (``time.monotonic``).
        seconds: the time limit that the caller gave.
        streamed: whether a stream is asked for.
        attempts: tries so far.
    """

    user: User
    name: str
    url: str
    path: str
    body: bytes
    inputs: Any
    request_id: str
    started: float
    deadline: float
    seconds: float
    streamed: bool = False
    attempts: int = 0

    @property
    def text(self) -> str | None:
        """``inputs`` as JSON text, when it is what is sent; a stream is asked for with more than that."""
        return None if "stream" in self.inputs or self.streamed else self.body.decode()

    @property
    def elapsed_ms(self) -> float:
        """Milliseconds since it began."""
        return (time.perf_counter() - self.started) * 1000

    @property
    def remaining(self) -> float:
        """Seconds left, never negative."""
        return max(0.0, self.deadline - time.monotonic())


class Upstream:
    """Sends invocations to one workspace. Every call runs as the run's user. Thread-safe."""

    def __init__(self, host: str, ca_file: str | None = None) -> None:
        """No I/O; see ``Transport``."""
        self._host = host
        self._transport = Transport(host, ca_file)

    def close(self) -> None:
        """Close idle connections."""
        self._transport.close()

    def post(self, run: Run) -> Answer:
        """The whole answer, after safe retries; one that is not 2xx is raised as its error.

        Raises:
            ModelUnavailable: no answer in time, no connection, or 5xx.
            InvalidInput, NotFound, AuthRequired, PermissionDenied, RateLimited: as the workspace answers.
        """
        headers = _headers(run, "application/json")
        while True:
            run.attempts += 1
            try:
                answer = self._transport.post(run.path, run.body, headers, run.deadline)
            except TimeOver:
                raise _time_over(run) from None
            except TooLarge:
                raise _too_large(run) from None
            except Unreachable as error:
                _pause_or_raise(run, _unreachable(run, error), again=error.refused, asked=None)
                continue
            if answer.status < 300:
                return answer
            self._refused(run, answer)

    def open(self, run: Run) -> tuple[Call, BaseHTTPResponse]:
        """The head of a streamed answer, after safe retries; whoever gets it must end the call and the response.

        Raises:
            As ``post``.
        """
        headers = _headers(run, "text/event-stream")
        while True:
            run.attempts += 1
            try:
                call, response = self._transport.open(run.path, run.body, headers, run.deadline)
                if response.status < 300 and _is_event_stream(response):
                    return call, response
                answer = self._transport.rest(call, response)
            except TimeOver:
                raise _time_over(run) from None
            except TooLarge:
                raise _too_large(run) from None
            except Unreachable as error:
                _pause_or_raise(run, _unreachable(run, error), again=error.refused, asked=None)
                continue
            if answer.status < 300:
                raise ModelUnavailable(run.url, answer.status, reason="not_a_stream")
            self._refused(run, answer)

    def _refused(self, run: Run, answer: Answer) -> None:
        """Raise the error of an answer that is not 2xx, or return after the pause that makes another try safe."""
        asked = retries.retry_after_of(answer.headers)
        error = errors.of_answer(run.name, run.url, self._host, answer.status, answer.data, asked)
        _pause_or_raise(run, error, again=answer.status in (429, 503) and asked is not None, asked=asked)


def read(run: Run, answer: Answer) -> tuple[Any, dict[str, Any] | None]:
    """``predictions`` of an answer, or the whole ``response`` of a language task.

    Raises:
        ModelUnavailable: the answer is not JSON.
    """
    try:
        return payload.predictions_of(payload.decode(answer.data))
    except ValueError as error:
        raise ModelUnavailable(run.url, answer.status, reason="not_json") from error


def _headers(run: Run, accept: str) -> dict[str, str]:
    return {
        "Authorization": f"Bearer {run.user.access_token}",
        "Content-Type": "application/json",
        "Accept": accept,
        "User-Agent": "lakefront",
        "X-Request-Id": run.request_id,
    }


def _is_event_stream(response: BaseHTTPResponse) -> bool:
    return response.headers.get("content-type", "").startswith("text/event-stream")


def _pause_or_raise(run: Run, error: LakefrontError, *, again: bool, asked: float | None) -> None:
    """Wait for the next try, or raise ``error`` when there must be none or the time does not allow it."""
    wait = retries.pause(run.attempts, run.deadline, asked) if again else None
    if wait is None:
        error.technical_details["attempts"] = run.attempts
        raise error
    logger.bind(endpoint=run.name, attempt=run.attempts, wait_seconds=round(wait, 3)).info("retrying an invocation")
    time.sleep(wait)


def _time_over(run: Run) -> UpstreamTimeout:
    return UpstreamTimeout(run.url, None, reason="time_limit", timeout_seconds=run.seconds, attempts=run.attempts)


def _too_large(run: Run) -> ModelUnavailable:
    return ModelUnavailable(run.url, None, reason="answer_too_large", most_bytes=ANSWER_LIMIT)


def _unreachable(run: Run, error: Unreachable) -> ModelUnavailable:
    return ModelUnavailable(run.url, None, reason="unreachable", error_type=str(error))
