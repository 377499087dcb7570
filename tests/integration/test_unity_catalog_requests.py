"""What the Unity Catalog API says about requests that it refuses, and the totals that it tells without counting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from local_workspace.workspace import Workspace
from tests.support import catalog_lab as lab

BASE = "/api/v1/unity-catalog"
CUSTOMERS = f"{BASE}/tables/lakefront/sales/customers"
Client = Callable[..., FlaskClient]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"sort": [{"column": "city"}, {"column": "city", "direction": "up"}]}, "sort[1].direction"),
        ({"filter": {"column": "city", "operator": "eq", "value": {"a": 1}}}, "filter.value"),
        ({"filter": {"column": "city", "operator": "in", "value": ["Oslo", None]}}, "filter.value"),
        ({"filter": {"column": "city", "operator": "in", "value": ["x"] * 1001}}, "filter.value"),
        ({"filter": {"and": [{"not": {"column": "city", "operator": "like"}}]}}, "filter.and[0].not.operator"),
        ({"filter": {"or": [{"and": []}]}}, "filter.or[0].and"),
        ({"filter": {"column": "city", "operator": "eq", "value": "x", "case": 1}}, "filter.case"),
        ({"filter": {}}, "filter.column"),
        ({"columns": ["city", 5]}, "columns[1]"),
    ],
)
def test_a_refusal_names_the_field_as_the_caller_wrote_it(client_of: Client, body: dict[str, Any], field: str) -> None:
    response = client_of("analyst@example.com").post(f"{CUSTOMERS}/query", json=body)
    assert response.status_code == 400, response.text
    refusal = response.get_json()
    assert refusal["error_code"] == "INVALID_REQUEST"
    assert refusal["technical_details"]["field"] == field
    assert "boolean" not in refusal["message"], "the reason is about all that a value may be"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ('{"filter": {"column": "fare_amount", "operator": "lt", "value": 1e400}}', "filter.value"),
        ('{"filter": {"column": "fare_amount", "operator": "in", "value": [1, NaN]}}', "filter.value"),
        ('{"filter": {"column": "fare_amount", "operator": "lt", "value": "1e400"}}', "filter.value"),
        ('{"count": "yes"}', "count"),
        ('{"count": 1}', "count"),
    ],
)
def test_a_value_is_not_taken_for_another(client_of: Client, body: str, field: str) -> None:
    """What is too large for a DOUBLE is not infinity, which has a word of its own; only true is true."""
    response = client_of("analyst@example.com").post(f"{BASE}/tables/samples/nyctaxi/trips/query", data=body)
    assert response.status_code == 400, response.text
    assert response.get_json()["technical_details"]["field"] == field


@pytest.mark.parametrize("limit", ["1.0", "1_0", "%201", "1e1", "٣", ""])
def test_a_limit_is_a_whole_number(client_of: Client, limit: str) -> None:
    for path in (f"{CUSTOMERS}/rows", "/api/v1/preferences"):
        response = client_of("analyst@example.com").get(f"{path}?limit={limit}")
        assert response.status_code == 400, response.text
        assert response.get_json()["technical_details"]["field"] == "limit"


@pytest.mark.parametrize(
    "path",
    [
        "preferences?search",
        "audit-log?record_key",
        "audit-log?record_type",
        "model-serving/inference-logs?endpoint_name",
    ],
)
def test_a_nul_character_is_a_bad_request(client_of: Client, path: str) -> None:
    """Postgres takes none in a text."""
    response = client_of("analyst@example.com").get(f"/api/v1/{path}=a%00b")
    assert response.status_code == 400, response.text
    assert response.get_json()["technical_details"]["field"] == path.partition("?")[2]


def test_no_body_is_an_empty_one(client_of: Client) -> None:
    analyst = client_of("analyst@example.com")
    assert analyst.post(f"{CUSTOMERS}/query").get_json()["rows"]
    assert analyst.post(f"{CUSTOMERS}/export?format=csv").get_data(as_text=True).count("\n") > 10
    refused = analyst.post(f"{CUSTOMERS}/aggregate")
    assert refused.status_code == 400
    assert refused.get_json()["technical_details"]["field"] == "measures"


def test_a_refused_value_is_not_repeated(client_of: Client) -> None:
    """Messages are logged; what people filter by is theirs."""
    response = client_of("analyst@example.com").post(
        f"{CUSTOMERS}/query", json={"filter": {"column": "signup_date", "operator": "eq", "value": "someone@home.org"}}
    )
    assert response.get_json()["message"] == "filter.value: a date (YYYY-MM-DD) expected"


def test_a_page_that_ends_the_table_tells_its_total(client_of: Client, workspace: Workspace) -> None:
    lab.execute(
        workspace,
        f"CREATE SCHEMA IF NOT EXISTS {lab.SCHEMA}",
        f"CREATE OR REPLACE TABLE {lab.SCHEMA}.hollow (a INT)",
        f"GRANT SELECT ON TABLE {lab.SCHEMA}.hollow TO `analysts`",
        f"GRANT USE SCHEMA ON SCHEMA {lab.SCHEMA} TO `analysts`",
    )
    hollow = f"{BASE}/tables/{lab.SCHEMA.replace('.', '/')}/hollow/rows"
    totals = {
        f"{hollow}": 0,
        f"{hollow}?count=false": None,
        f"{hollow}?offset=5": None,
        f"{hollow}?offset=5&count=true": 0,
        f"{BASE}/tables/samples/nyctaxi/trips/rows?limit=5": None,
        f"{BASE}/tables/samples/nyctaxi/trips/rows?limit=5&count=true": 21_932,
        f"{BASE}/tables/samples/nyctaxi/trips/rows?limit=5&offset=21930": 21_932,
    }
    analyst = client_of("analyst@example.com")
    assert {path: analyst.get(path).get_json()["pagination"]["total_rows"] for path in totals} == totals


def test_a_body_larger_than_any_request_may_be_is_a_bad_request(client_of: Client) -> None:
    response = client_of("analyst@example.com").post(
        f"{CUSTOMERS}/query", data=b'"' + b"a" * (17 * 1024 * 1024) + b'"', content_type="application/json"
    )
    assert response.status_code == 400
    assert response.get_json()["technical_details"]["field"] == "body"


def test_a_table_made_anew_with_other_columns_is_read_at_once(client_of: Client, workspace: Workspace) -> None:
    made = f"{lab.SCHEMA}.made_anew"
    table = f"{BASE}/tables/{made.replace('.', '/')}"
    analyst = client_of("analyst@example.com")
    for column, value in (("before", 1), ("after", 2)):
        lab.execute(
            workspace,
            f"CREATE SCHEMA IF NOT EXISTS {lab.SCHEMA}",
            f"GRANT USE SCHEMA ON SCHEMA {lab.SCHEMA} TO `analysts`",
            f"CREATE OR REPLACE TABLE {made} ({column} INT)",
            f"INSERT INTO {made} VALUES ({value})",
            f"GRANT SELECT ON TABLE {made} TO `analysts`",
        )
        for path in (f"{table}/rows", f"{table}/rows?sort={column}:desc"):
            response = analyst.get(path)
            assert response.status_code == 200, response.text
            assert response.get_json()["rows"] == [{column: value}]
    assert analyst.get(f"{table}/rows?sort=before").status_code == 400
    assert [one["name"] for one in analyst.get(table).get_json()["columns"]] == ["after"]
