"""Statements that are answered from Unity Catalog's metadata and the session, not by the database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot.tokenizer_core import Token

from local_workspace.sql import errors
from local_workspace.sql.model import Parameter
from local_workspace.sql.results import Result, Stop

if TYPE_CHECKING:
    from local_workspace.sql.session import LocalSession

_QUERY = frozenset({"SELECT", "WITH", "VALUES", "(", "FROM", "INSERT", "UPDATE", "DELETE", "MERGE"})


def is_administrative(tokens: list[Token]) -> bool:
    """Whether a statement is neither a query nor DML."""
    return tokens[0].text.upper() not in _QUERY


def run(session: LocalSession, text: str, tokens: list[Token], given: tuple[Parameter, ...], stop: Stop) -> Result:
    """Run it.

    Raises:
        SqlError: it is not known or may not run.
    """
    raise errors.unsupported(f"The statement {tokens[0].text.upper()}")
