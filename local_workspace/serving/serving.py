"""Model Serving as a part of the workspace: fits the models, registers them, and answers invocations."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from loguru import logger

from local_workspace.faults import Faults
from local_workspace.http import ApiError
from local_workspace.identity.directory import DEPLOYER, Directory
from local_workspace.serving import invocation, openapi
from local_workspace.serving.endpoints import Endpoints
from local_workspace.serving.entities import ENTITIES, Entity, OpensSessions, TabularModel
from local_workspace.serving.registration import register
from local_workspace.store import Store
from local_workspace.unity_catalog.metastore import Metastore

WAKE_SECONDS = 3.0
"""How long an endpoint that is scaled to zero holds its first request; minutes on the platform."""
_RETRY_SECONDS = 0.5
_REGISTER_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Target:
    """What answers one invocation."""

    endpoint: str
    served_name: str
    entity: Entity
    model: TabularModel | None


class Serving:
    """The serving endpoints of the workspace. Thread-safe."""

    def __init__(
        self, store: Store, engine: OpensSessions, metastore: Metastore, directory: Directory, faults: Faults
    ) -> None:
        """Nothing is read, fitted or started until ``start``."""
        self._stored_models = store.collection("serving_model")
        self._engine = engine
        self._metastore = metastore
        self._directory = directory
        self._models: dict[str, TabularModel] = {}
        self._wake_at: dict[str, float | None] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self.open_streams = 0
        self.endpoints = Endpoints(store, self._is_built, self._is_asleep)
        faults.action("model_serving.scale_to_zero", self.scale_to_zero)

    def start(self) -> None:
        """Load the models that an earlier start fitted; fit the others, and register all, in the background."""
        self.endpoints.seed()
        for name, entity in ENTITIES.items():
            document = self._stored_models.get(name)
            if entity.load is not None and document is not None:
                self._models[name] = entity.load(document)
        self._stopping.clear()
        self._thread = threading.Thread(target=self._build, name="serving-build", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop fitting and registering. Idempotent."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(timeout=5)
            self._thread = None

    def wait_until_ready(self, seconds: float) -> bool:
        """Wait until every model is fitted; says whether that is so."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and not all(self._is_built(name) for name in ENTITIES):
            time.sleep(0.02)
        return all(self._is_built(name) for name in ENTITIES)

    def acl_id(self, name: str) -> str:
        """The id under which the permissions API knows the endpoint (not its name)."""
        endpoint_id: str = self.endpoints.get(name)["id"]
        return endpoint_id

    def scale_to_zero(self) -> None:
        """Put every endpoint that may sleep to sleep; its next request is held while it wakes."""
        with self._lock:
            for name in self.endpoints.names():
                served = self.endpoints.get(name)["config"]["served_entities"]
                if all(one["scale_to_zero_enabled"] for one in served):
                    self._wake_at[name] = None

    def target(self, document: dict[str, Any], served_name: str | None) -> Target:
        """What answers a request to the endpoint of ``document``, awake.

        Args:
            document: the endpoint.
            served_name: the served entity that the path names, or None to go by the traffic configuration.

        Raises:
            ApiError: 404 for an unknown served entity, 503 while the endpoint is not ready.
        """
        name = document["name"]
        served = {one["name"]: one for one in document["config"]["served_entities"]}
        chosen = served_name or _routed(document["config"]["traffic_config"]["routes"])
        if chosen not in served:
            raise ApiError(404, "RESOURCE_DOES_NOT_EXIST", f"Served entity {chosen} of endpoint {name} not found")
        if self.endpoints.state(document)["ready"] != "READY":
            message = f"Endpoint {name} is not ready: its deployment is being created."
            raise ApiError(503, "TEMPORARILY_UNAVAILABLE", message, {"Retry-After": "1"})
        self._awake(name)
        entity = ENTITIES[served[chosen]["entity_name"]]
        return Target(name, chosen, entity, self._models.get(entity.name))

    def answer(self, target: Target, request: dict[str, Any]) -> invocation.Outcome:
        """The answer to a request: a whole document, or chunks to stream.

        Raises:
            ApiError: 400 when the request does not fit the model.
        """
        return invocation.answer(target.entity, target.model, target.endpoint, request)

    def openapi(self, document: dict[str, Any], base_url: str) -> dict[str, Any]:
        """The endpoint's OpenAPI document.

        Raises:
            ApiError: 503 while a model is still being fitted.
        """
        operations = {}
        for one in document["config"]["served_entities"]:
            entity = ENTITIES[one["entity_name"]]
            model = self._models.get(entity.name)
            if entity.task:
                operations[one["name"]] = openapi.language(entity.task)
            elif model is not None:
                operations[one["name"]] = openapi.tabular(model.signature)
            else:
                raise ApiError(503, "TEMPORARILY_UNAVAILABLE", "The model is being deployed.", {"Retry-After": "1"})
        name = document["name"]
        return openapi.document(name, f"{base_url}/serving-endpoints/{name}", operations)

    @contextmanager
    def streaming(self) -> Iterator[None]:
        """Count a stream while it is open."""
        with self._lock:
            self.open_streams += 1
        try:
            yield
        finally:
            with self._lock:
                self.open_streams -= 1

    def _is_built(self, entity_name: str) -> bool:
        return ENTITIES[entity_name].fit is None or entity_name in self._models

    def _is_asleep(self, name: str) -> bool:
        with self._lock:
            return name in self._wake_at

    def _awake(self, name: str) -> None:
        """Hold the request until the endpoint is awake; the first one starts waking it."""
        with self._lock:
            if name not in self._wake_at:
                return
            wake_at = self._wake_at[name]
            if wake_at is None:
                wake_at = self._wake_at[name] = time.monotonic() + WAKE_SECONDS
        self._stopping.wait(max(0.0, wake_at - time.monotonic()))
        with self._lock:
            if self._wake_at.get(name) == wake_at:
                del self._wake_at[name]

    def _build(self) -> None:
        """Fit what is missing, again and again until it works, then register everything."""
        while not self._stopping.is_set():
            missing = [entity for entity in ENTITIES.values() if not self._is_built(entity.name)]
            if not missing:
                break
            fitted = [self._fit(entity) for entity in missing]
            if not all(fitted):
                self._stopping.wait(_RETRY_SECONDS)
        self._register()

    def _fit(self, entity: Entity) -> bool:
        began = time.monotonic()
        try:
            if entity.fit is None:
                return True
            model = entity.fit(self._engine)
        except Exception as error:  # noqa: BLE001 - whatever the engine says while it starts, the next try decides
            logger.debug("{} is not fitted yet: {}", entity.name, error)
            return False
        self._stored_models.put(entity.name, model.to_json())
        self._models[entity.name] = model
        logger.info("fitted {} in {:.0f} ms", entity.name, (time.monotonic() - began) * 1000)
        return True

    def _register(self) -> None:
        """Put the fitted models into Unity Catalog as soon as their schema exists."""
        waiting = [entity for entity in ENTITIES.values() if entity.in_unity_catalog]
        while waiting and not self._stopping.is_set():
            waiting = [entity for entity in waiting if not self._registered(entity)]
            if waiting:
                self._stopping.wait(_REGISTER_SECONDS)

    def _registered(self, entity: Entity) -> bool:
        owner = self._directory.service_principal(DEPLOYER)
        try:
            return owner is not None and register(self._metastore, owner, entity)
        except Exception as error:  # noqa: BLE001 - registration is for people to read; invocations do not need it
            logger.warning("{} is not registered in Unity Catalog: {}", entity.name, error)
            return False


def _routed(routes: list[dict[str, Any]]) -> str:
    """A served entity's name, drawn by the traffic percentages."""
    names = [route.get("served_model_name") or route["served_entity_name"] for route in routes]
    weights = [route["traffic_percentage"] for route in routes]
    chosen: str = random.choices(names, weights)[0]  # noqa: S311 - traffic splitting, not a secret
    return chosen
