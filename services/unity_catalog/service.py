"""The Unity Catalog service: everything the page and the JSON API ask for, in one place.

Every function with a ``user`` runs as that user, with the token that came with their request; ``warehouse_state`` alone
runs as the app's service principal. ``cancel_key`` names a running statement so that another thread can stop it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from services.unity_catalog.models import (
    AggregateRequest,
    AggregateResult,
    CatalogList,
    Count,
    CountRequest,
    ExportRequest,
    Profile,
    ProfileRequest,
    Query,
    RowsPage,
    RowsRequest,
    SchemaList,
    TableDetails,
    TableList,
    TableRef,
    WarehouseState,
)

if TYPE_CHECKING:
    from services.identity import User


class UnityCatalogService:
    """Facade over metadata, rows, aggregate, profile and export. Building it does no I/O; ``close`` ends its sessions."""

    def __init__(self, settings: Any, clients: Any) -> None:
        """Keep the settings and the client factory."""

    def start(self) -> None:
        """Start evicting idle sessions."""

    def close(self) -> None:
        """Cancel what runs and close every session."""

    def catalogs(self, user: User, *, refresh: bool = False) -> CatalogList:
        """The catalogs that the user may see. Runs as the user; kept briefly, ``refresh`` reads anew."""
        raise NotImplementedError

    def schemas(self, user: User, catalog: str, *, refresh: bool = False) -> SchemaList:
        """The schemas of a catalog. Runs as the user. Raises NotFound."""
        raise NotImplementedError

    def tables(self, user: User, catalog: str, schema: str, *, refresh: bool = False) -> TableList:
        """The tables of a schema. Runs as the user. Raises NotFound."""
        raise NotImplementedError

    def table(self, user: User, ref: TableRef, *, refresh: bool = False) -> TableDetails:
        """One table's columns, keys, filter, masks and the user's privileges. Raises NotFound (with
        ``technical_details["nearest"]``: full names the user may see) and CatalogPermissionDenied."""
        raise NotImplementedError

    def rows(self, user: User, ref: TableRef, request: RowsRequest, *, cancel_key: str | None = None) -> RowsPage:
        """A page of rows; ``total_rows`` only when ``request.count``. Runs as the user."""
        raise NotImplementedError

    def count(
        self, user: User, ref: TableRef, request: CountRequest, *, refresh: bool = False, cancel_key: str | None = None
    ) -> Count:
        """How many rows the filter leaves; kept briefly. Runs as the user. Ask it beside ``rows``, never before."""
        raise NotImplementedError

    def aggregate(
        self, user: User, ref: TableRef, request: AggregateRequest, *, cancel_key: str | None = None
    ) -> AggregateResult:
        """Groups and measures. Runs as the user."""
        raise NotImplementedError

    def profile(
        self,
        user: User,
        ref: TableRef,
        request: ProfileRequest,
        *,
        refresh: bool = False,
        cancel_key: str | None = None,
    ) -> Profile:
        """Two statements: figures of every column, then distributions. Runs as the user."""
        raise NotImplementedError

    def export(
        self,
        user: User,
        ref: TableRef,
        request: ExportRequest,
        file_format: Literal["csv", "parquet"],
        *,
        cancel_key: str | None = None,
    ) -> Any:
        """An ``Export``: iterate it for bytes; ``filename``, ``media_type``, ``row_cap``, ``total_rows``, ``progress``
        (rows, bytes, seconds), ``cancel()``. Runs as the user."""
        raise NotImplementedError

    def cancel(self, user: User, cancel_key: str) -> bool:
        """Cancel this user's running statement on the warehouse; False when nothing of that key runs."""
        raise NotImplementedError

    def nearest_tables(self, user: User, ref: TableRef) -> list[str]:
        """Full names like this one among what the user may see, nearest first, at most five."""
        raise NotImplementedError

    def ping(self, user: User) -> Query:
        """``SELECT 1`` on the warehouse as the user, for the status page."""
        raise NotImplementedError

    def warehouse_state(self) -> WarehouseState:
        """The warehouse's state. Runs as the app's service principal."""
        raise NotImplementedError
