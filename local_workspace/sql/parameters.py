"""Bound parameters: each marker becomes a typed expression of the tree, never text of the statement."""

from __future__ import annotations

from sqlglot import exp

from local_workspace.sql import errors, types
from local_workspace.sql.model import Parameter, SqlError

PREFIX = "p_"


def values(parameters: tuple[Parameter, ...], used: frozenset[str]) -> dict[str, str | None]:
    """DuckDB's named values for the markers in ``used`` (as ``bind`` reported them)."""
    found = {_key(place): item.value for place, item in enumerate(_ordered(parameters))}
    return {name: found.get(name) for name in used}


def shown(parameters: tuple[Parameter, ...]) -> dict[str, str]:
    """What names of unnamed columns show for each marker: its value."""
    return {
        (item.name or f"_{place + 1}").lower(): "NULL" if item.value is None else item.value
        for place, item in enumerate(_ordered(parameters))
    }


def standing(parameters: tuple[Parameter, ...]) -> tuple[object, ...]:
    """What a bound tree holds of the parameters: names, types, and the values that stand in it as literals."""
    return tuple(
        (item.name, item.type) if _stays_marker(item) else (item.name, item.type, item.value, item.arguments)
        for item in parameters
    )


def _stays_marker(item: Parameter) -> bool:
    """Whether the tree holds a marker for the value, which is handed over when the statement runs."""
    constant = item.value is None or item.arguments or item.type.upper() in ("VOID", "NULL", "ARRAY", "MAP", "STRING")
    return not constant


def _ordered(parameters: tuple[Parameter, ...]) -> list[Parameter]:
    return [item for item in parameters if item.name is None] + [item for item in parameters if item.name is not None]


def _key(place: int) -> str:
    return f"{PREFIX}{place}"


def bind(tree: exp.Expr, parameters: tuple[Parameter, ...]) -> tuple[exp.Expr, frozenset[str]]:
    """Replace ``:name`` markers; surplus parameters are ignored, as the platform does.

    ``?`` markers are ``:_1`` … by now, see ``dialect.number_markers``.

    Returns:
        The tree, and the keys of the values that it needs.

    Raises:
        SqlError: UNBOUND_SQL_PARAMETER for a marker without a value, INVALID_SQL_ARG for an unusable type.
    """
    ordered = _ordered(parameters)
    names = [(item.name or f"_{place + 1}").lower() for place, item in enumerate(ordered)]
    used: set[str] = set()
    for marker in list(tree.find_all(exp.Placeholder)):
        name = marker.name
        if name.lower() not in names:
            raise errors.unbound(name)
        place = names.index(name.lower())
        marker.replace(_expression(ordered[place], _key(place), used))
    return tree, frozenset(used)


def _expression(item: Parameter, key: str, used: set[str]) -> exp.Expr:
    kind = item.type.upper()
    if _stays_marker(item):
        used.add(key)
        return typed(exp.Placeholder(this=key), kind)
    if kind in ("VOID", "NULL") or (item.value is None and kind not in ("ARRAY", "MAP")):
        return exp.Null()
    if kind in ("ARRAY", "MAP") or item.arguments:
        return _collection(item)
    # A literal takes the other side's type in a comparison, as the platform's strings do; a marker would not.
    return exp.Literal.string(item.value)


def _collection(item: Parameter) -> exp.Expr:
    elements = [_constant(argument) for argument in item.arguments]
    if item.type.upper() == "MAP":
        return exp.Map(keys=exp.Array(expressions=elements[::2]), values=exp.Array(expressions=elements[1::2]))
    return exp.Array(expressions=elements)


def _constant(item: Parameter) -> exp.Expr:
    kind = item.type.upper()
    if kind in ("ARRAY", "MAP"):
        return _collection(item)
    if kind == "VOID" or item.value is None:
        return exp.Null()
    return typed(exp.Literal.string(item.value), kind)


def typed(value: exp.Expr, kind: str) -> exp.Expr:
    """``value`` (a text) as a value of the Databricks type ``kind``.

    Raises:
        SqlError: INVALID_SQL_ARG.
    """
    try:
        return types.plain(value, kind)
    except SqlError as fault:
        raise SqlError("INVALID_SQL_ARG", f"The type {kind} of a parameter is invalid.", "42000") from fault
