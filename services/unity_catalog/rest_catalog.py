"""Metadata through the SDK's Unity Catalog API, as the user, following its pages.

Needs a user token with the scopes ``catalog.catalogs:read``, ``catalog.schemas:read`` and ``catalog.tables:read``.
"""

from __future__ import annotations

import datetime as dt
from typing import Any
from urllib.parse import quote as url_quote

from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import DatabricksError
from databricks.sdk.service.catalog import ColumnInfo, TableInfo

from services.identity import User
from services.unity_catalog.cache import now
from services.unity_catalog.columns import access_level, describe
from services.unity_catalog.models import (
    CatalogItem,
    Column,
    NeededPrivilege,
    Privilege,
    SchemaItem,
    TableDetails,
    TableItem,
    TableRef,
)

_MOST_PAGES = 20


def catalogs(client: WorkspaceClient) -> list[CatalogItem]:
    """All catalogs that the client's user may see. Raises databricks.sdk.errors.DatabricksError."""
    found = client.catalogs.list()
    return sorted(
        (CatalogItem(name=one.name, comment=one.comment, owner=one.owner) for one in found), key=lambda one: one.name
    )


def schemas(client: WorkspaceClient, catalog: str) -> list[SchemaItem]:
    """All schemas of a catalog that the user may see. Raises databricks.sdk.errors.DatabricksError."""
    found = client.schemas.list(catalog_name=catalog)
    items = (SchemaItem(catalog_name=catalog, name=one.name, comment=one.comment, owner=one.owner) for one in found)
    return sorted(items, key=lambda one: one.name)


def tables(client: WorkspaceClient, catalog: str, schema: str, *, masks: bool) -> list[TableItem]:
    """All tables of a schema that the user may see. Raises databricks.sdk.errors.DatabricksError.

    A row filter belongs to the table, so every list tells it. A mask belongs to its column, so telling masks means
    asking for the columns too, the far larger answer (https://docs.databricks.com/api/workspace/tables/list).
    """
    found = client.tables.list(catalog_name=catalog, schema_name=schema, omit_columns=not masks, omit_properties=True)
    items = (
        TableItem(
            catalog_name=catalog,
            schema_name=schema,
            table_name=one.name,
            full_name=f"{catalog}.{schema}.{one.name}",
            table_type=_word(one.table_type) or "MANAGED",
            comment=one.comment,
            owner=one.owner,
            row_filtered=one.row_filter is not None,
            has_masks=any(column.mask is not None for column in one.columns or []) if masks else None,
        )
        for one in found
    )
    return sorted(items, key=lambda one: one.table_name)


def table(client: WorkspaceClient, user: User, ref: TableRef) -> TableDetails:
    """One table as the user sees it. Raises databricks.sdk.errors.DatabricksError."""
    full_name = url_quote(ref.full_name, safe=".")
    info = client.tables.get(full_name)
    key = _primary_key(info)
    columns = sorted(info.columns or [], key=lambda one: one.position or 0)
    privileges = _privileges(client, user, "table", full_name)
    return TableDetails(
        catalog_name=ref.catalog,
        schema_name=ref.schema_name,
        table_name=ref.table,
        full_name=ref.full_name,
        table_type=_word(info.table_type) or "MANAGED",
        comment=info.comment,
        owner=info.owner,
        columns=[_column(one, key) for one in columns],
        primary_key=key,
        row_filtered=info.row_filter is not None,
        row_filter_function=info.row_filter.function_name if info.row_filter else None,
        row_filter_columns=list(info.row_filter.input_column_names or []) if info.row_filter else [],
        access_level=access_level(user, info.owner, privileges, browse_only=bool(info.browse_only)),
        privileges=privileges,
        data_source_format=_word(info.data_source_format),
        created_at=_moment(info.created_at),
        created_by=info.created_by,
        updated_at=_moment(info.updated_at),
        updated_by=info.updated_by,
        fetched_at=now(),
        runs_as=user.user_name,
    )


def _column(info: ColumnInfo, key: list[str]) -> Column:
    data_type = info.type_text or _word(info.type_name) or "STRING"
    return describe(
        name=info.name or "",
        data_type=data_type,
        nullable=info.nullable is not False,
        comment=info.comment,
        mask_function=(info.mask.function_name or "") if info.mask is not None else None,
        primary_key=info.name in key,
    )


def _primary_key(info: TableInfo) -> list[str]:
    """The columns of the declared primary key."""
    for constraint in info.table_constraints or []:
        if constraint.primary_key_constraint is not None:
            return list(constraint.primary_key_constraint.child_columns or [])
    return []


def needed(client: WorkspaceClient, user: User, ref: TableRef) -> list[NeededPrivilege]:
    """What reading a table takes, and whether the user holds it: as far as the catalog tells them. Raises nothing."""
    schema = f"{ref.catalog}.{ref.schema_name}"
    found = [
        NeededPrivilege(privilege="USE CATALOG", on=ref.catalog),
        NeededPrivilege(privilege="USE SCHEMA", on=schema),
        NeededPrivilege(privilege="SELECT", on=ref.full_name),
    ]
    for one, kind in zip(found, ("catalog", "schema", "table"), strict=True):
        told = _privileges(client, user, kind, url_quote(one.on, safe="."))
        if told is None:
            break
        names = {privilege.privilege.replace("_", " ") for privilege in told}
        one.held = bool(names & {one.privilege, "ALL PRIVILEGES"})
    return found


def _privileges(client: WorkspaceClient, user: User, kind: str, full_name: str) -> list[Privilege] | None:
    """What the user may do, granted to them or to their groups; None when the catalog does not tell them."""
    mine = {user.user_name, *user.groups, "account users"}
    found: dict[tuple[str, str | None], Privilege] = {}
    token: str | None = None
    try:
        for _ in range(_MOST_PAGES):
            page = client.grants.get_effective(kind, full_name, page_token=token)
            for assignment in page.privilege_assignments or []:
                if assignment.principal in mine:
                    for held in assignment.privileges or []:
                        privilege = Privilege(privilege=_word(held.privilege) or "", inherited_from=_source(held))
                        found[privilege.privilege, privilege.inherited_from] = privilege
            token = page.next_page_token
            if not token:
                break
    except DatabricksError:
        return None
    return sorted(found.values(), key=lambda one: (one.privilege, one.inherited_from or ""))


def _source(held: Any) -> str | None:
    """``schema main.app`` for a privilege that is inherited from there."""
    if not held.inherited_from_name:
        return None
    return f"{(_word(held.inherited_from_type) or '').lower()} {held.inherited_from_name}".strip()


def _word(value: Any) -> str | None:
    """The text of one of the SDK's enumerations."""
    return None if value is None else str(getattr(value, "value", value))


def _moment(milliseconds: int | None) -> dt.datetime | None:
    return dt.datetime.fromtimestamp(milliseconds / 1000, dt.UTC) if milliseconds else None
