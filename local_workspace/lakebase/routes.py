"""REST routes of Lakebase: ``/api/2.0/database`` (Provisioned) and ``/api/2.0/postgres`` (Autoscaling).

All need the scope ``postgres``, as on the platform.
"""

from __future__ import annotations

import uuid
from typing import Any

from flask import Blueprint, request

from local_workspace.http import ApiError, body, not_implemented, page_of
from local_workspace.identity.authentication import authenticated, caller
from local_workspace.lakebase.lakebase import Lakebase
from local_workspace.lakebase.storages import Document, Storages

SCOPE = "postgres"
_COLLECTIONS = frozenset({"projects", "branches", "endpoints", "roles", "databases"})


def blueprint(lakebase: Lakebase) -> Blueprint:
    """The routes over ``lakebase``."""
    routes = Blueprint("lakebase", __name__)
    _add_instances(routes, lakebase)
    _add_instance_roles(routes, lakebase)
    _add_catalogs(routes, lakebase)
    _add_credentials(routes, lakebase)
    _add_projects(routes, lakebase)
    return routes


def _listed(name: str, items: list[Document]) -> Document:
    page, token = page_of(items)
    answer: Document = {name: page}
    if token:
        answer["next_page_token"] = token
    return answer


def _add_instances(routes: Blueprint, lakebase: Lakebase) -> None:
    instances = lakebase.instances

    @routes.get("/api/2.0/database/instances")
    @authenticated(SCOPE)
    def list_instances() -> Document:
        return _listed("database_instances", instances.list())

    @routes.post("/api/2.0/database/instances")
    @authenticated(SCOPE)
    def create_instance() -> Document:
        return instances.create(body(), caller().principal)

    @routes.get("/api/2.0/database/instances:findByUid")
    @authenticated(SCOPE)
    def find_instance() -> Document:
        return instances.by_uid(request.args.get("uid", ""))

    @routes.get("/api/2.0/database/instances/<name>")
    @authenticated(SCOPE)
    def get_instance(name: str) -> Document:
        return instances.get(name)

    @routes.patch("/api/2.0/database/instances/<name>")
    @authenticated(SCOPE)
    def update_instance(name: str) -> Document:
        _owner_or_admin(instances.get(name)["creator"])
        return instances.update(name, body())

    @routes.delete("/api/2.0/database/instances/<name>")
    @authenticated(SCOPE)
    def delete_instance(name: str) -> Document:
        if request.args.get("purge") != "true":
            raise ApiError(400, "INVALID_PARAMETER_VALUE", "DELETE request must have purge=true parameter")
        _owner_or_admin(instances.get(name)["creator"])
        instances.delete(name)
        lakebase.forget(name)
        return {}


def _owner_or_admin(owner: str) -> None:
    principal = caller().principal
    if principal.name != owner and not principal.is_admin:
        raise ApiError(403, "PERMISSION_DENIED", f"{principal.name} does not have CAN MANAGE on this database.")


def _add_instance_roles(routes: Blueprint, lakebase: Lakebase) -> None:
    storages = lakebase.storages

    @routes.get("/api/2.0/database/instances/<name>/roles")
    @authenticated(SCOPE)
    def list_roles(name: str) -> Document:
        known = storages.roles(lakebase.instances.storage(name))
        return _listed("database_instance_roles", [_role(name, role, entry) for role, entry in known.items()])

    @routes.post("/api/2.0/database/instances/<name>/roles")
    @authenticated(SCOPE)
    def create_role(name: str) -> Document:
        _owner_or_admin(lakebase.instances.get(name)["creator"])
        return _create_role(storages, lakebase.instances.storage(name), name, body())

    @routes.get("/api/2.0/database/instances/<name>/roles/<role>")
    @authenticated(SCOPE)
    def get_role(name: str, role: str) -> Document:
        return _known_role(storages, lakebase.instances.storage(name), name, role)

    @routes.delete("/api/2.0/database/instances/<name>/roles/<role>")
    @authenticated(SCOPE)
    def delete_role(name: str, role: str) -> Document:
        _owner_or_admin(lakebase.instances.get(name)["creator"])
        storage = lakebase.instances.storage(name)
        _known_role(storages, storage, name, role)
        storages.remove_role(storage, role)
        return {}


def _create_role(storages: Storages, storage: str, instance: str, wanted: Document) -> Document:
    role, identity_type = wanted.get("name"), wanted.get("identity_type")
    if identity_type not in ("USER", "SERVICE_PRINCIPAL"):
        raise ApiError(501, "NOT_IMPLEMENTED", "The local workspace makes roles for users and service principals only.")
    if not isinstance(role, str) or not role:
        raise ApiError(400, "INVALID_PARAMETER_VALUE", "name is missing.")
    if role in storages.roles(storage):
        raise ApiError(409, "RESOURCE_ALREADY_EXISTS", f"Role {role} already exists.")
    superuser = wanted.get("membership_role") == "DATABRICKS_SUPERUSER"
    storages.add_role(storage, role, identity_type.lower(), superuser_like=superuser)
    return _known_role(storages, storage, instance, role)


def _known_role(storages: Storages, storage: str, instance: str, role: str) -> Document:
    entry = storages.roles(storage).get(role)
    if entry is None:
        raise ApiError(404, "NOT_FOUND", f"Role {role} does not exist.")
    return _role(instance, role, entry)


def _role(instance: str, role: str, entry: Document) -> Document:
    attributes = {"bypassrls": entry["superuser"], "createdb": False, "createrole": False}
    document = {"name": role, "instance_name": instance, "identity_type": entry["kind"].upper()}
    document |= {"attributes": attributes, "effective_attributes": attributes}
    return document | ({"membership_role": "DATABRICKS_SUPERUSER"} if entry["superuser"] else {})


def _add_catalogs(routes: Blueprint, lakebase: Lakebase) -> None:
    catalogs = lakebase.catalogs

    @routes.post("/api/2.0/database/catalogs")
    @authenticated(SCOPE)
    def create_catalog() -> Document:
        return _create_catalog(lakebase, body())

    @routes.get("/api/2.0/database/catalogs/<name>")
    @authenticated(SCOPE)
    def get_catalog(name: str) -> Document:
        return _catalog(lakebase, name)

    @routes.get("/api/2.0/database/instances/<name>/catalogs")
    @authenticated(SCOPE)
    def list_catalogs(name: str) -> Document:
        lakebase.instances.get(name)
        return _listed("database_catalogs", [one for one in catalogs.values() if one["database_instance_name"] == name])

    @routes.delete("/api/2.0/database/catalogs/<name>")
    @authenticated(SCOPE)
    def delete_catalog(name: str) -> Document:
        _catalog(lakebase, name)
        catalogs.delete(name)
        return {}


def _create_catalog(lakebase: Lakebase, wanted: Document) -> Document:
    name, database = str(wanted.get("name", "")), str(wanted.get("database_name", ""))
    storage = lakebase.instances.storage(str(wanted.get("database_instance_name", "")))
    if not name:
        raise ApiError(400, "INVALID_PARAMETER_VALUE", "name is missing.")
    if database not in lakebase.storages.databases(storage):
        if not wanted.get("create_database_if_not_exists"):
            raise ApiError(404, "NOT_FOUND", f"Database {database} does not exist.")
        lakebase.storages.add_database(storage, database)
    if not lakebase.catalogs.add(name, {**wanted, "uid": str(uuid.uuid4())}):
        raise ApiError(409, "RESOURCE_ALREADY_EXISTS", f"Database catalog {name} already exists.")
    return _catalog(lakebase, name)


def _catalog(lakebase: Lakebase, name: str) -> Document:
    document = lakebase.catalogs.get(name)
    if document is None:
        raise ApiError(404, "NOT_FOUND", f"Database catalog '{name}' not found.")
    return document


def _add_credentials(routes: Blueprint, lakebase: Lakebase) -> None:
    @routes.post("/api/2.0/database/credentials")
    @authenticated(SCOPE)
    def provisioned_credential() -> Document:
        names = body().get("instance_names")
        if not isinstance(names, list) or not names:
            raise ApiError(
                400, "INVALID_PARAMETER_VALUE", "At least one of instance_names or claims must be specified."
            )
        if len(names) > 1:
            raise ApiError(501, "NOT_IMPLEMENTED", "The local workspace makes a credential for one instance at a time.")
        token, end = lakebase.mint(caller(), str(names[0]))
        return {"token": token, "expiration_time": end}

    @routes.post("/api/2.0/postgres/credentials")
    @authenticated(SCOPE)
    def autoscaling_credential() -> Document:
        wanted = body()
        endpoint = str(wanted.get("endpoint", ""))
        if not endpoint.startswith("projects/") or "/endpoints/" not in endpoint:
            raise ApiError(
                400, "INVALID_PARAMETER_VALUE", "endpoint must be projects/{id}/branches/{id}/endpoints/{id}."
            )
        token, end = lakebase.mint(caller(), endpoint, _ttl(wanted.get("ttl")))
        return {"token": token, "expire_time": end}


def _ttl(value: Any) -> float | None:
    if value is None:
        return None
    try:
        seconds = float(str(value).removesuffix("s"))
    except ValueError:
        raise ApiError(400, "INVALID_PARAMETER_VALUE", f"Invalid ttl {value!r}.") from None
    if not 300 <= seconds <= 3600:
        raise ApiError(400, "INVALID_PARAMETER_VALUE", "ttl must be between 300s and 3600s.")
    return seconds


def _add_projects(routes: Blueprint, lakebase: Lakebase) -> None:
    projects = lakebase.projects

    @routes.get("/api/2.0/postgres/<path:path>")
    @authenticated(SCOPE)
    def get_or_list(path: str) -> Document:
        parent, collection = _split(path)
        if collection:
            return _listed(collection, projects.list(parent, collection))
        if "/operations/" in path:
            return projects.operation(path)
        return projects.get(path)

    @routes.post("/api/2.0/postgres/<path:path>")
    @authenticated(SCOPE)
    def create(path: str) -> Document:
        parent, collection = _split(path)
        if not collection:
            raise not_implemented(request.path.lstrip("/"))
        if parent:
            _owner_or_admin(_owner(lakebase, parent))
        wanted = {"projects": "project_id", "branches": "branch_id"}.get(collection, f"{collection[:-1]}_id")
        object_id = request.args.get(wanted, "") or str(body().get(wanted, ""))
        replace = request.args.get("replace_existing", "").lower() == "true"
        return projects.create(parent, collection, object_id, body(), caller().principal, replace=replace)

    @routes.patch("/api/2.0/postgres/<path:path>")
    @authenticated(SCOPE)
    def update(path: str) -> Document:
        _owner_or_admin(_owner(lakebase, path))
        return projects.update(path, body(), request.args.get("update_mask", ""))

    @routes.delete("/api/2.0/postgres/<path:path>")
    @authenticated(SCOPE)
    def delete(path: str) -> Document:
        _owner_or_admin(_owner(lakebase, path))
        done = projects.delete(path)
        if path.count("/") == 1:
            lakebase.forget(path)
        return done


def _split(path: str) -> tuple[str, str]:
    """Parent and collection of a path that ends in a collection's name; an empty collection otherwise."""
    parts = path.split("/")
    if len(parts) % 2 and parts[-1] in _COLLECTIONS:
        return "/".join(parts[:-1]), parts[-1]
    return "", ""


def _owner(lakebase: Lakebase, name: str) -> str:
    return str(lakebase.projects.get("/".join(name.split("/")[:2]))["status"]["owner"])
