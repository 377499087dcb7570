"""The JSON API of the user's records, through the whole app on the local workspace."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

MANAGER = "manager@example.com"
ROUTES = [
    ("preferences", "preference", "preferences"),
    ("configurations", "configuration", "configurations"),
    ("application-state", "state", "application_state"),
]


@pytest.mark.parametrize(("path", "prefix", "collection"), ROUTES)
def test_create_read_replace_delete(
    client_of: Callable[..., FlaskClient], path: str, prefix: str, collection: str
) -> None:
    client, other = client_of(), client_of(MANAGER)
    base, key, value = f"/api/v1/{path}", f"{prefix}_key", f"{prefix}_value"
    made = client.post(base, json={key: "api.test", value: {"a": [1.0, None]}})
    assert (made.status_code, made.headers["Location"]) == (201, f"{base}/api.test")
    assert made.json is not None
    assert set(made.json) == {key, value, "created_at", "updated_at"}
    again = client.post(base, json={key: "api.test", value: 1})
    assert again.json is not None
    assert (again.status_code, again.json["error_code"]) == (409, "ALREADY_EXISTS")
    assert client.get(f"{base}/api.test").json == made.json
    for answer in (
        other.get(f"{base}/api.test"),
        other.put(f"{base}/api.test", json={value: 1}),
        other.delete(f"{base}/api.test"),
        client.put(f"{base}/unknown", json={value: 1}),
    ):
        assert answer.json is not None
        assert (answer.status_code, answer.json["error_code"]) == (404, "NOT_FOUND")
    listed = client.get(f"{base}?limit=1000")
    assert listed.json is not None
    assert made.json in listed.json[collection]
    assert set(listed.json["pagination"]) == {"limit", "offset", "returned", "total_rows", "next_offset"}
    changed = client.put(f"{base}/api.test", json={value: "new"})
    assert changed.json is not None
    assert (changed.status_code, changed.json[value]) == (200, "new")
    gone = client.delete(f"{base}/api.test")
    assert (gone.status_code, gone.data) == (204, b"")
    assert client.get(f"{base}/api.test").status_code == 404


@pytest.mark.parametrize("number", ["1.0", "1.10", "1e2", "123456789012345678901234567890", "-0.0", "1e400"])
def test_numbers_come_back_letter_for_letter(client_of: Callable[..., FlaskClient], number: str) -> None:
    client = client_of()
    client.delete("/api/v1/preferences/number")
    body = f'{{"preference_key": "number", "preference_value": {number}}}'
    made = client.post("/api/v1/preferences", data=body)
    assert f'"preference_value":{number},' in made.text
    assert f'"preference_value":{number},' in client.get("/api/v1/preferences/number").text


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff",
        b"[]",
        b"{}",
        b'{"preference_key": "k"}',
        b'{"preference_key": "k", "preference_value": NaN}',
        b'{"preference_key": "k", "preference_value": "\\u0000"}',
        b'{"preference_key": "k", "preference_value": "\\ud800"}',
        b'{"preference_key": "k", "preference_value": "\xff"}',
        b'{"preference_key": "k", "preference_value": 1, "more": 1}',
        b'{"preference_key": "a b", "preference_value": 1}',
        b'{"preference_key": "", "preference_value": 1}',
        b'{"preference_key": "k", "preference_value": ' + b"[" * 100_000,
        b'{"preference_key": "k", "preference_value": ' + b"[" * 65 + b"]" * 65 + b"}",
        b'{"preference_key": "k", "preference_value": "' + b"x" * 65_536 + b'"}',
        b" " * 3_000_000,
    ],
)
def test_bad_bodies_are_a_400(client_of: Callable[..., FlaskClient], body: bytes) -> None:
    answer = client_of().post("/api/v1/preferences", data=body)
    assert answer.json is not None
    assert (answer.status_code, answer.json["error_code"]) == (400, "INVALID_REQUEST")


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "limit=x", "offset=-1", "more=1"])
def test_bad_queries_are_a_400(client_of: Callable[..., FlaskClient], query: str) -> None:
    for path in ("preferences", "audit-log"):
        assert client_of().get(f"/api/v1/{path}?{query}").status_code == 400


def test_the_trail_shows_the_users_own_changes(client_of: Callable[..., FlaskClient]) -> None:
    client = client_of()
    client.delete("/api/v1/preferences/trail")
    client.post("/api/v1/preferences", json={"preference_key": "trail", "preference_value": 1.5})
    client.put("/api/v1/preferences/trail", json={"preference_value": 2})
    answer: Any = client.get("/api/v1/audit-log?record_key=trail&limit=2").json
    assert [(one["action"], one["value_before"], one["value_after"]) for one in answer["audit_log"]] == [
        ("UPDATE", 1.5, 2),
        ("CREATE", None, 1.5),
    ]
    theirs: Any = client_of(MANAGER).get("/api/v1/audit-log?record_key=trail").json
    assert theirs["pagination"]["total_rows"] == 0


def test_without_sign_in_there_is_nothing(client_of: Callable[..., FlaskClient]) -> None:
    for path in ("preferences", "preferences/k", "audit-log"):
        assert client_of(None).get(f"/api/v1/{path}").status_code == 401
