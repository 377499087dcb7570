"""Records in a real Postgres, through the gateway and the SDK: everybody works, nobody sees anybody else's."""

from __future__ import annotations

import json
import os
import random
import socket
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db import audit_log, migrate, safety
from db.database import Database
from db.errors import DatabaseUnavailable, MigrationError, UnsafeDatabase
from db.pool import Pool
from services.errors import AlreadyExists, InvalidRequest, NotFound
from services.errors import DatabaseUnavailable as Unavailable
from services.lakebase import APPLICATION_STATE, CONFIGURATION, PREFERENCE, LakebaseService, RecordKind
from services.lakebase.login import Login
from services.workspace_client import ClientFactory
from tests.support.lakebase_stack import LakebaseStack, person

KINDS = (PREFERENCE, CONFIGURATION, APPLICATION_STATE)
ADA, BEN = person("ada"), person("ben")
ENDPOINT = "projects/lakefront-local/branches/production/endpoints/primary"


@pytest.fixture(scope="module", params=[16, 18])
def stack(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LakebaseStack]:
    with LakebaseStack(tmp_path_factory.mktemp("records"), version=request.param) as running:
        yield running


@pytest.fixture(scope="module")
def service(stack: LakebaseStack) -> Iterator[LakebaseService]:
    running = stack.service()
    yield running
    running.close()


@pytest.fixture
def database(stack: LakebaseStack, service: LakebaseService) -> Iterator[Database]:
    """The data layer alone, with its own pool."""
    configured = stack.settings()
    pool = Pool(Login(configured, ClientFactory(configured)), configured.lakebase_schema)
    pool.open()
    yield Database(pool, configured.lakebase_schema)
    pool.close()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_create_read_replace_delete_and_the_trail(service: LakebaseService, kind: RecordKind) -> None:
    user = person(f"crud-{kind.name}")
    made = service.create_record(user, kind, "a.b", '{"x": 1.0}')
    assert (made.key, made.value, made.created_at) == ("a.b", '{"x":1.0}', made.updated_at)
    with pytest.raises(AlreadyExists):
        service.create_record(user, kind, "a.b", "2")
    changed = service.replace_record(user, kind, "a.b", "[1e2]")
    assert (changed.value, changed.created_at) == ("[1e2]", made.created_at)
    assert changed.updated_at > made.updated_at
    assert service.get_record(user, kind, "a.b") == changed
    assert service.save_record(user, kind, "new", "true").value == "true"
    assert service.save_record(user, kind, "new", "false").value == "false"
    assert [one.key for one in service.list_records(user, kind).items] == ["a.b", "new"]
    assert service.delete_record(user, kind, "a.b") == changed
    for missing in (
        lambda: service.get_record(user, kind, "a.b"),
        lambda: service.delete_record(user, kind, "a.b"),
        lambda: service.replace_record(user, kind, "a.b", "1"),
    ):
        with pytest.raises(NotFound):
            missing()
    trail = service.list_audit_log(user).items
    assert [(one.action, one.record_key, one.value_before, one.value_after) for one in trail] == [
        ("DELETE", "a.b", "[1e2]", None),
        ("UPDATE", "new", "true", "false"),
        ("CREATE", "new", None, "true"),
        ("UPDATE", "a.b", '{"x":1.0}', "[1e2]"),
        ("CREATE", "a.b", None, '{"x":1.0}'),
    ]
    assert {one.record_type for one in trail} == {kind.name}


def test_paging_and_search(service: LakebaseService) -> None:
    user = person("pager")
    for number in range(25):
        service.create_record(user, PREFERENCE, f"Key_{number:02}", str(number))
    page = service.list_records(user, PREFERENCE, limit=10, offset=20)
    assert (len(page.items), page.total, page.next_offset) == (5, 25, None)
    assert service.list_records(user, PREFERENCE, limit=10).next_offset == 10
    found = service.list_records(user, PREFERENCE, search="key_1")
    assert [one.key for one in found.items] == [f"Key_{number}" for number in range(10, 20)]
    # No pattern language: what means something to LIKE or to SQL is only text.
    for harmless in ("%", "'", "KEY%", "\\"):
        assert service.list_records(user, PREFERENCE, search=harmless).total == 0
    assert service.list_records(user, PREFERENCE, limit=1000, offset=1000).total == 25


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"])),
        lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text("a'\";😀", max_size=5), inner, max_size=5),
        max_leaves=15,
    )
)  # fmt: skip
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_json_comes_back_as_it_went_in(service: LakebaseService, value: object) -> None:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    assert service.save_record(person("json"), PREFERENCE, "any", text).value == text
    assert service.get_record(person("json"), PREFERENCE, "any").value == text


@pytest.mark.parametrize(
    "key", ["", "a b", "a/b", "ä", "x" * 101, ".", "..", "a'; DROP TABLE user_preferences;--", "a\x00"]
)
def test_a_bad_key_is_refused(service: LakebaseService, key: str) -> None:
    with pytest.raises(InvalidRequest):
        service.create_record(ADA, PREFERENCE, key, "1")


def test_both_flavours_of_lakebase_hold_the_same_records(service: LakebaseService, stack: LakebaseStack) -> None:
    service.save_record(ADA, PREFERENCE, "flavour", '"provisioned"')
    autoscaling = stack.service(LAKEBASE_INSTANCE_NAME="", LAKEBASE_ENDPOINT=ENDPOINT, PGHOST="")
    try:
        assert autoscaling.get_record(ADA, PREFERENCE, "flavour").value == '"provisioned"'
        assert autoscaling.check().startswith(ENDPOINT)
    finally:
        autoscaling.close()


def test_nothing_leaks_when_a_where_is_forgotten(database: Database, service: LakebaseService) -> None:
    for user in (ADA, BEN):
        service.save_record(user, PREFERENCE, "secret", json.dumps(user.user_id))
    for mine in (ADA, BEN):
        with database.user_transaction(mine.user_id) as connection:
            for table in safety.USER_TABLES:
                owners = {row[0] for row in connection.execute(f"SELECT user_id FROM {table}")}
                assert owners <= {mine.user_id}
            changed = connection.execute("UPDATE user_preferences SET preference_value = '0'")
            assert changed.rowcount == service.list_records(mine, PREFERENCE).total
            connection.execute("DELETE FROM user_preferences")
            raise_back = connection.execute("SELECT count(*) FROM user_preferences").fetchone()
            assert raise_back == (0,)
            connection.execute("INSERT INTO user_preferences VALUES (%s, 'secret', '1')", (mine.user_id,))
    for user in (ADA, BEN):
        assert service.get_record(user, PREFERENCE, "secret").value == "1"


def test_writing_for_somebody_else_is_an_error(database: Database) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege), database.user_transaction("ada") as connection:
        connection.execute("INSERT INTO user_preferences VALUES ('ben', 'k', '1')")


def test_the_trail_cannot_be_changed_not_even_by_its_owner(database: Database, service: LakebaseService) -> None:
    service.save_record(ADA, PREFERENCE, "trail", "1")
    for statement in (
        "UPDATE audit_log SET action = 'DELETE'",
        "DELETE FROM audit_log",
        "TRUNCATE audit_log",
        "UPDATE model_inference_logs SET status = 'ERROR'",
        "DELETE FROM model_inference_logs",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), database.user_transaction("ada") as connection:
            connection.execute(statement)


def test_the_setting_does_not_stay_on_a_pooled_connection(database: Database) -> None:
    with database.user_transaction("ada") as connection:
        connection.execute("SELECT 1")
    with database._pool.connection() as connection:
        assert connection.execute("SELECT current_app_user()").fetchone() == (None,)
        assert connection.execute("SELECT count(*) FROM user_preferences").fetchone() == (0,)


@pytest.mark.parametrize("name", ["o'brien", "back\\slash", "'; DROP TABLE user_preferences; --", "ünïcode ☃", "%s"])
def test_any_name_of_a_user_is_a_value(database: Database, name: str) -> None:
    with database.user_transaction(name) as connection:
        assert connection.execute("SELECT current_app_user()").fetchone() == (name,)
    with database.user_transaction(name) as connection:
        assert connection.execute("SELECT count(*) FROM user_preferences").fetchone() == (0,)


def test_a_connection_that_died_in_the_pool_is_noticed_before_anything_is_done_on_it(database: Database) -> None:
    with database.user_transaction("ada") as connection:
        dead = connection.info.backend_pid
        descriptor = connection.fileno()
    with socket.socket(fileno=os.dup(descriptor)) as line:
        line.shutdown(socket.SHUT_RDWR)
    for _ in range(4):
        with database.user_transaction("ada") as connection:
            assert connection.info.backend_pid != dead
            assert connection.execute("SELECT current_app_user()").fetchone() == ("ada",)


def test_a_transaction_begins_and_names_its_user_in_one_round_trip(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[bytes] = []
    execute = psycopg.ClientCursor.execute

    def noting(cursor: psycopg.ClientCursor[Any], query: Any, *values: Any, **options: Any) -> Any:
        found = execute(cursor, query, *values, **options)
        sent.append(cursor._query.query if cursor._query else b"")
        return found

    monkeypatch.setattr(psycopg.ClientCursor, "execute", noting)
    with database.user_transaction("ada") as connection:
        assert connection.info.transaction_status == psycopg.pq.TransactionStatus.INTRANS
    assert sent == [b"BEGIN; SELECT set_config('lakefront.user_id', 'ada', true)"]


def test_a_failed_change_leaves_no_trail(database: Database) -> None:
    user = "rolled-back"

    def fail_after_the_change() -> None:
        with database.user_transaction(user) as connection:
            PREFERENCE.repository.create(connection, user, "k", "1", "r")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_after_the_change()
    with database.user_transaction(user) as connection:
        assert audit_log.list_entries(connection, user, limit=10, offset=0) == ([], 0)


@pytest.mark.slow
def test_users_hammer_the_same_keys_and_nothing_leaks(service: LakebaseService, stack: LakebaseStack) -> None:
    """At least 10,000 attempts across users: reads, lists and writes of the same keys, all at once."""
    rounds = 1300 if stack.lakebase.postgres.version == 16 else 200
    users = [person(f"hammer-{number}") for number in range(4)]
    attempts, leaks, lock = [0], list[str](), threading.Lock()

    def hammer(seed: int) -> None:
        chance = random.Random(seed)
        for _ in range(rounds):
            user, key = chance.choice(users), f"k{chance.randrange(5)}"
            action = chance.randrange(4)
            seen: list[str] = []
            try:
                if action == 0:
                    seen = [service.save_record(user, PREFERENCE, key, json.dumps(user.user_id)).value]
                elif action == 1:
                    seen = [service.get_record(user, PREFERENCE, key).value]
                elif action == 2:
                    seen = [one.value for one in service.list_records(user, PREFERENCE).items]
                else:
                    seen = [service.delete_record(user, PREFERENCE, key).value]
            except NotFound:
                pass
            with lock:
                attempts[0] += 1
                leaks.extend(value for value in seen if value != json.dumps(user.user_id))

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(hammer, range(8)))
    sys.stdout.write(f"\n{attempts[0]} cross-user attempts, {len(leaks)} leaks\n")
    assert attempts[0] == 8 * rounds
    assert leaks == []
    for user in users:  # the trail tells the same story as the table, change by change
        trail = service.list_audit_log(user, limit=1000).items
        last = {entry.record_key: entry.value_after for entry in reversed(trail)}
        now = {one.key: one.value for one in service.list_records(user, PREFERENCE).items}
        assert {key: value for key, value in last.items() if value is not None} == now


def test_inference_logs_are_the_users_own(service: LakebaseService) -> None:
    user = person("scorer")
    for status in ("SUCCESS", "ERROR", "TIMEOUT"):
        service.record_inference(
            user, request_id="r", endpoint_name="trip-fare", status=status, execution_time_ms=1.5, inputs='{"a":1.0}'
        )
    page = service.list_inference_logs(user)
    assert [one.status for one in page.items] == ["TIMEOUT", "ERROR", "SUCCESS"]
    assert service.list_inference_logs(user, status="ERROR").total == 1
    assert service.get_inference_log(user, page.items[0].inference_id) == page.items[0]
    with pytest.raises(NotFound):
        service.get_inference_log(BEN, page.items[0].inference_id)


def test_the_creator_of_the_database_is_refused(stack: LakebaseStack, service: LakebaseService) -> None:
    deployer = stack.directory.service_principal("deployer")
    assert deployer is not None
    secret = stack.directory.add_secret(deployer.name)
    identity = {"DATABRICKS_CLIENT_ID": deployer.name, "DATABRICKS_CLIENT_SECRET": secret, "PGUSER": deployer.name}
    powerful = stack.service(**identity)
    try:
        with pytest.raises(Unavailable) as caught:
            powerful.list_records(ADA, PREFERENCE)
        assert caught.value.technical_details["error_type"] == "42501"
        assert "bypass row security" in caught.value.technical_details["reason"]
    finally:
        powerful.close()


def test_a_table_that_does_not_force_row_security_is_refused(stack: LakebaseStack, service: LakebaseService) -> None:
    service.check()
    with stack.lakebase.postgres.connect("databricks_postgres") as connection:
        connection.execute("ALTER TABLE lakefront.application_state NO FORCE ROW LEVEL SECURITY")
        try:
            refused = stack.service()
            with pytest.raises(Unavailable, match="unavailable") as caught:
                refused.list_records(ADA, PREFERENCE)
            assert "application_state" in caught.value.technical_details["reason"]
            refused.close()
        finally:
            connection.execute("ALTER TABLE lakefront.application_state FORCE ROW LEVEL SECURITY")


def test_migrations_run_once_and_refuse_what_does_not_fit(
    stack: LakebaseStack, tmp_path_factory: pytest.TempPathFactory
) -> None:
    configured = stack.settings()
    pool = Pool(Login(configured, ClientFactory(configured)), "other")
    with ThreadPoolExecutor(4) as threads:

        def run(_: int) -> list[str]:
            with pool.direct() as connection:
                return migrate.migrate(connection, "other")

        applied = list(threads.map(run, range(4)))
    assert sorted(map(len, applied)) == [0, 0, 0, len(list(migrate.FOLDER.glob("*.sql")))]
    folder = tmp_path_factory.mktemp("migrations")
    original = next(iter(migrate.FOLDER.glob("0001_*.sql")))
    (folder / original.name).write_text(original.read_text() + "\n-- edited", "utf-8")
    with pool.direct() as connection, pytest.raises(MigrationError, match="changed after"):
        migrate.migrate(connection, "other", folder)
    (folder / original.name).write_text(original.read_text(), "utf-8")
    (folder / "0002_broken.sql").write_text("CREATE TABLE half (a int); SELECT 1/0;", "utf-8")
    with pool.direct() as connection, pytest.raises(psycopg.errors.DivisionByZero):
        migrate.migrate(connection, "other", folder)
    with pool.direct() as connection:
        assert connection.execute("SELECT to_regclass('other.half')").fetchone() == (None,)
        connection.execute("INSERT INTO other.schema_migration VALUES ('9999', 'x', 'y')")
        with pytest.raises(MigrationError, match="newer"):
            migrate.migrate(connection, "other")


def test_without_the_right_to_migrate_the_app_says_what_is_missing(stack: LakebaseStack) -> None:
    waiting = stack.service(LAKEBASE_MIGRATE="false", LAKEBASE_SCHEMA="absent")
    try:
        with pytest.raises(Unavailable) as caught:
            waiting.check()
        assert "scripts.migrate" in caught.value.technical_details["reason"]
    finally:
        waiting.close()


def test_the_app_heals_when_its_grant_arrives(stack: LakebaseStack) -> None:
    principal, secret = stack.directory.create_service_principal("late")
    late = stack.service(
        DATABRICKS_CLIENT_ID=principal.name,
        DATABRICKS_CLIENT_SECRET=secret,
        PGUSER=principal.name,
        LAKEBASE_SCHEMA="late",
    )
    try:
        with pytest.raises(Unavailable) as caught:
            late.check()
        assert caught.value.technical_details["error_type"] == "28000"
        stack.lakebase.attach(stack.lakebase.default_instance, principal)
        for _ in range(50):
            try:
                assert "answers" in late.check()
                break
            except Unavailable:
                threading.Event().wait(0.1)
        else:
            pytest.fail("did not heal within 5 seconds")
    finally:
        late.close()


def test_errors_of_the_data_layer_are_its_own(stack: LakebaseStack) -> None:
    pool = Pool(dict, "lakefront")
    with pytest.raises(DatabaseUnavailable), pool.connection():
        pass
    assert issubclass(UnsafeDatabase, Exception)
    with pytest.raises(ValueError, match="user id"), Database(pool, "lakefront").user_transaction(" "):
        pass
