"""The errors that each person met lately, for the Status page: kept in this process, bounded, forgotten with it.

They hold what the person saw anyway: code, what was asked, status and request id. No message, no value, no token.
"""

import threading
from collections import OrderedDict, deque
from dataclasses import dataclass
from datetime import UTC, datetime

from flask import Flask, Response, g, request

from dashboard.api.errors import record
from services.errors import LakefrontError
from services.observability import request_id

EACH = 20
PEOPLE = 500


@dataclass(frozen=True)
class Entry:
    """One error that one person met."""

    at: datetime
    error_code: str
    what: str
    status: int
    request_id: str


class RecentErrors:
    """The last errors of each person, newest first. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, deque[Entry]] = OrderedDict()

    def add(self, user_id: str, error_code: str, what: str, status: int, identifier: str) -> None:
        """Remember an error; the person who met none for the longest time is forgotten first."""
        entry = Entry(datetime.now(UTC), error_code, what, status, identifier)
        with self._lock:
            self._kept.setdefault(user_id, deque(maxlen=EACH)).appendleft(entry)
            self._kept.move_to_end(user_id)
            while len(self._kept) > PEOPLE:
                self._kept.popitem(last=False)

    def of(self, user_id: str) -> list[Entry]:
        """Return the errors of one person, newest first."""
        with self._lock:
            return list(self._kept.get(user_id, ()))


recent_errors = RecentErrors()


def remember(error: LakefrontError, what: str) -> None:
    """Log an error that a page shows, once, and remember it for the person of the current request, if there is one."""
    record(error)
    user = g.get("lakefront_user")
    if user is not None:
        recent_errors.add(user.user_id, error.error_code, what, error.status, request_id())


def watch_api(server: Flask) -> None:
    """Remember the errors that the JSON API answers with."""

    @server.after_request
    def note(response: Response) -> Response:
        user = g.get("lakefront_user")
        if response.status_code >= 400 and user is not None and request.path.startswith("/api/") and response.is_json:
            body = response.get_json(silent=True)
            code = body.get("error_code") if isinstance(body, dict) else None
            if code:
                what = f"{request.method} {request.path}"
                recent_errors.add(user.user_id, str(code), what, response.status_code, request_id())
        return response
