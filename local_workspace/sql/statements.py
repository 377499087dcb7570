"""Statements that are neither queries nor DML: where each goes; USE, SET and RESET."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot.tokenizer_core import Token

from local_workspace.sql import alter, create, describe, errors, grants, results, show
from local_workspace.sql.context import StatementSession
from local_workspace.sql.model import Parameter
from local_workspace.sql.reader import Reader
from local_workspace.sql.results import Result, Stop
from local_workspace.sql.settings import DEFAULT_ZONE, DEFAULTS, ZONE_KEYS, checked_zone

_QUERY = frozenset({"SELECT", "WITH", "VALUES", "(", "INSERT", "UPDATE", "DELETE", "MERGE"})
_REFUSED = frozenset(
    [
        "EXPLAIN",
        "BEGIN",
        "COMMIT",
        "ROLLBACK",
        "START",
        "CALL",
        "EXECUTE",
        "OPTIMIZE",
        "VACUUM",
        "ANALYZE",
        "CACHE",
        "UNCACHE",
        "REFRESH",
        "LIST",
        "PUT",
        "GET",
        "REMOVE",
        "COPY",
        "DENY",
        "MSCK",
        "DECLARE",
        "RESTORE",
        "UNDROP",
        "SYNC",
        "CLONE",
        "FROM",
        "TABLE",
    ]
)


def is_administrative(tokens: list[Token]) -> bool:
    """Whether a statement is neither a query nor DML."""
    return tokens[0].text.upper() not in _QUERY


def run(session: StatementSession, text: str, tokens: list[Token], given: tuple[Parameter, ...], stop: Stop) -> Result:
    """Run it as the session's caller.

    Raises:
        SqlError: it is not known or may not run.
    """
    reader = Reader(text, tokens, given)
    word = reader.peek()
    if word in _REFUSED:
        raise errors.unsupported(f"The statement {word}")
    handler = _HANDLERS.get(word)
    if handler is None:
        raise errors.syntax(text, tokens[0].text)
    reader.skip()
    return handler(session, reader, stop)


def _use(session: StatementSession, reader: Reader, _stop: Stop) -> Result:
    store, principal = session.engine.metastore, session.caller.principal
    kind = (
        reader.one_of("CATALOG", "SCHEMA", "DATABASE") if reader.peek(1) not in ("", ".") or _two_words(reader) else ""
    )
    parts = [part.lower() for part in reader.parts()]
    reader.end()
    if kind == "CATALOG":
        store.require(principal, "USE_CATALOG", "catalog", parts[0])
        session.catalog, session.schema = parts[0], "default"
        return results.nothing()
    if len(parts) > 2:
        raise errors.schema_not_found(parts)
    catalog, schema = parts if len(parts) > 1 else [session.catalog, parts[0]]
    if schema != "information_schema":
        store.require(principal, "USE_SCHEMA", "schema", f"{catalog}.{schema}")
    session.catalog, session.schema = catalog, schema
    return results.nothing()


def _two_words(reader: Reader) -> bool:
    return len(reader.rest_tokens()) > 1 and reader.peek(1) != "."


def _set(session: StatementSession, reader: Reader, stop: Stop) -> Result:
    if reader.ended:
        return _settings(sorted({**DEFAULTS, **session.configuration}.items()))
    if reader.accept("TIME", "ZONE"):
        name = DEFAULT_ZONE if reader.accept("LOCAL") else reader.string()
        reader.end()
        session.configuration["timezone"] = checked_zone(name)
        return _settings([("spark.sql.session.timeZone", name)])
    if reader.peek() == "CATALOG":
        return _use(session, reader, stop)
    if reader.peek() in ("VAR", "VARIABLE", "RECIPIENT"):
        raise errors.unsupported("SET of a variable")
    key = ".".join(reader.parts())
    if key.lower() == "autocommit":
        raise errors.unsupported("A transaction of several statements")
    if reader.accept("="):
        return _assign(session, key, reader)
    reader.end()
    known = {**DEFAULTS, **session.configuration}
    return _settings([(key, known.get(key.lower(), "<undefined>"))])


def _assign(session: StatementSession, key: str, reader: Reader) -> Result:
    value = reader.string() if reader.is_string() else reader.rest()
    reader.end()
    if key.lower() in ZONE_KEYS:
        session.configuration["timezone"] = checked_zone(value)
    elif key.lower() == "ansi_mode" and value.lower() != "true":
        raise errors.unsupported("ANSI_MODE = false")
    session.configuration[key.lower()] = value
    return _settings([(key, value)])


def _settings(rows: list[tuple[str, str]]) -> Result:
    return results.table([("key", "STRING"), ("value", "STRING")], rows)


def _reset(session: StatementSession, reader: Reader, _stop: Stop) -> Result:
    if reader.ended:
        session.configuration.clear()
    else:
        session.configuration.pop(".".join(reader.parts()).lower(), None)
    reader.end()
    return results.nothing()


Handler = Callable[[StatementSession, Reader, Stop], Result]
_HANDLERS: dict[str, Handler] = {
    "USE": _use,
    "SET": _set,
    "RESET": _reset,
    "SHOW": show.run,
    "DESCRIBE": describe.run,
    "DESC": describe.run,
    "CREATE": create.run,
    "REPLACE": create.run_replace,
    "DROP": alter.drop,
    "ALTER": alter.run,
    "TRUNCATE": alter.truncate,
    "COMMENT": alter.comment,
    "GRANT": grants.grant,
    "REVOKE": grants.revoke,
}
