"""Edges of Model Serving: readers who leave, answers without end, what the workspace tells, snippets that run."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from werkzeug.serving import make_server

from dashboard.api import model_serving as api
from dashboard.components.snippets import curl_snippet, python_snippet
from dashboard.pages.model_serving import details
from dashboard.server import create_server
from local_workspace.workspace import Workspace
from services.container import Services
from services.errors import ModelUnavailable, PermissionDenied
from services.identity import User
from services.model_serving import Invocation, transport
from services.model_serving.metadata import _access
from services.model_serving.service import ModelServingService
from tests.unit.test_components import text_of

TALK = [{"role": "user", "content": "hello"}]


class Upstream:
    """An endpoint that answers what it is told to, and tells when its caller has gone."""

    def __init__(self, *pieces: bytes, repeat: bytes = b"") -> None:
        """Send ``pieces``, then ``repeat`` for ever, or nothing more."""
        self._pieces, self._repeat = pieces, repeat
        self.left = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def _serve(self) -> None:
        connection, _ = self._listener.accept()
        with connection:
            connection.recv(65536)
            try:
                for piece in self._pieces:
                    connection.sendall(piece)
                while self._repeat:
                    connection.sendall(self._repeat)
                connection.settimeout(20)
                while connection.recv(65536):
                    pass
            except OSError:
                pass
            self.left.set()

    def close(self) -> None:
        """Stop listening."""
        self._listener.close()
        self._thread.join(timeout=5)


def serving_at(services: Services, url: str) -> ModelServingService:
    settings = services.settings.model_copy(update={"databricks_host": url})
    return ModelServingService(settings, services.clients, services.lakebase)


@pytest.fixture
def silent() -> Iterator[Upstream]:
    """A chat that writes one word and then thinks for ever."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
    upstream = Upstream(head, b'data: {"choices": [{"delta": {"content": "Hm"}}]}\n\n')
    yield upstream
    upstream.close()


def test_a_reader_who_leaves_a_silent_stream_stops_the_endpoint(
    services: Services, token: Callable[..., str], silent: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "_HEARTBEAT_SECONDS", 0.2)
    serving = serving_at(services, silent.url)
    server = make_server(
        "127.0.0.1", 0, create_server(dataclasses.replace(services, model_serving=serving)), threaded=True
    )
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        url = f"http://127.0.0.1:{server.server_port}/api/v1/model-serving/endpoints/echo-chat/invocations?stream=true"
        headers = {"X-Forwarded-Access-Token": token("analyst@example.com")}
        with httpx.stream("POST", url, json={"messages": TALK}, headers=headers, timeout=10) as answer:
            lines = answer.iter_lines()
            assert '"Hm"' in next(lines)
            assert any(line == ": waiting" for line in lines), "silence is filled with comments"
            assert not silent.left.is_set()
        assert silent.left.wait(5), "the call to the endpoint goes on for nobody"
    finally:
        server.shutdown()
        thread.join(timeout=5)
        serving.close()


@pytest.mark.parametrize("announced", [True, False])
def test_an_answer_without_end_is_cut(
    services: Services, user: Callable[..., User], monkeypatch: pytest.MonkeyPatch, announced: bool
) -> None:
    monkeypatch.setattr(transport, "ANSWER_LIMIT", 100_000)
    length = b"Content-Length: 99999999\r\n" if announced else b"Connection: close\r\n"
    upstream = Upstream(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" + length + b"\r\n", repeat=b" " * 8192)
    serving = serving_at(services, upstream.url)
    started = time.monotonic()
    try:
        with pytest.raises(ModelUnavailable) as caught:
            serving.invoke(user(), "trip-fare", Invocation(inputs=[1], timeout_seconds=10))
        assert caught.value.technical_details["reason"] == "answer_too_large"
        assert time.monotonic() - started < 3
        assert upstream.left.wait(3)
    finally:
        serving.close()
        upstream.close()


@pytest.mark.parametrize("name", ["trip-fare", "review-sentiment", "echo-chat", "echo-completion", "word-embedding"])
def test_snippets_run_as_they_are_shown(
    services: Services, workspace: Workspace, user: Callable[..., User], token: Callable[..., str], name: str
) -> None:
    assert workspace.serving.wait_until_ready(30)
    if shutil.which("curl") is None:
        pytest.skip("no curl on this machine")
    schema = services.model_serving.endpoint_schema(user(), name)
    environment = {
        "PATH": os.environ["PATH"],
        "DATABRICKS_HOST": workspace.url,
        "DATABRICKS_TOKEN": token("analyst@example.com", scopes=("all-apis",)),
        "NO_PROXY": "127.0.0.1",
    }
    for example in schema.examples.values():
        quoted = json.dumps(example | ({"max_tokens": 5} if "messages" in example else {})).replace(
            "Hello", 'It\'s $5 \\"here\\"'
        )
        curl = curl_snippet(workspace.url, name, quoted)
        done = subprocess.run(
            ["sh", "-c", f"{curl} -fsS"], env=environment, capture_output=True, text=True, timeout=30, check=False
        )
        assert done.returncode == 0, done.stderr + curl
        assert json.loads(done.stdout)
    python = python_snippet(name, quoted)
    ran = subprocess.run(
        [sys.executable, "-c", python], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.returncode == 0, ran.stderr + python
    assert ran.stdout.startswith("{")


def test_the_registered_model_is_told_to_who_may_read_it(
    services: Services, workspace: Workspace, user: Callable[..., User], token: Callable[..., str]
) -> None:
    workspace.serving.wait_until_ready(30)
    serving = services.model_serving
    with pytest.raises(PermissionDenied):
        serving.registered_model(user(), "lakefront.sales.trip_fare")
    wide = dataclasses.replace(user(), access_token=token("analyst@example.com", scopes=("all-apis",)))
    end = time.monotonic() + 10
    found: Any = None
    while found is None and time.monotonic() < end:
        try:
            found = serving.registered_model(wide, "lakefront.sales.trip_fare")
        except PermissionDenied:
            raise
        except Exception:  # noqa: BLE001 - it is registered in the background
            time.sleep(0.2)
    assert found.comment.startswith("Predicts fare_amount")
    assert found.catalog_explorer_url == f"{workspace.url}/explore/data/models/lakefront/sales/trip_fare"
    words = text_of(details.content(services, wide, serving.get_endpoint(wide, "trip-fare")))
    assert "Predicts fare_amount" in words
    assert "analysts may query" in words
    refused = text_of(details.content(services, user(), serving.get_endpoint(user(), "trip-fare")))
    assert "Its description is not shown here." in refused
    assert "Who else may is not told to this app." in refused


def test_the_strongest_level_of_each_principal_counts() -> None:
    entries: list[dict[str, Any]] = [
        {"group_name": "b", "all_permissions": [{"permission_level": "CAN_VIEW"}, {"permission_level": "CAN_MANAGE"}]},
        {"user_name": "a", "all_permissions": [{"permission_level": "CAN_QUERY"}]},
        {"user_name": "n", "all_permissions": []},
    ]
    assert [(one.principal, one.kind, one.level) for one in _access(entries)] == [
        ("b", "group", "CAN_MANAGE"),
        ("a", "user", "CAN_QUERY"),
    ]


@pytest.mark.parametrize(
    ("account", "name", "status", "words"),
    [
        ("", "trip_fare", 200, "Shown to analyst@example.com"),
        ("manager@example.com", "review_sentiment", 200, "logistic regression"),
        ("newcomer@example.com", "trip_fare", 403, "You may not see this model"),
        ("manager@example.com", "no_such_model", 404, "There is no such model"),
        ("manager@example.com", "<b>x", 404, "&lt;b&gt;x"),
    ],
)
def test_a_link_to_a_registered_model_leads_to_its_page(
    workspace: Workspace, account: str, name: str, status: int, words: str
) -> None:
    url = f"{workspace.url}/explore/data/models/lakefront/sales/{quote(name)}"
    cookies = {"local_workspace_account": account} if account else {}
    end = time.monotonic() + 10
    while (answer := httpx.get(url, cookies=cookies)).status_code == 404 and status != 404 and time.monotonic() < end:
        time.sleep(0.1)  # the models are registered in the background
    assert answer.status_code == status
    assert words.lower() in answer.text.lower()
    assert "<b>" not in answer.text
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert httpx.get(f"{workspace.url}/.local/sign-in.css").status_code == 200
