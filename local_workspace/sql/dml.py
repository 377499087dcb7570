"""INSERT, UPDATE, DELETE and MERGE: the target is changed in place, whatever is read is governed as in a query."""

from __future__ import annotations

from typing import Any

import duckdb
from sqlglot import exp

from local_workspace.sql import (
    dialect,
    errors,
    identifier_clause,
    identity,
    parameters,
    queries,
    results,
    rewrite,
    type_rules,
    types,
    vet,
)
from local_workspace.sql.context import StatementSession
from local_workspace.sql.govern import PHYSICAL, Governor, Scope, physical_table
from local_workspace.sql.model import Parameter, SqlError
from local_workspace.sql.results import Result, Stop
from local_workspace.unity_catalog.model import Column, Table


def execute(cursor: Any, sql: str, values: dict[str, Any], stop: Stop) -> int:
    """Run a change on ``cursor``; the number of rows that it touched.

    Raises:
        SqlError: it failed or was cancelled.
    """
    stop.guard(cursor)
    try:
        row = cursor.execute(sql, values).fetchone() if values else cursor.execute(sql).fetchone()
    except (duckdb.Error, OSError) as fault:
        raise errors.from_duckdb(fault) from fault
    finally:
        stop.release()
    return int(row[0]) if row and isinstance(row[0], int) else 0


def run(session: StatementSession, tree: exp.Expr, given: tuple[Parameter, ...], stop: Stop) -> Result:
    """Run a change as the session's caller; needs MODIFY, and SELECT where rows are read to choose them.

    Raises:
        SqlError: it may not run, or fails.
    """
    scope = session.scope()
    governor = Governor(session.engine.metastore, session.engine.directory, session.temporary)
    tree = identifier_clause.resolve(tree, given)
    vet.vet(tree, known_functions=governor.function_names(scope))
    tree, markers = parameters.bind(tree, given)
    table = _target(governor, tree, scope)
    if isinstance(tree, exp.Insert):
        _insert(tree, table)
    else:
        _assignments(tree, table)
    tree = governor.query(tree, scope)
    sql = dialect.generate(rewrite.rewrite(tree, scope.zone))
    cursor = queries.open_cursor(session, governor.governed, stop)
    try:
        with session.engine.changing(table.physical, stop):
            rows = _apply(
                cursor, sql, table, dict(parameters.values(given, markers)), stop, overwrite=_overwrites(tree)
            )
    finally:
        cursor.close()
    return results.changed(rows, inserted=isinstance(tree, exp.Insert | exp.Merge))


def _overwrites(tree: exp.Expr) -> bool:
    return bool(tree.meta.get("overwrite"))


def _apply(cursor: Any, sql: str, table: Table, values: dict[str, Any], stop: Stop, *, overwrite: bool) -> int:
    if not overwrite:
        return execute(cursor, sql, values, stop)
    name = table.physical
    kept = f"CREATE TEMP TABLE _overwritten AS SELECT * FROM {name} LIMIT 0"  # noqa: S608 - a physical name of our own
    execute(cursor, kept, {}, stop)
    rows = execute(
        cursor, sql.replace(physical_table(table, "").sql(dialect="duckdb"), "temp.main._overwritten", 1), values, stop
    )
    execute(cursor, "BEGIN", {}, stop)
    execute(cursor, f"DELETE FROM {name}", {}, stop)  # noqa: S608 - a physical name of our own
    execute(cursor, f"INSERT INTO {name} SELECT * FROM temp.main._overwritten", {}, stop)  # noqa: S608
    execute(cursor, "COMMIT", {}, stop)
    return rows


def _target(governor: Governor, tree: exp.Expr, scope: Scope) -> Table:
    """Resolve the table that is changed, and put its physical name in the tree."""
    node = tree.this
    if isinstance(node, exp.Schema):
        node = node.this
    if not isinstance(node, exp.Table) or not isinstance(node.this, exp.Identifier):
        raise errors.unsupported("This target of a change")
    table = governor.resolve(node, scope, "MODIFY")
    if table.view_definition is not None:
        raise SqlError(
            "EXPECT_TABLE_NOT_VIEW.NO_ALTERNATIVE",
            f"The operation expects a table but `{table.name}` is a view.",
            "42809",
        )
    governor.governed.physical.add(table.physical)
    governor.governed.columns.update(dict.fromkeys(column.name for column in table.columns))
    if not isinstance(tree, exp.Insert):
        governor.resolve(node, scope)
        if table.row_filter or any(column.mask for column in table.columns):
            raise errors.unsupported("UPDATE, DELETE or MERGE on a table with a row filter or column masks")
        _no_hidden_columns(tree, table)
        _mark_types(tree, table, (node.alias or node.name).lower())
        governor.shorten(tree, scope)
    alias = node.args.get("alias")
    made = physical_table(table, "" if isinstance(tree, exp.Insert) else (alias.name if alias else node.name))
    made.meta[PHYSICAL] = True
    node.replace(made)
    return table


def _mark_types(tree: exp.Expr, table: Table, alias: str) -> None:
    """The target's own columns carry their types; inside a subquery a name may mean another column."""
    kinds = {column.name.lower(): column.type_text for column in table.columns}
    for column in tree.find_all(exp.Column):
        own = column.table.lower() == alias or (not column.table and not isinstance(tree, exp.Merge))
        if own and column.name.lower() in kinds and column.find_ancestor(exp.Query) is None:
            type_rules.mark(column, kinds[column.name.lower()])


def _no_hidden_columns(tree: exp.Expr, table: Table) -> None:
    """DuckDB's own ``rowid`` is no column of the platform's tables."""
    known = {column.name.lower() for column in table.columns}
    for column in tree.find_all(exp.Column):
        if column.name.lower() == "rowid" and "rowid" not in known:
            raise errors.column_not_found(column.name, [item.name for item in table.columns])


# INSERT -----------------------------------------------------------------------------------------------------------


_INSERT_ARGUMENTS = frozenset({"this", "expression", "overwrite", "is_function", "with_", "by_name"})


def _insert(tree: exp.Insert, table: Table) -> None:
    """``INSERT INTO t (columns) SELECT CAST(…) FROM (source)``: each value takes its column's type."""
    for key, value in tree.args.items():
        if value and key not in _INSERT_ARGUMENTS:
            raise errors.unsupported(f"INSERT with {key}")
    if tree.args.get("overwrite"):
        tree.meta["overwrite"] = True
        tree.set("overwrite", False)
    source = tree.expression
    if not isinstance(source, vet.QUERIES):
        raise errors.unsupported("This source of an INSERT")
    if source.find(exp.Var) and isinstance(source, exp.Values):
        raise errors.unsupported("DEFAULT in VALUES")
    columns = _inserted_columns(tree, table)
    if tree.args.get("by_name"):
        raise errors.unsupported("INSERT BY NAME")
    identity.name_columns(tree)
    inputs = [exp.to_identifier(f"_v{place}") for place in range(len(columns))]
    if isinstance(source, exp.Values):
        _check_width(source, len(columns), table)
        source.set("alias", None)
        source = exp.Select(expressions=[exp.Star()], from_=exp.From(this=_named_values(source.copy(), len(columns))))
    target = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
    with_ = tree.args.get("with_")
    select = exp.Select(
        expressions=[
            exp.Cast(this=exp.column(name.copy(), "_s"), to=types.parse_type(column.type_text))
            for name, column in zip(inputs, columns, strict=True)
        ],
        from_=exp.From(
            this=exp.Subquery(this=source.copy(), alias=exp.TableAlias(this=exp.to_identifier("_s"), columns=inputs))
        ),
    )
    if with_:
        select.set("with_", with_.pop())
    tree.set("this", exp.Schema(this=target, expressions=[exp.to_identifier(c.name, quoted=True) for c in columns]))
    tree.set("expression", select)


def _named_values(values: exp.Values, width: int) -> exp.Values:
    names = [exp.to_identifier(f"col{place + 1}") for place in range(width)]
    values.set("alias", exp.TableAlias(this=exp.to_identifier("_values"), columns=names))
    return values


def _check_width(source: exp.Values, width: int, table: Table) -> None:
    for row in source.expressions:
        given = len(row.expressions) if isinstance(row, exp.Tuple) else 1
        if given != width:
            kind = "NOT_ENOUGH_DATA_COLUMNS" if given < width else "TOO_MANY_DATA_COLUMNS"
            raise SqlError(
                f"INSERT_COLUMN_ARITY_MISMATCH.{kind}",
                f"Cannot write to `{table.name}`, the reason is {'not enough' if given < width else 'too many'} data "
                f"columns.",
                "21S01",
            )


def _inserted_columns(tree: exp.Insert, table: Table) -> list[Column]:
    if not isinstance(tree.this, exp.Schema):
        return list(table.columns)
    by_name = {column.name.lower(): column for column in table.columns}
    made = []
    for item in tree.this.expressions:
        if item.name.lower() not in by_name:
            raise errors.column_not_found(item.name, [column.name for column in table.columns])
        made.append(by_name[item.name.lower()])
    return made


# UPDATE and MERGE -------------------------------------------------------------------------------------------------


def _assignments(tree: exp.Expr, table: Table) -> None:
    """Assigned values take their column's type by the platform's casts; targets are plain names, as DuckDB wants."""
    by_name = {column.name.lower(): column for column in table.columns}
    updates = [tree] if isinstance(tree, exp.Update) else list(tree.find_all(exp.Update))
    for update in updates:
        for item in update.expressions:
            if not isinstance(item, exp.EQ):
                continue
            column = by_name.get(item.this.name.lower())
            if column is None:
                raise errors.column_not_found(item.this.name, [known.name for known in table.columns])
            item.set("this", exp.column(exp.to_identifier(column.name, quoted=True)))
            item.set("expression", exp.Cast(this=item.expression, to=types.parse_type(column.type_text)))
    for key, value in tree.args.items():
        if value and key in ("returning", "limit", "order", "hint", "from_", "using_cond"):
            raise errors.unsupported(f"{tree.key.upper()} with {key}")
