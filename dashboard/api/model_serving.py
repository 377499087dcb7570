"""The JSON API of Model Serving; everything runs as the user of the request."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import fields
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from flask import Response
from pydantic import BaseModel, Field, JsonValue

from dashboard.api.contract import Api, Model
from dashboard.api.errors import error_body, record
from dashboard.api.lakebase import PageQuery, Pagination
from dashboard.identity import current_user
from services.container import Services
from services.errors import LakefrontError
from services.identity import User
from services.lakebase.models import InferenceLog
from services.model_serving import ChatStream, Endpoint, EndpointList, EndpointSchema, Invocation, InvocationResult
from services.model_serving.heartbeat import with_heartbeats
from services.observability import request_context, request_id

_TAG = "model_serving"
_BASE = "/api/v1/model-serving"
_HEARTBEAT_SECONDS = 3.0
_INVOCATION_ERRORS = (400, 401, 403, 404, 429, 500, 503)


class InvocationQuery(Model):
    """How the answer is wanted."""

    stream: bool = Field(default=False, description="Server-sent events, for chat and completions.")


class InferenceLogQuery(PageQuery):
    """Which invocations are wanted."""

    endpoint_name: str | None = Field(default=None, max_length=100, description="Only of this endpoint.")
    status: Literal["SUCCESS", "ERROR", "TIMEOUT"] | None = Field(default=None, description="Only with this outcome.")


class InferenceLogEntry(BaseModel):
    """One invocation of the user's history."""

    inference_id: UUID
    request_id: str
    endpoint_name: str
    model_name: str | None
    model_version: str | None
    inputs: JsonValue
    predictions: JsonValue
    status: Literal["SUCCESS", "ERROR", "TIMEOUT"]
    execution_time_ms: float
    error_message: str | None
    created_at: datetime


class InferenceLogPage(BaseModel):
    """A page of the history, newest first."""

    inference_logs: list[InferenceLogEntry]
    pagination: Pagination


def register(api: Api, services: Services) -> None:
    """Add the routes."""
    serving = services.model_serving

    @api.get(f"{_BASE}/endpoints", tag=_TAG, summary="List serving endpoints", response=EndpointList)
    def list_serving_endpoints() -> EndpointList:
        """The endpoints that you may see."""
        return EndpointList(endpoints=serving.list_endpoints(current_user()))

    @api.get(f"{_BASE}/endpoints/{{name}}", tag=_TAG, summary="Describe a serving endpoint", response=Endpoint)
    def get_serving_endpoint(name: str) -> Endpoint:
        """State, task, served models and configuration of one endpoint."""
        return serving.get_endpoint(current_user(), name)

    @api.get(f"{_BASE}/endpoints/{{name}}/schema", tag=_TAG, summary="What an endpoint wants", response=EndpointSchema)
    def get_serving_endpoint_schema(name: str) -> EndpointSchema:
        """Input fields, from the endpoint's own OpenAPI document."""
        return serving.endpoint_schema(current_user(), name)

    @api.post(
        f"{_BASE}/endpoints/{{name}}/invocations",
        tag=_TAG,
        summary="Invoke a model",
        query=InvocationQuery,
        body=Invocation,
        response=InvocationResult,
        errors=_INVOCATION_ERRORS,
    )
    def invoke_serving_endpoint(name: str, query: InvocationQuery, body: Invocation) -> InvocationResult | Response:
        """One prediction for each row, or the whole answer of a language model.

        The body is the platform's own with exactly one input form. With `?stream=true` (or `stream` in the body) a chat
        answers with server-sent events: `data:` lines with one chunk each, the last one `[DONE]`. A failure after the
        first event comes as a last `data:` line with the error body under `error`, and no `[DONE]`.
        """
        user = current_user()
        if query.stream or body.stream:
            return _streamed(user, serving.stream_chat(user, name, body))
        return serving.invoke(user, name, body)

    @api.get(
        f"{_BASE}/inference-logs",
        tag=_TAG,
        summary="List your invocations",
        query=InferenceLogQuery,
        response=InferenceLogPage,
    )
    def list_inference_logs(query: InferenceLogQuery) -> InferenceLogPage:
        """Your own invocations, newest first; nobody else's."""
        page = services.lakebase.list_inference_logs(current_user(), **query.model_dump())
        return InferenceLogPage(
            inference_logs=[_entry(log) for log in page.items], pagination=Pagination.model_validate(page.pagination())
        )


def _entry(log: InferenceLog) -> InferenceLogEntry:
    values: dict[str, Any] = {field.name: getattr(log, field.name) for field in fields(log)}
    for name in ("inputs", "predictions"):
        values[name] = None if values[name] is None else json.loads(values[name])
    return InferenceLogEntry(**values)


def _streamed(user: User, stream: ChatStream) -> Response:
    response = Response(_events(stream, request_id(), user.user_id), mimetype="text/event-stream")
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"  # proxies in front must pass each event on at once
    response.call_on_close(stream.close)
    return response


def _events(stream: ChatStream, correlation_id: str, user_id: str) -> Iterator[bytes]:
    """The chunks as they come. A comment before ``[DONE]`` tells what the answer of a plain invocation tells.

    While the endpoint is silent a comment goes out every few seconds: writing it is how a reader who left is noticed,
    and the call to the endpoint is then closed. The request's context ends when its streaming begins, so the
    correlation id is bound again.
    """
    with request_context(correlation_id, user_id):
        chunks = with_heartbeats(stream, _HEARTBEAT_SECONDS, stream.close)
    failure = ""
    try:
        while True:
            with request_context(correlation_id, user_id):
                try:
                    chunk = next(chunks)
                except StopIteration:
                    break
                except LakefrontError as error:
                    record(error)
                    failure = json.dumps({"error": error_body(error)})
                    break
            yield b": waiting\n\n" if chunk is None else _event(json.dumps(chunk, ensure_ascii=False))
        if failure:
            yield _event(failure)
            return
        if stream.result is not None:
            yield f": {stream.result.model_dump_json(exclude={'response', 'predictions'})}\n\n".encode()
        yield _event("[DONE]")
    finally:
        chunks.close()


def _event(data: str) -> bytes:
    return f"data: {data}\n\n".encode("utf-8", "replace")
