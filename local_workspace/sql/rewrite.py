"""Semantic rewrites: where DuckDB would answer the same text differently from Databricks."""

from __future__ import annotations

from sqlglot import exp

from local_workspace.sql.model import Parameter


def rewrite(tree: exp.Expr, zone: str) -> exp.Expr:
    """Rewrite a governed tree in place so that DuckDB gives the platform's answer."""
    return tree


def identifiers(tree: exp.Expr, given: tuple[Parameter, ...]) -> exp.Expr:
    """Put the names in the place of ``IDENTIFIER(:name)`` before anything is resolved."""
    return tree
