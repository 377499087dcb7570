"""The inputs of a model as a form reads them: what was entered, what is wrong with it, and in which words."""

from __future__ import annotations

import json
import math
from typing import Any

from dashboard.components.words import MINUS, number
from services.model_serving import SchemaField


def read_field(field: SchemaField, text: str | None) -> tuple[Any, str | None]:
    """Return the value of what was entered, and what is wrong with it or None; an empty optional field is None."""
    words = (text or "").strip() if isinstance(text, str) or text is None else str(text)
    if words == "":
        return None, None if not field.required or field.nullable else "A value is needed."
    if field.choices:
        chosen = next((one for one in field.choices if str(one) == words), None)
        return chosen, None if chosen is not None else "One of the choices expected."
    reader = {"integer": _read_integer, "number": _read_number, "boolean": _read_boolean}.get(field.type)
    if reader is not None:
        value, wrong = reader(words)
        return (None, wrong) if wrong else (value, _range_problem(field, value))
    if field.type in ("object", "array"):
        try:
            return json.loads(words), None
        except ValueError:
            return None, "JSON expected."
    return text, None


def hint(field: SchemaField) -> str:
    """Return the help of a field; its range stands beside its name."""
    return field.help or ""


def spec_of(field: SchemaField) -> dict[str, Any]:
    """Return what the browser needs to check a value with (assets/field_words.js) the same words as `read_field`."""
    return {
        "name": field.name,
        "type": field.type,
        "required": field.required,
        "nullable": field.nullable,
        "choices": [str(one) for one in field.choices],
        "minimum": field.minimum,
        "maximum": field.maximum,
        "minimum_words": None if field.minimum is None else _short(field.minimum),
        "maximum_words": None if field.maximum is None else _short(field.maximum),
    }


def range_of(field: SchemaField) -> str:
    """Return the range of a field in words, empty without one."""
    if field.minimum is not None and field.maximum is not None:
        return f"{_short(field.minimum)}\u2013{_short(field.maximum)}"
    return f"at least {_short(field.minimum)}" if field.minimum is not None else ""


def _range_problem(field: SchemaField, value: float) -> str | None:
    if field.minimum is not None and value < field.minimum:
        return f"At least {_short(field.minimum)} expected."
    if field.maximum is not None and value > field.maximum:
        return f"At most {_short(field.maximum)} expected."
    return None


def _read_integer(words: str) -> tuple[Any, str | None]:
    try:
        return int(words.replace(MINUS, "-")), None
    except ValueError:
        ends = " the last sign is a letter." if words[-1].isalpha() and words[:-1].isdigit() else ""
        return None, f"Whole number expected:{ends}" if ends else "Whole number expected."


def _read_number(words: str) -> tuple[Any, str | None]:
    try:
        value = float(words.replace(MINUS, "-"))
    except ValueError:
        return None, "Number expected, with a point before the fraction."
    return (value, None) if math.isfinite(value) else (None, "A finite number expected.")


def _read_boolean(words: str) -> tuple[Any, str | None]:
    return (words.lower() == "true", None) if words.lower() in ("true", "false") else (None, "true or false expected.")


def _short(value: float) -> str:
    return number(int(value)) if float(value).is_integer() else number(value)
