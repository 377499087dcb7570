"""The user's preferences: small settings that follow the user."""

from __future__ import annotations

from db.records import RecordRepository

PREFERENCES = RecordRepository(
    record_type="preference",
    table="user_preferences",
    key_column="preference_key",
    value_column="preference_value",
)
