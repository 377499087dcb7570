"""JSON values come back as they went in, or are refused with the reason."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.errors import InvalidRequest
from services.lakebase import json_text

_TEXT = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=20)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | _TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4),
    max_leaves=20,
)


@pytest.mark.parametrize(
    "text", ["1.0", "1.10", "-0", "-0.0", "1e400", "1E-7", "12345678901234567890123", "0.10000000000000000555", '"é😀"']
)
def test_a_value_keeps_its_letters(text: str) -> None:
    assert json_text.normalise(text) == text
    assert json_text.normalise(f'{{ "a" : [ {text} ] }}') == f'{{"a":[{text}]}}'


@given(_JSON)
def test_any_json_means_the_same_afterwards(value: object) -> None:
    assert json.loads(json_text.normalise(json.dumps(value))) == value
    assert json.loads(json_text.pretty(json.dumps(value))) == value


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("NaN", "not JSON"),
        ("[Infinity]", "not JSON"),
        ("", "not JSON"),
        ("{'a': 1}", "not JSON"),
        ("01", "not JSON"),
        ('"a\\u0000b"', "NUL"),
        ('{"a\\u0000": 1}', "NUL"),
        ('"\\ud800"', "surrogate"),
        ('{"a": 1, "a": 2}', "twice"),
        ("[" * 65 + "]" * 65, "deeper"),
        ("[" * 200_000, "deeper"),
        ('{"a":' * 100_000, "deeper"),
        (json.dumps("x" * 65_535), "larger"),
        (json.dumps("é" * 33_000, ensure_ascii=False), "larger"),
    ],
)
def test_what_cannot_be_kept_is_refused(text: str, reason: str) -> None:
    with pytest.raises(InvalidRequest, match=reason):
        json_text.normalise(text)


def test_the_limits_themselves_are_allowed() -> None:
    assert json_text.normalise("[" * 64 + "]" * 64) == "[" * 64 + "]" * 64
    largest = json.dumps("x" * (65_536 - 2))
    assert json_text.normalise(largest) == largest


def test_a_member_of_a_body() -> None:
    assert json_text.member(b'{"v": 1.50, "k": "x"}', "v") == "1.50"
    for body, field in ((b"\xff{}", "body"), (b"[]", "v"), (b'{"k":1}', "v"), (b" " * 600_000, "body")):
        with pytest.raises(InvalidRequest) as caught:
            json_text.member(body, "v")
        assert caught.value.field == field


def test_what_is_logged_is_always_json() -> None:
    assert json_text.of_value({"a": float("nan"), "b": [float("inf"), 1.5]}) == '{"a":"nan","b":["inf",1.5]}'
    assert json.loads(json_text.of_value("x" * 2_000_000))["bytes"] == 2_000_002
