"""Reads the audit trail. Nothing here writes: the rows come with the changes (``records.py``)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from db.pool import Connection

_LIST = (
    "SELECT audit_id, action, record_type, record_key, value_before::text, value_after::text, request_id, changed_at"
    " FROM audit_log WHERE user_id = %(user_id)s"
    " AND (%(record_type)s::text IS NULL OR record_type = %(record_type)s)"
    " AND (%(record_key)s::text IS NULL OR record_key = %(record_key)s)"
    " ORDER BY changed_at DESC, audit_id LIMIT %(limit)s OFFSET %(offset)s"
)
_COUNT = (
    "SELECT count(*) FROM audit_log WHERE user_id = %(user_id)s"
    " AND (%(record_type)s::text IS NULL OR record_type = %(record_type)s)"
    " AND (%(record_key)s::text IS NULL OR record_key = %(record_key)s)"
)


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One change that the user made.

    Attributes:
        audit_id: random id.
        action: ``CREATE``, ``UPDATE`` or ``DELETE``.
        record_type: ``preference``, ``configuration`` or ``application_state``.
        record_key: key of the record.
        value_before: JSON text, None for a new record.
        value_after: JSON text, None for a deleted record.
        request_id: correlation id of the request.
        changed_at: aware time.
    """

    audit_id: UUID
    action: str
    record_type: str
    record_key: str
    value_before: str | None
    value_after: str | None
    request_id: str
    changed_at: datetime


def list_entries(
    connection: Connection,
    user_id: str,
    *,
    limit: int,
    offset: int,
    record_type: str | None = None,
    record_key: str | None = None,
) -> tuple[list[AuditEntry], int]:
    """A page of the user's changes, newest first, and how many there are in all."""
    values = {
        "user_id": user_id,
        "record_type": record_type,
        "record_key": record_key,
        "limit": limit,
        "offset": offset,
    }
    rows = connection.execute(_LIST, values).fetchall()
    counted = connection.execute(_COUNT, values).fetchone()
    return [AuditEntry(*row) for row in rows], counted[0] if counted else 0
