"""From an endpoint's OpenAPI document to the fields of a form.

The document has one path for each served model with the schemas of its input forms. Models without a signature have
no usable document; those get an example for each input form and the JSON view. Reading is lenient: what is not
understood is left out, never guessed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from services.model_serving.models import (
    INPUT_FORMS,
    TABULAR_FORMS,
    EndpointSchema,
    FieldType,
    InputForm,
    Kind,
    SchemaField,
)

Schema = Mapping[str, Any]

GENERIC_EXAMPLES: dict[str, Any] = {
    "dataframe_records": {"dataframe_records": [{"column": 1}]},
    "dataframe_split": {"dataframe_split": {"columns": ["column"], "data": [[1]]}},
    "instances": {"instances": [{"column": 1}]},
    "inputs": {"inputs": {"column": [1]}},
    "messages": {"messages": [{"role": "user", "content": "Hello"}], "max_tokens": 256},
    "prompt": {"prompt": "Once upon a time", "max_tokens": 64},
    "input": {"input": ["Hello"]},
}
_KIND_OF_TASK: dict[str, Kind] = {
    "llm/v1/chat": "chat",
    "agent/v1/chat": "chat",
    "agent/v2/chat": "chat",
    "llm/v1/completions": "completions",
    "llm/v1/embeddings": "embeddings",
}
_FORM_OF_KIND: dict[Kind, InputForm] = {"chat": "messages", "completions": "prompt", "embeddings": "input"}
_TYPES: tuple[FieldType, ...] = ("number", "integer", "string", "boolean", "object", "array")
_DEEPEST = 32


def of_document(name: str, task: str | None, data: bytes) -> EndpointSchema:
    """The schema that ``data`` describes, or an undescribed one with the reason.

    Args:
        name: the endpoint's name.
        task: its task, or None for a model with a signature.
        data: its OpenAPI document.
    """
    try:
        found = _described(name, task, json.loads(data))
    except (ValueError, LookupError, TypeError, AttributeError, StopIteration):
        # Not JSON, or JSON of another shape than OpenAPI's somewhere on the way: whatever it is, it is no description.
        found = None
    return found or undescribed(name, task, "The endpoint's OpenAPI document describes no input columns.")


def _described(name: str, task: str | None, document: dict[str, Any]) -> EndpointSchema | None:
    """The schema of a document, None when it names no columns: a model without a signature."""
    operation = _operation(document)
    request = _resolved(document, operation["requestBody"]["content"]["application/json"]["schema"])
    forms = _forms(document, request)
    kind = _KIND_OF_TASK.get(task or "") or _kind_of(forms)
    fields = _columns(document, forms) if kind == "tabular" else []
    if kind == "unknown" or (kind == "tabular" and not fields):
        return None
    return EndpointSchema(
        endpoint_name=name,
        kind=kind,
        forms=_ordered(kind, forms),
        fields=fields,
        parameters=_parameters(document, request, kind),
        output=_output(document, operation),
        examples=_examples(kind, forms, fields),
        described=True,
    )


def undescribed(name: str, task: str | None, reason: str) -> EndpointSchema:
    """The schema of an endpoint that does not say what it wants: its kind by the task, generic examples."""
    kind = _KIND_OF_TASK.get(task or "", "unknown")
    forms: list[InputForm] = [_FORM_OF_KIND[kind]] if kind in _FORM_OF_KIND else list(TABULAR_FORMS)
    return EndpointSchema(
        endpoint_name=name,
        kind=kind,
        forms=forms,
        fields=[],
        parameters=[],
        output=None,
        examples={form: GENERIC_EXAMPLES[form] for form in forms},
        described=False,
        reason=reason,
    )


def _operation(document: Schema) -> dict[str, Any]:
    """The POST of the first served model."""
    operation: dict[str, Any] = next(path["post"] for path in document["paths"].values() if "post" in path)
    return operation


def _resolved(document: Schema, schema: Any, depth: int = 0) -> dict[str, Any]:
    """``schema`` with a reference inside the document followed."""
    if not isinstance(schema, dict) or depth > _DEEPEST:
        return {}
    reference = schema.get("$ref")
    if not isinstance(reference, str) or not reference.startswith("#/"):
        return schema
    target: Any = document
    for part in reference[2:].split("/"):
        target = target.get(part.replace("~1", "/").replace("~0", "~"), {}) if isinstance(target, dict) else {}
    return _resolved(document, target, depth + 1)


def _forms(document: Schema, request: Schema) -> dict[InputForm, dict[str, Any]]:
    """Each input form that the request's schema describes, with the schema of its value and its example."""
    alternatives = [request, *(request.get("oneOf") or request.get("anyOf") or [])]
    found: dict[InputForm, dict[str, Any]] = {}
    for alternative in alternatives:
        schema = _resolved(document, alternative)
        properties = schema.get("properties") or {}
        for form in INPUT_FORMS:
            if form in properties and form not in found:
                example = schema.get("example") or next(iter(schema.get("examples") or []), None)
                found[form] = {"schema": _resolved(document, properties[form]), "example": example}
    return found


def _kind_of(forms: Mapping[InputForm, Any]) -> Kind:
    if any(form in forms for form in TABULAR_FORMS):
        return "tabular"
    return next((kind for kind, form in _FORM_OF_KIND.items() if form in forms), "unknown")


def _ordered(kind: Kind, forms: Mapping[InputForm, Any]) -> list[InputForm]:
    if kind != "tabular":
        return [_FORM_OF_KIND[kind]]
    return [form for form in TABULAR_FORMS if form in forms]


def _columns(document: Schema, forms: Mapping[InputForm, dict[str, Any]]) -> list[SchemaField]:
    """The columns of a row, from the form that tells most: records, rows, columns, then a split frame."""
    for form in ("dataframe_records", "instances"):
        if form in forms:
            row = _resolved(document, forms[form]["schema"].get("items"))
            if row.get("properties"):
                return _fields(document, row, forms[form]["example"])
    if "inputs" in forms and forms["inputs"]["schema"].get("properties"):
        schema = forms["inputs"]["schema"]
        items = {
            name: _resolved(document, _resolved(document, one).get("items") or one)
            for name, one in schema["properties"].items()
        }
        return _fields(document, {**schema, "properties": items}, None)
    return _split_columns(document, forms["dataframe_split"]["schema"]) if "dataframe_split" in forms else []


def _split_columns(document: Schema, schema: Schema) -> list[SchemaField]:
    """Columns of a split frame: names in an enumeration, types by position."""
    properties = schema.get("properties") or {}
    names = _resolved(document, _resolved(document, properties.get("columns")).get("items")).get("enum") or []
    rows = _resolved(document, _resolved(document, properties.get("data")).get("items"))
    types = rows.get("prefixItems") or []
    typed = {str(name): (types[at] if at < len(types) else {}) for at, name in enumerate(names)}
    return _fields(document, {"properties": typed, "required": list(typed)}, None)


def _fields(document: Schema, row: Schema, example: Any) -> list[SchemaField]:
    required = set(row.get("required") or [])
    sample = _first_row(example)
    return [
        _field(name, _resolved(document, schema), name in required, sample.get(name))
        for name, schema in row["properties"].items()
    ]


def _first_row(example: Any) -> dict[str, Any]:
    """The first row of a form's example."""
    if isinstance(example, dict):
        for form in ("dataframe_records", "instances"):
            rows = example.get(form)
            if isinstance(rows, list) and rows and isinstance(rows[0], dict):
                return rows[0]
    return {}


def _field(name: str, schema: Schema, required: bool, example: Any) -> SchemaField:
    kinds = schema.get("type")
    named = [kind for kind in (kinds if isinstance(kinds, list) else [kinds]) if kind != "null"]
    known: FieldType = named[0] if len(named) == 1 and named[0] in _TYPES else "unknown"
    if example is None:
        example = schema.get("example", next(iter(schema.get("examples") or []), None))
    return SchemaField(
        name=name,
        type=known,
        format=schema.get("format"),
        required=required,
        minimum=schema.get("minimum"),
        maximum=schema.get("maximum"),
        choices=schema.get("enum") or [],
        default=schema.get("default"),
        example=example,
        help=schema.get("description"),
        nullable=isinstance(kinds, list) and "null" in kinds,
    )


def _parameters(document: Schema, request: Schema, kind: Kind) -> list[SchemaField]:
    """What may go with the input: parameters of a language task, or of a model logged with parameters."""
    properties = request.get("properties") or {}
    if kind == "tabular":
        alternatives = [request, *(request.get("oneOf") or request.get("anyOf") or [])]
        holders = [_resolved(document, one).get("properties") or {} for one in alternatives]
        params = next((holder["params"] for holder in holders if "params" in holder), None)
        schema = _resolved(document, params)
        return _fields(document, schema, None) if schema.get("properties") else []
    own = {name: schema for name, schema in properties.items() if name not in INPUT_FORMS and name != "stream"}
    return _fields(document, {"properties": own, "required": request.get("required") or []}, None)


def _output(document: Schema, operation: Schema) -> dict[str, Any] | None:
    """The schema of one prediction."""
    try:
        answer = _resolved(document, operation["responses"]["200"]["content"]["application/json"]["schema"])
    except (KeyError, TypeError):
        return None
    predictions = _resolved(document, (answer.get("properties") or {}).get("predictions"))
    return _resolved(document, predictions.get("items")) or None


def _examples(kind: Kind, forms: Mapping[InputForm, dict[str, Any]], fields: list[SchemaField]) -> dict[str, Any]:
    """A whole request body for each form: the document's own, else built from the fields."""
    if kind != "tabular":
        form = _FORM_OF_KIND[kind]
        own = (forms.get(form) or {}).get("example")
        return {form: own if isinstance(own, dict) and form in own else GENERIC_EXAMPLES[form]}
    row = {field.name: _sample(field) for field in fields}
    built: dict[str, Any] = {
        "dataframe_records": {"dataframe_records": [row]},
        "dataframe_split": {"dataframe_split": {"columns": list(row), "data": [list(row.values())]}},
        "instances": {"instances": [row]},
        "inputs": {"inputs": {name: [value] for name, value in row.items()}},
    }
    return {form: built[form] for form in TABULAR_FORMS if form in forms}


def _sample(field: SchemaField) -> Any:
    """A value that the field takes."""
    for value in (field.example, field.default, *field.choices[:1]):
        if value is not None:
            return value
    if field.type in ("number", "integer"):
        low = field.minimum if field.minimum is not None else 1
        return int(low) if field.type == "integer" else float(low)
    return {"boolean": True, "object": {}, "array": []}.get(field.type, "text")
