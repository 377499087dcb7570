"""The Unity Catalog service: everything the page and the JSON API ask for, in one place.

Every function with a ``user`` runs as that user, with the token that came with their request; ``warehouse_state`` alone
runs as the app's service principal. ``cancel_key`` names a running statement so that another thread can stop it.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Literal, TypeVar

from services.errors import CatalogPermissionDenied, InvalidRequest, NotFound
from services.identity import User
from services.observability import timed
from services.settings import Settings
from services.unity_catalog.aggregate import aggregate
from services.unity_catalog.cache import Asked, Cache, now
from services.unity_catalog.columns import chosen
from services.unity_catalog.errors import CATALOG_ERRORS, REFUSALS, Place, catalog_error, table_not_found
from services.unity_catalog.export import Export
from services.unity_catalog.frequent import frequent
from services.unity_catalog.metadata import Metadata
from services.unity_catalog.models import (
    AggregateRequest,
    AggregateResult,
    CatalogList,
    Count,
    CountRequest,
    ExportProgress,
    ExportRequest,
    FrequentValues,
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
from services.unity_catalog.profile import profile
from services.unity_catalog.rows import Rows, checked_sort, filter_key, page_statement
from services.unity_catalog.running import Runner
from services.unity_catalog.sessions import SessionPool
from services.unity_catalog.statements import Statement, total_order
from services.workspace_client import ClientFactory

Done = TypeVar("Done")


class UnityCatalogService:
    """Facade over metadata, rows, aggregates, profiles and exports. Thread-safe."""

    def __init__(self, settings: Settings, clients: ClientFactory) -> None:
        """No I/O: sessions are opened by the first statements."""
        self._settings = settings
        self._clients = clients
        self._pool = SessionPool(settings)
        self._runner = Runner(settings, self._pool, lambda: self.warehouse_state().state)
        self._metadata = Metadata(settings, clients, self._runner)
        self._rows = Rows(self._runner, settings.metadata_cache_seconds)
        self._profiles: Cache[Profile] = Cache(settings.metadata_cache_seconds, 200)
        self._frequent: Cache[FrequentValues] = Cache(settings.metadata_cache_seconds, 200)
        self._state: Cache[WarehouseState] = Cache(1.0, 1)
        self._exports: Cache[Export] = Cache(3600, 200)

    def start(self) -> None:
        """Begin closing idle sessions and stopping late statements; the first statement does it too."""
        self._pool.start()
        self._runner.start()

    def close(self) -> None:
        """Cancel what runs and close every session. Idempotent."""
        self._runner.close()
        self._pool.close()

    def pool_statistics(self) -> dict[str, int]:
        """Warehouse sessions idle and in use, and of how many people."""
        return self._pool.statistics()

    def catalogs(self, user: User, *, refresh: bool = False) -> CatalogList:
        """The catalogs that the user may see; kept briefly, ``refresh`` reads anew. Runs as the user.

        Raises:
            LakefrontError: see ``Metadata.catalogs``.
        """
        return self._metadata.catalogs(user, refresh=refresh)

    def schemas(self, user: User, catalog: str, *, refresh: bool = False) -> SchemaList:
        """The schemas of a catalog. Runs as the user.

        Raises:
            LakefrontError: see ``Metadata.schemas``.
        """
        return self._metadata.schemas(user, catalog, refresh=refresh)

    def tables(self, user: User, catalog: str, schema: str, *, refresh: bool = False, masks: bool = True) -> TableList:
        """The tables of a schema; without ``masks`` only what the cheap list tells. Runs as the user.

        Raises:
            LakefrontError: see ``Metadata.tables``.
        """
        return self._metadata.tables(user, catalog, schema, refresh=refresh, masks=masks)

    def table(self, user: User, ref: TableRef, *, refresh: bool = False) -> TableDetails:
        """One table's columns, key, row filter, masks and the user's privileges. Runs as the user.

        Raises:
            NotFound: it does not exist for this person; ``technical_details["nearest"]`` holds full names like it.
            CatalogPermissionDenied: it may not be read; ``technical_details["privileges"]`` says what that takes, and
                what of it is held as far as the catalog tells.
            LakefrontError: see ``Metadata.table``.
        """
        try:
            return self._of_table(user, ref, lambda: self._metadata.table(user, ref, refresh=refresh))
        except CatalogPermissionDenied as error:
            needed = self._metadata.needed(user, ref)
            missing = error.technical_details.get("privilege")
            for one in needed:
                one.held = False if one.privilege == missing else one.held
            if any(one.held is not None for one in needed):
                error.technical_details["privileges"] = [one.model_dump() for one in needed]
            raise

    def rows(self, user: User, ref: TableRef, request: RowsRequest, *, cancel_key: str | None = None) -> RowsPage:
        """A page of rows in a total order; ``total_rows`` only when ``request.count``. Runs as the user.

        Raises:
            LakefrontError: see ``table`` and ``Rows.page``.
        """
        return self._with_details(user, ref, lambda details: self._rows.page(user, ref, details, request, cancel_key))

    def statement(self, user: User, ref: TableRef, request: RowsRequest) -> Statement:
        """The statement of a page without running it (a deep page's is narrowed only when it runs). Runs as the user.

        Raises:
            LakefrontError: see ``table`` and ``Rows.page``.
        """

        def make(details: TableDetails) -> Statement:
            columns = details.columns
            terms = total_order(columns, checked_sort(columns, request.sort))
            selected = chosen(columns, request.columns)
            return page_statement(ref, columns, selected, request.filter, terms, request.limit, request.offset)

        return self._with_details(user, ref, make)

    def count(
        self,
        user: User,
        ref: TableRef,
        request: CountRequest,
        *,
        refresh: bool = False,
        cancel_key: str | None = None,
    ) -> Count:
        """How many rows the filter leaves; kept briefly. Ask it beside ``rows``, not before. Runs as the user.

        Raises:
            LakefrontError: see ``table`` and ``Rows.count``.
        """
        return self._with_details(
            user,
            ref,
            lambda details: self._rows.count(user, ref, details, request.filter, refresh=refresh, key=cancel_key),
        )

    def aggregate(
        self, user: User, ref: TableRef, request: AggregateRequest, *, cancel_key: str | None = None
    ) -> AggregateResult:
        """Groups and measures of the filtered table. Runs as the user.

        Raises:
            LakefrontError: see ``table`` and ``aggregate.aggregate``.
        """
        return self._with_details(
            user, ref, lambda details: aggregate(self._runner, user, ref, details, request, cancel_key)
        )

    def profile(
        self,
        user: User,
        ref: TableRef,
        request: ProfileRequest,
        *,
        refresh: bool = False,
        cancel_key: str | None = None,
    ) -> Profile:
        """Figures and distributions of the columns, by two statements; kept briefly. Runs as the user.

        Raises:
            LakefrontError: see ``table`` and ``profile.profile``.
        """
        return self._profiles.get_or_make(
            Asked.by(user, ref, (filter_key(request.filter), tuple(request.columns or ()))),
            lambda: self._with_details(
                user, ref, lambda details: profile(self._runner, user, ref, details, request, cancel_key)
            ),
            refresh=refresh,
        )

    def frequent_values(
        self, user: User, ref: TableRef, column: str, *, cancel_key: str | None = None
    ) -> FrequentValues:
        """The most frequent values of a column of the whole table; kept briefly. Runs as the user.

        Raises:
            LakefrontError: see ``table`` and ``frequent.frequent``.
        """
        return self._frequent.get_or_make(
            (user.user_id, user.token_key, ref, column),
            lambda: self._with_details(
                user, ref, lambda details: frequent(self._runner, user, ref, details, column, cancel_key)
            ),
        )

    def export(
        self,
        user: User,
        ref: TableRef,
        request: ExportRequest,
        file_format: Literal["csv", "parquet"],
        *,
        cancel_key: str | None = None,
    ) -> Export:
        """The filtered and sorted result as a file, at most ``settings.export_row_cap`` rows. Runs as the user.

        Iterate the answer for bytes, and close it when nobody reads on.

        Raises:
            LakefrontError: see ``table`` and ``Rows.page``.
        """
        key, cap = cancel_key or uuid.uuid4().hex, self._settings.export_row_cap

        def begin(details: TableDetails) -> Export:
            terms = total_order(details.columns, checked_sort(details.columns, request.sort)) if request.sort else []
            selected = chosen(details.columns, request.columns)
            statement = page_statement(ref, details.columns, selected, request.filter, terms, cap, 0)
            total = self._rows.count(user, ref, details, request.filter, key=key).total_rows
            opened = self._runner.opened(user, statement, "warehouse.export", ref, key, streaming=True)
            return Export(ref, file_format, opened, key=key, total_rows=total, row_cap=cap)

        export = self._with_details(user, ref, begin)
        self._exports.put((user.user_id, key), export)
        return export

    def export_progress(self, user: User, cancel_key: str) -> ExportProgress | None:
        """How far this user's export of that key is; None when there is none. No call."""
        export = self._exports.get((user.user_id, cancel_key))
        return export.progress if export is not None else None

    def cancel(self, user: User, cancel_key: str) -> bool:
        """Cancel this user's running statements of that key; False when nothing of it runs. Runs as the user."""
        return self._runner.cancel(user, cancel_key)

    def forget(self) -> None:
        """Forget everything that is kept: metadata, totals, block counts, profiles and frequent values."""
        self._metadata.forget()
        self._rows.forget()
        self._profiles.clear()
        self._frequent.clear()

    def ping(self, user: User) -> Query:
        """``SELECT 1`` on the warehouse, for the status page. Runs as the user.

        Raises:
            LakefrontError: see ``Runner.run``.
        """
        return self._runner.run(user, Statement("SELECT 1 AS `one`"), "warehouse.ping").query

    def warehouse_state(self) -> WarehouseState:
        """The warehouse's state, asked at most once a second. Runs as the app's service principal.

        Raises:
            PermissionDenied: the app may not see the warehouse.
            NotFound: there is no such warehouse.
            WorkspaceUnavailable: the workspace does not answer.
        """
        return self._state.get_or_make("state", self._ask_state)

    def _with_details(self, user: User, ref: TableRef, act: Callable[[TableDetails], Done]) -> Done:
        """Act on the table's kept details, and once more on fresh ones when its columns have changed meanwhile.

        Raises:
            LakefrontError: see ``table``, and what ``act`` raises.
        """

        def done() -> Done:
            details = self._metadata.table(user, ref)
            try:
                return act(details)
            except InvalidRequest:
                fresh = self._metadata.table(user, ref, refresh=True)
                if fresh.columns == details.columns:
                    raise
            return act(fresh)

        return self._of_table(user, ref, done)

    def _of_table(self, user: User, ref: TableRef, ask: Callable[[], Done]) -> Done:
        """Ask about a table; once that is refused, nothing that was kept of it for this person is told again.

        Raises:
            NotFound: with the nearest names that they may see.
            LakefrontError: what ``ask`` raises.
        """
        try:
            return ask()
        except REFUSALS as error:
            self._metadata.forget_table(user, ref)
            self._rows.forget_table(user, ref)
            self._profiles.forget_table(user, ref)
            if isinstance(error, NotFound):
                raise table_not_found(ref, self._metadata.nearest(user, ref)) from error
            raise

    def _ask_state(self) -> WarehouseState:
        warehouse_id = self._settings.databricks_warehouse_id
        place = Place(self._settings.databricks_host, warehouse_id)
        try:
            with timed("workspace.warehouse_state"):
                found = self._clients.for_app().warehouses.get(warehouse_id)
        except CATALOG_ERRORS as error:
            raise catalog_error(error, place, kind="warehouse", name=warehouse_id) from error
        return WarehouseState(
            warehouse_id=warehouse_id,
            name=found.name,
            state=found.state.value if found.state else "UNKNOWN",
            size=found.cluster_size,
            checked_at=now(),
            runs_as=self._settings.databricks_client_id,
        )
