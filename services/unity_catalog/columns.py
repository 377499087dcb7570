"""What both sources of metadata say about columns and privileges in the same way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from services.identity import User
from services.unity_catalog import types
from services.unity_catalog.errors import invalid
from services.unity_catalog.filters import operators_for
from services.unity_catalog.models import Column, Privilege, ResultColumn

_WRITES = frozenset({"MODIFY", "ALL_PRIVILEGES", "MANAGE"})
_READS = frozenset({"SELECT", "ALL_PRIVILEGES"})


def describe(
    *, name: str, data_type: str, nullable: bool, comment: str | None, mask_function: str | None, primary_key: bool
) -> Column:
    """A column with what its type allows."""
    shown = types.written(data_type)
    return Column(
        name=name,
        data_type=shown,
        nullable=nullable,
        comment=comment,
        masked=mask_function is not None,
        mask_function=mask_function,
        kind=types.kind(shown),
        operators=operators_for(shown),
        sortable=types.orderable(shown) or types.comparable_as_json(shown),
        primary_key=primary_key,
    )


def access_level(
    user: User, owner: str | None, privileges: Sequence[Privilege] | None, *, browse_only: bool = False
) -> Literal["OWNER", "MODIFY", "SELECT", "BROWSE", "UNKNOWN"]:
    """The strongest thing that the user may do with a table; UNKNOWN when the catalog does not tell."""
    if owner is not None and owner in {user.user_name, *user.groups}:
        return "OWNER"
    if browse_only:
        return "BROWSE"
    if privileges is None:
        return "UNKNOWN"
    held = {privilege.privilege.replace(" ", "_") for privilege in privileges}
    if held & _WRITES:
        return "MODIFY"
    return "SELECT" if held & _READS else "BROWSE"


def chosen(columns: Sequence[Column], names: Sequence[str] | None, field: str = "columns") -> list[Column]:
    """The named columns in the order asked for; all of them for None.

    Raises:
        InvalidRequest: a column is unknown or named twice.
    """
    if names is None:
        return list(columns)
    by_name = {column.name: column for column in columns}
    for at, name in enumerate(names):
        if name not in by_name:
            raise invalid(f"{field}[{at}]", f"the table has no column named {name!r}")
        if name in names[:at]:
            raise invalid(f"{field}[{at}]", f"{name!r} is named twice")
    return [by_name[name] for name in names]


def result_column(column: Column) -> ResultColumn:
    """A table's column as the column of an answer."""
    return ResultColumn(name=column.name, data_type=column.data_type, nullable=column.nullable)
