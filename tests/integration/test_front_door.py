"""The front door: who the app believes is asking, and bodies that stream."""

from __future__ import annotations

import http.client
import io
import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local_workspace.apps.front_door import Door, FrontDoor
from local_workspace.apps.upstream import Upstream
from local_workspace.faults import Faults
from local_workspace.identity.directory import Directory
from local_workspace.identity.tokens import Tokens
from local_workspace.server import LoopbackServer
from local_workspace.store import Store

DOWNLOAD = 30_000_000


def echo_app(environ: dict[str, Any], start_response: Any) -> Any:
    """Answer with the headers and body that arrived; a few paths stream, wait or break off."""
    path = environ["PATH_INFO"]
    if path == "/events":
        start_response("200 OK", [("Content-Type", "text/event-stream")])
        return _events()
    if path == "/download":
        start_response("200 OK", [("Content-Type", "application/octet-stream"), ("Content-Length", str(DOWNLOAD))])
        return (b"x" * 100_000 for _ in range(DOWNLOAD // 100_000))
    if path == "/slow":
        time.sleep(3)
    if path == "/short":
        start_response("200 OK", [("Content-Length", "100")])
        return _breaks_off(environ)
    length = environ.get("CONTENT_LENGTH")
    terminated = environ.get("wsgi.input_terminated")
    body = environ["wsgi.input"].read() if terminated else environ["wsgi.input"].read(int(length or 0))
    document = {
        "headers": {k[5:].replace("_", "-").lower(): v for k, v in environ.items() if k.startswith("HTTP_")},
        "method": environ["REQUEST_METHOD"],
        "uri": environ["REQUEST_URI"],
        "length": len(body),
    }
    start_response("200 OK", [("Content-Type", "application/json"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")])
    return [json.dumps(document).encode()]


def _events() -> Iterator[bytes]:
    for number in range(4):
        yield f"data: {number}\n\n".encode()
        time.sleep(0.25)


def _breaks_off(environ: dict[str, Any]) -> Iterator[bytes]:
    yield b"too little"
    environ["lakefront.socket"].shutdown(socket.SHUT_RDWR)


class House:
    """A front door over the echo app, with a real directory and real tokens."""

    def __init__(self, state: Path, limit: float = 120) -> None:
        self.store = Store(state / "workspace.sqlite")
        self.store.open()
        self.directory = Directory(self.store)
        self.directory.start()
        self.tokens = Tokens(self.store, self.directory, 3600)
        self.tokens.start()
        self.faults = Faults()
        self.app = LoopbackServer("echo", echo_app, 0)
        self.app.start()
        self.barred: set[str] = set()
        door = Door(
            app=Upstream("127.0.0.1", self.app.port),
            workspace=Upstream("127.0.0.1", self.app.port),
            workspace_url="http://127.0.0.1:1",
            workspace_id="42",
            accounts=self.directory,
            tokens=self.tokens,
            faults=self.faults,
            client_id="app-client",
            user_api_scopes=("sql", "model-serving"),
            allows=lambda principal: principal.name not in self.barred,
            request_limit_seconds=limit,
            app_state=lambda: "The app is starting.",
        )
        self.door = FrontDoor(door, 0)
        self.door.start()

    def close(self) -> None:
        """Stop everything."""
        self.door.stop()
        self.app.stop()
        self.store.close()

    def request(
        self, method: str, path: str, headers: dict[str, str] | None = None, body: Any = None
    ) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of one request."""
        connection = http.client.HTTPConnection("127.0.0.1", self.door.port, timeout=30)
        try:
            connection.request(method, path, body=body, headers=headers or {})
            response = connection.getresponse()
            return response.status, dict(response.getheaders()), response.read()
        finally:
            connection.close()

    def seen(self, headers: dict[str, str] | None = None, path: str = "/") -> dict[str, str]:
        """The headers that the app saw."""
        status, _, body = self.request("GET", path, headers)
        assert status == 200, body
        seen: dict[str, str] = json.loads(body)["headers"]
        return seen

    def token(self, name: str, **more: Any) -> str:
        """A token of ``name`` with every scope."""
        principal = self.directory.get(name)
        assert principal is not None
        return self.tokens.issue(principal, ["all-apis"], **more).token


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = House(tmp_path_factory.mktemp("house"))
    yield made
    made.close()


@pytest.fixture
def house(shared: House) -> House:
    shared.barred.clear()
    shared.faults.clear()
    return shared


def test_a_plain_request_is_the_analyst_with_the_apps_scopes(house: House) -> None:
    seen = house.seen()
    assert seen["x-forwarded-email"] == seen["x-forwarded-preferred-username"] == "analyst@example.com"
    assert seen["x-forwarded-user"].endswith("@42")
    assert seen["x-forwarded-host"] == seen["host"] == f"127.0.0.1:{house.door.port}"
    assert seen["x-real-ip"] == "127.0.0.1"
    caller = house.tokens.verify(seen["x-forwarded-access-token"])
    assert caller.principal.name == "analyst@example.com"
    assert caller.client_id == "app-client"
    assert caller.scopes == {"sql", "model-serving", "iam.current-user:read", "iam.access-control:read"}
    assert "authorization" not in seen


def test_what_a_client_claims_about_itself_is_taken_away(house: House) -> None:
    forged = {
        "X-Forwarded-Access-Token": "forged",
        "X-Forwarded-Email": "manager@example.com",
        "X-Forwarded-For": "1.2.3.4",
        "X_Forwarded_Access_Token": "forged",
        "x-forwarded-anything": "forged",
        "X-Real-Ip": "1.2.3.4",
        "X-Request-Id": "forged",
        "Connection": "keep-alive, X-Private",
        "X-Private": "hop by hop",
    }
    seen = house.seen(forged)
    assert "forged" not in json.dumps(seen)
    assert "1.2.3.4" not in json.dumps(seen)
    assert "x-private" not in seen
    assert seen["x-forwarded-email"] == "analyst@example.com"
    assert seen["x-request-id"] != house.seen()["x-request-id"]


def test_a_bearer_token_decides_who_is_asking_and_is_not_passed_on(house: House) -> None:
    seen = house.seen({"Authorization": f"Bearer {house.token('manager@example.com')}"})
    assert seen["x-forwarded-email"] == "manager@example.com"
    assert "authorization" not in seen
    assert house.tokens.verify(seen["x-forwarded-access-token"]).principal.name == "manager@example.com"


@pytest.mark.parametrize("authorization", ["Bearer nonsense", "Basic YTpi", "Bearer "])
def test_a_bad_credential_is_401_and_never_the_analyst(house: House, authorization: str) -> None:
    status, headers, body = house.request("GET", "/api/v1/me", {"Authorization": authorization})
    assert status == 401
    assert json.loads(body)["error_code"] == "AUTH_REQUIRED"
    assert json.loads(body)["technical_details"]["workspace"] == "http://127.0.0.1:1"
    assert headers["WWW-Authenticate"].startswith("Bearer")


def test_an_expired_token_is_401(house: House) -> None:
    token = house.token("manager@example.com", seconds=-1)
    status, _, body = house.request("GET", "/", {"Authorization": f"Bearer {token}"})
    assert (status, json.loads(body)["message"]) == (401, "Token is expired.")


def test_a_lakebase_password_does_not_sign_in(house: House) -> None:
    token = house.token("manager@example.com", audience="lakebase:x")
    assert house.request("GET", "/", {"Authorization": f"Bearer {token}"})[0] == 401


def test_a_service_principals_token_gives_its_own_identity(house: House) -> None:
    deployer = house.directory.service_principal("deployer")
    assert deployer is not None
    seen = house.seen({"Authorization": f"Bearer {house.token(deployer.name)}"})
    assert seen["x-forwarded-preferred-username"] == deployer.name
    assert "x-forwarded-email" not in seen


def test_a_user_token_is_reused_and_replaced_when_the_workspace_drops_it(house: House) -> None:
    first = house.seen()["x-forwarded-access-token"]
    assert house.seen()["x-forwarded-access-token"] == first
    house.tokens.expire_all()
    assert house.seen()["x-forwarded-access-token"] != first


def test_signing_in_and_out_by_the_page(house: House) -> None:
    status, headers, page = house.request("GET", "/.local/sign-in?next=/lakebase")
    assert status == 200
    assert b"exists only on your machine" in page
    assert page.index(b"analyst@example.com") < page.index(b"Signed in now") < page.index(b"manager@example.com")
    assert "script" not in headers["Content-Security-Policy"]
    form = {"Content-Type": "application/x-www-form-urlencoded", "Origin": house.door.url}
    status, headers, _ = house.request(
        "POST", "/.local/sign-in", form, body="user=manager%40example.com&next=%2Flakebase"
    )
    assert (status, headers["Location"]) == (303, "/lakebase")
    cookie = headers["Set-Cookie"].split(";")[0]
    seen = house.seen({"Cookie": f"theme=dark; {cookie}; x=y"})
    assert seen["x-forwarded-email"] == "manager@example.com"
    assert seen["cookie"] == "theme=dark; x=y"
    status, headers, _ = house.request("GET", "/.local/sign-out", {"Cookie": cookie})
    assert (status, headers["Location"]) == (303, "/.local/sign-in")
    assert "Max-Age=0" in headers["Set-Cookie"]


def test_an_unknown_account_cannot_sign_in(house: House) -> None:
    status, headers, page = house.request("POST", "/.local/sign-in", {}, body="user=<b>eve</b>")
    assert status == 400
    assert "Set-Cookie" not in headers
    assert b"There is no account &lt;b&gt;eve&lt;/b&gt;." in page
    assert house.seen({"Cookie": "local_workspace_account=eve"})["x-forwarded-email"] == "analyst@example.com"


@pytest.mark.parametrize("following", ["//evil.example", "https://evil.example/", "/\\evil.example", "relative"])
def test_sign_in_leads_nowhere_else(house: House, following: str) -> None:
    _, headers, _ = house.request("POST", "/.local/sign-in", {}, body=f"user=manager@example.com&next={following}")
    assert headers["Location"] == "/"


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("GET", "/", {"Host": "evil.example"}),
        ("GET", "/", {"Host": "127.0.0.1.evil.example:8000"}),
        ("POST", "/.local/token", {"Origin": "http://evil.example"}),
        ("POST", "/.local/sign-in", {"Origin": "null"}),
        ("PUT", "/.local/faults", {"Origin": "http://localhost:1"}),
        ("POST", "/api/v1/preferences", {"Origin": "http://evil.example"}),
        ("GET", "/api/v1/me", {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}),
    ],
)
def test_a_foreign_page_is_refused(house: House, method: str, path: str, headers: dict[str, str]) -> None:
    status, _, body = house.request(method, path, headers)
    assert (status, json.loads(body)["error_code"]) == (403, "PERMISSION_DENIED")


def test_a_link_from_elsewhere_and_localhost_names_work(house: House) -> None:
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert house.seen(link)["x-forwarded-email"] == "analyst@example.com"
    for name in ("localhost", "lakefront.localhost", "[::1]"):
        assert house.seen({"Host": f"{name}:{house.door.port}"})["host"].startswith(name)


def test_somebody_without_can_use_is_refused(house: House) -> None:
    house.barred.add("analyst@example.com")
    status, _, body = house.request("GET", "/api/v1/me")
    assert (status, json.loads(body)["error_code"]) == (403, "PERMISSION_DENIED")
    status, headers, page = house.request("GET", "/", {"Accept": "text/html"})
    assert (status, headers["Content-Type"]) == (403, "text/html; charset=utf-8")
    assert b"/.local/sign-in" in page


def test_events_pass_one_by_one(house: House) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", house.door.port, timeout=10)
    begun = time.monotonic()
    connection.request("GET", "/events")
    response = connection.getresponse()
    arrived = []
    while piece := response.read1(1000):
        arrived.append((piece, time.monotonic() - begun))
    connection.close()
    assert [piece for piece, _ in arrived] == [f"data: {n}\n\n".encode() for n in range(4)]
    assert arrived[0][1] < 0.2
    assert arrived[3][1] - arrived[0][1] > 0.6


def test_a_large_download_arrives_whole_and_begins_at_once(house: House) -> None:
    status, headers, body = house.request("GET", "/download")
    assert (status, headers["Content-Length"], len(body)) == (200, str(DOWNLOAD), DOWNLOAD)


def test_a_broken_off_answer_does_not_look_complete(house: House) -> None:
    with pytest.raises(http.client.IncompleteRead):
        house.request("GET", "/short")


@pytest.mark.parametrize("chunked", [False, True])
def test_a_large_upload_arrives_whole(house: House, chunked: bool) -> None:
    body: Any = (b"y" * 50_000 for _ in range(100)) if chunked else b"y" * 5_000_000
    status, _, answer = house.request("POST", "/upload", {}, body)
    assert (status, json.loads(answer)["length"]) == (200, 5_000_000)


def test_an_answer_before_the_end_of_an_upload_is_passed_on() -> None:
    listener = socket.create_server(("127.0.0.1", 0))

    def refuse() -> None:
        connection, _ = listener.accept()
        connection.recv(1000)
        connection.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 9\r\nConnection: close\r\n\r\ntoo large")
        connection.close()

    threading.Thread(target=refuse, daemon=True).start()
    upload = io.BytesIO(b"y" * 30_000_000)
    upstream = Upstream("127.0.0.1", listener.getsockname()[1])
    answer = upstream.request("POST", "/", [], upload, 30_000_000, 10)
    assert (answer.status, b"".join(answer)) == (413, b"too large")
    answer.close()
    listener.close()


def test_clients_that_dawdle_do_not_shut_out_others(house: House) -> None:
    head = b"POST /slow-body HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n"
    dawdling = []
    try:
        for number in range(150):
            dawdling.append(socket.create_connection(("127.0.0.1", house.door.port), timeout=5))
            dawdling[-1].sendall(head + b"\r\nx" if number % 2 else head)
        begun = time.monotonic()
        assert house.request("GET", "/")[0] == 200
        assert time.monotonic() - begun < 3
    finally:
        for one in dawdling:
            one.close()


def test_the_front_doors_own_pages_carry_a_request_id_too(house: House) -> None:
    for path in ("/.local/sign-in", "/.local/sign-in.css"):
        _, headers, _ = house.request("GET", path)
        assert headers["X-Request-Id"], path


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_every_method_keeps_its_name_and_the_connection_stays_usable(house: House, method: str) -> None:
    for _ in range(3):
        status, _, body = house.request(method, "/a%2Fb?c=%20d&e")
        assert status == 200
        if method != "HEAD":
            assert (json.loads(body)["method"], json.loads(body)["uri"]) == (method, "/a%2Fb?c=%20d&e")


def test_several_cookies_of_the_app_stay_several(house: House) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", house.door.port, timeout=10)
    connection.request("GET", "/")
    response = connection.getresponse()
    assert response.msg.get_all("Set-Cookie") == ["a=1", "b=2"]
    connection.close()


def test_while_the_app_is_down_programs_get_json_and_people_a_page_that_tries_again(tmp_path: Path) -> None:
    house = House(tmp_path)
    try:
        assert house.request("GET", "/")[0] == 200
        house.app.stop()
        status, headers, body = house.request("GET", "/api/v1/health")
        assert (status, json.loads(body)["error_code"]) == (502, "APP_UNAVAILABLE")
        assert json.loads(body)["message"] == "The app is starting."
        assert json.loads(body)["technical_details"]["request_id"] == headers["X-Request-Id"]
        status, headers, page = house.request("GET", "/", {"Accept": "text/html,*/*"})
        assert (status, headers["Refresh"]) == (502, "2")
        assert b"The app is starting." in page
    finally:
        house.close()


def test_the_request_limit_is_a_504(tmp_path: Path) -> None:
    house = House(tmp_path, limit=0.5)
    try:
        status, _, body = house.request("GET", "/slow")
        assert (status, json.loads(body)["error_code"]) == (504, "DEADLINE_EXCEEDED")
        with pytest.raises(http.client.IncompleteRead):
            house.request("GET", "/events")
    finally:
        house.close()


def test_faults_of_the_apps_service(house: House) -> None:
    house.faults.set(
        {"faults": [{"service": "apps", "match": "/x", "status": 503, "retry_after": 7, "times": 1, "message": "no"}]}
    )
    assert house.request("GET", "/y")[0] == 200
    status, headers, body = house.request("GET", "/x")
    assert (status, headers["Retry-After"], json.loads(body)["message"]) == (503, "7", "no")
    assert house.request("GET", "/x")[0] == 200
    house.faults.set({"faults": [{"service": "apps", "drop": True, "times": 1}]})
    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        house.request("GET", "/x")


def test_the_front_doors_own_routes_reach_the_workspace(house: House) -> None:
    status, _, body = house.request("PUT", "/.local/faults", {"Content-Type": "application/json"}, b"{}")
    seen = json.loads(body)
    assert (status, seen["uri"], seen["length"]) == (200, "/.local/faults", 2)
    assert "x-forwarded-access-token" not in seen["headers"]


def test_many_keep_alive_clients_at_once(house: House) -> None:
    failures: list[str] = []

    def ask() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", house.door.port, timeout=10)
        try:
            for _ in range(20):
                connection.request("GET", "/")
                response = connection.getresponse()
                if response.status != 200 or not response.read():
                    failures.append(str(response.status))
                if response.will_close:
                    failures.append("an answer ended the connection")
        except OSError as error:
            failures.append(repr(error))
        finally:
            connection.close()

    threads = [threading.Thread(target=ask) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_it_listens_on_loopback_only(house: House) -> None:
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.2", house.door.port), timeout=2)
