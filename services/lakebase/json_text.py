"""JSON as text that comes back as it went in.

Python's ``float`` would turn ``1.10`` into ``1.1`` and ``1e400`` into infinity, so numbers keep the text that they were
written with: values are checked and written again without white space, but no number is ever computed.
"""

from __future__ import annotations

import json
from typing import Any, NoReturn

from services.errors import InvalidRequest

MAX_BYTES = 64 * 1024
"""Largest value, as compact UTF-8 JSON."""

MAX_DEPTH = 64
"""Deepest nesting of arrays and objects."""

MAX_BODY_BYTES = 8 * MAX_BYTES
"""Largest request body: escapes (``\\\\u00e9`` for two bytes) and white space may make it longer than the value."""

LOG_BYTES = 1024 * 1024
"""Largest input or prediction that is kept in the log of model invocations."""


class _Number(str):
    """A number's own text."""

    __slots__ = ()


def normalise(text: str, field: str = "value") -> str:
    """Checks a JSON text and gives it without white space; numbers stay letter for letter.

    Args:
        text: the JSON text.
        field: its name in the request, for the error.

    Raises:
        InvalidRequest: not JSON, NaN or infinity, a NUL character or half a surrogate pair in a string, a repeated
            member name, deeper than ``MAX_DEPTH`` or larger than ``MAX_BYTES``.
    """
    if len(text) > MAX_BODY_BYTES:
        raise InvalidRequest(field, f"larger than {MAX_BYTES} bytes")
    return _checked(_parse(text, field), field)


def member(body: bytes, name: str) -> str:
    """One member of a request body (a JSON object), as :func:`normalise` gives it.

    Raises:
        InvalidRequest: as there; also for a body that is not UTF-8, not an object or without that member.
    """
    if len(body) > MAX_BODY_BYTES:
        raise InvalidRequest("body", f"larger than {MAX_BODY_BYTES} bytes")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidRequest("body", f"not UTF-8 at byte {error.start}") from None
    document = _parse(text, "body")
    if not isinstance(document, dict) or name not in document:
        raise InvalidRequest(name, "missing")
    return _checked(document[name], name)


def of_value(value: Any) -> str:
    """A Python value as JSON text for the log; what JSON cannot say (NaN, dates …) is text, the too large a note."""
    try:
        text = json.dumps(value, allow_nan=False, default=str, separators=(",", ":"))
    except ValueError:
        text = json.dumps(_without_nan(value), default=str, separators=(",", ":"))
    if len(text) > LOG_BYTES:
        return json.dumps({"omitted": f"larger than {LOG_BYTES} bytes", "bytes": len(text)})
    return text


def pretty(text: str) -> str:
    """A JSON text with two spaces of indentation, for people; numbers stay letter for letter."""
    parts: list[str] = []
    _write(_parse(text, "value"), parts, 0, "value", indent=True)
    return "".join(parts)


def _parse(text: str, field: str) -> Any:
    def refuse(constant: str) -> NoReturn:
        raise InvalidRequest(field, f"{constant} is not JSON")

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        document = dict(pairs)
        if len(document) != len(pairs):
            raise InvalidRequest(field, "a member name occurs twice in one object")
        return document

    try:
        return json.loads(text, parse_float=_Number, parse_int=_Number, parse_constant=refuse, object_pairs_hook=unique)
    except json.JSONDecodeError as error:
        raise InvalidRequest(field, f"not JSON: {error.msg} (line {error.lineno}, column {error.colno})") from None
    except RecursionError:
        raise InvalidRequest(field, f"deeper than {MAX_DEPTH} levels") from None


def _checked(value: Any, field: str) -> str:
    parts: list[str] = []
    _write(value, parts, 0, field)
    text = "".join(parts)
    if len(text.encode()) > MAX_BYTES:
        raise InvalidRequest(field, f"larger than {MAX_BYTES} bytes")
    return text


def _write(value: Any, parts: list[str], depth: int, field: str, *, indent: bool = False) -> None:
    if isinstance(value, _Number):
        parts.append(value)
    elif isinstance(value, str):
        parts.append(_string(value, field))
    elif isinstance(value, dict | list):
        if depth >= MAX_DEPTH:
            raise InvalidRequest(field, f"deeper than {MAX_DEPTH} levels")
        _write_container(value, parts, depth, field, indent=indent)
    else:
        parts.append({None: "null", True: "true", False: "false"}[value])


def _write_container(
    value: dict[str, Any] | list[Any], parts: list[str], depth: int, field: str, *, indent: bool
) -> None:
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    line = "\n" + "  " * (depth + 1) if indent and value else ""
    parts.append(opening)
    for position, item in enumerate(value):
        parts.append(("," if position else "") + line)
        if isinstance(value, dict):
            parts.append(_string(item, field) + (": " if indent else ":"))
            item = value[item]
        _write(item, parts, depth + 1, field, indent=indent)
    parts.append(("\n" + "  " * depth if line else "") + closing)


def _string(value: str, field: str) -> str:
    if "\x00" in value:
        raise InvalidRequest(field, "contains a NUL character")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise InvalidRequest(field, "contains half a surrogate pair, which is no character") from None
    return json.dumps(value, ensure_ascii=False)


def _without_nan(value: Any) -> Any:
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return str(value)
    if isinstance(value, dict):
        return {str(name): _without_nan(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(one) for one in value]
    return value
