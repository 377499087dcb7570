"""Metadata through SQL, as the user: for tokens that carry ``sql`` but not the catalog scopes.

Reads ``information_schema`` (https://docs.databricks.com/aws/en/sql/language-manual/sql-ref-information-schema), which
shows each person what they may see.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pyarrow as pa

from services.identity import User
from services.unity_catalog import values
from services.unity_catalog.cache import now
from services.unity_catalog.columns import access_level, describe
from services.unity_catalog.identifiers import object_name, quote
from services.unity_catalog.models import CatalogItem, Privilege, SchemaItem, TableDetails, TableItem, TableRef
from services.unity_catalog.statements import Binder, Statement

Run = Callable[[Statement], pa.Table]


def catalogs(run: Run) -> list[CatalogItem]:
    """All catalogs that the user may see; SHOW CATALOGS tells names only."""
    names = run(Statement("SHOW CATALOGS")).column(0).to_pylist()
    return [CatalogItem(name=name) for name in sorted(names)]


def schemas(run: Run, catalog: str) -> list[SchemaItem]:
    """All schemas of a catalog that the user may see."""
    text = (
        "SELECT schema_name, schema_owner, comment"
        f"\nFROM {_view(catalog, 'schemata')}\nWHERE catalog_name = {{catalog}}\nORDER BY schema_name"
    )
    return [
        SchemaItem(catalog_name=catalog, name=row["schema_name"], comment=row["comment"], owner=row["schema_owner"])
        for row in _rows(run, text, catalog=catalog)
    ]


def tables(run: Run, catalog: str, schema: str) -> list[TableItem]:
    """All tables of a schema that the user may see, their row filters and masks included, by one statement."""

    def ruled(view: str, name: str) -> str:
        return (
            "\nLEFT JOIN (SELECT DISTINCT table_name"
            f"\nFROM {_view(catalog, view)} WHERE table_schema = {{schema}}) AS {name}"
            f"\nON {name}.table_name = t.table_name"
        )

    text = (
        "SELECT t.table_name, t.table_type, t.table_owner, t.comment,"
        "\n  f.table_name IS NOT NULL AS row_filtered, m.table_name IS NOT NULL AS has_masks"
        f"\nFROM {_view(catalog, 'tables')} AS t{ruled('row_filters', 'f')}{ruled('column_masks', 'm')}"
        "\nWHERE t.table_schema = {schema}\nORDER BY t.table_name"
    )
    return [
        TableItem(
            catalog_name=catalog,
            schema_name=schema,
            table_name=row["table_name"],
            full_name=f"{catalog}.{schema}.{row['table_name']}",
            table_type=row["table_type"],
            comment=row["comment"],
            owner=row["table_owner"],
            row_filtered=row["row_filtered"],
            has_masks=row["has_masks"],
        )
        for row in _rows(run, text, schema=schema)
    ]


def table(run: Run, user: User, ref: TableRef) -> TableDetails | None:
    """One table as the user sees it, or None when it does not exist for them."""

    def of_table(columns: str, view: str, order: str = "") -> list[dict[str, Any]]:
        text = (
            f"SELECT {columns}\nFROM {_view(ref.catalog, view)}"
            f"\nWHERE table_schema = {{schema}} AND table_name = {{table}}{order}"
        )
        return _rows(run, text, schema=ref.schema_name, table=ref.table)

    found = of_table("*", "tables")
    if not found:
        return None
    about = found[0]
    columns = of_table("column_name, full_data_type, is_nullable, comment", "columns", "\nORDER BY ordinal_position")
    masks = {row["column_name"]: row["mask_name"] for row in of_table("column_name, mask_name", "column_masks")}
    filters = of_table("*", "row_filters")
    key = _primary_key(run, ref)
    privileges = _privileges(of_table("grantee, privilege_type, inherited_from", "table_privileges"), user)
    return TableDetails(
        catalog_name=ref.catalog,
        schema_name=ref.schema_name,
        table_name=ref.table,
        full_name=ref.full_name,
        table_type=about["table_type"],
        comment=about.get("comment"),
        owner=about.get("table_owner"),
        columns=[
            describe(
                name=row["column_name"],
                data_type=row["full_data_type"],
                nullable=row["is_nullable"] != "NO",
                comment=row["comment"],
                mask_function=masks.get(row["column_name"]),
                primary_key=row["column_name"] in key,
            )
            for row in columns
        ],
        primary_key=key,
        row_filtered=bool(filters),
        row_filter_function=filters[0].get("filter_name") if filters else None,
        row_filter_columns=_names(filters[0].get("target_columns")) if filters else [],
        access_level=access_level(user, about.get("table_owner"), privileges),
        privileges=privileges,
        data_source_format=about.get("data_source_format"),
        created_at=_moment(about.get("created")),
        created_by=about.get("created_by"),
        updated_at=_moment(about.get("last_altered")),
        updated_by=about.get("last_altered_by"),
        source="information_schema",
        fetched_at=now(),
        runs_as=user.user_name,
    )


def _primary_key(run: Run, ref: TableRef) -> list[str]:
    """The columns of the declared primary key, in its order."""
    text = (
        "SELECT k.column_name AS column_name"
        f"\nFROM {_view(ref.catalog, 'table_constraints')} AS c"
        f"\nJOIN {_view(ref.catalog, 'key_column_usage')} AS k"
        "\n  ON k.constraint_name = c.constraint_name AND k.table_schema = c.table_schema"
        " AND k.table_name = c.table_name"
        "\nWHERE c.constraint_type = 'PRIMARY KEY' AND c.table_schema = {schema} AND c.table_name = {table}"
        "\nORDER BY k.ordinal_position"
    )
    return [row["column_name"] for row in _rows(run, text, schema=ref.schema_name, table=ref.table)]


def _privileges(rows: list[dict[str, Any]], user: User) -> list[Privilege]:
    """What the user may do, granted to them or to their groups."""
    mine = {user.user_name, *user.groups, "account users"}
    held = {
        (
            row["privilege_type"].replace(" ", "_"),
            None if row["inherited_from"] in (None, "NONE") else row["inherited_from"],
        )
        for row in rows
        if row["grantee"] in mine
    }
    ordered = sorted(held, key=lambda one: (one[0], one[1] or ""))
    return [Privilege(privilege=name, inherited_from=source.lower() if source else None) for name, source in ordered]


def _view(catalog: str, view: str) -> str:
    return f"{quote(object_name(catalog, 'catalog'))}.information_schema.{view}"


def _rows(run: Run, text: str, **names: str) -> list[dict[str, Any]]:
    """The rows of a metadata statement; ``{name}`` in its text is where a name is bound, as the catalog stores it."""
    binder = Binder()
    for marker, name in names.items():
        text = text.replace(f"{{{marker}}}", binder.bind("STRING", name.lower(), name))
    return values.rows(run(binder.build(text)))


def _names(target: Any) -> list[str]:
    """Names of columns from a list or from text with commas."""
    if isinstance(target, list):
        return [str(name) for name in target]
    return [name.strip() for name in str(target or "").split(",") if name.strip()]


def _moment(text: str | None) -> dt.datetime | None:
    if not text:
        return None
    moment = dt.datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
