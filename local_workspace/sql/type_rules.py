"""The Databricks type of one expression, by the types of what it is made of.

A rule for each kind of expression says what https://docs.databricks.com/aws/en/sql/language-manual/sql-ref-datatype-rules
and the functions' own pages say, or nothing where that depends on more than the tree tells.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sqlglot import exp

from local_workspace.sql import types
from local_workspace.sql.decimals import arithmetic, average, rounded, total, whole, wider
from local_workspace.sql.types import DAYS, YEARS

TYPE = "databricks_type"
"""The key of a node's metadata that holds its type in upper case."""
INTEGERS = ("TINYINT", "SMALLINT", "INT", "BIGINT")
FRACTIONS = ("FLOAT", "DOUBLE")
_MONTHS = frozenset({"YEAR", "YEARS", "MONTH", "MONTHS", "QUARTER", "QUARTERS"})


def known(node: exp.Expr | None) -> str | None:
    """The type that a node is marked with, or None."""
    return None if node is None else node.meta.get(TYPE) or None


def mark(node: exp.Expr, type_text: str) -> exp.Expr:
    """Note a catalog's type (``decimal(10,2)``) on a node whose type nothing in the tree tells."""
    kind = type_text.upper()
    node.meta[TYPE] = "STRING" if kind.startswith(("VARCHAR", "CHAR")) else kind
    return node


def of_expression(node: exp.Expr) -> str | None:
    """The type of a node whose children are marked, in upper case; None when no rule tells it."""
    rule = _RULES.get(type(node))
    return rule(node) if rule else None


def common(kinds: Iterable[str | None]) -> str | None:
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
    if is_number(a) and is_number(b):
        if a in FRACTIONS or b in FRACTIONS:
            return "DOUBLE" if "DOUBLE" in (a, b) else None
        return wider(a, b)
    return None


def is_number(kind: str) -> bool:
    """Whether arithmetic works on the type as it is."""
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
    if not (is_number(left) and is_number(right)):
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
    if left == "STRING" and is_number(right):
        left = "BIGINT" if right in INTEGERS else "DOUBLE"
    elif right == "STRING" and is_number(left):
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
    return common(known(branch) if branch is not None else "VOID" for branch in branches)


def _if(node: exp.Expr) -> str | None:
    return common([known(node.args.get("true")), known(node.args["false"]) if node.args.get("false") else "VOID"])


def _many(node: exp.Expr) -> str | None:
    return common([known(node.this), *(known(item) for item in node.expressions)])


def _window(node: exp.Expr) -> str | None:
    counting = (exp.RowNumber, exp.Rank, exp.DenseRank, exp.Ntile)
    return "INT" if isinstance(node.this, counting) else known(node.this)


def _array(node: exp.Expr) -> str | None:
    kind = common([known(item) for item in node.expressions])
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
