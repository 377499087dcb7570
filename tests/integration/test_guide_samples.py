"""The Python samples of the guides, run as they stand there; ``tests/unit/test_docs.py`` compares the lines."""

from __future__ import annotations

from collections.abc import Callable

from databricks import sql
from databricks.sdk.config import Config

from local_workspace.workspace import Workspace
from services.container import Services
from services.identity import User
from services.model_serving.models import Invocation
from services.observability import timed
from services.unity_catalog.models import TableRef
from services.workspace_client import ClientFactory


def test_a_client_for_the_user(services: Services, user: Callable[..., User]) -> None:
    assert "trip-fare" in _endpoint_names(services.clients, user())


def _endpoint_names(clients: ClientFactory, user: User) -> set[str | None]:
    endpoints = list(clients.for_user(user).serving_endpoints.list())
    return {endpoint.name for endpoint in endpoints}


def test_connecting_to_the_local_workspace(workspace: Workspace) -> None:
    environment = workspace.environment()
    host, http_path = environment["DATABRICKS_HOST"], environment["DATABRICKS_HTTP_PATH"]
    config = Config(
        host=host,
        client_id=environment["DATABRICKS_CLIENT_ID"],
        client_secret=environment["DATABRICKS_CLIENT_SECRET"],
    )
    connection = (
        sql.connect(
            server_hostname="127.0.0.1",
            http_path=http_path,
            _connection_uri=f"{host}{http_path}",
            credentials_provider=lambda: config.authenticate,
            enable_telemetry=False,
        )
    )  # fmt: skip
    with connection, connection.cursor() as cursor:
        ref = TableRef.of("samples", "nyctaxi", "trips")
        cursor.execute(f"SELECT trip_distance FROM {ref.full_name} LIMIT 3")
        with timed("warehouse.query", table=ref.full_name) as span:
            rows = cursor.fetchall()
            span["rows"] = len(rows)
        assert span["rows"] == 3


def test_asking_a_model(services: Services, user: Callable[..., User]) -> None:
    _ask(services, user())


def _ask(services: Services, user: User) -> None:
    schema = services.model_serving.endpoint_schema(user, "trip-fare")
    row = {field.name: field.example for field in schema.fields}
    rows = [row] * 3
    received = []
    talk = [{"role": "user", "content": "Say it back."}]
    result = services.model_serving.invoke(user, "trip-fare", Invocation(dataframe_records=[row], timeout_seconds=10))
    for step in services.model_serving.score_batches(user, "trip-fare", rows):
        print(step.done, "of", step.total)
    job = services.model_serving.jobs.start(user, "trip-fare", rows, timeout_seconds=30)  # the same in the background
    with services.model_serving.stream_chat(user, "echo-chat", Invocation(messages=talk)) as stream:
        for chunk in stream:
            received.append(chunk)  # leaving the block, however, stops the endpoint
    assert result.predictions
    assert step.done == 3
    assert received
    assert job is not None
