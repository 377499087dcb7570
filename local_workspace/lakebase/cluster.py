"""What the local workspace does inside its Postgres server as superuser: databases, roles and grants.

One server holds every logical instance. Each instance (or branch of an Autoscaling project) is a *storage*: a set of
databases of its own, whose physical names carry the storage's id. Roles have the names of Databricks identities.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql

from local_workspace.lakebase.postgres import Postgres

MAIN = "main"
"""Id of the storage of the first instance: its databases keep their own names."""

SUPERUSER_ROLE = "databricks_superuser"


def physical_name(storage: str, database: str) -> str:
    """The server's name of ``database`` in ``storage``."""
    return database if storage == MAIN else f"{database}_{storage}"


class Cluster:
    """Administration of one server. Every method opens a connection of its own and is idempotent."""

    def __init__(self, postgres: Postgres) -> None:
        """The server need not run yet."""
        self._postgres = postgres

    @contextmanager
    def _superuser(self, database: str = "postgres") -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
        with self._postgres.connect(database) as connection:
            yield connection

    def password(self, role: str) -> str:
        """The password of ``role`` at the server: derived from the server's own secret, known to the gateway only."""
        return hmac.new(self._postgres.password.encode(), role.encode(), hashlib.sha256).hexdigest()

    def prepare(self) -> None:
        """Makes the role that instance creators belong to. It reads and writes all data, but it is no superuser."""
        with self._superuser() as connection:
            if not _role_exists(connection, SUPERUSER_ROLE):
                connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(SUPERUSER_ROLE)))
            connection.execute(
                sql.SQL("GRANT pg_read_all_data, pg_write_all_data, pg_monitor TO {}").format(
                    sql.Identifier(SUPERUSER_ROLE)
                )
            )

    def create_database(self, storage: str, database: str, copy_of: str | None = None) -> None:
        """Makes a database that nobody may connect to yet.

        Args:
            storage: where.
            database: name as clients know it.
            copy_of: storage whose database of the same name is copied; its connections are cut for that moment.
        """
        name = physical_name(storage, database)
        with self._superuser() as connection:
            if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone():
                return
            statement = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
            if copy_of is not None:
                source = physical_name(copy_of, database)
                connection.execute(
                    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s", (source,)
                )
                statement += sql.SQL(" TEMPLATE {}").format(sql.Identifier(source))
            connection.execute(statement)
            connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(name)))
            connection.execute(
                sql.SQL("GRANT ALL ON DATABASE {} TO {}").format(sql.Identifier(name), sql.Identifier(SUPERUSER_ROLE))
            )
        with self._superuser(name) as connection:
            connection.execute(sql.SQL("GRANT ALL ON SCHEMA public TO {}").format(sql.Identifier(SUPERUSER_ROLE)))

    def drop_database(self, storage: str, database: str) -> None:
        """Removes a database and cuts its connections."""
        name = sql.Identifier(physical_name(storage, database))
        with self._superuser() as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))

    def create_role(self, role: str, *, superuser_like: bool = False) -> None:
        """Makes a login role; with ``superuser_like`` it belongs to ``databricks_superuser`` and bypasses row security.

        That is what the creator of an instance or project has on the platform.
        """
        name = sql.Identifier(role)
        with self._superuser() as connection:
            if not _role_exists(connection, role):
                connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(name))
            connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(name, sql.Literal(self.password(role))))
            if superuser_like:
                connection.execute(sql.SQL("ALTER ROLE {} BYPASSRLS").format(name))
                connection.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(SUPERUSER_ROLE), name))

    def grant_database(self, role: str, storage: str, database: str) -> None:
        """Lets ``role`` connect and create schemas in one database, nothing else: what an attached app gets."""
        target = sql.Identifier(physical_name(storage, database))
        with self._superuser() as connection:
            connection.execute(
                sql.SQL("GRANT CONNECT, CREATE ON DATABASE {} TO {}").format(target, sql.Identifier(role))
            )

    def revoke_database(self, role: str, storage: str, database: str) -> None:
        """Takes back what :meth:`grant_database` gave, and cuts the role's connections to that database."""
        name = physical_name(storage, database)
        with self._superuser() as connection:
            if not _role_exists(connection, role):
                return
            connection.execute(
                sql.SQL("REVOKE ALL ON DATABASE {} FROM {}").format(sql.Identifier(name), sql.Identifier(role))
            )
            self._cut(connection, name, role)

    def cut(self, storage: str, database: str) -> None:
        """Ends every connection to one database, as stopping an instance does."""
        with self._superuser() as connection:
            self._cut(connection, physical_name(storage, database), None)

    @staticmethod
    def _cut(connection: psycopg.Connection[tuple[Any, ...]], database: str, role: str | None) -> None:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = %s AND pid <> pg_backend_pid() AND (%s::text IS NULL OR usename = %s)",
            (database, role, role),
        )


def _role_exists(connection: psycopg.Connection[tuple[Any, ...]], role: str) -> bool:
    return connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,)).fetchone() is not None
