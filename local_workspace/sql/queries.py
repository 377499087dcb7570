"""Queries: prepared (vetted, bound, governed, rewritten), then described or opened on a cursor."""

from __future__ import annotations

from typing import Any

import duckdb
import pyarrow as pa
from sqlglot import exp

from local_workspace.sql import dialect, errors, identifier_clause, identity, parameters, results, rewrite, types, vet
from local_workspace.sql.context import StatementSession
from local_workspace.sql.govern import Governed, Governor
from local_workspace.sql.model import Parameter, ResultColumn
from local_workspace.sql.plans import Prepared, Questions
from local_workspace.sql.results import Result, Stop


class _Shown(dict[str, str]):
    """Values by marker, which notices whether a column's name shows one: such a plan is for these values only."""

    used = False

    def get(self, key: str, default: Any = None) -> Any:
        """The value of a marker."""
        self.used = True
        return super().get(key, default)


def prepare(
    session: StatementSession, tree: exp.Expr, given: tuple[Parameter, ...], questions: Questions | None = None
) -> Prepared:
    """Vet, bind, govern and rewrite a query; ``questions`` gets what it takes from the metastore and the directory.

    Raises:
        SqlError: it may not run.
    """
    asked = questions or Questions(session.scope())
    scope = asked.scope
    metastore, directory = asked.through(session.engine.metastore), asked.through(session.engine.directory)
    governor = Governor(metastore, directory, session.temporary)
    if isinstance(tree, exp.Values):
        tree = exp.Select(expressions=[exp.Star()], from_=exp.From(this=tree))
    tree = identifier_clause.resolve(tree, given)
    vet.vet(tree, known_functions=governor.function_names(scope))
    shown = _Shown(parameters.shown(given))
    identity.name_columns(tree, shown)
    tree, markers = parameters.bind(tree, given)
    tree = governor.query(tree, scope)
    tree, kinds = rewrite.typed_rewrite(tree, scope.zone)
    return Prepared(dialect.generate(tree), governor.governed, markers, tuple(kinds), shown.used)


def open_query(
    session: StatementSession,
    prepared: Prepared,
    given: tuple[Parameter, ...],
    stop: Stop,
    *,
    row_limit: int | None = None,
) -> Result:
    """Start a prepared query on a cursor of its own.

    Raises:
        SqlError: it does not bind or fails before its first row.
    """
    cursor = open_cursor(session, prepared.governed, stop)
    values: dict[str, Any] = dict(parameters.values(given, prepared.markers))
    return results.stream(
        cursor,
        prepared.sql,
        values,
        zone=session.zone,
        stop=stop,
        known=prepared.governed.columns,
        limit=row_limit,
        kinds=prepared.kinds,
    )


def describe(session: StatementSession, prepared: Prepared, stop: Stop) -> tuple[ResultColumn, ...]:
    """The columns of a prepared query, without running it.

    Raises:
        SqlError: it does not bind.
    """
    cursor = open_cursor(session, prepared.governed, stop)
    try:
        relation = cursor.sql(prepared.sql)
        return results.described(relation, prepared.kinds)
    except duckdb.Error as fault:
        raise errors.from_duckdb(fault, prepared.governed.columns) from fault
    finally:
        cursor.close()


def open_cursor(session: StatementSession, governed: Governed, stop: Stop) -> Any:
    """A cursor in the session's time zone that knows the information_schema views of the statement."""
    session.engine.await_tables(governed.physical, stop)
    cursor = session.engine.cursor(session.zone)
    for name, (catalog, view, principal) in governed.views.items():
        columns, rows = session.engine.metastore.information_schema(principal, catalog, view)
        kinds = [types.arrow_type(column.type_text.upper(), "UTC") for column in columns]
        schema = pa.schema([pa.field(column.name, kind) for column, kind in zip(columns, kinds, strict=True)])
        arrays = [pa.array([row[place] for row in rows], kind) for place, kind in enumerate(kinds)]
        cursor.register(name, pa.Table.from_arrays(arrays, schema=schema))
    return cursor
