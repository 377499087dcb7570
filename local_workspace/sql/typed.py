"""Rewrites that need the types of their operands: decimals, text beside numbers and times, intervals, rounding.

Where a type is unknown, the operation is guarded: DuckDB decides when it binds the statement, and a type for which its
answer would differ from the platform's raises "not supported".
"""

from __future__ import annotations

import re

from sqlglot import exp

from local_workspace.sql import decimals, errors
from local_workspace.sql.functions import Call
from local_workspace.sql.type_rules import FRACTIONS, INTEGERS, TYPE, known, operand
from local_workspace.sql.types import plain

_DATES = frozenset({"DATE", "TIMESTAMP", "TIMESTAMP_NTZ"})
_FRACTION = re.compile(r"\s*[+-]?(\d+\.\d*|\.\d+|\d+(\.\d*)?[eE].*)\s*\Z")
COMPARED = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.NullSafeEQ, exp.NullSafeNEQ)


def is_decimal(kind: str | None) -> bool:
    """Whether a type is DECIMAL."""
    return bool(kind) and str(kind).startswith("DECIMAL")


def is_number(kind: str | None) -> bool:
    """Whether a type is a number."""
    return kind in INTEGERS or kind in FRACTIONS or is_decimal(kind)


def _number(call: Call, value: exp.Expr, other: str | None) -> exp.Expr:
    """Text as the number that it is beside ``other``: BIGINT beside integers, DOUBLE otherwise."""
    if other in INTEGERS:
        made = call("cast_integer", value)
        made.meta[TYPE] = "BIGINT"
    else:
        made = plain(value.copy(), "DOUBLE")
        made.meta[TYPE] = "DOUBLE"
    return made


def promote(call: Call, node: exp.Expr) -> None:
    """Turn text beside a number into a number, in both places of a binary operator."""
    left, right = node.this, node.args["expression"]
    if known(left) == "STRING" and is_number(known(right)):
        node.set("this", _number(call, left, known(right)))
    elif known(right) == "STRING" and is_number(known(left)):
        node.set("expression", _number(call, right, known(left)))


def widen(node: exp.Expr) -> None:
    """DuckDB computes in the narrower type where the platform computes in DOUBLE (FLOAT) or in the literal's INT."""
    kind, left, right = known(node), node.this, node.args["expression"]
    if kind == "DOUBLE":
        for key, side in (("this", left), ("expression", right)):
            if known(side) == "FLOAT":
                node.set(key, plain(side.copy(), "DOUBLE"))
        return
    written = [side for side in (left, right) if isinstance(side, exp.Literal)]
    wide = [side for side in (left, right) if known(side) == kind and side not in written]
    if kind in INTEGERS and len(written) < 2 and not wide:
        node.set("this", plain(left.copy(), str(kind)))


def arithmetic(call: Call, node: exp.Expr) -> exp.Expr:
    """``+``, ``-`` and ``*`` of numbers, and the difference of dates."""
    promote(call, node)
    widen(node)
    kind = known(node)
    left = known(node.this)
    if is_decimal(kind) and left:
        node.set("this", decimals.roomy(node.this, operand(node.this, left), str(kind)))
        return plain(exp.Paren(this=node.copy()), str(kind))
    if isinstance(node, exp.Sub):
        return _difference(call, node)
    return node


def _difference(call: Call, node: exp.Expr) -> exp.Expr:
    left, right = known(node.this), known(node.args["expression"])
    if left == right == "DATE":
        days = plain(exp.Paren(this=node.copy()), "INT")
        return exp.Anonymous(this="to_days", expressions=[days])
    if all(kind in (None, "DATE") for kind in (left, right)):
        return call("minus", node.this, node.args["expression"])
    return node


def divide(call: Call, node: exp.Expr) -> exp.Expr:
    """``/``: exact for decimals, DOUBLE for everything else."""
    promote(call, node)
    widen(node)
    left, right, kind = known(node.this), known(node.args["expression"]), known(node)
    if is_decimal(kind) and left and right:
        left, right = operand(node.this, left), operand(node.args["expression"], right)
        return _exact(call, node.this, left, node.args["expression"], right, str(kind))
    if not (is_number(left) and is_number(right)):
        return call("quotient", node.this, node.args["expression"])
    return node


def try_divide(call: Call, node: exp.Expr) -> exp.Expr:
    """``try_divide``: NULL for a zero divisor."""
    zero = exp.Nullif(this=node.args["expression"].copy(), expression=exp.Literal.number(0))
    zero.meta[TYPE] = known(node.args["expression"])
    made = exp.Div(this=node.this.copy(), expression=zero)
    if known(node.this) and known(zero):
        left, right = str(known(node.this)), str(known(zero))
        if is_decimal(left) or is_decimal(right):
            if left in FRACTIONS or right in FRACTIONS:
                return made
            left, right = operand(node.this, left), operand(node.args["expression"], right)
            made.meta[TYPE] = decimals.arithmetic("/", left, right)
            return _exact(call, node.this, left, zero, right, made.meta[TYPE])
    return divide(call, made)


def _exact(call: Call, a: exp.Expr, left: str, b: exp.Expr, right: str, kind: str) -> exp.Expr:
    scale = decimals.parts(kind)[1]
    shift = scale - decimals.parts(left)[1] + decimals.parts(right)[1]
    top, bottom = decimals.unscaled(a, left), decimals.unscaled(b, right)
    ratio = call("whole_ratio", decimals.shifted(top, max(shift, 0)), decimals.shifted(bottom, max(-shift, 0)))
    return decimals.scaled(ratio, kind)


def whole_divide(call: Call, node: exp.Expr) -> exp.Expr:
    """``DIV``: BIGINT, cut off towards zero.

    Raises:
        SqlError: UNSUPPORTED_FEATURE for types that are not certain.
    """
    promote(call, node)
    left, right = known(node.this), known(node.args["expression"])
    if not left or not right:
        return plain(call("whole_quotient", node.this, node.args["expression"]), "BIGINT")
    if left in FRACTIONS or right in FRACTIONS or not (is_number(left) and is_number(right)):
        raise errors.unsupported("DIV of these types")
    if not is_decimal(left) and not is_decimal(right):
        return plain(exp.Paren(this=node.copy()), "BIGINT")
    scale = max(decimals.parts(left)[1], decimals.parts(right)[1])
    top = decimals.shifted(decimals.unscaled(node.this, left), scale - decimals.parts(left)[1])
    bottom = decimals.shifted(decimals.unscaled(node.args["expression"], right), scale - decimals.parts(right)[1])
    return plain(call("whole_part", top, bottom), "BIGINT")


def aggregate(call: Call, node: exp.Expr) -> exp.Expr:
    """``sum`` and ``avg`` of decimals, with the FILTER and OVER around them, take the platform's types."""
    inner = node
    while isinstance(inner, exp.Filter | exp.Window):
        inner = inner.this
    kind = known(inner)
    if isinstance(inner, exp.Sum) and is_decimal(kind):
        return plain(node.copy(), str(kind))
    if isinstance(inner, exp.Avg) and is_decimal(kind):
        return _average(call, node, inner, str(kind))
    return node


def _average(call: Call, node: exp.Expr, inner: exp.Expr, kind: str) -> exp.Expr:
    source = str(known(inner.this))
    total = decimals.total(source)
    made: list[exp.Expr] = []
    for other in (exp.Sum, exp.Count):
        copy = node.copy()
        target = copy
        while isinstance(target, exp.Filter | exp.Window):
            target = target.this
        swapped = other(this=target.this.copy())
        if target is copy:
            copy = swapped
        else:
            target.replace(swapped)
        made.append(copy)
    shift = decimals.parts(kind)[1] - decimals.parts(total)[1]
    top = decimals.shifted(decimals.unscaled(made[0], total), shift)
    count = exp.Nullif(this=made[1], expression=exp.Literal.number(0))
    return decimals.scaled(call("whole_ratio", top, decimals.unscaled(count, "DECIMAL(20,0)")), kind)


def guard_average(call: Call, node: exp.Expr) -> None:
    """An average of values of an unknown type must not be one of decimals, which DuckDB computes as DOUBLE."""
    value = node.this.expressions[0] if isinstance(node.this, exp.Distinct) else node.this
    if known(value) == "STRING":
        value.replace(plain(value.copy(), "DOUBLE"))
    elif known(value) is None:
        value.replace(call("no_decimal", value))


def whole(call: Call, node: exp.Expr) -> exp.Expr:
    """``floor`` and ``ceil``: DECIMAL(p-s+1,0) of decimals, BIGINT otherwise.

    Raises:
        SqlError: UNSUPPORTED_FEATURE with a number of places.
    """
    if node.args.get("decimals") or node.args.get("to"):
        raise errors.unsupported(f"{node.key} to a number of places")
    if is_decimal(known(node.this)):
        return plain(node.copy(), str(known(node)))
    return call(node.key, node.this)


def rounded(call: Call, node: exp.Expr) -> exp.Expr:
    """``round``, half away from zero: decimals in their own type, doubles by their shortest decimal text.

    Raises:
        SqlError: UNSUPPORTED_FEATURE for a computed number of places.
    """
    kind, places = known(node.this), node.args.get("decimals")
    if is_decimal(kind):
        if known(node) is None:
            raise errors.unsupported("round of a DECIMAL to a computed number of places")
        return plain(node.copy(), str(known(node)))
    if kind in INTEGERS:
        return plain(node.copy(), str(kind))
    bare = places.this if isinstance(places, exp.Neg) else places
    if bare is not None and not isinstance(bare, exp.Literal):
        raise errors.unsupported("round to a computed number of places")
    if kind == "STRING":
        node.set("this", plain(node.this.copy(), "DOUBLE"))
    value = node.this if kind in (*FRACTIONS, "STRING") else call("only_double", node.this)
    made = call("round_double", value, places if places is not None else exp.Literal.number(0))
    return plain(made, "FLOAT") if kind == "FLOAT" else made


def unified(node: exp.Expr) -> exp.Expr:
    """CASE, coalesce and the like of decimals take the type that holds every branch."""
    branch = isinstance(node, exp.If) and isinstance(node.parent, exp.Case)
    return plain(node.copy(), str(known(node))) if is_decimal(known(node)) and not branch else node


def compare(call: Call, node: exp.Expr) -> exp.Expr:
    """Text takes the other side's kind of value."""
    if isinstance(node.parent, exp.Update) and node.arg_key == "expressions":
        return node
    for key, other in (("this", "expression"), ("expression", "this")):
        made = beside(call, node.args[key], node.args[other])
        if made is not node.args[key]:
            node.set(key, made)
    return node


def beside(call: Call, value: exp.Expr, other: exp.Expr) -> exp.Expr:
    """``value`` as it is compared with ``other``."""
    kind, wanted = known(value), known(other)
    if kind == "STRING" and is_number(wanted):
        return _number(call, value, wanted)
    if kind == "STRING" and wanted in _DATES and wanted != "TIMESTAMP_NTZ":
        made = call("cast_date" if wanted == "DATE" else "cast_timestamp", value)
        made.meta[TYPE] = str(wanted)
        return made
    text = other if isinstance(other, exp.Literal) and other.is_string else None
    if kind is None and text is not None and _FRACTION.match(text.name):
        return call("no_integer", value)
    return value


def between(call: Call, node: exp.Expr) -> exp.Expr:
    """The bounds of BETWEEN, like a comparison's."""
    for key in ("low", "high"):
        node.set(key, beside(call, node.args[key], node.this))
    if known(node.this) == "STRING" and is_number(known(node.args["low"])):
        node.set("this", _number(call, node.this, known(node.args["low"])))
    return node


def listed(call: Call, node: exp.Expr) -> exp.Expr:
    """The items of IN, like a comparison's.

    Raises:
        SqlError: UNSUPPORTED_FEATURE for a list of text and numbers.
    """
    items = node.args.get("expressions") or []
    if not items:
        return node
    if known(node.this) == "STRING" and is_number(known(items[0])):
        raise errors.unsupported("IN of text and numbers")
    made = [beside(call, item, node.this) for item in items]
    node.set("expressions", made)
    return node
