"""What a filter form's fields hold: from a condition to fields and back, and what is wrong with them.

Nothing here is drawn and no statement is sent. Whether a value suits its column is the service's to say
(``services/unity_catalog/literals.py``); here typed text becomes such a value with all its digits.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import re
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Literal

from dashboard.components.words import MINUS
from services.errors import InvalidRequest
from services.unity_catalog import types
from services.unity_catalog.filter_tree import MAX_VALUES, Condition, Scalar
from services.unity_catalog.filters import OPERATORS
from services.unity_catalog.literals import literal
from services.unity_catalog.models import Column
from services.unity_catalog.values import SAFE_INTEGER

Field = Literal["one", "to", "chosen", "listed"]
_INTEGER = re.compile(r"[+-]?[0-9]+")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_ITEM = re.compile(r'\s*(?:"((?:[^"]|"")*)"\s*|((?!")[^,]*))(?:,|$)', re.DOTALL)
_WORDS = {"nan": "NaN", "inf": "Infinity", "infinity": "Infinity", "-inf": "-Infinity", "-infinity": "-Infinity"}
_PICKED_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_PICKED_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,3})?)?")
_WHOLE_VALUES = frozenset({"eq", "ne", "lt", "le", "gt", "ge", "between", "in"})
"""Operators that compare with whole values, so that what one holds says something to the others."""


class WrongValuesError(Exception):
    """Fields that cannot be read, each with a sentence."""

    def __init__(self, problems: dict[Field, str]) -> None:
        """``problems`` are sentences by field."""
        super().__init__("; ".join(problems.values()))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Draft:
    """What the fields hold.

    ``one`` and ``to`` are texts of single values, ``chosen`` the checked values as JSON texts, ``listed`` a text of
    values with commas between them.
    """

    one: str = ""
    to: str = ""
    chosen: tuple[str, ...] = ()
    listed: str = ""

    @classmethod
    def of(cls, column: Column, condition: Condition | None) -> Draft:
        """The fields of a condition, or empty ones."""
        if condition is None or condition.value is None:
            return cls()
        values = condition.value if isinstance(condition.value, list) else [condition.value]
        if OPERATORS[condition.operator].takes == "many":
            return cls(chosen=tuple(as_option(value) for value in values))
        texts = [text_of(column, value) for value in values]
        return cls(one=texts[0], to=texts[1] if len(texts) > 1 else "")

    def carried(self, column: Column, before: str, after: str) -> Draft:
        """What was typed for one operator, where another looks for it; nothing that was typed is lost."""
        if not {before, after} <= _WHOLE_VALUES:
            return self
        if OPERATORS[after].takes == "many" and self.one and not (self.chosen or self.listed):
            with suppress(ValueError):
                return replace(self, chosen=(as_option(scalar(column, self.one)),))
            return replace(self, listed=quoted(self.one))
        if OPERATORS[after].takes != "many" and not self.one and self.chosen:
            return replace(self, one=text_of(column, json.loads(self.chosen[0])))
        return self

    def in_words(self, column: Column) -> Draft:
        """The checked values as a part of the list, for a form without boxes."""
        texts = [quoted(text_of(column, json.loads(one))) for one in self.chosen]
        return replace(self, chosen=(), listed=", ".join([*texts, *([self.listed] if self.listed else [])]))


def read(column: Column, operator: str, draft: Draft) -> Condition:
    """The condition that the fields say.

    Raises:
        WrongValuesError: a value is missing, does not suit the column, or the lowest is above the highest.
    """
    takes = OPERATORS[operator].takes
    value: Any = None
    if takes == "one":
        value = _read_fields(column, {"one": draft.one})[0]
    elif takes == "two":
        value = _read_fields(column, {"one": draft.one, "to": draft.to})
        lowest, highest = (_rank(column, one) for one in value)
        if lowest > highest:
            raise WrongValuesError({"one": "From is above To."})
    elif takes == "many":
        value = _read_many(column, draft)
    return Condition(column=column.name, operator=operator, value=value)  # type: ignore[arg-type]


def scalar(column: Column, text: str) -> Scalar:
    """One typed value as the service takes it, with all its digits (beyond 2^53 and for DECIMAL as text).

    Raises:
        ValueError: with what is wrong, as the beginning of a sentence.
    """
    kind = column.kind
    if kind != "text":
        text = text.strip().replace(MINUS, "-")
        if not text:
            raise ValueError(_MISSING.get(kind, "A value is needed"))
    value: Scalar = text
    if kind == "boolean":
        if text.lower() not in {"true", "false"}:
            raise ValueError("True or false expected")
        value = text.lower() == "true"
    elif kind in {"integer", "number", "decimal"}:
        value = _number(column, text)
    try:
        exact = literal(column.data_type, value, "value").value
    except InvalidRequest as error:
        raise ValueError(error.reason[:1].upper() + error.reason[1:]) from None
    return _plain_time(exact) if isinstance(exact, dt.datetime) else value


_MISSING = {
    "date": "A whole date is needed: year, month and day",
    "timestamp": "A whole time is needed: date, hours and minutes",
}


def text_of(column: Column, value: Scalar) -> str:
    """A value as its field shows it; ``scalar`` takes it back. Times of TIMESTAMP columns are turned to UTC."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(value).removesuffix(".0")
    if not isinstance(value, str) or column.kind not in {"date", "timestamp"}:
        return str(value)
    try:
        exact = literal(column.data_type, value, "value").value
    except InvalidRequest:
        return value
    if isinstance(exact, dt.datetime):
        return _plain_time(exact).replace(" ", "T")
    return str(exact.isoformat())


def picker(column: Column, text: str) -> Literal["date", "datetime-local", "text"]:
    """The input in which a text can be edited without losing anything: a picker holds milliseconds, no more.

    https://html.spec.whatwg.org/multipage/common-microsyntaxes.html#times
    """
    if column.kind == "date" and (not text or _PICKED_DATE.fullmatch(text)):
        return "date"
    if column.kind == "timestamp" and (not text or _PICKED_TIME.fullmatch(text)):
        return "datetime-local"
    return "text"


def as_option(value: Any) -> str:
    """A value as the text by which a box is known."""
    return json.dumps(value, ensure_ascii=False)


def same(column: Column, option: str) -> Any:
    """What makes two options the same value: 25, 25.0 and "25" of a DECIMAL column are one."""
    try:
        exact = literal(column.data_type, json.loads(option), "value").value
    except InvalidRequest:
        return option
    return "NaN" if isinstance(exact, float) and math.isnan(exact) else exact


def quoted(text: str) -> str:
    """A value of a list as ``listed`` takes it apart again: in quotes where a comma or a quote would mislead."""
    if text == text.strip() and text and not {",", '"', "\n", "\r"} & set(text):
        return text
    return '"' + text.replace('"', '""') + '"'


def listed(text: str) -> list[str]:
    """Values with commas between them, one with a comma in quotes as in RFC 4180; blanks around commas say nothing.

    Raises:
        ValueError: quotes that do not end where a value ends.
    """
    found: list[str] = []
    at = 0
    while at < len(text):
        item = _ITEM.match(text, at)
        if item is None:
            raise ValueError("Each quoted value ends with its quote, then a comma follows")
        inside, plain = item.groups()
        if inside is not None or plain.strip():
            found.append(plain.strip() if inside is None else inside.replace('""', '"'))
        at = item.end()
    return found


def _plain_time(moment: dt.datetime) -> str:
    """A time as cells write it, with the fraction that it has."""
    fraction = "microseconds" if moment.microsecond % 1000 else "milliseconds" if moment.microsecond else "seconds"
    return moment.replace(tzinfo=None).isoformat(sep=" ", timespec=fraction)


def _number(column: Column, text: str) -> Scalar:
    if column.kind != "integer" and text.lower() in _WORDS and types.is_float(column.data_type):
        return _WORDS[text.lower()]
    whole = column.kind == "integer"
    if not (_INTEGER if whole else _NUMBER).fullmatch(text):
        raise ValueError(f"{'A whole number' if whole else 'A number'} expected, not {text!r}")
    if column.kind == "decimal":
        return text
    if whole:
        return int(text) if len(text) < 30 and abs(int(text)) <= SAFE_INTEGER else text
    if math.isinf(float(text)):
        raise ValueError(f"{text} is beyond the largest {column.data_type}")
    return float(text)


def _read_fields(column: Column, texts: dict[Field, str]) -> list[Scalar]:
    values: list[Scalar] = []
    problems: dict[Field, str] = {}
    for field, text in texts.items():
        try:
            values.append(scalar(column, text))
        except ValueError as error:
            problems[field] = f"{error}."
    if problems:
        raise WrongValuesError(problems)
    return values


def _read_many(column: Column, draft: Draft) -> list[Scalar]:
    values: dict[Any, Scalar] = {}
    try:
        for text in [*(text_of(column, json.loads(one)) for one in draft.chosen), *listed(draft.listed)]:
            value = scalar(column, text)
            values.setdefault(same(column, as_option(value)), value)
    except ValueError as error:
        raise WrongValuesError({"listed": f"{error}."}) from None
    if not values:
        raise WrongValuesError({"chosen": "Choose at least one value.", "listed": "At least one value is needed."})
    if len(values) > MAX_VALUES:
        raise WrongValuesError({"listed": f"At most {MAX_VALUES:,} values."})
    return list(values.values())


def _rank(column: Column, value: Scalar) -> tuple[bool, Any]:
    exact = literal(column.data_type, value, "value").value
    nan = isinstance(exact, float) and math.isnan(exact)
    return nan, 0 if nan else exact
