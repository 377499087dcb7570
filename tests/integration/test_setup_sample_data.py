"""The sample data script against a running workspace: idempotent, resumable, honest about what it cannot do."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Callable
from dataclasses import dataclass
from unittest.mock import patch

import pytest
from databricks import sql
from databricks.sdk import WorkspaceClient
from databricks.sdk.core import Config
from databricks.sdk.service.catalog import PermissionsChange, Privilege

from local_workspace.workspace import Workspace
from scripts import setup_sample_data
from services.container import Services
from services.identity import User
from services.lakebase.models import KINDS

MANAGER, NEWCOMER = "manager@example.com", "newcomer@example.com"


@dataclass(frozen=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


def run_script(environment: dict[str, str], *arguments: str) -> Done:
    """The script in this process; that it starts from the command line is what the fixture ``workspace`` stands on."""
    out, err = io.StringIO(), io.StringIO()
    with (
        patch.dict(os.environ, {"COLUMNS": "200", **environment}),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        status = setup_sample_data.main(arguments)
    return Done(status, out.getvalue(), err.getvalue())


def outcomes(done: Done) -> list[str]:
    assert done.returncode == 0, done.stdout + done.stderr
    words = {"created", "changed", "unchanged", "skipped"}
    return [line.split()[0] for line in done.stdout.splitlines() if line.strip() and line.split()[0] in words]


def admin(workspace: Workspace) -> WorkspaceClient:
    environment = workspace.environment()
    return WorkspaceClient(
        config=Config(
            host=environment["DATABRICKS_HOST"],
            client_id=environment["DATABRICKS_CLIENT_ID"],
            client_secret=environment["DATABRICKS_CLIENT_SECRET"],
        )
    )


def query(workspace: Workspace, who: str, statement: str) -> list[tuple[object, ...]]:
    principal = workspace.directory.get(who)
    assert principal is not None
    path = f"/sql/1.0/warehouses/{workspace.warehouses.default_id}"
    with (
        sql.connect(
            server_hostname="127.0.0.1",
            http_path=path,
            access_token=workspace.tokens.issue(principal, ["sql"]).token,
            _connection_uri=f"{workspace.url}{path}",
            enable_telemetry=False,
        ) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
        return [tuple(row) for row in cursor.fetchall()]


def test_a_second_run_changes_nothing(workspace: Workspace) -> None:
    before = {
        table.full_name: table.updated_at
        for schema in ("sales", "restricted")
        for table in admin(workspace).tables.list("lakefront", schema)
    }
    assert len(before) == 3
    done = run_script(workspace.environment())
    assert set(outcomes(done)) == {"unchanged"}
    assert "nothing was changed" in done.stdout
    for name, updated_at in before.items():
        assert admin(workspace).tables.get(name).updated_at == updated_at
    assert query(workspace, MANAGER, "SELECT count(*) FROM lakefront.sales.orders") == [(100,)]


def test_an_interrupted_run_is_taken_up(workspace: Workspace) -> None:
    client = admin(workspace)
    environment = workspace.environment()
    assert set(outcomes(run_script(environment, "--catalog", "Second_Try"))) == {"created"}
    try:
        client.tables.delete("second_try.sales.orders")
        client.tables.delete("second_try.restricted.salaries")
        again = outcomes(run_script(environment, "--catalog", "second_try"))
        assert sorted(set(again)) == ["created", "unchanged"]
        assert again.count("created") == 2
        rows = query(workspace, MANAGER, "SELECT count(*), count(DISTINCT region) FROM second_try.sales.orders")
        assert rows == [(100, 3)]
    finally:
        client.catalogs.delete("second_try", force=True)


def test_an_unknown_group_is_skipped_and_a_renamed_one_changes_the_functions(workspace: Workspace) -> None:
    client = admin(workspace)
    environment = workspace.environment()
    outcomes(run_script(environment, "--catalog", "third_try"))
    try:
        done = run_script(environment, "--catalog", "third_try", "--managers-group", "it's not there")
        assert outcomes(done).count("skipped") == 3
        assert outcomes(done).count("changed") == 2
        assert "grants were skipped" in done.stdout
        # Nobody is in that group: the manager sees one region now.
        rows = query(workspace, MANAGER, "SELECT DISTINCT region FROM third_try.sales.orders")
        assert rows == [("EMEA",)]
    finally:
        client.catalogs.delete("third_try", force=True)


def test_without_the_right_to_make_a_catalog_it_says_what_to_ask_for(workspace: Workspace) -> None:
    principal, secret = workspace.directory.create_service_principal("nobody-in-particular")
    environment = {
        **workspace.environment(),
        "DATABRICKS_CLIENT_ID": principal.name,
        "DATABRICKS_CLIENT_SECRET": secret,
    }
    try:
        done = run_script(environment, "--catalog", "forbidden")
        assert done.returncode == 1
        assert "Ask for CREATE CATALOG on the metastore" in " ".join(done.stderr.split())
        assert "Traceback" not in done.stderr
        assert secret not in done.stdout + done.stderr
        done = run_script(environment, "--catalog", "lakefront")
        assert done.returncode == 1
        assert "may not be used" in done.stderr
    finally:
        workspace.directory.delete(principal.name)


def test_records_are_made_once_for_one_person_as_the_app(
    workspace: Workspace, services: Services, app_environment: dict[str, str], user: Callable[..., User]
) -> None:
    person = user(NEWCOMER)
    services.lakebase.check()
    first = outcomes(run_script(app_environment, "--records-for", person.user_id))
    assert first == ["created"] * 5
    assert outcomes(run_script(app_environment, "--records-for", person.user_id)) == ["unchanged"] * 5
    held = [services.lakebase.list_records(person, kind) for kind in KINDS]
    assert sum(page.total for page in held) == 5
    assert all(page.total == 0 for page in (services.lakebase.list_records(user(MANAGER), kind) for kind in KINDS))
    for page, kind in zip(held, KINDS, strict=True):
        for record in page.items:
            services.lakebase.delete_record(person, kind, record.key)


def test_records_need_the_apps_own_identity(
    workspace: Workspace, services: Services, app_environment: dict[str, str]
) -> None:
    services.lakebase.check()
    deployer = {key: value for key, value in app_environment.items() if key != "PGUSER"} | workspace.environment()
    done = run_script(deployer, "--records-for", "1")
    assert done.returncode == 1
    assert "service principal" in done.stderr, done.stderr
    assert "Traceback" not in done.stderr


def test_the_rest_api_shows_what_sql_made(workspace: Workspace) -> None:
    client = admin(workspace)
    orders = client.tables.get("lakefront.sales.orders")
    assert orders.row_filter.function_name == "lakefront.sales.only_own_region"
    assert orders.row_filter.input_column_names == ["region"]
    assert orders.table_constraints[0].primary_key_constraint.child_columns == ["order_id"]
    types = {column.name: column.type_text for column in orders.columns}
    assert (types["amount"], types["items"], types["ordered_at"]) == ("decimal(10,2)", "array<string>", "timestamp")
    assert all(column.comment for column in orders.columns)
    customers = client.tables.get("lakefront.sales.customers")
    masks = {column.name: column.mask.function_name for column in customers.columns if column.mask}
    assert masks == {"email": "lakefront.sales.mask_email"}
    assert {function.name for function in client.functions.list("lakefront", "sales")} == {
        "mask_email",
        "only_own_region",
    }


def test_a_grant_over_rest_opens_the_table_to_sql_and_a_revoke_closes_it_at_once(workspace: Workspace) -> None:
    client = admin(workspace)
    statement = "SELECT count(*) FROM lakefront.restricted.salaries"
    steps = (
        ("catalog", "lakefront", Privilege.USE_CATALOG, "USE SCHEMA on Schema 'lakefront.restricted'"),
        ("schema", "lakefront.restricted", Privilege.USE_SCHEMA, "SELECT on Table 'lakefront.restricted.salaries'"),
        ("table", "lakefront.restricted.salaries", Privilege.SELECT, None),
    )
    try:
        for kind, name, privilege, still_missing in steps:
            client.grants.update(kind, name, changes=[PermissionsChange(principal=NEWCOMER, add=[privilege])])
            if still_missing is None:
                assert query(workspace, NEWCOMER, statement) == [(6,)]
            else:
                with pytest.raises(sql.exc.Error, match=still_missing):
                    query(workspace, NEWCOMER, statement)
    finally:
        for kind, name, privilege, _ in reversed(steps):
            client.grants.update(kind, name, changes=[PermissionsChange(principal=NEWCOMER, remove=[privilege])])
    with pytest.raises(sql.exc.Error, match="USE CATALOG on Catalog 'lakefront'"):
        query(workspace, NEWCOMER, statement)
