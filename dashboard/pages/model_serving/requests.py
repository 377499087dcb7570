"""From what was entered to the request of an endpoint, in the input form that it describes."""

import json
from typing import Any

from pydantic import ValidationError

from dashboard.components.serving import (
    read_field,
)
from services.errors import InvalidRequest
from services.model_serving import EndpointSchema, Invocation


def read_row(
    schema: EndpointSchema, controls: list[dict[str, str]], values: list[str | None]
) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the row that the form holds, and what is wrong by column."""
    fields = {one.name: one for one in schema.fields}
    row: dict[str, Any] = {}
    wrong: dict[str, str] = {}
    for identifier, text in zip(controls, values, strict=True):
        field = fields.get(identifier["name"])
        if field is None:
            continue
        value, problem = read_field(field, text)
        if problem:
            wrong[field.name] = problem
        if value is not None or field.required:
            row[field.name] = value
    return row, wrong


def body_of(schema: EndpointSchema, row: dict[str, Any]) -> dict[str, Any]:
    """Return the request of one row, in the first form of input that the endpoint describes."""
    form = schema.forms[0] if schema.forms else "dataframe_records"
    if form == "dataframe_split":
        return {form: {"columns": list(row), "data": [list(row.values())]}}
    if form == "inputs":
        return {form: {name: [value] for name, value in row.items()}}
    return {form: [row]}


def request_of(
    schema: EndpointSchema, controls: list[dict[str, str]], values: list[str | None], text: str | None, view: str | None
) -> dict[str, Any]:
    """Return the request of what was entered.

    Raises:
        InvalidRequest: a field holds a wrong value, or the JSON is none.
    """
    if controls and view != "json":
        row, wrong = read_row(schema, controls, values)
        if wrong:
            name, problem = next(iter(wrong.items()))
            raise InvalidRequest(name, problem)
        return body_of(schema, row)
    try:
        body = json.loads(text or "")
    except ValueError as error:
        raise InvalidRequest("JSON", str(error)) from error
    if not isinstance(body, dict):
        raise InvalidRequest("JSON", "an object expected, with one of the forms of input")
    return body


def seconds_of(text: Any) -> float:
    """Return the time limit that was entered.

    Raises:
        InvalidRequest: no number from 1 to 300.
    """
    try:
        seconds = float(str(text or 30))
    except ValueError:
        seconds = 0.0
    if not 1 <= seconds <= 300:
        raise InvalidRequest("timeout_seconds", "a number of seconds expected, 1 to 300")
    return seconds


def invocation_of(body: dict[str, Any], seconds: Any) -> Invocation:
    """Return the typed request.

    Raises:
        InvalidRequest: the platform would not take it, or the time limit is no number.
    """
    limit = seconds_of(seconds)
    try:
        return Invocation.model_validate({**body, "timeout_seconds": limit})
    except ValidationError as error:
        first = error.errors()[0]
        raise InvalidRequest(".".join(map(str, first["loc"])), first["msg"]) from error
