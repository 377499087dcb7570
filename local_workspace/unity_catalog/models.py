"""Registered models, their versions and aliases."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from local_workspace.identity.model import Principal
from local_workspace.unity_catalog.definitions import three_parts
from local_workspace.unity_catalog.errors import AlreadyExists, InvalidRequest, NotFound
from local_workspace.unity_catalog.model import ModelVersion, RegisteredModel
from local_workspace.unity_catalog.names import name_problem
from local_workspace.unity_catalog.objects import checked_names, now_ms
from local_workspace.unity_catalog.tables import Tables


class Models(Tables):
    """Registered models; all methods take the acting principal first."""

    def readable_model(self, principal: Principal, full_name: str) -> RegisteredModel:
        """The model, when ``principal`` may execute or manage it.

        Raises:
            PermissionDenied, NotFound, InvalidRequest: as the platform.
        """
        self.require_visible_parents(principal, "registered_model", full_name)
        if not self.sees(principal, "registered_model", full_name):
            self.require(principal, "EXECUTE", "registered_model", full_name)
        return cast("RegisteredModel", self.find("registered_model", full_name))

    def create_model(self, principal: Principal, full_name: str, *, comment: str | None = None) -> RegisteredModel:
        """Register a model without versions; needs USE and CREATE MODEL on the schema.

        Raises:
            PermissionDenied, NotFound, AlreadyExists, InvalidRequest: as the platform.
        """
        catalog, schema, name = checked_names(three_parts(full_name))
        with self._lock:
            self._require_inside(principal, "CREATE_MODEL", "schema", f"{catalog}.{schema}")
            if self.model(catalog, schema, name) is not None:
                raise AlreadyExists("registered_model", f"{catalog}.{schema}.{name}")
            now = now_ms()
            return self._save(
                "registered_model",
                RegisteredModel(
                    catalog,
                    schema,
                    name,
                    principal.name,
                    comment,
                    created_at=now,
                    updated_at=now,
                    created_by=principal.name,
                ),
            )

    def drop_model(self, principal: Principal, full_name: str) -> None:
        """Delete a registered model with all versions; needs ownership or MANAGE."""
        with self._changing() as freed:
            self.require_manage(principal, "registered_model", full_name)
            self._remove("registered_model", full_name.lower(), freed)

    def create_model_version(
        self, principal: Principal, full_name: str, *, source: str = "", run_id: str = "", comment: str | None = None
    ) -> ModelVersion:
        """Add a version, ready for serving; needs ownership of the model, MANAGE or CREATE MODEL VERSION."""
        with self._lock:
            model = self._writable(principal, full_name)
            now = now_ms()
            version = ModelVersion(model.next_version, source, run_id, comment, "READY", now, now, principal.name)
            self._save(
                "registered_model",
                replace(
                    model,
                    versions=(*model.versions, version),
                    next_version=version.version + 1,
                    updated_at=now,
                ),
            )
            return version

    def comment_on_model_version(
        self, principal: Principal, full_name: str, version: int, comment: str | None
    ) -> ModelVersion:
        """Set or clear a version's comment; needs ownership or MANAGE."""
        with self._lock:
            model = cast("RegisteredModel", self.require_manage(principal, "registered_model", full_name))
            changed = replace(model_version(model, version), comment=comment, updated_at=now_ms())
            versions = tuple(changed if kept.version == version else kept for kept in model.versions)
            self._save("registered_model", replace(model, versions=versions, updated_at=now_ms()))
            return changed

    def drop_model_version(self, principal: Principal, full_name: str, version: int) -> None:
        """Delete a version and the aliases that point at it; needs ownership or MANAGE."""
        with self._lock:
            model = cast("RegisteredModel", self.require_manage(principal, "registered_model", full_name))
            model_version(model, version)
            versions = tuple(kept for kept in model.versions if kept.version != version)
            aliases = {alias: number for alias, number in model.aliases.items() if number != version}
            self._save("registered_model", replace(model, versions=versions, aliases=aliases, updated_at=now_ms()))

    def set_alias(self, principal: Principal, full_name: str, alias: str, version: int) -> RegisteredModel:
        """Point an alias at a version, moving it when it exists; needs ownership or MANAGE.

        Raises:
            InvalidRequest, NotFound, PermissionDenied: it is no name, there is no such version, or they may not.
        """
        if name_problem(alias):
            raise InvalidRequest(f"Invalid alias '{alias}': {name_problem(alias)}.")
        with self._lock:
            model = cast("RegisteredModel", self.require_manage(principal, "registered_model", full_name))
            model_version(model, version)
            aliases = model.aliases | {alias: version}
            return self._save("registered_model", replace(model, aliases=aliases, updated_at=now_ms()))

    def drop_alias(self, principal: Principal, full_name: str, alias: str) -> None:
        """Remove an alias; needs ownership or MANAGE. Raises NotFound when there is none of that name."""
        with self._lock:
            model = cast("RegisteredModel", self.require_manage(principal, "registered_model", full_name))
            aliased_version(model, alias)
            aliases = {name: number for name, number in model.aliases.items() if name != alias}
            self._save("registered_model", replace(model, aliases=aliases, updated_at=now_ms()))

    def _writable(self, principal: Principal, full_name: str) -> RegisteredModel:
        if self.holds(principal, "CREATE_MODEL_VERSION", "registered_model", full_name):
            value = self.require(principal, "CREATE_MODEL_VERSION", "registered_model", full_name)
        else:
            value = self.require_manage(principal, "registered_model", full_name)
        return cast("RegisteredModel", value)


def model_version(model: RegisteredModel, version: int) -> ModelVersion:
    """The version of that number.

    Raises:
        NotFound: there is none.
    """
    for kept in model.versions:
        if kept.version == version:
            return kept
    raise NotFound("model_version", f"{model.full_name} version {version}")


def aliased_version(model: RegisteredModel, alias: str) -> ModelVersion:
    """The version that an alias points at.

    Raises:
        NotFound: the model has no such alias.
    """
    if alias not in model.aliases:
        raise NotFound("model_alias", f"{model.full_name}@{alias}")
    return model_version(model, model.aliases[alias])
