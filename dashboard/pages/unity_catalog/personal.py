"""What a person's own records say about this page: preferences, where they were, and the views they saved.

The page never waits long for Lakebase and never fails with it: without an answer in time the defaults hold.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from contextvars import copy_context
from dataclasses import dataclass, field
from typing import Any, TypeVar

from loguru import logger
from pydantic import ValidationError

from dashboard.pages.unity_catalog.view_state import ViewState
from dashboard.preferences import DATE_FORMAT, DEFAULT_TABLE, PAGE_SIZE
from services.errors import LakefrontError
from services.identity import User
from services.lakebase import APPLICATION_STATE, CONFIGURATION, PREFERENCE, LakebaseService

PLACE_KEY = "unity_catalog.place"
_PATIENCE_SECONDS = 0.8
_USED = (PAGE_SIZE, DEFAULT_TABLE, DATE_FORMAT)

T = TypeVar("T")


@dataclass(frozen=True)
class Personal:
    """The page's preferences of one person, and the view they left last time."""

    page_size: int = PAGE_SIZE.default
    default_table: str | None = None
    date_format: str = DATE_FORMAT.default
    place: ViewState | None = None


@dataclass(frozen=True)
class SavedView:
    """A configuration that holds a view of this page."""

    key: str
    table: str


@dataclass
class PersonalRecords:
    """Reads and writes the records; thread-safe. Runs as the app, confined to the person."""

    lakebase: LakebaseService
    _worker: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(4, thread_name_prefix="personal-records")
    )

    def read(self, user: User, *, place: bool) -> Personal:
        """The preferences, and the place if it is wanted; the defaults when Lakebase does not answer in time."""
        found: Personal | None = self._in_time(lambda: self._read(user, place))
        return found or Personal()

    def views(self, user: User) -> list[SavedView]:
        """The saved views, by key; none when Lakebase does not answer in time."""
        return self._in_time(lambda: self._views(user)) or []

    def remember(self, user: User, view: ViewState) -> None:
        """Keep the view as the place to come back to; a database that is away is no reason to disturb anybody."""
        try:
            self.lakebase.save_record(user, APPLICATION_STATE, PLACE_KEY, json.dumps(view.store()))
        except LakefrontError as error:
            logger.info("the place was not kept: {}", error.error_code)

    def view(self, user: User, key: str) -> ViewState:
        """A saved view.

        Raises:
            LakefrontError: there is none of that key, or Lakebase does not answer.
            pydantic.ValidationError: the configuration holds no view.
        """
        return ViewState.of(json.loads(self.lakebase.get_record(user, CONFIGURATION, key).value))

    def _in_time(self, ask: Callable[[], T]) -> T | None:
        # The thread takes the request's context along, so that its log lines carry the request's id.
        asked = self._worker.submit(copy_context().run, ask)
        try:
            return asked.result(_PATIENCE_SECONDS)
        except NotYet:
            asked.cancel()
            return None
        except LakefrontError as error:
            logger.info("no personal records: {}", error.error_code)
            return None

    def _read(self, user: User, place: bool) -> Personal:
        stored: dict[str, Any] = {}
        for record in self.lakebase.list_records(user, PREFERENCE, limit=1000).items:
            known = next((one for one in _USED if one.key == record.key), None)
            if known is not None:
                value = json.loads(record.value)
                if known.accepts(value):
                    stored[known.key] = value
        return Personal(
            page_size=stored.get(PAGE_SIZE.key, PAGE_SIZE.default),
            default_table=stored.get(DEFAULT_TABLE.key) or None,
            date_format=stored.get(DATE_FORMAT.key, DATE_FORMAT.default),
            place=self._place(user) if place else None,
        )

    def _place(self, user: User) -> ViewState | None:
        found = self.lakebase.list_records(user, APPLICATION_STATE, search=PLACE_KEY).items
        kept = next((record for record in found if record.key == PLACE_KEY), None)
        return _view_of(kept.value) if kept else None

    def _views(self, user: User) -> list[SavedView]:
        records = self.lakebase.list_records(user, CONFIGURATION, limit=1000).items
        return [SavedView(record.key, view.table) for record in records if (view := _view_of(record.value))]


def _view_of(text: str) -> ViewState | None:
    """The view that a record's JSON spells, or None."""
    try:
        document = json.loads(text)
        view = ViewState.of(document) if isinstance(document, dict) else None
    except (ValueError, ValidationError):
        return None
    return view if view is not None and view.ref is not None else None
