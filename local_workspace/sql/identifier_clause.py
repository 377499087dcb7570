"""``IDENTIFIER(…)``: a name given as text.

https://docs.databricks.com/aws/en/sql/language-manual/sql-ref-names-identifier-clause
"""

from __future__ import annotations

from sqlglot import exp

from local_workspace.sql import errors
from local_workspace.sql.model import Parameter
from local_workspace.sql.reader import split_name


def resolve(tree: exp.Expr, given: tuple[Parameter, ...]) -> exp.Expr:
    """Put the names in the place of ``IDENTIFIER(:name)`` and ``IDENTIFIER('a.b')``, before anything is resolved.

    Raises:
        SqlError: the argument is neither a literal nor a bound string.
    """
    for node in list(tree.find_all(exp.Anonymous)):
        if isinstance(node.this, str) and node.name.lower() == "identifier" and len(node.expressions) == 1:
            parts = split_name(_text(node.expressions[0], given))
            if isinstance(node.parent, exp.Table) and node.arg_key == "this":
                _fill_table(node.parent, parts)
            else:
                node.replace(exp.column(*reversed([exp.to_identifier(part, quoted=True) for part in parts])))
    return tree


def _text(node: exp.Expr, given: tuple[Parameter, ...]) -> str:
    if isinstance(node, exp.Literal):
        return node.name
    if isinstance(node, exp.Placeholder):
        for item in given:
            if item.name and item.name.lower() == node.name.lower():
                return item.value or ""
        raise errors.unbound(node.name)
    raise errors.unsupported("IDENTIFIER of an expression")


def _fill_table(table: exp.Table, parts: list[str]) -> None:
    for key, part in zip(("this", "db", "catalog"), reversed(parts), strict=False):
        table.set(key, exp.to_identifier(part, quoted=True))
