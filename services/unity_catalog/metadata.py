"""Catalogs, schemas, tables and details, as the user: through the SDK, or through SQL when the token lacks the scopes.

Answers are kept briefly, per person *and* token, because a new token may carry other scopes.
"""

from __future__ import annotations

import difflib
import time
from collections.abc import Callable, Hashable
from typing import Any, Literal, NoReturn, TypeVar

from databricks.sdk import WorkspaceClient
from loguru import logger

from services.errors import LakefrontError, NotFound, PermissionDenied
from services.identity import User
from services.observability import timed
from services.settings import Settings
from services.unity_catalog import rest_catalog, sql_catalog
from services.unity_catalog.cache import Asked, Cache, now
from services.unity_catalog.errors import CATALOG_ERRORS, REFUSALS, Place, catalog_error, lacks_scope
from services.unity_catalog.identifiers import checked, object_name, qualified
from services.unity_catalog.models import CatalogList, NeededPrivilege, SchemaList, TableDetails, TableList, TableRef
from services.unity_catalog.running import Runner
from services.unity_catalog.statements import Statement
from services.workspace_client import ClientFactory

Answer = TypeVar("Answer")
Source = Literal["rest", "information_schema"]
_NEAREST = 5
_MOST_LISTINGS = 12
"""Schemas looked into for a name like the missing one."""


class Metadata:
    """Reads the catalog as users. Thread-safe."""

    def __init__(self, settings: Settings, clients: ClientFactory, runner: Runner) -> None:
        """No I/O."""
        self._clients = clients
        self._runner = runner
        self._place = Place(settings.databricks_host, settings.databricks_warehouse_id)
        self._answers: Cache[Any] = Cache(settings.metadata_cache_seconds)
        self._without_scopes: Cache[bool] = Cache(300)

    def catalogs(self, user: User, *, refresh: bool = False) -> CatalogList:
        """The catalogs that the user may see. Runs as the user.

        Raises:
            LakefrontError: see ``errors.catalog_error``.
        """

        def make() -> CatalogList:
            found, source = self._either(
                user, "catalog", "", None, rest_catalog.catalogs, lambda run: sql_catalog.catalogs(run)
            )
            return CatalogList(catalogs=found, source=source, fetched_at=now(), runs_as=user.user_name)

        return self._kept(Asked.by(user, None, "catalogs"), make, refresh)

    def schemas(self, user: User, catalog: str, *, refresh: bool = False) -> SchemaList:
        """The schemas of a catalog that the user may see. Runs as the user.

        Raises:
            InvalidRequest: the name cannot be one.
            NotFound: no such catalog for this person.
            LakefrontError: see ``errors.catalog_error``.
        """
        object_name(catalog, "catalog")

        def make() -> SchemaList:
            found, source = self._either(
                user,
                "catalog",
                catalog,
                None,
                lambda client: rest_catalog.schemas(client, catalog),
                lambda run: sql_catalog.schemas(run, catalog),
            )
            return SchemaList(schemas=found, source=source, fetched_at=now(), runs_as=user.user_name)

        return self._kept(Asked.by(user, None, ("schemas", catalog)), make, refresh)

    def tables(self, user: User, catalog: str, schema: str, *, refresh: bool = False, masks: bool = True) -> TableList:
        """The tables of a schema that the user may see. Runs as the user.

        Without ``masks`` it is the cheap list of names: ``has_masks`` may be None, for "was not asked".

        Raises:
            InvalidRequest: a name cannot be one.
            NotFound: no such schema for this person.
            LakefrontError: see ``errors.catalog_error``.
        """
        object_name(catalog, "catalog")
        object_name(schema, "schema")

        def make() -> TableList:
            found, source = self._either(
                user,
                "schema",
                f"{catalog}.{schema}",
                None,
                lambda client: rest_catalog.tables(client, catalog, schema, masks=masks),
                lambda run: sql_catalog.tables(run, catalog, schema),
            )
            if source == "information_schema" and not found:
                self._require_schema(user, catalog, schema)
            return TableList(tables=found, source=source, fetched_at=now(), runs_as=user.user_name)

        asked = Asked.by(user, None, ("tables", catalog, schema, masks))
        if not masks and not refresh:
            kept = self._answers.get(asked._replace(what=("tables", catalog, schema, True)))
            if isinstance(kept, TableList):
                return kept
        return self._kept(asked, make, refresh)

    def table(self, user: User, ref: TableRef, *, refresh: bool = False) -> TableDetails:
        """One table as the user sees it. Runs as the user.

        Raises:
            InvalidRequest: a name cannot be one.
            CatalogPermissionDenied: it may not be read.
            NotFound: it does not exist for this person.
            LakefrontError: see ``errors.catalog_error``.
        """
        checked(ref)

        def make() -> TableDetails:
            found: TableDetails | None
            started = time.perf_counter()
            found, _ = self._either(
                user,
                "table",
                ref.full_name,
                ref,
                lambda client: rest_catalog.table(client, user, ref),
                lambda run: sql_catalog.table(run, user, ref),
            )
            if found is None:
                self._refuse_or_miss(user, ref)
            return found.model_copy(update={"elapsed_ms": round((time.perf_counter() - started) * 1000)})

        return self._kept(Asked.by(user, ref, "details"), make, refresh)

    def needed(self, user: User, ref: TableRef) -> list[NeededPrivilege]:
        """What reading a table takes and what of it the catalog says that the user holds. Runs as the user.

        Asked after a refusal; ``information_schema`` cannot tell it, so without the catalog scopes nothing is known.
        """
        if self._without_scopes.get(user.token_key):
            return []
        with timed("unity_catalog.metadata", kind="privileges", name=ref.full_name):
            return rest_catalog.needed(self._clients.for_user(user), user, ref)

    def nearest(self, user: User, ref: TableRef) -> list[str]:
        """Full names like this one among the tables that the user may see, nearest first. Runs as the user."""
        names: list[str] = []
        for catalog, schema in self._likely_schemas(user, ref):
            try:
                names += [table.full_name for table in self.tables(user, catalog, schema, masks=False).tables]
            except LakefrontError:
                continue
        wanted = ref.full_name.lower()
        near = difflib.get_close_matches(wanted, names, _NEAREST, 0.6)
        same = [name for name in names if name.rsplit(".", 1)[1] == ref.table.lower() and name not in near]
        return [*same, *near][:_NEAREST]

    def forget(self) -> None:
        """Forget all answers."""
        self._answers.clear()

    def forget_table(self, user: User, ref: TableRef) -> None:
        """Forget the details of one person and table, and the lists that still name it for them."""
        name = ref.full_name.lower()

        def stale(key: Hashable, value: Any) -> bool:
            listed = isinstance(value, TableList) and any(one.full_name.lower() == name for one in value.tables)
            return isinstance(key, Asked) and key.user_id == user.user_id and (listed or key.table == name)

        self._answers.discard(stale)

    def _likely_schemas(self, user: User, ref: TableRef) -> list[tuple[str, str]]:
        """Where a table of a similar name may be: its own schema first, then its catalog, then the others."""
        places = [(ref.catalog, ref.schema_name)]
        try:
            catalogs = [item.name for item in self.catalogs(user).catalogs]
        except LakefrontError:
            catalogs = []
        close = set(difflib.get_close_matches(ref.catalog.lower(), catalogs, 2, 0.6))
        for catalog in sorted(catalogs, key=lambda name: (name != ref.catalog, name not in close, name)):
            if len(places) >= _MOST_LISTINGS:
                break
            try:
                found = [(catalog, item.name) for item in self.schemas(user, catalog).schemas]
            except LakefrontError:
                continue
            places += [place for place in found if place not in places and place[1] != "information_schema"]
        return places[:_MOST_LISTINGS]

    def _kept(self, asked: Asked, make: Callable[[], Answer], refresh: bool) -> Answer:
        try:
            made: Answer = self._answers.get_or_make(asked, make, refresh=refresh)
        except REFUSALS:
            self._answers.discard(lambda key, _: key == asked)
            raise
        return made

    def _either(
        self,
        user: User,
        kind: str,
        name: str,
        ref: TableRef | None,
        rest: Callable[[WorkspaceClient], Any],
        sql: Callable[[sql_catalog.Run], Any],
    ) -> tuple[Any, Source]:
        """Ask the SDK; ask SQL when the token lacks the catalog scopes, and remember that for a while."""
        place = Place(self._place.workspace, self._place.warehouse_id, ref)
        if not self._without_scopes.get(user.token_key):
            try:
                with timed("unity_catalog.metadata", kind=kind, name=name):
                    return rest(self._clients.for_user(user)), "rest"
            except CATALOG_ERRORS as error:
                if not lacks_scope(error):
                    raise catalog_error(error, place, kind=kind, name=name) from error
                logger.bind(kind=kind).info("the user token lacks the catalog scopes; metadata is read through SQL")
                self._without_scopes.put(user.token_key, True)

        def run(statement: Statement) -> Any:
            return self._runner.run(user, statement, "warehouse.metadata", ref).table

        try:
            return sql(run), "information_schema"
        except NotFound as error:
            if ref is not None:
                raise
            raise NotFound(f"There is no {kind} {name}.", error_code=f"{kind.upper()}_NOT_FOUND") from error

    def _require_schema(self, user: User, catalog: str, schema: str) -> None:
        """``information_schema`` answers no rows for a schema that is not there; say so."""
        if schema not in {item.name for item in self.schemas(user, catalog).schemas}:
            raise NotFound(f"There is no schema {catalog}.{schema}.", error_code="SCHEMA_NOT_FOUND")

    def _refuse_or_miss(self, user: User, ref: TableRef) -> NoReturn:
        """A table that ``information_schema`` does not show: ask the table itself whether it is denied or missing."""
        probe = Statement(f"SELECT 1\nFROM {qualified(ref)}\nLIMIT 0")
        self._runner.run(user, probe, "warehouse.metadata", ref)
        raise PermissionDenied(
            "The catalog does not describe this table to you.", required_scope="sql", workspace=self._place.workspace
        )
