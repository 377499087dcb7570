"""The check that everything else rests on: does row security hold for this role and these tables?

A superuser and a role with BYPASSRLS (the creator of a Lakebase instance or project has it) see every row whatever the
policies say, and so does a role that may become such a role; a table's owner sees every row unless row security is
forced (https://www.postgresql.org/docs/16/ddl-rowsecurity.html).
"""

from __future__ import annotations

from typing import Any

import psycopg

from db.errors import UnsafeDatabase

USER_TABLES = (
    "application_state",
    "audit_log",
    "model_inference_logs",
    "user_configurations",
    "user_preferences",
)
"""Every table with rows that belong to a user."""


def check(connection: psycopg.Connection[Any], schema: str) -> None:
    """Refuses a role that may bypass row security, and a table with a ``user_id`` that does not force it.

    Raises:
        UnsafeDatabase: with the role or the tables by name.
    """
    powerful = connection.execute(
        "SELECT current_user, rolname FROM pg_roles WHERE (rolsuper OR rolbypassrls)"
        " AND pg_has_role(current_user, oid, 'MEMBER') LIMIT 1"
    ).fetchone()
    if powerful is not None:
        raise UnsafeDatabase(
            f"the role {powerful[0]} may bypass row security (through {powerful[1]}): run the app as its own service"
            " principal, not as the creator of the database"
        )
    forced = {
        name
        for (name,) in connection.execute(
            "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE n.nspname = %s AND c.relkind IN ('r', 'p') AND c.relrowsecurity AND c.relforcerowsecurity",
            (schema,),
        )
    }
    owned_by_users = {
        name
        for (name,) in connection.execute(
            "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'user_id' AND NOT a.attisdropped"
            " WHERE n.nspname = %s AND c.relkind IN ('r', 'p')",
            (schema,),
        )
    }
    open_tables = sorted((owned_by_users | set(USER_TABLES)) - forced)
    if open_tables:
        raise UnsafeDatabase(f"row security is not forced on {', '.join(open_tables)}")
