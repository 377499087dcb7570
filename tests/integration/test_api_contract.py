"""The JSON API as its own document describes it: a valid OpenAPI 3.1 document, and answers that keep to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import schemathesis
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from loguru import logger
from openapi_spec_validator import validate

from dashboard.server import create_server
from services.container import Services
from services.lakebase import APPLICATION_STATE, CONFIGURATION, PREFERENCE
from tests.conftest import ANALYST

CONTRACT = {
    "/api/v1/me": {"get"},
    "/api/v1/health": {"get"},
    "/api/v1/status": {"get"},
    "/api/v1/unity-catalog/catalogs": {"get"},
    "/api/v1/unity-catalog/catalogs/{catalog}/schemas": {"get"},
    "/api/v1/unity-catalog/catalogs/{catalog}/schemas/{schema}/tables": {"get"},
    "/api/v1/unity-catalog/tables/{catalog}/{schema}/{table}": {"get"},
    "/api/v1/unity-catalog/tables/{catalog}/{schema}/{table}/rows": {"get"},
    "/api/v1/unity-catalog/tables/{catalog}/{schema}/{table}/query": {"post"},
    "/api/v1/unity-catalog/tables/{catalog}/{schema}/{table}/aggregate": {"post"},
    "/api/v1/unity-catalog/tables/{catalog}/{schema}/{table}/profile": {"get"},
    "/api/v1/unity-catalog/tables/{catalog}/{schema}/{table}/export": {"post"},
    "/api/v1/preferences": {"get", "post"},
    "/api/v1/preferences/{key}": {"get", "put", "delete"},
    "/api/v1/configurations": {"get", "post"},
    "/api/v1/configurations/{key}": {"get", "put", "delete"},
    "/api/v1/application-state": {"get", "post"},
    "/api/v1/application-state/{key}": {"get", "put", "delete"},
    "/api/v1/audit-log": {"get"},
    "/api/v1/model-serving/endpoints": {"get"},
    "/api/v1/model-serving/endpoints/{name}": {"get"},
    "/api/v1/model-serving/endpoints/{name}/schema": {"get"},
    "/api/v1/model-serving/endpoints/{name}/invocations": {"post"},
    "/api/v1/model-serving/inference-logs": {"get"},
}


@pytest.fixture(scope="module")
def document(client_of: Callable[..., FlaskClient]) -> dict[str, Any]:
    answer = client_of(None).get("/openapi.json")
    assert answer.status_code == 200
    loaded: dict[str, Any] = answer.get_json()
    return loaded


def test_the_document_is_valid_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    validate(document)


def test_every_route_of_the_contract_is_described(document: dict[str, Any]) -> None:
    for path, methods in CONTRACT.items():
        assert methods <= set(document["paths"].get(path, {})), path


def test_every_operation_has_a_summary_and_a_name_of_its_own(document: dict[str, Any]) -> None:
    operations = [one for path in document["paths"].values() for one in path.values()]
    names = [one["operationId"] for one in operations]
    assert len(names) == len(set(names))
    assert all(one["summary"] and one["description"] for one in operations)


def test_documentation_works_offline(client_of: Callable[..., FlaskClient]) -> None:
    client = client_of(None)
    page = client.get("/docs")
    assert page.status_code == 200
    assert "http" not in page.get_data(as_text=True).replace("<!doctype html>", "").replace("http-equiv", "")
    for name in ("swagger-ui.css", "swagger-ui-bundle.js"):
        assert client.get(f"/docs/files/{name}").status_code == 200
    assert client.get("/docs/files/plugins.py").status_code == 404


@pytest.mark.parametrize("path", ["/api/v1/nothing", "/api/v2/me", "/api/v1/preferences/a/b", "/api/", "/api"])
def test_an_unknown_route_is_a_json_404(client_of: Callable[..., FlaskClient], path: str) -> None:
    answer = client_of().get(path)
    assert answer.status_code == 404
    assert answer.get_json()["error_code"] == "NOT_FOUND"


def test_a_wrong_method_is_a_json_405(client_of: Callable[..., FlaskClient]) -> None:
    answer = client_of().post("/api/v1/me")
    assert answer.status_code == 405
    assert answer.get_json()["error_code"] == "METHOD_NOT_ALLOWED"
    assert answer.headers["Allow"] == "GET"


@pytest.mark.parametrize(("path", "methods"), [("/api/v1/me", "GET"), ("/api/v1/preferences/a", "DELETE, GET, PUT")])
def test_a_path_tells_its_own_methods_only(client_of: Callable[..., FlaskClient], path: str, methods: str) -> None:
    options = client_of(None).options(path)
    assert (options.status_code, options.headers["Allow"]) == (204, methods)
    for method in ("PATCH", "TRACE", "PROPFIND"):
        answer = client_of(None).open(path, method=method)
        assert (answer.status_code, answer.headers["Allow"]) == (405, methods)
        assert answer.headers["X-Request-Id"]
    assert 'method="PROPFIND"' not in client_of(None).get("/metrics").text, "callers do not make up time series"


def test_a_script_that_there_is_not_is_no_failure_of_ours(client_of: Callable[..., FlaskClient]) -> None:
    assert client_of(None).get("/_dash-component-suites/nothing/x.js").status_code == 404


@pytest.mark.parametrize("path", ["/api/v1/preferences", "/_dash-update-component", "/api/v1/no-such-route"])
@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_page_of_another_site_changes_nothing(client_of: Callable[..., FlaskClient], path: str, site: str) -> None:
    client = client_of("analyst@example.com")
    refused = client.post(path, data="{}", content_type="text/plain", headers={"Sec-Fetch-Site": site})
    assert refused.status_code == 403
    assert refused.json is not None
    assert refused.json["error_code"] == "PERMISSION_DENIED"
    assert refused.headers["X-Request-Id"]
    for own in ("same-origin", "none"):
        answer = client.post(path, data="{}", content_type="application/json", headers={"Sec-Fetch-Site": own})
        assert answer.status_code != 403
    assert client.get("/", headers={"Sec-Fetch-Site": site}).status_code == 200  # following a link is fine


def test_nobody_learns_more_than_that_they_must_sign_in(client_of: Callable[..., FlaskClient]) -> None:
    nobody = client_of(None)
    for method, path in (
        ("POST", "/api/v1/preferences"),
        ("GET", "/api/v1/preferences?limit=0"),
        ("PUT", "/api/v1/preferences/a%20b"),
        ("POST", "/api/v1/unity-catalog/tables/a/b/c/query"),
        ("POST", "/api/v1/model-serving/endpoints/x/invocations"),
        ("GET", "/api/v1/unity-catalog/catalogs?nothing=1"),
    ):
        answer = nobody.open(path, method=method, data=b"{", content_type="application/json")
        assert (answer.status_code, answer.get_json()["error_code"]) == (401, "AUTH_REQUIRED"), path
    assert nobody.get("/api/v1/health").status_code == 200
    assert nobody.get("/api/v1/status").status_code == 200
    paths = nobody.get("/openapi.json").get_json()["paths"]
    free = {path for path, methods in paths.items() for one in methods.values() if one.get("security") == []}
    assert free == {"/api/v1/health", "/api/v1/status"}


@pytest.mark.parametrize(
    ("path", "scope"),
    [
        ("/api/v1/unity-catalog/catalogs", "sql"),
        ("/api/v1/unity-catalog/tables/samples/nyctaxi/trips/rows", "sql"),
        ("/api/v1/model-serving/endpoints", "model-serving"),
        ("/api/v1/model-serving/endpoints/trip-fare", "model-serving"),
    ],
)
def test_a_token_without_the_scope_is_told_which_one(
    client_of: Callable[..., FlaskClient], path: str, scope: str
) -> None:
    answer = client_of(ANALYST, scopes=("iam.current-user:read",)).get(path)
    refusal = answer.get_json()
    assert (answer.status_code, refusal["error_code"]) == (403, "PERMISSION_DENIED")
    assert refusal["technical_details"]["required_scope"] == scope
    assert refusal["technical_details"]["workspace"].startswith("http://127.0.0.1:")
    assert "host=" not in answer.text, "the SDK's description of its configuration is not for callers"


def test_what_the_caller_did_wrong_is_a_warning_in_the_log(client_of: Callable[..., FlaskClient]) -> None:
    lines: list[tuple[str, int]] = []
    sink = logger.add(lambda line: lines.append((line.record["level"].name, line.record["extra"]["status"])))
    try:
        for method, path, status in (("POST", "/api/v1/me", 405), ("GET", "/api/v1/nothing", 404)):
            lines.clear()
            assert client_of().open(path, method=method).status_code == status
            assert lines.count(("WARNING", status)) == 1
            assert all(level in ("WARNING", "INFO") for level, _ in lines)
    finally:
        logger.remove(sink)


@pytest.mark.parametrize("given", ["7f3a9c12-5e0b", None, "has blank", "x" * 300])
def test_every_response_carries_the_correlation_id(client_of: Callable[..., FlaskClient], given: str | None) -> None:
    headers = {"X-Request-Id": given} if given else {}
    answer = client_of().get("/api/v1/preferences/none-such", headers=headers)
    returned = answer.headers["X-Request-Id"]
    assert returned == given if given == "7f3a9c12-5e0b" else returned != given
    assert answer.get_json()["technical_details"]["request_id"] == returned


@pytest.mark.parametrize("name", ["%3F", "%2E%2E", "..%2F..%2Fapi", "a%2Fb", "%23", "x" * 300, "%00", "a%20b"])
@pytest.mark.parametrize("end", ["", "/schema"])
def test_names_that_are_no_names_reach_no_url_of_the_workspace(
    client_of: Callable[..., FlaskClient], name: str, end: str
) -> None:
    answer = client_of().get(f"/api/v1/model-serving/endpoints/{name}{end}")
    assert answer.status_code == 404
    assert answer.get_json()["error_code"] in ("ENDPOINT_NOT_FOUND", "NOT_FOUND")


def test_unknown_fields_are_refused(client_of: Callable[..., FlaskClient]) -> None:
    body = {"preference_key": "k", "preference_value": 1, "user_id": "somebody else"}
    answer = client_of().post("/api/v1/preferences", json=body)
    assert answer.status_code == 400
    assert answer.get_json()["error_code"] == "INVALID_REQUEST"
    assert "user_id" in answer.get_json()["technical_details"]["field"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"text"', b"\xff\xfe", b'{"a": NaN}'])
def test_nonsense_bodies_are_a_400(client_of: Callable[..., FlaskClient], body: bytes) -> None:
    answer = client_of().post("/api/v1/preferences", data=body, content_type="application/json")
    assert answer.status_code == 400
    assert answer.get_json()["error_code"] == "INVALID_REQUEST"


def test_without_a_token_nothing_is_answered_in_anybodys_name(client_of: Callable[..., FlaskClient]) -> None:
    client = client_of(None)
    for path, methods in CONTRACT.items():
        if path in ("/api/v1/health", "/api/v1/status"):
            continue
        url = path.replace("{", "").replace("}", "")
        for method in methods:
            answer = client.open(url, method=method, json={} if method in ("post", "put") else None)
            assert answer.status_code in (400, 401), (method, path)
            if answer.status_code == 401:
                body = answer.get_json()
                assert body["error_code"] == "AUTH_REQUIRED"
                assert {"required_scope", "workspace"} <= set(body["technical_details"])


def test_generated_requests_get_answers_that_the_document_promises(
    services: Services, token: Callable[..., str]
) -> None:
    """No server error, declared statuses only, bodies that fit their schemas: for generated input everywhere."""
    schema = schemathesis.openapi.from_wsgi("/openapi.json", app=create_server(services))
    checks = (
        schemathesis.checks.not_a_server_error,
        schemathesis.checks.status_code_conformance,
        schemathesis.checks.response_schema_conformance,
        schemathesis.checks.content_type_conformance,
    )
    headers = {"X-Forwarded-Access-Token": token(ANALYST), "Accept-Encoding": "identity"}
    broken: list[str] = []
    for result in schema.get_all_operations():
        operation = result.ok()
        if operation.path.endswith(("/invocations", "/export")):
            continue  # what these answer is decided by a model or is a file; they have tests of their own

        @settings(max_examples=12, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy())
        def generated(case: schemathesis.Case) -> None:
            case.call_and_validate(headers=headers, checks=checks)

        try:
            generated()
        except Exception as error:  # noqa: BLE001 - every broken operation is reported, not only the first
            broken.append(f"{operation.method.upper()} {operation.path}: {str(error)[:600]}")
    _forget_records(services, token(ANALYST))
    assert not broken, "\n\n".join(broken)


def _forget_records(services: Services, access_token: str) -> None:
    """Remove what the generated requests made, for the tests that share this account."""
    user = services.identity.resolve(access_token)
    for kind in (PREFERENCE, CONFIGURATION, APPLICATION_STATE):
        for one in services.lakebase.list_records(user, kind, limit=1000).items:
            services.lakebase.delete_record(user, kind, one.key)
