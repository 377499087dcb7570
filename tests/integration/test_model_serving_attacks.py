"""Endpoints that answer oddly, callers who send too much: each ends as one of the documented errors, and in time."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient

from dashboard.server import create_server
from local_workspace.workspace import Workspace
from services.container import Services
from services.errors import InvalidInput, LakefrontError, ModelUnavailable
from services.identity import User
from services.model_serving import Invocation, RateLimited
from services.model_serving.service import ModelServingService

TALK = [{"role": "user", "content": "hello"}]
INPUTS = Invocation(inputs=[1], timeout_seconds=5)


class Scripted:
    """An endpoint that gives each connection the next of its answers, whole, and then closes it."""

    def __init__(self, *answers: bytes) -> None:
        """Listen at once."""
        self._answers = list(answers)
        self.requests: list[bytes] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def _serve(self) -> None:
        for answer in self._answers:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                request = connection.recv(65536)
                while b"\r\n\r\n" not in request or request.endswith(b"\r\n\r\n"):  # the body comes after the head
                    request += connection.recv(65536)
                self.requests.append(request)
                connection.sendall(answer)
                connection.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Stop listening."""
        self._listener.close()
        self._thread.join(timeout=5)


def whole(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Content-Type: application/json", *headers, "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


def events(*chunks: bytes) -> bytes:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
    return head + b"".join(b"data: " + chunk + b"\n\n" for chunk in chunks)


@pytest.fixture
def at(services: Services) -> Iterator[Callable[..., tuple[ModelServingService, Scripted]]]:
    """``at(answer, …)``: the service in front of an endpoint that gives these answers."""
    running: list[tuple[ModelServingService, Scripted]] = []

    def start(*answers: bytes) -> tuple[ModelServingService, Scripted]:
        upstream = Scripted(*answers)
        settings = services.settings.model_copy(update={"databricks_host": upstream.url})
        running.append((ModelServingService(settings, services.clients, services.lakebase), upstream))
        return running[-1]

    yield start
    for serving, upstream in running:
        serving.close()
        upstream.close()


BUSY = whole(b'{"message": "busy"}', "503 Service Unavailable", "Retry-After: 0")
FULL = whole(b'{"message": "full"}', "429 Too Many Requests", "Retry-After: 0")
GOOD = whole(b'{"predictions": [1]}')


def test_busy_and_full_are_asked_again_with_pauses_and_at_most_three_times(
    at: Callable[..., Any], user: Callable[..., User]
) -> None:
    serving, upstream = at(BUSY, FULL, BUSY, GOOD)
    assert serving.invoke(user(), "m", INPUTS).attempts == 4
    assert len({request.split(b"\r\n\r\n", 1)[1] for request in upstream.requests}) == 1
    serving, upstream = at(FULL, FULL, FULL, FULL, GOOD)
    with pytest.raises(RateLimited) as caught:
        serving.invoke(user(), "m", INPUTS)
    assert (caught.value.message, len(upstream.requests)) == ("full", 4)


@pytest.mark.parametrize(
    "answer",
    [
        whole(b"{}", "503 Service Unavailable"),
        whole(b"{}", "500 Internal Server Error", "Retry-After: 0"),
        whole(b"{}", "502 Bad Gateway", "Retry-After: 0"),
        whole(b"{}", "504 Gateway Timeout", "Retry-After: 0"),
        whole(b"{}", "302 Found", "Location: http://127.0.0.1:9/", "Retry-After: 0"),
        b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{",
        b"not HTTP at all\r\n\r\n",
        b"",
        whole(b""),
        whole(b"<html>sign in</html>"),
        whole(b'{"predictions": [NaN]}'),
        whole(b'{"predictions": [-Infinity]}'),
        whole(b'{"predictions": [1e999]}'),
        whole(b"[" * 100_000),
        whole(b'{"predictions": [' + b"9" * 5_000 + b"]}"),
    ],
)
def test_what_may_have_run_is_never_repeated_and_is_model_unavailable(
    at: Callable[..., Any], user: Callable[..., User], answer: bytes
) -> None:
    serving, upstream = at(answer, GOOD)
    started = time.monotonic()
    with pytest.raises(ModelUnavailable) as caught:
        serving.invoke(user(), "m", INPUTS)
    assert time.monotonic() - started < 5
    assert len(upstream.requests) == 1
    assert caught.value.technical_details["endpoint"] == f"{upstream.url}/serving-endpoints/m/invocations"


@pytest.mark.parametrize("asked", ["\xb2", "9" * 400, "-1", "1.5", "soon", "Wed, 99 Foo 99999 99:99:99 GMT", "0x1"])
def test_an_odd_time_to_come_back_breaks_nothing(at: Callable[..., Any], user: Callable[..., User], asked: str) -> None:
    serving, _ = at(whole(b'{"message": "full"}', "429 Too Many Requests", f"Retry-After: {asked}"))
    started = time.monotonic()
    with pytest.raises(RateLimited) as caught:
        serving.invoke(user(), "m", Invocation(inputs=[1], timeout_seconds=2))
    assert time.monotonic() - started < 2.5
    assert 1 <= (caught.value.retry_after or 0) <= 86_400


def test_an_odd_length_is_no_error(at: Callable[..., Any], user: Callable[..., User]) -> None:
    head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: \xb2\r\n\r\n".encode("latin-1")
    serving, _ = at(head + b'{"predictions": [1]}')
    assert serving.invoke(user(), "m", INPUTS).predictions == [1]


@pytest.mark.parametrize(
    ("sent", "got"),
    [
        ("[9007199254740993]", [9007199254740993]),
        ("[123456789012345678901234567890]", [123456789012345678901234567890]),
        ("[1, 1.0, -0.0, 1e22, 5e-324, 1.7976931348623157e308]", [1, 1.0, -0.0, 1e22, 5e-324, 1.7976931348623157e308]),
        ('[{"n": null, "b": true}]', [{"n": None, "b": True}]),
    ],
)
def test_numbers_come_through_as_the_model_wrote_them(
    at: Callable[..., Any], services: Services, token: Callable[..., str], sent: str, got: Any
) -> None:
    serving, _ = at(whole(f'{{"predictions": {sent}}}'.encode()))
    client = create_server(replace(services, model_serving=serving)).test_client()
    headers = {"X-Forwarded-Access-Token": token("analyst@example.com")}
    answer = client.post("/api/v1/model-serving/endpoints/m/invocations", json={"inputs": [1]}, headers=headers)
    assert repr(json.loads(answer.text)["predictions"]) == repr(got)
    log = client.get("/api/v1/model-serving/inference-logs?limit=1&endpoint_name=m", headers=headers)
    assert repr(json.loads(log.text)["inference_logs"][0]["predictions"]) == repr(got)


@pytest.mark.parametrize(
    ("chunks", "text", "ends"),
    [
        ((b'{"choices": 5}', b'{"choices": [7, {"delta": 3, "text": "a"}]}', b"[DONE]"), "a", None),
        ((b'{"error": null, "choices": [{"delta": {"content": "a"}}]}', b"[DONE]"), "a", None),
        ((b'{"choices": [{"delta": {"content": ["x"]}}], "usage": 4}', b"[DONE]"), "", None),
        ((b'{"choices": [{"text": "a"}]}', b'{"error": {"message": "the GPU is gone"}}'), "a", "the GPU is gone"),
        ((b'{"choices": [{"text": "a"}]}', b'{"error_code": "X", "message": "over"}'), "a", "over"),
        ((b'{"choices": [{"text": "a"}]}', b"{"), "a", "not_json"),
        ((b'{"choices": [{"text": "a"}]}', b"[1]"), "a", "not_an_object"),
        ((b'{"choices": [{"text": "a"}]}',), "a", "stream_broke_off"),
        ((b'{"x": NaN}',), "", "not_json"),
    ],
)
def test_a_stream_keeps_what_came_and_says_how_it_ended(
    at: Callable[..., Any], user: Callable[..., User], chunks: tuple[bytes, ...], text: str, ends: str | None
) -> None:
    serving, _ = at(events(*chunks))
    failure: LakefrontError | None = None
    with serving.stream_chat(user(), "m", Invocation(messages=TALK, timeout_seconds=5)) as stream:
        try:
            list(stream)
        except ModelUnavailable as error:
            failure = error
    assert stream.text == text
    assert stream.status == ("failed" if ends else "done")
    assert (failure.technical_details["reason"] if failure else None) == ends


def test_a_stream_of_any_length_takes_no_more_than_its_share_of_memory(
    at: Callable[..., Any], user: Callable[..., User], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.model_serving.streaming._KEPT_SIGNS", 1_000)
    chunk = json.dumps({"choices": [{"delta": {"content": "x" * 100}}]}).encode()
    serving, _ = at(events(*[chunk] * 200, b"[DONE]"))
    with serving.stream_chat(user(), "m", Invocation(messages=TALK, timeout_seconds=5)) as stream:
        assert len(list(stream)) == 200
    assert len(stream.text) == 1_000


def test_the_words_of_a_refusal_are_the_models_whatever_its_shape(
    at: Callable[..., Any], user: Callable[..., User]
) -> None:
    serving, _ = at(whole(b"\xff\xfe <b>no</b>", "422 Unprocessable Entity"))
    with pytest.raises(InvalidInput, match="<b>no</b>"):
        serving.invoke(user(), "m", INPUTS)


@pytest.mark.parametrize(
    ("form", "megabytes", "named"),
    [
        ("dataframe_records", 17, "larger than any request may be, which is 16 MB"),
        ("messages", 5, "4 MB"),
        ("prompt", 5, "4 MB"),
        ("input", 5, "4 MB"),
    ],
)
def test_what_the_platform_would_not_take_is_not_sent(
    client_of: Callable[..., FlaskClient], workspace: Workspace, form: str, megabytes: int, named: str
) -> None:
    text = "x" * (megabytes * 1024 * 1024)
    values: dict[str, Any] = {
        "dataframe_records": [{"text": text}],
        "messages": [{"role": "user", "content": text}],
        "prompt": text,
        "input": text,
    }
    workspace.faults.set({"faults": [{"service": "model_serving", "match": "/invocations", "status": 418, "times": 1}]})
    try:
        path = "/api/v1/model-serving/endpoints/echo-chat/invocations"
        answer = client_of().post(path, json={form: values[form]})
        assert (answer.status_code, answer.json["error_code"]) == (400, "INVALID_REQUEST")
        assert named in answer.json["message"]
        left = workspace.faults.describe()["faults"]
        assert left[0]["times"] == 1, "it was sent"
    finally:
        workspace.faults.clear()
