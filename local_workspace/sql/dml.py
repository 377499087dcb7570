"""INSERT, UPDATE, DELETE and MERGE."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from local_workspace.sql import errors
from local_workspace.sql.model import Parameter
from local_workspace.sql.results import Result, Stop

if TYPE_CHECKING:
    from local_workspace.sql.session import LocalSession


def run(session: LocalSession, tree: exp.Expr, given: tuple[Parameter, ...], stop: Stop) -> Result:
    """Run a change."""
    raise errors.unsupported("This statement")
