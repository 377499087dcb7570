"""Keeps foreign web pages away from servers on loopback.

A page from anywhere may send requests to ``127.0.0.1`` through the browser of whoever looks at it. Two checks stop
it: the ``Host`` header must be a loopback name (against names that were made to resolve to 127.0.0.1), and a request
that a browser marks as coming from another origin is refused, except for following a link.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def refusal(environ: Mapping[str, Any]) -> str | None:
    """Why a request is refused, or None when it may pass.

    Args:
        environ: the WSGI environment of the request.
    """
    host = str(environ.get("HTTP_HOST", ""))
    if not is_loopback(host):
        return "This server answers on loopback names only: use 127.0.0.1 or localhost."
    origin = environ.get("HTTP_ORIGIN")
    if origin is not None and urlsplit(str(origin)).netloc.lower() != host.lower():
        return "A page of another origin may not use this server."
    navigation = environ.get("HTTP_SEC_FETCH_MODE") == "navigate" and environ.get("REQUEST_METHOD") in {"GET", "HEAD"}
    if environ.get("HTTP_SEC_FETCH_SITE") == "cross-site" and not navigation:
        return "A page of another site may not use this server."
    return None


def is_loopback(host: str) -> bool:
    """Whether a ``Host`` header (with or without a port) names the loopback interface."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    return name in _LOOPBACK or name.endswith(".localhost")
