"""The user's configurations: named views of a table (columns, filters, sort, chart)."""

from __future__ import annotations

from db.records import RecordRepository

CONFIGURATIONS = RecordRepository(
    record_type="configuration",
    table="user_configurations",
    key_column="configuration_key",
    value_column="configuration_value",
)
