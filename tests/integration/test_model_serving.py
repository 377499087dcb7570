"""Model Serving end to end: service and JSON API against the local workspace, the history in a real Postgres."""

from __future__ import annotations

import json
import math
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from local_workspace.workspace import Workspace
from services.container import Services
from services.errors import (
    DatabaseUnavailable,
    InvalidInput,
    InvalidRequest,
    ModelUnavailable,
    NotFound,
    PermissionDenied,
)
from services.identity import User
from services.model_serving import Invocation, RateLimited
from services.model_serving.service import ModelServingService

ROW = {"trip_distance": 8.4, "pickup_zip": 10018, "dropoff_zip": 10119, "pickup_hour": 17, "weekday": "friday"}
API = "/api/v1/model-serving"
TALK = [{"role": "user", "content": "hello big world"}]


@pytest.fixture(autouse=True)
def _ready(workspace: Workspace) -> Iterator[None]:
    assert workspace.serving.wait_until_ready(30)
    workspace.faults.clear()
    yield
    workspace.faults.clear()


@pytest.fixture
def serving(services: Services) -> ModelServingService:
    return services.model_serving


def fault(workspace: Workspace, **fields: Any) -> None:
    workspace.faults.set({"faults": [{"service": "model_serving", "match": "/invocations", **fields}]})


def test_lists_endpoints_with_their_models(serving: ModelServingService, user: Callable[..., User]) -> None:
    found = {one.endpoint_name: one for one in serving.list_endpoints(user())}
    assert {"trip-fare", "review-sentiment", "echo-chat"} <= set(found)
    fare = found["trip-fare"]
    assert (fare.model_name, fare.model_version) == ("lakefront.sales.trip_fare", "1")
    assert fare.state == "READY"
    assert not fare.changing
    assert fare.served_entities[0].in_unity_catalog
    assert found["echo-chat"].task == "llm/v1/chat"


def test_models_are_registered_in_unity_catalog(services: Services, token: Callable[..., str]) -> None:
    """An analyst sees them; a user token of an app has no scope for this part of the REST API, so not as the app."""
    models = services.clients.for_token(token("analyst@example.com", scopes=("all-apis",))).registered_models
    end = time.monotonic() + 10
    seen: set[str] = set()
    while len(seen) < 2 and time.monotonic() < end:
        seen = {one.name for one in models.list(catalog_name="lakefront", schema_name="sales")}
        time.sleep(0.1)
    assert seen == {"trip_fare", "review_sentiment"}


def test_schema_has_what_a_form_needs(serving: ModelServingService, user: Callable[..., User]) -> None:
    schema = serving.endpoint_schema(user(), "trip-fare")
    assert (schema.kind, schema.described) == ("tabular", True)
    fields = {field.name: field for field in schema.fields}
    assert list(fields) == ["trip_distance", "pickup_zip", "dropoff_zip", "pickup_hour", "weekday"]
    assert (fields["pickup_hour"].minimum, fields["pickup_hour"].maximum) == (0, 23)
    assert fields["weekday"].choices[0] == "monday"
    assert fields["weekday"].default == "wednesday"
    assert not fields["weekday"].required
    assert "training data" in (fields["trip_distance"].help or "")


@pytest.mark.parametrize("name", ["trip-fare", "review-sentiment", "echo-chat", "echo-completion", "word-embedding"])
def test_every_example_of_a_schema_is_accepted(
    serving: ModelServingService, user: Callable[..., User], name: str
) -> None:
    schema = serving.endpoint_schema(user(), name)
    assert schema.examples
    for form, example in schema.examples.items():
        result = serving.invoke(user(), name, Invocation(**example))
        assert (result.predictions is None) == (form in ("messages", "prompt", "input"))


def test_prediction_is_plausible_and_the_same_in_every_form(
    serving: ModelServingService, user: Callable[..., User]
) -> None:
    forms: tuple[dict[str, Any], ...] = (
        {"dataframe_records": [ROW]},
        {"dataframe_split": {"columns": list(ROW), "data": [list(ROW.values())], "index": [7]}},
        {"instances": [ROW]},
        {"inputs": {name: [value] for name, value in ROW.items()}},
    )
    found = [serving.invoke(user(), "trip-fare", Invocation(**form)).predictions for form in forms]
    assert all(one == found[0] for one in found)
    assert 5 < found[0][0] < 100
    far = serving.invoke(user(), "trip-fare", Invocation(dataframe_records=[{**ROW, "trip_distance": 20}]))
    assert far.predictions[0] > found[0][0]
    assert (far.model_name, far.model_version, far.served_entity) == ("lakefront.sales.trip_fare", "1", "trip_fare-1")
    assert far.runs_as == "analyst@example.com"
    assert far.logged


def test_sentiment_knows_good_from_bad(serving: ModelServingService, user: Callable[..., User]) -> None:
    texts = ["A friendly driver, great and clean car", "Rude driver, dirty car, terrible and late"]
    good, bad = serving.invoke(user(), "review-sentiment", Invocation(inputs=texts)).predictions
    assert (good["label"], bad["label"]) == ("positive", "negative")
    assert math.isclose(sum(good["probabilities"].values()), 1)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({**ROW, "pickup_zip": 10018.0}, "Can not safely convert double to integer"),
        ({**ROW, "pickup_zip": 2**31}, "out of range"),
        ({**ROW, "pickup_hour": 24}, "at most 23"),
        ({**ROW, "weekday": "fryday"}, "must be one of"),
        ({**ROW, "week_day": "friday"}, "Unknown inputs ['week_day']"),
        ({"trip_distance": 1.0}, "Model is missing inputs"),
        ({**ROW, "trip_distance": None}, "must not be null"),
        ({**ROW, "trip_distance": "eight"}, "Can not safely convert string to double"),
        ({**ROW, "trip_distance": True}, "Can not safely convert boolean to double"),
    ],
)
def test_refused_input_has_the_models_own_words(
    serving: ModelServingService, user: Callable[..., User], row: dict[str, Any], words: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        serving.invoke(user(), "trip-fare", Invocation(dataframe_records=[row]))
    assert words in caught.value.message
    assert caught.value.technical_details["status"] == 400


def test_nan_and_too_large_never_leave(serving: ModelServingService, user: Callable[..., User]) -> None:
    with pytest.raises(InvalidRequest, match="NaN"):
        serving.invoke(user(), "trip-fare", Invocation(dataframe_records=[{**ROW, "trip_distance": math.nan}]))
    with pytest.raises(InvalidRequest, match="at most 4 MB"):
        serving.invoke(user(), "echo-chat", Invocation(messages=[{"role": "user", "content": "x" * 5_000_000}]))
    with pytest.raises(InvalidRequest, match="exactly one of"):
        serving.invoke(user(), "trip-fare", Invocation(dataframe_records=[ROW], instances=[ROW]))


def test_unknown_endpoint_and_missing_permission(serving: ModelServingService, user: Callable[..., User]) -> None:
    request = Invocation(dataframe_records=[ROW])
    with pytest.raises(NotFound) as unknown:
        serving.invoke(user(), "nope", request)
    assert unknown.value.error_code == "ENDPOINT_NOT_FOUND"
    with pytest.raises(NotFound):
        serving.get_endpoint(user(), "nope")
    with pytest.raises(PermissionDenied) as denied:
        serving.invoke(user("newcomer@example.com"), "trip-fare", request)
    assert denied.value.technical_details["required_scope"] == "model-serving"


def test_missing_scope_is_403_with_the_scope(client_of: Callable[..., FlaskClient]) -> None:
    client = client_of("analyst@example.com", scopes=("sql", "iam.current-user:read"))
    answer = client.post(f"{API}/endpoints/trip-fare/invocations", json={"dataframe_records": [ROW]})
    assert (answer.status_code, answer.json["error_code"]) == (403, "PERMISSION_DENIED")
    assert answer.json["technical_details"]["required_scope"] == "model-serving"


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_5xx_is_model_unavailable(client_of: Callable[..., FlaskClient], workspace: Workspace, status: int) -> None:
    fault(workspace, status=status)
    answer = client_of().post(f"{API}/endpoints/trip-fare/invocations", json={"dataframe_records": [ROW]})
    assert answer.status_code == 503
    body = answer.json
    assert body["error_code"] == "MODEL_UNAVAILABLE"
    assert body["message"] == "Model service temporarily unavailable. Please try again in a few moments."
    assert body["technical_details"]["endpoint"].endswith("/serving-endpoints/trip-fare/invocations")
    assert body["technical_details"]["status"] == status
    assert body["retry_after"] == 30
    assert answer.headers["Retry-After"] == "30"


def test_time_limit_is_a_promise(serving: ModelServingService, user: Callable[..., User], workspace: Workspace) -> None:
    fault(workspace, delay_seconds=3)
    started = time.monotonic()
    with pytest.raises(ModelUnavailable) as caught:
        serving.invoke(user(), "trip-fare", Invocation(dataframe_records=[ROW], timeout_seconds=1))
    assert time.monotonic() - started < 1.3
    assert caught.value.technical_details["status"] is None
    assert caught.value.technical_details["reason"] == "time_limit"


def test_a_dripping_answer_does_not_outlive_the_limit(
    services: Services, user: Callable[..., User], dripping: str
) -> None:
    settings = services.settings.model_copy(update={"databricks_host": dripping})
    dripped = ModelServingService(settings, services.clients, services.lakebase)
    started = time.monotonic()
    try:
        with pytest.raises(ModelUnavailable):
            dripped.invoke(user(), "trip-fare", Invocation(dataframe_records=[ROW], timeout_seconds=1))
        assert time.monotonic() - started < 1.5
    finally:
        dripped.close()


@pytest.fixture
def dripping() -> Iterator[str]:
    """A server that sends a byte every 0.2 s, for ever: every socket timeout starts anew with each."""
    listener = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            while not stop.wait(0.2):
                try:
                    connection.sendall(b" ")
                except OSError:
                    return

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    stop.set()
    listener.close()
    thread.join(timeout=5)


def test_unreachable_is_tried_again_within_the_limit(services: Services, user: Callable[..., User]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    settings = services.settings.model_copy(update={"databricks_host": f"http://127.0.0.1:{port}"})
    gone = ModelServingService(settings, services.clients, services.lakebase)
    started = time.monotonic()
    with pytest.raises(ModelUnavailable) as caught:
        gone.invoke(user(), "trip-fare", Invocation(dataframe_records=[ROW], timeout_seconds=5))
    gone.close()
    assert caught.value.technical_details["attempts"] == 4
    assert time.monotonic() - started < 5


def test_retry_after_is_honoured(serving: ModelServingService, user: Callable[..., User], workspace: Workspace) -> None:
    fault(workspace, status=503, retry_after=1, times=1)
    started = time.monotonic()
    result = serving.invoke(user(), "trip-fare", Invocation(dataframe_records=[ROW], timeout_seconds=10))
    assert result.attempts == 2
    assert 1 <= time.monotonic() - started < 2


def test_retry_that_does_not_fit_the_limit_is_not_waited_for(
    serving: ModelServingService, user: Callable[..., User], workspace: Workspace
) -> None:
    fault(workspace, status=429, retry_after=20)
    started = time.monotonic()
    with pytest.raises(RateLimited) as caught:
        serving.invoke(user(), "trip-fare", Invocation(dataframe_records=[ROW], timeout_seconds=3))
    assert time.monotonic() - started < 1
    assert caught.value.retry_after == 20


def test_broken_connection_is_not_repeated(
    serving: ModelServingService, user: Callable[..., User], workspace: Workspace
) -> None:
    fault(workspace, drop=True)
    with pytest.raises(ModelUnavailable) as caught:
        serving.invoke(user(), "trip-fare", Invocation(dataframe_records=[ROW]))
    assert caught.value.technical_details["attempts"] == 1


def test_scaled_to_zero_is_held_not_failed(
    serving: ModelServingService, user: Callable[..., User], workspace: Workspace
) -> None:
    workspace.faults.set({"actions": ["model_serving.scale_to_zero"]})
    assert serving.get_endpoint(user(), "review-sentiment").asleep
    result = serving.invoke(user(), "review-sentiment", Invocation(inputs=["good"]))
    assert result.execution_time_ms > 2_000
    assert not serving.get_endpoint(user(), "review-sentiment").asleep


def test_chat_streams_and_tells_its_summary(client_of: Callable[..., FlaskClient]) -> None:
    answer = client_of().post(
        f"{API}/endpoints/echo-chat/invocations?stream=true", json={"messages": TALK, "max_tokens": 12}
    )
    assert answer.mimetype == "text/event-stream"
    events = [event for event in answer.get_data(as_text=True).split("\n\n") if event]
    assert events[-1] == "data: [DONE]"
    chunks = [json.loads(event.removeprefix("data: ")) for event in events if event.startswith("data: {")]
    text = "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks)
    assert text.startswith("This is a local echo, not a language model.")
    assert chunks[-1]["choices"][0]["finish_reason"] == "length"
    assert chunks[-1]["usage"]["completion_tokens"] == 12
    summary = json.loads(next(event for event in events if event.startswith(": ")).removeprefix(": "))
    assert summary["logged"] is True
    assert summary["request_id"] == answer.headers["X-Request-Id"]


def test_closing_a_stream_stops_the_upstream_call(
    serving: ModelServingService, user: Callable[..., User], workspace: Workspace
) -> None:
    talk = Invocation(messages=[{"role": "user", "content": "word " * 1_000}])
    stream = serving.stream_chat(user(), "echo-chat", talk)
    next(stream)
    assert workspace.serving.open_streams == 1
    stream.close()
    end = time.monotonic() + 2
    while workspace.serving.open_streams and time.monotonic() < end:
        time.sleep(0.01)
    assert workspace.serving.open_streams == 0
    assert (stream.status, list(stream)) == ("stopped", [])


def test_stream_over_its_limit_ends_with_the_error(client_of: Callable[..., FlaskClient]) -> None:
    body = {"messages": [{"role": "user", "content": "word " * 1_000}], "timeout_seconds": 1}
    answer = client_of().post(f"{API}/endpoints/echo-chat/invocations?stream=true", json=body)
    events = [event for event in answer.get_data(as_text=True).split("\n\n") if event]
    failure = json.loads(events[-1].removeprefix("data: "))["error"]
    assert failure["error_code"] == "MODEL_UNAVAILABLE"
    assert failure["technical_details"]["request_id"] == answer.headers["X-Request-Id"]
    assert len(events) > 5


def test_history_is_the_users_own_and_newest_first(client_of: Callable[..., FlaskClient]) -> None:
    manager = client_of("manager@example.com")
    first = manager.post(f"{API}/endpoints/trip-fare/invocations", json={"dataframe_records": [ROW]}).json
    refused = manager.post(f"{API}/endpoints/trip-fare/invocations", json={"dataframe_records": [{"x": 1}]})
    assert refused.status_code == 400
    logs = _until(lambda: manager.get(f"{API}/inference-logs?limit=2").json["inference_logs"], "ERROR")
    assert [one["status"] for one in logs] == ["ERROR", "SUCCESS"]
    assert logs[1]["request_id"] == first["request_id"]
    assert logs[1]["predictions"] == first["predictions"]
    assert logs[1]["inputs"] == {"dataframe_records": [ROW]}
    assert "Model is missing inputs" in logs[0]["error_message"]
    others = client_of().get(f"{API}/inference-logs?limit=1000").json["inference_logs"]
    assert first["request_id"] not in {one["request_id"] for one in others}


def _until(ask: Callable[[], list[dict[str, Any]]], status: str) -> list[dict[str, Any]]:
    """Errors are answered before their row is written."""
    end = time.monotonic() + 3
    while (found := ask())[0]["status"] != status and time.monotonic() < end:
        time.sleep(0.02)
    return found


def test_a_timeout_is_kept_as_timeout(client_of: Callable[..., FlaskClient], workspace: Workspace) -> None:
    fault(workspace, delay_seconds=2)
    client = client_of()
    body = {"dataframe_records": [ROW], "timeout_seconds": 1}
    assert client.post(f"{API}/endpoints/trip-fare/invocations", json=body).status_code == 503
    logs = _until(lambda: client.get(f"{API}/inference-logs?status=TIMEOUT&limit=1").json["inference_logs"], "TIMEOUT")
    assert logs[0]["execution_time_ms"] >= 1_000


def test_prediction_is_delivered_when_its_log_cannot_be_written(
    services: Services, user: Callable[..., User], monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*_arguments: Any, **_fields: Any) -> None:
        raise DatabaseUnavailable("57P01", "lakefront-local")

    monkeypatch.setattr(type(services.lakebase), "record_inference", down)
    result = services.model_serving.invoke(user(), "trip-fare", Invocation(dataframe_records=[ROW]))
    assert result.predictions
    assert not result.logged
    assert result.log_error == "Database service temporarily unavailable."


def test_batches_give_every_row_its_prediction(serving: ModelServingService, user: Callable[..., User]) -> None:
    rows = [{**ROW, "trip_distance": 0.1 + at / 100} for at in range(2_500)]
    steps = list(serving.score_batches(user(), "trip-fare", rows, batch_rows=1_000))
    assert [step.done for step in steps] == [1_000, 2_000, 2_500]
    predictions = [value for step in steps for value in step.predictions]
    assert len(predictions) == len(rows)
    assert predictions[0] < predictions[-1]
    stop = threading.Event()
    seen = []
    for step in serving.score_batches(user(), "trip-fare", rows, batch_rows=100, cancelled=stop):
        seen.append(step.done)
        stop.set()
    assert seen == [100]


def test_numbers_survive(client_of: Callable[..., FlaskClient]) -> None:
    """Digits reach the model as they were sent: an integer of 70 bits is refused by its value, not rounded first."""
    body = '{"dataframe_records": [{"trip_distance": 1, "pickup_zip": 1180591620717411303424, "dropoff_zip": 1,'
    body += ' "pickup_hour": 1}]}'
    client = client_of()
    answer = client.post(f"{API}/endpoints/trip-fare/invocations", data=body, content_type="application/json")
    assert answer.status_code == 400
    assert "1180591620717411303424" in answer.json["message"]
    nan = body.replace("1180591620717411303424", "NaN")
    refused = client.post(f"{API}/endpoints/trip-fare/invocations", data=nan, content_type="application/json")
    assert (refused.status_code, refused.json["error_code"]) == (400, "INVALID_REQUEST")


def test_unknown_fields_and_limits_are_refused(client_of: Callable[..., FlaskClient]) -> None:
    client = client_of()
    for extra in ({"surprise": 1}, {"timeout_seconds": 0.5}, {"timeout_seconds": 301}, {"max_tokens": "7"}):
        answer = client.post(f"{API}/endpoints/trip-fare/invocations", json={"dataframe_records": [ROW], **extra})
        assert (answer.status_code, answer.json["error_code"]) == (400, "INVALID_REQUEST")
        assert answer.json["technical_details"]["field"] == next(iter(extra))
