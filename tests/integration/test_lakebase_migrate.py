"""``python -m scripts.migrate`` against the local Lakebase."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from scripts.migrate import main
from services.lakebase import PREFERENCE
from tests.support.lakebase_stack import LakebaseStack, person


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LakebaseStack]:
    with LakebaseStack(tmp_path_factory.mktemp("migrate")) as running:
        yield running


def set_environment(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)


def test_check_migrate_check(
    stack: LakebaseStack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    set_environment(monkeypatch, stack.environment)
    assert main(["--check"]) == 1
    assert main([]) == 0
    assert "applied 0001_user_records.sql" in capsys.readouterr().out
    assert main([]) == 0
    assert "applied" not in capsys.readouterr().out
    assert main(["--check"]) == 0


def test_an_app_that_does_not_own_its_tables_works_and_cannot_weaken_them(
    stack: LakebaseStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, secret = stack.directory.create_service_principal("schema-owner")
    stack.lakebase.attach(stack.lakebase.default_instance, owner)
    identity = {"DATABRICKS_CLIENT_ID": owner.name, "DATABRICKS_CLIENT_SECRET": secret, "PGUSER": owner.name}
    set_environment(monkeypatch, {**stack.environment, **identity, "LAKEBASE_SCHEMA": "owned"})
    assert main(["--grant-to", stack.environment["PGUSER"]]) == 0
    service = stack.service(LAKEBASE_SCHEMA="owned")
    try:
        user = person("ada")
        service.create_record(user, PREFERENCE, "k", "1")
        service.save_record(user, PREFERENCE, "k", "2")
        service.delete_record(user, PREFERENCE, "k")
        assert service.list_audit_log(user).total == 3
        for statement in (
            "ALTER TABLE user_preferences NO FORCE ROW LEVEL SECURITY",
            "TRUNCATE user_preferences",
            "DROP TABLE audit_log",
            "DELETE FROM audit_log",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege), service._database.user_transaction("ada") as one:
                one.execute(statement)
    finally:
        service.close()


def test_what_is_wrong_is_said(
    stack: LakebaseStack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    set_environment(monkeypatch, {**stack.environment, "LAKEBASE_DATABASE": "nowhere", "PGDATABASE": "nowhere"})
    assert main([]) == 1
    assert "3D000" in capsys.readouterr().err
    set_environment(monkeypatch, {"LAKEBASE_INSTANCE_NAME": "instance-0d5f"})
    assert main([]) == 1
    assert "technical name" in capsys.readouterr().err
