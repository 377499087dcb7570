"""Functions that depend on who asks and where, as literals; and Spark's names for unnamed columns."""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp

from local_workspace.identity.model import Principal
from local_workspace.sql import errors
from local_workspace.sql.dialect import WRITTEN_CAST

_USER = frozenset({"user", "session_user", "current_user"})
_MEMBER = frozenset({"is_account_group_member", "is_member"})
_NODES = (exp.CurrentUser, exp.CurrentCatalog, exp.CurrentSchema, exp.CurrentDatabase, exp.CurrentTimezone)
EVERYONE = "account users"


def is_call(node: exp.Expr) -> bool:
    """Whether the node is a call that governing has to look at."""
    if isinstance(node, exp.Dot):
        return isinstance(node.expression, exp.Anonymous)
    return isinstance(node, exp.Anonymous | exp.SessionUser | _NODES[0] | _NODES[1] | _NODES[2] | _NODES[3] | _NODES[4])


def literal(node: exp.Expr, caller: Principal, catalog: str, schema: str, zone: str) -> exp.Expr | None:
    """The literal that stands for an identity function, or None for any other call.

    Raises:
        SqlError: a wrong number of arguments.
    """
    if isinstance(node, exp.Anonymous):
        return _anonymous(node, caller)
    if isinstance(node, exp.CurrentUser | exp.SessionUser):
        return exp.Literal.string(caller.name)
    if isinstance(node, exp.CurrentCatalog):
        return exp.Literal.string(catalog)
    if isinstance(node, exp.CurrentSchema | exp.CurrentDatabase):
        return exp.Literal.string(schema)
    if isinstance(node, exp.CurrentTimezone):
        return exp.Literal.string(zone)
    return None


def _anonymous(node: exp.Anonymous, caller: Principal) -> exp.Expr | None:
    name = node.name.lower()
    if name in _USER:
        return exp.Literal.string(caller.name)
    if name == "current_metastore":
        return exp.Literal.string("local")
    if name == "version":
        return exp.Literal.string("4.1.0 local")
    if name in _MEMBER:
        return _member(node, caller)
    return None


def _member(node: exp.Anonymous, caller: Principal) -> exp.Expr:
    if len(node.expressions) != 1:
        raise errors.wrong_arguments(node.name, 1, len(node.expressions))
    groups = sorted(caller.groups | {EVERYONE})
    group = node.expressions[0]
    if isinstance(group, exp.Literal) and group.is_string:
        return exp.Boolean(this=group.this in groups)
    return exp.Paren(this=exp.In(this=group.copy(), expressions=[exp.Literal.string(item) for item in groups]))


def name_columns(tree: exp.Expr, values: Mapping[str, str] | None = None) -> None:
    """Give every unnamed expression of a SELECT list the name that Spark gives it, such as ``count(1)``.

    Call it before anything is rewritten: the name comes from the expression as it was written, with the ``values`` of
    parameter markers (by their name in lower case) in their place.
    """
    for select in list(tree.find_all(exp.Select)):
        if isinstance(select.parent, exp.Exists | exp.In):
            continue
        made = [_named(item, values or {}) for item in select.expressions]
        select.set("expressions", made)
    for node in list(tree.find_all(exp.Values)):
        alias = node.args.get("alias")
        if node.expressions and not (alias and alias.columns):
            first = node.expressions[0]
            width = len(first.expressions) if isinstance(first, exp.Tuple) else 1
            columns = [exp.to_identifier(f"col{place + 1}") for place in range(width)]
            name = alias.this if alias else exp.to_identifier("_values")
            node.set("alias", exp.TableAlias(this=name, columns=columns))


_OWN_NAME = (exp.Alias, exp.Aliases, exp.Column, exp.Star, exp.Explode, exp.Posexplode, exp.Inline, exp.Unnest)


def _named(item: exp.Expr, values: Mapping[str, str]) -> exp.Expr:
    if isinstance(item, exp.Explode) and type(item) is exp.Explode:
        return exp.alias_(item, "col", quoted=True)
    if isinstance(item, _OWN_NAME) or (isinstance(item, exp.Dot) and not item.find(exp.Func)):
        return item
    if isinstance(item, exp.Dot) and not isinstance(item.expression, exp.Func):
        return exp.alias_(item, item.expression.name, quoted=True)
    shown = item.copy()
    for marker in list(shown.find_all(exp.Placeholder)):
        text = exp.Literal.string(values.get(marker.name.lower(), marker.name))
        if marker is shown:
            shown = text
        else:
            marker.replace(text)
    return exp.alias_(item, spark_name(shown), quoted=True)


def spark_name(node: exp.Expr) -> str:
    """Spark's name for an expression: its own text, with ``*`` in a count as 1 and literals bare."""
    if isinstance(node, exp.Literal):
        return str(node.this)
    if isinstance(node, exp.Null):
        return "NULL"
    if isinstance(node, exp.Paren):
        return spark_name(node.this)
    if isinstance(node, exp.CurrentCatalog):
        return "current_catalog()"
    if isinstance(node, exp.Subquery):
        return "scalarsubquery()"
    return _text(node)


_WRITTEN = {"DATE": "DATE", "TIMESTAMP": "TIMESTAMP", "TIMESTAMPTZ": "TIMESTAMP", "TIMESTAMPNTZ": "TIMESTAMP_NTZ"}


def _typed_literal(node: exp.Cast) -> str:
    """``DATE '2024-01-01'`` and ``1.5`` for ``1.5D``, which are casts in the tree; empty for a written cast."""
    value, kind = node.this, node.args["to"].this.name if isinstance(node.args["to"], exp.DataType) else ""
    if not isinstance(value, exp.Literal) or node.meta.get(WRITTEN_CAST) or type(node) is not exp.Cast:
        return ""
    if value.is_string:
        return f"{_WRITTEN[kind]} '{value.name}'" if kind in _WRITTEN else ""
    return str(float(value.name)) if kind in ("DOUBLE", "FLOAT") else str(value.name)


def _typed_literals(made: exp.Expr) -> exp.Expr:
    for cast in list(made.find_all(exp.Cast)):
        written = _typed_literal(cast)
        if written and cast is made:
            return exp.Var(this=written)
        if written:
            cast.replace(exp.Var(this=written))
    return made


def _named_structs(made: exp.Expr) -> exp.Expr:
    for struct in list(made.find_all(exp.Struct)):
        pairs = [item for item in struct.expressions if isinstance(item, exp.PropertyEQ)]
        if pairs and len(pairs) == len(struct.expressions):
            given = [part for item in pairs for part in (exp.Var(this=item.this.name), item.expression.copy())]
            named = exp.Anonymous(this="named_struct", expressions=given)
            if struct is made:
                made = named
            else:
                struct.replace(named)
    return made


def _text(node: exp.Expr) -> str:
    made = node.copy()
    for star in list(made.find_all(exp.Star)):
        if isinstance(star.parent, exp.Count):
            star.replace(exp.Literal.number(1))
    made = _typed_literals(made)
    for text in list(made.find_all(exp.Literal)):
        if text.is_string and not isinstance(text.parent, exp.Interval):
            text.replace(exp.Var(this=str(text.this)))
    for name in list(made.find_all(exp.Identifier)):
        name.set("quoted", False)
    made = _named_structs(made)
    if isinstance(made, exp.Binary) and not isinstance(made, exp.Dot | exp.Func):
        shown = made.sql(dialect="databricks", normalize_functions="lower")
        return f"({shown.replace(' DIV ', ' div ')})"
    return made.sql(dialect="databricks", normalize_functions="lower", comments=False)
