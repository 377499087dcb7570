"""ALTER, DROP, TRUNCATE and COMMENT ON."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

from local_workspace.sql import create, definitions, dialect, dml, errors, names, results, types
from local_workspace.sql.context import StatementSession
from local_workspace.sql.model import SqlError
from local_workspace.sql.reader import Reader
from local_workspace.sql.results import Result, Stop
from local_workspace.unity_catalog.model import Column, SecurableType, Table


def drop(session: StatementSession, reader: Reader, _stop: Stop) -> Result:
    """DROP TABLE | VIEW | SCHEMA | CATALOG | FUNCTION [IF EXISTS] name [CASCADE | RESTRICT].

    Raises:
        SqlError, UnityCatalogError: it may not be dropped, or is not there.
    """
    word = reader.one_of("TABLE", "VIEW", "SCHEMA", "DATABASE", "CATALOG", "FUNCTION")
    if not word:
        raise errors.unsupported(f"DROP {reader.peek()}")
    tolerant = reader.accept("IF", "EXISTS")
    kind = names.KINDS[word]
    parts = reader.parts()
    full_name = names.full(session, parts, kind)
    cascade = reader.one_of("CASCADE", "RESTRICT") == "CASCADE"
    reader.end()
    if word == "VIEW" and len(parts) == 1 and parts[0].lower() in session.temporary:
        del session.temporary[parts[0].lower()]
        return results.nothing()
    store, principal = session.engine.metastore, session.caller.principal
    value = store.find(kind, full_name)
    if value is None and tolerant:
        return results.nothing()
    if isinstance(value, Table) and (word == "VIEW") != (value.view_definition is not None):
        raise _wrong_kind(value, word)
    if kind == "catalog":
        store.drop_catalog(principal, full_name, cascade=cascade)
    elif kind == "schema":
        store.drop_schema(principal, full_name, cascade=cascade)
    elif kind == "function":
        store.drop_function(principal, full_name)
    else:
        store.drop_table(principal, full_name)
    return results.nothing()


def _wrong_kind(table: Table, word: str) -> SqlError:
    is_view = table.view_definition is not None
    return SqlError(
        "EXPECT_TABLE_NOT_VIEW.NO_ALTERNATIVE" if is_view else "EXPECT_VIEW_NOT_TABLE.NO_ALTERNATIVE",
        f"'DROP {word}' expects a {word.lower()} but `{table.name}` is a {'view' if is_view else 'table'}.",
        "42809",
    )


def truncate(session: StatementSession, reader: Reader, stop: Stop) -> Result:
    """TRUNCATE TABLE: every row goes; needs MODIFY."""
    reader.expect("TABLE")
    full_name = names.table(session, reader)
    reader.end()
    name = ".".join(dialect.backquote(part) for part in full_name.split(".", 2))
    dml.run(session, dialect.parse(f"DELETE FROM {name}"), (), stop)  # noqa: S608 - a quoted name
    return results.nothing()


def comment(session: StatementSession, reader: Reader, _stop: Stop) -> Result:
    """COMMENT ON object IS text | NULL.

    Raises:
        SqlError, UnityCatalogError: it is not understood, or may not be done.
    """
    reader.expect("ON")
    word = reader.one_of("CATALOG", "SCHEMA", "DATABASE", "TABLE", "VIEW", "FUNCTION", "COLUMN")
    if not word:
        raise errors.unsupported(f"COMMENT ON {reader.peek()}")
    parts = reader.parts()
    reader.expect("IS")
    text = None if reader.accept("NULL") else reader.string()
    reader.end()
    store, principal = session.engine.metastore, session.caller.principal
    if word == "COLUMN":
        store.comment_on_column(principal, names.full(session, parts[:-1], "table"), parts[-1], text)
    else:
        kind = cast("SecurableType", names.KINDS[word])
        store.comment_on(principal, kind, names.full(session, parts, kind), text)
    return results.nothing()


def run(session: StatementSession, reader: Reader, stop: Stop) -> Result:
    """ALTER TABLE | VIEW | SCHEMA | CATALOG | FUNCTION.

    Raises:
        SqlError, UnityCatalogError: it is not understood, not supported, or may not be done.
    """
    word = reader.one_of("TABLE", "VIEW", "SCHEMA", "DATABASE", "CATALOG", "FUNCTION")
    if not word:
        raise errors.unsupported(f"ALTER {reader.peek()}")
    kind = cast("SecurableType", names.KINDS[word])
    full_name = names.full(session, reader.parts(), kind)
    if not _common(session, reader, kind, full_name):
        if kind != "table":
            raise errors.unsupported(f"This ALTER {word}")
        if reader.accept("AS"):
            _redefine(session, reader, full_name, stop)
        else:
            _table(session, reader, full_name, stop)
    reader.end()
    return results.nothing()


def _common(session: StatementSession, reader: Reader, kind: SecurableType, full_name: str) -> bool:
    """Owner, name and properties, which every object has."""
    store, principal = session.engine.metastore, session.caller.principal
    if reader.accept("SET", "OWNER", "TO") or reader.accept("OWNER", "TO"):
        store.set_owner(principal, kind, full_name, reader.string() if reader.is_string() else reader.name())
    elif reader.accept("RENAME", "TO"):
        store.rename(principal, kind, full_name, names.full(session, reader.parts(), kind))
    elif reader.accept("SET", "TBLPROPERTIES") or reader.accept("SET", "DBPROPERTIES"):
        value = store.require_manage(principal, kind, full_name)
        store.set_properties(principal, kind, full_name, {**getattr(value, "properties", {}), **reader.properties()})
    elif reader.accept("UNSET", "TBLPROPERTIES"):
        reader.accept("IF", "EXISTS")
        gone = _keys(reader)
        value = store.require_manage(principal, kind, full_name)
        kept = {key: text for key, text in getattr(value, "properties", {}).items() if key not in gone}
        store.set_properties(principal, kind, full_name, kept)
    else:
        return False
    return True


def _keys(reader: Reader) -> set[str]:
    reader.expect("(")
    made = set()
    while not reader.accept(")"):
        made.add(reader.string() if reader.is_string() else ".".join(reader.parts()))
        reader.accept(",")
    return made


def _redefine(session: StatementSession, reader: Reader, full_name: str, stop: Stop) -> None:
    store, principal = session.engine.metastore, session.caller.principal
    view = cast("Table", store.require_manage(principal, "table", full_name))
    if view.view_definition is None:
        raise _wrong_kind(view, "VIEW")
    text, columns = create.view_text(session, reader.rest(), full_name, [], stop)
    store.put_table(principal, replace(view, view_definition=text, columns=columns), replace_existing=True)


# Tables -----------------------------------------------------------------------------------------------------------


def _table(session: StatementSession, reader: Reader, full_name: str, stop: Stop) -> None:
    for words, action in _ACTIONS:
        if reader.accept(*words):
            action(session, reader, full_name, stop)
            return
    raise errors.unsupported(f"ALTER TABLE {reader.peek()} {reader.peek(1)}")


def _existing(session: StatementSession, full_name: str) -> Table:
    """The table, when the caller may change its columns."""
    store, principal = session.engine.metastore, session.caller.principal
    if store.holds(principal, "MANAGE", "table", full_name):
        table = cast("Table", store.require_manage(principal, "table", full_name))
    else:
        table = store.require_modify(principal, full_name)
    if table.view_definition is not None or not table.physical.startswith("store."):
        raise errors.unsupported("Changing the columns of this object")
    return table


def _change_columns(
    session: StatementSession, table: Table, columns: list[Column], changes: list[str], stop: Stop
) -> None:
    """Change the stored columns, then what is known about them; the table's lock is held over both."""
    engine, principal = session.engine, session.caller.principal
    with engine.changing(table.physical, stop):
        engine.metastore.require_alter_columns(principal, table.full_name, columns)
        cursor = engine.cursor("UTC")
        try:
            dml.execute(cursor, "BEGIN", {}, stop)
            for change in changes:
                dml.execute(cursor, f"ALTER TABLE {table.physical} {change}", {}, stop)
            engine.metastore.alter_columns(principal, table.full_name, columns)
            _commit(session, cursor, table, stop)
        finally:
            cursor.close()  # rolls back what was not committed


def _commit(session: StatementSession, cursor: Any, table: Table, stop: Stop) -> None:
    """Commit the stored columns; when that fails, what is known about them becomes again what it was."""
    try:
        dml.execute(cursor, "COMMIT", {}, stop)
    except SqlError:
        session.engine.metastore.alter_columns(session.caller.principal, table.full_name, list(table.columns))
        raise


def _find(table: Table, name: str) -> Column:
    for column in table.columns:
        if column.name.lower() == name.lower():
            return column
    raise errors.column_not_found(name, [column.name for column in table.columns])


def _add_columns(session: StatementSession, reader: Reader, full_name: str, stop: Stop) -> None:
    table = _existing(session, full_name)
    made = definitions.TableDefinition()
    if reader.peek() == "(":
        definitions.body(reader, lambda parts: names.full(session, parts, "function"), made)
    else:
        made.columns.append(definitions.column(reader, lambda parts: names.full(session, parts, "function"))[0])
    if any(column.mask or not column.nullable for column in made.columns):
        raise errors.unsupported("ADD COLUMN with NOT NULL or MASK")
    for column in made.columns:
        if any(known.name.lower() == column.name.lower() for known in table.columns):
            raise SqlError(
                "FIELD_ALREADY_EXISTS", f"Cannot add column, because `{column.name}` already exists.", "42710"
            )
    changes = [f"ADD COLUMN {create.physical_column(column)}" for column in made.columns]
    _change_columns(session, table, [*table.columns, *made.columns], changes, stop)


def _drop_columns(session: StatementSession, reader: Reader, full_name: str, stop: Stop) -> None:
    table = _existing(session, full_name)
    tolerant = reader.accept("IF", "EXISTS")
    wanted = reader.name_list() if reader.peek() == "(" else [reader.name()]
    known = {column.name.lower() for column in table.columns}
    gone = [_find(table, name) for name in wanted if not tolerant or name.lower() in known]
    kept = [column for column in table.columns if column not in gone]
    _change_columns(session, table, kept, [f"DROP COLUMN {dialect.quote(column.name)}" for column in gone], stop)


def _rename_column(session: StatementSession, reader: Reader, full_name: str, stop: Stop) -> None:
    table = _existing(session, full_name)
    old = _find(table, reader.name())
    reader.expect("TO")
    new = reader.name()
    used = [*table.primary_key, *(table.row_filter.columns if table.row_filter else ())]
    if old.name.lower() in {name.lower() for name in used}:
        raise errors.unsupported("Renaming a column of the primary key or row filter")
    columns = [replace(column, name=new) if column is old else column for column in table.columns]
    change = f"RENAME COLUMN {dialect.quote(old.name)} TO {dialect.quote(new)}"
    _change_columns(session, table, columns, [change], stop)


def _alter_column(session: StatementSession, reader: Reader, full_name: str, stop: Stop) -> None:
    reader.accept("COLUMN")
    name = reader.name()
    store, principal = session.engine.metastore, session.caller.principal
    if reader.accept("COMMENT"):
        store.comment_on_column(principal, full_name, name, reader.string())
    elif reader.accept("SET", "MASK"):
        mask = definitions.mask(reader, lambda parts: names.full(session, parts, "function"))
        store.set_mask(principal, full_name, name, mask)
    elif reader.accept("DROP", "MASK"):
        store.set_mask(principal, full_name, name, None)
    else:
        _retype(session, reader, full_name, name, stop)


def _retype(session: StatementSession, reader: Reader, full_name: str, name: str, stop: Stop) -> None:
    table = _existing(session, full_name)
    old = _find(table, name)
    quoted = dialect.quote(old.name)
    if reader.accept("SET", "NOT", "NULL"):
        new, change = replace(old, nullable=False), f"ALTER COLUMN {quoted} SET NOT NULL"
    elif reader.accept("DROP", "NOT", "NULL"):
        new, change = replace(old, nullable=True), f"ALTER COLUMN {quoted} DROP NOT NULL"
    elif reader.accept("TYPE"):
        tree = types.parse_type(reader.until())
        if (old.type_text, types.type_text(tree)) not in _WIDENING:
            raise errors.unsupported(f"Changing {old.type_text} to {types.type_text(tree)}")
        new = replace(old, type_text=types.type_text(tree))
        change = f"ALTER COLUMN {quoted} TYPE {types.duck_type(tree)}"
    else:
        raise errors.unsupported(f"ALTER COLUMN {reader.peek()}")
    columns = [new if column is old else column for column in table.columns]
    _change_columns(session, table, columns, [change], stop)


_INTEGERS = ("tinyint", "smallint", "int", "bigint")
_WIDENING = {(a, b) for place, a in enumerate(_INTEGERS) for b in _INTEGERS[place + 1 :]} | {
    ("float", "double"),
    ("tinyint", "double"),
    ("smallint", "double"),
    ("int", "double"),
    ("date", "timestamp_ntz"),
}


def _set_row_filter(session: StatementSession, reader: Reader, full_name: str, _stop: Stop) -> None:
    value = definitions.row_filter(reader, lambda parts: names.full(session, parts, "function"))
    session.engine.metastore.set_row_filter(session.caller.principal, full_name, value)


def _drop_row_filter(session: StatementSession, _reader: Reader, full_name: str, _stop: Stop) -> None:
    session.engine.metastore.set_row_filter(session.caller.principal, full_name, None)


def _add_key(session: StatementSession, reader: Reader, full_name: str, _stop: Stop) -> None:
    session.engine.metastore.set_primary_key(session.caller.principal, full_name, definitions.key_constraint(reader))


def _drop_key(session: StatementSession, reader: Reader, full_name: str, _stop: Stop) -> None:
    reader.accept("IF", "EXISTS")
    if reader.peek() and reader.peek() not in ("CASCADE", "RESTRICT"):
        reader.name()
    reader.one_of("CASCADE", "RESTRICT")
    session.engine.metastore.set_primary_key(session.caller.principal, full_name, ())


def _cluster(_session: StatementSession, reader: Reader, _full_name: str, _stop: Stop) -> None:
    if not reader.one_of("AUTO", "NONE"):
        reader.name_list()


Action = Callable[[StatementSession, Reader, str, Stop], None]
_ACTIONS: tuple[tuple[tuple[str, ...], Action], ...] = (
    (("ADD", "COLUMNS"), _add_columns),
    (("ADD", "COLUMN"), _add_columns),
    (("DROP", "COLUMNS"), _drop_columns),
    (("DROP", "COLUMN"), _drop_columns),
    (("RENAME", "COLUMN"), _rename_column),
    (("ALTER", "COLUMN"), _alter_column),
    (("CHANGE",), _alter_column),
    (("ALTER",), _alter_column),
    (("SET", "ROW", "FILTER"), _set_row_filter),
    (("DROP", "ROW", "FILTER"), _drop_row_filter),
    (("DROP", "PRIMARY", "KEY"), _drop_key),
    (("DROP", "CONSTRAINT"), _drop_key),
    (("ADD",), _add_key),
    (("CLUSTER", "BY"), _cluster),
)
