"""A SQL engine of its own for unit tests: real metastore, real DuckDB file, a few governed tables."""

# ruff: noqa: E501 - statements are easier to read in one line
from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from local_workspace.identity.directory import DEPLOYER, Directory
from local_workspace.identity.model import Caller
from local_workspace.sql.engine import Engine
from local_workspace.sql.model import Execution, Parameter, SessionOptions
from local_workspace.store import Store
from local_workspace.unity_catalog.metastore import Metastore

ANALYST, MANAGER, NEWCOMER = "analyst@example.com", "manager@example.com", "newcomer@example.com"

SCHEMA = """
CREATE CATALOG lakefront COMMENT 'Tests'
CREATE SCHEMA lakefront.sales
CREATE SCHEMA lakefront.secret
CREATE TABLE lakefront.sales.people (id BIGINT NOT NULL, name STRING, email STRING, region STRING, addr STRUCT<city: STRING, zip: INT>)
INSERT INTO lakefront.sales.people SELECT 1, 'Ann', 'ann.raw@x.io', 'EU', named_struct('city', 'Oslo', 'zip', 1)
INSERT INTO lakefront.sales.people SELECT 777, 'Smith', 'smith.raw@x.io', 'US', named_struct('city', 'Reno', 'zip', 2)
CREATE TABLE lakefront.sales.plain (id INT, label STRING)
INSERT INTO lakefront.sales.plain VALUES (1, 'a'), (2, 'b')
CREATE TABLE lakefront.secret.hidden (id INT, word STRING)
INSERT INTO lakefront.secret.hidden VALUES (1, 'swordfish')
CREATE TABLE lakefront.secret.regions (who STRING, region STRING)
INSERT INTO lakefront.secret.regions VALUES ('analyst@example.com', 'EU')
CREATE TABLE lakefront.sales.mapped (id INT, name STRING, region STRING)
INSERT INTO lakefront.sales.mapped VALUES (1, 'Ann', 'EU'), (777, 'Smith', 'US')
CREATE FUNCTION lakefront.sales.mask_email(email STRING) RETURNS STRING RETURN CASE WHEN is_account_group_member('managers') THEN email ELSE '***' END
CREATE FUNCTION lakefront.sales.only_region(region STRING) RETURN is_account_group_member('managers') OR region = 'EU'
CREATE FUNCTION lakefront.sales.by_mapping(region STRING) RETURN region IN (SELECT m.region FROM lakefront.secret.regions m WHERE m.who = current_user())
ALTER TABLE lakefront.sales.people ALTER COLUMN email SET MASK lakefront.sales.mask_email
ALTER TABLE lakefront.sales.people SET ROW FILTER lakefront.sales.only_region ON (region)
ALTER TABLE lakefront.sales.mapped SET ROW FILTER lakefront.sales.by_mapping ON (region)
CREATE VIEW lakefront.sales.people_view (who, mail) AS SELECT name, email FROM lakefront.sales.people
CREATE VIEW lakefront.sales.word_count AS SELECT count(*) AS n FROM lakefront.secret.hidden
GRANT USE CATALOG ON CATALOG lakefront TO analysts
GRANT USE SCHEMA, SELECT, EXECUTE ON SCHEMA lakefront.sales TO analysts
"""


class SqlWorld:
    """An engine with one session for each account."""

    def __init__(self, folder: Path, taxi_rows: int = 1000) -> None:
        """Start it and make the tables."""
        store = Store(folder / "workspace.sqlite")
        store.open()
        self.directory = Directory(store)
        self.metastore = Metastore(store)
        self.directory.start()
        self.metastore.start()
        self.engine = Engine(self.metastore, self.directory, state=folder, taxi_rows=taxi_rows)
        self.engine.start()
        self._sessions: dict[str, Any] = {}

    def make_tables(self) -> None:
        """Run ``SCHEMA`` as the deployer."""
        for statement in SCHEMA.strip().splitlines():
            self.rows(statement, who=DEPLOYER)

    def session(self, who: str = ANALYST) -> Any:
        """The account's session."""
        if who not in self._sessions:
            self._sessions[who] = self.new_session(who)
        return self._sessions[who]

    def new_session(self, who: str = ANALYST, options: SessionOptions | None = None) -> Any:
        """Another session of the account."""
        principal = self.directory.get(who) or self.directory.service_principal(who)
        assert principal is not None
        caller = Caller(principal, frozenset({"all-apis"}), time.time() + 3600)
        return self.engine.open_session(caller, options or SessionOptions(catalog="lakefront", schema="sales"))

    def run(self, sql: str, *parameters: Parameter, who: str = ANALYST) -> Execution:
        """Run a statement to its end."""
        execution: Execution = self.session(who).execute(sql, parameters)
        execution.wait(30)
        return execution

    def rows(self, sql: str, *parameters: Parameter, who: str = ANALYST) -> list[tuple[Any, ...]]:
        """All rows of a statement that must succeed."""
        execution = self.run(sql, *parameters, who=who)
        try:
            assert execution.error is None, f"{sql}: {execution.error}"
            table, more = execution.fetch(100_000, 1 << 26)
            assert not more
            return [tuple(row.values()) for row in table.to_pylist()] if table.num_columns else []
        finally:
            execution.close()

    def value(self, expression: str, *parameters: Parameter, who: str = ANALYST) -> Any:
        """The value of an expression."""
        return self.rows(f"SELECT {expression} AS v", *parameters, who=who)[0][0]

    def error(self, sql: str, *parameters: Parameter, who: str = ANALYST) -> str:
        """The message of a statement that must fail."""
        execution = self.run(sql, *parameters, who=who)
        assert execution.state == "ERROR", f"{sql} did not fail"
        message = str(execution.error)
        execution.close()
        return message
