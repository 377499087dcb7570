"""The user's application state: where the user left off."""

from __future__ import annotations

from db.records import RecordRepository

APPLICATION_STATE = RecordRepository(
    record_type="application_state",
    table="application_state",
    key_column="state_key",
    value_column="state_value",
)
