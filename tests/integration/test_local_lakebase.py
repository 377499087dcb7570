"""The local workspace's Lakebase, driven by official clients only: databricks-sdk and psycopg."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import psycopg
import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import BadRequest, DatabricksError, NotFound, ResourceAlreadyExists
from databricks.sdk.service.database import DatabaseInstance
from databricks.sdk.service.postgres import Branch, BranchSpec, FieldMask, Project, ProjectSpec

from local_workspace.identity.directory import APP
from local_workspace.lakebase.postgres import Postgres
from tests.support.lakebase_stack import LakebaseStack

INSTANCE = "lakefront-local"
ENDPOINT = f"projects/{INSTANCE}/branches/production/endpoints/primary"


@pytest.fixture(scope="module", params=[16, 18])
def stack(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LakebaseStack]:
    with LakebaseStack(tmp_path_factory.mktemp("lakebase"), version=request.param) as running:
        yield running


@pytest.fixture(scope="module")
def app(stack: LakebaseStack) -> WorkspaceClient:
    return stack.client(APP)


@pytest.fixture(scope="module")
def deployer(stack: LakebaseStack) -> WorkspaceClient:
    return stack.client()


def mint(client: WorkspaceClient, instance: str = INSTANCE) -> str:
    token = client.database.generate_database_credential(request_id="r", instance_names=[instance]).token
    assert token
    return token


def test_the_instance_is_there_under_both_apis(deployer: WorkspaceClient, stack: LakebaseStack) -> None:
    instance = deployer.database.get_database_instance(INSTANCE)
    assert (instance.name, instance.read_write_dns, str(instance.state)) == (
        INSTANCE,
        "127.0.0.1",
        "DatabaseInstanceState.AVAILABLE",
    )
    assert instance.effective_enable_pg_native_login is False
    assert [one.name for one in deployer.database.list_database_instances()] == [INSTANCE]
    assert deployer.database.find_database_instance_by_uid(uid=instance.uid).name == INSTANCE
    status = deployer.postgres.get_endpoint(ENDPOINT).status
    assert status is not None
    assert status.hosts is not None
    assert status.hosts.host == "127.0.0.1"


def test_a_token_is_a_password_under_both_apis(app: WorkspaceClient, stack: LakebaseStack) -> None:
    autoscaling = app.postgres.generate_database_credential(endpoint=ENDPOINT)
    assert autoscaling.expire_time is not None
    for token in (mint(app), mint(app), autoscaling.token):
        with psycopg.connect(**stack.login(token)) as connection:
            row = connection.execute("SELECT current_user, current_database(), current_setting('is_superuser')")
            assert row.fetchone() == (stack.environment["PGUSER"], "databricks_postgres", "off")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"password": "garbage"}, "password authentication failed"),
        ({"user": "analyst@example.com"}, "another identity"),
        ({"dbname": "nowhere"}, "does not exist"),
        ({"sslmode": "disable"}, "requires TLS"),
    ],
)
def test_what_does_not_fit_is_refused(
    app: WorkspaceClient, stack: LakebaseStack, changes: dict[str, str], words: str
) -> None:
    with pytest.raises(psycopg.OperationalError, match=words):
        psycopg.connect(**stack.login(mint(app), **changes))


def test_other_tokens_are_no_passwords(app: WorkspaceClient, stack: LakebaseStack) -> None:
    bearer = app.config.authenticate()["Authorization"].removeprefix("Bearer ")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(**stack.login(bearer))
    principal = stack.directory.service_principal(APP)
    assert principal is not None
    expired = stack.tokens.issue(principal, ["postgres"], audience=f"lakebase:{INSTANCE}", seconds=-1).token
    with pytest.raises(psycopg.OperationalError, match="expired"):
        psycopg.connect(**stack.login(expired))


def test_the_certificate_can_be_verified(app: WorkspaceClient, stack: LakebaseStack) -> None:
    verified = stack.login(mint(app), host="localhost", sslmode="verify-full", sslrootcert=str(stack.tls.ca_file))
    with psycopg.connect(**verified) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_an_attached_app_may_create_its_schema_and_nothing_else(app: WorkspaceClient, stack: LakebaseStack) -> None:
    with psycopg.connect(**stack.login(mint(app)), autocommit=True) as connection:
        connection.execute("CREATE SCHEMA mine")
        connection.execute("CREATE TABLE mine.t (a int)")
        for statement in (
            "CREATE TABLE public.t (a int)",
            "CREATE ROLE other",
            "ALTER ROLE CURRENT_USER BYPASSRLS",
            "SELECT * FROM pg_authid",
            "COPY mine.t TO PROGRAM 'true'",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)


def test_a_person_without_a_role_cannot_log_in(stack: LakebaseStack) -> None:
    analyst = stack.directory.get("analyst@example.com")
    assert analyst is not None
    token = stack.tokens.issue(analyst, ["postgres"], audience=f"lakebase:{INSTANCE}").token
    with pytest.raises(psycopg.OperationalError, match=r"role .* does not exist"):
        psycopg.connect(**stack.login(token, user=analyst.name))


def test_a_query_can_be_cancelled_through_the_gateway(app: WorkspaceClient, stack: LakebaseStack) -> None:
    with psycopg.connect(**stack.login(mint(app))) as connection:
        threading.Timer(0.3, connection.cancel_safe).start()
        started = time.monotonic()
        with pytest.raises(psycopg.errors.QueryCanceled):
            connection.execute("SELECT pg_sleep(20)")
        assert time.monotonic() - started < 5


def test_large_results_pass(app: WorkspaceClient, stack: LakebaseStack) -> None:
    with psycopg.connect(**stack.login(mint(app))) as connection:
        row = connection.execute("SELECT repeat('x', 20000000)").fetchone()
        assert row is not None
        assert len(row[0]) == 20_000_000


def test_instances_live_and_die(deployer: WorkspaceClient, stack: LakebaseStack) -> None:
    deployer.database.create_database_instance(DatabaseInstance(name="second", capacity="CU_1")).result()
    with pytest.raises(ResourceAlreadyExists):
        deployer.database.create_database_instance(DatabaseInstance(name="second", capacity="CU_1"))
    user = str(deployer.config.client_id)
    login = stack.login(mint(deployer, "second"), user=user)
    with psycopg.connect(**login, autocommit=True) as connection:
        connection.execute("CREATE TABLE public.only_here (a int)")
    with psycopg.connect(**stack.login(mint(deployer), user=user)) as connection:
        assert connection.execute("SELECT to_regclass('public.only_here')").fetchone() == (None,)
    stopped = deployer.database.update_database_instance("second", DatabaseInstance(name="second", stopped=True), "*")
    assert stopped.effective_stopped is True
    with pytest.raises(psycopg.OperationalError, match="stopped"):
        psycopg.connect(**login)
    with pytest.raises(BadRequest, match="purge=true"):
        deployer.database.delete_database_instance("second")
    deployer.database.delete_database_instance("second", purge=True)
    with pytest.raises(NotFound):
        deployer.database.get_database_instance("second")


def test_projects_and_branches_live_and_die(deployer: WorkspaceClient, stack: LakebaseStack) -> None:
    api = deployer.postgres
    made = api.create_project(Project(spec=ProjectSpec(display_name="Shop")), "shop").wait()
    assert made.status is not None
    assert (made.name, made.status.display_name, made.status.owner) == (
        "projects/shop",
        "Shop",
        deployer.config.client_id,
    )
    main = "projects/shop/branches/production"
    token = api.generate_database_credential(endpoint=f"{main}/endpoints/primary").token
    assert token
    with psycopg.connect(**stack.login(token, user=deployer.config.client_id), autocommit=True) as connection:
        connection.execute("CREATE TABLE public.goods AS SELECT 7 AS a")
    api.create_branch("projects/shop", Branch(spec=BranchSpec(source_branch=main, no_expiry=True)), "dev").wait()
    token = api.generate_database_credential(endpoint="projects/shop/branches/dev/endpoints/primary").token
    assert token
    with psycopg.connect(**stack.login(token, user=deployer.config.client_id)) as connection:
        assert connection.execute("SELECT a FROM public.goods").fetchone() == (7,)
    assert {one.name for one in api.list_branches("projects/shop")} == {main, "projects/shop/branches/dev"}
    assert [one.name for one in api.list_databases(main)] == [f"{main}/databases/databricks-postgres"]
    changed = api.update_project(
        "projects/shop",
        Project(name="projects/shop", spec=ProjectSpec(display_name="Store")),
        FieldMask(["spec.display_name"]),
    ).wait()
    assert changed.status is not None
    assert changed.status.display_name == "Store"
    api.delete_project("projects/shop")
    with pytest.raises(NotFound):
        api.get_project("projects/shop")


def test_only_owner_and_admins_change_an_instance(app: WorkspaceClient) -> None:
    with pytest.raises(DatabricksError, match="CAN MANAGE"):
        app.database.update_database_instance(INSTANCE, DatabaseInstance(name=INSTANCE, stopped=True), "*")


def test_data_survives_a_kill_of_the_server(tmp_path_factory: pytest.TempPathFactory) -> None:
    state = tmp_path_factory.mktemp("killed")
    first = Postgres(state)
    first.start()
    with first.connect() as connection:
        connection.execute("CREATE TABLE t AS SELECT generate_series(1, 1000) a")
    assert first.process is not None
    # As after a kill of the whole workspace: the server still runs, nobody holds it.
    second = Postgres(state)
    second.start()
    with second.connect() as connection:
        assert connection.execute("SELECT count(*) FROM t").fetchone() == (1000,)
    second.kill()
    second.start()
    with second.connect() as connection:
        assert connection.execute("SELECT count(*) FROM t").fetchone() == (1000,)
    second.stop()
    first.stop()


def test_a_server_that_was_killed_from_outside_comes_back_with_its_data(
    app: WorkspaceClient, stack: LakebaseStack
) -> None:
    with psycopg.connect(**stack.login(mint(app))) as connection:
        connection.execute("CREATE SCHEMA kept")
        connection.execute("CREATE TABLE kept.note AS SELECT 'still here' AS words")
    process = stack.lakebase.postgres.process
    assert process is not None
    process.kill()
    end = time.monotonic() + 15
    while True:
        try:
            with psycopg.connect(**stack.login(mint(app))) as connection:
                assert connection.execute("SELECT words FROM kept.note").fetchone() == ("still here",)
                connection.execute("DROP SCHEMA kept CASCADE")
            break
        except psycopg.OperationalError:
            assert time.monotonic() < end, "the server did not come back"
            time.sleep(0.2)
    assert stack.lakebase.postgres.process is not process


def test_a_server_that_was_ended_on_purpose_stays_ended(stack: LakebaseStack) -> None:
    stack.lakebase.postgres.kill()
    time.sleep(1.5)
    assert stack.lakebase.postgres.process is None
    stack.lakebase.postgres.start()
