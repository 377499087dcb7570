"""An endpoint's own description: an OpenAPI 3.1 document, from each served model's signature or task."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local_workspace.serving.language import EMBEDDING_SIZE, MAX_INPUTS
from local_workspace.serving.signature import Field, Signature

Schema = dict[str, Any]

_TYPES: Mapping[str, Schema] = {
    "double": {"type": "number", "format": "double"},
    "integer": {"type": "integer", "format": "int32"},
    "long": {"type": "integer", "format": "int64"},
    "string": {"type": "string"},
    "boolean": {"type": "boolean"},
}


def document(endpoint: str, url: str, operations: Mapping[str, tuple[Schema, Schema]]) -> Schema:
    """The whole document.

    Args:
        endpoint: the endpoint's name.
        url: its address, to which the paths are relative.
        operations: for each served entity the schemas of request and answer.
    """
    paths = {f"/served-models/{served}/invocations": {"post": _operation(*both)} for served, both in operations.items()}
    info = {"title": endpoint, "version": "1"}
    return {"openapi": "3.1.0", "info": info, "servers": [{"url": url}], "paths": paths}


def _operation(request: Schema, answer: Schema) -> Schema:
    return {
        "requestBody": {"required": True, "content": {"application/json": {"schema": request}}},
        "responses": {
            "200": {"description": "Successful operation", "content": {"application/json": {"schema": answer}}}
        },
    }


def tabular(signature: Signature) -> tuple[Schema, Schema]:
    """Request (any of the four input forms) and answer of a model with a signature."""
    columns = {field.name: _field(field) for field in signature.fields}
    required = [field.name for field in signature.fields if field.required]
    row = {"type": "object", "properties": columns, "required": required, "additionalProperties": False}
    example = {field.name: field.example for field in signature.fields}
    split = {
        "type": "object",
        "required": ["columns", "data"],
        "properties": {
            "index": {"type": "array", "items": {"type": "integer"}},
            "columns": {"type": "array", "items": {"type": "string", "enum": list(columns)}},
            "data": {"type": "array", "items": {"type": "array", "prefixItems": list(columns.values())}},
        },
    }
    by_column = {name: {"type": "array", "items": schema} for name, schema in columns.items()}
    forms = (
        ("dataframe_records", {"type": "array", "items": row}, [example]),
        ("dataframe_split", split, {"columns": list(example), "data": [list(example.values())]}),
        ("instances", {"type": "array", "items": row}, [example]),
        (
            "inputs",
            {"type": "object", "properties": by_column, "required": required, "additionalProperties": False},
            {name: [value] for name, value in example.items()},
        ),
    )
    request = {"oneOf": [_form(name, schema, sample) for name, schema, sample in forms]}
    predictions = {"type": "array", "items": dict(signature.output)}
    answer = {"type": "object", "required": ["predictions"], "properties": {"predictions": predictions}}
    return request, answer


def _form(name: str, schema: Schema, sample: Any) -> Schema:
    return {"type": "object", "required": [name], "properties": {name: schema}, "example": {name: sample}}


def _field(field: Field) -> Schema:
    schema = dict(_TYPES[field.type])
    if field.help:
        schema["description"] = field.help
    for key, value in (("minimum", field.minimum), ("maximum", field.maximum), ("default", field.default)):
        if value is not None:
            schema[key] = value
    if field.choices:
        schema["enum"] = list(field.choices)
    if field.example is not None:
        schema["examples"] = [field.example]
    return schema


_USAGE: Schema = {
    "type": "object",
    "properties": {name: {"type": "integer"} for name in ("prompt_tokens", "completion_tokens", "total_tokens")},
}
_GENERATION: Schema = {
    "max_tokens": {"type": "integer", "minimum": 1, "description": "Longest answer, in tokens."},
    "temperature": {
        "type": "number",
        "minimum": 0,
        "maximum": 2,
        "default": 1.0,
        "description": "Accepted for compatibility; an echo is always the same.",
    },
    "stop": {"type": "array", "items": {"type": "string"}, "description": "Texts at which the answer ends."},
    "stream": {"type": "boolean", "default": False, "description": "Send the answer as server-sent events."},
}


def _language(name: str, schema: Schema, sample: Any, extra: Schema, answer: Schema) -> tuple[Schema, Schema]:
    request = {
        "type": "object",
        "required": [name],
        "properties": {name: schema, **extra},
        "example": {name: sample},
    }
    return request, {"type": "object", "properties": answer}


def _choices(of: Schema) -> Schema:
    choice = {"type": "object", "properties": {"index": {"type": "integer"}, **of, "finish_reason": {"type": "string"}}}
    return {"type": "array", "items": choice}


def language(task: str) -> tuple[Schema, Schema]:
    """Request and answer of a language task."""
    message = {
        "type": "object",
        "required": ["role", "content"],
        "properties": {
            "role": {"type": "string", "enum": ["system", "user", "assistant", "tool"]},
            "content": {"type": "string"},
        },
    }
    if task == "llm/v1/chat":
        messages = {"type": "array", "minItems": 1, "items": message, "description": "The conversation so far."}
        sample: Any = [{"role": "user", "content": "Hello"}]
        return _language(
            "messages", messages, sample, _GENERATION, {"choices": _choices({"message": message}), "usage": _USAGE}
        )
    if task == "llm/v1/completions":
        prompt = {"type": "string", "minLength": 1, "description": "The text to go on from."}
        answer = {"choices": _choices({"text": {"type": "string"}}), "usage": _USAGE}
        return _language("prompt", prompt, "Once upon a time", _GENERATION, answer)
    texts = {"type": "array", "minItems": 1, "maxItems": MAX_INPUTS, "items": {"type": "string"}}
    given = {"oneOf": [{"type": "string"}, texts], "description": "A text, or a list of texts."}
    vector = {"type": "array", "minItems": EMBEDDING_SIZE, "maxItems": EMBEDDING_SIZE, "items": {"type": "number"}}
    item = {"type": "object", "properties": {"index": {"type": "integer"}, "embedding": vector}}
    return _language("input", given, ["Hello"], {}, {"data": {"type": "array", "items": item}, "usage": _USAGE})
