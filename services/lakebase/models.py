"""Record types, pages and log entries, as pages and API routes see them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Generic, Self, TypeVar

from db import application_state, configurations, preferences
from db.audit_log import AuditEntry
from db.inference_logs import InferenceLog, InferenceStatus
from db.record_counts import RecordCounts
from db.records import Record, RecordRepository
from services.errors import InvalidRequest

T = TypeVar("T")

KEY_PATTERN = r"^[A-Za-z0-9._-]{1,100}$"
_KEY = re.compile(r"[A-Za-z0-9._-]{1,100}")
MAX_LIMIT = 1000
DEFAULT_LIMIT = 100


@dataclass(frozen=True, slots=True)
class RecordKind:
    """One of the three record types.

    Attributes:
        name: singular, as messages and the audit log call it.
        collection: name of the list in answers.
        path: last word of the API's path.
        prefix: ``<prefix>_key`` and ``<prefix>_value`` are the record's fields.
        repository: its statements.
    """

    name: str
    collection: str
    path: str
    prefix: str
    repository: RecordRepository

    @property
    def key_field(self) -> str:
        """Name of the key's field."""
        return f"{self.prefix}_key"

    @property
    def value_field(self) -> str:
        """Name of the value's field."""
        return f"{self.prefix}_value"


PREFERENCE = RecordKind("preference", "preferences", "preferences", "preference", preferences.PREFERENCES)
CONFIGURATION = RecordKind(
    "configuration", "configurations", "configurations", "configuration", configurations.CONFIGURATIONS
)
APPLICATION_STATE = RecordKind(
    "application_state", "application_state", "application-state", "state", application_state.APPLICATION_STATE
)
KINDS = (PREFERENCE, CONFIGURATION, APPLICATION_STATE)


@dataclass(frozen=True, slots=True)
class Provenance:
    """What produced an answer.

    Attributes:
        statement: SQL as it was sent, parameters by name.
        elapsed_ms: time of the whole transaction, milliseconds.
        runs_as: identity on the database, and for whom.
        instance: logical name of the database.
    """

    statement: str
    elapsed_ms: float
    runs_as: str
    instance: str


@dataclass(frozen=True)
class StoredRecord(Record):
    """A record with what produced it; two are equal when the records are."""

    provenance: Provenance = field(compare=False)

    @classmethod
    def of(cls, record: Record, provenance: Provenance) -> Self:
        """The same record, with its provenance."""
        return cls(record.key, record.value, record.created_at, record.updated_at, provenance)


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some of many.

    Attributes:
        items: in order.
        limit: most items asked for.
        offset: items before these.
        total: items in all.
        provenance: what produced them.
        counts: records of the user by type, where they were asked for.
    """

    items: list[T]
    limit: int
    offset: int
    total: int
    provenance: Provenance | None = None
    counts: RecordCounts | None = None

    @property
    def next_offset(self) -> int | None:
        """Offset of the next page, None on the last one."""
        end = self.offset + len(self.items)
        return end if self.items and end < self.total else None

    def pagination(self) -> dict[str, int | None]:
        """The ``pagination`` member of answers."""
        return {
            "limit": self.limit,
            "offset": self.offset,
            "returned": len(self.items),
            "total_rows": self.total,
            "next_offset": self.next_offset,
        }


def check_key(kind: RecordKind, key: str) -> str:
    """Gives ``key`` back if it can be a key.

    Raises:
        InvalidRequest: it has other characters, is empty or too long, or is ``.`` or ``..``, which no URL can end in.
    """
    if not _KEY.fullmatch(key) or key in (".", ".."):
        raise InvalidRequest(kind.key_field, "1 to 100 characters of A-Z a-z 0-9 . _ - expected, other than . and ..")
    return key


def check_page(limit: int, offset: int) -> None:
    """Checks the bounds of a page.

    Raises:
        InvalidRequest: a limit outside 1 to 1000, or a negative or absurd offset.
    """
    if not 1 <= limit <= MAX_LIMIT:
        raise InvalidRequest("limit", f"between 1 and {MAX_LIMIT} expected")
    if not 0 <= offset < 2**31:
        raise InvalidRequest("offset", "0 or more expected")


__all__ = [
    "APPLICATION_STATE",
    "CONFIGURATION",
    "DEFAULT_LIMIT",
    "KEY_PATTERN",
    "KINDS",
    "MAX_LIMIT",
    "PREFERENCE",
    "AuditEntry",
    "InferenceLog",
    "InferenceStatus",
    "Page",
    "Provenance",
    "Record",
    "RecordCounts",
    "RecordKind",
    "StoredRecord",
    "check_key",
    "check_page",
]
