"""Serving endpoints as documents: creating, changing, describing them, and who may do what with them."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable
from typing import Any

from local_workspace.http import ApiError
from local_workspace.identity.directory import EVERYONE
from local_workspace.identity.model import ADMIN_GROUP, Principal
from local_workspace.serving.entities import DEFAULT_ENDPOINTS, ENTITIES, Entity
from local_workspace.store import Store

Document = dict[str, Any]

DEPLOY_SECONDS = 1.0
"""How long a new endpoint or a new configuration takes to be ready; minutes on the platform."""
LEVELS = ("CAN_VIEW", "CAN_QUERY", "CAN_MANAGE")
"""The platform's permission levels of a serving endpoint, each including those before it."""
PERMISSIONS = "permissions"
"""Collection of access-control lists, by ``<object type>/<object id>``: ``{"access_control_list": [...]}``."""
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?")
_OWNER = "data-platform@example.com"


def acl_key(endpoint_id: str) -> str:
    """Where an endpoint's access-control list is kept in the ``permissions`` collection."""
    return f"serving-endpoints/{endpoint_id}"


def invalid(message: str) -> ApiError:
    """The platform's 400 for a wrong parameter."""
    return ApiError(400, "INVALID_PARAMETER_VALUE", message)


class Endpoints:
    """The endpoints of the workspace. Thread-safe; documents live in the store."""

    def __init__(self, store: Store, is_built: Callable[[str], bool], is_asleep: Callable[[str], bool]) -> None:
        """``is_built`` says whether an entity's model is there, ``is_asleep`` whether an endpoint is scaled to zero."""
        self._documents = store.collection("serving_endpoint")
        self._seeded = store.collection("serving_endpoint_seeded")
        self._permissions = store.collection(PERMISSIONS)
        self._is_built = is_built
        self._is_asleep = is_asleep

    def seed(self) -> None:
        """Make the endpoints of a new workspace, each once: a deleted one does not come back."""
        for name, entity_name in DEFAULT_ENDPOINTS:
            if not self._seeded.add(name, {}):
                continue
            entity = ENTITIES[entity_name]
            served = {"entity_name": entity_name, "entity_version": entity.version, "scale_to_zero_enabled": True}
            request = {"name": name, "description": entity.description, "config": {"served_entities": [served]}}
            document = self._add(request, _OWNER, ready_at=0.0)
            grants = [
                {"group_name": "analysts", "permission_level": "CAN_QUERY"},
                {"group_name": "users", "permission_level": "CAN_VIEW"},
                {"group_name": ADMIN_GROUP, "permission_level": "CAN_MANAGE"},
            ]
            self._permissions.put(acl_key(document["id"]), {"access_control_list": grants})

    def create(self, request: Document, creator: Principal) -> Document:
        """Add an endpoint; its creator may manage it.

        Raises:
            ApiError: 400 for a wrong name or configuration, 404 for an unknown entity, 409 for a taken name.
        """
        document = self._add(request, creator.name, ready_at=time.time() + DEPLOY_SECONDS)
        kind = "user_name" if creator.kind == "user" else "service_principal_name"
        grants = [{kind: creator.name, "permission_level": "CAN_MANAGE"}]
        self._permissions.put(acl_key(document["id"]), {"access_control_list": grants})
        return document

    def _add(self, request: Document, creator: str, ready_at: float) -> Document:
        name = request.get("name")
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise invalid("Endpoint name must be 1 to 63 characters of letters, digits, - and _.")
        now = int(time.time() * 1000)
        config = _config(request.get("config") or {}, 1, creator, now)
        document = {
            "id": secrets.token_hex(16),
            "name": name,
            "creator": creator,
            "creation_timestamp": now,
            "last_updated_timestamp": now,
            "description": request.get("description") or "",
            "tags": request.get("tags") or [],
            "ai_gateway": request.get("ai_gateway"),
            "route_optimized": bool(request.get("route_optimized", False)),
            "config": config,
            "ready_at": ready_at,
            "pending": None,
        }
        if not self._documents.add(name, document):
            raise ApiError(409, "RESOURCE_ALREADY_EXISTS", f"Endpoint with name '{name}' already exists.")
        return document

    def get(self, name: str) -> Document:
        """The endpoint's document, after a finished configuration change.

        Raises:
            ApiError: 404 when there is none.
        """
        document = self._documents.get(name)
        if document is not None and document["pending"] and document["pending"]["until"] <= time.time():
            document = self._documents.update(name, _settled)
        if document is None:
            raise ApiError(404, "RESOURCE_DOES_NOT_EXIST", f"Serving endpoint with name {name} not found")
        return document

    def names(self) -> list[str]:
        """The names of all endpoints, oldest first."""
        return [name for name, _ in self._documents.items()]

    def set_config(self, name: str, request: Document, editor: str) -> Document:
        """Begin to serve another configuration; the present one answers until the new one is ready."""
        now = time.time()

        def change(document: Document) -> Document:
            version = document["config"]["config_version"] + 1
            config = _config(request, version, editor, int(now * 1000))
            pending = {"config": config, "until": now + DEPLOY_SECONDS}
            return {**document, "pending": pending, "last_updated_timestamp": int(now * 1000)}

        return self._change(name, change)

    def patch_tags(self, name: str, request: Document) -> list[Document]:
        """Add and delete tags; the tags then."""
        added, removed = request.get("add_tags") or [], request.get("delete_tags") or []
        if not all(isinstance(tag, dict) and tag.get("key") for tag in added):
            raise invalid("Every tag needs a key.")

        def change(document: Document) -> Document:
            tags = {tag["key"]: tag for tag in document["tags"]} | {tag["key"]: tag for tag in added}
            return {**document, "tags": [tag for key, tag in tags.items() if key not in removed]}

        tags: list[Document] = self._change(name, change)["tags"]
        return tags

    def set_gateway(self, name: str, request: Document) -> Document:
        """Keep the AI Gateway settings; they are described and not applied."""
        self._change(name, lambda document: {**document, "ai_gateway": request})
        return request

    def _change(self, name: str, change: Callable[[Document], Document]) -> Document:
        self.get(name)
        document = self._documents.update(name, change)
        if document is None:
            raise ApiError(404, "RESOURCE_DOES_NOT_EXIST", f"Serving endpoint with name {name} not found")
        return document

    def delete(self, name: str) -> None:
        """Remove the endpoint and its access-control list."""
        document = self.get(name)
        self._documents.delete(name)
        self._permissions.delete(acl_key(document["id"]))

    def level(self, document: Document, principal: Principal) -> str | None:
        """The highest level that ``principal`` has, or None."""
        if principal.is_admin:
            return "CAN_MANAGE"
        listed = (self._permissions.get(acl_key(document["id"])) or {}).get("access_control_list", [])
        held = [entry for entry in listed if _is_for(entry, principal)]
        levels = {level for entry in held for level in _levels(entry)}
        return next((level for level in reversed(LEVELS) if level in levels), None)

    def require(self, document: Document, principal: Principal, level: str) -> None:
        """Refuse a principal below ``level``.

        Raises:
            ApiError: 403 in the platform's shape.
        """
        held = self.level(document, principal)
        if held is None or LEVELS.index(held) < LEVELS.index(level):
            raise ApiError(
                403,
                "PERMISSION_DENIED",
                f"User {principal.name} does not have permission {level} on serving endpoint '{document['name']}'.",
            )

    def state(self, document: Document) -> dict[str, str]:
        """The platform's ``state``: ready, and whether the configuration changes."""
        built = all(self._is_built(one["entity_name"]) for one in document["config"]["served_entities"])
        ready = built and document["ready_at"] <= time.time()
        changing = document["pending"] is not None or not ready
        return {
            "ready": "READY" if ready else "NOT_READY",
            "config_update": "IN_PROGRESS" if changing else "NOT_UPDATING",
        }

    def describe(self, document: Document, level: str | None = None) -> Document:
        """The endpoint as the API gives it; with ``level``, as GET of one endpoint gives it."""
        state = self.state(document)
        config = self._described_config(document, document["config"], ready=state["ready"] == "READY")
        tasks = {ENTITIES[one["entity_name"]].task for one in config["served_entities"]}
        shown = {
            key: document[key]
            for key in ("id", "name", "creator", "creation_timestamp", "last_updated_timestamp", "description", "tags")
        }
        shown |= {"state": state, "config": config, "task": tasks.pop() if len(tasks) == 1 else ""}
        shown |= {"route_optimized": document["route_optimized"]}
        if document["ai_gateway"]:
            shown["ai_gateway"] = document["ai_gateway"]
        if level is not None:
            shown["permission_level"] = level
            if document["pending"]:
                shown["pending_config"] = self._described_config(document, document["pending"]["config"], ready=False)
        return shown

    def _described_config(self, document: Document, config: Document, *, ready: bool) -> Document:
        deployment = "DEPLOYMENT_READY" if ready else "DEPLOYMENT_CREATING"
        message = "" if ready else "Creating the deployment."
        if ready and self._is_asleep(document["name"]):
            message = "Scaled to zero"
        state = {"deployment": deployment, "deployment_state_message": message}
        return {**config, "served_entities": [{**one, "state": state} for one in config["served_entities"]]}


def _settled(document: Document) -> Document:
    return {**document, "config": document["pending"]["config"], "pending": None}


def _is_for(entry: Document, principal: Principal) -> bool:
    """Whether an entry of an access-control list names ``principal`` or one of its groups."""
    group = entry.get("group_name")
    if group is not None:
        return group in principal.groups or group in (EVERYONE, "users")
    return principal.name.lower() in (
        str(entry.get("user_name", "")).lower(),
        str(entry.get("service_principal_name", "")).lower(),
    )


def _levels(entry: Document) -> list[str]:
    """The levels of an entry in its request form (one level) or its answer form (``all_permissions``)."""
    if "permission_level" in entry:
        return [entry["permission_level"]]
    return [permission.get("permission_level", "") for permission in entry.get("all_permissions", [])]


def _config(request: Document, version: int, creator: str, now: int) -> Document:
    """A validated configuration with the platform's defaults."""
    wanted = request.get("served_entities") or request.get("served_models")
    if not isinstance(wanted, list) or not wanted:
        raise invalid("config.served_entities must name at least one entity.")
    served = [_served_entity(one, creator, now) for one in wanted]
    names = [one["name"] for one in served]
    if len(set(names)) != len(names):
        raise invalid("Served entities must have different names.")
    routes = (request.get("traffic_config") or {}).get("routes")
    if not routes:
        if len(served) > 1:
            raise invalid("traffic_config is required for more than one served entity.")
        routes = [{"served_model_name": names[0], "traffic_percentage": 100}]
    _check_routes(routes, names)
    return {"served_entities": served, "traffic_config": {"routes": routes}, "config_version": version}


def _check_routes(routes: list[Document], names: list[str]) -> None:
    routed = [route.get("served_model_name") or route.get("served_entity_name") for route in routes]
    if not set(routed) <= set(names) or sum(route.get("traffic_percentage", 0) for route in routes) != 100:
        raise invalid("traffic_config.routes must name served entities and add up to 100 percent.")


def _served_entity(wanted: Any, creator: str, now: int) -> Document:
    if not isinstance(wanted, dict):
        raise invalid("A served entity is an object.")
    if "external_model" in wanted:
        raise ApiError(501, "NOT_IMPLEMENTED", "The local workspace does not serve external models.")
    name = wanted.get("entity_name") or wanted.get("model_name") or ""
    entity = ENTITIES.get(name)
    version = str(wanted.get("entity_version") or wanted.get("model_version") or "1")
    if entity is None or version != entity.version:
        raise ApiError(
            404,
            "RESOURCE_DOES_NOT_EXIST",
            f"The local workspace cannot serve '{name}' version {version}."
            f" It serves version 1 of {', '.join(ENTITIES)}.",
        )
    return _served_document(wanted, entity, creator, now)


def _served_document(wanted: Document, entity: Entity, creator: str, now: int) -> Document:
    kept: Document = {key: wanted[key] for key in ("environment_vars", "min_provisioned_throughput") if key in wanted}
    return {
        "name": wanted.get("name") or f"{entity.short_name}-{entity.version}",
        "entity_name": entity.name,
        "entity_version": entity.version,
        "type": "UC_MODEL" if entity.in_unity_catalog else "FOUNDATION_MODEL",
        "workload_size": wanted.get("workload_size") or "Small",
        "workload_type": wanted.get("workload_type") or "CPU",
        "scale_to_zero_enabled": bool(wanted.get("scale_to_zero_enabled", False)),
        "creator": creator,
        "creation_timestamp": now,
        **kept,
    }
