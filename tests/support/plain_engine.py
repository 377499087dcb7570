"""A small SQL engine on plain DuckDB: enough to test what stands in front of an engine, without governance."""

from __future__ import annotations

import threading
import time
import uuid
import warnings
from collections.abc import Callable
from typing import Any

import duckdb
import pyarrow as pa
import sqlglot
from sqlglot import exp

from local_workspace.identity.model import Caller
from local_workspace.sql.model import Parameter, ResultColumn, SessionOptions, SqlError, State

_NAMES = {
    "BOOLEAN": "BOOLEAN",
    "TINYINT": "TINYINT",
    "SMALLINT": "SMALLINT",
    "INTEGER": "INT",
    "BIGINT": "BIGINT",
    "HUGEINT": "BIGINT",
    "FLOAT": "FLOAT",
    "DOUBLE": "DOUBLE",
    "VARCHAR": "STRING",
    "BLOB": "BINARY",
    "DATE": "DATE",
    "TIMESTAMP": "TIMESTAMP_NTZ",
    "TIMESTAMP WITH TIME ZONE": "TIMESTAMP",
    '"NULL"': "VOID",
}


def type_text(duck: str) -> str:
    """The Databricks type of a DuckDB type."""
    if duck.endswith("[]"):
        return f"ARRAY<{type_text(duck[:-2])}>"
    if duck.startswith("MAP("):
        key, _, value = duck[4:-1].partition(", ")
        return f"MAP<{type_text(key)}, {type_text(value)}>"
    if duck.startswith("STRUCT("):
        fields = (part.split(" ", 1) for part in duck[7:-1].split(", "))
        return "STRUCT<" + ", ".join(f"{name}: {type_text(kind)}" for name, kind in fields) + ">"
    return _NAMES.get(duck, duck)


def _ranges_named(tree: exp.Expression) -> exp.Expression:
    """The column of ``range`` is called ``id``."""
    for table in tree.find_all(exp.Table):
        if isinstance(table.this, exp.Func) and table.this.sql("duckdb").upper().startswith("RANGE("):
            alias = table.alias or "range"
            table.set("alias", exp.TableAlias(this=exp.to_identifier(alias), columns=[exp.to_identifier("id")]))
    return tree


class PlainExecution:
    """Runs on a thread of its own and holds the whole result."""

    def __init__(self, cursor: Any, statement: str, values: dict[str, Any] | list[Any], row_limit: int | None) -> None:
        self.id = uuid.uuid1().bytes
        self.statement = statement
        self.state: State = "RUNNING"
        self.error: SqlError | None = None
        self.columns: tuple[ResultColumn, ...] = ()
        self.rows_affected: int | None = None
        self._cursor = cursor
        self._values = values
        self._row_limit = row_limit
        self._table = pa.table({})
        self._next = 0
        self._lock = threading.Lock()
        self._done = threading.Event()
        threading.Thread(target=self._run, daemon=True).start()

    @property
    def arrow_schema(self) -> Any:
        return self._table.schema

    def _run(self) -> None:
        try:
            tree = sqlglot.parse_one(self.statement, read="databricks")
            sql = _ranges_named(tree.copy()).sql("duckdb")
            described = self._cursor.execute(sql, self._values or None).description
            with warnings.catch_warnings(action="ignore", category=UserWarning):
                table = self._cursor.to_arrow_reader().read_all()
        except sqlglot.ParseError:
            self._end("ERROR", SqlError("PARSE_SYNTAX_ERROR", f"Syntax error in {self.statement}.", "42601"))
        except duckdb.InterruptException:
            self._end("CANCELED", SqlError("OPERATION_CANCELED", "Operation was canceled.", "HY008"))
        except duckdb.CatalogException as fault:
            self._end("ERROR", SqlError("TABLE_OR_VIEW_NOT_FOUND", str(fault).splitlines()[0], "42P01"))
        except duckdb.Error as fault:
            self._end("ERROR", SqlError("INTERNAL_ERROR", str(fault), "XX000"))
        else:
            self._keep(tree, described, table)

    def _keep(self, tree: exp.Expression, described: list[Any], table: pa.Table) -> None:
        if isinstance(tree, (exp.Insert, exp.Update, exp.Delete)):
            self.rows_affected = table.column(0)[0].as_py()
            table = table.rename_columns(["num_affected_rows"])
            self.columns = (ResultColumn("num_affected_rows", "BIGINT"),)
        elif isinstance(tree, (exp.Create, exp.Drop)):
            table = pa.table({})
        else:
            self.columns = tuple(ResultColumn(one[0], type_text(str(one[1]))) for one in described)
        self._table = table.slice(0, self._row_limit) if self._row_limit else table
        self._end("FINISHED", None)

    def _end(self, state: State, error: SqlError | None) -> None:
        with self._lock:
            if self.state == "RUNNING":
                self.state, self.error = state, error
        self._done.set()

    def wait(self, seconds: float) -> State:
        self._done.wait(seconds)
        return self.state

    def fetch(self, max_rows: int, max_bytes: int) -> tuple[Any, bool]:
        if self.error:
            raise self.error
        rows = max_rows
        page = self._table.slice(self._next, rows)
        while page.num_rows > 1 and page.nbytes > max_bytes:
            rows = max(1, min(page.num_rows - 1, page.num_rows * max_bytes // page.nbytes))
            page = self._table.slice(self._next, rows)
        self._next += page.num_rows
        return page, self._next < self._table.num_rows

    def rewind(self) -> None:
        self._next = 0

    def cancel(self) -> None:
        deadline = time.monotonic() + 2
        while not self._done.is_set() and time.monotonic() < deadline:
            self._cursor.interrupt()
            self._done.wait(0.01)

    def close(self) -> None:
        self.cancel()
        self._table = self._table.slice(0, 0)


class PlainSession:
    """Every statement has a cursor of its own."""

    def __init__(self, root: Any, options: SessionOptions) -> None:
        self.id = uuid.uuid1().bytes
        self.catalog = options.catalog or "main"
        self.schema = options.schema or "default"
        self.configuration = dict(options.configuration)
        self._root = root
        self._running: list[PlainExecution] = []
        self.is_closed = False

    def execute(
        self, statement: str, parameters: tuple[Parameter, ...] = (), *, row_limit: int | None = None
    ) -> PlainExecution:
        cursor = self._root.cursor()
        cursor.execute("SET TimeZone = 'Etc/UTC'")
        values: dict[str, Any] | list[Any] = [_python(one) for one in parameters]
        if parameters and parameters[0].name is not None:
            values = {str(one.name): _python(one) for one in parameters}
        execution = PlainExecution(cursor, statement, values, row_limit)
        self._running.append(execution)
        return execution

    def close(self) -> None:
        for execution in self._running:
            execution.close()
        self.is_closed = True


_CONVERT: dict[str, Callable[[str], Any]] = {
    "INT": int,
    "BIGINT": int,
    "DOUBLE": float,
    "BOOLEAN": lambda v: v == "True",
}


def _python(parameter: Parameter) -> Any:
    if parameter.type == "ARRAY":
        return [_python(one) for one in parameter.arguments]
    if parameter.value is None:
        return None
    return _CONVERT.get(parameter.type, str)(parameter.value)


class PlainEngine:
    """One in-memory DuckDB for everybody."""

    def __init__(self) -> None:
        self._root = duckdb.connect(":memory:")
        self.opened: list[tuple[Caller, SessionOptions, PlainSession]] = []

    def close(self) -> None:
        """Close the database."""
        self._root.close()

    def open_session(self, caller: Caller, options: SessionOptions) -> PlainSession:
        if options.catalog == "nowhere":
            raise SqlError("NO_SUCH_CATALOG_EXCEPTION", "Catalog 'nowhere' was not found.", "42704")
        session = PlainSession(self._root, options)
        self.opened.append((caller, options, session))
        return session
