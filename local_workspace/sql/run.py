"""From a statement's text to its result: which way it takes."""

from __future__ import annotations

from sqlglot.tokenizer_core import Token

from local_workspace.sql import dialect, dml, errors, queries, statements, vet
from local_workspace.sql.context import StatementSession
from local_workspace.sql.model import Parameter
from local_workspace.sql.plans import Plans, Questions
from local_workspace.sql.results import Result, Stop
from local_workspace.unity_catalog.errors import UnityCatalogError


def run(
    session: StatementSession, text: str, given: tuple[Parameter, ...], stop: Stop, *, row_limit: int | None = None
) -> Result:
    """Run one statement to where its first rows can be read.

    Raises:
        SqlError: whatever is wrong with it.
    """
    stop.check()
    try:
        plan = None if session.temporary else session.engine.plans.find(Plans.key(text, given, session.scope()))
        if plan is not None:
            return queries.open_query(session, plan, given, stop, row_limit=row_limit)
        tokens = dialect.tokenize(text)
        if statements.is_administrative(tokens):
            return statements.run(session, text, tokens, given, stop)
        return _query_or_change(session, text, tokens, given, stop, row_limit)
    except UnityCatalogError as fault:
        raise errors.from_catalog(fault) from fault
    except RecursionError as fault:
        raise errors.unsupported("A statement nested this deeply") from fault


def _query_or_change(
    session: StatementSession,
    text: str,
    tokens: list[Token],
    given: tuple[Parameter, ...],
    stop: Stop,
    row_limit: int | None,
) -> Result:
    numbered = dialect.number_markers(text)
    tree = dialect.parse(numbered, tokens if numbered == text else None)
    if isinstance(tree, vet.CHANGES):
        return dml.run(session, tree, given, stop)
    if not isinstance(tree, vet.QUERIES):
        raise errors.unsupported(f"The statement {tree.key.upper()}")
    questions = Questions(session.scope())
    plan = queries.prepare(session, tree, given, questions)
    if not session.temporary and not plan.shows_values:
        session.engine.plans.keep(Plans.key(text, given, questions.scope), plan, questions)
    return queries.open_query(session, plan, given, stop, row_limit=row_limit)
