"""Functions whose calls become another shape of tree: for units, patterns, lambdas and aggregates no macro will do."""

from __future__ import annotations

import re
from collections.abc import Callable

from sqlglot import exp

from local_workspace.sql import errors, types
from local_workspace.sql.types import plain

UNITS = {
    "microsecond": "microsecond",
    "millisecond": "millisecond",
    "second": "second",
    "minute": "minute",
    "hour": "hour",
    "day": "day",
    "dd": "day",
    "week": "week",
    "month": "month",
    "mon": "month",
    "mm": "month",
    "quarter": "quarter",
    "year": "year",
    "yyyy": "year",
    "yy": "year",
}
_ADDED = frozenset(UNITS) - {"dd", "mon", "mm", "yyyy", "yy"}
_PARTS = {
    "year": "year",
    "years": "year",
    "yr": "year",
    "quarter": "quarter",
    "qtr": "quarter",
    "month": "month",
    "months": "month",
    "mon": "month",
    "week": "weekofyear",
    "weeks": "weekofyear",
    "day": "day",
    "days": "day",
    "d": "day",
    "dow": "dayofweek",
    "dayofweek": "dayofweek",
    "doy": "dayofyear",
    "hour": "hour",
    "hours": "hour",
    "minute": "minute",
    "minutes": "minute",
}
_PATTERN = {
    "yyyy": "%Y",
    "yy": "%y",
    "y": "%Y",
    "MMMM": "%B",
    "MMM": "%b",
    "MM": "%m",
    "M": "%-m",
    "dd": "%d",
    "d": "%-d",
    "HH": "%H",
    "H": "%-H",
    "hh": "%I",
    "h": "%-I",
    "mm": "%M",
    "m": "%-M",
    "ss": "%S",
    "s": "%-S",
    "SSS": "%g",
    "SSSSSS": "%f",
    "a": "%p",
    "EEEE": "%A",
    "EEE": "%a",
    "E": "%a",
    "DDD": "%j",
    "D": "%-j",
}
_TOKEN = re.compile(r"([A-Za-z])\1*|'((?:[^']|'')*)'|[^A-Za-z']+")

Call = Callable[..., exp.Expr]
"""Builds a call of a macro: ``call(name, *arguments)``."""


def pattern(text: str) -> str:
    """A Java date pattern as DuckDB's format.

    Raises:
        SqlError: UNSUPPORTED_FEATURE for letters without an equal.
    """
    made = ""
    for found in _TOKEN.finditer(text):
        token = found.group()
        if token.startswith("'"):
            made += (found.group(2) or "").replace("''", "'").replace("%", "%%") or "'"
        elif token[0].isalpha():
            if token not in _PATTERN:
                raise errors.unsupported(f"The date pattern `{token}`")
            made += _PATTERN[token]
        else:
            made += token.replace("%", "%%")
    return made


def _text(node: exp.Expr, what: str) -> str:
    if isinstance(node, exp.Literal | exp.Var | exp.Column):
        return node.name
    raise errors.unsupported(f"{what} that is computed")


def _unit(node: exp.Expr, known: frozenset[str] = frozenset(UNITS)) -> exp.Literal:
    name = _text(node, "A unit of time").lower()
    if name not in known:
        raise errors.unsupported(f"The unit of time `{name}`")
    return exp.Literal.string(UNITS[name])


def _date_format(call: Call, value: exp.Expr, format_: exp.Expr) -> exp.Expr:
    return call("formatted", value, exp.Literal.string(pattern(_text(format_, "A date pattern"))))


def _parsed(call: Call, text: exp.Expr, format_: exp.Expr) -> exp.Expr:
    fmt = exp.Literal.string(pattern(_text(format_, "A date pattern")))
    return call("instant", exp.Anonymous(this="strptime", expressions=[text, fmt]))


def _to_date(call: Call, *given: exp.Expr) -> exp.Expr:
    return call("cast_date", given[0] if len(given) == 1 else _parsed(call, *given))


def _to_timestamp(call: Call, *given: exp.Expr) -> exp.Expr:
    return call("cast_timestamp", given[0]) if len(given) == 1 else _parsed(call, *given)


def _unix_timestamp(call: Call, *given: exp.Expr) -> exp.Expr:
    return call("unix_timestamp", *given) if len(given) < 2 else call("unix_timestamp", _parsed(call, *given))


def _from_unixtime(call: Call, *given: exp.Expr) -> exp.Expr:
    if len(given) == 1:
        return call("from_unixtime", given[0])
    return _date_format(call, call("timestamp_seconds", given[0]), given[1])


def _datediff(call: Call, *given: exp.Expr) -> exp.Expr:
    if len(given) == 2:
        return call("days_between", *given)
    return call("full_units", _unit(given[0], _ADDED), given[1], given[2])


def _added(call: Call, *given: exp.Expr, sign: int = 1) -> exp.Expr:
    if len(given) == 2:
        return call("date_add" if sign > 0 else "date_sub", *given)
    unit = _unit(given[0], _ADDED).name
    amount, unit = (
        (exp.Mul(this=exp.Paren(this=given[1]), expression=exp.Literal.number(3)), "month")
        if unit == "quarter"
        else (given[1], unit)
    )
    step = exp.Anonymous(this=f"to_{unit}s", expressions=[plain(amount, "BIGINT" if unit != "month" else "INT")])
    return call("moved", given[2], step)


def _date_sub(call: Call, *given: exp.Expr) -> exp.Expr:
    return _added(call, *given, sign=-1)


def _trunc(call: Call, value: exp.Expr, unit: exp.Expr) -> exp.Expr:
    return call(
        "truncated_date", _unit(unit, frozenset({"week", "month", "mon", "mm", "quarter", "year", "yyyy", "yy"})), value
    )


def _date_trunc(call: Call, unit: exp.Expr, value: exp.Expr) -> exp.Expr:
    return call("truncated", _unit(unit), value)


def _date_part(call: Call, part: exp.Expr, value: exp.Expr) -> exp.Expr:
    name = _text(part, "A part of a date").lower()
    if name not in _PARTS:
        raise errors.unsupported(f"The part `{name}` of a date")
    return call(_PARTS[name], value)


def _exists(_call: Call, array: exp.Expr, test: exp.Expr) -> exp.Expr:
    mapped = exp.Anonymous(this="list_transform", expressions=[array, test])
    return exp.Coalesce(this=exp.Anonymous(this="list_bool_or", expressions=[mapped]), expressions=[exp.false()])


def _forall(_call: Call, array: exp.Expr, test: exp.Expr) -> exp.Expr:
    mapped = exp.Anonymous(this="list_transform", expressions=[array, test])
    return exp.Coalesce(this=exp.Anonymous(this="list_bool_and", expressions=[mapped]), expressions=[exp.true()])


def _from_json(_call: Call, text: exp.Expr, schema: exp.Expr, *_options: exp.Expr) -> exp.Expr:
    if _options:
        raise errors.unsupported("from_json with options")
    ddl = _text(schema, "A schema").strip()
    tree = types.parse_type(ddl if re.match(r"(?i)(struct|array|map)\s*<", ddl) else f"STRUCT<{ddl}>")
    parsed = exp.Anonymous(this="json_transform", expressions=[text, exp.Literal.string(_shape(tree))])
    return exp.Anonymous(this="try", expressions=[parsed])


def _shape(tree: exp.DataType) -> str:
    if tree.this == exp.DataType.Type.STRUCT:
        return "{" + ",".join(f'"{item.name}":{_shape(item.args["kind"])}' for item in tree.expressions) + "}"
    if tree.this in (exp.DataType.Type.ARRAY, exp.DataType.Type.LIST):
        return f"[{_shape(tree.expressions[0])}]"
    return f'"{types.duck_type(tree)}"'


def _quantile(name: str) -> Callable[..., exp.Expr]:
    def build(_call: Call, value: exp.Expr, share: exp.Expr, *_accuracy: exp.Expr) -> exp.Expr:
        made = plain(value, "DOUBLE") if name == "quantile_cont" else value
        return exp.Anonymous(this=name, expressions=[made, share])

    return build


def _median(_call: Call, value: exp.Expr) -> exp.Expr:
    return exp.Anonymous(this="quantile_cont", expressions=[plain(value, "DOUBLE"), exp.Literal.number("0.5")])


def _renamed(name: str) -> Callable[..., exp.Expr]:
    return lambda _call, *given: exp.Anonymous(this=name, expressions=list(given))


def _macro(name: str) -> Callable[..., exp.Expr]:
    return lambda call, *given: call(name, *given)


BUILDERS: dict[str, Callable[..., exp.Expr]] = {
    "date": _macro("cast_date"),
    "timestamp": _macro("cast_timestamp"),
    "date_format": _date_format,
    "to_date": _to_date,
    "to_timestamp": _to_timestamp,
    "unix_timestamp": _unix_timestamp,
    "to_unix_timestamp": _unix_timestamp,
    "from_unixtime": _from_unixtime,
    "datediff": _datediff,
    "date_diff": _datediff,
    "timestampdiff": _datediff,
    "date_add": _added,
    "dateadd": _added,
    "timestampadd": _added,
    "date_sub": _date_sub,
    "trunc": _trunc,
    "date_trunc": _date_trunc,
    "date_part": _date_part,
    "datepart": _date_part,
    "exists": _exists,
    "forall": _forall,
    "from_json": _from_json,
    "percentile": _quantile("quantile_cont"),
    "percentile_approx": _quantile("quantile_disc"),
    "approx_percentile": _quantile("quantile_disc"),
    "median": _median,
    "every": _renamed("bool_and"),
    "bool_and": _renamed("bool_and"),
    "some": _renamed("bool_or"),
    "bool_or": _renamed("bool_or"),
    "try_to_timestamp": _macro("try_timestamp"),
    "try_to_date": _macro("try_date"),
    "bigint": _macro("cast_integer"),
    "substr": _macro("substring"),
    "len": _macro("length"),
    "char_length": _macro("length"),
    "character_length": _macro("length"),
    "ucase": _renamed("upper"),
    "lcase": _renamed("lower"),
    "curdate": _macro("today"),
    "current_date": _macro("today"),
}
NAMES = frozenset(BUILDERS)
"""Functions that are built here."""
