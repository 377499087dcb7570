"""The local workspace's models and signatures: what they accept, refuse and answer."""

from __future__ import annotations

import random
from typing import Any

import pytest

from local_workspace.serving import language
from local_workspace.serving.fare import WEEKDAYS, FareModel
from local_workspace.serving.sentiment import SentimentModel, reviews
from local_workspace.serving.signature import Columns, Field, InputError, Signature

SIGNATURE = Signature(
    (Field("a", "double"), Field("b", "long", required=False, default=7), Field("c", "boolean", required=False)), {}
)


@pytest.mark.parametrize(
    ("form", "payload", "expected"),
    [
        ("dataframe_records", [{"a": 1}, {"a": 2.5, "b": 3}], {"a": [1.0, 2.5], "b": [7, 3], "c": [None, None]}),
        ("dataframe_split", {"columns": ["b", "a"], "data": [[1, 2]]}, {"a": [2.0], "b": [1], "c": [None]}),
        ("instances", [{"a": 1, "c": True}], {"a": [1.0], "b": [7], "c": [True]}),
        ("inputs", {"a": [1, 2]}, {"a": [1.0, 2.0], "b": [7, 7], "c": [None, None]}),
        ("dataframe_records", [], {"a": [], "b": [], "c": []}),
    ],
)
def test_every_input_form_gives_the_same_columns(form: str, payload: Any, expected: Columns) -> None:
    columns, rows = SIGNATURE.columns(form, payload)
    assert columns == expected
    assert rows == len(expected["a"])
    assert all(isinstance(value, float) for value in columns["a"])


@pytest.mark.parametrize(
    ("form", "payload", "words"),
    [
        ("dataframe_records", {"a": 1}, "must be a list"),
        ("dataframe_records", [1], "must be an object"),
        ("dataframe_records", [{"b": 1}], "missing inputs ['a']"),
        ("dataframe_records", [{"a": 1, "z": 1}], "Unknown inputs ['z']"),
        ("dataframe_records", [{"a": 1, "b": 1.0}], "double to long"),
        ("dataframe_records", [{"a": 1, "b": True}], "boolean to long"),
        ("dataframe_records", [{"a": 1, "b": 2**63}], "out of range"),
        ("dataframe_records", [{"a": 10**400}], "out of range"),
        ("dataframe_records", [{"a": 1}, {}], "must not be null"),
        ("dataframe_split", {"columns": ["a"]}, "'columns' and 'data'"),
        ("dataframe_split", {"columns": ["a"], "data": [[1, 2]]}, "1 columns passed"),
        ("dataframe_split", {"columns": ["a", "a"], "data": [[1, 2]]}, "twice"),
        ("dataframe_split", {"columns": ["a"], "data": [[1]], "index": [1, 2]}, "'index' has 2"),
        ("inputs", {"a": [1], "b": [1, 2]}, "different lengths"),
        ("instances", [1, 2], "must be an object"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_reason(form: str, payload: Any, words: str) -> None:
    with pytest.raises(InputError) as caught:
        SIGNATURE.columns(form, payload)
    assert words in str(caught.value)


def test_bare_values_are_rows_of_a_model_with_one_column() -> None:
    signature = Signature((Field("text", "string"),), {})
    assert signature.columns("inputs", ["x", "y"]) == ({"text": ["x", "y"]}, 2)
    assert signature.columns("instances", [["x"]]) == ({"text": ["x"]}, 1)


def _trips(count: int) -> Columns:
    """Trips of a known price: 3 dollars, 2.5 a mile, 4 more to zip 2, and noise of 0.5."""
    chance = random.Random(5)
    columns: Columns = {
        "trip_distance": [chance.uniform(0.2, 15) for _ in range(count)],
        "pickup_zip": [chance.choice((1, 2, 3)) for _ in range(count)],
        "dropoff_zip": [chance.choice((1, 2, 3)) for _ in range(count)],
        "pickup_hour": [chance.randrange(24) for _ in range(count)],
        "weekday": [chance.choice(WEEKDAYS) for _ in range(count)],
    }
    columns["fare_amount"] = [
        3 + 2.5 * miles + (4 if zip_code == 2 else 0) + chance.gauss(0, 0.5)
        for miles, zip_code in zip(columns["trip_distance"], columns["dropoff_zip"], strict=True)
    ]
    return columns


def test_fare_model_finds_the_price_of_a_trip() -> None:
    model = FareModel.fit(_trips(4_000))
    rows = {"trip_distance": [10.0, 10.0, 10.0], "pickup_zip": [1] * 3, "dropoff_zip": [1, 2, 99]}
    rows |= {"pickup_hour": [12] * 3, "weekday": ["monday"] * 3}
    plain, airport, unknown = model.predict(rows)
    assert plain == pytest.approx(28, abs=0.6)
    assert airport - plain == pytest.approx(4, abs=0.3)
    assert plain < unknown < airport
    assert model.mean_absolute_error < 0.5
    assert FareModel.from_json(model.to_json()).predict(rows) == [plain, airport, unknown]
    assert model.predict({name: [] for name in rows}) == []


def test_fare_model_wants_enough_trips() -> None:
    with pytest.raises(ValueError, match="at least 200"):
        FareModel.fit(_trips(199))


def test_sentiment_generalises_to_sentences_it_has_not_seen() -> None:
    labelled = reviews()
    assert len(labelled) >= 120
    assert abs(sum(positive for _, positive in labelled) * 2 - len(labelled)) <= 2
    folds, right = 10, 0
    for fold in range(folds):
        model = SentimentModel.fit([one for at, one in enumerate(labelled) if at // 2 % folds != fold])
        held_out = [one for at, one in enumerate(labelled) if at // 2 % folds == fold]
        answers = model.predict({"text": [text for text, _ in held_out]})
        right += sum(
            (answer["label"] == "positive") == good for answer, (_, good) in zip(answers, held_out, strict=True)
        )
    assert right / len(labelled) > 0.7


def test_sentiment_survives_storing_and_odd_text() -> None:
    model = SentimentModel.fit(reviews())
    again = SentimentModel.from_json(model.to_json())
    texts = {"text": ["great", "", "日本語", "not good"]}
    assert again.predict(texts) == model.predict(texts)
    assert model.predict({"text": ["not good"]})[0]["label"] == "negative"


def test_echo_says_that_it_is_one_and_obeys_its_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(language, "TOKEN_SECONDS", 0.0)
    talk = {"messages": [{"role": "user", "content": "one two STOP three"}]}
    whole = language.chat_answer("echo", language.echo_chat(talk))
    text = whole["choices"][0]["message"]["content"]
    assert text.startswith("This is a local echo, not a language model.")
    assert "one two STOP three" in text
    assert whole["choices"][0]["finish_reason"] == "stop"
    short = language.echo_chat({**talk, "max_tokens": 3})
    assert (len(short.tokens), short.finish_reason) == (3, "length")
    stopped = language.echo_chat({**talk, "stop": ["STOP"]})
    assert "".join(stopped.tokens).endswith("one two ")
    chunks = list(language.chat_chunks("echo", language.echo_chat(talk)))
    assert "".join(one["choices"][0]["delta"].get("content", "") for one in chunks) == text
    assert chunks[-1]["usage"] == whole["usage"]


@pytest.mark.parametrize(
    "request_fields",
    [
        {"messages": []},
        {"messages": [{"role": "robot", "content": "x"}]},
        {"messages": [{"role": "user", "content": 1}]},
        {"messages": [{"role": "system", "content": "x"}]},
        {"messages": [{"role": "user", "content": "x"}], "max_tokens": 0},
        {"messages": [{"role": "user", "content": "x"}], "temperature": 3},
        {"messages": [{"role": "user", "content": "x"}], "n": 2},
        {"messages": [{"role": "user", "content": "x"}], "stream": "yes"},
    ],
)
def test_echo_refuses_what_a_chat_endpoint_refuses(request_fields: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        language.echo_chat(request_fields)


def test_embedding_is_near_for_shared_words() -> None:
    def cosine(first: str, second: str) -> float:
        return sum(a * b for a, b in zip(language.hashed(first), language.hashed(second), strict=True))

    assert cosine("the red car", "the red car") == pytest.approx(1)
    assert cosine("the red car", "a red car") > cosine("the red car", "blue birds sing")
    assert language.hashed("...") == [0.0] * language.EMBEDDING_SIZE
