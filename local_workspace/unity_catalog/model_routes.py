"""Registered models, their versions and aliases over REST, under ``/api/2.1/unity-catalog/models``."""

from __future__ import annotations

from typing import cast

from flask import Blueprint, request

from local_workspace.http import ApiError
from local_workspace.unity_catalog import models, rest
from local_workspace.unity_catalog.metastore import Metastore
from local_workspace.unity_catalog.model import ModelVersion, RegisteredModel
from local_workspace.unity_catalog.views import Json, Views, add, fields, flag, page, required


def register(blueprint: Blueprint, metastore: Metastore) -> None:
    """Add the routes to ``blueprint``."""
    views = ModelViews(metastore)
    add(blueprint, "/models", GET=views.list_models, POST=views.create)
    add(blueprint, "/models/<full_name>", GET=views.get, PATCH=views.update, DELETE=views.delete)
    add(blueprint, "/models/<full_name>/versions", GET=views.list_versions)
    add(
        blueprint,
        "/models/<full_name>/versions/<int:version>",
        GET=views.get_version,
        PATCH=views.update_version,
        DELETE=views.delete_version,
    )
    add(
        blueprint,
        "/models/<full_name>/aliases/<alias>",
        GET=views.get_by_alias,
        PUT=views.set_alias,
        DELETE=views.delete_alias,
    )


class ModelViews(Views):
    """The views; each runs as the bearer of the token."""

    def list_models(self) -> Json:
        """``GET /models``: of one schema, or with neither catalog nor schema all that the caller may execute."""
        if bool(request.args.get("catalog_name")) != bool(request.args.get("schema_name")):
            raise ApiError(
                400, "INVALID_PARAMETER_VALUE", "catalog_name and schema_name must be given together or not at all."
            )
        if request.args.get("catalog_name"):
            catalog, schema = required("catalog_name").lower(), required("schema_name").lower()
            self.shows("schema", f"{catalog}.{schema}", "USE_SCHEMA")
            found = self.metastore.visible_models(self.principal, catalog, schema)
        else:
            found = [
                model
                for catalog in self.metastore.visible_catalogs(self.principal)
                for schema in self.metastore.visible_schemas(self.principal, catalog.name)
                for model in self.metastore.visible_models(self.principal, catalog.name, schema.name)
            ]
        return page("registered_models", found, lambda model: rest.registered_model(model, self.metastore_id))

    def create(self) -> Json:
        """``POST /models``."""
        known = ("catalog_name", "schema_name", "name", "comment")
        document = fields(known, needed=known[:3])
        full_name = ".".join(document[part] for part in known[:3])
        made = self.metastore.create_model(self.principal, full_name, comment=document.get("comment"))
        return rest.registered_model(made, self.metastore_id)

    def get(self, full_name: str) -> Json:
        """``GET /models/{full_name}``."""
        shown = self._readable(full_name)
        return rest.registered_model(shown, self.metastore_id, with_aliases=flag("include_aliases"))

    def update(self, full_name: str) -> Json:
        """``PATCH /models/{full_name}``: comment, owner, new_name."""
        document = fields(("full_name", "comment", "owner", "new_name"))
        if "comment" in document:
            self.metastore.comment_on(self.principal, "registered_model", full_name, document["comment"])
        if document.get("new_name"):
            renamed = self.metastore.rename(self.principal, "registered_model", full_name, document["new_name"])
            full_name = renamed.full_name
        if document.get("owner"):
            self.metastore.set_owner(self.principal, "registered_model", full_name, document["owner"])
        return rest.registered_model(self._kept(full_name), self.metastore_id)

    def delete(self, full_name: str) -> Json:
        """``DELETE /models/{full_name}``."""
        self.metastore.drop_model(self.principal, full_name)
        return {}

    def list_versions(self, full_name: str) -> Json:
        """``GET /models/{full_name}/versions``: newest first."""
        model = self._readable(full_name)
        newest_first = list(reversed(model.versions))
        return page("model_versions", newest_first, lambda one: self._version(model, one))

    def get_version(self, full_name: str, version: int) -> Json:
        """``GET /models/{full_name}/versions/{version}``."""
        model = self._readable(full_name)
        return self._version(model, models.model_version(model, version))

    def update_version(self, full_name: str, version: int) -> Json:
        """``PATCH /models/{full_name}/versions/{version}``: comment."""
        document = fields(("full_name", "version", "comment"))
        changed = self.metastore.comment_on_model_version(self.principal, full_name, version, document.get("comment"))
        return self._version(self._kept(full_name), changed)

    def delete_version(self, full_name: str, version: int) -> Json:
        """``DELETE /models/{full_name}/versions/{version}``."""
        self.metastore.drop_model_version(self.principal, full_name, version)
        return {}

    def get_by_alias(self, full_name: str, alias: str) -> Json:
        """``GET /models/{full_name}/aliases/{alias}``: the version that the alias points at."""
        model = self._readable(full_name)
        return self._version(model, models.aliased_version(model, alias))

    def set_alias(self, full_name: str, alias: str) -> Json:
        """``PUT /models/{full_name}/aliases/{alias}`` with ``version_num``."""
        number = fields(("full_name", "alias", "version_num"), needed=("version_num",))["version_num"]
        if not isinstance(number, int) or isinstance(number, bool):
            raise ApiError(400, "INVALID_PARAMETER_VALUE", "version_num must be a number.")
        model = self.metastore.set_alias(self.principal, full_name, alias, number)
        return {
            "alias_name": alias,
            "version_num": number,
            "model_name": model.name,
            "catalog_name": model.catalog_name,
            "schema_name": model.schema_name,
        }

    def delete_alias(self, full_name: str, alias: str) -> Json:
        """``DELETE /models/{full_name}/aliases/{alias}``."""
        self.metastore.drop_alias(self.principal, full_name, alias)
        return {}

    def _version(self, model: RegisteredModel, version: ModelVersion) -> Json:
        return rest.model_version(model, version, self.metastore_id, with_aliases=flag("include_aliases"))

    def _readable(self, full_name: str) -> RegisteredModel:
        """The model, when the caller may execute or manage it."""
        return self.metastore.readable_model(self.principal, full_name)

    def _kept(self, full_name: str) -> RegisteredModel:
        return cast("RegisteredModel", self.metastore.find("registered_model", full_name))
