"""What people can do with their own records, for pages and routes alike.

On the database everything runs as the app's service principal; each call is confined to the rows of ``user`` by a
transaction-local setting that row security enforces, and by ``WHERE user_id`` besides.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID

from prometheus_client import Counter

from db import audit_log, inference_logs, record_counts
from db import errors as database_errors
from db.database import Database
from db.pool import Connection, Pool, PoolOptions
from db.records import Operation
from services.errors import AlreadyExists, DatabaseUnavailable, InvalidRequest, NotFound
from services.identity import User
from services.lakebase import json_text
from services.lakebase.login import Login
from services.lakebase.models import (
    DEFAULT_LIMIT,
    AuditEntry,
    InferenceLog,
    InferenceStatus,
    Page,
    Provenance,
    Record,
    RecordKind,
    StoredRecord,
    check_key,
    check_page,
)
from services.observability import redact, registry, request_id, timed
from services.settings import Settings
from services.workspace_client import ClientFactory

Change = Callable[[Connection, str, str, str, str], Record | None]
"""A repository's way to write: connection, user id, key, value, request id."""

unavailable_total = Counter(
    "lakefront_database_unavailable", "Failed uses of Lakebase by error type.", ["error_type"], registry=registry
)

_UNSAFE = "42501"
_NOT_MIGRATED = "55000"


class LakebaseService:
    """The user's records, audit trail and invocation log. Thread-safe."""

    def __init__(self, settings: Settings, clients: ClientFactory, options: PoolOptions | None = None) -> None:
        """No I/O.

        Args:
            settings: which database, which schema, how many connections.
            clients: for minting tokens.
            options: other limits of the pool, for tests.
        """
        self._name = settings.lakebase_name
        self._pool = Pool(
            Login(settings, clients),
            settings.lakebase_schema,
            options or PoolOptions(max_size=settings.lakebase_pool_size),
        )
        self._database = Database(self._pool, settings.lakebase_schema, may_migrate=settings.lakebase_migrate)

    def start(self) -> None:
        """Starts connecting in the background; never fails, never waits. Call it in the process that serves."""
        self._pool.open()

    def close(self) -> None:
        """Closes every connection. Idempotent."""
        self._pool.close()

    def pool_statistics(self) -> dict[str, int]:
        """Numbers of the pool, for metrics and the status page. No outside call."""
        return self._pool.statistics()

    def check(self) -> str:
        """Asks the database for a sign of life; brings the schema up to date the first time. Runs as the app.

        Returns:
            One sentence for people.

        Raises:
            DatabaseUnavailable: it does not serve.
        """
        with self._errors_mapped():
            milliseconds = self._database.ping()
        return f"{self._name} answers in {milliseconds:.1f} ms; row-level security forced."

    def list_records(
        self,
        user: User,
        kind: RecordKind,
        *,
        limit: int = DEFAULT_LIMIT,
        offset: int = 0,
        search: str = "",
        newest: bool = False,
        counts: bool = False,
    ) -> Page[Record]:
        """A page of the user's records of one kind, by key. Runs as the app, confined to ``user``.

        Args:
            user: owner.
            kind: record type.
            limit: 1 to 1000.
            offset: records to skip.
            search: a part of the key or of the value's text, any case; empty for all.
            newest: the last change first, instead of by key.
            counts: count the user's records of every kind too, in the same transaction.

        Raises:
            InvalidRequest: ``limit``, ``offset`` or ``search`` is wrong.
            DatabaseUnavailable: EC-002.
        """
        check_page(limit, offset)
        if "\x00" in search or len(search) > 100:
            raise InvalidRequest("search", "at most 100 characters, none of them NUL, expected")
        started = time.perf_counter()
        with self._transaction(user, "list") as connection:
            records, total = kind.repository.list(
                connection, user.user_id, limit=limit, offset=offset, search=search, newest=newest
            )
            counted = record_counts.count(connection, user.user_id) if counts else None
        ran = self._provenance(user, kind, "list_newest" if newest else "list", started)
        return Page(records, limit, offset, total, ran, counted)

    def get_record(self, user: User, kind: RecordKind, key: str) -> StoredRecord:
        """One record of the user. Runs as the app, confined to ``user``.

        Raises:
            InvalidRequest: no record can have that key.
            NotFound: this user has no such record, whoever else may.
            DatabaseUnavailable: EC-002.
        """
        check_key(kind, key)
        started = time.perf_counter()
        with self._transaction(user, "get") as connection:
            record = kind.repository.get(connection, user.user_id, key)
        found = _found(kind, key, record)
        return StoredRecord.of(found, self._provenance(user, kind, "get", started))

    def create_record(self, user: User, kind: RecordKind, key: str, value: str) -> StoredRecord:
        """Adds a record and its audit row. Runs as the app, confined to ``user``.

        Args:
            user: owner.
            kind: record type.
            key: see ``check_key``.
            value: JSON text; see ``json_text.normalise`` for what is refused.

        Raises:
            InvalidRequest: key or value is wrong.
            AlreadyExists: the user has a record of that key.
            DatabaseUnavailable: EC-002.
        """
        check_key(kind, key)
        text = json_text.normalise(value, kind.value_field)
        started = time.perf_counter()
        with self._transaction(user, "create") as connection:
            record = kind.repository.create(connection, user.user_id, key, text, request_id())
        if record is None:
            raise AlreadyExists(f"You already have a {_words(kind)} {key}.", technical_details={kind.key_field: key})
        return StoredRecord.of(record, self._provenance(user, kind, "create", started))

    def replace_record(self, user: User, kind: RecordKind, key: str, value: str) -> StoredRecord:
        """Replaces the value of a record and adds the audit row. Runs as the app, confined to ``user``.

        Raises:
            InvalidRequest: key or value is wrong.
            NotFound: this user has no such record.
            DatabaseUnavailable: EC-002.
        """
        check_key(kind, key)
        text = json_text.normalise(value, kind.value_field)
        started = time.perf_counter()
        with self._transaction(user, "replace") as connection:
            record = kind.repository.replace(connection, user.user_id, key, text, request_id())
        found = _found(kind, key, record)
        return StoredRecord.of(found, self._provenance(user, kind, "replace", started))

    def save_record(self, user: User, kind: RecordKind, key: str, value: str) -> StoredRecord:
        """Replaces a record, or adds it when there is none, with the audit row. Runs as the app, confined to ``user``.

        Raises:
            InvalidRequest: key or value is wrong.
            DatabaseUnavailable: EC-002.
        """
        check_key(kind, key)
        text = json_text.normalise(value, kind.value_field)
        started = time.perf_counter()
        changes: dict[Operation, Change] = {"replace": kind.repository.replace, "create": kind.repository.create}
        operations: tuple[Operation, ...] = ("replace", "create", "replace")
        with self._transaction(user, "save") as connection:
            for operation in operations:
                record = changes[operation](connection, user.user_id, key, text, request_id())
                if record is not None:
                    break
        if record is not None:
            return StoredRecord.of(record, self._provenance(user, kind, operation, started))
        raise NotFound(f"The {_words(kind)} {key} is being deleted at this moment; save it again.")

    def delete_record(self, user: User, kind: RecordKind, key: str) -> StoredRecord:
        """Removes a record and adds the audit row; gives what it was, for undo. Runs as the app, confined to ``user``.

        Raises:
            InvalidRequest: no record can have that key.
            NotFound: this user has no such record.
            DatabaseUnavailable: EC-002.
        """
        check_key(kind, key)
        started = time.perf_counter()
        with self._transaction(user, "delete") as connection:
            record = kind.repository.delete(connection, user.user_id, key, request_id())
        found = _found(kind, key, record)
        return StoredRecord.of(found, self._provenance(user, kind, "delete", started))

    def list_audit_log(
        self,
        user: User,
        *,
        limit: int = DEFAULT_LIMIT,
        offset: int = 0,
        record_type: str | None = None,
        record_key: str | None = None,
    ) -> Page[AuditEntry]:
        """The user's own changes, newest first. Runs as the app, confined to ``user``.

        Raises:
            InvalidRequest: ``limit`` or ``offset`` is wrong.
            DatabaseUnavailable: EC-002.
        """
        check_page(limit, offset)
        with self._transaction(user, "audit_log") as connection:
            entries, total = audit_log.list_entries(
                connection,
                user.user_id,
                limit=limit,
                offset=offset,
                record_type=record_type,
                record_key=record_key,
            )
        return Page(entries, limit, offset, total)

    def record_inference(
        self,
        user: User,
        *,
        request_id: str,
        endpoint_name: str,
        status: InferenceStatus,
        execution_time_ms: float,
        inputs: str | None = None,
        predictions: str | None = None,
        model_name: str | None = None,
        model_version: str | None = None,
        error_message: str | None = None,
    ) -> UUID:
        """Logs one model invocation for its user. Runs as the app, confined to ``user``.

        Args:
            user: who invoked.
            request_id: correlation id.
            endpoint_name: serving endpoint.
            status: how it ended.
            execution_time_ms: milliseconds.
            inputs: what was sent, as JSON text.
            predictions: what came back, likewise; None without an answer.
            model_name: full name in Unity Catalog, if known.
            model_version: version that answered, if known.
            error_message: why it failed.

        Returns:
            Id of the log entry.

        Raises:
            DatabaseUnavailable: EC-002; whoever invoked the model must not fail because of it.
        """
        values: dict[str, object] = {
            "request_id": request_id,
            "endpoint_name": endpoint_name,
            "model_name": model_name,
            "model_version": model_version,
            "inputs": inputs,
            "predictions": predictions,
            "status": status,
            "execution_time_ms": max(0.0, execution_time_ms),
            "error_message": (error_message or "").replace("\x00", "")[:10_000] or None,
        }
        with self._transaction(user, "record_inference") as connection:
            return inference_logs.add(connection, user.user_id, values)

    def list_inference_logs(
        self,
        user: User,
        *,
        limit: int = DEFAULT_LIMIT,
        offset: int = 0,
        endpoint_name: str | None = None,
        status: str | None = None,
    ) -> Page[InferenceLog]:
        """The user's own invocations, newest first. Runs as the app, confined to ``user``.

        Raises:
            InvalidRequest: ``limit`` or ``offset`` is wrong.
            DatabaseUnavailable: EC-002.
        """
        check_page(limit, offset)
        with self._transaction(user, "inference_logs") as connection:
            logs, total = inference_logs.list_logs(
                connection, user.user_id, limit=limit, offset=offset, endpoint_name=endpoint_name, status=status
            )
        return Page(logs, limit, offset, total)

    def get_inference_log(self, user: User, inference_id: UUID) -> InferenceLog:
        """One of the user's invocations. Runs as the app, confined to ``user``.

        Raises:
            NotFound: this user has none of that id.
            DatabaseUnavailable: EC-002.
        """
        with self._transaction(user, "inference_log") as connection:
            log = inference_logs.get(connection, user.user_id, inference_id)
        if log is None:
            raise NotFound("There is no such invocation.")
        return log

    def _provenance(self, user: User, kind: RecordKind, operation: Operation, started: float) -> Provenance:
        """What ran since ``started``, for the one who asked."""
        return Provenance(
            statement=kind.repository.statement(operation),
            elapsed_ms=(time.perf_counter() - started) * 1000,
            runs_as=f"the app, for {user.user_name}",
            instance=self._name,
        )

    @contextmanager
    def _transaction(self, user: User, operation: str) -> Iterator[Connection]:
        with (
            timed(f"lakebase.{operation}"),
            self._errors_mapped(),
            self._database.user_transaction(user.user_id) as connection,
        ):
            yield connection

    @contextmanager
    def _errors_mapped(self) -> Iterator[None]:
        """Turns the data layer's errors into EC-002; the data layer has started its health check by then."""
        try:
            yield
        except database_errors.DatabaseUnavailable as error:
            raise self._unavailable(error.error_type, error.reason) from error
        except database_errors.UnsafeDatabase as error:
            raise self._unavailable(_UNSAFE, str(error)) from error
        except database_errors.MigrationError as error:
            raise self._unavailable(_NOT_MIGRATED, str(error)) from error

    def _unavailable(self, error_type: str, reason: str) -> DatabaseUnavailable:
        unavailable_total.labels(error_type).inc()
        error = DatabaseUnavailable(error_type, self._name)
        error.technical_details["reason"] = redact(reason)
        return error


def _words(kind: RecordKind) -> str:
    return kind.name.replace("_", " ")


def _found(kind: RecordKind, key: str, record: Record | None) -> Record:
    if record is None:
        raise NotFound(f"You have no {_words(kind)} {key}.", technical_details={kind.key_field: key})
    return record
