"""GRANT and REVOKE."""

from __future__ import annotations

from local_workspace.sql import names, results
from local_workspace.sql.context import StatementSession
from local_workspace.sql.reader import Reader
from local_workspace.sql.results import Result, Stop
from local_workspace.unity_catalog.metastore import METASTORE_NAME


def grant(session: StatementSession, reader: Reader, _stop: Stop) -> Result:
    """GRANT privileges ON securable TO principal.

    Raises:
        UnityCatalogError: the caller may not, or something does not exist.
    """
    kind, full_name, privileges = _subject(session, reader)
    reader.expect("TO")
    to = _principal(reader)
    session.engine.metastore.grant(session.caller.principal, kind, full_name, to, privileges)
    return results.nothing()


def revoke(session: StatementSession, reader: Reader, _stop: Stop) -> Result:
    """REVOKE privileges ON securable FROM principal; see ``grant``."""
    kind, full_name, privileges = _subject(session, reader)
    reader.expect("FROM")
    who = _principal(reader)
    session.engine.metastore.revoke(session.caller.principal, kind, full_name, who, privileges)
    return results.nothing()


def _principal(reader: Reader) -> str:
    name = reader.string() if reader.is_string() else reader.name()
    reader.end()
    return name


def _subject(session: StatementSession, reader: Reader) -> tuple[str, str, list[str]]:
    privileges = [_privilege(reader)]
    while reader.accept(","):
        privileges.append(_privilege(reader))
    reader.expect("ON")
    kind = names.KINDS[reader.one_of(*names.KINDS) or "TABLE"]
    if kind == "metastore":
        return kind, METASTORE_NAME, privileges
    return kind, names.full(session, reader.parts(), kind), privileges


def _privilege(reader: Reader) -> str:
    words = []
    while reader.peek() not in ("ON", ",", ""):
        words.append(reader.name())
    if not words:
        raise reader.fault()
    return " ".join(words)
