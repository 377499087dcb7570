"""Endpoints as the user sees them, through the SDK, kept briefly for each identity."""

from __future__ import annotations

import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Literal, TypeVar
from urllib.parse import quote

import requests
from databricks.sdk.errors import DatabricksError, Unauthenticated
from databricks.sdk.errors import NotFound as SdkNotFound
from databricks.sdk.errors import PermissionDenied as SdkPermissionDenied

from services.errors import AuthRequired, LakefrontError, NotFound, PermissionDenied, WorkspaceUnavailable
from services.identity import User
from services.model_serving.errors import SCOPE
from services.model_serving.models import Access, Endpoint, RegisteredModel, ServedEntity
from services.observability import timed
from services.workspace_client import ClientFactory, platform_message

T = TypeVar("T")
_KEEP_SECONDS = 30.0
_KEEP_AT_MOST = 4096
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
_LEVELS = ("CAN_VIEW", "CAN_QUERY", "CAN_MANAGE")


class Cache:
    """Answers by key for a short while. Every key carries the identity (the hash of its token). Thread-safe."""

    def __init__(self, seconds: float = _KEEP_SECONDS) -> None:
        """``seconds`` is how long an answer is kept."""
        self._seconds = seconds
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, ...], tuple[float, Any]] = OrderedDict()

    def get(self, key: tuple[str, ...]) -> Any:
        """What is kept, or None."""
        with self._lock:
            found = self._kept.get(key)
            return found[1] if found is not None and time.monotonic() - found[0] < self._seconds else None

    def put(self, key: tuple[str, ...], value: Any) -> None:
        """Keep ``value``; the oldest leave when there are too many."""
        with self._lock:
            self._kept.pop(key, None)
            self._kept[key] = (time.monotonic(), value)
            while len(self._kept) > _KEEP_AT_MOST:
                self._kept.popitem(last=False)


def check_name(name: str) -> None:
    """Refuse what cannot be an endpoint's name before it becomes a part of a URL (the SDK does not quote it).

    Raises:
        NotFound: no endpoint can have that name.
    """
    if not _NAME.fullmatch(name):
        raise NotFound(
            "There is no serving endpoint of that name.",
            error_code="ENDPOINT_NOT_FOUND",
            technical_details={"endpoint_name": name},
        )


class Metadata:
    """Reads endpoints and their OpenAPI documents. Everything runs as the user."""

    def __init__(self, host: str, clients: ClientFactory) -> None:
        """No I/O."""
        self._host = host
        self._clients = clients
        self._cache = Cache()

    def endpoints(self, user: User) -> list[Endpoint]:
        """All endpoints that the user may see, asked anew. Runs as the user.

        Raises:
            AuthRequired, PermissionDenied, WorkspaceUnavailable: as the workspace answers.
        """
        with self._asking("list", None):
            found = list(self._clients.for_user(user).serving_endpoints.list())
        return sorted((self._endpoint(one.as_dict()) for one in found), key=lambda one: one.endpoint_name)

    def endpoint(self, user: User, name: str, *, refresh: bool = True) -> Endpoint:
        """One endpoint; with ``refresh`` False an answer of the last seconds will do. Runs as the user.

        Raises:
            NotFound: there is none of that name for this user.
            AuthRequired, PermissionDenied, WorkspaceUnavailable: as the workspace answers.
        """
        check_name(name)
        key = ("endpoint", user.token_key, name)
        kept: Endpoint | None = None if refresh else self._cache.get(key)
        if kept is not None:
            return kept
        with self._asking("get", name):
            found = self._clients.for_user(user).serving_endpoints.get(name).as_dict()
        endpoint = self._endpoint(found)
        self._cache.put(key, endpoint)
        return endpoint

    def known(self, user: User, name: str) -> Endpoint | None:
        """What is kept of the endpoint for this user; no call."""
        kept: Endpoint | None = self._cache.get(("endpoint", user.token_key, name))
        return kept

    def openapi(self, user: User, name: str) -> bytes:
        """The endpoint's OpenAPI document. Runs as the user.

        Raises:
            NotFound, AuthRequired, PermissionDenied, WorkspaceUnavailable: as the workspace answers.
        """
        check_name(name)
        with self._asking("openapi", name):
            answer = self._clients.for_user(user).serving_endpoints.get_open_api(name)
            data: bytes = answer.contents.read() if answer.contents is not None else b""
        return data

    def registered_model(self, user: User, full_name: str) -> RegisteredModel:
        """A model in Unity Catalog. Runs as the user.

        Raises:
            NotFound: there is none of that name for this user.
            AuthRequired, PermissionDenied, WorkspaceUnavailable: as the workspace answers.
        """
        parts = full_name.split(".")
        if len(parts) != 3 or not all(parts):
            raise NotFound("This is not the name of a model in Unity Catalog.", technical_details={"model": full_name})
        with self._asking("registered_model", full_name):
            found = self._clients.for_user(user).registered_models.get(quote(full_name, safe="."))
        return RegisteredModel(
            full_name=full_name,
            comment=found.comment,
            owner=found.owner,
            created_at=_time(found.created_at),
            updated_at=_time(found.updated_at),
            catalog_explorer_url=self.model_url(full_name),
        )

    def model_url(self, full_name: str) -> str:
        """The page of a registered model in the workspace's Catalog Explorer."""
        return f"{self._host}/explore/data/models/{'/'.join(quote(part, safe='') for part in full_name.split('.'))}"

    def access(self, user: User, endpoint: Endpoint) -> list[Access]:
        """Who may do what with an endpoint; the workspace tells it to those who may manage the endpoint. As the user.

        Raises:
            NotFound, AuthRequired, PermissionDenied, WorkspaceUnavailable: as the workspace answers.
        """
        if endpoint.endpoint_id is None:
            return []
        with self._asking("permissions", endpoint.endpoint_name):
            found = self._clients.for_user(user).serving_endpoints.get_permissions(endpoint.endpoint_id).as_dict()
        return _access(found.get("access_control_list") or [])

    @contextmanager
    def _asking(self, what: str, name: str | None) -> Iterator[None]:
        try:
            with timed(f"model_serving.{what}"):
                yield
        except LakefrontError:
            raise
        except Exception as error:
            translated = self._translate(error, name)
            if translated is None:
                raise
            raise translated from error

    def _translate(self, error: Exception, name: str | None) -> LakefrontError | None:
        if isinstance(error, Unauthenticated):
            return AuthRequired(SCOPE, self._host, "The workspace does not accept the user token.")
        if isinstance(error, SdkPermissionDenied):
            return PermissionDenied(platform_message(error), required_scope=SCOPE, workspace=self._host)
        if isinstance(error, SdkNotFound):
            return NotFound(
                platform_message(error), error_code="ENDPOINT_NOT_FOUND", technical_details={"endpoint_name": name}
            )
        if isinstance(error, DatabricksError | requests.RequestException | TimeoutError | OSError):
            return WorkspaceUnavailable(self._host, type(error).__name__)
        return None

    def _endpoint(self, found: dict[str, Any]) -> Endpoint:
        config = found.get("config") or {}
        routes = (config.get("traffic_config") or {}).get("routes") or []
        shares = {route.get("served_model_name"): route.get("traffic_percentage") for route in routes}
        served = [_served(one, shares) for one in config.get("served_entities") or config.get("served_models") or []]
        main = max(served, key=lambda one: one.traffic_percentage or 0, default=None)
        state = found.get("state") or {}
        name = found["name"]
        return Endpoint(
            endpoint_name=name,
            endpoint_id=found.get("id"),
            state=state.get("ready") or "NOT_READY",
            config_update=state.get("config_update") or "NOT_UPDATING",
            asleep=bool(served) and all("scaled to zero" in (one.deployment_message or "").lower() for one in served),
            task=found.get("task") or None,
            model_name=main.model_name if main else None,
            model_version=main.model_version if main else None,
            description=found.get("description") or None,
            creator=found.get("creator"),
            permission_level=found.get("permission_level"),
            created_at=_time(found.get("creation_timestamp")),
            updated_at=_time(found.get("last_updated_timestamp")),
            served_entities=served,
            tags={tag["key"]: tag.get("value") for tag in found.get("tags") or [] if "key" in tag},
            invocation_url=f"{self._host}/serving-endpoints/{name}/invocations",
        )


def _access(entries: list[dict[str, Any]]) -> list[Access]:
    """The highest level of each principal, the strongest first."""
    kinds: dict[str, Literal["user", "group", "service_principal"]] = {
        "user_name": "user",
        "group_name": "group",
        "service_principal_name": "service_principal",
    }
    best: dict[tuple[str, str], int] = {}
    for entry in entries:
        field = next((name for name in kinds if entry.get(name)), None)
        levels = [str(one.get("permission_level")) for one in entry.get("all_permissions") or []]
        ranks = [_LEVELS.index(one) for one in levels if one in _LEVELS]
        if field is not None and ranks:
            key = (field, str(entry[field]))
            best[key] = max(best.get(key, 0), *ranks)
    ranked = sorted(best.items(), key=lambda item: (-item[1], item[0][1]))
    return [Access(principal=name, kind=kinds[field], level=_LEVELS[rank]) for (field, name), rank in ranked]


def _served(one: dict[str, Any], shares: dict[str | None, Any]) -> ServedEntity:
    """A served entity of any of the platform's kinds: registered, foundation or external model."""
    foundation = one.get("foundation_model") or {}
    external = one.get("external_model") or {}
    model_name = one.get("entity_name") or one.get("model_name") or foundation.get("name") or external.get("name")
    kind = one.get("type")
    state = one.get("state") or {}
    registered = kind == "UC_MODEL" or (kind is None and str(model_name).count(".") == 2 and not foundation)
    return ServedEntity(
        name=one.get("name") or model_name or "",
        model_name=model_name,
        model_version=one.get("entity_version") or one.get("model_version"),
        in_unity_catalog=registered,
        traffic_percentage=shares.get(one.get("name")),
        deployment=state.get("deployment"),
        deployment_message=state.get("deployment_state_message") or None,
        scale_to_zero=bool(one.get("scale_to_zero_enabled")),
        workload_size=one.get("workload_size"),
    )


def _time(milliseconds: int | None) -> datetime | None:
    return datetime.fromtimestamp(milliseconds / 1000, UTC) if milliseconds else None


def quietly(ask: Callable[[], T]) -> T | None:
    """What ``ask`` gives, None when it fails: for what is nice to have beside an answer."""
    try:
        return ask()
    except LakefrontError:
        return None
