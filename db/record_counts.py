"""How many records of each type a user has, in one statement."""

from __future__ import annotations

from dataclasses import dataclass

from db.pool import Connection

_COUNT = (
    "SELECT (SELECT count(*) FROM user_preferences WHERE user_id = %(user_id)s),"
    " (SELECT count(*) FROM user_configurations WHERE user_id = %(user_id)s),"
    " (SELECT count(*) FROM application_state WHERE user_id = %(user_id)s)"
)


@dataclass(frozen=True, slots=True)
class RecordCounts:
    """Records of one user, by type; the names are those of ``record_type`` in the audit log."""

    preference: int = 0
    configuration: int = 0
    application_state: int = 0


def count(connection: Connection, user_id: str) -> RecordCounts:
    """The user's records. Runs inside the caller's ``user_transaction``."""
    row = connection.execute(_COUNT, {"user_id": user_id}).fetchone()
    return RecordCounts(*row) if row else RecordCounts()
