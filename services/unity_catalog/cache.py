"""A small cache: bounded, thread-safe, each entry with the time it was made. Keys always carry the identity."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Cache(Generic[Value]):
    """Keeps answers for ``seconds``, at most ``size`` of them, the least recently used leave first."""

    def __init__(self, seconds: float, size: int = 2_000) -> None:
        """No I/O."""
        self._seconds = seconds
        self._size = size
        self._lock = threading.Lock()
        self._entries: OrderedDict[Hashable, tuple[float, Value]] = OrderedDict()

    def get(self, key: Hashable) -> Value | None:
        """The kept answer, when it is young enough."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is None or time.monotonic() - entry[0] >= self._seconds:
                return None
            self._entries.move_to_end(key)
            return entry[1]

    def put(self, key: Hashable, value: Value) -> None:
        """Keep an answer."""
        with self._lock:
            self._entries[key] = (time.monotonic(), value)
            self._entries.move_to_end(key)
            while len(self._entries) > self._size:
                self._entries.popitem(last=False)

    def get_or_make(self, key: Hashable, make: Callable[[], Value], *, refresh: bool = False) -> Value:
        """The kept answer, or a new one. Two callers at once may both make it: no lock is held while it is made."""
        found = None if refresh else self.get(key)
        if found is not None:
            return found
        value = make()
        self.put(key, value)
        return value

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._entries.clear()


def now() -> dt.datetime:
    """The time of an answer, in UTC."""
    return dt.datetime.now(dt.UTC)
