"""The result types of decimal arithmetic, and exact division written in whole numbers.

Rules: "DECIMAL type" and the operators ``+ - * / %`` in the Databricks SQL reference; the same as Apache Spark's
``DecimalPrecision``, with loss of fraction digits allowed (Spark's default). DuckDB itself divides decimals as DOUBLE.
"""

from __future__ import annotations

from sqlglot import exp

from local_workspace.sql.types import plain

MAX = 38
MIN_SCALE = 6
SMALL = 18
"""Digits of a decimal that DuckDB holds in 64 bits."""
_INTEGER_DIGITS = {"TINYINT": 3, "SMALLINT": 5, "INT": 10, "BIGINT": 20}


def parts(kind: str) -> tuple[int, int]:
    """Precision and scale of a DECIMAL or integer type."""
    if kind in _INTEGER_DIGITS:
        return _INTEGER_DIGITS[kind], 0
    precision, scale = kind[8:-1].split(",")
    return int(precision), int(scale)


def text(precision: int, scale: int) -> str:
    """The type's name."""
    return f"DECIMAL({precision},{scale})"


def adjusted(precision: int, scale: int) -> str:
    """Over 38 digits, digits of the fraction are given up, but not below six."""
    if precision <= MAX:
        return text(precision, scale)
    whole_digits = precision - scale
    return text(MAX, max(MAX - whole_digits, min(scale, MIN_SCALE)))


def wider(left: str, right: str) -> str:
    """The type that holds the values of both."""
    (p1, s1), (p2, s2) = parts(left), parts(right)
    scale, digits = max(s1, s2), max(p1 - s1, p2 - s2)
    return text(min(MAX, digits + scale), min(scale, MAX))


def arithmetic(sign: str, left: str, right: str) -> str:
    """The type of ``left sign right``, both DECIMAL."""
    (p1, s1), (p2, s2) = parts(left), parts(right)
    if sign in "+-":
        scale = max(s1, s2)
        return adjusted(max(p1 - s1, p2 - s2) + scale + 1, scale)
    if sign == "*":
        return adjusted(p1 + p2 + 1, s1 + s2)
    if sign == "%":
        scale = max(s1, s2)
        return adjusted(min(p1 - s1, p2 - s2) + scale, scale)
    scale = max(MIN_SCALE, s1 + p2 + 1)
    return adjusted(p1 - s1 + s2 + scale, scale)


def roomy(value: exp.Expr, kind: str, result: str) -> exp.Expr:
    """An operand for a result of more than 18 digits, which DuckDB gives only when an operand has more itself."""
    precision, scale = parts(kind)
    if parts(result)[0] <= SMALL or precision > SMALL:
        return value
    return plain(value.copy(), text(SMALL + 1, scale))


def total(kind: str) -> str:
    """The type of ``sum``."""
    precision, scale = parts(kind)
    return text(min(MAX, precision + 10), scale)


def average(kind: str) -> str:
    """The type of ``avg``."""
    precision, scale = parts(kind)
    return text(min(MAX, precision + 4), min(MAX, scale + 4))


def whole(kind: str) -> str:
    """The type of ``floor`` and ``ceil``."""
    precision, scale = parts(kind)
    return text(min(MAX, precision - scale + 1), 0)


def rounded(kind: str, places: int) -> str:
    """The type of ``round`` to a literal number of places."""
    precision, scale = parts(kind)
    digits = precision - scale + 1
    if places < 0:
        return text(min(MAX, max(digits, 1 - places)), 0)
    kept = min(scale, places)
    return text(min(MAX, digits + kept), kept)


def unscaled(value: exp.Expr, kind: str) -> exp.Expr:
    """A decimal's digits as a whole number."""
    precision, scale = parts(kind)
    exact = plain(value.copy(), text(precision, scale))
    if scale == 0:
        return _huge(exact)
    # DuckDB keeps a product of two decimals of at most 18 digits within 18 digits, and fails when it is longer.
    factor = scale + 1 if precision + scale + 1 <= SMALL else max(SMALL + 1, scale + 1)
    if precision + factor <= MAX:
        return _huge(exp.Mul(this=exact, expression=plain(exp.Literal.string(str(10**scale)), text(factor, 0))))
    digits = exp.Anonymous(this="replace", expressions=[plain(exact, "STRING"), _string("."), _string("")])
    return _huge(digits)


def _string(value: str) -> exp.Expr:
    return exp.Literal.string(value)


def _huge(value: exp.Expr) -> exp.Expr:
    made = exp.Cast(this=value, to=exp.DataType(this=exp.DataType.Type.INT128))
    made.meta["plain_cast"] = True
    return made


def shifted(value: exp.Expr, places: int) -> exp.Expr:
    """A whole number with ``places`` zeros put behind it."""
    if places == 0:
        return value
    return exp.Paren(this=exp.Mul(this=value, expression=_huge(exp.Literal.string(str(10**places)))))


def scaled(digits: exp.Expr, kind: str) -> exp.Expr:
    """A whole number's digits as a decimal of ``kind``; ARITHMETIC_OVERFLOW when it has too many."""
    precision, scale = parts(kind)
    made: exp.Expr = plain(digits, text(MAX, 0))
    if scale:
        unit = "0." + "0" * (scale - 1) + "1"
        made = exp.Mul(this=made, expression=plain(exp.Literal.string(unit), text(scale, scale)))
    return plain(exp.Paren(this=made), text(precision, scale))
