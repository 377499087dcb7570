"""Bring the sample data into a Databricks workspace, or into the local one, with the official clients.

Makes at most one catalog, two schemas and three tables of at most 100 rows, a column mask, a row filter, and grants for
two groups. Running it again changes nothing. It runs as whoever the environment or the profile says: it needs CREATE
CATALOG (or CREATE SCHEMA in an existing catalog), and a SQL warehouse.

    python -m scripts.setup_sample_data --profile my-workspace --catalog lakefront
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from databricks import sql
from databricks.sdk import WorkspaceClient
from databricks.sdk.core import Config
from databricks.sdk.errors import DatabricksError, NotFound, PermissionDenied
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from scripts import sample_data
from scripts.sample_data import SALES, SCHEMAS, SampleFunction, SampleGrant, SampleTable, literal, quoted

_TIMEOUT_SECONDS = 60
_WAREHOUSE_SECONDS = 600
"""A stopped warehouse may take minutes to start; statements wait for it."""


class SetupError(Exception):
    """The sample data cannot be set up; ``str()`` says why and what to do."""


class Setup:
    """One run: what to make where, and what was found already there."""

    def __init__(
        self, client: Any, cursor: Any, options: argparse.Namespace, report: Callable[[str, str], None]
    ) -> None:
        """``report(outcome, what)`` is called after each step; outcomes are created, changed, unchanged, skipped."""
        self._client = client
        self._cursor = cursor
        self._catalog: str = options.catalog.lower()
        self._analysts: str = options.analysts_group
        self._managers: str = options.managers_group
        self._report = report
        self.changes = 0
        self.skipped = 0

    def steps(self) -> list[Callable[[], None]]:
        """The steps in their order; each is safe to repeat."""
        tables = sample_data.tables()
        functions = sample_data.functions(self._managers)
        grants = sample_data.grants(self._analysts, self._managers)
        return [
            self._make_catalog,
            *(lambda name=name: self._make_schema(name) for name in SCHEMAS),
            *(lambda function=function: self._make_function(function) for function in functions),
            *(lambda table=table: self._make_table(table) for table in tables),
            *(lambda grant=grant: self._grant(grant) for grant in grants),
        ]

    def _make_catalog(self) -> None:
        what = f"catalog {self._catalog}"
        try:
            self._client.catalogs.get(self._catalog)
        except NotFound:
            try:
                comment = literal("Sample data of the Lakefront template")
                self._run(f"CREATE CATALOG IF NOT EXISTS {quoted(self._catalog)} COMMENT {comment}")
            except sql.exc.Error as error:
                raise SetupError(
                    f"The catalog {self._catalog} does not exist and could not be made: {error}\n"
                    "Ask for CREATE CATALOG on the metastore, or name a catalog where you may make schemas: --catalog"
                ) from error
            self._done("created", what)
        except PermissionDenied as error:
            raise SetupError(f"The catalog {self._catalog} may not be used: {error}") from error
        else:
            self._done("unchanged", what)

    def _make_schema(self, name: str) -> None:
        what = f"schema {self._catalog}.{name}"
        if self._exists(self._client.schemas.get, f"{self._catalog}.{name}"):
            self._done("unchanged", what)
            return
        comment = literal(SCHEMAS[name])
        self._run(f"CREATE SCHEMA IF NOT EXISTS {quoted(self._catalog, name)} COMMENT {comment}")
        self._done("created", what)

    def _make_function(self, function: SampleFunction) -> None:
        full_name = f"{self._catalog}.{SALES}.{function.name}"
        existing = self._exists(self._client.functions.get, full_name)
        if existing and _same_text(existing.routine_definition, function.body):
            self._done("unchanged", f"function {full_name}")
            return
        self._run(
            f"CREATE OR REPLACE FUNCTION {quoted(self._catalog, SALES, function.name)}"
            f"({function.parameter} STRING) RETURNS {function.return_type}"
            f" COMMENT {literal(function.comment)} RETURN {function.body}"
        )
        self._done("changed" if existing else "created", f"function {full_name}")

    def _make_table(self, table: SampleTable) -> None:
        """Make the table, fill it, then govern it; an interrupted run is taken up where it ended."""
        full_name = f"{self._catalog}.{table.schema}.{table.name}"
        existing = self._exists(self._client.tables.get, full_name)
        if not existing:
            self._run(self._create_table(table))
        governed = bool(existing) and self._is_governed(existing, table)
        # A governed table hides rows from this very count, and is filled: mask and filter are set last.
        filled = (governed and bool(table.masked or table.row_filter)) or not self._is_empty(table)
        if not filled:
            self._run(self._insert(table))
        if not governed:
            self._govern(table)
        outcome = "created" if not existing else "unchanged" if filled and governed else "changed"
        self._done(outcome, f"table {full_name} ({len(table.rows)} rows)")

    def _create_table(self, table: SampleTable) -> str:
        columns = [
            f"{quoted(column.name)} {column.data_type}{'' if column.nullable else ' NOT NULL'}"
            f" COMMENT {literal(column.comment)}"
            for column in table.columns
        ]
        key = f"CONSTRAINT {quoted(f'{table.name}_pk')} PRIMARY KEY ({quoted(table.primary_key)})"
        return (
            f"CREATE TABLE IF NOT EXISTS {quoted(self._catalog, table.schema, table.name)} ("
            + ", ".join([*columns, key])
            + f") USING DELTA COMMENT {literal(table.comment)}"
        )

    def _insert(self, table: SampleTable) -> str:
        columns = ", ".join(quoted(column.name) for column in table.columns)
        rows = ", ".join("(" + ", ".join(literal(value) for value in row) + ")" for row in table.rows)
        target = quoted(self._catalog, table.schema, table.name)
        return f"INSERT INTO {target} ({columns}) VALUES {rows}"  # noqa: S608 - quoted names and literals of our own

    def _govern(self, table: SampleTable) -> None:
        target = quoted(self._catalog, table.schema, table.name)
        for column, function in table.masked.items():
            mask = quoted(self._catalog, SALES, function)
            self._run(f"ALTER TABLE {target} ALTER COLUMN {quoted(column)} SET MASK {mask}")
        if table.row_filter:
            function, column = table.row_filter
            row_filter = quoted(self._catalog, SALES, function)
            self._run(f"ALTER TABLE {target} SET ROW FILTER {row_filter} ON ({quoted(column)})")

    def _is_governed(self, existing: Any, table: SampleTable) -> bool:
        """Whether the table has the mask and the filter that it should have."""
        masked = {column.name for column in existing.columns or [] if column.mask}
        filtered = bool(existing.row_filter) or table.row_filter is None
        return filtered and masked >= set(table.masked)

    def _is_empty(self, table: SampleTable) -> bool:
        target = quoted(self._catalog, table.schema, table.name)
        rows = self._run(f"SELECT count(*) FROM {target}")  # noqa: S608 - a quoted name
        return int(rows[0][0]) == 0

    def _grant(self, grant: SampleGrant) -> None:
        kind = "CATALOG" if grant.schema is None else "SCHEMA"
        full_name = self._catalog if grant.schema is None else f"{self._catalog}.{grant.schema}"
        what = f"{', '.join(grant.privileges)} on {kind.lower()} {full_name} for {grant.group}"
        held = self._held(kind, full_name, grant.group)
        missing = [name for name in grant.privileges if name.replace(" ", "_") not in held]
        if not missing or "ALL_PRIVILEGES" in held:
            self._done("unchanged", what)
            return
        target = quoted(*full_name.split("."))
        try:
            self._run(f"GRANT {', '.join(missing)} ON {kind} {target} TO {quoted(grant.group)}")
        except sql.exc.Error as error:
            if "principal" not in str(error).lower():
                raise
            self._done("skipped", f"{what}: {_first_line(error)}")
            return
        self._done("created", what)

    def _held(self, kind: str, full_name: str, group: str) -> set[str]:
        granted = self._client.grants.get(kind, full_name, principal=group)
        return {
            privilege.value
            for assignment in granted.privilege_assignments or []
            if assignment.principal == group
            for privilege in assignment.privileges or []
        }

    def _exists(self, get: Callable[[str], Any], full_name: str) -> Any:
        try:
            return get(full_name)
        except NotFound:
            return None

    def _run(self, statement: str) -> Sequence[Any]:
        self._cursor.execute(statement)
        rows: Sequence[Any] = self._cursor.fetchall() if self._cursor.description else []
        return rows

    def _done(self, outcome: str, what: str) -> None:
        self.changes += outcome in {"created", "changed"}
        self.skipped += outcome == "skipped"
        self._report(outcome, what)


def _same_text(kept: str | None, wanted: str) -> bool:
    return kept is not None and "".join(kept.split()).lower() == "".join(wanted.split()).lower()


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


def warehouse_of(client: Any, wanted: str | None) -> str:
    """The id of the warehouse to use: the one asked for, the environment's, or the first that the caller may see.

    Raises:
        SetupError: there is none.
    """
    path = os.environ.get("DATABRICKS_HTTP_PATH", "").rstrip("/")
    chosen = wanted or os.environ.get("DATABRICKS_WAREHOUSE_ID") or path.rpartition("/")[2]
    if chosen:
        return chosen
    for warehouse in client.warehouses.list():
        return str(warehouse.id)
    raise SetupError("No SQL warehouse found. Name one: --warehouse-id, or DATABRICKS_WAREHOUSE_ID in the environment.")


@contextmanager
def warehouse_cursor(config: Any, warehouse_id: str) -> Iterator[Any]:
    """A cursor on the warehouse, as the principal of ``config``; works for https and for http on loopback.

    Raises:
        databricks.sql.exc.Error: the warehouse cannot be reached or refuses the caller.
    """
    http_path = f"/sql/1.0/warehouses/{warehouse_id}"
    local = {"_connection_uri": f"{config.host}{http_path}"} if config.host.startswith("http://") else {}
    connection = sql.connect(
        server_hostname=config.hostname,
        http_path=http_path,
        credentials_provider=lambda: config.authenticate,
        enable_telemetry=False,
        user_agent_entry="lakefront-sample-data",
        _socket_timeout=_WAREHOUSE_SECONDS,
        _retry_stop_after_attempts_duration=_TIMEOUT_SECONDS,
        _retry_delay_max=5,
        **local,
    )
    with connection, connection.cursor() as cursor:
        yield cursor


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m scripts.setup_sample_data", description="Make the sample catalog of Lakefront."
    )
    parser.add_argument("--profile", help="profile of ~/.databrickscfg; without it the environment decides")
    parser.add_argument("--catalog", default="lakefront", help="catalog to use or make (default: %(default)s)")
    parser.add_argument("--warehouse-id", help="SQL warehouse (default: DATABRICKS_WAREHOUSE_ID, else the first)")
    parser.add_argument("--analysts-group", default="analysts", help="account group that sees a part of the data")
    parser.add_argument("--managers-group", default="managers", help="account group that sees everything")
    parser.add_argument(
        "--records-for",
        metavar="USER",
        help="instead of the tables, make a few Lakebase records for this person (e-mail address or SCIM id); needs the"
        " app's environment, with the credentials of its service principal, and an app that has run once",
    )
    return parser.parse_args(given)


_STYLES = {"created": "green", "changed": "yellow", "unchanged": "dim", "skipped": "red"}


def printer(console: Console) -> Callable[[str, str], None]:
    """Prints one line for each step that is done."""

    def report(outcome: str, what: str) -> None:
        console.print(f"[{_STYLES[outcome]}]{outcome:>9}[/]  {escape(what)}", highlight=False, soft_wrap=True)

    return report


def run(options: argparse.Namespace, console: Console) -> Setup:
    """Set the sample data up and say what was done; gives the finished run.

    Raises:
        SetupError, DatabricksError, databricks.sql.exc.Error, ValueError: it could not be done.
    """
    config = _config(options.profile)
    client = WorkspaceClient(config=config)
    warehouse_id = warehouse_of(client, options.warehouse_id)
    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
    )
    with progress:
        task = progress.add_task(f"Connecting to warehouse {warehouse_id} at {config.host}", total=None)
        with warehouse_cursor(config, warehouse_id) as cursor:
            setup = Setup(client, cursor, options, printer(console))
            steps = setup.steps()
            progress.update(task, description="Setting up the sample data", total=len(steps))
            for step in steps:
                step()
                progress.advance(task)
    return setup


def load_records(options: argparse.Namespace, console: Console) -> None:
    """Make the Lakebase records of one person, as the app's service principal.

    Raises:
        SetupError: the person is not known, the app's environment is not complete, or the database does not answer.
        DatabricksError: the person could not be looked up.
    """
    # The app's own layers, which the tables above do without: they need nothing but the two official clients.
    from scripts import sample_records
    from services.errors import LakefrontError
    from services.settings import ConfigurationError, load

    try:
        settings = load(dict(os.environ))
        sample_records.load(settings, _user_id(options), options.catalog.lower(), printer(console))
    except ConfigurationError as error:
        raise SetupError(str(error)) from error
    except LakefrontError as error:
        details = "; ".join(f"{name}: {value}" for name, value in error.technical_details.items())
        raise SetupError(
            f"{error.message} ({details})\n"
            "The records are made as the app's service principal, in the tables that the app made at its first start:"
            " run the app once, then set DATABRICKS_CLIENT_ID and DATABRICKS_CLIENT_SECRET to the app's own."
        ) from error


def _user_id(options: argparse.Namespace) -> str:
    wanted: str = options.records_for
    if "@" not in wanted:
        return wanted
    if '"' in wanted:
        raise SetupError(f"{wanted} is not an e-mail address.")
    client = WorkspaceClient(config=_config(options.profile))
    for user in client.users.list(filter=f'userName eq "{wanted}"', attributes="id,userName"):
        return str(user.id)
    raise SetupError(f"There is no user {wanted} in this workspace.")


def _config(profile: str | None) -> Any:
    return Config(profile=profile, http_timeout_seconds=_TIMEOUT_SECONDS, retry_timeout_seconds=_TIMEOUT_SECONDS)


def main(given: Sequence[str] | None = None) -> int:
    """Run it from the command line; 0 when the sample data is there, 1 with a reason on stderr when it is not."""
    options = arguments(given)
    console = Console()
    try:
        if options.records_for:
            load_records(options, console)
            return 0
        setup = run(options, console)
    except (SetupError, DatabricksError, sql.exc.Error, ValueError) as error:
        reason = escape(f"{type(error).__name__}: {error}")
        Console(stderr=True).print(f"[red]The sample data was not set up.[/] {reason}", soft_wrap=True)
        return 1
    if not setup.changes and not setup.skipped:
        print("Everything was there already; nothing was changed.")
    if setup.skipped:
        print(f"{setup.skipped} grants were skipped: make the groups in the account, or name others with --…-group.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
