"""The form that fits a model: reading what was entered, by the model's own schema."""

from __future__ import annotations

from typing import Any

import pytest

from dashboard.components.fields import read_field
from dashboard.components.serving import answer, dom_id
from services.model_serving import SchemaField
from tests.unit.test_components import nodes_of, text_of

HOUR = SchemaField(name="hour", type="integer", required=True, minimum=0, maximum=23)
MILES = SchemaField(name="miles", type="number", minimum=0)
DAY = SchemaField(name="day", type="string", choices=["friday", "monday"], required=True)
LEVEL = SchemaField(name="level", type="integer", choices=[1, 2])
FLAG = SchemaField(name="flag", type="boolean")
BAG = SchemaField(name="bag", type="object")


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        (HOUR, " 17 ", 17),
        (MILES, "8.4", 8.4),
        (MILES, "", None),
        (DAY, "friday", "friday"),
        (LEVEL, "2", 2),
        (FLAG, "true", True),
        (BAG, '{"a": [1]}', {"a": [1]}),
    ],
)
def test_values_have_the_type_of_the_schema(field: SchemaField, text: str, value: Any) -> None:
    read, wrong = read_field(field, text)
    assert wrong is None
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    ("field", "text", "said"),
    [
        (HOUR, "", "A value is needed."),
        (HOUR, "1137l", "Whole number expected: the last sign is a letter."),
        (HOUR, "1.5", "Whole number expected."),
        (HOUR, "24", "At most 23 expected."),
        (HOUR, "-1", "At least 0 expected."),
        (MILES, "eight", "Number expected, with a point before the fraction."),
        (MILES, "nan", "A finite number expected."),
        (MILES, "1e999", "A finite number expected."),
        (DAY, "sunday", "One of the choices expected."),
        (FLAG, "yes", "true or false expected."),
        (BAG, "{", "JSON expected."),
    ],
)
def test_what_is_wrong_is_said(field: SchemaField, text: str, said: str) -> None:
    assert read_field(field, text) == (None, said) or read_field(field, text)[1] == said


def test_answers_are_shown_by_their_shape() -> None:
    assert "37.60" in text_of(answer([37.60210080849298], {"description": "Predicted fare."}))
    bars = answer([{"label": "positive", "probabilities": {"negative": 0.258, "positive": 0.742}}], None)
    widths = [node.style["width"] for node in nodes_of(bars) if getattr(node, "style", None)]
    assert widths == ["74.2%", "25.8%"]
    assert '"x"' in text_of(answer([{"x": 1}, {"x": 2}], None))


def test_dom_id_is_what_dash_writes() -> None:
    assert dom_id({"type": "serving-field", "name": "a"}) == '{"name":"a","type":"serving-field"}'
