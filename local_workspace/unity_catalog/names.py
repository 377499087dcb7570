"""Names of objects and of privileges: one spelling each, whatever the caller wrote."""

from __future__ import annotations

import re

LABELS: dict[str, str] = {
    "metastore": "Metastore",
    "catalog": "Catalog",
    "schema": "Schema",
    "table": "Table",
    "function": "Routine or Model",
    "registered_model": "Routine or Model",
    "volume": "Volume",
}
"""What the platform's sentences about privileges call each kind of object."""

NOUNS: dict[str, str] = LABELS | {
    "function": "Function",
    "registered_model": "Registered model",
    "model_version": "Model version",
    "model_alias": "Model alias",
}
"""What sentences about the existence of an object call it."""

ACCOUNT_USERS = "account users"
"""The group that every person and service principal belongs to."""

_FORBIDDEN = re.compile(r"[./\s\x00-\x1f\x7f]")
_MAX_LENGTH = 255


def lowered(*parts: str) -> str:
    """The full name of an object from its parts; Unity Catalog keeps names in lower case."""
    return ".".join(parts).lower()


def name_problem(name: str) -> str | None:
    """Why ``name`` cannot be an object's name, or None.

    Unity Catalog allows at most 255 characters and neither period, space, slash nor control character
    (https://docs.databricks.com/sql/language-manual/sql-ref-names).
    """
    if not name:
        return "the name is empty"
    if len(name) > _MAX_LENGTH:
        return f"the name is longer than {_MAX_LENGTH} characters"
    if _FORBIDDEN.search(name):
        return "the name contains a period, a space, a slash or a control character"
    return None


def privilege_name(privilege: str) -> str:
    """The REST spelling of a privilege: ``use schema`` and ``USE_SCHEMA`` are both ``USE_SCHEMA``."""
    name = re.sub(r"[\s_]+", "_", privilege.strip()).upper()
    return "ALL_PRIVILEGES" if name == "ALL" else {"USAGE": "USE_SCHEMA"}.get(name, name)


def spaced(privilege: str) -> str:
    """The SQL spelling of a privilege: ``USE SCHEMA``."""
    return privilege_name(privilege).replace("_", " ")


def parents(securable_type: str, full_name: str) -> list[tuple[str, str]]:
    """The objects that contain this one, nearest first, without the metastore."""
    parts = full_name.split(".")
    if securable_type in {"metastore", "catalog"}:
        return []
    if securable_type == "schema":
        return [("catalog", parts[0])]
    return [("schema", ".".join(parts[:2])), ("catalog", parts[0])]
