"""When another try is safe, and how long to wait for it.

Safe means that the model cannot have run: the connection was refused, or the platform answered 429 or 503 and named
the time to come back (``Retry-After``, RFC 9110 section 10.2.3). A time-out or a broken connection is never repeated.
"""

from __future__ import annotations

import email.utils
import random
import time
from collections.abc import Mapping
from datetime import UTC, datetime

MOST_ATTEMPTS = 4
_FIRST_WAIT = 0.1
_LONGEST_WAIT = 2.0
_LONGEST_ASKED = 86_400.0
"""A day: whatever is longer is no time to come back, and perhaps no number that a caller can read."""


def retry_after_of(headers: Mapping[str, str]) -> float | None:
    """Seconds of a ``Retry-After`` header (a number or a date), None without one that can be read."""
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return min(float(value), _LONGEST_ASKED)
    if not value:
        return None
    try:
        when = email.utils.parsedate_to_datetime(value)
    except (ValueError, TypeError, OverflowError):
        return None
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return min(max(0.0, (when - datetime.now(UTC)).total_seconds()), _LONGEST_ASKED)


def pause(attempt: int, deadline: float, asked: float | None) -> float | None:
    """Seconds to wait before the try after ``attempt`` (from 1), None when there must be none.

    Exponential backoff with full jitter; a time that the platform asked for is the least to wait.

    Args:
        attempt: how many tries there were.
        deadline: end of time, monotonic seconds.
        asked: seconds of the answer's ``Retry-After``.
    """
    if attempt >= MOST_ATTEMPTS:
        return None
    jitter = random.uniform(0.2, 1.0) * min(_LONGEST_WAIT, _FIRST_WAIT * 2**attempt)  # noqa: S311 - spreading load
    wait = jitter if asked is None else asked + jitter * 0.25
    return wait if time.monotonic() + wait < deadline else None
