"""JSON text for people: white space moves, nothing else."""

from __future__ import annotations

import json
import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dashboard.components.json_editor import diff, one_line, pretty
from tests.unit.test_components import text_of

VALUES: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(VALUES)
def test_pretty_means_the_same_and_is_stable(value: Any) -> None:
    text = pretty(json.dumps(value))
    assert json.loads(text) == value
    assert pretty(text) == text


@given(VALUES)
def test_one_line_means_the_same_when_it_is_not_cut(value: Any) -> None:
    text = one_line(json.dumps(value), most=100_000)
    assert "\n" not in text
    assert json.loads(text) == value


def test_numbers_keep_their_letters() -> None:
    text = '{"a":12.0,"b":1e400,"c":123456789012345678901234567890,"d":1.10}'
    for number in ("12.0", "1e400", "123456789012345678901234567890", "1.10"):
        assert re.search(rf"\b{re.escape(number)}\b", pretty(text))
        assert number in one_line(text)


def test_short_lists_stay_on_one_line_and_long_ones_do_not() -> None:
    assert pretty('{"center":[40.7549,-73.9840]}') == '{\n  "center": [40.7549, -73.9840]\n}'
    assert pretty(json.dumps(["word" * 5] * 6)).count("\n") == 7
    assert pretty('[[1],{"a":2}]').startswith("[\n  [1],\n  {")


def test_diff_shows_what_changed_and_nothing_else() -> None:
    said = text_of(diff('{"zoom":11,"same":true}', '{"zoom":12.0,"same":true}'))
    assert said == 'before: "zoom": 11after: "zoom": 12.0'
    assert text_of(diff(None, '{"a": 1}')) == 'after: {"a": 1}'
    assert text_of(diff("1", None)) == "before: 1"
