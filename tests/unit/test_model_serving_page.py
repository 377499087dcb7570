"""What the Model Serving page makes of inputs and answers, without a browser."""

from __future__ import annotations

import csv
import io
import json
import math
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.components.fields import spec_of
from dashboard.components.language import cosine
from dashboard.components.serving import answer
from dashboard.pages.model_serving import many, outcomes
from dashboard.pages.model_serving.predict import fields_named
from dashboard.pages.model_serving.requests import body_of, row_of, seconds_of, shaped, text_of
from dashboard.pages.model_serving.table_view import FIXED, read, view_of
from services.errors import InvalidRequest, ModelUnavailable
from services.model_serving import EndpointSchema, SchemaField
from services.model_serving.heartbeat import with_heartbeats
from services.model_serving.jobs import ScoreJob
from services.model_serving.table_rows import value_of
from tests.unit.test_components import nodes_of
from tests.unit.test_components import text_of as words_of

FIELDS = [
    SchemaField(name="miles", type="number", required=True, minimum=0),
    SchemaField(name="hour", type="integer", required=True, minimum=0, maximum=23),
    SchemaField(name="day", type="string", choices=["friday", "monday"], default="monday"),
]


def schema(kind: Any = "tabular", forms: Any = ("dataframe_records",), **more: Any) -> EndpointSchema:
    given: dict[str, Any] = {"fields": FIELDS, "parameters": [], "output": None, "examples": {}, "described": True}
    return EndpointSchema(endpoint_name="e", kind=kind, forms=list(forms), **{**given, **more})


@pytest.mark.parametrize("form", ["dataframe_records", "dataframe_split", "instances", "inputs"])
def test_form_and_json_say_the_same_both_ways(form: str) -> None:
    row = {"miles": 2.5, "hour": 7, "day": "friday"}
    found = schema(forms=[form])
    assert row_of(found, body_of(found, row)) == row


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {"dataframe_records": []},
        {"dataframe_records": [{"miles": 1}, {"miles": 2}]},
        {"dataframe_records": [{"other": 1}]},
        {"dataframe_records": [{"miles": 1}], "params": {}},
        {"dataframe_split": {"columns": ["miles"], "data": [[1, 2]]}},
        {"dataframe_split": {"columns": "miles", "data": 1}},
        {"inputs": {"miles": [1, 2]}},
        {"inputs": [1]},
        {"messages": [{"role": "user"}]},
    ],
)
def test_json_that_is_no_single_row_leaves_the_form_alone(body: Any) -> None:
    assert row_of(schema(), body) is None


def test_language_tasks_have_a_form() -> None:
    tokens = SchemaField(name="max_tokens", type="integer")
    completions = shaped(schema("completions", ["prompt"], fields=[], parameters=[tokens]))
    assert [one.name for one in completions.fields] == ["prompt", "max_tokens"]
    assert body_of(completions, {"prompt": "Once", "max_tokens": None}) == {"prompt": "Once"}
    assert row_of(completions, {"prompt": "Once", "max_tokens": 3}) == {"prompt": "Once", "max_tokens": 3}
    texts = shaped(schema("embeddings", ["input"], fields=[]))
    assert body_of(texts, {"input": "one\n\ntwo"}) == {"input": ["one", "two"]}
    assert row_of(texts, {"input": ["one", "two"]}) == {"input": "one\ntwo"}
    assert row_of(texts, {"input": [1]}) is None


def test_entered_values_are_texts_and_time_limits_numbers() -> None:
    assert [text_of(one) for one in (None, True, 2.0, "a", [1])] == ["", "true", "2.0", "a", "[1]"]
    assert seconds_of("") == 30
    assert seconds_of("120") == 120
    for wrong in ("soon", "0", "301", "nan"):
        with pytest.raises(InvalidRequest):
            seconds_of(wrong)


def test_every_cell_is_checked_again_on_the_server() -> None:
    columns = ["miles", "hour", "day"]
    assert many.read_rows(schema(), columns, [["1.5", "7", ""]]) == [{"miles": 1.5, "hour": 7}]
    with pytest.raises(InvalidRequest) as refused:
        many.read_rows(schema(), columns, [["1", "7", ""], ["1", "7l", ""]])
    assert refused.value.technical_details["field"] == "rows.2.hour"
    with pytest.raises(InvalidRequest):
        many.read_rows(schema(), columns, [["1", "", "friday"]])


def test_mapping_reads_columns_and_fixed_values() -> None:
    names = ["miles", "hour", "day"]
    assert read(schema(), names, ["trip_distance", FIXED, FIXED], ["", "7", ""]) == (
        {"miles": "trip_distance"},
        {"hour": 7},
    )
    for columns, values in (([FIXED] * 3, ["1", "7", ""]), (["a", FIXED, FIXED], ["", "99", ""])):
        with pytest.raises(InvalidRequest):
            read(schema(), names, columns, values)


def test_the_address_brings_a_view_along() -> None:
    view = view_of("?score=table%3Dsamples.nyctaxi.trips%26sort%3D%255B%255D")
    assert view is not None
    assert view.table == "samples.nyctaxi.trips"
    assert view_of("?score=table%3Dtrips") is None
    assert view_of("?other=1") is None
    assert view_of(None) is None


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("number", "1.25", 1.25),
        ("number", 3, 3),
        ("number", "NaN", None),
        ("number", "Infinity", None),
        ("integer", "9007199254740993", 9007199254740993),
        ("integer", 2.0, 2),
        ("integer", 2.5, 2.5),
        ("integer", "2016-01-01", "2016-01-01"),
        ("string", 5, "5"),
        ("boolean", True, True),
        ("integer", None, None),
    ],
)
def test_values_of_a_table_become_values_of_a_field(kind: Any, value: Any, expected: Any) -> None:
    found = value_of(SchemaField(name="x", type=kind), value)
    assert found == expected
    assert type(found) is type(expected)


def test_predictions_become_columns() -> None:
    rich = {"label": "good", "probabilities": {"good": 0.75, "bad": 0.25}}
    assert (outcomes.label_of(rich), outcomes.share_of(rich)) == ("good", 0.75)
    assert outcomes.flat(rich) == {
        "prediction.label": "good",
        "prediction.probabilities.good": 0.75,
        "prediction.probabilities.bad": 0.25,
    }
    assert outcomes.flat(3.5) == {"prediction": 3.5}
    assert outcomes.label_of([1, 2]) == "[1, 2]"


def test_file_keeps_texts_whole_and_names_apart() -> None:
    job = ScoreJob("k", "u", "u", "e", done=2)
    job.rows = [{"text": 'a "b"\nc, d', "prediction": None}, {"text": "x", "flag": True}]
    job.predictions = [1.5, None]
    lines = list(csv.reader(io.StringIO(outcomes.csv_of(job))))
    assert lines == [
        ["text", "prediction", "flag", "prediction_1"],
        ['a "b"\nc, d', "", "", "1.5"],
        ["x", "", "true", ""],
    ]


@given(st.lists(st.floats(-1e9, 1e9), min_size=2, max_size=200))
def test_histogram_counts_every_value_once(numbers: list[float]) -> None:
    edges, counts = outcomes.bins_of(numbers)
    assert sum(counts) == len(numbers)
    assert len(edges) == len(counts) + 1
    assert len(counts) <= 26
    assert edges[0] <= min(numbers) + 1e-6 * max(1, abs(min(numbers)))
    assert edges[-1] >= max(numbers) - 1e-6 * max(1, abs(max(numbers)))


def test_charts_are_drawn_for_numbers_and_labels_only() -> None:
    figure, figures = outcomes.chart([1.0, 2.0, 4.0])
    assert "3 rows" in words_of(figure)
    assert "Median" in words_of(figures)
    (bars,) = outcomes.chart([{"label": "a", "probabilities": {"a": 0.9}}, {"label": "a"}, {"label": "b"}])
    said = words_of(bars)
    assert "66.7 %" in said
    assert "2 rows, mean probability 0.90" in said
    assert outcomes.chart([1.0]) == []
    assert outcomes.chart([]) == []
    assert outcomes.chart([None, 1.0]) == []


def test_answers_of_language_tasks_are_text_and_vectors() -> None:
    text = answer({"choices": [{"text": "<b>on</b>", "finish_reason": "length"}], "usage": {"total_tokens": 5}}, None)
    assert "<b>on</b>" in words_of(text)
    assert "length" in words_of(text)
    assert not [node for node in nodes_of(text) if type(node).__name__ in ("Markdown", "DangerouslyAllowHTML")]
    near = answer({"data": [{"embedding": [1, 0]}, {"embedding": [1, 1]}]}, None)
    assert "0.71" in words_of(near)
    assert "A vector of 2 numbers" in words_of(answer({"data": [{"embedding": [1, 0]}]}, None))
    assert "embedding" in words_of(answer({"data": [{"embedding": []}, {"embedding": [1]}]}, None))
    assert math.isclose(cosine([3, 4], [3, 4]), 1)
    assert cosine([0, 0], [1, 2]) == 0


def test_a_refusal_is_said_at_the_field_that_it_names() -> None:
    names = ["trip_distance", "distance", "hour"]
    assert fields_named("Error 'Column 'trip_distance' is required'", names) == ["trip_distance"]
    assert fields_named("Incompatible input types for column hour.", names) == ["hour"]
    assert fields_named("nothing of that", names) == []


def test_silence_gives_heartbeats_and_errors_arrive() -> None:
    go = threading.Event()

    def items() -> Iterator[int]:
        yield 1
        go.wait(5)
        raise ModelUnavailable("http://x", None)

    closed: list[bool] = []
    stream = with_heartbeats(items(), 0.05, lambda: closed.append(True))
    assert next(stream) == 1
    assert [next(stream), next(stream)] == [None, None]
    go.set()
    with pytest.raises(ModelUnavailable):
        list(stream)
    assert closed == [True]


def test_a_reader_that_leaves_ends_the_read() -> None:
    gone = threading.Event()

    def items() -> Iterator[int]:
        gone.wait(10)
        yield from ()

    stream = with_heartbeats(items(), 0.02, gone.set)
    assert next(stream) is None
    started = time.monotonic()
    stream.close()
    assert gone.is_set()
    assert time.monotonic() - started < 1


def test_specs_for_the_browser_are_json() -> None:
    specs = json.loads(json.dumps([spec_of(one) for one in FIELDS]))
    assert specs[1]["maximum_words"] == "23"
    assert specs[2]["choices"] == ["friday", "monday"]
