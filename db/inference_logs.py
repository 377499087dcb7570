"""The user's model invocations: added once, never changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from db.pool import Connection

InferenceStatus = Literal["SUCCESS", "ERROR", "TIMEOUT"]

_INSERT = (
    "INSERT INTO model_inference_logs (user_id, request_id, endpoint_name, model_name, model_version, inputs,"
    " predictions, status, execution_time_ms, error_message) VALUES (%(user_id)s, %(request_id)s, %(endpoint_name)s,"
    " %(model_name)s, %(model_version)s, %(inputs)s, %(predictions)s, %(status)s, %(execution_time_ms)s,"
    " %(error_message)s) RETURNING inference_id"
)
_LIST = (
    "SELECT inference_id, request_id, endpoint_name, model_name, model_version, inputs::text, predictions::text,"
    " status, execution_time_ms, error_message, created_at FROM model_inference_logs WHERE user_id = %(user_id)s"
    " AND (%(endpoint_name)s::text IS NULL OR endpoint_name = %(endpoint_name)s)"
    " AND (%(status)s::text IS NULL OR status = %(status)s)"
    " ORDER BY created_at DESC, inference_id LIMIT %(limit)s OFFSET %(offset)s"
)
_COUNT = (
    "SELECT count(*) FROM model_inference_logs WHERE user_id = %(user_id)s"
    " AND (%(endpoint_name)s::text IS NULL OR endpoint_name = %(endpoint_name)s)"
    " AND (%(status)s::text IS NULL OR status = %(status)s)"
)
_GET = (
    "SELECT inference_id, request_id, endpoint_name, model_name, model_version, inputs::text, predictions::text,"
    " status, execution_time_ms, error_message, created_at FROM model_inference_logs"
    " WHERE user_id = %(user_id)s AND inference_id = %(inference_id)s"
)


@dataclass(frozen=True, slots=True)
class InferenceLog:
    """One invocation; ``inputs`` and ``predictions`` are JSON text or None, ``execution_time_ms`` milliseconds."""

    inference_id: UUID
    request_id: str
    endpoint_name: str
    model_name: str | None
    model_version: str | None
    inputs: str | None
    predictions: str | None
    status: InferenceStatus
    execution_time_ms: float
    error_message: str | None
    created_at: datetime


def add(connection: Connection, user_id: str, values: dict[str, object]) -> UUID:
    """Adds one invocation.

    Args:
        connection: of the user's transaction.
        user_id: owner.
        values: one entry for each column but the ids and the time.

    Returns:
        Id of the new row.
    """
    row = connection.execute(_INSERT, {**values, "user_id": user_id}).fetchone()
    assert row is not None  # noqa: S101  # INSERT … RETURNING gives a row or raises
    identity: UUID = row[0]
    return identity


def list_logs(
    connection: Connection,
    user_id: str,
    *,
    limit: int,
    offset: int,
    endpoint_name: str | None = None,
    status: str | None = None,
) -> tuple[list[InferenceLog], int]:
    """A page of the user's invocations, newest first, and how many there are in all."""
    values = {
        "user_id": user_id,
        "endpoint_name": endpoint_name,
        "status": status,
        "limit": limit,
        "offset": offset,
    }
    rows = connection.execute(_LIST, values).fetchall()
    counted = connection.execute(_COUNT, values).fetchone()
    return [InferenceLog(*row) for row in rows], counted[0] if counted else 0


def get(connection: Connection, user_id: str, inference_id: UUID) -> InferenceLog | None:
    """One invocation, or None when this user has none of that id."""
    row = connection.execute(_GET, {"user_id": user_id, "inference_id": inference_id}).fetchone()
    return InferenceLog(*row) if row else None
