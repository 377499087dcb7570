"""How the REST API shows the metastore's objects (https://docs.databricks.com/api/workspace/catalogs and others)."""

from __future__ import annotations

from typing import Any

from local_workspace.unity_catalog.access import EffectivePrivilege
from local_workspace.unity_catalog.information_schema import primary_key_name
from local_workspace.unity_catalog.model import (
    Catalog,
    Column,
    Function,
    ModelVersion,
    Parameter,
    RegisteredModel,
    Schema,
    Table,
)
from local_workspace.unity_catalog.types import type_json, type_name, type_precision

Json = dict[str, Any]


def _common(value: Catalog | Schema | Table | Function | RegisteredModel, metastore_id: str) -> Json:
    by = value.created_by or value.owner
    shown: Json = {
        "name": value.name,
        "full_name": value.full_name,
        "owner": value.owner,
        "metastore_id": metastore_id,
        "created_at": value.created_at,
        "created_by": by,
        "updated_at": value.updated_at,
        "updated_by": by,
        "browse_only": False,
    }
    if value.comment is not None:
        shown["comment"] = value.comment
    return shown


def browsed(shown: Json) -> Json:
    """What somebody with BROWSE alone sees of an object."""
    kept = ("name", "full_name", "catalog_name", "schema_name", "table_type", "catalog_type", "comment", "metastore_id")
    return {key: shown[key] for key in kept if key in shown} | {"browse_only": True}


def catalog(value: Catalog, metastore_id: str) -> Json:
    """A catalog."""
    return _common(value, metastore_id) | {
        "catalog_type": "MANAGED_CATALOG",
        "securable_type": "CATALOG",
        "isolation_mode": "OPEN",
        "properties": value.properties,
    }


def schema(value: Schema, metastore_id: str) -> Json:
    """A schema."""
    return _common(value, metastore_id) | {
        "catalog_name": value.catalog_name,
        "catalog_type": "MANAGED_CATALOG",
        "securable_type": "SCHEMA",
        "properties": value.properties,
    }


def table(value: Table, metastore_id: str, *, in_list: bool = False) -> Json:
    """A table or view; lists leave the constraints out."""
    shown = _common(value, metastore_id) | {
        "catalog_name": value.catalog_name,
        "schema_name": value.schema_name,
        "table_type": value.table_type,
        "table_id": value.table_id,
        "securable_type": "TABLE",
        "columns": [column(each, position) for position, each in enumerate(value.columns)],
        "properties": value.properties,
    }
    if value.table_type == "VIEW":
        shown["view_definition"] = value.view_definition
    else:
        shown["data_source_format"] = "DELTA"
    if value.row_filter is not None:
        columns = list(value.row_filter.columns)
        shown["row_filter"] = {
            "function_name": value.row_filter.function,
            "input_column_names": columns,
            "input_arguments": [{"column": name} for name in columns],
        }
    if value.primary_key and not in_list:
        key = {"name": primary_key_name(value), "child_columns": list(value.primary_key)}
        shown["table_constraints"] = [{"primary_key_constraint": key}]
    return shown


def column(value: Column, position: int) -> Json:
    """A column at its position, counted from 0."""
    precision, scale = type_precision(value.type_text)
    shown: Json = {
        "name": value.name,
        "type_text": value.type_text,
        "type_name": type_name(value.type_text),
        "type_json": type_json(value.name, value.type_text, nullable=value.nullable, comment=value.comment),
        "type_precision": precision,
        "type_scale": scale,
        "position": position,
        "nullable": value.nullable,
    }
    if value.comment is not None:
        shown["comment"] = value.comment
    if value.mask is not None:
        using = list(value.mask.using)
        shown["mask"] = {
            "function_name": value.mask.function,
            "using_column_names": using,
            "using_arguments": [{"column": name} for name in using],
        }
    return shown


def function(value: Function, metastore_id: str, *, with_definition: bool) -> Json:
    """A function; its body only for those who may manage it."""
    shown = _common(value, metastore_id) | {
        "catalog_name": value.catalog_name,
        "schema_name": value.schema_name,
        "specific_name": value.name,
        "input_params": {"parameters": [_parameter(each, i) for i, each in enumerate(value.parameters)]},
        "data_type": type_name(value.return_type),
        "full_data_type": value.return_type.upper(),
        "routine_body": "SQL",
        "parameter_style": "S",
        "is_deterministic": True,
        "is_null_call": False,
        "sql_data_access": "CONTAINS_SQL",
        "security_type": "DEFINER",
    }
    if with_definition:
        shown["routine_definition"] = value.body
    return shown


def _parameter(value: Parameter, position: int) -> Json:
    precision, scale = type_precision(value.type_text)
    return {
        "name": value.name,
        "type_text": value.type_text,
        "type_name": type_name(value.type_text),
        "type_json": type_json(value.name, value.type_text, nullable=True, comment=None),
        "type_precision": precision,
        "type_scale": scale,
        "position": position,
        "parameter_mode": "IN",
        "parameter_type": "PARAM",
    }


def registered_model(value: RegisteredModel, metastore_id: str, *, with_aliases: bool = False) -> Json:
    """A registered model without its versions."""
    shown = _common(value, metastore_id) | {"catalog_name": value.catalog_name, "schema_name": value.schema_name}
    if with_aliases:
        shown["aliases"] = _aliases(value)
    return shown


def model_version(
    model: RegisteredModel, value: ModelVersion, metastore_id: str, *, with_aliases: bool = False
) -> Json:
    """A version of a registered model."""
    shown: Json = {
        "model_name": model.name,
        "catalog_name": model.catalog_name,
        "schema_name": model.schema_name,
        "metastore_id": metastore_id,
        "version": value.version,
        "source": value.source,
        "run_id": value.run_id,
        "status": value.status,
        "created_at": value.created_at,
        "created_by": value.created_by,
        "updated_at": value.updated_at,
        "updated_by": value.created_by,
    }
    if value.comment is not None:
        shown["comment"] = value.comment
    if with_aliases:
        shown["aliases"] = [alias for alias in _aliases(model) if alias["version_num"] == value.version]
    return shown


def _aliases(model: RegisteredModel) -> list[Json]:
    return [{"alias_name": name, "version_num": number} for name, number in sorted(model.aliases.items())]


def assignments(privileges: list[EffectivePrivilege]) -> list[Json]:
    """Direct grants by principal, as the permissions API lists them."""
    grouped: dict[str, list[str]] = {}
    for held in privileges:
        grouped.setdefault(held.principal, []).append(held.privilege)
    return [{"principal": principal, "privileges": names} for principal, names in grouped.items()]


def effective_assignments(privileges: list[EffectivePrivilege]) -> list[Json]:
    """Grants by principal with where each was inherited from, as the effective-permissions API lists them."""
    grouped: dict[str, list[Json]] = {}
    for held in privileges:
        shown: Json = {"privilege": held.privilege}
        if held.inherited_from is not None:
            kind, name = held.inherited_from
            shown |= {"inherited_from_type": kind.upper(), "inherited_from_name": name}
        grouped.setdefault(held.principal, []).append(shown)
    return [{"principal": principal, "privileges": listed} for principal, listed in grouped.items()]
