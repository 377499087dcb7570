"""What is kept for a person is not told once the platform refuses them: REVOKE, DROP and a GRANT after a refusal."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from flask.testing import FlaskClient

from local_workspace.workspace import Workspace
from tests.support import catalog_lab as lab

BASE = "/api/v1/unity-catalog"
NAME = f"{lab.SCHEMA}.revoked"
TABLE = f"{BASE}/tables/{NAME.replace('.', '/')}"
LISTED = f"{BASE}/catalogs/{lab.SCHEMA.replace('.', '/schemas/')}/tables"
ALL_SCOPES, SQL_ONLY = None, ("sql", "iam.current-user:read")
Client = Callable[..., FlaskClient]


@pytest.fixture(autouse=True)
def table(workspace: Workspace) -> Iterator[None]:
    lab.execute(
        workspace,
        f"CREATE SCHEMA IF NOT EXISTS {lab.SCHEMA}",
        f"GRANT USE SCHEMA ON SCHEMA {lab.SCHEMA} TO `analysts`",
        f"CREATE OR REPLACE TABLE {NAME} (id BIGINT, word STRING)",
        f"INSERT INTO {NAME} VALUES (1, 'one'), (2, 'two')",
        f"GRANT SELECT ON TABLE {NAME} TO `analysts`",
    )
    yield
    lab.execute(workspace, f"DROP TABLE IF EXISTS {NAME}")


def statuses(client: FlaskClient, *paths: str) -> list[int]:
    return [client.get(f"{TABLE}{path}").status_code for path in paths]


def person(client_of: Client, scopes: tuple[str, ...] | None) -> FlaskClient:
    return client_of("analyst@example.com", **({"scopes": scopes} if scopes else {}))


@pytest.mark.parametrize("scopes", [ALL_SCOPES, SQL_ONLY], ids=["all scopes", "sql scope"])
def test_after_a_revoke_the_first_refusal_ends_what_was_kept(
    client_of: Client, workspace: Workspace, scopes: tuple[str, ...] | None
) -> None:
    analyst = person(client_of, scopes)
    assert statuses(analyst, "", "/rows", "/profile") == [200, 200, 200]
    assert analyst.post(f"{TABLE}/count", json={}).status_code == 200
    assert "revoked" in {one["table_name"] for one in analyst.get(LISTED).get_json()["tables"]}
    lab.execute(workspace, f"REVOKE SELECT ON TABLE {NAME} FROM `analysts`")
    assert statuses(analyst, "/rows", "", "/profile") == [403, 403, 403]
    assert analyst.post(f"{TABLE}/count", json={}).status_code == 403
    assert "revoked" not in {one["table_name"] for one in analyst.get(LISTED).get_json()["tables"]}


def test_a_refusal_of_one_session_ends_what_was_kept_for_the_persons_others(
    client_of: Client, workspace: Workspace
) -> None:
    one, other = person(client_of, ALL_SCOPES), person(client_of, SQL_ONLY)
    for client in (one, other):
        assert statuses(client, "", "/profile") == [200, 200]
    lab.execute(workspace, f"REVOKE SELECT ON TABLE {NAME} FROM `analysts`")
    assert statuses(one, "/rows") == [403]
    assert statuses(other, "", "/profile") == [403, 403]


def test_one_persons_refusal_leaves_what_is_kept_for_another(client_of: Client, workspace: Workspace) -> None:
    analyst, manager = client_of("analyst@example.com"), client_of("manager@example.com")
    lab.execute(workspace, f"GRANT SELECT ON TABLE {NAME} TO `manager@example.com`")
    kept = manager.get(TABLE).get_json()["fetched_at"]
    assert statuses(analyst, "", "/rows") == [200, 200]
    lab.execute(workspace, f"REVOKE SELECT ON TABLE {NAME} FROM `analysts`")
    assert statuses(analyst, "/rows", "") == [403, 403]
    assert statuses(manager, "/rows") == [200]
    assert manager.get(TABLE).get_json()["fetched_at"] == kept


def test_a_failed_refresh_ends_what_was_kept(client_of: Client, workspace: Workspace) -> None:
    analyst = client_of("analyst@example.com")
    assert statuses(analyst, "", "/profile") == [200, 200]
    lab.execute(workspace, f"REVOKE SELECT ON TABLE {NAME} FROM `analysts`")
    assert statuses(analyst, "?refresh=true", "", "/profile") == [403, 403, 403]


def test_a_dropped_table_is_missing_at_once_with_the_nearest_names(client_of: Client, workspace: Workspace) -> None:
    analyst = client_of("analyst@example.com")
    near = f"{lab.SCHEMA}.revoked_2"
    lab.execute(workspace, f"CREATE OR REPLACE TABLE {near} (id BIGINT)", f"GRANT SELECT ON TABLE {near} TO `analysts`")
    assert statuses(analyst, "", "/rows", "/profile") == [200, 200, 200]
    lab.execute(workspace, f"DROP TABLE {NAME}")
    missing = analyst.get(f"{TABLE}/rows")
    assert missing.status_code == 404
    assert missing.get_json()["technical_details"]["nearest"][0] == near
    assert statuses(analyst, "", "/profile") == [404, 404]
    lab.execute(workspace, f"DROP TABLE {near}")


@pytest.mark.parametrize("scopes", [ALL_SCOPES, SQL_ONLY], ids=["all scopes", "sql scope"])
def test_a_refusal_is_not_kept_either(client_of: Client, workspace: Workspace, scopes: tuple[str, ...] | None) -> None:
    lab.execute(workspace, f"REVOKE SELECT ON TABLE {NAME} FROM `analysts`")
    analyst = person(client_of, scopes)
    assert statuses(analyst, "", "/rows", "/profile") == [403, 403, 403]
    lab.execute(workspace, f"GRANT SELECT ON TABLE {NAME} TO `analysts`")
    assert statuses(analyst, "", "/rows", "/profile") == [200, 200, 200]
    assert analyst.get(TABLE).get_json()["access_level"] == "SELECT"
