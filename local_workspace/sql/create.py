"""CREATE: catalogs, schemas, tables, views and functions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import duckdb
from sqlglot import exp

from local_workspace.sql import definitions, dialect, dml, errors, names, queries, results, rewrite, types, vet
from local_workspace.sql.context import StatementSession
from local_workspace.sql.definitions import TableDefinition
from local_workspace.sql.govern import Governor, function_body, substituted
from local_workspace.sql.model import ResultColumn
from local_workspace.sql.reader import Reader
from local_workspace.sql.results import Result, Stop
from local_workspace.unity_catalog.model import Column, Function, Parameter, Table


def run_replace(session: StatementSession, reader: Reader, stop: Stop) -> Result:
    """REPLACE TABLE.

    Raises:
        SqlError, UnityCatalogError: see ``run``.
    """
    if reader.peek() != "TABLE":
        raise reader.fault()
    return _table(session, reader, stop, replacing=True)


def run(session: StatementSession, reader: Reader, stop: Stop) -> Result:
    """CREATE [OR REPLACE] [TEMPORARY] TABLE | VIEW | FUNCTION | SCHEMA | CATALOG, owned by the session's caller.

    Raises:
        SqlError, UnityCatalogError: it is not understood, not supported, or may not be done.
    """
    replacing = reader.accept("OR", "REPLACE")
    temporary = bool(reader.one_of("TEMP", "TEMPORARY"))
    word = reader.peek()
    if word == "TABLE" and not temporary:
        return _table(session, reader, stop, replacing=replacing)
    if word == "VIEW":
        return _view(session, reader, stop, replacing=replacing, temporary=temporary)
    if word == "FUNCTION" and not temporary:
        return _function(session, reader, replacing=replacing)
    if word in ("SCHEMA", "DATABASE", "CATALOG") and not replacing:
        return _container(session, reader)
    raise errors.unsupported(f"CREATE {'TEMPORARY ' if temporary else ''}{word}")


def _if_not_exists(reader: Reader) -> bool:
    return reader.accept("IF", "NOT", "EXISTS")


def _container(session: StatementSession, reader: Reader) -> Result:
    kind = names.KINDS[reader.one_of("SCHEMA", "DATABASE", "CATALOG")]
    tolerant = _if_not_exists(reader)
    full_name = names.full(session, reader.parts(), kind)
    comment, properties = None, {}
    while not reader.ended:
        if reader.accept("COMMENT"):
            comment = reader.string()
        elif reader.accept("WITH", "DBPROPERTIES") or reader.accept("DBPROPERTIES"):
            properties = reader.properties()
        elif reader.accept("DEFAULT", "COLLATION"):
            raise errors.unsupported("A default collation")
        else:
            raise errors.unsupported(f"{reader.peek()} LOCATION") if reader.peek() == "MANAGED" else reader.fault()
    store, principal = session.engine.metastore, session.caller.principal
    if tolerant and store.find(kind, full_name) is not None:
        return results.nothing()
    if kind == "catalog":
        store.create_catalog(principal, full_name, comment=comment, properties=properties)
        store.create_schema(principal, full_name, "default", comment="Default schema")
    else:
        store.create_schema(principal, *full_name.split(".", 1), comment=comment, properties=properties)
    return results.nothing()


# Tables -----------------------------------------------------------------------------------------------------------


def _table(session: StatementSession, reader: Reader, stop: Stop, *, replacing: bool) -> Result:
    reader.expect("TABLE")
    tolerant = _if_not_exists(reader)
    full_name = names.table(session, reader)
    function_name = lambda parts: names.full(session, parts, "function")  # noqa: E731
    made = TableDefinition()
    if reader.accept("LIKE"):
        source = session.engine.metastore.require_select(session.caller.principal, names.table(session, reader))
        made.columns = [replace(column, mask=None) for column in source.columns]
    elif reader.peek() == "(":
        definitions.body(reader, function_name, made)
    query = reader.rest() if definitions.clauses(reader, function_name, made) else None
    store, principal = session.engine.metastore, session.caller.principal
    if tolerant and store.find("table", full_name) is not None:
        return results.nothing()
    store.require_create_table(principal, full_name, replace_existing=replacing)
    physical = session.engine.new_physical()
    rows = None
    if query is not None:
        made.columns, rows = _fill(session, physical, query, made.columns, stop)
    else:
        _execute(session, f"CREATE TABLE {physical} ({_physical_columns(made.columns)})", stop)
    _register(session, full_name, made, physical, replacing=replacing)
    return results.changed(rows, inserted=True) if rows is not None else results.nothing()


def _register(
    session: StatementSession, full_name: str, made: TableDefinition, physical: str, *, replacing: bool
) -> None:
    catalog, schema, name = full_name.split(".", 2)
    value = Table(
        catalog,
        schema,
        name,
        "",
        tuple(made.columns),
        physical=physical,
        comment=made.comment,
        properties=made.properties,
        row_filter=made.row_filter,
        primary_key=made.primary_key,
    )
    try:
        session.engine.metastore.put_table(session.caller.principal, value, replace_existing=replacing)
    except BaseException:
        session.engine.discard(physical)
        raise


def physical_column(column: Column) -> str:
    """DuckDB's definition of a column."""
    kind = types.duck_type(types.parse_type(column.type_text))
    return f"{dialect.quote(column.name)} {kind}{'' if column.nullable else ' NOT NULL'}"


def _physical_columns(columns: list[Column]) -> str:
    if not columns:
        raise errors.unsupported("A table without columns")
    return ", ".join(physical_column(column) for column in columns)


def _execute(session: StatementSession, sql: str, stop: Stop) -> int:
    cursor = session.engine.cursor("UTC")
    try:
        return dml.execute(cursor, sql, {}, stop)
    finally:
        cursor.close()


def _fill(
    session: StatementSession, physical: str, query: str, declared: list[Column], stop: Stop
) -> tuple[list[Column], int]:
    """CREATE TABLE AS SELECT: the columns and the number of rows."""
    tree = dialect.parse(query)
    if not isinstance(tree, vet.QUERIES):
        raise errors.syntax(query)
    if declared:
        raise errors.unsupported("CREATE TABLE with both columns and a query")
    prepared = queries.prepare(session, tree, ())
    columns = [_stored(item) for item in queries.describe(session, prepared, stop)]
    casts = ", ".join(
        f"CAST(_q.{dialect.quote(c.name)} AS {types.duck_type(types.parse_type(c.type_text))}) AS "
        f"{dialect.quote(c.name)}"
        for c in columns
    )
    cursor = queries.open_cursor(session, prepared.governed, stop)
    sql = f"CREATE TABLE {physical} AS SELECT {casts} FROM ({prepared.sql}) AS _q"  # noqa: S608 - governed text
    try:
        rows = dml.execute(cursor, sql, {}, stop)
    finally:
        cursor.close()
    return columns, rows


def _stored(item: ResultColumn) -> Column:
    if item.type_text.startswith(("INTERVAL", "VOID")):
        raise errors.unsupported(f"A column of the type {item.type_text}")
    return Column(item.name, types.type_text(types.parse_type(item.type_text)))


# Views ------------------------------------------------------------------------------------------------------------


def _view(session: StatementSession, reader: Reader, stop: Stop, *, replacing: bool, temporary: bool) -> Result:
    reader.expect("VIEW")
    tolerant = _if_not_exists(reader)
    parts = reader.parts()
    full_name = parts[0].lower() if temporary else names.full(session, parts, "table")
    given = _view_columns(reader) if reader.peek() == "(" else []
    comment, properties = None, {}
    while not reader.accept("AS"):
        if reader.accept("COMMENT"):
            comment = reader.string()
        elif reader.accept("TBLPROPERTIES"):
            properties = reader.properties()
        elif not reader.accept("WITH", "SCHEMA", reader.peek(2)):
            raise reader.fault()
    store, principal = session.engine.metastore, session.caller.principal
    if tolerant and not temporary and store.find("table", full_name) is not None:
        return results.nothing()
    text, columns = view_text(session, reader.rest(), full_name, given, stop, temporary=temporary)
    catalog, schema, name = (session.catalog, session.schema, full_name) if temporary else full_name.split(".", 2)
    owner = principal.name if temporary else ""
    value = Table(catalog, schema, name, owner, columns, "VIEW", "", text, comment, properties)
    if temporary:
        if name in session.temporary and not replacing:
            raise errors.already_exists("TABLE_OR_VIEW", [name])
        session.temporary[name] = value
    else:
        store.put_table(principal, value, replace_existing=replacing)
    return results.nothing()


def _view_columns(reader: Reader) -> list[tuple[str, str | None]]:
    made: list[tuple[str, str | None]] = []
    reader.expect("(")
    while not reader.accept(")"):
        made.append((reader.name(), reader.string() if reader.accept("COMMENT") else None))
        if reader.peek() != ")":
            reader.expect(",")
    return made


def view_text(
    session: StatementSession,
    query: str,
    full_name: str,
    given: list[tuple[str, str | None]],
    stop: Stop,
    *,
    temporary: bool = False,
) -> tuple[str, tuple[Column, ...]]:
    """A view's text, whose names resolve in the view's own schema, and its columns; checked as the session's caller.

    Raises:
        SqlError: the query is not allowed, or has another number of columns than were given.
    """
    tree = dialect.parse(query)
    if not isinstance(tree, vet.QUERIES) or tree.find(exp.Placeholder):
        raise (
            errors.unsupported("A view with parameter markers")
            if isinstance(tree, vet.QUERIES)
            else errors.syntax(query)
        )
    described = queries.describe(session, queries.prepare(session, tree.copy(), ()), stop)
    if given and len(given) != len(described):
        raise errors.wrong_arguments(full_name, len(described), len(given))
    pairs = given or [(item.name, None) for item in described]
    columns = tuple(
        Column(
            name,
            types.type_text(types.parse_type(item.type_text)) if item.type_text != "VOID" else "string",
            comment=comment,
        )
        for (name, comment), item in zip(pairs, described, strict=True)
    )
    if not temporary and full_name.rpartition(".")[0] != f"{session.catalog}.{session.schema}":
        governor = Governor(session.engine.metastore, session.engine.directory)
        if governor.qualify(tree, session.scope()):
            query = tree.sql(dialect="databricks", comments=False)
    return query, columns


# Functions --------------------------------------------------------------------------------------------------------


def _function(session: StatementSession, reader: Reader, *, replacing: bool) -> Result:
    reader.expect("FUNCTION")
    tolerant = _if_not_exists(reader)
    full_name = names.full(session, reader.parts(), "function")
    parameters = _parameters(reader)
    return_type, comment = "", None
    while not reader.accept("RETURN"):
        if reader.accept("RETURNS"):
            if reader.peek() == "TABLE":
                raise errors.unsupported("A table function")
            stops = ("LANGUAGE", "DETERMINISTIC", "NOT", "COMMENT", "CONTAINS", "READS", "RETURN", "SQL")
            return_type = types.type_text(types.parse_type(reader.until(*stops)))
        elif reader.accept("COMMENT"):
            comment = reader.string()
        elif not _characteristic(reader):
            raise reader.fault()
    store, principal = session.engine.metastore, session.caller.principal
    if tolerant and store.find("function", full_name) is not None:
        return results.nothing()
    catalog, schema, name = full_name.split(".", 2)
    value = Function(catalog, schema, name, principal.name, parameters, return_type, reader.rest())
    return_type = return_type or _checked(session, value)
    if value.return_type:
        _checked(session, value)
    store.create_function(
        principal,
        full_name,
        parameters=parameters,
        return_type=return_type,
        body=value.body,
        comment=comment,
        replace_existing=replacing,
    )
    return results.nothing()


def _characteristic(reader: Reader) -> bool:
    return (
        reader.accept("LANGUAGE", "SQL")
        or reader.accept("NOT", "DETERMINISTIC")
        or reader.accept("DETERMINISTIC")
        or reader.accept("CONTAINS", "SQL")
        or reader.accept("READS", "SQL", "DATA")
    )


def _parameters(reader: Reader) -> tuple[Parameter, ...]:
    made: list[Parameter] = []
    reader.expect("(")
    while not reader.accept(")"):
        item = Parameter(reader.name(), types.type_text(types.parse_type(reader.until("COMMENT", "DEFAULT"))))
        if reader.accept("COMMENT"):
            reader.string()
        made.append(item)
        if reader.peek() != ")":
            reader.expect(",")
    return tuple(made)


def _checked(session: StatementSession, value: Function) -> str:
    """Bind a function's body with NULL arguments, as its maker; the type of its result.

    Raises:
        SqlError: the body is not allowed or does not bind.
    """
    scope = session.scope().within(session.caller.principal, value.catalog_name, value.schema_name)
    governor = Governor(session.engine.metastore, session.engine.directory)
    body = governor.query(function_body(value, governor.function_names(scope)), scope)
    made = substituted(body, value, [exp.Null() for _ in value.parameters])
    tree: Any = exp.Select(expressions=[exp.alias_(made, "r")])
    sql = dialect.generate(rewrite.rewrite(tree, scope.zone))
    cursor = session.engine.cursor("UTC")
    try:
        return types.type_text(types.parse_type(types.from_duck(cursor.sql(sql).types[0]).replace("VOID", "STRING")))
    except duckdb.Error as fault:
        raise errors.from_duckdb(fault, [item.name for item in value.parameters]) from fault
    finally:
        cursor.close()
