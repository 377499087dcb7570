"""What the three record types have in common: a key, a JSON value, two times, one user, and an audit row per change.

Each type is a module of its own (``preferences.py`` …) that says what its table and columns are called. A statement
names its user in ``WHERE`` although row security would hold it back anyway: two locks that fail independently.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from psycopg import sql

from db.pool import Connection

Operation = Literal["list", "list_newest", "get", "create", "replace", "delete"]
"""What can be done with records; each is one statement."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record of one user.

    Attributes:
        key: unique for this user and type.
        value: JSON text, exactly as it was written.
        created_at: aware time.
        updated_at: aware time.
    """

    key: str
    value: str
    created_at: datetime
    updated_at: datetime


class RecordRepository:
    """Statements of one record type. Every method runs inside the caller's ``user_transaction``."""

    def __init__(self, *, record_type: str, table: str, key_column: str, value_column: str) -> None:
        """Composes the statements once; names are quoted as identifiers."""
        self.record_type = record_type
        names: dict[str, sql.Composable] = {
            "table": sql.Identifier(table),
            "key": sql.Identifier(key_column),
            "value": sql.Identifier(value_column),
        }
        names["columns"] = sql.SQL("{key}, {value}::text, created_at, updated_at").format(**names)
        names["returned"] = sql.SQL("{key}, {value}, created_at, updated_at").format(**names)
        names["log_create"] = _audit("CREATE", before=sql.SQL("NULL"), after=names["value"])
        names["log_update"] = _audit("UPDATE", before=sql.SQL("former_value"), after=names["value"])
        names["log_delete"] = _audit("DELETE", before=names["value"], after=sql.SQL("NULL"))
        names["mine"] = sql.SQL(
            "WHERE user_id = %(user_id)s\n  AND (strpos(lower({key}), lower(%(search)s)) > 0\n"
            "    OR strpos(lower({value}::text), lower(%(search)s)) > 0)"
        ).format(**names)
        self._list = sql.SQL(
            "SELECT {columns}\nFROM {table}\n{mine}\nORDER BY {key}\nLIMIT %(limit)s OFFSET %(offset)s"
        ).format(**names)
        self._list_newest = sql.SQL(
            "SELECT {columns}\nFROM {table}\n{mine}\nORDER BY updated_at DESC, {key}\nLIMIT %(limit)s OFFSET %(offset)s"
        ).format(**names)
        self._count = sql.SQL("SELECT count(*)\nFROM {table}\n{mine}").format(**names)
        self._get = sql.SQL("SELECT {columns}\nFROM {table}\nWHERE user_id = %(user_id)s AND {key} = %(key)s").format(
            **names
        )
        self._create = sql.SQL(
            "WITH changed AS (\n  INSERT INTO {table} (user_id, {key}, {value})\n"
            "  VALUES (%(user_id)s, %(key)s, %(value)s)\n  ON CONFLICT DO NOTHING\n  RETURNING {returned}\n),"
            " logged AS (\n  {log_create}\n)\nSELECT {columns}\nFROM changed"
        ).format(**names)
        self._replace = sql.SQL(
            "WITH former AS (\n  SELECT {key} AS former_key, {value} AS former_value FROM {table}\n"
            "  WHERE user_id = %(user_id)s AND {key} = %(key)s\n  FOR UPDATE\n), changed AS (\n"
            "  UPDATE {table} SET {value} = %(value)s, updated_at = clock_timestamp()\n  FROM former\n"
            "  WHERE user_id = %(user_id)s AND {key} = former_key\n  RETURNING {returned}, former_value\n),"
            " logged AS (\n  {log_update}\n)\nSELECT {columns}\nFROM changed"
        ).format(**names)
        self._delete = sql.SQL(
            "WITH changed AS (\n  DELETE FROM {table}\n  WHERE user_id = %(user_id)s AND {key} = %(key)s\n"
            "  RETURNING {returned}\n), logged AS (\n  {log_delete}\n)\nSELECT {columns}\nFROM changed"
        ).format(**names)
        composed: dict[Operation, sql.Composed] = {
            "list": self._list,
            "list_newest": self._list_newest,
            "get": self._get,
            "create": self._create,
            "replace": self._replace,
            "delete": self._delete,
        }
        self._texts = {operation: statement.as_string(None) for operation, statement in composed.items()}

    def statement(self, operation: Operation) -> str:
        """The text of a statement as it is sent, parameters by name: for people who want to see what ran."""
        return self._texts[operation]

    def list(
        self, connection: Connection, user_id: str, *, limit: int, offset: int, search: str = "", newest: bool = False
    ) -> tuple[list[Record], int]:
        """A page of records by key (``newest``: last change first), and how many there are in all.

        ``search`` is a part of the key or of the value's text, any case.
        """
        values = {"user_id": user_id, "search": search, "limit": limit, "offset": offset}
        rows = connection.execute(self._list_newest if newest else self._list, values).fetchall() if limit else []
        if offset == 0 and len(rows) < limit:
            return [Record(*row) for row in rows], len(rows)
        counted = connection.execute(self._count, values).fetchone()
        return [Record(*row) for row in rows], counted[0] if counted else 0

    def get(self, connection: Connection, user_id: str, key: str) -> Record | None:
        """One record, or None when this user has none of that key."""
        row = connection.execute(self._get, {"user_id": user_id, "key": key}).fetchone()
        return Record(*row) if row else None

    def create(self, connection: Connection, user_id: str, key: str, value: str, request_id: str) -> Record | None:
        """Adds a record and its audit row; None when the key exists."""
        return self._change(self._create, connection, user_id, key, value, request_id)

    def replace(self, connection: Connection, user_id: str, key: str, value: str, request_id: str) -> Record | None:
        """Replaces a record's value and adds the audit row; None when there is no such record."""
        return self._change(self._replace, connection, user_id, key, value, request_id)

    def delete(self, connection: Connection, user_id: str, key: str, request_id: str) -> Record | None:
        """Removes a record and adds the audit row; gives what it was, None when there is no such record."""
        return self._change(self._delete, connection, user_id, key, None, request_id)

    def _change(
        self,
        statement: sql.Composed,
        connection: Connection,
        user_id: str,
        key: str,
        value: str | None,
        request_id: str,
    ) -> Record | None:
        values = {
            "user_id": user_id,
            "key": key,
            "value": value,
            "record_type": self.record_type,
            "request_id": request_id,
        }
        row = connection.execute(statement, values).fetchone()
        return Record(*row) if row else None


def _audit(action: str, *, before: sql.Composable, after: sql.Composable) -> sql.Composed:
    """The audit row of a change, part of the same statement: there is no way to have one without the other."""
    return sql.SQL(
        "INSERT INTO audit_log (user_id, action, record_type, record_key, value_before, value_after, request_id)\n"
        "  SELECT %(user_id)s, {action}, %(record_type)s, %(key)s, {before}, {after}, %(request_id)s FROM changed"
    ).format(action=sql.Literal(action), before=before, after=after)
