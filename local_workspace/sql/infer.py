"""The Databricks type of an expression, as far as it follows from the tree.

DuckDB tells types only once a statement is bound, which is too late to write exact decimal arithmetic, implicit casts
of text or the two kinds of intervals. This pass reads them off the governed tree, in which every physical column,
literal and cast carries its type. What it cannot tell stays unknown; a rewrite that needs the type must then refuse or
guard.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from sqlglot import exp

from local_workspace.sql import types
from local_workspace.sql.decimals import arithmetic, average, rounded, total, whole, wider
from local_workspace.sql.types import DAYS, YEARS

TYPE = "databricks_type"
"""The key of a node's metadata that holds its type in upper case."""
INTEGERS = ("TINYINT", "SMALLINT", "INT", "BIGINT")
FRACTIONS = ("FLOAT", "DOUBLE")
_MONTHS = frozenset({"YEAR", "YEARS", "MONTH", "MONTHS", "QUARTER", "QUARTERS"})
Columns = dict[str, str | None]


def known(node: exp.Expr | None) -> str | None:
    """The type that ``annotate`` found, or None."""
    return None if node is None else node.meta.get(TYPE) or None


def mark(node: exp.Expr, type_text: str) -> exp.Expr:
    """Note a catalog's type (``decimal(10,2)``) on a node whose type nothing in the tree tells."""
    kind = type_text.upper()
    node.meta[TYPE] = "STRING" if kind.startswith(("VARCHAR", "CHAR")) else kind
    return node


def annotate(tree: exp.Expr) -> list[str | None]:
    """Mark every expression of a governed tree with its type where it is certain.

    Returns:
        The types of the query's columns, None for each that is uncertain; an empty list when not even their number is.
    """
    return list((_Pass().relation(tree, _Scope()) or {}).values())


@dataclass(slots=True)
class _Scope:
    """What names mean: sources by alias (None: a source of unknown columns), CTEs by name, and the scope around."""

    sources: dict[str, Columns | None] = field(default_factory=dict)
    ctes: dict[str, Columns | None] = field(default_factory=dict)
    outer: _Scope | None = None
    own: Columns = field(default_factory=dict)

    def column(self, name: str, table: str) -> str | None:
        scope: _Scope | None = self
        while scope is not None:
            if table in scope.sources or (not table and scope._answers(name)):
                return scope._type(name, table)
            if not table and any(columns is None for columns in scope.sources.values()):
                return None
            scope = scope.outer
        return None

    def _answers(self, name: str) -> bool:
        return name in self.own or any(columns and name in columns for columns in self.sources.values())

    def _type(self, name: str, table: str) -> str | None:
        if table:
            return (self.sources[table] or {}).get(name)
        found = {columns[name] for columns in self.sources.values() if columns and name in columns}
        if name in self.own:
            found.add(self.own[name])
        unknown = any(columns is None for columns in self.sources.values())
        return next(iter(found)) if len(found) == 1 and not unknown else None


class _Pass:
    def relation(self, node: exp.Expr, outer: _Scope) -> Columns | None:
        scope = _Scope(outer=outer.outer, sources=outer.sources, ctes=dict(outer.ctes), own=outer.own)
        with_ = node.args.get("with_")
        for cte in with_.expressions if with_ else ():
            recursive = bool(with_ and with_.args.get("recursive"))
            if recursive:
                scope.ctes[cte.alias.lower()] = None
            made = self.relation(cte.this, scope)
            scope.ctes[cte.alias.lower()] = None if recursive else _renamed(made, cte.args.get("alias"))
        if isinstance(node, exp.SetOperation):
            return self._union(node, scope)
        if isinstance(node, exp.Subquery):
            return self._subquery(node, scope)
        if isinstance(node, exp.Select):
            return self._select(node, scope)
        if isinstance(node, exp.Values):
            for row in node.expressions:
                self.expression(row, scope)
            return self._values(node)
        if not isinstance(node, exp.Query):
            self.expression(node, scope)
        return None

    def _union(self, node: exp.SetOperation, scope: _Scope) -> Columns | None:
        left, right = self.relation(node.this, scope), self.relation(node.expression, scope)
        for key in ("order", "limit", "offset"):
            if node.args.get(key):
                self.expression(node.args[key], _Scope(ctes=scope.ctes, sources={"": None}))
        if left is None or right is None or len(left) != len(right):
            return None
        return {
            name: kind if kind == other else None
            for (name, kind), other in zip(left.items(), right.values(), strict=True)
        }

    def _subquery(self, node: exp.Subquery, scope: _Scope) -> Columns | None:
        made = self.relation(node.this, scope)
        for key in ("order", "limit", "offset"):
            if node.args.get(key):
                self.expression(node.args[key], _Scope(ctes=scope.ctes, sources={"": None}))
        return None if node.args.get("pivots") else _renamed(made, node.args.get("alias"))

    @staticmethod
    def _values(node: exp.Values) -> Columns | None:
        rows = [row.expressions if isinstance(row, exp.Tuple) else [row] for row in node.expressions]
        alias = node.args.get("alias")
        if not rows or len({len(row) for row in rows}) != 1 or not (alias and alias.columns):
            return None
        kinds = [_common([known(row[place]) for row in rows]) for place in range(len(rows[0]))]
        if len(kinds) != len(alias.columns):
            return None
        return {column.name.lower(): kind for column, kind in zip(alias.columns, kinds, strict=True)}

    def _select(self, node: exp.Select, outer: _Scope) -> Columns | None:
        scope = _Scope(ctes=outer.ctes, outer=outer)
        from_ = node.args.get("from_")
        if from_:
            self._source(from_.this, scope)
        for join in node.args.get("joins") or ():
            self._source(join.this, scope)
        for lateral in node.args.get("laterals") or ():
            self._source(lateral, scope)
        for join in node.args.get("joins") or ():
            if join.args.get("on"):
                self.expression(join.args["on"], scope)
        made = self._outputs(node, scope)
        scope.own = {name: kind for name, kind in (made or {}).items() if kind is not None}
        if made is None:
            scope.sources = {**scope.sources, "": None}
        for key in ("where", "group", "having", "qualify", "order", "limit", "offset", "distinct"):
            if node.args.get(key):
                self.expression(node.args[key], scope)
        for window in node.args.get("windows") or ():
            self.expression(window, scope)
        return made

    def _outputs(self, node: exp.Select, scope: _Scope) -> Columns | None:
        made: Columns = {}
        complete = True
        for item in node.expressions:
            self.expression(item, scope)
            star = item if isinstance(item, exp.Star) else item.this if isinstance(item, exp.Column) else None
            if isinstance(star, exp.Star):
                expanded = self._star(item, star, scope)
                complete = complete and expanded is not None and not set(expanded) & set(made)
                made.update(expanded or {})
                continue
            name = item.alias_or_name.lower()
            complete = complete and bool(name) and name not in made and not isinstance(item, exp.Aliases)
            made[name] = known(item)
            # Later items may name earlier ones; a name with two possible types is uncertain.
            if isinstance(item, exp.Alias):
                scope.own[name] = known(item)
        return made if complete else None

    @staticmethod
    def _star(item: exp.Expr, star: exp.Star, scope: _Scope) -> Columns | None:
        if any(star.args.get(key) for key in ("except_", "except", "replace", "rename")):
            return None
        if isinstance(item, exp.Column) and item.table:
            columns = scope.sources.get(item.table.lower())
            return dict(columns) if columns is not None else None
        if len(scope.sources) != 1:
            return None
        columns = next(iter(scope.sources.values()))
        return dict(columns) if columns is not None else None

    def _source(self, node: exp.Expr, scope: _Scope) -> None:
        name = node.alias_or_name.lower()
        if isinstance(node, exp.Table):
            scope.sources[name] = self._table(node, scope)
        elif isinstance(node, exp.Lateral):
            self.expression(node.this, scope)
            alias = node.args.get("alias")
            scope.sources[name or f"?{len(scope.sources)}"] = (
                _lateral(node, alias) if isinstance(node.this, exp.Explode) else None
            )
        elif isinstance(node, exp.Subquery | exp.Values | exp.Select | exp.SetOperation):
            made = self.relation(node, scope if isinstance(node.parent, exp.Lateral) else _Scope(ctes=scope.ctes))
            scope.sources[name or f"?{len(scope.sources)}"] = made
        else:
            self.expression(node, scope)
            scope.sources[f"?{len(scope.sources)}"] = None
        if node.args.get("pivots"):
            scope.sources[name or f"?{len(scope.sources) - 1}"] = None
        for join in node.args.get("joins") or ():
            self._source(join.this, scope)
            if join.args.get("on"):
                self.expression(join.args["on"], scope)
        for lateral in node.args.get("laterals") or ():
            self._source(lateral, scope)

    def _table(self, node: exp.Table, scope: _Scope) -> Columns | None:
        if not isinstance(node.this, exp.Identifier):
            self.expression(node.this, scope)
            if isinstance(node.this, exp.GenerateSeries) or node.this.name.lower() == "range":
                return _renamed({"id": "BIGINT"}, node.args.get("alias"))
            return None
        if node.args.get("pivots"):
            return None
        if not node.args.get("db"):
            return _renamed(scope.ctes.get(node.name.lower()), node.args.get("alias"))
        return {}  # a physical table: its columns carry their types themselves

    # Expressions

    def expression(self, node: exp.Expr, scope: _Scope) -> None:
        if isinstance(node, exp.Query | exp.Values):
            columns = self.relation(node, _Scope(ctes=scope.ctes, outer=scope))
            kinds = list((columns or {}).values())
            if len(kinds) == 1 and kinds[0]:
                node.meta[TYPE] = kinds[0]
            return
        inner = scope
        if isinstance(node, exp.Lambda):
            names: Columns = {name.name.lower(): None for name in node.expressions}
            inner = _Scope(sources={"?lambda": names}, ctes=scope.ctes, outer=scope)
        for value in node.args.values():
            for child in value if isinstance(value, list) else (value,):
                if isinstance(child, exp.Expr):
                    self.expression(child, inner)
        if TYPE not in node.meta:
            kind = self._kind(node, scope)
            if kind:
                node.meta[TYPE] = kind

    @staticmethod
    def _kind(node: exp.Expr, scope: _Scope) -> str | None:
        if isinstance(node, exp.Column):
            return scope.column(node.name.lower(), node.table.lower()) if not node.args.get("db") else None
        rule = _RULES.get(type(node))
        return rule(node) if rule else None


def _renamed(columns: Columns | None, alias: exp.Expr | None) -> Columns | None:
    names = [column.name.lower() for column in alias.columns] if isinstance(alias, exp.TableAlias) else []
    if columns is None or not names:
        return columns
    if len(names) != len(columns) or len(set(names)) != len(names):
        return None
    return dict(zip(names, columns.values(), strict=True))


def _lateral(node: exp.Lateral, alias: exp.Expr | None) -> Columns | None:
    names = [column.name.lower() for column in alias.columns] if isinstance(alias, exp.TableAlias) else []
    kind = known(node.this.this)
    if len(names) != 1:
        return None
    return {names[0]: kind[6:-1] if kind and kind.startswith("ARRAY<") else None}


def _common(kinds: Iterable[str | None]) -> str | None:
    """The least common type, when it is one of those that are needed here."""
    present = [kind for kind in kinds if kind != "VOID"]
    if not present or None in present:
        return None
    made = present[0]
    for kind in present[1:]:
        made = _wider(made, kind) if made and kind else None
    return made


def _wider(a: str, b: str) -> str | None:
    if a == b:
        return a
    if a in INTEGERS and b in INTEGERS:
        return max(a, b, key=INTEGERS.index)
    if _is_number(a) and _is_number(b):
        if a in FRACTIONS or b in FRACTIONS:
            return "DOUBLE" if "DOUBLE" in (a, b) else None
        return wider(a, b)
    return None


def _is_number(kind: str) -> bool:
    return kind in INTEGERS or kind in FRACTIONS or kind.startswith("DECIMAL")


def _literal(node: exp.Expr) -> str | None:
    text = str(node.this)
    if node.args.get("is_string"):
        return "STRING"
    if text.isdigit():
        number = int(text)
        return "INT" if number < 1 << 31 else "BIGINT" if number < 1 << 63 else f"DECIMAL({len(text)},0)"
    left, point, right = text.partition(".")
    if point and (left + right).isdigit() and len(left + right) <= 38:
        digits = len(left.lstrip("0")) + len(right)
        return f"DECIMAL({max(digits, len(right), 1)},{len(right)})"
    return None


def _cast(node: exp.Expr) -> str | None:
    to = node.args["to"]
    if not isinstance(to, exp.DataType) or to.this == exp.DataType.Type.INTERVAL:
        return None
    return types.type_text(to).upper()


def _of(key: str = "this") -> Callable[[exp.Expr], str | None]:
    return lambda node: known(node.args.get(key))


def _fixed(kind: str) -> Callable[[exp.Expr], str | None]:
    return lambda _node: kind


def _binary(node: exp.Expr) -> str | None:
    left, right = known(node.this), known(node.args["expression"])
    if left is None or right is None:
        return None
    sign = _SIGNS[type(node)]
    if sign in "+-" and (made := _temporal(left, right, sign)):
        return made
    left, right = _promoted(left, right)
    if not (_is_number(left) and _is_number(right)):
        return None
    if left in FRACTIONS or right in FRACTIONS:
        return "FLOAT" if left == right == "FLOAT" and sign != "/" else "DOUBLE"
    if left in INTEGERS and right in INTEGERS:
        return "DOUBLE" if sign == "/" else max(left, right, key=INTEGERS.index)
    return arithmetic(sign, operand(node.this, left), operand(node.args["expression"], right))


def operand(node: exp.Expr, kind: str) -> str:
    """The DECIMAL type of an operand of decimal arithmetic; an integer literal is as narrow as it is written."""
    bare = node.this if isinstance(node, exp.Neg | exp.Paren) else node
    if kind in INTEGERS and isinstance(bare, exp.Literal) and not bare.is_string:
        return f"DECIMAL({len(str(bare.this).lstrip('0')) or 1},0)"
    return wider(kind, kind)


def _promoted(left: str, right: str) -> tuple[str, str]:
    """Text beside a number becomes BIGINT beside integers, DOUBLE otherwise."""
    if left == "STRING" and _is_number(right):
        left = "BIGINT" if right in INTEGERS else "DOUBLE"
    elif right == "STRING" and _is_number(left):
        right = "BIGINT" if left in INTEGERS else "DOUBLE"
    return left, right


def _temporal(left: str, right: str, sign: str) -> str | None:
    pair = {left, right}
    if left == right and left in (YEARS, DAYS):
        return left
    if sign == "-" and pair <= {"DATE", "TIMESTAMP", "TIMESTAMP_NTZ"}:
        return DAYS
    if sign == "+" and left in (YEARS, DAYS):
        left, right = right, left
    if right in (YEARS, DAYS) and left in ("TIMESTAMP", "TIMESTAMP_NTZ"):
        return left
    return "DATE" if left == "DATE" and right == YEARS else None


def _interval(node: exp.Expr) -> str | None:
    unit = node.args.get("unit")
    if isinstance(unit, exp.IntervalSpan):
        return YEARS if unit.this.name.upper() in _MONTHS else DAYS
    return (YEARS if unit.name.upper() in _MONTHS else DAYS) if unit is not None else None


def _sum(node: exp.Expr) -> str | None:
    kind = known(node.this)
    if kind in INTEGERS:
        return "BIGINT"
    if kind in FRACTIONS:
        return "DOUBLE"
    return total(kind) if kind and kind.startswith("DECIMAL") else kind if kind in (YEARS, DAYS) else None


def _avg(node: exp.Expr) -> str | None:
    kind = known(node.this)
    if kind in INTEGERS or kind in FRACTIONS:
        return "DOUBLE"
    return average(kind) if kind and kind.startswith("DECIMAL") else None


def _floor(node: exp.Expr) -> str | None:
    kind = known(node.this)
    if kind and kind.startswith("DECIMAL"):
        return whole(kind)
    return "BIGINT" if kind in INTEGERS or kind in FRACTIONS else None


def _round(node: exp.Expr) -> str | None:
    kind, places = known(node.this), node.args.get("decimals")
    if kind is None or not kind.startswith("DECIMAL"):
        return kind if kind in INTEGERS or kind in FRACTIONS else None
    bare = places.this if isinstance(places, exp.Neg) else places
    if bare is not None and not (isinstance(bare, exp.Literal) and bare.name.isdigit()):
        return None
    number = int(bare.name) if isinstance(bare, exp.Literal) else 0
    return rounded(kind, -number if isinstance(places, exp.Neg) else number)


def _case(node: exp.Expr) -> str | None:
    branches = [branch.args.get("true") for branch in node.args.get("ifs") or ()]
    branches += [node.args.get("default")] if node.args.get("default") is not None else []
    return _common(known(branch) if branch is not None else "VOID" for branch in branches)


def _if(node: exp.Expr) -> str | None:
    return _common([known(node.args.get("true")), known(node.args["false"]) if node.args.get("false") else "VOID"])


def _many(node: exp.Expr) -> str | None:
    return _common([known(node.this), *(known(item) for item in node.expressions)])


def _window(node: exp.Expr) -> str | None:
    counting = (exp.RowNumber, exp.Rank, exp.DenseRank, exp.Ntile)
    return "INT" if isinstance(node.this, counting) else known(node.this)


def _array(node: exp.Expr) -> str | None:
    kind = _common([known(item) for item in node.expressions])
    return f"ARRAY<{kind}>" if kind else None


_SIGNS: dict[type, str] = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/", exp.Mod: "%"}
_RULES: dict[type, Callable[[exp.Expr], str | None]] = {
    **dict.fromkeys(_SIGNS, _binary),
    **dict.fromkeys((exp.Cast, exp.TryCast), _cast),
    **dict.fromkeys(
        (exp.Paren, exp.Alias, exp.Neg, exp.Abs, exp.Min, exp.Max, exp.AnyValue, exp.First, exp.Last), _of()
    ),
    **dict.fromkeys((exp.FirstValue, exp.LastValue, exp.Lag, exp.Lead, exp.NthValue, exp.Nullif, exp.Filter), _of()),
    **dict.fromkeys((exp.IgnoreNulls, exp.RespectNulls, exp.Distinct, exp.Where, exp.Ordered), _of()),
    **dict.fromkeys((exp.Coalesce, exp.Greatest, exp.Least), _many),
    **dict.fromkeys((exp.Floor, exp.Ceil), _floor),
    **dict.fromkeys((exp.Upper, exp.Lower, exp.Trim, exp.Substring, exp.CurrentUser), _fixed("STRING")),
    **dict.fromkeys(
        (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.And, exp.Or, exp.Not, exp.Is), _fixed("BOOLEAN")
    ),
    exp.Distinct: lambda node: known(node.expressions[0]) if len(node.expressions) == 1 else None,
    exp.Concat: lambda node: "STRING" if all(known(item) == "STRING" for item in node.expressions) else None,
    exp.DPipe: lambda node: "STRING" if known(node.this) == known(node.expression) == "STRING" else None,
    exp.Literal: _literal,
    exp.Null: _fixed("VOID"),
    exp.Boolean: _fixed("BOOLEAN"),
    exp.Interval: _interval,
    exp.Count: _fixed("BIGINT"),
    exp.CountIf: _fixed("BIGINT"),
    exp.ApproxDistinct: _fixed("BIGINT"),
    exp.Sum: _sum,
    exp.Avg: _avg,
    exp.Round: _round,
    exp.Case: _case,
    exp.If: _if,
    exp.Window: _window,
    exp.Array: _array,
    exp.CurrentDate: _fixed("DATE"),
    exp.CurrentTimestamp: _fixed("TIMESTAMP"),
    exp.IntDiv: _fixed("BIGINT"),
    exp.Length: _fixed("INT"),
}
