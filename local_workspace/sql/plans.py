"""Plans of queries, kept for the next time and checked before each use: a small query costs less than planning it.

A plan follows from the statement's text, the bound values that stand in it, who asks and where names resolve, and from
what the metastore and the directory answered while it was made. The first four are the key. The answers are kept with
the plan, and it is used again only when the same questions, asked anew, have the same answers. Privileges are among
the questions, so a REVOKE, a new mask or an altered column counts for the very next statement; there is nothing that a
change would have to invalidate.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from local_workspace.sql import parameters
from local_workspace.sql.govern import Governed, Scope
from local_workspace.sql.model import Parameter
from local_workspace.unity_catalog.errors import UnityCatalogError

T = TypeVar("T")

_MOST_PLANS = 256
_LONGEST_TEXT = 20_000
_FIRST_COMMENT = re.compile(r"\s*/\*[^*/]*\*/\s*")
"""Clients mark statements with an id in a comment at the start: it differs each time and means nothing."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """DuckDB's text of a query, and what it needs; ``shows_values`` when names of its columns hold bound values."""

    sql: str
    governed: Governed
    markers: frozenset[str]
    kinds: tuple[str | None, ...] = ()
    shows_values: bool = False


@dataclass(slots=True)
class Questions:
    """What was asked while a plan was made, in order, with the answers; names were resolved in ``scope``."""

    scope: Scope
    asked: list[tuple[Callable[..., Any], tuple[Any, ...], Any]] = field(default_factory=list)

    def through(self, source: T) -> T:
        """``source``, with each call of its methods written down."""
        return cast("T", _Witness(source, self))

    def answered_as_before(self) -> bool:
        """Whether every question has the same answer now."""
        try:
            return all(method(*arguments) == answer for method, arguments, answer in self.asked)
        except UnityCatalogError:
            return False


class _Witness:
    """Passes calls on to an object and writes them down. An error is no answer: then no plan comes of it."""

    def __init__(self, source: object, questions: Questions) -> None:
        self._source = source
        self._questions = questions

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._source, name)

        def ask(*arguments: Any) -> Any:
            answer = method(*arguments)
            self._questions.asked.append((method, arguments, answer))
            return answer

        return ask


class Plans:
    """The plans of one engine. Thread-safe; the oldest leave when there are too many."""

    def __init__(self) -> None:
        """None is kept."""
        self._lock = threading.Lock()
        self._kept: dict[Hashable, tuple[Prepared, Questions]] = {}

    @staticmethod
    def key(text: str, given: tuple[Parameter, ...], scope: Scope) -> Hashable:
        """What a plan is kept under."""
        return _FIRST_COMMENT.sub("", text, count=1), parameters.standing(given), scope

    def find(self, key: Hashable) -> Prepared | None:
        """The plan of ``key``, when it would be made just so now."""
        plan, questions = self._kept.get(key, (None, None))
        return plan if questions is not None and questions.answered_as_before() else None

    def keep(self, key: Hashable, plan: Prepared, questions: Questions) -> None:
        """Keep a plan for the next time."""
        if len(plan.sql) > _LONGEST_TEXT:
            return
        with self._lock:
            self._kept.pop(key, None)
            self._kept[key] = (plan, questions)
            if len(self._kept) > _MOST_PLANS:
                del self._kept[next(iter(self._kept))]
