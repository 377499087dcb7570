"""The JSON API of Unity Catalog as three people: governance, errors, aggregates, profiles, exports, cancelling."""

from __future__ import annotations

import csv
import io
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pyarrow.parquet as pq
import pytest
from flask.testing import FlaskClient

from local_workspace.workspace import Workspace
from services.container import Services
from tests.support import catalog_lab as lab

BASE = "/api/v1/unity-catalog"
TRIPS = f"{BASE}/tables/samples/nyctaxi/trips"
LAB = f"{BASE}/tables/lakefront/lab/api"
Client = Callable[..., FlaskClient]
MADE = lab.rows(90, seed=11)


@pytest.fixture(scope="module", autouse=True)
def lab_tables(workspace: Workspace) -> None:
    lab.make_table(workspace, "api", MADE, key=True)
    lab.execute(
        workspace,
        f"CREATE OR REPLACE TABLE {lab.SCHEMA}.nothing (a INT, b STRING)",
        f"GRANT SELECT ON TABLE {lab.SCHEMA}.nothing TO `analysts`",
    )


@pytest.fixture
def analyst(client_of: Client) -> FlaskClient:
    return client_of("analyst@example.com")


def body_of(response: Any, status: int) -> dict[str, Any]:
    assert response.status_code == status, response.get_data(as_text=True)[:2000]
    found: dict[str, Any] = response.get_json()
    return found


def test_the_tree_shows_each_person_what_they_may_see(client_of: Client) -> None:
    seen = {}
    for name in ("analyst@example.com", "newcomer@example.com", "manager@example.com"):
        client = client_of(name)
        catalogs = body_of(client.get(f"{BASE}/catalogs"), 200)["catalogs"]
        names = {one["name"] for one in catalogs}
        schemas: set[str] = set()
        if "lakefront" in names:
            found = body_of(client.get(f"{BASE}/catalogs/lakefront/schemas"), 200)["schemas"]
            schemas = {one["name"] for one in found}
        seen[name.partition("@")[0]] = (names >= {"samples"}, "sales" in schemas, "restricted" in schemas)
    assert seen == {"analyst": (True, True, False), "newcomer": (True, False, False), "manager": (True, True, True)}


def test_tables_and_details(analyst: FlaskClient) -> None:
    tables = body_of(analyst.get(f"{BASE}/catalogs/samples/schemas/nyctaxi/tables"), 200)["tables"]
    assert [one["full_name"] for one in tables] == ["samples.nyctaxi.trips"]
    sales = body_of(analyst.get(f"{BASE}/catalogs/lakefront/schemas/sales/tables"), 200)["tables"]
    assert {one["table_name"]: (one["row_filtered"], one["has_masks"]) for one in (*tables, *sales)} == {
        "trips": (False, False),
        "customers": (False, True),
        "orders": (True, False),
    }
    details = body_of(analyst.get(LAB), 200)
    assert details["primary_key"] == ["id"]
    assert details["access_level"] == "SELECT"
    by_name = {one["name"]: one for one in details["columns"]}
    assert by_name["dec"]["data_type"] == "DECIMAL(38,18)"
    assert by_name["id"]["nullable"] is False
    assert by_name[lab.ODD]["kind"] == "text"
    customers = body_of(analyst.get(f"{BASE}/tables/lakefront/sales/customers"), 200)
    assert {one["name"] for one in customers["columns"] if one["masked"]} == {"email"}
    assert body_of(analyst.get(f"{BASE}/tables/lakefront/sales/orders"), 200)["row_filtered"] is True


def test_without_the_catalog_scopes_sql_gives_the_same_answers(client_of: Client) -> None:
    full, narrow = client_of(), client_of(scopes=("sql", "iam.current-user:read"))
    for path in (
        "/catalogs/lakefront/schemas",
        "/catalogs/lakefront/schemas/sales/tables",
        "/tables/lakefront/sales/customers",
        "/tables/lakefront/sales/orders",
        "/tables/lakefront/lab/api",
    ):
        rest, sql = body_of(full.get(BASE + path), 200), body_of(narrow.get(BASE + path), 200)
        assert (rest.pop("source"), sql.pop("source")) == ("rest", "information_schema")
        for varying in ("elapsed_ms", "fetched_at", "created_at", "updated_at", "created_by", "updated_by"):
            rest.pop(varying, None)
            sql.pop(varying, None)
        for both in (rest, sql):
            both["schemas"] = [one for one in both.get("schemas", []) if one["name"] != "information_schema"]
            both["privileges"] = sorted(one["privilege"] for one in both.get("privileges") or [])
        assert sql == rest, path
    names = [
        {one["name"] for one in body_of(client.get(f"{BASE}/catalogs"), 200)["catalogs"]} for client in (full, narrow)
    ]
    assert names[0] == names[1]
    missing = body_of(narrow.get(f"{BASE}/tables/lakefront/sales/order"), 404)
    assert missing["error_code"] == "TABLE_NOT_FOUND"
    assert "lakefront.sales.orders" in missing["technical_details"]["nearest"]
    denied = body_of(narrow.get(f"{BASE}/tables/lakefront/restricted/salaries"), 403)
    assert denied["error_code"] == "CATALOG_PERMISSION_DENIED"


def test_a_refusal_tells_what_is_needed_and_what_of_it_is_held_as_far_as_the_catalog_tells(client_of: Client) -> None:
    def told(client: FlaskClient) -> dict[str, Any]:
        refused = body_of(client.get(f"{BASE}/tables/lakefront/restricted/salaries"), 403)["technical_details"]
        assert not {"owner", "comment"} & set(refused)
        return {f"{one['privilege']} {one['on']}": one["held"] for one in refused.get("privileges", [])}

    schema, table = "USE SCHEMA lakefront.restricted", "SELECT lakefront.restricted.salaries"
    assert told(client_of("analyst@example.com")) == {"USE CATALOG lakefront": True, schema: False, table: None}
    assert told(client_of("newcomer@example.com")) == {"USE CATALOG lakefront": False, schema: None, table: None}
    assert told(client_of("analyst@example.com", scopes=("sql", "iam.current-user:read"))) == {}


def test_two_people_see_their_own_rows_and_masks(client_of: Client) -> None:
    def read(name: str, table: str) -> list[dict[str, Any]]:
        path = f"{BASE}/tables/lakefront/sales/{table}/rows?limit=1000"
        rows: list[dict[str, Any]] = body_of(client_of(name).get(path), 200)["rows"]
        return rows

    theirs, all_rows = read("analyst@example.com", "orders"), read("manager@example.com", "orders")
    assert 0 < len(theirs) < len(all_rows)
    assert len({row["region"] for row in theirs}) == 1
    masked, clear = read("analyst@example.com", "customers"), read("manager@example.com", "customers")
    assert {row["email"] for row in masked}.isdisjoint({row["email"] for row in clear})
    # The same cached statement of two people must never mix.
    assert read("analyst@example.com", "orders") == theirs


def test_denied_missing_empty(analyst: FlaskClient, client_of: Client) -> None:
    for suffix in ("", "/rows", "/profile"):
        found = body_of(analyst.get(f"{BASE}/tables/lakefront/restricted/salaries{suffix}"), 403)
        assert found["error_code"] == "CATALOG_PERMISSION_DENIED"
        assert found["message"] == "You don't have access to this table."
        details = found["technical_details"]
        assert (details["catalog"], details["schema"], details["table"]) == ("lakefront", "restricted", "salaries")
        assert details["request_id"]
    missing = body_of(analyst.get(f"{BASE}/tables/lakefront/sales/order/rows"), 404)
    assert missing["error_code"] == "TABLE_NOT_FOUND"
    assert missing["technical_details"]["nearest"][0] == "lakefront.sales.orders"
    assert body_of(analyst.get(f"{BASE}/catalogs/nope/schemas"), 404)["error_code"] == "CATALOG_NOT_FOUND"
    empty = body_of(analyst.get(f"{BASE}/tables/lakefront/lab/nothing/rows?count=true"), 200)
    assert empty["rows"] == []
    assert empty["pagination"]["total_rows"] == 0
    assert empty["pagination"]["next_offset"] is None
    assert [one["name"] for one in empty["columns"]] == ["a", "b"]
    profile = body_of(analyst.get(f"{BASE}/tables/lakefront/lab/nothing/profile"), 200)
    assert profile["rows_read"] == 0
    assert body_of(client_of(None).get(f"{BASE}/catalogs"), 401)["error_code"] == "AUTH_REQUIRED"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=ten", "limit"),
        ("offset=-1", "offset"),
        ("sort=nope:asc", "sort[0]"),
        ("sort=fare_amount:up", "sort[0]"),
        ("filter=x", "filter"),
    ],
)
def test_a_bad_query_names_its_field(analyst: FlaskClient, query: str, field: str) -> None:
    found = body_of(analyst.get(f"{TRIPS}/rows?{query}"), 400)
    assert found["error_code"] == "INVALID_REQUEST"
    assert found["technical_details"]["field"].startswith(field)


def test_bad_bodies_and_names_are_400(analyst: FlaskClient) -> None:
    deep: dict[str, Any] = {"column": "fare_amount", "operator": "is_null"}
    for _ in range(8):
        deep = {"not": deep}
    bodies: list[tuple[Any, str]] = [
        ({"filter": deep}, "filter"),
        ({"filter": {"column": "fare_amount", "operator": "eq", "value": "much"}}, "filter.value"),
        ({"filter": {"column": "nope", "operator": "is_null"}}, "filter.column"),
        ({"columns": ["nope"]}, "columns[0]"),
        ({"surprise": 1}, "surprise"),
        ([], ""),
    ]
    for body, field in bodies:
        found = body_of(analyst.post(f"{TRIPS}/query", json=body), 400)
        assert found["error_code"] == "INVALID_REQUEST"
        assert found["technical_details"]["field"].startswith(field)
    for name in ("tri'ps", "tri`ps", 'tri"ps', "tri ps"):
        found = body_of(analyst.get(f"{BASE}/tables/samples/nyctaxi/{name}/rows"), 400)
        assert found["technical_details"]["field"] == "table"
    assert body_of(analyst.post(f"{TRIPS}/query", data=b"{"), 400)["error_code"] == "INVALID_REQUEST"


def test_the_walk_over_trips_by_get_is_exact(analyst: FlaskClient) -> None:
    seen: Counter[str] = Counter()
    offset: int | None = 0
    pages = 0
    while offset is not None and pages < 25:
        found = body_of(analyst.get(f"{TRIPS}/rows?limit=1000&offset={offset}&sort=fare_amount:desc"), 200)
        seen.update(json.dumps(row) for row in found["rows"])
        offset = found["pagination"]["next_offset"]
        pages += 1
    assert pages == 22
    assert sum(seen.values()) == 21_932
    whole = analyst.post(f"{TRIPS}/export?format=parquet", json={})
    table = pq.read_table(io.BytesIO(whole.get_data()))
    assert table.num_rows == 21_932
    fares = Counter(table.column("fare_amount").to_pylist())
    assert fares == Counter(json.loads(row)["fare_amount"] for row, count in seen.items() for _ in range(count))


def test_the_answer_tells_where_it_came_from(analyst: FlaskClient) -> None:
    query = body_of(
        analyst.post(
            f"{TRIPS}/query",
            json={"limit": 5, "filter": {"column": "fare_amount", "operator": "ge", "value": 50}},
        ),
        200,
    )["query"]
    assert query["runs_as"] == "analyst@example.com"
    assert query["query_id"]
    assert "50" not in query["statement"]
    assert query["parameters"]["lf_1"] == 50


def test_aggregates_equal_python(analyst: FlaskClient) -> None:
    body = {
        "group_by": [{"column": "b"}, {"column": "i"}],
        "measures": [
            {"function": "count"},
            {"function": "count", "column": "s"},
            {"function": "count_distinct", "column": "s"},
            {"function": "min", "column": "big"},
        ],
        "filter": {"column": "id", "operator": "lt", "value": 80},
        "order": "group",
    }
    found = body_of(analyst.post(f"{LAB}/aggregate", json=body), 200)
    groups: dict[tuple[Any, Any], list[dict[str, Any]]] = {}
    for row in MADE[:80]:
        groups.setdefault((row["b"], row["i"]), []).append(row)
    assert len(found["rows"]) == len(groups)
    assert found["truncated"] is False
    for row in found["rows"]:
        members = groups[row["b"], row["i"]]
        texts = [one["s"] for one in members if one["s"] is not None]
        bigs = [one["big"] for one in members if one["big"] is not None]
        assert row["count"] == len(members)
        assert row["count_s"] == len(texts)
        assert row["count_distinct_s"] == len(set(texts))
        assert (None if row["min_big"] is None else int(row["min_big"])) == (min(bigs) if bigs else None)
    cut = body_of(analyst.post(f"{LAB}/aggregate", json={**body, "limit": 3, "order": "largest"}), 200)
    assert cut["truncated"] is True
    assert cut["total_groups"] == len(groups)
    largest = sorted((len(members) for members in groups.values()), reverse=True)[:3]
    assert sorted((row["count"] for row in cut["rows"]), reverse=True) == largest


@pytest.mark.parametrize("bucket", ["hour", "day", "week", "month", "year"])
def test_time_buckets_add_up(analyst: FlaskClient, bucket: str) -> None:
    body = {
        "group_by": [{"column": "tpep_pickup_datetime", "bucket": bucket}],
        "measures": [{"function": "count"}],
        "limit": 10000,
    }
    found = body_of(analyst.post(f"{TRIPS}/aggregate", json=body), 200)
    assert sum(row["count"] for row in found["rows"]) == 21_932
    starts = [row["tpep_pickup_datetime"] for row in found["rows"]]
    assert starts == sorted(starts)
    assert all(start.endswith(":00:00Z") for start in starts)


@pytest.mark.parametrize(("column", "kind"), [("ts", "TIMESTAMP"), ("ntz", "TIMESTAMP_NTZ"), ("day", "DATE")])
@pytest.mark.parametrize("bucket", ["hour", "month"])
def test_a_bucket_is_of_its_columns_own_type(analyst: FlaskClient, column: str, kind: str, bucket: str) -> None:
    """A bar's value is what a filter on the column takes back; an hour of a date is its day."""
    body = {"group_by": [{"column": column, "bucket": bucket}], "measures": [{"function": "count"}]}
    found = body_of(analyst.post(f"{LAB}/aggregate", json=body), 200)
    assert found["columns"][0]["data_type"] == kind
    starts = [row[column] for row in found["rows"] if row[column] is not None]
    assert len(starts) > 2
    filtered = {"filter": {"column": column, "operator": "ge", "value": starts[-1]}}
    count = body_of(analyst.post(f"{LAB}/count", json=filtered), 200)["total_rows"]
    assert count == found["rows"][-1]["count"]


@pytest.mark.parametrize("value", ["1e25", "-1e25", "0.0000000000000000005", "1.5000000000000000000", "12345678"])
def test_a_decimal_beyond_its_columns_digits_is_compared_all_the_same(analyst: FlaskClient, value: str) -> None:
    """The warehouse has no type for both: it would fail on the rows."""
    compare: dict[str, Callable[[Decimal], bool]] = {
        "eq": lambda one: one == Decimal(value),
        "ne": lambda one: one != Decimal(value),
        "lt": lambda one: one < Decimal(value),
        "ge": lambda one: one >= Decimal(value),
    }
    for operator, holds in compare.items():
        body = {"filter": {"column": "dec", "operator": operator, "value": value}}
        count = body_of(analyst.post(f"{LAB}/count", json=body), 200)["total_rows"]
        assert count == sum(1 for row in MADE if row["dec"] is not None and holds(row["dec"])), operator
    listed = {"filter": {"column": "dec", "operator": "in", "value": [value, "1.5"]}}
    count = body_of(analyst.post(f"{LAB}/count", json=listed), 200)["total_rows"]
    assert count == sum(1 for row in MADE if row["dec"] in (Decimal(value), Decimal("1.5")))


def test_a_profile_equals_python(analyst: FlaskClient) -> None:
    found = body_of(analyst.get(f"{LAB}/profile"), 200)
    assert found["rows_read"] == 90
    by_name = {one["name"]: one for one in found["columns"]}
    for name, (kind, _) in lab.COLUMNS.items():
        given = [row[name] for row in MADE if row[name] is not None]
        assert by_name[name]["nulls"] == 90 - len(given), name
        if kind in ("STRING", "BOOLEAN"):
            counts = Counter(given)
            for top in by_name[name]["top_values"]:
                assert counts[top["value"]] == top["count"]
            assert by_name[name]["top_values"][0]["count"] == max(counts.values())
        else:
            finite = [one for one in given if not (isinstance(one, float) and abs(one) in (float("inf"),))]
            finite = [one for one in finite if one == one]
            assert sum(one["count"] for one in by_name[name]["histogram"]) == len(finite), name
        if kind.partition("(")[0] in ("INT", "BIGINT", "FLOAT", "DOUBLE", "DECIMAL") and name != "id":
            numbers = sorted(float(one) for one in finite)
            mean, median = by_name[name]["mean"], by_name[name]["median"]
            assert mean == pytest.approx(sum(numbers) / len(numbers), rel=1e-9, abs=1e-6), name
            assert numbers[len(numbers) // 2 - 1] <= median <= numbers[len(numbers) // 2], name
        else:
            assert by_name[name]["mean"] is None, name
            assert by_name[name]["median"] is None, name
    assert by_name["d"]["nan"] == sum(1 for row in MADE if row["d"] is not None and row["d"] != row["d"])
    assert by_name["m"]["minimum"] is None


def test_csv_keeps_rows_order_nulls_and_text(analyst: FlaskClient) -> None:
    body = {"columns": ["id", "s", "dec", "d", "f", "ts", "arr"], "sort": [{"column": "id", "direction": "desc"}]}
    response = analyst.post(f"{LAB}/export?format=csv", json=body)
    assert response.status_code == 200
    assert response.headers["Content-Disposition"] == 'attachment; filename="api.csv"'
    assert response.headers["X-Export-Total-Rows"] == "90"
    assert response.headers["X-Export-Truncated"] == "false"
    assert int(response.headers["X-Export-Row-Cap"]) >= 90
    rows = list(csv.DictReader(io.StringIO(response.get_data(as_text=True))))
    assert [int(row["id"]) for row in rows] == list(range(89, -1, -1))
    for row, made in zip(rows, reversed(MADE), strict=True):
        assert row["s"] == (made["s"] or "")
        assert row["dec"] == ("" if made["dec"] is None else f"{made['dec']:.18f}")
        assert row["arr"] == ("" if made["arr"] is None else json.dumps(made["arr"]))
        for name in ("d", "f"):
            assert (row[name] == "") == (made[name] is None)
            assert made[name] is None or float(row[name]) == pytest.approx(made[name], nan_ok=True, rel=1e-6)
    words = Counter(row["d"] for row in rows if row["d"] in ("NaN", "Infinity", "-Infinity"))
    assert words == Counter(one["d"] for one in answered(analyst) if isinstance(one["d"], str))
    assert len(words) == 3, "the words of the JSON answers"


def answered(analyst: FlaskClient) -> list[dict[str, Any]]:
    return list(body_of(analyst.get(f"{LAB}/rows?limit=1000"), 200)["rows"])


def test_an_export_is_cut_at_the_cap_and_says_so(
    services: Services, analyst: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    capped = services.settings.model_copy(update={"export_row_cap": 10})
    monkeypatch.setattr(services.unity_catalog, "_settings", capped)
    response = analyst.post(f"{LAB}/export?format=csv&cancel_key=cut", json={})
    assert response.headers["X-Export-Truncated"] == "true"
    assert response.headers["X-Export-Total-Rows"] == "10"
    assert len(response.get_data(as_text=True).splitlines()) > 10
    progress = body_of(analyst.get(f"{BASE}/exports/cut"), 200)
    assert (progress["state"], progress["rows"], progress["truncated"]) == ("done", 10, True)


def test_an_export_that_is_broken_off_frees_its_session(services: Services, analyst: FlaskClient) -> None:
    response = analyst.post(f"{TRIPS}/export?format=csv&cancel_key=broken", json={}, buffered=False)
    parts: Iterator[bytes] = response.iter_encoded()
    next(parts)
    response.close()
    progress = body_of(analyst.get(f"{BASE}/exports/broken"), 200)
    assert progress["state"] in ("cancelled", "done")
    assert services.unity_catalog.pool_statistics()["in_use"] == 0


def test_a_running_statement_is_cancelled_by_its_owner_only(client_of: Client, workspace: Workspace) -> None:
    lab.execute(
        workspace,
        f"CREATE OR REPLACE VIEW {lab.SCHEMA}.slow AS SELECT a.id AS x, b.id AS y FROM range(3000000) a"
        " CROSS JOIN range(3000000) b",
        f"GRANT SELECT ON TABLE {lab.SCHEMA}.slow TO `analysts`",
    )
    outcome: list[Any] = []
    started = time.monotonic()

    def work() -> None:
        path = f"{BASE}/tables/lakefront/lab/slow/query?cancel_key=slow-one"
        outcome.append(client_of().post(path, json={"limit": 5, "sort": [{"column": "y", "direction": "desc"}]}))

    thread = threading.Thread(target=work)
    thread.start()
    stopped = False
    while not stopped and time.monotonic() - started < 20:
        time.sleep(0.1)
        assert client_of("manager@example.com").delete(f"{BASE}/statements/slow-one").status_code == 404
        stopped = client_of().delete(f"{BASE}/statements/slow-one").status_code == 204
    thread.join(20)
    assert stopped
    assert body_of(outcome[0], 499)["error_code"] == "CANCELLED"
    assert time.monotonic() - started < 20


def test_a_session_that_the_server_closed_is_replaced_unseen(services: Services, analyst: FlaskClient) -> None:
    path = f"{LAB}/query"
    body_of(analyst.post(path, json={"limit": 1}), 200)
    pool = services.unity_catalog._pool
    for session in pool._idle:
        # What an idle time-out of the server does: the session's handle no longer means anything.
        session.connection.session.backend.close_session(session.connection.session.session_id)
    assert len(body_of(analyst.post(path, json={"limit": 1}), 200)["rows"]) == 1


def test_the_warehouse_state_is_told(analyst: FlaskClient) -> None:
    found = body_of(analyst.get(f"{BASE}/warehouse"), 200)
    assert found["state"] == "RUNNING"
    assert found["name"] == "lakefront-small"
