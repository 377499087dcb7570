"""From what was entered to the request of an endpoint, in the input form that it describes."""

import json
from typing import Any

from pydantic import ValidationError

from dashboard.components.fields import read_field
from services.errors import InvalidRequest
from services.model_serving import EndpointSchema, Invocation, SchemaField


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


def shaped(schema: EndpointSchema) -> EndpointSchema:
    """Return the schema with the fields that a form shows: prompt or texts, then parameters, for a language task."""
    if schema.kind not in ("completions", "embeddings"):
        return schema
    return schema.model_copy(update={"fields": [_TEXTS[schema.kind], *schema.parameters]})


_TEXTS = {
    "completions": SchemaField(
        name="prompt",
        type="string",
        format="text",
        required=True,
        example="Once upon a time",
        help="What to go on from.",
    ),
    "embeddings": SchemaField(
        name="input",
        type="string",
        format="text",
        required=True,
        example="The driver was friendly.\nThe driver was kind.\nIt rained all day.",
        help="One text a line; each becomes a vector.",
    ),
}


def body_of(schema: EndpointSchema, row: dict[str, Any]) -> dict[str, Any]:
    """Return the request of one row, in the first form of input that the endpoint describes."""
    if schema.kind == "completions":
        return {name: value for name, value in row.items() if value is not None}
    if schema.kind == "embeddings":
        lines = [line for line in str(row.get("input") or "").splitlines() if line.strip()]
        return {**{name: value for name, value in row.items() if value is not None}, "input": lines}
    form = schema.forms[0] if schema.forms else "dataframe_records"
    if form == "dataframe_split":
        return {form: {"columns": list(row), "data": [list(row.values())]}}
    if form == "inputs":
        return {form: {name: [value] for name, value in row.items()}}
    return {form: [row]}


def row_of(schema: EndpointSchema, body: Any) -> dict[str, Any] | None:
    """Return the row that a request holds, or None when a form with one row cannot show it."""
    if not isinstance(body, dict):
        return None
    row = _language_row(schema, body) if schema.kind in _TEXTS else _tabular_row(body)
    known = {one.name for one in schema.fields}
    return row if row is not None and set(row) <= known else None


def text_of(value: Any) -> str:
    """Return a value as it is entered into a field."""
    if value is None:
        return ""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list | bool) else str(value)


def _language_row(schema: EndpointSchema, body: dict[str, Any]) -> dict[str, Any] | None:
    if schema.kind == "completions":
        return dict(body) if isinstance(body.get("prompt"), str) else None
    texts = body.get("input")
    texts = [texts] if isinstance(texts, str) else texts
    if not isinstance(texts, list) or not all(isinstance(one, str) and "\n" not in one for one in texts):
        return None
    return {**body, "input": "\n".join(texts)}


def _tabular_row(body: dict[str, Any]) -> dict[str, Any] | None:
    """The one row of a table in any of its forms."""
    if len(body) != 1:
        return None
    form, value = next(iter(body.items()))
    if form in ("dataframe_records", "instances"):
        return dict(value[0]) if isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict) else None
    if not isinstance(value, dict):
        return None
    if form == "inputs":
        columns = list(value.values())
        whole = all(isinstance(one, list) and len(one) == 1 for one in columns)
        return {name: one[0] for name, one in value.items()} if whole else None
    names, data = value.get("columns"), value.get("data")
    if form != "dataframe_split" or not isinstance(names, list) or not isinstance(data, list) or len(data) != 1:
        return None
    return dict(zip(names, data[0], strict=True)) if isinstance(data[0], list) and len(data[0]) == len(names) else None


def request_of(
    schema: EndpointSchema, controls: list[dict[str, str]], values: list[str | None], text: str | None, view: str | None
) -> dict[str, Any]:
    """Return the request of what was entered.

    Raises:
        InvalidRequest: a field holds a wrong value, or the JSON is none.
    """
    if controls and view == "form":
        row, wrong = read_row(schema, controls, values)
        if wrong:
            name, problem = next(iter(wrong.items()))
            raise InvalidRequest(name, problem)
        return body_of(schema, row)
    try:
        body = json.loads(text or "")
    except ValueError as error:
        raise InvalidRequest("JSON", str(error)) from error
    except RecursionError:
        raise InvalidRequest("JSON", "nested too deeply") from None
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
