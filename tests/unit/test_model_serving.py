"""What the Model Serving service does without an endpoint: schemas, errors, retries, batches, rows of the history."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.errors import AuthRequired, InvalidInput, InvalidRequest, ModelUnavailable, NotFound, PermissionDenied
from services.model_serving import errors, payload, retries, schema, scoring
from services.model_serving.history import kept
from services.model_serving.models import Invocation

DOUBLE = {"type": "number", "format": "double"}


def document(request: Any, **more: Any) -> bytes:
    operation = {"requestBody": {"content": {"application/json": {"schema": request}}}, "responses": {}}
    return json.dumps({"paths": {"/served-models/m-1/invocations": {"post": operation}}, **more}).encode()


def test_columns_of_a_document_with_a_split_frame_only() -> None:
    split = {
        "properties": {
            "columns": {"items": {"type": "string", "enum": ["a", "b"]}},
            "data": {"items": {"prefixItems": [DOUBLE, {"type": "string"}]}},
        }
    }
    found = schema.of_document("e", None, document({"oneOf": [{"properties": {"dataframe_split": split}}]}))
    assert [(field.name, field.type, field.required) for field in found.fields] == [
        ("a", "number", True),
        ("b", "string", True),
    ]
    assert found.forms == ["dataframe_split"]
    assert found.examples == {"dataframe_split": {"dataframe_split": {"columns": ["a", "b"], "data": [[1.0, "text"]]}}}


def test_references_nullable_types_and_parameters_are_followed() -> None:
    row = {
        "properties": {"a": {"type": ["integer", "null"], "enum": [1, 2]}, "b": {"$ref": "#/x/b"}},
        "required": ["b"],
    }
    request = {
        "properties": {
            "dataframe_records": {"type": "array", "items": {"$ref": "#/x/row"}},
            "params": {"type": "object", "properties": {"k": {"type": "integer", "default": 3}}},
        }
    }
    found = schema.of_document("e", None, document(request, x={"row": row, "b": {"$ref": "#/x/c"}, "c": DOUBLE}))
    first, second = found.fields
    assert (first.type, first.nullable, first.choices, first.required) == ("integer", True, [1, 2], False)
    assert (second.type, second.format, second.required) == ("number", "double", True)
    assert [(one.name, one.default) for one in found.parameters] == [("k", 3)]


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[]", b"nonsense", document({}), document({"$ref": "#/loop"}, loop={"$ref": "#/loop"})]
)
def test_an_endpoint_that_describes_nothing_gets_examples_and_the_reason(data: bytes) -> None:
    found = schema.of_document("e", None, data)
    assert not found.described
    assert found.reason
    assert set(found.examples) == {"dataframe_records", "dataframe_split", "instances", "inputs"}
    assert schema.of_document("e", "llm/v1/chat", data).kind == "chat"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["properties", "oneOf", "items", "$ref", "type", "enum", "dataframe_records", "a", "required"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(JSON)
def test_no_document_breaks_the_reading(request: Any) -> None:
    assert schema.of_document("e", None, document(request)).endpoint_name == "e"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, InvalidInput),
        (401, AuthRequired),
        (403, PermissionDenied),
        (404, NotFound),
        (413, InvalidInput),
        (422, InvalidInput),
        (429, errors.RateLimited),
        (500, ModelUnavailable),
        (504, ModelUnavailable),
    ],
)
def test_answers_are_classified_by_status(status: int, kind: type[Exception]) -> None:
    error = errors.of_answer("e", "http://w/e", "http://w", status, b'{"message": "the reason"}')
    assert type(error) is kind
    assert error.technical_details.get("status", status) == status


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b'{"error_code": "X", "message": "m"}', "m"),
        (b'{"error": {"message": "openai"}}', "openai"),
        (b"<html>bad</html>", "<html>bad</html>"),
        (b"", "The endpoint gave no reason."),
        (b"[1]", "[1]"),
    ],
)
def test_the_message_is_the_platforms_own(data: bytes, message: str) -> None:
    assert errors.message_of(data) == message


def test_retry_after_is_read_in_both_forms() -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    assert retries.retry_after_of({"retry-after": "7"}) == 7
    assert retries.retry_after_of({"retry-after": soon}) == pytest.approx(30, abs=2)
    assert retries.retry_after_of({"retry-after": "soon"}) is None
    assert retries.retry_after_of({}) is None


def test_pauses_grow_keep_the_asked_time_and_end() -> None:
    late = time.monotonic() + 100
    assert 0 < (retries.pause(1, late, None) or 0) <= 0.2
    assert (retries.pause(1, late, 5) or 0) >= 5
    assert retries.pause(retries.MOST_ATTEMPTS, late, None) is None
    assert retries.pause(1, time.monotonic() + 1, 5) is None


def test_bodies_keep_every_digit_and_leave_out_what_is_ours() -> None:
    invocation = Invocation.model_validate_json('{"inputs": [1.0, 1180591620717411303424, 0.1], "timeout_seconds": 5}')
    body = payload.encode(invocation, payload.form_of(invocation), stream=False)
    assert body == b'{"inputs":[1.0,1180591620717411303424,0.1]}'
    with pytest.raises(ValueError, match="NaN"):
        payload.decode(b'{"predictions": [NaN]}')


def test_odd_answers_become_text_that_can_be_sent_on() -> None:
    assert payload.decode(b'["\\ud800", "\\ud83d\\ude00"]') == ["?", "\U0001f600"]
    with pytest.raises(ValueError, match="deeply"):
        payload.decode(b"[" * 200_000)


def test_batches_obey_both_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{"a": at} for at in range(10)]
    assert [len(batch) for batch in scoring.batches(rows, 4)] == [4, 4, 2]
    assert [row for batch in scoring.batches(rows, 3) for row in batch] == rows
    monkeypatch.setattr(scoring, "CUSTOM_MODEL_LIMIT", 1024 + 20)
    assert [len(batch) for batch in scoring.batches(rows, 4)] == [2] * 5
    with pytest.raises(InvalidRequest, match=r"rows\.0"):
        list(scoring.batches([{"a": "x" * 100}], 4))
    with pytest.raises(InvalidRequest, match="NaN"):
        list(scoring.batches([{"a": float("nan")}], 4))
    with pytest.raises(InvalidRequest, match="batch_rows"):
        list(scoring.batches(rows, 0))


def test_large_inputs_are_kept_as_their_beginning() -> None:
    assert kept({"dataframe_records": [{"a": 1}]}) == '{"dataframe_records":[{"a":1}]}'
    assert kept({"a": 1}, '{"a": 1}') == '{"a": 1}'  # what was written already is not written again
    assert kept(None) is None
    large = json.loads(kept({"dataframe_records": [{"a": "x" * 1_000}] * 1_000}) or "")
    assert (large["shortened"], large["rows"], len(large["first_rows"])) == (True, 1_000, 20)
    assert large["bytes"] > 1_000_000
    longest = json.loads(kept([{"a": "x" * 300_000}]) or "")
    assert (longest["rows"], "first_rows" in longest) == (1, False)
