"""Brings the app's Lakebase schema to this version: ``python -m scripts.migrate``.

The app does the same at its first connection unless LAKEBASE_MIGRATE is false. Run it with the variables of the app
(``.env.local.example``), as the app's own service principal: who creates the schema owns it. With
``--grant-to CLIENT_ID`` another identity creates it and lets the app read and write its tables,
but neither change nor drop them.
"""

from __future__ import annotations

import argparse
import os
import sys

import psycopg
from psycopg import sql

from db import migrate
from db.errors import DatabaseError
from db.pool import Connection, Pool
from services.lakebase.login import Login
from services.settings import ConfigurationError, Settings, load
from services.workspace_client import ClientFactory

_WRITABLE = ("user_preferences", "user_configurations", "application_state")
_APPEND_ONLY = ("model_inference_logs", "audit_log")


def main(arguments: list[str] | None = None) -> int:
    """Runs the script; gives the exit status: 0 done, 1 with a message why not."""
    parser = argparse.ArgumentParser(description="Bring the Lakebase schema to this version.")
    parser.add_argument("--grant-to", metavar="CLIENT_ID", help="role that gets the rights to use the tables")
    parser.add_argument("--check", action="store_true", help="only say whether migrations are missing (exit status 1)")
    options = parser.parse_args(arguments)
    try:
        settings = load(dict(os.environ))
        pool = Pool(Login(settings, ClientFactory(settings)), settings.lakebase_schema)
        with pool.direct() as connection:
            return _run(connection, settings, grant_to=options.grant_to, only_check=options.check)
    except (ConfigurationError, DatabaseError) as error:
        print(error, file=sys.stderr)
    except psycopg.Error as error:
        print(f"Postgres refused: {error}", file=sys.stderr)
        if error.sqlstate == "42501":
            print("The role needs CONNECT and CREATE on the database, or must own the schema.", file=sys.stderr)
    return 1


def _run(connection: Connection, settings: Settings, *, grant_to: str | None, only_check: bool) -> int:
    schema = settings.lakebase_schema
    if only_check:
        current = migrate.is_current(connection, schema)
        print(f"{schema} is up to date." if current else f"{schema} lacks migrations.")
        return 0 if current else 1
    applied = migrate.migrate(connection, schema)
    for name in applied:
        print(f"applied {name}")
    print(f"{schema} in {settings.lakebase_name} is up to date.")
    if grant_to:
        with connection.transaction():
            for statement in grants(schema, grant_to):
                connection.execute(statement)
        print(f"{grant_to} may use the tables of {schema}.")
    return 0


def grants(schema: str, role: str) -> list[sql.Composed]:
    """The statements that let ``role`` use the tables of ``schema`` without owning them."""
    name = sql.Identifier(role)
    statements = [sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(sql.Identifier(schema), name)]
    for tables, rights in (
        (_WRITABLE, "SELECT, INSERT, UPDATE, DELETE"),
        (_APPEND_ONLY, "SELECT, INSERT"),
        (("schema_migration",), "SELECT"),
    ):
        for table in tables:
            statements.append(
                sql.SQL("GRANT {} ON {} TO {}").format(sql.SQL(rights), sql.Identifier(schema, table), name)
            )
    return statements


if __name__ == "__main__":
    sys.exit(main())
