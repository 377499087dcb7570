"""Rewrites of what a query reads from, and of how much of it."""

from __future__ import annotations

from sqlglot import exp

from local_workspace.sql import errors
from local_workspace.sql.types import plain

_MAX_INT = 2_147_483_647


def table(node: exp.Expr) -> exp.Expr:
    """``range``: the platform's one column is called ``id``, and its bounds are BIGINT."""
    inner = node.this
    if isinstance(inner, exp.Identifier):
        return node
    name = inner.name.lower() if isinstance(inner, exp.Anonymous) else ""
    if isinstance(inner, exp.GenerateSeries) or name == "range":
        return _range(node)
    return node


def lateral(node: exp.Expr) -> exp.Expr:
    """LATERAL VIEW, with and without OUTER.

    Raises:
        SqlError: UNSUPPORTED_FEATURE for generators that DuckDB does not have.
    """
    if isinstance(node.this, exp.Posexplode | exp.Inline):
        raise errors.unsupported("LATERAL VIEW of this generator")
    if node.args.get("outer"):
        _outer_view(node)
    return node


def limit(node: exp.Expr) -> exp.Expr:
    """LIMIT and OFFSET take what fits into an INT and is not negative.

    Raises:
        SqlError: INVALID_LIMIT_LIKE_EXPRESSION.
    """
    value = node.args.get("expression")
    if isinstance(value, exp.Neg) or (
        isinstance(value, exp.Literal) and (not value.name.isdigit() or int(value.name) > _MAX_INT)
    ):
        raise errors.limit_like("limit" if isinstance(node, exp.Limit) else "offset")
    return node


def _outer_view(node: exp.Expr) -> None:
    """``LATERAL VIEW OUTER explode(x) t AS c`` keeps rows whose array is empty or NULL: a left join."""
    select, alias = node.parent, node.args.get("alias")
    if (
        not isinstance(select, exp.Select)
        or not isinstance(node.this, exp.Explode)
        or not alias
        or len(alias.columns) != 1
    ):
        raise errors.unsupported("This LATERAL VIEW OUTER")
    items = exp.Anonymous(this="unnest", expressions=[node.this.this.copy()])
    rows = exp.Subquery(this=exp.Select(expressions=[exp.alias_(items, alias.columns[0].copy())]))
    node.pop()
    joined = exp.Lateral(
        this=rows, alias=exp.TableAlias(this=alias.this or exp.to_identifier("_view"), columns=alias.columns)
    )
    select.append("joins", exp.Join(this=joined, side="LEFT", on=exp.true()))


def _range(node: exp.Expr) -> exp.Expr:
    inner = node.this
    given = (
        list(inner.expressions)
        if isinstance(inner, exp.Anonymous)
        else [inner.args.get(key) for key in ("start", "end", "step")]
    )
    arguments = [plain(item.copy(), "BIGINT") for item in given if item is not None]
    if not 1 <= len(arguments) <= 3:
        raise errors.unsupported("range with this number of arguments")
    node.set("this", exp.Anonymous(this="range", expressions=arguments))
    alias = node.args.get("alias")
    if not (alias and alias.columns):
        named = exp.TableAlias(
            this=alias.this if alias else exp.to_identifier("range"), columns=[exp.to_identifier("id")]
        )
        node.set("alias", named)
    return node
