"""``app.yaml`` and the environment that an app gets."""

from __future__ import annotations

from pathlib import Path

import pytest

from local_workspace.apps import app_spec, environment
from local_workspace.apps.app_spec import AppError, AppSpec, Variable

IDENTITY = environment.Identity("shop", "client", "hush", "http://127.0.0.1:1", "42")


def _spec(tmp_path: Path, text: str) -> AppSpec:
    (tmp_path / "app.yaml").write_text(text)
    return app_spec.read(tmp_path)


def test_command_and_variables(tmp_path: Path) -> None:
    spec = _spec(tmp_path, 'command: ["python", "-m", "x"]\nenv:\n- {name: A, value: "1"}\n- {name: B, valueFrom: w}\n')
    assert spec == AppSpec(("python", "-m", "x"), (Variable("A", value="1"), Variable("B", value_from="w")))


def test_without_a_file_the_first_python_file_is_started(tmp_path: Path) -> None:
    (tmp_path / "zoo.py").touch()
    (tmp_path / "main.py").touch()
    assert app_spec.read(tmp_path).command == ("python", "main.py")


def test_other_keys_are_ignored_as_on_the_platform(tmp_path: Path) -> None:
    spec = _spec(tmp_path, "command: [python, a.py]\nuser_authorization: {scopes: [sql]}\n")
    assert spec.command == ("python", "a.py")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("command: [python", "app.yaml is not valid YAML: line 1, column 17"),
        ("command: [a\n  b: c: d", "app.yaml is not valid YAML: line"),
        ("- a", "must hold a mapping"),
        ("command: python app.py", "'command' must be a list of strings"),
        ("command: [python, 8000]", "'command' must be a list of strings"),
        ("command: [a]\nenv: {A: b}", "'env' must be a list"),
        ("command: [a]\nenv: [{value: b}]", "entry 1 of 'env' has no 'name'"),
        ("command: [a]\nenv: [{name: A}]", "variable A needs exactly one of 'value' and 'valueFrom'"),
        ("command: [a]\nenv: [{name: A, value: x, valueFrom: y}]", "variable A needs exactly one"),
        ("command: [a]\nenv: [{name: A, value: [1]}]", "the value of variable A must be text"),
        ("", "There is nothing to start"),
    ],
)
def test_a_broken_file_says_what_is_wrong(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(AppError) as error:
        _spec(tmp_path, text)
    assert message in str(error.value)


def test_a_deployment_wins_over_the_file(tmp_path: Path) -> None:
    file = _spec(tmp_path, 'command: [python, a.py]\nenv: [{name: A, value: "1"}, {name: B, value: "2"}]')
    own = app_spec.read_for(["python", "b.py"], [{"name": "B", "value_from": "w"}], tmp_path)
    assert own == AppSpec(("python", "b.py"), (Variable("B", value_from="w"),))
    assert app_spec.read_for([], None, tmp_path) == file


def test_a_deployment_needs_no_file(tmp_path: Path) -> None:
    assert app_spec.read_for(["serve"], None, tmp_path) == AppSpec(("serve",))


def test_the_environment_is_the_platforms_and_not_the_shells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABRICKS_TOKEN", "AWS_SECRET_ACCESS_KEY", "PGPASSWORD", "DATABRICKS_CONFIG_PROFILE"):
        monkeypatch.setenv(name, "secret")
    spec = AppSpec(("python",), (Variable("W", value_from="warehouse"), Variable("LEVEL", "DEBUG")))
    attached = environment.Attached({"warehouse": "abc"}, {"PGHOST": "127.0.0.1"})
    made = environment.build(spec, IDENTITY, attached, 8123, tmp_path / "venv/bin", tmp_path)
    assert "secret" not in made.values()
    assert made["HOME"] == str(tmp_path)
    assert made["PATH"].startswith(str(tmp_path / "venv/bin"))
    expected = {
        "DATABRICKS_APP_NAME": "shop",
        "DATABRICKS_APP_PORT": "8123",
        "DATABRICKS_HOST": "http://127.0.0.1:1",
        "DATABRICKS_WORKSPACE_ID": "42",
        "DATABRICKS_CLIENT_ID": "client",
        "DATABRICKS_CLIENT_SECRET": "hush",
        "PGHOST": "127.0.0.1",
        "W": "abc",
        "LEVEL": "DEBUG",
    }
    assert expected.items() <= made.items()
    assert "hush" not in repr(IDENTITY)


def test_an_unknown_resource_is_named_with_the_known_ones(tmp_path: Path) -> None:
    spec = AppSpec(("python",), (Variable("W", value_from="wharehouse"),))
    with pytest.raises(AppError, match=r"'wharehouse', which the app does not have\. Its resources: database, ware"):
        environment.build(
            spec, IDENTITY, environment.Attached({"warehouse": "1", "database": "2"}), 1, tmp_path, tmp_path
        )


def test_only_the_port_is_substituted_in_the_command() -> None:
    spec = AppSpec(("serve", "--port=$DATABRICKS_APP_PORT", "${DATABRICKS_APP_PORT}", "$HOME"))
    assert environment.command(spec, 9) == ["serve", "--port=9", "9", "$HOME"]
