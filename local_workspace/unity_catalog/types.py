"""What Unity Catalog's REST API and information_schema say about a Databricks type, from its text."""

from __future__ import annotations

import json
import re

_NAMES = {
    "tinyint": "BYTE",
    "byte": "BYTE",
    "smallint": "SHORT",
    "short": "SHORT",
    "int": "INT",
    "integer": "INT",
    "bigint": "LONG",
    "long": "LONG",
    "float": "FLOAT",
    "real": "FLOAT",
    "double": "DOUBLE",
    "string": "STRING",
    "varchar": "STRING",
    "char": "CHAR",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
    "timestamp_ntz": "TIMESTAMP_NTZ",
    "binary": "BINARY",
    "decimal": "DECIMAL",
    "dec": "DECIMAL",
    "numeric": "DECIMAL",
    "array": "ARRAY",
    "map": "MAP",
    "struct": "STRUCT",
    "variant": "VARIANT",
    "void": "NULL",
    "interval": "INTERVAL",
}
_JSON_NAMES = {
    "BYTE": "byte",
    "SHORT": "short",
    "INT": "integer",
    "LONG": "long",
    "NULL": "void",
}


def base_name(type_text: str) -> str:
    """The type's first word in lower case: ``decimal`` for ``DECIMAL(10,2)``."""
    match = re.match(r"\s*([a-z_]+)", type_text.lower())
    return match.group(1) if match else ""


def type_name(type_text: str) -> str:
    """The REST API's ``type_name`` (an enumeration): ``LONG`` for ``bigint``."""
    return _NAMES.get(base_name(type_text), "USER_DEFINED_TYPE")


def type_precision(type_text: str) -> tuple[int, int]:
    """Precision and scale of a decimal; (0, 0) for every other type, as the REST API has it."""
    if type_name(type_text) != "DECIMAL":
        return 0, 0
    numbers = [int(number) for number in re.findall(r"\d+", type_text)]
    return (numbers + [10, 0][len(numbers) :])[0], (numbers + [10, 0][len(numbers) :])[1]


def type_json(name: str, type_text: str, *, nullable: bool, comment: str | None) -> str:
    """The column as a Spark struct field in JSON, which the REST API gives beside the text."""
    metadata = {"comment": comment} if comment else {}
    return json.dumps({"name": name, "type": _spark_type(type_text), "nullable": nullable, "metadata": metadata})


def _spark_type(type_text: str) -> object:
    text = type_text.strip().lower()
    inner = text[text.find("<") + 1 : -1] if text.endswith(">") else ""
    kind = type_name(text)
    if kind == "ARRAY":
        return {"type": "array", "elementType": _spark_type(inner), "containsNull": True}
    if kind == "MAP":
        key, value = _split(inner)
        return {"type": "map", "keyType": _spark_type(key), "valueType": _spark_type(value), "valueContainsNull": True}
    if kind == "STRUCT":
        fields = [re.split(r"\s*:\s*|\s+", field.strip(), maxsplit=1) for field in _split(inner)]
        return {
            "type": "struct",
            "fields": [
                {"name": name, "type": _spark_type(field_type), "nullable": True, "metadata": {}}
                for name, field_type in fields
            ],
        }
    if kind == "DECIMAL":
        precision, scale = type_precision(text)
        return f"decimal({precision},{scale})"
    return _JSON_NAMES.get(kind, text)


def _split(text: str) -> list[str]:
    """Split at the commas that are not inside brackets."""
    parts, depth, start = [], 0, 0
    for index, character in enumerate(text):
        depth += (character in "<(") - (character in ">)")
        if character == "," and depth == 0:
            parts.append(text[start:index].strip())
            start = index + 1
    return [*parts, text[start:].strip()] if text.strip() else parts
