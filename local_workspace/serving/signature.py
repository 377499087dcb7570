"""A model's signature, and turning the platform's four tabular input forms into validated columns.

The forms are those of "Query serving endpoints for custom models" in the Databricks documentation: ``dataframe_split``,
``dataframe_records``, ``instances`` and ``inputs``. Types and their names are MLflow's column types
(https://mlflow.org/docs/latest/ml/model/signatures/); like MLflow, an integer widens to a double, nothing narrows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

FieldType = Literal["double", "long", "integer", "string", "boolean"]
Columns = dict[str, list[Any]]

TABULAR_FORMS = ("dataframe_records", "dataframe_split", "instances", "inputs")
_INTEGER_BITS = {"integer": 31, "long": 63}


class InputError(Exception):
    """The input does not fit the model; ``str()`` is the reason, fit to be shown to the caller."""


@dataclass(frozen=True, slots=True)
class Field:
    """One input column.

    Attributes:
        name: its name.
        type: its MLflow type.
        required: whether a row without it is refused.
        help: one sentence for the person who fills it in.
        minimum: smallest value accepted, or None.
        maximum: largest value accepted, or None.
        choices: the values accepted; empty means any.
        default: what an optional field takes when it is left out.
        example: a plausible value.
    """

    name: str
    type: FieldType
    required: bool = True
    help: str = ""
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    default: Any = None
    example: Any = None

    def checked(self, value: Any) -> Any:
        """``value`` as the model takes it.

        Raises:
            InputError: wrong type, outside the range, or not one of the choices.
        """
        if value is None:
            if self.required:
                raise InputError(f"Column '{self.name}' is required and must not be null.")
            return self.default
        converted = _converted(self, value)
        if self.choices and converted not in self.choices:
            raise InputError(f"Column '{self.name}' must be one of {', '.join(self.choices)}; got {value!r}.")
        if self.minimum is not None and converted < self.minimum:
            raise InputError(f"Column '{self.name}' must be at least {self.minimum:g}; got {value!r}.")
        if self.maximum is not None and converted > self.maximum:
            raise InputError(f"Column '{self.name}' must be at most {self.maximum:g}; got {value!r}.")
        return converted


def _converted(field: Field, value: Any) -> Any:
    """``value`` in the field's type; integers widen to double, nothing else changes its type."""
    if field.type == "double":
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return _finite(field, value)
    elif field.type in _INTEGER_BITS:
        if isinstance(value, int) and not isinstance(value, bool):
            limit = 2 ** _INTEGER_BITS[field.type]
            if not -limit <= value < limit:
                raise InputError(f"Column '{field.name}' is out of range for type {field.type}: {value}.")
            return value
    elif isinstance(value, str if field.type == "string" else bool):
        return value
    raise InputError(
        f"Incompatible input types for column {field.name}. Can not safely convert {_kind(value)} to {field.type}."
    )


def _finite(field: Field, value: float) -> float:
    try:
        number = float(value)
    except OverflowError as error:
        raise InputError(f"Column '{field.name}' is out of range for type double.") from error
    if not math.isfinite(number):
        raise InputError(f"Column '{field.name}' must be a finite number.")
    return number


def _kind(value: Any) -> str:
    """The MLflow-like name of a JSON value's type."""
    names = {bool: "boolean", int: "long", float: "double", str: "string", list: "array", dict: "object"}
    return names.get(type(value), "null")


@dataclass(frozen=True, slots=True)
class Signature:
    """The input columns of a model, in order, and the JSON Schema of one prediction."""

    fields: tuple[Field, ...]
    output: Mapping[str, Any]

    def columns(self, form: str, payload: Any) -> tuple[Columns, int]:
        """Validated columns (name to values) and the number of rows.

        Args:
            form: one of ``TABULAR_FORMS``.
            payload: what the request holds under that name.

        Raises:
            InputError: the payload has the wrong shape, or a column is missing, unknown or of the wrong type.
        """
        raw, rows = _READERS[form](self, payload)
        self._check_names(raw)
        result: Columns = {}
        for field in self.fields:
            values = raw.get(field.name)
            if values is None:
                result[field.name] = [field.default] * rows
                continue
            result[field.name] = [field.checked(value) for value in values]
        return result, rows

    def _check_names(self, raw: Columns) -> None:
        known = [field.name for field in self.fields]
        missing = [field.name for field in self.fields if field.required and field.name not in raw]
        if missing:
            raise InputError(f"Model is missing inputs {missing}.")
        extra = [name for name in raw if name not in known]
        if extra:
            raise InputError(f"Unknown inputs {extra}; the model's inputs are {known}.")


def _list(payload: Any, what: str) -> list[Any]:
    if not isinstance(payload, list):
        raise InputError(f"'{what}' must be a list.")
    return payload


def _records(signature: Signature, payload: Any, what: str = "dataframe_records") -> tuple[Columns, int]:
    """Rows of ``{column: value}``; a key that a later row leaves out reads as null, as pandas reads it."""
    rows = _list(payload, what)
    names: dict[str, None] = {}
    for position, row in enumerate(rows):
        if not isinstance(row, dict):
            raise InputError(f"Row {position} of '{what}' must be an object of column names and values.")
        names.update(dict.fromkeys(row))
    if not rows:
        return {field.name: [] for field in signature.fields}, 0
    return {name: [row.get(name) for row in rows] for name in names}, len(rows)


def _split(_signature: Signature, payload: Any) -> tuple[Columns, int]:
    """``{"columns": […], "data": [[…]], "index": […]}``."""
    if not isinstance(payload, dict) or not {"columns", "data"} <= set(payload):
        raise InputError("'dataframe_split' must be an object with 'columns' and 'data'.")
    names, rows = _list(payload["columns"], "columns"), _list(payload["data"], "data")
    if len(set(map(str, names))) != len(names):
        raise InputError("'columns' names a column twice.")
    for position, row in enumerate(rows):
        if not isinstance(row, list) or len(row) != len(names):
            raise InputError(f"{len(names)} columns passed, row {position} of 'data' does not have as many values.")
    index = payload.get("index")
    if index is not None and len(_list(index, "index")) != len(rows):
        raise InputError(f"'index' has {len(index)} entries for {len(rows)} rows.")
    return {str(name): [row[at] for row in rows] for at, name in enumerate(names)}, len(rows)


def _instances(signature: Signature, payload: Any, what: str = "instances") -> tuple[Columns, int]:
    """Rows as objects, or as bare values when the model has one column."""
    rows = _list(payload, what)
    if rows and not isinstance(rows[0], dict):
        return _single(signature, rows, what)
    return _records(signature, rows, what)


def _inputs(signature: Signature, payload: Any) -> tuple[Columns, int]:
    """``{column: [values]}``; a list is read as ``instances`` are."""
    if not isinstance(payload, dict):
        return _instances(signature, payload, "inputs")
    lengths = {name: len(_list(values, str(name))) for name, values in payload.items()}
    if len(set(lengths.values())) > 1:
        raise InputError(f"The lists of 'inputs' have different lengths: {lengths}.")
    return dict(payload), next(iter(lengths.values()), 0)


def _single(signature: Signature, rows: Sequence[Any], what: str) -> tuple[Columns, int]:
    if len(signature.fields) != 1:
        names = [field.name for field in signature.fields]
        raise InputError(f"Each row of '{what}' must be an object with the model's inputs {names}.")
    values = [row[0] if isinstance(row, list) and len(row) == 1 else row for row in rows]
    return {signature.fields[0].name: values}, len(rows)


_READERS: dict[str, Callable[[Signature, Any], tuple[Columns, int]]] = {
    "dataframe_records": _records,
    "dataframe_split": _split,
    "instances": _instances,
    "inputs": _inputs,
}
