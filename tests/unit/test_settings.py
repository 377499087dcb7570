"""``services/settings.py``: one typed object, every missing variable named at once, no personal access token."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts import env_example
from services.settings import ConfigurationError, load

COMPLETE = {
    "DATABRICKS_HOST": "https://example.cloud.databricks.com",
    "DATABRICKS_CLIENT_ID": "11111111-2222-3333-4444-555555555555",
    "DATABRICKS_CLIENT_SECRET": "a-secret-value",
    "DATABRICKS_WAREHOUSE_ID": "abcdef0123456789",
    "LAKEBASE_INSTANCE_NAME": "lakefront",
}


def test_all_missing_variables_are_named_at_once() -> None:
    with pytest.raises(ConfigurationError) as caught:
        load({})
    for name in ("DATABRICKS_HOST", "DATABRICKS_CLIENT_ID", "DATABRICKS_CLIENT_SECRET", "DATABRICKS_WAREHOUSE_ID"):
        assert f"{name} is not set" in str(caught.value)


def test_a_lakebase_name_is_needed() -> None:
    environment = {name: value for name, value in COMPLETE.items() if name != "LAKEBASE_INSTANCE_NAME"}
    with pytest.raises(ConfigurationError, match="LAKEBASE_INSTANCE_NAME or LAKEBASE_ENDPOINT must be set"):
        load(environment)
    assert load({**environment, "LAKEBASE_ENDPOINT": "projects/p/branches/b/endpoints/e"}).lakebase_name.startswith("p")


def test_a_personal_access_token_is_refused_without_showing_it() -> None:
    with pytest.raises(ConfigurationError, match="DATABRICKS_TOKEN is set") as caught:
        load({**COMPLETE, "DATABRICKS_TOKEN": "dapi0123456789abcdef"})
    assert "dapi0123456789abcdef" not in str(caught.value)


def test_a_profile_that_holds_a_token_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "databrickscfg"
    file.write_text("[mine]\nhost = https://example.com\ntoken = dapi0123456789abcdef\n[other]\nhost = https://x\n")
    environment = {**COMPLETE, "DATABRICKS_CONFIG_FILE": str(file)}
    with pytest.raises(ConfigurationError, match="'mine'"):
        load({**environment, "DATABRICKS_CONFIG_PROFILE": "mine"})
    assert load({**environment, "DATABRICKS_CONFIG_PROFILE": "other"}).databricks_app_name == "lakefront"


def test_a_technical_instance_name_is_explained() -> None:
    with pytest.raises(ConfigurationError, match="technical name"):
        load({**COMPLETE, "LAKEBASE_INSTANCE_NAME": "instance-0f3b2c1d"})


@pytest.mark.parametrize(
    ("given", "host"),
    [
        ("example.com", "https://example.com"),
        ("https://example.com/", "https://example.com"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
    ],
)
def test_the_host_is_taken_with_and_without_a_scheme(given: str, host: str) -> None:
    assert load({**COMPLETE, "DATABRICKS_HOST": given}).databricks_host == host


def test_the_http_path_stands_in_for_the_warehouse_id() -> None:
    environment = {name: value for name, value in COMPLETE.items() if name != "DATABRICKS_WAREHOUSE_ID"}
    settings = load({**environment, "DATABRICKS_HTTP_PATH": "/sql/1.0/warehouses/0123456789abcdef"})
    assert settings.databricks_warehouse_id == "0123456789abcdef"
    assert settings.http_path == "/sql/1.0/warehouses/0123456789abcdef"


def test_a_wrong_value_names_its_variable_and_hides_secrets() -> None:
    with pytest.raises(ConfigurationError, match="DATABRICKS_APP_PORT") as caught:
        load({**COMPLETE, "DATABRICKS_APP_PORT": "eighty"})
    assert "a-secret-value" not in str(caught.value)


def test_the_secret_is_not_in_the_settings_representation() -> None:
    assert "a-secret-value" not in repr(load(COMPLETE))


def test_the_example_file_documents_every_variable() -> None:
    assert env_example.FILE.read_text(encoding="utf-8") == env_example.text(), "run: python -m scripts.env_example"
