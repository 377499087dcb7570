"""A small cache: bounded, thread-safe, each entry with the time it was made.

What is kept for people lies under an ``Asked``: it says whose it is and of which table, so that it can be forgotten.
"""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, NamedTuple, TypeVar

from services.identity import User
from services.unity_catalog.models import TableRef

Value = TypeVar("Value")


class Asked(NamedTuple):
    """The key of an answer: who asked (a new token may see other things), about which table if one, and what."""

    user_id: str
    token_key: str
    table: str
    what: Hashable

    @classmethod
    def by(cls, user: User, ref: TableRef | None, what: Hashable) -> Asked:
        """The key of what ``user`` asked; names of tables are the same in upper and lower case."""
        return cls(user.user_id, user.token_key, ref.full_name.lower() if ref else "", what)

    def about(self, user: User, ref: TableRef) -> bool:
        """Whether it is of this person and this table, whatever the token."""
        return self.user_id == user.user_id and self.table == ref.full_name.lower()


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

    def discard(self, chosen: Callable[[Hashable, Value], bool]) -> None:
        """Forget the entries that are chosen by key and value."""
        with self._lock:
            for key in [key for key, (_, value) in self._entries.items() if chosen(key, value)]:
                del self._entries[key]

    def forget_table(self, user: User, ref: TableRef) -> None:
        """Forget what is kept under an ``Asked`` of this person and this table."""
        self.discard(lambda key, _: isinstance(key, Asked) and key.about(user, ref))

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._entries.clear()


def now() -> dt.datetime:
    """The time of an answer, in UTC."""
    return dt.datetime.now(dt.UTC)
