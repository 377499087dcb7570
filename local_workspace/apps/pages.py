"""What a front door answers by itself: the sign-in page, refusals, and "the app is not there"."""

from __future__ import annotations

import functools
import http
import json
import math
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import jinja2

from local_workspace.apps.sign_in import Accounts, NotSignedIn, sign_in_cookie, signed_in
from local_workspace.identity.model import Principal

_TEMPLATES = Path(__file__).parent / "templates"
_FORM_LIMIT = 8192
_POLICY = (
    "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_KNOWN = {
    "analyst@example.com": "Rows of one region, e\u2011mail masked.",
    "manager@example.com": "Sees everything.",
    "newcomer@example.com": "Sees the catalog samples only.",
}
_EVERYONES_GROUPS = frozenset({"users", "account users"})


@dataclass(slots=True)
class Page:
    """A whole answer. ``send`` gives it to a WSGI server."""

    status: int
    body: bytes
    content_type: str = "text/html; charset=utf-8"
    headers: list[tuple[str, str]] = field(default_factory=list)

    def send(self, environ: Mapping[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer; the body is left out for HEAD."""
        start_response(f"{self.status} {http.HTTPStatus(self.status).phrase}", self.all_headers())
        return [] if environ.get("REQUEST_METHOD") == "HEAD" else [self.body]

    def all_headers(self) -> list[tuple[str, str]]:
        """The headers of the answer, those of every page included."""
        headers = [
            ("Content-Type", self.content_type),
            ("Content-Length", str(len(self.body))),
            ("Cache-Control", "no-store"),
            ("X-Content-Type-Options", "nosniff"),
            # With "no-referrer" a browser sends a form with the origin "null", which the guard must refuse.
            ("Referrer-Policy", "same-origin"),
            *self.headers,
        ]
        if self.content_type.startswith("text/html"):
            headers.append(("Content-Security-Policy", _POLICY))
        return headers


def error(
    status: int, error_code: str, message: str, request_id: str, details: Mapping[str, Any] | None = None
) -> Page:
    """A JSON error in the shape of the app's own errors."""
    document: dict[str, Any] = {
        "error_code": error_code,
        "message": message,
        "technical_details": {**(details or {}), "request_id": request_id},
    }
    body = json.dumps(document).encode()
    return Page(status, body, "application/json", [("X-Request-Id", request_id)])


def not_signed_in(reason: str, workspace_url: str, request_id: str) -> Page:
    """401 for a bearer token that is not good."""
    page = error(
        401,
        "AUTH_REQUIRED",
        reason,
        request_id,
        {"required_scope": "iam.current-user:read", "workspace": workspace_url},
    )
    page.headers.append(("WWW-Authenticate", 'Bearer error="invalid_token"'))
    return page


def not_allowed(environ: Mapping[str, Any], name: str, request_id: str) -> Page:
    """403 for somebody without CAN_USE on the app."""
    message = f"{name} does not have permission to use this app. Ask its owner for CAN_USE."
    if _wants_json(environ):
        return error(403, "PERMISSION_DENIED", message, request_id)
    return notice(
        403, "You may not use this app", message, request_id, link="/.local/sign-in", link_text="Change account"
    )


def app_unavailable(environ: Mapping[str, Any], state: str, request_id: str) -> Page:
    """502 while the app's process does not answer; a browser tries again by itself."""
    if _wants_json(environ):
        return error(502, "APP_UNAVAILABLE", state, request_id)
    page = notice(502, "The app is not available", state, request_id)
    page.headers.append(("Refresh", "2"))
    return page


def sign_in_routes(environ: Mapping[str, Any], accounts: Accounts) -> Page:
    """``/.local/sign-in``, its stylesheet, and ``/.local/sign-out``."""
    path, method = environ["PATH_INFO"], environ["REQUEST_METHOD"]
    if path == "/.local/sign-in.css":
        return stylesheet()
    if path == "/.local/sign-out":
        return _redirect("/.local/sign-in", sign_in_cookie(""))
    if method == "POST":
        return _sign_in(environ, accounts)
    if method not in {"GET", "HEAD"}:
        return error(405, "METHOD_NOT_ALLOWED", "Use GET or POST.", "")
    query = parse_qs(environ.get("QUERY_STRING", ""))
    return _account_list(environ, accounts, _safe_next(query.get("next", ["/"])[0]))


def stylesheet() -> Page:
    """The stylesheet of all these pages."""
    return Page(200, (_TEMPLATES / "sign_in.css").read_bytes(), "text/css; charset=utf-8")


def rendered(template: str, status: int = 200, **values: Any) -> Page:
    """A page from one of the templates."""
    html = _jinja().get_template(template).render(contours=_contours(), **values)
    return Page(status, html.encode())


def notice(status: int, title: str, text: str, request_id: str = "", link: str = "", link_text: str = "") -> Page:
    """A page that says one thing, and perhaps where to go on."""
    page = rendered(
        "notice.html", status, title=title, text=text, request_id=request_id, link=link, link_text=link_text
    )
    if request_id:
        page.headers.append(("X-Request-Id", request_id))
    return page


def drop(environ: Mapping[str, Any]) -> None:
    """Cut the client's connection without an answer."""
    connection = environ.get("lakefront.socket")
    if isinstance(connection, socket.socket):
        try:
            connection.shutdown(socket.SHUT_RDWR)
        except OSError:  # the client was faster
            return


def _sign_in(environ: Mapping[str, Any], accounts: Accounts) -> Page:
    length = int(environ.get("CONTENT_LENGTH") or 0)
    if length > _FORM_LIMIT:
        return error(413, "REQUEST_TOO_LARGE", "The form is too large.", "")
    form = parse_qs(environ["wsgi.input"].read(length).decode("utf-8", "replace"))
    user = form.get("user", [""])[0]
    following = _safe_next(form.get("next", ["/"])[0])
    if user not in {account.name for account in accounts.accounts()}:
        return _account_list(environ, accounts, following, problem=f"There is no account {user or '(none)'}.")
    return _redirect(following, sign_in_cookie(user))


def _account_list(environ: Mapping[str, Any], accounts: Accounts, following: str, problem: str = "") -> Page:
    try:
        current = signed_in(environ, accounts).name
    except NotSignedIn:
        current = ""
    rows = [
        {"name": one.name, "letter": one.name[:1].upper(), "about": _about(one), "current": one.name == current}
        for one in accounts.accounts()
    ]
    status = 400 if problem else 200
    return rendered("sign_in.html", status, accounts=rows, next=following, problem=problem)


def _about(account: Principal) -> str:
    groups = sorted(account.groups - _EVERYONES_GROUPS)
    if not groups:
        belongs = "No group."
    elif len(groups) == 1:
        belongs = f"Group {groups[0]}."
    else:
        belongs = f"Groups {', '.join(groups[:-1])} and {groups[-1]}."
    return f"{belongs} {_KNOWN.get(account.name, '')}".strip()


def _redirect(to: str, cookie: str) -> Page:
    return Page(303, b"", headers=[("Location", to), ("Set-Cookie", cookie)])


def _safe_next(target: str) -> str:
    """A path of this server; anything else, such as ``//elsewhere``, becomes the start page."""
    parts = urlsplit(target.replace("\\", "/"))
    if parts.scheme or parts.netloc or not parts.path.startswith("/") or parts.path.startswith("//"):
        return "/"
    return quote(parts.path, safe="/%") + (f"?{quote(parts.query, safe='=&%')}" if parts.query else "")


def _wants_json(environ: Mapping[str, Any]) -> bool:
    if str(environ.get("PATH_INFO", "")).startswith("/api/"):
        return True
    return "text/html" not in str(environ.get("HTTP_ACCEPT", ""))


@functools.cache
def _jinja() -> jinja2.Environment:
    return jinja2.Environment(loader=jinja2.FileSystemLoader(_TEMPLATES), autoescape=True, trim_blocks=True)


@functools.cache
def _contours() -> list[dict[str, str]]:
    """Depth contours of a lake from a formula: the only ornament, as ``d`` and ``opacity`` of SVG paths."""
    paths = []
    for ring in range(12):
        points = []
        for degrees in range(0, 361, 4):
            t = math.radians(degrees)
            radius = (1 - ring * 0.078) * (
                1
                + 0.16 * math.sin(2 * t + 0.6 + ring * 0.05)
                + 0.09 * math.sin(3 * t + 1.9 - ring * 0.11)
                + 0.04 * math.cos(5 * t + ring * 0.3)
            )
            x = 600 + ring * 6 + math.cos(t) * 620 * radius
            y = 190 - ring * 3 + math.sin(t) * 300 * radius
            points.append(f"{x:.1f} {y:.1f}")
        paths.append({"d": f"M{'L'.join(points)}Z", "opacity": f"{0.16 + ring * 0.05:.2f}"})
    return paths
