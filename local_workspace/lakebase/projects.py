"""Projects, branches, endpoints, roles and databases of the Autoscaling API.

Every object has a full name that is its path (``projects/p/branches/b/endpoints/e``), what the client wants in ``spec``
and what is in ``status``; answers carry ``status`` only. Changes are long-running operations that are done at once
here. Fields follow https://docs.databricks.com/api/workspace/postgres.
"""

from __future__ import annotations

import re
import threading
import uuid
from collections import OrderedDict
from typing import Any

from local_workspace.http import ApiError
from local_workspace.identity.directory import Directory
from local_workspace.identity.model import Principal
from local_workspace.lakebase.instances import now
from local_workspace.lakebase.storages import Document, Storages
from local_workspace.store import Store

DEFAULT_BRANCH = "production"
DEFAULT_ENDPOINT = "primary"
_HOST = "127.0.0.1"
_ID = re.compile(r"[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?")
_ROLE_KINDS = {"USER": "user", "SERVICE_PRINCIPAL": "service_principal"}
_SINGULAR = {
    "projects": "project",
    "branches": "branch",
    "endpoints": "endpoint",
    "roles": "role",
    "databases": "database",
}
_KEPT_OPERATIONS = 1000


def kind_of(name: str) -> str:
    """The collection that a full name belongs to: the last word but one."""
    return name.split("/")[-2]


class Projects:
    """All objects below ``/api/2.0/postgres``."""

    def __init__(self, store: Store, storages: Storages, directory: Directory, postgres_version: int) -> None:
        """Nothing is read until a method is called."""
        self._documents = store.collection("lakebase_project_object")
        self._storages = storages
        self._directory = directory
        self._version = postgres_version
        self._operations: OrderedDict[str, Document] = OrderedDict()
        self._lock = threading.RLock()

    def ensure(self, project_id: str, owner: Principal | None, storage: str) -> None:
        """Makes the project of the first start, over data that an instance shows too."""
        if self._documents.get(f"projects/{project_id}") is None:
            self._make_project(project_id, {}, owner, storage)

    def get(self, name: str) -> Document:
        """One object by its full name.

        Raises:
            ApiError: 404 in the platform's words.
        """
        return _public(self._get(name))

    def _get(self, name: str) -> Document:
        document = self._documents.get(name)
        if document is None:
            kind = _SINGULAR.get(kind_of(name), "object") if "/" in name else "object"
            raise ApiError(404, "NOT_FOUND", f"{kind} id not found [TraceId: {uuid.uuid4().hex}]")
        return document

    def list(self, parent: str, collection: str) -> list[Document]:
        """The objects of one collection below ``parent`` (empty for projects).

        Raises:
            ApiError: 404 when the parent does not exist.
        """
        if parent:
            self._get(parent)
        pattern = re.compile(re.escape(f"{parent}/{collection}/" if parent else f"{collection}/") + r"[^/]+")
        return [_public(document) for name, document in self._documents.items() if pattern.fullmatch(name)]

    def create(
        self, parent: str, collection: str, object_id: str, body: Document, owner: Principal, *, replace: bool = False
    ) -> Document:
        """Makes an object and gives the finished operation.

        Args:
            parent: full name of the parent; empty for a project.
            collection: ``projects``, ``branches``, ``endpoints``, ``roles`` or ``databases``.
            object_id: last word of the new name.
            body: the client's object.
            owner: the caller.
            replace: update a branch that exists instead of refusing.

        Raises:
            ApiError: 400 for a bad id or body, 404 for a missing parent, 409 when it exists.
        """
        if not _ID.fullmatch(object_id):
            raise ApiError(400, "INVALID_PARAMETER_VALUE", f"Invalid {_SINGULAR[collection]}_id: {object_id!r}.")
        with self._lock:
            if parent:
                self._get(parent)
            name = f"{parent}/{collection}/{object_id}" if parent else f"{collection}/{object_id}"
            spec = _spec(body)
            if self._documents.get(name) is not None:
                if replace:
                    return self.update(name, body, "spec")
                raise ApiError(409, "ALREADY_EXISTS", f"{_SINGULAR[collection]} {name} already exists")
            match collection:
                case "projects":
                    self._make_project(object_id, spec, owner, None)
                case "branches":
                    self._make_branch(parent, object_id, spec, owner, None)
                case "endpoints":
                    self._make_endpoint(parent, object_id, spec)
                case "roles":
                    self._make_role(parent, object_id, spec)
                case _:
                    self._make_database(parent, object_id, spec)
            return self._done(name, self.get(name))

    def update(self, name: str, body: Document, mask: str) -> Document:
        """Changes the fields of ``spec`` that ``mask`` names and gives the finished operation.

        Raises:
            ApiError: 404.
        """
        spec = _spec(body)
        fields = {_snake(field).removeprefix("spec.").split(".")[0] for field in mask.strip('"').split(",") if field}
        whole = not fields or bool(fields & {"*", "spec"})
        wanted = {key: value for key, value in spec.items() if whole or key in fields}

        def change(document: Document) -> Document:
            status = {**document["status"], **wanted}
            return {**document, "status": status, "update_time": now()}

        self._get(name)
        self._documents.update(name, change)
        return self._done(name, self.get(name))

    def delete(self, name: str) -> Document:
        """Removes an object and everything below it, with its data, and gives the finished operation.

        Raises:
            ApiError: 404; 400 for a project's default branch.
        """
        with self._lock:
            document = self._get(name)
            if kind_of(name) == "branches" and document["status"].get("default"):
                raise ApiError(400, "INVALID_PARAMETER_VALUE", "The default branch of a project cannot be deleted.")
            self._remove_in_server(name, document)
            for below, other in self._documents.items():
                if below.startswith(f"{name}/"):
                    if kind_of(below) == "branches":
                        self._storages.release(other["storage"], below)
                    self._documents.delete(below)
            self._documents.delete(name)
            return self._done(name, {})

    def _remove_in_server(self, name: str, document: Document) -> None:
        match kind_of(name):
            case "branches":
                self._storages.release(document["storage"], name)
            case "roles":
                self._storages.remove_role(self.storage(name), document["status"]["postgres_role"])
            case "databases":
                self._storages.remove_database(self.storage(name), document["status"]["postgres_database"])

    def operation(self, name: str) -> Document:
        """A former change.

        Raises:
            ApiError: 404.
        """
        with self._lock:
            if name not in self._operations:
                raise ApiError(404, "NOT_FOUND", f"operation id not found [TraceId: {uuid.uuid4().hex}]")
            return self._operations[name]

    def storage(self, name: str) -> str:
        """The storage of a branch or of anything below it.

        Raises:
            ApiError: 404 when the object does not exist.
        """
        self._get(name)
        parts = name.split("/")
        if len(parts) < 4:
            raise ApiError(404, "NOT_FOUND", f"branch id not found [TraceId: {uuid.uuid4().hex}]")
        return str(self._get("/".join(parts[:4]))["storage"])

    def database_name(self, name: str) -> str:
        """The Postgres name of a database object.

        Raises:
            ApiError: 404.
        """
        return str(self._get(name)["status"]["postgres_database"])

    def _put(self, name: str, status: Document, **more: Any) -> None:
        parts = name.split("/")
        singular = _SINGULAR[parts[-2]]
        document = {"name": name, f"{singular}_id": parts[-1], "uid": str(uuid.uuid4()), **more, "status": status}
        status[f"{singular}_id"] = parts[-1]
        if len(parts) > 2:
            document["parent"] = "/".join(parts[:-2])
        document["create_time"] = document["update_time"] = now()
        self._documents.put(name, document)

    def _make_project(self, project_id: str, spec: Document, owner: Principal | None, storage: str | None) -> None:
        name = f"projects/{project_id}"
        status = {
            "display_name": project_id,
            "pg_version": self._version,
            "history_retention_duration": "604800s",
            "enable_pg_native_login": False,
            "default_endpoint_settings": {"autoscaling_limit_min_cu": 1, "autoscaling_limit_max_cu": 1},
            **spec,
            "owner": owner.name if owner else "",
            "default_branch": f"{name}/branches/{DEFAULT_BRANCH}",
        }
        self._put(name, status)
        self._make_branch(name, DEFAULT_BRANCH, {}, owner, storage)

    def _make_branch(
        self, project: str, branch_id: str, spec: Document, owner: Principal | None, storage: str | None
    ) -> None:
        name = f"{project}/branches/{branch_id}"
        first = not self.list(project, "branches")
        if storage is None:
            source = None if first else spec.get("source_branch") or f"{project}/branches/{DEFAULT_BRANCH}"
            storage = self._storages.create(owner, copy_of=self.storage(source) if source else None)
        self._storages.hold(storage, name)
        status = {"current_state": "READY", "is_protected": False, **spec, "default": first}
        self._put(name, status, storage=storage)
        self._make_endpoint(name, DEFAULT_ENDPOINT, {"endpoint_type": "ENDPOINT_TYPE_READ_WRITE"})
        for role, entry in self._storages.roles(storage).items():
            self._put_role(name, _role_id(role), role, entry["kind"], superuser=entry["superuser"])
        for database in self._storages.databases(storage):
            self._put_database(name, database.replace("_", "-"), database, {})

    def _make_endpoint(self, branch: str, endpoint_id: str, spec: Document) -> None:
        status = {
            "endpoint_type": "ENDPOINT_TYPE_READ_WRITE",
            "autoscaling_limit_min_cu": 1,
            "autoscaling_limit_max_cu": 1,
            "disabled": False,
            **spec,
            "current_state": "ACTIVE",
            "hosts": {"host": _HOST, "read_only_host": _HOST, "read_write_pooled_host": _HOST},
        }
        self._put(f"{branch}/endpoints/{endpoint_id}", status)

    def _make_role(self, branch: str, role_id: str, spec: Document) -> None:
        role = spec.get("postgres_role")
        kind = _ROLE_KINDS.get(str(spec.get("identity_type")))
        if kind is None:
            raise ApiError(
                501, "NOT_IMPLEMENTED", "The local workspace makes roles for users and service principals only."
            )
        if not isinstance(role, str) or self._directory.get(role) is None:
            raise ApiError(400, "INVALID_PARAMETER_VALUE", f"No identity is called {role!r}.")
        superuser = "DATABRICKS_SUPERUSER" in (spec.get("membership_roles") or [])
        self._storages.add_role(self.storage(branch), role, kind, superuser_like=superuser)
        self._put_role(branch, role_id, role, kind, superuser=superuser)

    def _put_role(self, branch: str, role_id: str, role: str, kind: str, *, superuser: bool) -> None:
        status = {
            "postgres_role": role,
            "identity_type": kind.upper(),
            "auth_method": "LAKEBASE_OAUTH_V1",
            "membership_roles": ["DATABRICKS_SUPERUSER"] if superuser else [],
            "attributes": {"bypassrls": superuser, "createdb": False, "createrole": False},
        }
        self._put(f"{branch}/roles/{role_id}", status)

    def _make_database(self, branch: str, database_id: str, spec: Document) -> None:
        database = spec.get("postgres_database") or database_id.replace("-", "_")
        storage = self.storage(branch)
        self._storages.add_database(storage, database)
        owner = spec.get("role")
        if isinstance(owner, str) and owner.startswith("projects/"):
            role = self._get(owner)["status"]
            self._storages.grant(storage, role["postgres_role"], role["identity_type"].lower(), database)
        self._put_database(branch, database_id, database, {"role": owner} if owner else {})

    def _put_database(self, branch: str, database_id: str, database: str, more: Document) -> None:
        self._put(f"{branch}/databases/{database_id}", {"postgres_database": database, **more})

    def _done(self, name: str, response: Document) -> Document:
        operation_name = f"{name}/operations/{uuid.uuid4()}"
        operation = {"name": operation_name, "done": True, "metadata": {}, "response": response}
        with self._lock:
            self._operations[operation_name] = operation
            while len(self._operations) > _KEPT_OPERATIONS:
                self._operations.popitem(last=False)
        return operation


def _role_id(role: str) -> str:
    """An id made of a role's name: letters, digits and hyphens, not starting with a digit."""
    cleaned = re.sub(r"[^a-z0-9]+", "-", role.lower()).strip("-")
    return cleaned if cleaned[:1].isalpha() else f"role-{cleaned}"


def _spec(body: Document) -> Document:
    spec = body.get("spec") or {}
    if not isinstance(spec, dict):
        raise ApiError(400, "MALFORMED_REQUEST", "spec is not an object.")
    return dict(spec)


def _snake(name: str) -> str:
    """Field masks of the SDK are in camel case, the objects in snake case."""
    return re.sub(r"([A-Z])", lambda match: "_" + match.group(1).lower(), name)


def _public(document: Document) -> Document:
    return {name: value for name, value in document.items() if name != "storage"}
