"""Configuration: one typed object, read from the environment once, by the composition root.

``.env.local.example`` documents each variable with a sentence; a test compares the two.
"""

from __future__ import annotations

import configparser
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

_TECHNICAL_INSTANCE = "instance-"
_HTTP_PATH_PREFIX = "/sql/1.0/warehouses/"


class ConfigurationError(RuntimeError):
    """The environment does not configure the app; ``str()`` names every missing or wrong variable at once."""


class Settings(BaseSettings):
    """Everything that can be configured. Field names in upper case are the variables' names."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    databricks_host: Annotated[str, Field(description="Address of the workspace; https is assumed without a scheme.")]
    databricks_client_id: Annotated[str, Field(description="OAuth client id of the app's service principal.")]
    databricks_client_secret: Annotated[SecretStr, Field(description="Its secret; the Apps platform injects both.")]
    databricks_warehouse_id: Annotated[str, Field(description="Id of the SQL warehouse that answers for tables.")]
    databricks_workspace_id: Annotated[str | None, Field(description="Numeric workspace id, when known.")] = None
    databricks_app_name: Annotated[str, Field(description="Name of the app; used in logs and as user agent.")] = (
        "lakefront"
    )
    databricks_app_port: Annotated[int, Field(description="Port to listen on.", ge=0, le=65535)] = 8000
    flask_run_host: Annotated[
        str, Field(description="Address to listen on; the Apps platform needs 0.0.0.0, a laptop 127.0.0.1.")
    ] = "0.0.0.0"
    databricks_ca_file: Annotated[
        Path | None, Field(description="Authority to trust for the workspace's TLS, when not a public one.")
    ] = None

    lakebase_instance_name: Annotated[
        str | None, Field(description="Logical name of a Provisioned Lakebase instance.")
    ] = None
    lakebase_endpoint: Annotated[
        str | None, Field(description="Full name of an Autoscaling endpoint, projects/…/branches/…/endpoints/….")
    ] = None
    lakebase_database: Annotated[str, Field(description="Postgres database that holds the records.")] = (
        "databricks_postgres"
    )
    lakebase_schema: Annotated[
        str,
        Field(description="Postgres schema that the app creates and owns.", pattern=r"^[a-z_][a-z0-9_]{0,62}$"),
    ] = "lakefront"
    lakebase_migrate: Annotated[bool, Field(description="Whether the app applies migrations by itself.")] = True
    lakebase_pool_size: Annotated[int, Field(description="Most connections in the pool.", ge=2, le=100)] = 16
    pghost: Annotated[str | None, Field(description="Postgres host; without it the Lakebase API is asked.")] = None
    pgport: Annotated[int, Field(description="Postgres port.", ge=1, le=65535)] = 5432
    pgdatabase: Annotated[
        str | None, Field(description="Set by the platform for the first attached database; overrides the default.")
    ] = None
    pguser: Annotated[str | None, Field(description="Postgres role; without it the service principal's client id.")] = (
        None
    )

    default_table: Annotated[
        str, Field(description="Table that the explorer opens first, as catalog.schema.table.")
    ] = "samples.nyctaxi.trips"
    warehouse_sessions: Annotated[int, Field(description="Most open warehouse sessions in all.", ge=1, le=200)] = 32
    warehouse_sessions_per_user: Annotated[int, Field(description="Most sessions of one person.", ge=1, le=50)] = 6
    warehouse_timeout_seconds: Annotated[float, Field(description="Longest wait for a statement.", gt=0)] = 110
    warm_up_warehouse: Annotated[
        bool, Field(description="Whether the app starts its warehouse when it starts itself; it costs its usual price.")
    ] = True
    export_row_cap: Annotated[int, Field(description="Most rows of one export.", ge=1)] = 10_000_000
    metadata_cache_seconds: Annotated[
        float, Field(description="How long catalog answers are kept per person.", ge=0)
    ] = 60
    outside_timeout_seconds: Annotated[
        float, Field(description="Longest wait for one REST call to the workspace.", gt=0)
    ] = 10
    status_timeout_seconds: Annotated[float, Field(description="Longest wait for one check of /status.", gt=0)] = 5

    account_switch_url: Annotated[
        str | None, Field(description="Where a person can switch the account, when the front door offers it.")
    ] = None
    log_level: Annotated[str, Field(description="Lowest level that is logged.")] = "INFO"
    server_threads: Annotated[int, Field(description="Requests served at once.", ge=4, le=256)] = 32

    @field_validator("databricks_host")
    @classmethod
    def _normal_host(cls, value: str) -> str:
        """Reports differ on whether the platform injects the scheme, so both forms are taken."""
        value = value.strip().rstrip("/")
        return value if "://" in value else f"https://{value}"

    @field_validator("log_level")
    @classmethod
    def _known_level(cls, value: str) -> str:
        if value.upper() not in {"TRACE", "DEBUG", "INFO", "WARNING", "ERROR"}:
            raise ValueError("one of TRACE, DEBUG, INFO, WARNING, ERROR expected")
        return value.upper()

    @field_validator("lakebase_instance_name")
    @classmethod
    def _logical_name(cls, value: str | None) -> str | None:
        """The credential API wants the name that people gave, not the technical one in the host name."""
        if value and value.startswith(_TECHNICAL_INSTANCE):
            raise ValueError(
                f"{value!r} is a technical name; use the instance's logical name, as `databricks database"
                " list-database-instances` shows it under `name`"
            )
        return value or None

    @model_validator(mode="after")
    def _one_lakebase(self) -> Self:
        if self.lakebase_instance_name is None and self.lakebase_endpoint is None:
            raise ValueError("LAKEBASE_INSTANCE_NAME or LAKEBASE_ENDPOINT must be set")
        return self

    @property
    def http_path(self) -> str:
        """The warehouse's path for the SQL connector."""
        return f"{_HTTP_PATH_PREFIX}{self.databricks_warehouse_id}"

    @property
    def lakebase_name(self) -> str:
        """What people call the database: the endpoint of Autoscaling, else the instance."""
        return self.lakebase_endpoint or self.lakebase_instance_name or ""


def load(environment: dict[str, str]) -> Settings:
    """Read the settings from ``environment`` (as ``os.environ``).

    Raises:
        ConfigurationError: variables are missing or wrong (all of them are named), or a personal access token is
            configured, which this app never uses.
    """
    if environment.get("DATABRICKS_TOKEN"):
        raise ConfigurationError(
            "DATABRICKS_TOKEN is set. The app acts for its users with their own tokens and for itself as its service"
            " principal; a personal access token would make everybody act as one person. Unset DATABRICKS_TOKEN and"
            " set DATABRICKS_CLIENT_ID and DATABRICKS_CLIENT_SECRET."
        )
    _refuse_profile_with_token(environment)
    values = {
        name.lower(): environment[name.upper()] for name in Settings.model_fields if environment.get(name.upper())
    }
    # The connection page of a warehouse shows its path; the id is the path's end.
    path = environment.get("DATABRICKS_HTTP_PATH", "")
    if "databricks_warehouse_id" not in values and path.startswith(_HTTP_PATH_PREFIX):
        values["databricks_warehouse_id"] = path.removeprefix(_HTTP_PATH_PREFIX)
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        raise ConfigurationError(_explain(error)) from None


def _refuse_profile_with_token(environment: dict[str, str]) -> None:
    """The SDK would read the profile too, and its token would win silently."""
    profile = environment.get("DATABRICKS_CONFIG_PROFILE", "")
    if not profile:
        return
    file = Path(environment.get("DATABRICKS_CONFIG_FILE") or "~/.databrickscfg").expanduser()
    profiles = configparser.ConfigParser(interpolation=None)
    profiles.read(file)
    if profiles.has_option(profile, "token"):
        raise ConfigurationError(
            f"The profile {profile!r} (DATABRICKS_CONFIG_PROFILE) holds a personal access token, which this app never"
            " uses. Unset DATABRICKS_CONFIG_PROFILE and set DATABRICKS_CLIENT_ID and DATABRICKS_CLIENT_SECRET."
        )


def _explain(error: ValidationError) -> str:
    lines = ["The environment does not configure the app:"]
    for problem in error.errors(include_url=False, include_input=False):
        name = str(problem["loc"][0]).upper() if problem["loc"] else ""
        reason = "is not set" if problem["type"] == "missing" else problem["msg"].removeprefix("Value error, ")
        lines.append(f"  {name} {reason}".replace("   ", "  ") if name else f"  {reason}")
    lines.append("See .env.local.example for every variable.")
    return "\n".join(lines)
