"""Without a user token (an app called directly, without the platform's proxy) every page says what to set up."""

from __future__ import annotations

import json
from typing import Any

import pytest
from dash import Dash


def ask(app: Dash, wanted: str, values: dict[str, Any]) -> str:
    """The answer of the callback whose first output is `wanted`, asked as a browser without a token does."""
    key, one = next((key, one) for key, one in app.callback_map.items() if f"{wanted}." in key.split("...")[0])
    outputs = [
        {"id": part.rsplit(".", 1)[0], "property": part.rsplit(".", 1)[1]} for part in key.strip(".").split("...")
    ]
    if not key.startswith(".."):
        outputs = outputs[0]  # type: ignore[assignment]
    filled = {kind: [{**item, "value": values.get(item["id"])} for item in one[kind]] for kind in ("inputs", "state")}
    first = one["inputs"][0]
    body = {"output": key, "outputs": outputs, **filled, "changedPropIds": [f"{first['id']}.{first['property']}"]}
    answer = app.server.test_client().post(
        "/_dash-update-component", data=json.dumps(body), content_type="application/json"
    )
    assert answer.status_code == 200, answer.text
    return str(answer.text)


@pytest.mark.parametrize(
    ("wanted", "values"),
    [
        ("lakebase-list", {"lakebase-view": {"kind": "preferences", "offset": 0}}),
        ("serving-list", {}),
    ],
)
def test_pages_show_the_set_up_instead_of_content(app: Dash, wanted: str, values: dict[str, Any]) -> None:
    shown = ask(app, wanted, values)
    assert "AUTH_REQUIRED" in shown
    assert "This page needs to know who you are" in shown
    assert "turn on user authorization" in shown


def test_welcome_says_that_nobody_is_signed_in(app: Dash) -> None:
    assert "You, not signed in" in ask(app, "welcome-you", {})
