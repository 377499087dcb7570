"""Identity, health, status and metrics."""

from __future__ import annotations

from flask import Flask, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel, Field

from dashboard.api.contract import Api
from dashboard.identity import current_user
from services.container import Services
from services.errors import LakefrontError
from services.identity import User
from services.observability import pool_statistics, registry
from services.status import Health, StatusReport


class Me(BaseModel):
    """The signed-in person, as the workspace knows them."""

    user_id: str
    user_name: str
    email: str
    groups: list[str]
    active: bool
    workspace_url: str
    auth_pattern: str = Field(description="How the app acts for this person.")
    scopes: list[str] = Field(description="OAuth scopes of the forwarded token.")


def register(api: Api, services: Services, version: str) -> None:
    """Add the routes."""

    @api.get("/api/v1/me", tag="identity", summary="Who you are", response=Me)
    def get_me() -> Me:
        """The person behind the forwarded token. Runs as you."""
        user = current_user()
        return Me(
            user_id=user.user_id,
            user_name=user.user_name,
            email=user.email,
            groups=list(user.groups),
            active=user.active,
            workspace_url=services.settings.databricks_host,
            auth_pattern="on_behalf_of_user",
            scopes=list(user.scopes),
        )

    @api.get(
        "/api/v1/health", tag="status", summary="Is the process alive", response=Health, errors=(), signed_in=False
    )
    def get_health() -> Health:
        """No outside call, no sign-in."""
        return Health(version=version)

    @api.get(
        "/api/v1/status",
        tag="status",
        summary="State of each service",
        response=StatusReport,
        errors=(),
        signed_in=False,
    )
    def get_status() -> StatusReport:
        """Always 200. The checks run as the app, `authentication` looks at your token."""
        user, problem = user_or_problem()
        return services.status.report(user, problem)


def register_metrics(app: Flask, services: Services) -> None:
    """Serve the Prometheus text; it holds counts and times, nothing of anybody's data."""

    @app.get("/metrics")
    def get_metrics() -> Response:
        for pool, numbers in (
            ("lakebase", services.lakebase.pool_statistics()),
            ("warehouse", services.unity_catalog.pool_statistics()),
        ):
            for name, number in numbers.items():
                pool_statistics.labels(pool, name).set(number)
        return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def user_or_problem() -> tuple[User | None, LakefrontError | None]:
    """The user of the request, or why there is none."""
    try:
        return current_user(), None
    except LakefrontError as error:
        return None, error
