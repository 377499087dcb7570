"""What the Unity Catalog service takes and gives: the same models serve the page and the JSON API.

Requests refuse unknown fields and are bounded; answers are JSON-safe (see ``values.py`` for how values are written).
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from services.unity_catalog.filter_tree import Filter

MAX_PAGE = 1_000
MAX_OFFSET = 2_147_483_647 - MAX_PAGE
"""Databricks SQL takes INT in LIMIT and OFFSET."""
MAX_GROUPS = 10_000
Name = Annotated[str, Field(min_length=1, max_length=255)]
Bucket = Literal["hour", "day", "week", "month", "year"]
MeasureFunction = Literal["count", "sum", "avg", "min", "max", "count_distinct"]
Kind = Literal["integer", "number", "decimal", "text", "boolean", "date", "timestamp", "binary", "nested", "other"]
"""What a column is to a reader: chooses its alignment, filter widget and the operators that suit it."""


class Request(BaseModel):
    """Base of everything a caller sends."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class TableRef(BaseModel):
    """A table's three names. Names are compared by the catalog, quoted by ``identifiers.py``, never joined by hand."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    catalog: Name
    schema_name: Name = Field(alias="schema")
    table: Name

    @property
    def full_name(self) -> str:
        """``catalog.schema.table``, unquoted, for people and for REST paths."""
        return f"{self.catalog}.{self.schema_name}.{self.table}"

    @classmethod
    def of(cls, catalog: str, schema: str, table: str) -> TableRef:
        """Build one from three names.

        Raises:
            pydantic.ValidationError: a name is empty or longer than 255 characters.
        """
        return cls.model_validate({"catalog": catalog, "schema": schema, "table": table})


class Sort(Request):
    """One sort column. Nulls come first ascending and last descending, NaN is greater than every number."""

    column: Name
    direction: Literal["asc", "desc"] = "asc"


class RowsRequest(Request):
    """A page of rows: at most ``limit`` (1-1000) from row ``offset`` of the filtered and sorted table."""

    limit: Annotated[int, Field(strict=True, ge=1, le=MAX_PAGE)] = 100
    offset: Annotated[int, Field(strict=True, ge=0, le=MAX_OFFSET)] = 0
    columns: Annotated[list[Name], Field(min_length=1, max_length=1_000)] | None = None
    sort: Annotated[list[Sort], Field(max_length=16)] = []
    filter: Filter | None = None
    count: Annotated[bool, Field(strict=True)] | None = None
    """Whether to count all rows; when it is not said, a total is given where the page tells it by itself."""


class Column(BaseModel):
    """A column as the user sees it: ``data_type`` is Databricks SQL's, in upper case (``DECIMAL(10,2)``)."""

    name: str
    data_type: str
    nullable: bool = True
    comment: str | None = None
    masked: bool = False
    mask_function: str | None = None
    kind: Kind = "other"
    operators: list[str] = []
    """The filter operators that this type takes."""
    sortable: bool = True
    primary_key: bool = False


class ResultColumn(BaseModel):
    """A column of an answer."""

    name: str
    data_type: str
    nullable: bool = True


class Query(BaseModel):
    """Where an answer came from: the statement, its bound values, its id on the warehouse, time taken and identity."""

    statement: str
    parameters: dict[str, Any] = {}
    query_id: str | None = None
    elapsed_ms: int
    runs_as: str
    warehouse_id: str | None = None
    fetched_at: dt.datetime
    cached: bool = False


class Pagination(BaseModel):
    """Where a page lies. ``total_rows`` is None when it was not asked for, ``next_offset`` None on the last page."""

    limit: int
    offset: int
    returned: int
    total_rows: int | None = None
    next_offset: int | None = None


class RowsPage(BaseModel):
    """A page of rows, each an object from column name to JSON-safe value."""

    columns: list[ResultColumn]
    rows: list[dict[str, Any]]
    pagination: Pagination
    query: Query


class CountRequest(Request):
    """How many rows a filter leaves."""

    filter: Filter | None = None


class Count(BaseModel):
    """A total, from the cache or from the warehouse; ``query.fetched_at`` says when it was counted."""

    total_rows: int
    query: Query


class GroupBy(Request):
    """A column to group by; ``bucket`` truncates timestamps and dates, ``bins`` cuts numbers into equal steps."""

    column: Name
    bucket: Bucket | None = None
    bins: Annotated[int, Field(strict=True, ge=2, le=200)] | None = None


class Measure(Request):
    """A figure for each group. ``count`` without a column counts rows."""

    function: MeasureFunction
    column: Name | None = None


class AggregateRequest(Request):
    """Groups (none to two) and measures of the filtered table, at most ``limit`` groups.

    Groups are in the order of the group columns; when there are more than ``limit``, ``order`` decides which remain:
    the largest by the first measure, or the first ones.
    """

    group_by: Annotated[list[GroupBy], Field(max_length=2)] = []
    measures: Annotated[list[Measure], Field(min_length=1, max_length=8)]
    filter: Filter | None = None
    limit: Annotated[int, Field(strict=True, ge=1, le=MAX_GROUPS)] = 1_000
    order: Literal["largest", "group"] = "largest"


class AggregateResult(BaseModel):
    """Groups with their measures; ``total_groups`` is counted only when groups were cut."""

    columns: list[ResultColumn]
    rows: list[dict[str, Any]]
    truncated: bool
    total_groups: int | None = None
    query: Query


class ProfileRequest(Request):
    """A profile of all columns or of those named, of the whole table or of the filtered rows."""

    columns: Annotated[list[Name], Field(min_length=1, max_length=100)] | None = None
    filter: Filter | None = None


class Bin(BaseModel):
    """One bar of a histogram: from ``low`` (inclusive) to ``high`` (exclusive, the last one inclusive)."""

    low: Any
    high: Any
    count: int


class TopValue(BaseModel):
    """A frequent value."""

    value: Any
    count: int


class ColumnProfile(BaseModel):
    """One column: exact nulls, minimum and maximum, *approximate* distinct values, histogram or top values."""

    name: str
    data_type: str
    masked: bool = False
    nulls: int
    null_fraction: float
    approx_distinct: int | None = None
    minimum: Any = None
    maximum: Any = None
    histogram: list[Bin] | None = None
    top_values: list[TopValue] | None = None
    nan: int | None = None
    """NaN values, for DOUBLE and FLOAT; they and the infinities are outside the histogram."""
    mean: float | str | None = None
    """Mean of the finite values of a numeric column, as a DOUBLE; None for identifiers such as zip codes."""
    median: float | str | None = None
    """The middle one of the finite values, approximately (``percentile_approx``); None where there is no mean."""


class Profile(BaseModel):
    """What the columns hold, over ``rows_read`` rows; the statements that told it, in the order they ran."""

    rows_read: int
    columns: list[ColumnProfile]
    queries: list[Query]
    query: Query


class FrequentValues(BaseModel):
    """A column's most frequent values, the most frequent first, out of ``distinct`` different ones; nulls apart."""

    values: list[TopValue]
    distinct: int
    query: Query


class CatalogItem(BaseModel):
    """A catalog that the user may see."""

    name: str
    comment: str | None = None
    owner: str | None = None


class CatalogList(BaseModel):
    """The catalogs; ``fetched_at`` and ``source`` say when and how they were read."""

    catalogs: list[CatalogItem]
    source: Literal["rest", "information_schema"] = "rest"
    fetched_at: dt.datetime
    runs_as: str


class SchemaItem(BaseModel):
    """A schema that the user may see."""

    catalog_name: str
    name: str
    comment: str | None = None
    owner: str | None = None


class SchemaList(BaseModel):
    """The schemas of one catalog."""

    schemas: list[SchemaItem]
    source: Literal["rest", "information_schema"] = "rest"
    fetched_at: dt.datetime
    runs_as: str


class TableItem(BaseModel):
    """A table or view that the user may see; ``has_masks`` is None where the list was asked for names only."""

    catalog_name: str
    schema_name: str
    table_name: str
    full_name: str
    table_type: str
    comment: str | None = None
    owner: str | None = None
    row_filtered: bool = False
    has_masks: bool | None = None


class TableList(BaseModel):
    """The tables of one schema."""

    tables: list[TableItem]
    source: Literal["rest", "information_schema"] = "rest"
    fetched_at: dt.datetime
    runs_as: str


class Privilege(BaseModel):
    """A privilege of this user on the table, and the object that it comes from (None: granted on the table)."""

    privilege: str
    inherited_from: str | None = None


class NeededPrivilege(BaseModel):
    """A privilege that reading a table takes; ``held`` is None when the catalog does not tell this person."""

    privilege: Literal["USE CATALOG", "USE SCHEMA", "SELECT"]
    on: str
    held: bool | None = None


class TableDetails(BaseModel):
    """A table as the user sees it.

    ``access_level`` is the strongest thing that this user may do: OWNER, MODIFY, SELECT, BROWSE (metadata only) or
    UNKNOWN when the catalog does not tell; ``privileges`` is None then.
    """

    catalog_name: str
    schema_name: str
    table_name: str
    full_name: str
    table_type: str
    comment: str | None = None
    owner: str | None = None
    columns: list[Column]
    primary_key: list[str] = []
    row_filtered: bool = False
    row_filter_function: str | None = None
    row_filter_columns: list[str] = []
    access_level: Literal["OWNER", "MODIFY", "SELECT", "BROWSE", "UNKNOWN"] = "UNKNOWN"
    privileges: list[Privilege] | None = None
    data_source_format: str | None = None
    created_at: dt.datetime | None = None
    created_by: str | None = None
    updated_at: dt.datetime | None = None
    updated_by: str | None = None
    source: Literal["rest", "information_schema"] = "rest"
    elapsed_ms: int | None = None
    """How long the catalog took to tell all this, in milliseconds."""
    fetched_at: dt.datetime
    runs_as: str


class ExportRequest(Request):
    """The whole filtered and sorted result, or the columns named."""

    columns: Annotated[list[Name], Field(min_length=1, max_length=1_000)] | None = None
    sort: Annotated[list[Sort], Field(max_length=16)] = []
    filter: Filter | None = None


class ExportProgress(BaseModel):
    """How far an export is. ``total_rows`` is what will be written: the filtered rows, at most ``row_cap``."""

    key: str
    file_format: Literal["csv", "parquet"]
    filename: str
    rows: int
    bytes: int
    total_rows: int
    row_cap: int
    truncated: bool
    elapsed_ms: int
    state: Literal["running", "done", "cancelled", "failed"]
    error: str | None = None


class WarehouseState(BaseModel):
    """The warehouse as the platform tells the app; ``state`` is its own word: RUNNING, STARTING and so on."""

    warehouse_id: str
    name: str | None = None
    state: str
    size: str | None = None
    checked_at: dt.datetime
    runs_as: str
