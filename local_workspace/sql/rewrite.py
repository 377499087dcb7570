"""Semantic rewrites: where DuckDB would answer the same text differently from Databricks."""

from __future__ import annotations

import re
from collections.abc import Callable

from sqlglot import exp

from local_workspace.sql import errors, folding, functions, infer, macro_library, macros, relations, type_rules, typed
from local_workspace.sql.settings import is_utc
from local_workspace.sql.types import PLAIN, plain

_T = exp.DataType.Type
_INTEGERS = {_T.TINYINT, _T.SMALLINT, _T.INT, _T.BIGINT}
_STAMPS = {_T.TIMESTAMP, _T.TIMESTAMPTZ, _T.TIMESTAMPLTZ}
_EXACT_DATE = re.compile(r"\d{4}-\d\d-\d\d\Z")
_EXACT_STAMP = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,6})?([+-]\d\d:\d\d|Z)?\Z")
_CALENDAR = frozenset({"DAY", "DAYS", "WEEK", "WEEKS", "MONTH", "MONTHS", "YEAR", "YEARS", "QUARTER"})


def rewrite(tree: exp.Expr, zone: str) -> exp.Expr:
    """Rewrite a governed tree in place so that DuckDB gives the platform's answer."""
    return typed_rewrite(tree, zone)[0]


def typed_rewrite(tree: exp.Expr, zone: str) -> tuple[exp.Expr, list[str | None]]:
    """Rewrite a governed tree in place so that DuckDB gives the platform's answer.

    Returns:
        The tree, and the types of a query's columns as far as they are certain.

    Raises:
        SqlError: UNSUPPORTED_FEATURE where no equal is known.
    """
    kinds = infer.annotate(tree)
    return _Rewriter(zone).run(tree), kinds


class _Rewriter:
    def __init__(self, zone: str) -> None:
        self._schema = macro_library.UTC if is_utc(zone) else macro_library.ZONED

    def run(self, tree: exp.Expr) -> exp.Expr:
        holder = exp.Paren(this=tree)
        # Children come before parents, so that an argument is rewritten before its call is.
        for node in reversed(list(tree.walk(bfs=True))):
            handler = _HANDLERS.get(type(node))
            if handler:
                made = handler(self, node)
                if made is not node:
                    kind = type_rules.known(node)
                    if kind and made.meta.get(type_rules.TYPE) is None:
                        made.meta[type_rules.TYPE] = kind
                    node.replace(made)
        made = holder.this
        made.pop()
        return made  # type: ignore[no-any-return]

    def call(self, name: str, *arguments: exp.Expr) -> exp.Expr:
        """A call of a macro with detached arguments, each turned into the type that the macro works on."""
        adapters = macros.ADAPTED.get(name, ())
        given = [argument.copy() for argument in arguments]
        folded = folding.fold(name, given, self._schema == macro_library.UTC)
        if folded is not None:
            return folded
        for place, adapter in enumerate(adapters[: len(given)]):
            if adapter:
                given[place] = self.call(adapter, given[place])
        if name in macros.OVERLOADED and given and isinstance(given[0], exp.Null):
            given[0] = plain(given[0], "STRING")
        macro = f"{macro_library.LIBRARY}.{self._schema}.{name}"
        if name not in macros.REPEATING:
            return exp.Anonymous(this=macro, expressions=given)
        level = 1 + max((_level(argument) for argument in given), default=0)
        if level > _INLINED:
            return _once(macro, given)
        made = exp.Anonymous(this=macro, expressions=given)
        made.meta[_LEVEL] = level
        return made

    # Functions by name

    def anonymous(self, node: exp.Expr) -> exp.Expr:
        name = node.name.lower()
        arguments = node.expressions
        builder = functions.BUILDERS.get(name)
        if builder:
            try:
                return builder(self.call, *[argument.copy() for argument in arguments])
            except (TypeError, IndexError, ValueError) as fault:
                raise errors.wrong_arguments(name, 2, len(arguments)) from fault
        if name in macros.NAMES:
            return self.call(name, *arguments)
        return node

    def extract(self, node: exp.Expr) -> exp.Expr:
        return functions.BUILDERS["date_part"](self.call, node.this, node.args["expression"])

    # Casts

    def cast(self, node: exp.Expr) -> exp.Expr:
        if node.meta.get(PLAIN) or _is_exact(node):
            return node
        kind, value = node.args["to"].this, node.this
        tolerant = isinstance(node, exp.TryCast)
        if kind in _INTEGERS:
            if isinstance(value, exp.Literal) and not value.is_string and value.name.isdigit():
                return node
            node.set("this", self.call("try_integer" if tolerant else "cast_integer", value))
            node.meta[PLAIN] = True
            return node
        if kind in (_T.TEXT, _T.VARCHAR, _T.CHAR):
            return value if isinstance(value, exp.Literal) and value.is_string else self.call("cast_string", value)
        if kind == _T.DATE:
            return self.call("try_date" if tolerant else "cast_date", value)
        if kind in _STAMPS:
            return self.call("try_timestamp" if tolerant else "cast_timestamp", value)
        if kind == _T.BINARY:
            return self.call("cast_binary", value)
        return node

    # Operators

    def arithmetic(self, node: exp.Expr) -> exp.Expr:
        step = node.args["expression"]
        if isinstance(node.this, exp.Interval) and isinstance(node, exp.Add) and not isinstance(step, exp.Interval):
            return self._moved(step, node.this)
        if isinstance(step, exp.Interval) and not isinstance(node.this, exp.Interval):
            amount = step if isinstance(node, exp.Add) else exp.Neg(this=step.copy())
            return self._moved(node.this, amount)
        return typed.arithmetic(self.call, node)

    def _moved(self, value: exp.Expr, step: exp.Expr) -> exp.Expr:
        interval = step.this if isinstance(step, exp.Neg) else step
        unit = str(interval.args["unit"].name).upper() if interval.args.get("unit") else ""
        return self.call("plus_days" if unit in _CALENDAR else "plus_time", value, step)

    def modulo(self, node: exp.Expr) -> exp.Expr:
        typed.promote(self.call, node)
        typed.widen(node)
        made = self.call("remainder", node.this, node.args["expression"])
        kind = type_rules.known(node)
        return plain(made, kind) if kind and typed.is_decimal(kind) else made

    def aggregate(self, node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Avg):
            typed.guard_average(self.call, node)
        return node if isinstance(node.parent, exp.Filter | exp.Window) else typed.aggregate(self.call, node)

    def like(self, node: exp.Expr) -> exp.Expr:
        pattern = node.args["expression"]
        literal = isinstance(pattern, exp.Literal) and "\\" not in pattern.name
        if literal or isinstance(node.parent, exp.Escape) or isinstance(pattern, exp.Tuple | exp.Any | exp.All):
            return node
        return exp.Escape(this=node.copy(), expression=exp.Literal.string("\\"))

    def indexed(self, node: exp.Expr) -> exp.Expr:
        """The second variable of a lambda counts from 0 on the platform."""
        function = node.args.get("expression")
        names = function.expressions if isinstance(function, exp.Lambda) else []
        if isinstance(function, exp.Lambda) and len(names) == 2:
            for column in list(function.this.find_all(exp.Column, exp.Identifier)):
                if column.name.lower() == names[1].name.lower() and not isinstance(column.parent, exp.Column):
                    index = exp.Sub(this=column.copy(), expression=exp.Literal.number(1))
                    column.replace(exp.Paren(this=plain(index, "INT")))
        return node

    def bracket(self, node: exp.Expr) -> exp.Expr:
        keys = node.expressions
        if len(keys) != 1 or isinstance(keys[0], exp.Slice):
            raise errors.unsupported("This subscript")
        if isinstance(keys[0], exp.Literal) and keys[0].is_string:
            return node
        return self.call("item", node.this, keys[0])

    def regex(self, node: exp.Expr) -> exp.Expr:
        pattern = node.args["expression"]
        if isinstance(pattern, exp.Literal) and re.search(r"\(\?[=!<>]|\\[1-9]|[*+?}]\+|&&", pattern.name):
            raise errors.unsupported("A regular expression with Java's own syntax")
        if isinstance(node, exp.RegexpReplace):
            _replacement(node)
        if isinstance(node, exp.RegexpExtract | exp.RegexpExtractAll) and not node.args.get("group"):
            node.set("group", exp.Literal.number(1))
        return node

    # Counting windows are INT, not BIGINT

    def window(self, node: exp.Expr) -> exp.Expr:
        if isinstance(node.this, exp.RowNumber | exp.Rank | exp.DenseRank | exp.Ntile):
            return plain(node.copy(), "INT")
        return typed.aggregate(self.call, node)

    def position(self, node: exp.Expr) -> exp.Expr:
        given = [node.args["substr"], node.this]
        return self.call("locate", *given, *([node.args["position"]] if node.args.get("position") else []))

    def quantile(self, node: exp.Expr) -> exp.Expr:
        name = "percentile" if type(node) is exp.Quantile else "percentile_approx"
        return functions.BUILDERS[name](self.call, node.this.copy(), node.args["quantile"].copy())


_LEVEL = "nested_macros"
_INLINED = 2
"""So many calls of macros that mention their arguments often are written into each other."""


def _level(node: exp.Expr) -> int:
    """How many such calls are nested in a tree."""
    if isinstance(node, exp.Anonymous) and node.meta.get(_LEVEL):
        return int(node.meta[_LEVEL])
    return max((_level(child) for child in node.iter_expressions()), default=0)


def _once(macro: str, given: list[exp.Expr]) -> exp.Expr:
    """The macro of arguments that are each written into the statement once: bound as fields of a lambda's variable."""
    name = exp.to_identifier("_v")
    fields: list[exp.Expr] = []
    arguments: list[exp.Expr] = []
    for place, value in enumerate(given):
        if isinstance(value, exp.Literal | exp.Null):
            arguments.append(value)
            continue
        fields.append(exp.PropertyEQ(this=exp.to_identifier(f"f{place}"), expression=value))
        arguments.append(exp.column(exp.to_identifier(f"f{place}"), name.copy()))
    applied = exp.Lambda(this=exp.Anonymous(this=macro, expressions=arguments), expressions=[name])
    listed = exp.Anonymous(
        this="list_transform", expressions=[exp.Array(expressions=[exp.Struct(expressions=fields)]), applied]
    )
    return exp.Anonymous(this="list_extract", expressions=[listed, exp.Literal.number(1)])


def _arguments(node: exp.Expr) -> list[exp.Expr]:
    made: list[exp.Expr] = []
    for key in ("this", "start", "length", "expression", "decimals"):
        value = node.args.get(key)
        if isinstance(value, exp.Expr):
            made.append(value)
    return made


def _is_exact(node: exp.Expr) -> bool:
    value = node.this
    if not isinstance(value, exp.Literal) or not value.is_string:
        return False
    kind = node.args["to"].this
    if kind == _T.DATE:
        return bool(_EXACT_DATE.match(value.name))
    return kind in _STAMPS and bool(_EXACT_STAMP.match(value.name))


def _replacement(node: exp.Expr) -> None:
    value = node.args.get("replacement")
    if isinstance(value, exp.Literal):
        node.set("replacement", exp.Literal.string(re.sub(r"\$(\d)", r"\\\1", value.name)))
    elif value is not None and not (isinstance(value, exp.Cast) and value.meta.get(PLAIN)):
        raise errors.unsupported("A computed replacement of a regular expression")


def _typed(rewrite_: Callable[[functions.Call, exp.Expr], exp.Expr]) -> Callable[[_Rewriter, exp.Expr], exp.Expr]:
    return lambda rewriter, node: rewrite_(rewriter.call, node)


def _plainly(rewrite_: Callable[[exp.Expr], exp.Expr]) -> Callable[[_Rewriter, exp.Expr], exp.Expr]:
    return lambda _rewriter, node: rewrite_(node)


def _named(name: str) -> Callable[[_Rewriter, exp.Expr], exp.Expr]:
    return lambda rewriter, node: rewriter.call(name, *_arguments(node))


_HANDLERS: dict[type, Callable[[_Rewriter, exp.Expr], exp.Expr]] = {
    exp.Anonymous: _Rewriter.anonymous,
    exp.Extract: _Rewriter.extract,
    exp.Cast: _Rewriter.cast,
    exp.TryCast: _Rewriter.cast,
    exp.Add: _Rewriter.arithmetic,
    exp.Sub: _Rewriter.arithmetic,
    exp.Mod: _Rewriter.modulo,
    exp.Like: _Rewriter.like,
    exp.ILike: _Rewriter.like,
    exp.Bracket: _Rewriter.bracket,
    exp.Transform: _Rewriter.indexed,
    exp.ArrayFilter: _Rewriter.indexed,
    exp.RegexpLike: _Rewriter.regex,
    exp.RegexpReplace: _Rewriter.regex,
    exp.RegexpExtract: _Rewriter.regex,
    exp.RegexpExtractAll: _Rewriter.regex,
    exp.Window: _Rewriter.window,
    exp.StrPosition: _Rewriter.position,
    exp.Quantile: _Rewriter.quantile,
    exp.ApproxQuantile: _Rewriter.quantile,
    exp.Sign: _named("sign"),
    exp.Table: _plainly(relations.table),
    exp.Lateral: _plainly(relations.lateral),
    exp.Limit: _plainly(relations.limit),
    exp.Offset: _plainly(relations.limit),
    exp.Substring: _named("substring"),
    exp.Left: _named("left"),
    exp.Right: _named("right"),
    exp.Length: _named("length"),
    exp.Floor: _typed(typed.whole),
    exp.Ceil: _typed(typed.whole),
    exp.Round: _typed(typed.rounded),
    exp.Mul: _typed(typed.arithmetic),
    exp.Div: _typed(typed.divide),
    exp.SafeDivide: _typed(typed.try_divide),
    exp.IntDiv: _typed(typed.whole_divide),
    exp.Between: _typed(typed.between),
    exp.In: _typed(typed.listed),
    exp.Sum: _Rewriter.aggregate,
    exp.Avg: _Rewriter.aggregate,
    exp.Filter: _Rewriter.aggregate,
    **dict.fromkeys(typed.COMPARED, _typed(typed.compare)),
    **dict.fromkeys((exp.Case, exp.If, exp.Coalesce, exp.Greatest, exp.Least), _plainly(typed.unified)),
    exp.Ln: _named("ln"),
    exp.Log: _named("log"),
    exp.Sqrt: _named("sqrt"),
    exp.IsNan: _named("isnan"),
    exp.CurrentDate: _named("today"),
    exp.ArraySize: _named("size"),
}
