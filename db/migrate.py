"""Brings the schema to this version: numbered SQL files, one advisory lock, one transaction for each file.

Any number of processes may start at once: one applies, the others wait and find nothing to do. A file that was applied
must not change any more (its checksum is kept), and a database that is newer than the code is refused.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from db.errors import MigrationError

FOLDER = Path(__file__).parent / "migrations"
_LOCK = 0x6C616B65
"""Any constant will do, as long as it is this application's."""

AnyConnection = psycopg.Connection[Any]


def migrate(connection: AnyConnection, schema: str, folder: Path = FOLDER) -> list[str]:
    """Applies what is missing.

    Args:
        connection: in autocommit mode, direct (a transaction-mode pooler would lose the session's lock); its role
        must be
            able to create ``schema``, or own it.
        schema: where everything lies.
        folder: the files, ``0001_name.sql`` and so on.

    Returns:
        Names of the files that were applied.

    Raises:
        MigrationError: a file was changed after it had been applied, two share a number, or the database is newer.
        psycopg.Error: a file failed (nothing of it stays), or the role may not.
    """
    files = {path.name[:4]: path for path in sorted(folder.glob("[0-9][0-9][0-9][0-9]_*.sql"))}
    if len(files) != len(list(folder.glob("[0-9][0-9][0-9][0-9]_*.sql"))):
        raise MigrationError("two migrations share a number")
    connection.execute("SELECT set_config('statement_timeout', '0', false), set_config('lock_timeout', '0', false)")
    connection.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
    try:
        _prepare(connection, schema)
        applied = dict(connection.execute("SELECT version, sha256 FROM schema_migration").fetchall())
        unknown = sorted(set(applied) - set(files))
        if unknown:
            raise MigrationError(f"the database is newer than this code: it has migration {', '.join(unknown)}")
        return [path.name for version, path in files.items() if _apply(connection, version, path, applied.get(version))]
    finally:
        if not connection.closed:
            connection.execute("SELECT pg_advisory_unlock(%s)", (_LOCK,))


def is_current(connection: AnyConnection, schema: str, folder: Path = FOLDER) -> bool:
    """Whether every migration has been applied; asks nothing that needs more than to read."""
    known = connection.execute("SELECT to_regclass(%s)", (f"{schema}.schema_migration",)).fetchone()
    if known is None or known[0] is None:
        return False
    query = sql.SQL("SELECT version FROM {}").format(sql.Identifier(schema, "schema_migration"))
    applied = {row[0] for row in connection.execute(query)}
    return {path.name[:4] for path in folder.glob("[0-9][0-9][0-9][0-9]_*.sql")} <= applied


def _prepare(connection: AnyConnection, schema: str) -> None:
    exists = connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", (schema,)).fetchone()
    if exists is None:  # asked first: CREATE SCHEMA IF NOT EXISTS needs the right to create even when there is one
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
    connection.execute("SELECT set_config('search_path', %s, false)", (schema,))
    if connection.execute("SELECT to_regclass('schema_migration')").fetchone() == (None,):
        connection.execute(
            "CREATE TABLE schema_migration (version text PRIMARY KEY, name text NOT NULL, sha256 text NOT NULL,"
            " applied_at timestamptz NOT NULL DEFAULT now())"
        )


def _apply(connection: AnyConnection, version: str, path: Path, known: str | None) -> bool:
    body = path.read_text("utf-8")
    checksum = hashlib.sha256(body.encode()).hexdigest()
    if known is not None:
        if known != checksum:
            raise MigrationError(f"{path.name} was changed after it had been applied; add a new migration instead")
        return False
    with connection.transaction():
        connection.execute("SET LOCAL lock_timeout = '10s'")
        connection.execute(body.encode())  # several statements: sent as they are, without parameters
        connection.execute(
            "INSERT INTO schema_migration (version, name, sha256) VALUES (%s, %s, %s)", (version, path.name, checksum)
        )
    return True
