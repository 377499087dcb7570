"""Objects to JSON documents and back, for the store."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from local_workspace.unity_catalog.model import (
    Catalog,
    Column,
    ColumnMask,
    Function,
    ModelVersion,
    Parameter,
    RegisteredModel,
    RowFilter,
    Schema,
    Table,
)

Securable = Catalog | Schema | Table | Function | RegisteredModel


def to_document(value: Securable) -> dict[str, Any]:
    """The JSON document of an object (tuples become arrays when it is written)."""
    return asdict(value)


def _column(document: dict[str, Any]) -> Column:
    mask = document.get("mask")
    fields = dict(document)
    fields["mask"] = ColumnMask(mask["function"], tuple(mask["using"])) if mask else None
    return Column(**fields)


def table(document: dict[str, Any]) -> Table:
    """The table or view that ``document`` holds."""
    fields = dict(document)
    fields["columns"] = tuple(_column(column) for column in document["columns"])
    fields["primary_key"] = tuple(document["primary_key"])
    row_filter = document.get("row_filter")
    fields["row_filter"] = RowFilter(row_filter["function"], tuple(row_filter["columns"])) if row_filter else None
    return Table(**fields)


def function(document: dict[str, Any]) -> Function:
    """The function that ``document`` holds."""
    fields = dict(document)
    fields["parameters"] = tuple(Parameter(**parameter) for parameter in document["parameters"])
    return Function(**fields)


def registered_model(document: dict[str, Any]) -> RegisteredModel:
    """The registered model, with its versions, that ``document`` holds."""
    fields = dict(document)
    fields["versions"] = tuple(ModelVersion(**version) for version in document["versions"])
    return RegisteredModel(**fields)


READERS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "catalog": lambda document: Catalog(**document),
    "schema": lambda document: Schema(**document),
    "table": table,
    "function": function,
    "registered_model": registered_model,
}
"""How each kind of object is read back."""
