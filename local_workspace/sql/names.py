"""Names of objects in administrative statements."""

from __future__ import annotations

from local_workspace.sql import errors
from local_workspace.sql.context import StatementSession
from local_workspace.sql.reader import Reader

KINDS = {
    "CATALOG": "catalog",
    "SCHEMA": "schema",
    "DATABASE": "schema",
    "TABLE": "table",
    "VIEW": "table",
    "FUNCTION": "function",
    "ROUTINE": "function",
    "MODEL": "registered_model",
    "METASTORE": "metastore",
    "VOLUME": "volume",
}
"""Statement word to Unity Catalog's securable type."""

LEVELS = {"catalog": 1, "schema": 2, "metastore": 0}


def full(session: StatementSession, parts: list[str], kind: str) -> str:
    """The full name, in lower case, of an object of a securable type.

    Raises:
        SqlError: it has too many levels.
    """
    levels = LEVELS.get(kind, 3)
    if len(parts) > levels:
        raise errors.table_not_found(parts) if kind == "table" else errors.schema_not_found(parts)
    context = [session.catalog, session.schema][: levels - len(parts)] if levels > 1 else []
    return ".".join([*context, *parts]).lower()


def table(session: StatementSession, reader: Reader) -> str:
    """Read a table's name; its full name."""
    return full(session, reader.parts(), "table")
