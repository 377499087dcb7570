"""The local workspace's serving endpoints, driven by the official SDK and as an OpenAI client drives them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import BadRequest, NotFound, PermissionDenied, ResourceAlreadyExists
from databricks.sdk.service.iam import AccessControlRequest
from databricks.sdk.service.serving import (
    ChatMessage,
    ChatMessageRole,
    EndpointCoreConfigInput,
    EndpointTag,
    ServedEntityInput,
    ServingEndpointAccessControlRequest,
    ServingEndpointPermissionLevel,
)

from local_workspace.serving.serving import Serving
from local_workspace.workspace import Workspace

NAME = "test-sentiment"
ENTITY = "lakefront.sales.review_sentiment"


@pytest.fixture
def admin(workspace: Workspace) -> WorkspaceClient:
    assert workspace.serving.wait_until_ready(30)
    variables = workspace.environment()
    return WorkspaceClient(
        host=variables["DATABRICKS_HOST"],
        client_id=variables["DATABRICKS_CLIENT_ID"],
        client_secret=variables["DATABRICKS_CLIENT_SECRET"],
        auth_type="oauth-m2m",
    )


@pytest.fixture
def client_as(workspace: Workspace, token: Callable[..., str]) -> Callable[[str], WorkspaceClient]:
    def make(name: str) -> WorkspaceClient:
        return WorkspaceClient(host=workspace.url, token=token(name), auth_type="pat")

    return make


@pytest.fixture
def http(workspace: Workspace, token: Callable[..., str]) -> Iterator[httpx.Client]:
    assert workspace.serving.wait_until_ready(30)
    headers = {"Authorization": f"Bearer {token('analyst@example.com')}"}
    with httpx.Client(base_url=workspace.url, headers=headers, timeout=20) as client:
        yield client


def test_life_of_an_endpoint(admin: WorkspaceClient, client_as: Callable[[str], WorkspaceClient]) -> None:
    served = ServedEntityInput(name="s", entity_name=ENTITY, entity_version="1", scale_to_zero_enabled=True)
    api = admin.serving_endpoints
    made = api.create(NAME, config=EndpointCoreConfigInput(name=NAME, served_entities=[served]))
    try:
        assert made.response.state.as_dict() == {"ready": "NOT_READY", "config_update": "IN_PROGRESS"}
        with pytest.raises(ResourceAlreadyExists):
            api.create(NAME, config=EndpointCoreConfigInput(name=NAME, served_entities=[served]))
        ready = made.result()
        assert ready.state.as_dict() == {"ready": "READY", "config_update": "NOT_UPDATING"}
        assert ready.config.traffic_config.routes[0].traffic_percentage == 100
        assert ready.permission_level.value == "CAN_MANAGE"

        analyst = client_as("analyst@example.com").serving_endpoints
        with pytest.raises(PermissionDenied):
            analyst.query(NAME, inputs=["good"])
        assert NAME not in {one.name for one in analyst.list()}
        grant = ServingEndpointAccessControlRequest(
            user_name="analyst@example.com", permission_level=ServingEndpointPermissionLevel.CAN_QUERY
        )
        api.set_permissions(ready.id, access_control_list=[grant])
        assert analyst.query(NAME, inputs=["good"]).predictions[0]["label"] == "positive"
        with pytest.raises(PermissionDenied):
            analyst.delete(NAME)
        api.set_permissions(ready.id, access_control_list=[])
        with pytest.raises(PermissionDenied):
            analyst.query(NAME, inputs=["good"])

        updated = api.update_config(NAME, served_entities=[ServedEntityInput(entity_name=ENTITY, entity_version="1")])
        assert updated.response.state.ready.value == "READY"
        assert updated.response.state.config_update.value == "IN_PROGRESS"
        assert updated.result().config.served_entities[0].name == "review_sentiment-1"
        tags = api.patch(NAME, add_tags=[EndpointTag(key="team", value="sales")])
        assert [tag.as_dict() for tag in tags.tags] == [{"key": "team", "value": "sales"}]
    finally:
        api.delete(NAME)
    with pytest.raises(NotFound):
        api.get(NAME)


def test_wrong_configurations_are_refused(admin: WorkspaceClient) -> None:
    unknown = ServedEntityInput(entity_name="lakefront.sales.nothing", entity_version="1")
    with pytest.raises(NotFound):
        admin.serving_endpoints.create("other", config=EndpointCoreConfigInput(name=NAME, served_entities=[unknown]))
    with pytest.raises(BadRequest):
        admin.serving_endpoints.create(
            "not a name", config=EndpointCoreConfigInput(name=NAME, served_entities=[unknown])
        )
    with pytest.raises(BadRequest):
        admin.serving_endpoints.create("empty", config=EndpointCoreConfigInput(name=NAME, served_entities=[]))


def test_the_sdk_queries_all_tasks(client_as: Callable[[str], WorkspaceClient]) -> None:
    api = client_as("analyst@example.com").serving_endpoints
    said = api.query("echo-chat", messages=[ChatMessage(role=ChatMessageRole.USER, content="hi")], max_tokens=5)
    assert said.choices[0].message.content.startswith("This is a")
    assert said.usage.completion_tokens == 5
    assert said.served_model_name == "local_echo_chat-1"
    assert api.query("echo-completion", prompt="Once").choices[0].text.endswith("Once")
    vectors = api.query("word-embedding", input=["a b", "a b"]).data
    assert vectors[0].embedding == vectors[1].embedding
    with pytest.raises(BadRequest, match="exactly one"):
        api.query("echo-chat", prompt="x", input="y")


def test_openai_compatible_paths(http: httpx.Client) -> None:
    body: dict[str, Any] = {"model": "echo-chat", "messages": [{"role": "user", "content": "hi"}]}
    whole = http.post("/serving-endpoints/chat/completions", json=body).json()
    assert whole["object"] == "chat.completion"
    with http.stream("POST", "/serving-endpoints/chat/completions", json={**body, "stream": True}) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        arrived = [time.monotonic() for line in answer.iter_lines() if line]
    assert arrived[-1] - arrived[0] > 0.1, "the events come one by one, not all at the end"
    assert http.post("/serving-endpoints/chat/completions", json={"messages": []}).status_code == 400


def test_served_model_path_and_header(http: httpx.Client) -> None:
    base = "/serving-endpoints/review-sentiment"
    answer = http.post(f"{base}/served-models/review_sentiment-1/invocations", json={"inputs": ["good"]})
    assert (answer.status_code, answer.headers["served-model-name"]) == (200, "review_sentiment-1")
    assert http.post(f"{base}/served-models/other/invocations", json={"inputs": ["good"]}).status_code == 404


def test_payload_limits_and_malformed_bodies(http: httpx.Client) -> None:
    url = "/serving-endpoints/echo-chat/invocations"
    assert http.post(url, content=b"x" * (4 * 1024 * 1024 + 1)).status_code == 413
    for body in (b"", b"[]", b"{", b'{"messages": NaN}', b"\xff", b"[" * 100_000):
        answer = http.post(url, content=body)
        assert (answer.status_code, answer.json()["error_code"]) == (400, "BAD_REQUEST")


def test_tokens_without_the_scope_or_the_group(workspace: Workspace, token: Callable[..., str]) -> None:
    url = f"{workspace.url}/serving-endpoints/review-sentiment/invocations"
    no_scope = {"Authorization": f"Bearer {token('analyst@example.com', scopes=('sql',))}"}
    refused = httpx.post(url, json={"inputs": ["x"]}, headers=no_scope).json()
    assert refused["message"].endswith("required scopes: model-serving, model-serving-inference")
    newcomer = {"Authorization": f"Bearer {token('newcomer@example.com')}"}
    assert httpx.post(url, json={"inputs": ["x"]}, headers=newcomer).json()["error_code"] == "PERMISSION_DENIED"
    assert httpx.post(url, json={"inputs": ["x"]}).status_code == 401


def test_permissions_api_sees_and_replaces_the_list(admin: WorkspaceClient, workspace: Workspace) -> None:
    object_id = workspace.serving.acl_id("echo-chat")
    before = admin.permissions.get("serving-endpoints", object_id).access_control_list
    assert {one.group_name for one in before} >= {"analysts", "users"}
    kept = [
        AccessControlRequest(group_name=one.group_name, permission_level=one.all_permissions[0].permission_level)
        for one in before
        if one.group_name != "admins"
    ]
    assert admin.permissions.set("serving-endpoints", object_id, access_control_list=kept)


def test_second_start_needs_no_fitting(workspace: Workspace) -> None:
    """A restart reads the coefficients; an engine that would refuse every session is not asked."""
    again = Serving(workspace.store, _NoEngine(), workspace.metastore, workspace.directory, workspace.faults)
    started = time.monotonic()
    again.start()
    try:
        assert again.wait_until_ready(0.5)
        assert time.monotonic() - started < 0.5
    finally:
        again.stop()
        workspace.faults.action("model_serving.scale_to_zero", workspace.serving.scale_to_zero)


class _NoEngine:
    def open_session(self, *_arguments: Any) -> Any:
        raise AssertionError("the second start must not read the trips")
