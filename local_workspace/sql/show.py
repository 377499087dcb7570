"""SHOW: lists of what the caller may see."""

from __future__ import annotations

import re
from collections.abc import Iterable

from local_workspace.sql import dialect, errors, names, results
from local_workspace.sql.context import StatementSession
from local_workspace.sql.reader import Reader
from local_workspace.sql.results import Result, Stop
from local_workspace.unity_catalog.model import Table


def run(session: StatementSession, reader: Reader, _stop: Stop) -> Result:
    """SHOW CATALOGS, SCHEMAS, TABLES, VIEWS, COLUMNS, FUNCTIONS, GRANTS, TBLPROPERTIES and CREATE TABLE.

    Raises:
        SqlError: another SHOW, or an object that does not exist or may not be seen.
    """
    reader.one_of("USER", "SYSTEM", "ALL") if reader.peek(1) == "FUNCTIONS" else None
    if reader.accept("CREATE", "TABLE"):
        return _create_table(session, reader)
    word = reader.one_of(
        "CATALOGS",
        "SCHEMAS",
        "DATABASES",
        "TABLES",
        "VIEWS",
        "COLUMNS",
        "FUNCTIONS",
        "GRANTS",
        "GRANT",
        "TBLPROPERTIES",
    )
    if not word:
        raise errors.unsupported(f"SHOW {reader.peek()}")
    made = _SHOWS[word](session, reader)
    reader.end()
    return made


def _strings(columns: list[str], rows: Iterable[Iterable[object]]) -> Result:
    return results.table([(name, "STRING") for name in columns], rows)


def _like(reader: Reader, values: Iterable[str]) -> list[str]:
    """The values that the LIKE clause keeps: ``*`` stands for anything, ``|`` separates alternatives."""
    explicit = reader.accept("LIKE")
    if not explicit and not reader.is_string():
        return list(values)
    pattern = "|".join(".*".join(re.escape(part) for part in one.split("*")) for one in reader.string().split("|"))
    return [value for value in values if re.fullmatch(pattern, value, re.IGNORECASE)]


def _catalogs(session: StatementSession, reader: Reader) -> Result:
    store = session.engine.metastore
    return _strings(
        ["catalog"], [[n] for n in _like(reader, (c.name for c in store.visible_catalogs(session.caller.principal)))]
    )


def _schemas(session: StatementSession, reader: Reader) -> Result:
    store, principal = session.engine.metastore, session.caller.principal
    catalog = reader.name().lower() if reader.one_of("IN", "FROM") else session.catalog
    store.require(principal, "USE_CATALOG", "catalog", catalog)
    found = [*(s.name for s in store.visible_schemas(principal, catalog)), "information_schema"]
    return _strings(["databaseName"], [[name] for name in _like(reader, sorted(found))])


def _in_schema(session: StatementSession, reader: Reader) -> tuple[str, str]:
    parts = [part.lower() for part in reader.parts()] if reader.one_of("IN", "FROM") else [session.schema]
    if len(parts) > 2:
        raise errors.schema_not_found(parts)
    catalog, schema = parts if len(parts) == 2 else [session.catalog, parts[0]]
    if schema != "information_schema":
        session.engine.metastore.require(session.caller.principal, "USE_SCHEMA", "schema", f"{catalog}.{schema}")
    return catalog, schema


def _visible(session: StatementSession, reader: Reader) -> tuple[str, list[Table]]:
    catalog, schema = _in_schema(session, reader)
    found = session.engine.metastore.visible_tables(session.caller.principal, catalog, schema)
    kept = _like(reader, [table.name for table in found])
    return schema, [table for table in found if table.name in kept]


def _tables(session: StatementSession, reader: Reader) -> Result:
    catalog, schema = _in_schema(session, reader)
    store, principal = session.engine.metastore, session.caller.principal
    if schema == "information_schema":
        store.require(principal, "USE_CATALOG", "catalog", catalog)
        known = sorted(store.INFORMATION_SCHEMA_VIEWS)
    else:
        known = [table.name for table in store.visible_tables(principal, catalog, schema)]
    rows = [(schema, name, False) for name in _like(reader, known)] + [("", name, True) for name in session.temporary]
    return results.table([("database", "STRING"), ("tableName", "STRING"), ("isTemporary", "BOOLEAN")], rows)


def _views(session: StatementSession, reader: Reader) -> Result:
    schema, found = _visible(session, reader)
    rows = [(schema, table.name, False, False) for table in found if table.view_definition is not None]
    columns = [
        ("namespace", "STRING"),
        ("viewName", "STRING"),
        ("isTemporary", "BOOLEAN"),
        ("isMaterialized", "BOOLEAN"),
    ]
    return results.table(columns, rows)


def _columns(session: StatementSession, reader: Reader) -> Result:
    if not reader.one_of("IN", "FROM"):
        raise reader.fault()
    parts = reader.parts()
    if reader.one_of("IN", "FROM"):
        parts = [*reader.parts(), parts[-1]]
    table = session.engine.metastore.require_select(session.caller.principal, names.full(session, parts, "table"))
    return _strings(["col_name"], [[column.name] for column in table.columns])


def _functions(session: StatementSession, reader: Reader) -> Result:
    catalog, schema = _in_schema(session, reader)
    found = session.engine.metastore.visible_functions(session.caller.principal, catalog, schema)
    kept = _like(reader, [function.name for function in found])
    return _strings(["function"], [[f"{catalog}.{schema}.{name}"] for name in kept])


def _grants(session: StatementSession, reader: Reader) -> Result:
    who = None if reader.peek() == "ON" else reader.string() if reader.is_string() else reader.name()
    reader.expect("ON")
    kind = names.KINDS[reader.one_of(*names.KINDS) or "TABLE"]
    full_name = names.full(session, reader.parts(), kind) if kind != "metastore" else "local"
    store = session.engine.metastore
    if kind != "metastore":
        store.require_visible_parents(session.caller.principal, kind, full_name)
        if not store.sees(session.caller.principal, kind, full_name):
            raise errors.insufficient("MANAGE", kind.capitalize(), full_name)
    rows = []
    for item in store.effective_privileges(kind, full_name):
        if who is None or item.principal.lower() == who.lower():
            on_kind, on_name = item.inherited_from or (kind, full_name)
            rows.append((item.principal, item.privilege.replace("_", " "), on_kind.upper(), on_name))
    return _strings(["Principal", "ActionType", "ObjectType", "ObjectKey"], rows)


def _properties(session: StatementSession, reader: Reader) -> Result:
    table = session.engine.metastore.require_select(session.caller.principal, names.table(session, reader))
    rows = sorted(table.properties.items())
    if reader.accept("("):
        key = reader.string() if reader.is_string() else ".".join(reader.parts())
        reader.expect(")")
        rows = [(key, table.properties.get(key, f"Table {table.full_name} does not have property: {key}"))]
    return _strings(["key", "value"], rows)


def _create_table(session: StatementSession, reader: Reader) -> Result:
    table = session.engine.metastore.require_select(session.caller.principal, names.table(session, reader))
    reader.end()
    return _strings(["createtab_stmt"], [[definition(table)]])


def definition(table: Table) -> str:
    """The CREATE statement of a table or view."""
    head = ".".join(dialect.backquote(part) for part in (table.catalog_name, table.schema_name, table.name))
    if table.view_definition is not None:
        return f"CREATE VIEW {head} AS {table.view_definition}"
    lines = []
    for column in table.columns:
        line = f"  {dialect.backquote(column.name)} {column.type_text.upper()}"
        line += "" if column.nullable else " NOT NULL"
        line += f" COMMENT {_literal(column.comment)}" if column.comment else ""
        lines.append(line)
    if table.primary_key:
        lines.append(f"  PRIMARY KEY ({', '.join(dialect.backquote(name) for name in table.primary_key)})")
    made = f"CREATE TABLE {head} (\n" + ",\n".join(lines) + ")\nUSING delta"
    made += f"\nCOMMENT {_literal(table.comment)}" if table.comment else ""
    if table.properties:
        pairs = ",\n  ".join(f"{_literal(key)} = {_literal(value)}" for key, value in sorted(table.properties.items()))
        made += f"\nTBLPROPERTIES (\n  {pairs})"
    return made


def _literal(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


_SHOWS = {
    "CATALOGS": _catalogs,
    "SCHEMAS": _schemas,
    "DATABASES": _schemas,
    "TABLES": _tables,
    "VIEWS": _views,
    "COLUMNS": _columns,
    "FUNCTIONS": _functions,
    "GRANTS": _grants,
    "GRANT": _grants,
    "TBLPROPERTIES": _properties,
}
