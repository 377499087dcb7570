"""DESCRIBE: tables, queries, schemas, catalogs and functions."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import cast

from local_workspace.sql import dialect, errors, names, queries, results, vet
from local_workspace.sql.context import StatementSession
from local_workspace.sql.reader import Reader
from local_workspace.sql.results import Result, Stop
from local_workspace.unity_catalog.model import Catalog, Function, Schema, Table

_COLUMNS = [("col_name", "STRING"), ("data_type", "STRING"), ("comment", "STRING")]


def run(session: StatementSession, reader: Reader, stop: Stop) -> Result:
    """DESCRIBE [TABLE] [EXTENDED], QUERY, SCHEMA, CATALOG, FUNCTION.

    Raises:
        SqlError: another DESCRIBE, or an object that does not exist or may not be seen.
    """
    if reader.peek() in ("SELECT", "WITH", "VALUES", "(") or (
        reader.peek() == "QUERY" and reader.peek(1) not in (".", "")
    ):
        reader.accept("QUERY")
        return _query(session, reader, stop)
    if reader.peek() in ("DETAIL", "HISTORY") and len(reader.rest_tokens()) > 1:
        raise errors.unsupported(f"DESCRIBE {reader.peek()}")
    kind = (
        reader.one_of("TABLE", "SCHEMA", "DATABASE", "CATALOG", "FUNCTION")
        if len(reader.rest_tokens()) > 1 and reader.peek(1) != "."
        else ""
    )
    extended = bool(len(reader.rest_tokens()) > 1 and reader.peek(1) != "." and reader.one_of("EXTENDED", "FORMATTED"))
    securable = names.KINDS[kind or "TABLE"]
    full_name = names.full(session, reader.parts(), securable)
    if securable == "table":
        return _table(session, full_name, reader, extended=extended)
    reader.end()
    store, principal = session.engine.metastore, session.caller.principal
    value = store.require_visible_parents(principal, securable, full_name)
    if not store.sees(principal, securable, full_name):
        raise errors.insufficient("USE " + kind if kind != "FUNCTION" else "EXECUTE", kind.capitalize(), full_name)
    if securable == "catalog":
        return _catalog(cast("Catalog", value))
    if securable == "schema":
        return _schema(cast("Schema", value), extended=extended)
    return _function(cast("Function", value), extended=extended)


def _query(session: StatementSession, reader: Reader, stop: Stop) -> Result:
    tree = dialect.parse(reader.rest())
    if not isinstance(tree, vet.QUERIES):
        raise reader.fault()
    described = queries.describe(session, queries.prepare(session, tree, ()), stop)
    return results.table(_COLUMNS, [(column.name, column.type_text.lower(), None) for column in described])


def _table(session: StatementSession, full_name: str, reader: Reader, *, extended: bool) -> Result:
    catalog, schema, view = full_name.split(".", 2)
    if schema == "information_schema":
        reader.end()
        columns, _ = session.engine.metastore.information_schema(session.caller.principal, catalog, view)
        return results.table(_COLUMNS, [(column.name, column.type_text, column.comment) for column in columns])
    table = session.engine.metastore.require_select(session.caller.principal, full_name)
    if not reader.ended:
        return _one_column(table, reader)
    rows: list[tuple[object, ...]] = [(column.name, column.type_text, column.comment) for column in table.columns]
    if extended:
        rows += _details(table)
    return results.table(_COLUMNS, rows)


def _one_column(table: Table, reader: Reader) -> Result:
    name = reader.name()
    reader.end()
    for column in table.columns:
        if column.name.lower() == name.lower():
            rows = [("col_name", column.name), ("data_type", column.type_text), ("comment", column.comment)]
            return results.table([("info_name", "STRING"), ("info_value", "STRING")], rows)
    raise errors.column_not_found(name, [column.name for column in table.columns])


def _time(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%a %b %d %H:%M:%S UTC %Y")


def _details(table: Table) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = [("", "", ""), ("# Detailed Table Information", "", "")]
    rows += [("Catalog", table.catalog_name, ""), ("Database", table.schema_name, ""), ("Table", table.name, "")]
    rows += [("Owner", table.owner, ""), ("Created Time", _time(table.created_at), ""), ("Type", table.table_type, "")]
    rows += [("Comment", table.comment, "")] if table.comment else []
    if table.view_definition is not None:
        rows.append(("View Text", table.view_definition, ""))
    else:
        rows.append(("Provider", "delta", ""))
    if table.properties:
        shown = ",".join(f"{key}={value}" for key, value in sorted(table.properties.items()))
        rows.append(("Table Properties", f"[{shown}]", ""))
    return rows + _governance(table)


def _governance(table: Table) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    if table.row_filter:
        rows += [("", "", ""), ("# Row Filter", "", ""), ("Function", table.row_filter.function, "")]
        rows.append(("Arguments", ", ".join(table.row_filter.columns), ""))
    masked = [column for column in table.columns if column.mask]
    if masked:
        rows += [("", "", ""), ("# Column Masks", "", "")]
        rows += [(column.name, column.mask.function if column.mask else "", "") for column in masked]
    if table.primary_key:
        keys = ", ".join(dialect.backquote(name) for name in table.primary_key)
        rows += [("", "", ""), ("# Constraints", "", ""), (f"{table.name}_pk", f"PRIMARY KEY ({keys})", "")]
    return rows


def _catalog(value: Catalog) -> Result:
    rows = [
        ("Catalog Name", value.name),
        ("Comment", value.comment or ""),
        ("Owner", value.owner),
        ("Catalog Type", "Regular"),
    ]
    return results.table([("info_name", "STRING"), ("info_value", "STRING")], rows)


def _schema(value: Schema, *, extended: bool) -> Result:
    rows = [
        ("Catalog Name", value.catalog_name),
        ("Namespace Name", value.name),
        ("Comment", value.comment or ""),
        ("Owner", value.owner),
    ]
    if extended:
        shown = ",".join(f"({key},{item})" for key, item in sorted(value.properties.items()))
        rows.append(("Properties", f"({shown})" if shown else ""))
    return results.table([("database_description_item", "STRING"), ("database_description_value", "STRING")], rows)


def _function(value: Function, *, extended: bool) -> Result:
    parameters = ", ".join(f"{item.name} {item.type_text.upper()}" for item in value.parameters)
    rows = [
        f"Function: {value.full_name}",
        "Type:     SCALAR",
        f"Input:    {parameters}",
        f"Returns:  {value.return_type.upper()}",
    ]
    if extended:
        rows += [f"Comment:  {value.comment or ''}", f"Owner:    {value.owner}", f"Body:     {value.body}"]
    return results.table([("function_desc", "STRING")], [[row] for row in rows])
