"""Unity Catalog over JSON: metadata, rows, aggregates, profiles and exports. Every route runs as the user."""

from __future__ import annotations

from typing import Annotated, Literal

from flask import Response
from pydantic import Field, ValidationError

from dashboard.api.contract import Api, Model, invalid
from dashboard.identity import current_user
from services.container import Services
from services.errors import NotFound
from services.unity_catalog.identifiers import reference
from services.unity_catalog.models import (
    MAX_OFFSET,
    MAX_PAGE,
    AggregateRequest,
    AggregateResult,
    CatalogList,
    Count,
    CountRequest,
    ExportProgress,
    ExportRequest,
    Profile,
    ProfileRequest,
    RowsPage,
    RowsRequest,
    SchemaList,
    TableDetails,
    TableList,
    WarehouseState,
)

_TAG = "unity-catalog"
_BASE = "/api/v1/unity-catalog"
_TABLE = _BASE + "/tables/{catalog}/{schema}/{table}"
CancelKey = Annotated[
    str | None,
    Field(
        pattern=r"^[A-Za-z0-9._-]{1,128}$",
        description="A name of your choice for the running statement; DELETE …/statements/{key} cancels it.",
    ),
]


class RefreshQuery(Model):
    """Whether a kept answer will do."""

    refresh: bool = Field(False, description="Read anew instead of answering from the cache.")


class StatementQuery(Model):
    """How the running statement is called."""

    cancel_key: CancelKey = None


class RowsQuery(StatementQuery):
    """A page, in the query of a GET."""

    limit: int = Field(100, ge=1, le=MAX_PAGE, description="Rows of the page.")
    offset: int = Field(0, ge=0, le=MAX_OFFSET, description="Rows before the page.")
    sort: list[str] = Field([], max_length=16, description="`column:asc` or `column:desc`; may be given repeatedly.")
    count: bool | None = Field(
        None, description="Count all rows as well. When it is left out, a page that ends the table tells the total."
    )


class ProfileQuery(RefreshQuery):
    """A profile, in the query of a GET."""

    cancel_key: CancelKey = None


class ExportQuery(StatementQuery):
    """The file format of an export."""

    format: Literal["csv", "parquet"] = Field("csv", description="File format.")


def register(api: Api, services: Services) -> None:
    """Add the routes."""
    _register_metadata(api, services)
    _register_rows(api, services)
    _register_figures(api, services)
    _register_running(api, services)


def _register_metadata(api: Api, services: Services) -> None:
    catalog_service = services.unity_catalog

    @api.get(_BASE + "/catalogs", tag=_TAG, summary="Catalogs", query=RefreshQuery, response=CatalogList)
    def list_catalogs(query: RefreshQuery) -> CatalogList:
        """The catalogs that you may see. Runs as you."""
        return catalog_service.catalogs(current_user(), refresh=query.refresh)

    @api.get(
        _BASE + "/catalogs/{catalog}/schemas", tag=_TAG, summary="Schemas", query=RefreshQuery, response=SchemaList
    )
    def list_schemas(catalog: str, query: RefreshQuery) -> SchemaList:
        """The schemas of a catalog that you may see. Runs as you."""
        return catalog_service.schemas(current_user(), catalog, refresh=query.refresh)

    @api.get(
        _BASE + "/catalogs/{catalog}/schemas/{schema}/tables",
        tag=_TAG,
        summary="Tables",
        query=RefreshQuery,
        response=TableList,
    )
    def list_tables(catalog: str, schema: str, query: RefreshQuery) -> TableList:
        """The tables of a schema that you may see. Runs as you."""
        return catalog_service.tables(current_user(), catalog, schema, refresh=query.refresh)

    @api.get(_TABLE, tag=_TAG, summary="One table", query=RefreshQuery, response=TableDetails)
    def get_table(catalog: str, schema: str, table: str, query: RefreshQuery) -> TableDetails:
        """Columns, keys, row filter, masks and your privileges. Runs as you."""
        return catalog_service.table(current_user(), reference(catalog, schema, table), refresh=query.refresh)


def _register_rows(api: Api, services: Services) -> None:
    catalog_service = services.unity_catalog

    @api.get(_TABLE + "/rows", tag=_TAG, summary="A page of rows", query=RowsQuery, response=RowsPage)
    def get_rows(catalog: str, schema: str, table: str, query: RowsQuery) -> RowsPage:
        """Rows in a total order: no row is repeated or skipped between pages. Runs as you."""
        asked = rows_request(query)
        return catalog_service.rows(
            current_user(), reference(catalog, schema, table), asked, cancel_key=query.cancel_key
        )

    @api.post(
        _TABLE + "/query",
        tag=_TAG,
        summary="A page of filtered rows",
        query=StatementQuery,
        body=RowsRequest,
        response=RowsPage,
    )
    def query_rows(catalog: str, schema: str, table: str, query: StatementQuery, body: RowsRequest) -> RowsPage:
        """The same with columns, sort and a filter tree in the body. Runs as you."""
        return catalog_service.rows(
            current_user(), reference(catalog, schema, table), body, cancel_key=query.cancel_key
        )

    @api.post(
        _TABLE + "/count",
        tag=_TAG,
        summary="How many rows a filter leaves",
        query=ProfileQuery,
        body=CountRequest,
        response=Count,
    )
    def count_rows(catalog: str, schema: str, table: str, query: ProfileQuery, body: CountRequest) -> Count:
        """The total, kept briefly; ask it beside the rows, so that it never delays them. Runs as you."""
        return catalog_service.count(
            current_user(),
            reference(catalog, schema, table),
            body,
            refresh=query.refresh,
            cancel_key=query.cancel_key,
        )


def _register_figures(api: Api, services: Services) -> None:
    catalog_service = services.unity_catalog

    @api.post(
        _TABLE + "/aggregate",
        tag=_TAG,
        summary="Groups and measures",
        query=StatementQuery,
        body=AggregateRequest,
        response=AggregateResult,
    )
    def aggregate_rows(
        catalog: str, schema: str, table: str, query: StatementQuery, body: AggregateRequest
    ) -> AggregateResult:
        """Grouped on the warehouse; more groups than `limit` are cut, and `truncated` says so. Runs as you."""
        return catalog_service.aggregate(
            current_user(), reference(catalog, schema, table), body, cancel_key=query.cancel_key
        )

    @api.get(_TABLE + "/profile", tag=_TAG, summary="What the columns hold", query=ProfileQuery, response=Profile)
    def get_profile(catalog: str, schema: str, table: str, query: ProfileQuery) -> Profile:
        """Nulls, distinct values (about), extremes, histogram or frequent values of each column. Runs as you."""
        return catalog_service.profile(
            current_user(),
            reference(catalog, schema, table),
            ProfileRequest(),
            refresh=query.refresh,
            cancel_key=query.cancel_key,
        )

    @api.post(
        _TABLE + "/profile",
        tag=_TAG,
        summary="What the columns of filtered rows hold",
        query=ProfileQuery,
        body=ProfileRequest,
        response=Profile,
    )
    def profile_rows(catalog: str, schema: str, table: str, query: ProfileQuery, body: ProfileRequest) -> Profile:
        """The same for some columns or for filtered rows. Runs as you."""
        return catalog_service.profile(
            current_user(),
            reference(catalog, schema, table),
            body,
            refresh=query.refresh,
            cancel_key=query.cancel_key,
        )

    @api.post(
        _TABLE + "/export",
        tag=_TAG,
        summary="Download the filtered and sorted rows",
        query=ExportQuery,
        body=ExportRequest,
        media_type="application/octet-stream",
    )
    def export_rows(catalog: str, schema: str, table: str, query: ExportQuery, body: ExportRequest) -> Response:
        """A CSV or Parquet file, streamed. Runs as you.

        At most `X-Export-Row-Cap` rows are written; `X-Export-Total-Rows` of them will come, and `X-Export-Truncated`
        is `true` when the filter leaves more. A file that ends early (no terminating chunk) is incomplete.
        """
        export = catalog_service.export(
            current_user(), reference(catalog, schema, table), body, query.format, cancel_key=query.cancel_key
        )
        headers = {
            "Content-Disposition": f'attachment; filename="{export.filename}"',
            "X-Export-Row-Cap": str(export.row_cap),
            "X-Export-Total-Rows": str(export.total_rows),
            "X-Export-Truncated": "true" if export.truncated else "false",
            "Cache-Control": "no-store",
        }
        # Werkzeug closes what it iterates, also when the download is broken off; that stops the statement.
        return Response(export, headers=headers, content_type=export.media_type, direct_passthrough=True)


def _register_running(api: Api, services: Services) -> None:
    catalog_service = services.unity_catalog

    @api.delete(_BASE + "/statements/{cancel_key}", tag=_TAG, summary="Cancel a running statement", status=204)
    def cancel_statement(cancel_key: str) -> None:
        """Stops your statement of that key on the warehouse; 404 when nothing of it runs. Runs as you."""
        if not catalog_service.cancel(current_user(), cancel_key):
            raise NotFound("No statement of that key is running.")

    @api.get(_BASE + "/exports/{cancel_key}", tag=_TAG, summary="How far an export is", response=ExportProgress)
    def get_export(cancel_key: str) -> ExportProgress:
        """Rows and bytes written of your export of that key, also for an hour after its end. Runs as you."""
        progress = catalog_service.export_progress(current_user(), cancel_key)
        if progress is None:
            raise NotFound("There is no export of that key.")
        return progress

    @api.get(_BASE + "/warehouse", tag=_TAG, summary="State of the SQL warehouse", response=WarehouseState)
    def get_warehouse() -> WarehouseState:
        """RUNNING, STARTING, STOPPED …; asked as the app's service principal."""
        current_user()
        return catalog_service.warehouse_state()


def rows_request(query: RowsQuery) -> RowsRequest:
    """The query of a GET as a request; ``column:desc`` may have colons in the column's name.

    Raises:
        InvalidRequest: a sort names no column.
    """
    sort = []
    for item in query.sort:
        column, colon, direction = item.rpartition(":")
        known = bool(colon) and direction.lower() in ("asc", "desc")
        sort.append({"column": column if known else item, "direction": direction.lower() if known else "asc"})
    values = {"limit": query.limit, "offset": query.offset, "sort": sort, "count": query.count}
    try:
        return RowsRequest.model_validate(values)
    except ValidationError as error:
        raise invalid(error) from None
