"""Unity Catalog's objects as plain values. The metastore owns them; the SQL engine and the REST API read them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

TableType = Literal["MANAGED", "EXTERNAL", "VIEW"]
SecurableType = Literal["metastore", "catalog", "schema", "table", "function", "registered_model", "volume"]


@dataclass(frozen=True, slots=True)
class ColumnMask:
    """A column's mask: ``function`` (full name) called with the column and then ``using`` other columns."""

    function: str
    using: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RowFilter:
    """A table's row filter: ``function`` (full name) called with ``columns``; rows where it is true are seen."""

    function: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """One column. ``type_text`` is the Databricks type in lower case, ``decimal(10,2)`` or ``array<string>``."""

    name: str
    type_text: str
    nullable: bool = True
    comment: str | None = None
    mask: ColumnMask | None = None


@dataclass(frozen=True, slots=True)
class Catalog:
    """A catalog. Times are milliseconds since the epoch, as in Unity Catalog's REST API."""

    name: str
    owner: str
    comment: str | None = None
    created_at: int = 0
    updated_at: int = 0
    created_by: str = ""
    properties: dict[str, str] = field(default_factory=dict)

    @property
    def full_name(self) -> str:
        """The one-level name."""
        return self.name


@dataclass(frozen=True, slots=True)
class Schema:
    """A schema of a catalog."""

    catalog_name: str
    name: str
    owner: str
    comment: str | None = None
    properties: dict[str, str] = field(default_factory=dict)
    created_at: int = 0
    updated_at: int = 0
    created_by: str = ""

    @property
    def full_name(self) -> str:
        """The two-level name."""
        return f"{self.catalog_name}.{self.name}"


@dataclass(frozen=True, slots=True)
class SchemaObject:
    """What lies in a schema, under a name of three levels."""

    catalog_name: str
    schema_name: str
    name: str
    owner: str

    @property
    def full_name(self) -> str:
        """The three-level name."""
        return f"{self.catalog_name}.{self.schema_name}.{self.name}"


@dataclass(frozen=True, slots=True)
class Table(SchemaObject):
    """A table or view.

    Attributes:
        physical: what DuckDB calls it (``store.main.t17``), unrelated to the logical name; empty for a view.
        view_definition: the view's text in Databricks SQL; names in it resolve in the view's own catalog and schema.
        primary_key: column names of the declared (informational) primary key.
        table_id: a UUID that changes when the table is dropped and created again.
    """

    columns: tuple[Column, ...]
    table_type: TableType = "MANAGED"
    physical: str = ""
    view_definition: str | None = None
    comment: str | None = None
    properties: dict[str, str] = field(default_factory=dict)
    row_filter: RowFilter | None = None
    primary_key: tuple[str, ...] = ()
    table_id: str = ""
    created_at: int = 0
    updated_at: int = 0
    created_by: str = ""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a SQL function."""

    name: str
    type_text: str


@dataclass(frozen=True, slots=True)
class Function(SchemaObject):
    """A SQL function: ``body`` is the expression after RETURN, in Databricks SQL."""

    parameters: tuple[Parameter, ...]
    return_type: str
    body: str
    comment: str | None = None
    created_at: int = 0
    updated_at: int = 0
    created_by: str = ""


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """One version of a registered model. ``source`` is where its artifacts were taken from."""

    version: int
    source: str = ""
    run_id: str = ""
    comment: str | None = None
    status: Literal["PENDING_REGISTRATION", "READY", "FAILED_REGISTRATION"] = "READY"
    created_at: int = 0
    updated_at: int = 0
    created_by: str = ""


@dataclass(frozen=True, slots=True)
class RegisteredModel(SchemaObject):
    """A model registered in a schema.

    Attributes:
        versions: those that exist, lowest first.
        aliases: alias to version number.
        next_version: the number that the next version gets; numbers of deleted versions are not given again.
    """

    comment: str | None = None
    versions: tuple[ModelVersion, ...] = ()
    aliases: dict[str, int] = field(default_factory=dict)
    next_version: int = 1
    created_at: int = 0
    updated_at: int = 0
    created_by: str = ""


@dataclass(frozen=True, slots=True)
class Grant:
    """One privilege of one principal (a user, a service principal's client id, or a group) on one object."""

    securable_type: SecurableType
    full_name: str
    principal: str
    privilege: str
