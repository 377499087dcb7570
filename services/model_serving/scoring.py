"""Cutting many rows into requests."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from services.errors import InvalidRequest
from services.model_serving.payload import CUSTOM_MODEL_LIMIT

BATCH_ROWS = 2_000
_ENVELOPE_BYTES = 1024


def batches(rows: Sequence[dict[str, Any]], most_rows: int) -> Iterator[list[dict[str, Any]]]:
    """``rows`` in order, at most ``most_rows`` at once and never above the platform's payload limit.

    Raises:
        InvalidRequest: ``most_rows`` is below 1, or a row holds NaN or is too large by itself.
    """
    if most_rows < 1:
        raise InvalidRequest("batch_rows", "at least 1 expected")
    batch: list[dict[str, Any]] = []
    size = _ENVELOPE_BYTES
    for position, row in enumerate(rows):
        length = _length(position, row)
        if batch and (len(batch) >= most_rows or size + length > CUSTOM_MODEL_LIMIT):
            yield batch
            batch, size = [], _ENVELOPE_BYTES
        batch.append(row)
        size += length
    if batch:
        yield batch


def _length(position: int, row: dict[str, Any]) -> int:
    """Bytes that the row takes in a request."""
    try:
        length = len(json.dumps(row, allow_nan=False, separators=(",", ":")).encode()) + 1
    except ValueError as error:
        raise InvalidRequest(f"rows.{position}", "NaN and infinity are not JSON; send null") from error
    if length + _ENVELOPE_BYTES > CUSTOM_MODEL_LIMIT:
        raise InvalidRequest(f"rows.{position}", "the row alone is larger than the platform takes in one request")
    return length
