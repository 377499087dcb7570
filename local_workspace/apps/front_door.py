"""The front door of one app: what the Apps proxy does between a browser and the app's process.

It takes away what a client claims about itself (``X-Forwarded-*``, ``X-Real-Ip``, ``X-Request-Id``, ``Authorization``)
and adds what is true for the signed-in person, with a fresh user token when the app has user authorization. Bodies
stream in both directions. Header names: https://docs.databricks.com/aws/en/dev-tools/databricks-apps/http-headers
"""

from __future__ import annotations

import http
import logging
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from local_workspace.apps import guard, log_stream, pages
from local_workspace.apps.sign_in import Accounts, ForwardedTokens, NotSignedIn, TokenMint, identify, without_sign_in
from local_workspace.apps.upstream import Answer, Readable, Upstream, UpstreamTimeout, UpstreamUnavailable
from local_workspace.faults import Fault, Faults
from local_workspace.identity.model import Principal
from local_workspace.server import LoopbackServer

Environ = dict[str, Any]
Headers = list[tuple[str, str]]
StartResponse = Callable[..., Any]

REQUEST_LIMIT_SECONDS = 120.0
"""The Apps proxy ends every request after this time."""

_HOP_BY_HOP = frozenset(
    {"CONNECTION", "KEEP_ALIVE", "PROXY_AUTHENTICATE", "PROXY_AUTHORIZATION", "PROXY_CONNECTION", "TE", "TRAILER",
     "TRANSFER_ENCODING", "UPGRADE", "EXPECT"}
)  # fmt: skip
_TAKEN_AWAY = frozenset({"AUTHORIZATION", "X_REAL_IP", "X_REQUEST_ID", "FORWARDED"})

_log = logging.getLogger(__name__)


Allows = Callable[[Principal], bool]
"""Says whether a principal may use the app."""


def everybody(_principal: Principal) -> bool:
    """The rule of an app without access control."""
    return True


@dataclass(frozen=True, slots=True)
class Door:
    """What one front door serves.

    Attributes:
        app: the app process.
        workspace: the local workspace's own HTTP server, which answers ``/.local/token`` and ``/.local/faults``.
        workspace_url: its address, for people and error messages.
        workspace_id: numeric id as text.
        accounts: the directory.
        tokens: the workspace's tokens.
        faults: injected faults (service ``apps``).
        client_id: the app's OAuth client.
        user_api_scopes: the scopes that the app declares; None when it has no user authorization.
        allows: who may use the app.
        request_limit_seconds: the proxy's limit for a whole request.
        app_state: what to say while the process does not answer.
        log: the app's log, shown at ``/logz``; None leaves that path to the app.
        manages: who may read it.
    """

    app: Upstream
    workspace: Upstream
    workspace_url: str
    workspace_id: str
    accounts: Accounts
    tokens: TokenMint
    faults: Faults
    client_id: str
    user_api_scopes: tuple[str, ...] | None
    allows: Allows = everybody
    request_limit_seconds: float = REQUEST_LIMIT_SECONDS
    app_state: Callable[[], str] = field(default=lambda: "The app is not running.")
    log: Callable[[], bytes] | None = None
    manages: Allows = everybody


class FrontDoor:
    """A reverse proxy with sign-in on 127.0.0.1. ``start`` and ``stop`` own its server and threads."""

    def __init__(self, door: Door, port: int) -> None:
        """Take the port at once.

        Raises:
            AddressTakenError: the port is in use.
        """
        self._door = door
        scopes = door.user_api_scopes
        self._forwarded = None if scopes is None else ForwardedTokens(door.tokens, door.client_id, scopes)
        self._server = LoopbackServer("front door", self, port)
        self.port: int = self._server.port
        self.url = f"http://127.0.0.1:{self.port}"

    def set_scopes(self, scopes: tuple[str, ...] | None) -> None:
        """Forward user tokens with other scopes from now on; None forwards none."""
        door = self._door
        self._forwarded = None if scopes is None else ForwardedTokens(door.tokens, door.client_id, scopes)

    def start(self) -> None:
        """Accept connections."""
        self._server.start()

    def stop(self) -> None:
        """Stop accepting, finish what is being sent, close the connections to the app."""
        self._server.stop()
        self._door.app.close()
        self._door.workspace.close()

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """The WSGI application: guard, own routes, identity, then the app."""
        request_id = str(uuid.uuid4())
        page = self._own_page(environ, request_id)
        if page is not None:
            if all(name != "X-Request-Id" for name, _ in page.headers):
                page.headers.append(("X-Request-Id", request_id))
            return page.send(environ, start_response)
        if str(environ.get("PATH_INFO", "")).startswith("/.local/"):
            return self._forward(environ, start_response, self._door.workspace, _plain_headers(environ), request_id)
        try:
            principal = identify(environ, self._door.accounts, self._door.tokens)
        except NotSignedIn as error:
            return pages.not_signed_in(str(error), self._door.workspace_url, request_id).send(environ, start_response)
        if not self._door.allows(principal):
            return pages.not_allowed(environ, principal.name, request_id).send(environ, start_response)
        headers = _plain_headers(environ) + self._identity_headers(environ, principal, request_id)
        return self._forward(environ, start_response, self._door.app, headers, request_id)

    def _own_page(self, environ: Environ, request_id: str) -> pages.Page | None:
        refusal = guard.refusal(environ)
        if refusal is not None:
            return pages.error(403, "PERMISSION_DENIED", refusal, request_id)
        if environ.get("PATH_INFO") == "/logz/stream" and self._door.log is not None:
            return self._log_page(environ, self._door.log, request_id)
        if environ.get("HTTP_UPGRADE", "").lower() == "websocket":
            return pages.error(501, "NOT_IMPLEMENTED", "This front door does not pass WebSockets.", request_id)
        path = environ.get("PATH_INFO", "")
        if path == "/logz" and self._door.log is not None:
            return self._log_page(environ, self._door.log, request_id)
        if path in {"/.local/sign-in", "/.local/sign-out", "/.local/sign-in.css"}:
            return pages.sign_in_routes(environ, self._door.accounts)
        fault = None if path.startswith("/.local/") else self._door.faults.take("apps", path)
        return None if fault is None else _fail(fault, environ, request_id)

    def _log_page(self, environ: Environ, log: Callable[[], bytes], request_id: str) -> pages.Page:
        """The app's log, for those who may manage it."""
        try:
            principal = identify(environ, self._door.accounts, self._door.tokens)
        except NotSignedIn as error:
            return pages.not_signed_in(str(error), self._door.workspace_url, request_id)
        if not self._door.manages(principal):
            message = f"{principal.name} may not read the log of this app: CAN_MANAGE is needed."
            return pages.error(403, "PERMISSION_DENIED", message, request_id)
        if environ.get("PATH_INFO") == "/logz/stream":
            log_stream.serve(environ, log)
        return pages.Page(200, log(), "text/plain; charset=utf-8")

    def _identity_headers(self, environ: Environ, principal: Principal, request_id: str) -> Headers:
        headers = [
            ("X-Forwarded-Host", str(environ.get("HTTP_HOST", ""))),
            ("X-Forwarded-Preferred-Username", principal.name),
            ("X-Forwarded-User", f"{principal.id}@{self._door.workspace_id}"),
            ("X-Real-Ip", str(environ.get("REMOTE_ADDR", ""))),
            ("X-Request-Id", request_id),
        ]
        if principal.kind == "user":
            headers.append(("X-Forwarded-Email", principal.name))
        if self._forwarded is not None:
            headers.append(("X-Forwarded-Access-Token", self._forwarded.get(principal)))
        return headers

    def _forward(
        self, environ: Environ, start_response: StartResponse, to: Upstream, headers: Headers, request_id: str
    ) -> Iterable[bytes]:
        body, length = _body(environ)
        limit = self._door.request_limit_seconds
        try:
            answer = to.request(environ["REQUEST_METHOD"], _target(environ), headers, body, length, limit)
        except UpstreamTimeout:
            text = f"The app did not answer within {limit:g} seconds, the limit of the Apps proxy."
            return pages.error(504, "DEADLINE_EXCEEDED", text, request_id).send(environ, start_response)
        except UpstreamUnavailable as error:
            _log.debug("app unreachable: %s", error)
            return pages.app_unavailable(environ, self._door.app_state(), request_id).send(environ, start_response)
        passed = [(n, v) for n, v in answer.headers if n.upper().replace("-", "_") not in _HOP_BY_HOP]
        if not any(name.lower() == "x-request-id" for name, _ in passed):
            passed.append(("X-Request-Id", request_id))
        start_response(f"{answer.status} {answer.reason or _phrase(answer.status)}", passed)
        return _Body(answer)


class _Body:
    """A response body for WSGI that gives the connection back, or cuts it, when the server is done with it."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._answer)

    def close(self) -> None:
        self._answer.close()


def _plain_headers(environ: Environ) -> Headers:
    """The client's own headers without those that only the proxy may set."""
    named = {str(name).strip().upper().replace("-", "_") for name in environ.get("HTTP_CONNECTION", "").split(",")}
    headers: Headers = []
    for key, value in environ.items():
        if not key.startswith("HTTP_"):
            continue
        name = key[5:]
        if name in _HOP_BY_HOP or name in _TAKEN_AWAY or name in named or name.startswith("X_FORWARDED"):
            continue
        if name == "COOKIE":
            value = without_sign_in(value)
            if not value:
                continue
        headers.append((name.replace("_", "-").title(), value))
    if environ.get("CONTENT_TYPE"):
        headers.append(("Content-Type", environ["CONTENT_TYPE"]))
    return headers


def _target(environ: Environ) -> str:
    """Path and query exactly as the client wrote them, so that ``%2F`` stays what it is."""
    uri: str = environ["REQUEST_URI"]
    if uri.startswith("/"):
        return uri
    _, _, rest = uri.partition("://")
    return "/" + rest.partition("/")[2]


def _body(environ: Environ) -> tuple[Readable | None, int | None]:
    stream: Readable = environ["wsgi.input"]
    if environ.get("wsgi.input_terminated"):
        return stream, None
    length = int(environ.get("CONTENT_LENGTH") or 0)
    if length or environ["REQUEST_METHOD"] in {"POST", "PUT", "PATCH"}:
        return stream, length
    return None, None


def _fail(fault: Fault, environ: Environ, request_id: str) -> pages.Page | None:
    """Do what a fault of the service ``apps`` says; None lets the request go on after the delay."""
    if fault.delay_seconds:
        time.sleep(fault.delay_seconds)
    if fault.drop:
        pages.drop(environ)
    if not fault.drop and fault.status is None:
        return None
    page = pages.error(fault.status or 502, "APP_UNAVAILABLE", fault.message, request_id)
    if fault.retry_after is not None:
        page.headers.append(("Retry-After", str(fault.retry_after)))
    return page


def _phrase(status: int) -> str:
    try:
        return http.HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
