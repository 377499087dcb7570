"""Databricks SQL as this engine reads it, and DuckDB SQL as it writes it.

sqlglot's own dialects do the bulk; this subclass closes two gaps in which text would silently change its meaning: a
doubled quote inside a literal is one quote (Spark 4.1 and later), and ``datediff(unit, a, b)`` and ``datediff(b, a)``
stay distinguishable (the first counts full units of time, the second counts days on the calendar).
"""

from __future__ import annotations

import re
from typing import Any, ClassVar

from sqlglot import exp
from sqlglot.dialects.databricks import Databricks
from sqlglot.errors import ErrorLevel, SqlglotError
from sqlglot.tokenizer_core import Token, TokenType

from local_workspace.sql import errors, functions, macros


def _anonymous(name: str) -> Any:
    return lambda args: exp.Anonymous(this=name, expressions=args)


WRITTEN_CAST = "written_cast"
"""Marks a cast that was written as ``CAST(… AS …)``; typed literals such as ``DATE'…'`` are casts in the tree too."""


def _written(parser: Any) -> Any:
    made = Databricks.Parser.FUNCTION_PARSERS["CAST"](parser)
    made.meta[WRITTEN_CAST] = True
    return made


_KEPT = macros.NAMES | functions.NAMES


class DatabricksSql(Databricks):
    """The dialect that statements are read with."""

    class Tokenizer(Databricks.Tokenizer):
        """A doubled quote inside a literal stands for one quote."""

        STRING_ESCAPES: ClassVar[list[str]] = ["\\", "'", '"']
        COMMANDS: ClassVar[set[Any]] = set()  # no statement is swallowed as one opaque text

    class Parser(Databricks.Parser):  # type: ignore[valid-type,misc] # sqlglot's metaclass makes the attribute
        """Functions whose arguments sqlglot would normalise away are kept as they were written."""

        FUNCTIONS = {**Databricks.Parser.FUNCTIONS, **{name.upper(): _anonymous(name) for name in _KEPT}}
        FUNCTION_PARSERS = {**Databricks.Parser.FUNCTION_PARSERS, "CAST": _written}


_DIALECT = DatabricksSql()
_ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


def tokenize(text: str) -> list[Token]:
    """The tokens of ``text`` without a trailing semicolon.

    Raises:
        SqlError: PARSE_SYNTAX_ERROR when the text cannot be tokenized (an open quote) or holds two statements.
    """
    try:
        tokens = list(_DIALECT.tokenize(text))
    except SqlglotError as fault:
        raise errors.syntax(text) from fault
    while tokens and tokens[-1].token_type == TokenType.SEMICOLON:
        tokens.pop()
    if not tokens or any(token.token_type == TokenType.SEMICOLON for token in tokens):
        raise errors.syntax(text)
    return tokens


def number_markers(text: str) -> str:
    """``text`` with its ``?`` markers named ``:_1``, ``:_2`` …, in the order in which they are written."""
    if "?" not in text:
        return text
    places = [token.start for token in tokenize(text) if token.token_type == TokenType.PLACEHOLDER]
    for number, place in reversed(list(enumerate(places, 1))):
        text = f"{text[:place]}:_{number}{text[place + 1 :]}"
    return text


def parse(text: str, tokens: list[Token] | None = None) -> exp.Expr:
    """Parse exactly one statement; ``tokens`` are its tokens, when they are known already.

    Raises:
        SqlError: PARSE_SYNTAX_ERROR for anything else, including what sqlglot would only pass through as text.
    """
    try:
        known = _DIALECT.tokenize(text) if tokens is None else tokens
        parsed = _DIALECT.parser(error_level=ErrorLevel.IMMEDIATE).parse(known, text)
        trees = [tree for tree in parsed if tree is not None]
    except (SqlglotError, RecursionError) as fault:
        raise errors.syntax(text, near(text, fault)) from fault
    if len(trees) != 1 or isinstance(trees[0], exp.Command):
        raise errors.syntax(text)
    return trees[0]


def parse_expression(text: str) -> exp.Expr:
    """Parse a scalar expression, such as the body of a SQL function.

    Raises:
        SqlError: PARSE_SYNTAX_ERROR.
    """
    tree = parse(f"SELECT {text}")
    if not isinstance(tree, exp.Select) or len(tree.expressions) != 1 or len([v for v in tree.args.values() if v]) > 1:
        if isinstance(tree, exp.Select) and len(tree.expressions) == 1:
            return exp.Subquery(this=tree)
        raise errors.syntax(text)
    return tree.expressions[0]  # type: ignore[no-any-return]


def near(text: str, fault: Exception) -> str:
    """The offending word, from sqlglot's own record of a parse error; empty when it has none."""
    details = getattr(fault, "errors", None) or []
    found = _ESCAPES.sub("", str(details[0].get("highlight") or "")) if details else ""
    return found.strip()[:80] if found in text else ""


def generate(tree: exp.Expr) -> str:
    """DuckDB's text for a governed and rewritten tree, which is spent by it: a copy would cost more than the text.

    Raises:
        SqlError: UNSUPPORTED_FEATURE when sqlglot knows that DuckDB has no equal.
    """
    try:
        return tree.sql(dialect="duckdb", identify=True, comments=False, copy=False, unsupported_level=ErrorLevel.RAISE)
    except SqlglotError as fault:
        raise errors.unsupported("This expression") from fault


def quote(name: str) -> str:
    """``name`` as a DuckDB identifier."""
    return '"' + name.replace('"', '""') + '"'


def backquote(name: str) -> str:
    """``name`` as a Databricks identifier."""
    return "`" + name.replace("`", "``") + "`"
