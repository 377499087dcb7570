"""The user's own records and audit trail as JSON. A value leaves exactly as it came in, numbers letter for letter.

Pydantic describes the answers in the OpenAPI document; the text of an answer is put together here, because a JSON value
that went through Python's floats would not be the same any more.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from flask import Response, request
from pydantic import BaseModel, Field, JsonValue, create_model

from dashboard.api.contract import Api, Model
from dashboard.identity import current_user
from services.container import Services
from services.errors import InvalidRequest
from services.lakebase import RecordKind, json_text
from services.lakebase.models import DEFAULT_LIMIT, KEY_PATTERN, KINDS, MAX_LIMIT, AuditEntry, Page, Record

_TAG = "lakebase"
_BASE = "/api/v1"


class PageQuery(Model):
    """Which page of a collection."""

    limit: int = Field(DEFAULT_LIMIT, ge=1, le=MAX_LIMIT, description="Most records in the answer.")
    offset: int = Field(0, ge=0, lt=2**31, description="Records to skip.")


class RecordQuery(PageQuery):
    """Which records."""

    search: str = Field("", max_length=100, description="A part of the key or the value, in any case.")


class AuditQuery(PageQuery):
    """Which changes."""

    record_type: str | None = Field(None, max_length=100, description="preference, configuration or application_state.")
    record_key: str | None = Field(None, max_length=100, description="Key of one record.")


class Pagination(BaseModel):
    """Where a page lies in the whole."""

    limit: int
    offset: int
    returned: int
    total_rows: int
    next_offset: int | None


class AuditRow(BaseModel):
    """One change, with what was there before and after."""

    audit_id: str
    action: str = Field(description="CREATE, UPDATE or DELETE.")
    record_type: str
    record_key: str
    value_before: JsonValue = Field(description="null for a new record.")
    value_after: JsonValue = Field(description="null for a deleted record.")
    request_id: str
    changed_at: datetime


class AuditPage(BaseModel):
    """Changes, newest first."""

    audit_log: list[AuditRow]
    pagination: Pagination


def register(api: Api, services: Services) -> None:
    """Adds the routes of the three record types and of the audit trail."""
    for kind in KINDS:
        _register_collection(api, services, kind)
        _register_records(api, services, kind)
    _register_audit_log(api, services)


def _register_collection(api: Api, services: Services, kind: RecordKind) -> None:
    models = _Models(kind)

    def list_records(query: RecordQuery) -> Response:
        """Your records by key. Runs as the app on Lakebase, confined to your rows."""
        page = services.lakebase.list_records(
            current_user(), kind, limit=query.limit, offset=query.offset, search=query.search
        )
        return _json(_page(kind.collection, page, [_record(kind, record) for record in page.items]))

    def create_record(body: BaseModel) -> Response:
        """Adds a record; 409 when you have one of that key. Runs as the app on Lakebase, confined to your rows."""
        key = str(getattr(body, kind.key_field))
        value = json_text.member(request.get_data(), kind.value_field)
        record = services.lakebase.create_record(current_user(), kind, key, value)
        response = _json(_record(kind, record), status=201)
        response.headers["Location"] = f"{_BASE}/{kind.path}/{record.key}"
        return response

    path = f"{_BASE}/{kind.path}"
    summary = f"List your {kind.name.replace('_', ' ')} records"
    api.get(path, tag=_TAG, summary=summary, query=RecordQuery, response=models.page)(
        _named(f"list_{kind.collection}", list_records)
    )
    api.post(
        path,
        tag=_TAG,
        summary=f"Create a {kind.name.replace('_', ' ')} record",
        body=models.create,
        response=models.record,
        status=201,
        errors=(400, 401, 403, 409, 500, 503),
    )(_named(f"create_{kind.name}", create_record))


def _register_records(api: Api, services: Services, kind: RecordKind) -> None:
    models = _Models(kind)
    words = kind.name.replace("_", " ")

    def get_record(key: str) -> Response:
        """One of your records. Runs as the app on Lakebase, confined to your rows."""
        return _json(_record(kind, services.lakebase.get_record(current_user(), kind, key)))

    def replace_record(key: str, body: BaseModel) -> Response:
        """Replaces the value; 404 when you have no such record. Runs as the app on Lakebase, confined to your rows."""
        named = getattr(body, kind.key_field)
        if named is not None and named != key:
            raise InvalidRequest(kind.key_field, "differs from the key in the path; a key cannot be changed")
        value = json_text.member(request.get_data(), kind.value_field)
        return _json(_record(kind, services.lakebase.replace_record(current_user(), kind, key, value)))

    def delete_record(key: str) -> None:
        """Removes the record; 404 when you have no such record. Runs as the app on Lakebase, confined to your rows."""
        services.lakebase.delete_record(current_user(), kind, key)

    path = f"{_BASE}/{kind.path}/{{key}}"
    api.get(path, tag=_TAG, summary=f"Read a {words} record", response=models.record)(
        _named(f"get_{kind.name}", get_record)
    )
    api.put(path, tag=_TAG, summary=f"Replace a {words} record", body=models.replace, response=models.record)(
        _named(f"replace_{kind.name}", replace_record)
    )
    api.delete(path, tag=_TAG, summary=f"Delete a {words} record", status=204)(
        _named(f"delete_{kind.name}", delete_record)
    )


def _register_audit_log(api: Api, services: Services) -> None:
    @api.get(f"{_BASE}/audit-log", tag=_TAG, summary="List your changes", query=AuditQuery, response=AuditPage)
    def list_audit_log(query: AuditQuery) -> Response:
        """What you changed, newest first. Runs as the app on Lakebase, confined to your rows."""
        page = services.lakebase.list_audit_log(
            current_user(),
            limit=query.limit,
            offset=query.offset,
            record_type=query.record_type,
            record_key=query.record_key,
        )
        return _json(_page("audit_log", page, [_audit_row(entry) for entry in page.items]))


class _Models:
    """The described bodies and answers of one record type."""

    def __init__(self, kind: RecordKind) -> None:
        """Makes the classes; their names are the schemas' names in the OpenAPI document."""
        name = kind.name.title().replace("_", "")
        key, value = kind.key_field, kind.value_field
        new_key = Field(pattern=KEY_PATTERN, description="Unique among your own.")
        any_json = Field(description="Any JSON, up to 64 KiB.")
        self.create = _model(f"{name}Create", Model, **{key: (str, new_key), value: (JsonValue, any_json)})
        same_key = Field(None, description="If given, the key in the path.")
        self.replace = _model(f"{name}Replace", Model, **{key: (str | None, same_key), value: (JsonValue, any_json)})
        self.record = _model(
            name,
            BaseModel,
            **{key: (str, ...), value: (JsonValue, ...), "created_at": (datetime, ...), "updated_at": (datetime, ...)},
        )
        self.page = _model(
            f"{name}Page",
            BaseModel,
            **{kind.collection: (list[self.record], ...), "pagination": (Pagination, ...)},  # type: ignore[name-defined]
        )


_made: dict[str, type[BaseModel]] = {}


def _model(name: str, base: type[BaseModel], **fields: Any) -> type[BaseModel]:
    """A model by name; the same class each time, so that the document has it once."""
    if name not in _made:
        _made[name] = create_model(name, __base__=base, **fields)
    return _made[name]


def _named(name: str, view: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a view the name that is its operation id."""
    view.__name__ = name
    return view


def _json(text: str, *, status: int = 200) -> Response:
    return Response(text, status=status, mimetype="application/json")


def _object(**members: str) -> str:
    """A JSON object of members that are JSON texts already."""
    return "{" + ",".join(f"{json.dumps(name)}:{text}" for name, text in members.items()) + "}"


def _time(moment: datetime) -> str:
    return json.dumps(moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"))


def _record(kind: RecordKind, record: Record) -> str:
    return _object(
        **{
            kind.key_field: json.dumps(record.key),
            kind.value_field: record.value,
            "created_at": _time(record.created_at),
            "updated_at": _time(record.updated_at),
        }
    )


def _page(name: str, page: Page[Any], items: list[str]) -> str:
    return _object(**{name: f"[{','.join(items)}]", "pagination": json.dumps(page.pagination())})


def _audit_row(entry: AuditEntry) -> str:
    return _object(
        audit_id=json.dumps(str(entry.audit_id)),
        action=json.dumps(entry.action),
        record_type=json.dumps(entry.record_type),
        record_key=json.dumps(entry.record_key),
        value_before=entry.value_before or "null",
        value_after=entry.value_after or "null",
        request_id=json.dumps(entry.request_id),
        changed_at=_time(entry.changed_at),
    )
