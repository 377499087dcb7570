"""Unity Catalog's REST API, under ``/api/2.1/unity-catalog``: catalogs, schemas, tables, functions, the metastore."""

from __future__ import annotations

import re
from typing import Any, cast

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from local_workspace import http
from local_workspace.http import ApiError
from local_workspace.identity.authentication import authenticated
from local_workspace.identity.directory import Directory
from local_workspace.unity_catalog import model_routes, permission_routes, rest
from local_workspace.unity_catalog.access import METASTORE_NAME
from local_workspace.unity_catalog.errors import UnityCatalogError
from local_workspace.unity_catalog.metastore import Metastore
from local_workspace.unity_catalog.model import Catalog, Function, Schema, SecurableType, Table
from local_workspace.unity_catalog.views import Json, Views, add, fields, flag, page, required

_CATALOG_SCOPES = ("catalog.catalogs:read",)
_SCHEMA_SCOPES = ("catalog.schemas:read",)
_TABLE_SCOPES = ("catalog.tables:read",)


def blueprint(metastore: Metastore, directory: Directory) -> Blueprint:
    """The routes over ``metastore``. Owners and grantees must be people, service principals or groups of ``directory``.

    Every request runs as the bearer of its token; what that principal may not see is not shown.
    """
    metastore.recognise(lambda name: directory.get(name) is not None or name in directory.groups())
    made = Blueprint("unity_catalog", __name__, url_prefix="/api/2.1/unity-catalog")
    made.register_error_handler(UnityCatalogError, _answer)
    containers, tables = ContainerViews(metastore), TableViews(metastore)
    add(made, "/catalogs", _CATALOG_SCOPES, GET=containers.list_catalogs, POST=containers.create_catalog)
    add(
        made,
        "/catalogs/<name>",
        _CATALOG_SCOPES,
        GET=containers.get_catalog,
        PATCH=containers.update_catalog,
        DELETE=containers.delete_catalog,
    )
    add(made, "/schemas", _SCHEMA_SCOPES, GET=containers.list_schemas, POST=containers.create_schema)
    add(
        made,
        "/schemas/<full_name>",
        _SCHEMA_SCOPES,
        GET=containers.get_schema,
        PATCH=containers.update_schema,
        DELETE=containers.delete_schema,
    )
    add(made, "/tables", _TABLE_SCOPES, GET=tables.list_tables)
    add(
        made,
        "/tables/<full_name>",
        _TABLE_SCOPES,
        GET=tables.get_table,
        PATCH=tables.update_table,
        DELETE=tables.delete_table,
    )
    add(made, "/tables/<full_name>/exists", _TABLE_SCOPES, GET=tables.table_exists)
    add(made, "/table-summaries", _TABLE_SCOPES, GET=tables.list_summaries)
    add(made, "/functions", GET=tables.list_functions)
    add(
        made,
        "/functions/<full_name>",
        GET=tables.get_function,
        PATCH=tables.update_function,
        DELETE=tables.drop_function,
    )
    model_routes.register(made, metastore)
    permission_routes.register(made, metastore)
    add(made, "/current-metastore-assignment", GET=containers.current_assignment)
    add(made, "/metastore_summary", GET=containers.summary)
    made.add_url_rule("/<path:rest_of_path>", view_func=_unknown, methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    return made


def _answer(error: UnityCatalogError) -> ResponseReturnValue:
    return jsonify({"error_code": error.error_code, "message": error.message}), error.status


@authenticated()
def _unknown(rest_of_path: str) -> ResponseReturnValue:
    raise http.not_implemented(f"api/2.1/unity-catalog/{rest_of_path}")


def change(metastore: Metastore, principal: Any, kind: SecurableType, full_name: str, document: Json) -> str:
    """Carry out a PATCH of comment, properties, owner and name, in this order; the full name after it."""
    if "comment" in document:
        metastore.comment_on(principal, kind, full_name, document["comment"])
    if document.get("properties") is not None:
        metastore.set_properties(principal, kind, full_name, document["properties"])
    new_name = document.get("new_name")
    if new_name:
        full_name = metastore.rename(principal, kind, full_name, new_name).full_name
    if document.get("owner"):
        metastore.set_owner(principal, kind, full_name, document["owner"])
    return full_name


class ContainerViews(Views):
    """Catalogs, schemas and the metastore itself."""

    def list_catalogs(self) -> Json:
        """``GET /catalogs``: those that the caller may use (or browse, when asked)."""
        visible = self.metastore.visible_catalogs(self.principal)
        known = {value.name for value in visible}
        browsed = [
            value
            for value in self.metastore.catalogs()
            if flag("include_browse")
            and value.name not in known
            and self.metastore.may_browse(self.principal, value.name)
        ]
        return page("catalogs", [*visible, *browsed], lambda value: self._catalog(value, full=value.name in known))

    def get_catalog(self, name: str) -> Json:
        """``GET /catalogs/{name}``."""
        full = self.shows("catalog", name, "USE_CATALOG")
        return self._catalog(cast("Catalog", self.metastore.catalog(name)), full=full)

    def _catalog(self, value: Catalog, *, full: bool = True) -> Json:
        shown = rest.catalog(value, self.metastore_id)
        return shown if full else rest.browsed(shown)

    def create_catalog(self) -> Json:
        """``POST /catalogs``; a new catalog has a schema ``default``, as on the platform."""
        document = fields(("name", "comment", "properties"), needed=("name",))
        made = self.metastore.create_catalog(
            self.principal, document["name"], comment=document.get("comment"), properties=document.get("properties")
        )
        self.metastore.create_schema(self.principal, made.name, "default", comment="Default schema (auto-created)")
        return self._catalog(made)

    def update_catalog(self, name: str) -> Json:
        """``PATCH /catalogs/{name}``: comment, properties, owner, new_name."""
        document = fields(("name", "comment", "properties", "owner", "new_name"))
        changed = change(self.metastore, self.principal, "catalog", name, document)
        return self._catalog(cast("Catalog", self.metastore.catalog(changed)))

    def delete_catalog(self, name: str) -> Json:
        """``DELETE /catalogs/{name}?force=``."""
        self.metastore.drop_catalog(self.principal, name, cascade=flag("force"))
        return {}

    def list_schemas(self) -> Json:
        """``GET /schemas?catalog_name=``: those that the caller may use (or browse, when asked)."""
        catalog = required("catalog_name").lower()
        browse = flag("include_browse") and self.metastore.may_browse(self.principal, catalog)
        self.shows("catalog", catalog, "USE_CATALOG")
        visible = self.metastore.visible_schemas(self.principal, catalog)
        known = {value.name for value in visible}
        listed = self.metastore.schemas(catalog) if browse else visible
        return page("schemas", listed, lambda value: self._schema(value, full=value.name in known))

    def get_schema(self, full_name: str) -> Json:
        """``GET /schemas/{full_name}``."""
        full = self.shows("schema", full_name, "USE_SCHEMA")
        return self._schema(cast("Schema", self.metastore.find("schema", full_name)), full=full)

    def _schema(self, value: Schema, *, full: bool = True) -> Json:
        shown = rest.schema(value, self.metastore_id)
        return shown if full else rest.browsed(shown)

    def create_schema(self) -> Json:
        """``POST /schemas``."""
        known = ("catalog_name", "name", "comment", "properties")
        document = fields(known, needed=("catalog_name", "name"))
        made = self.metastore.create_schema(
            self.principal,
            document["catalog_name"],
            document["name"],
            comment=document.get("comment"),
            properties=document.get("properties"),
        )
        return self._schema(made)

    def update_schema(self, full_name: str) -> Json:
        """``PATCH /schemas/{full_name}``: comment, properties, owner, new_name."""
        document = fields(("full_name", "comment", "properties", "owner", "new_name"))
        changed = change(self.metastore, self.principal, "schema", full_name, document)
        return self._schema(cast("Schema", self.metastore.find("schema", changed)))

    def delete_schema(self, full_name: str) -> Json:
        """``DELETE /schemas/{full_name}?force=``."""
        self.metastore.drop_schema(self.principal, full_name, cascade=flag("force"))
        return {}

    def current_assignment(self) -> Json:
        """``GET /current-metastore-assignment``."""
        return {
            "metastore_id": self.metastore_id,
            "workspace_id": self.metastore.workspace_id,
            "default_catalog_name": "samples",
        }

    def summary(self) -> Json:
        """``GET /metastore_summary``."""
        return {
            "metastore_id": self.metastore_id,
            "global_metastore_id": f"local:local:{self.metastore_id}",
            "name": METASTORE_NAME,
            "cloud": "local",
            "region": "local",
            "owner": "System user",
            "privilege_model_version": "1.0",
            "delta_sharing_scope": "INTERNAL",
        }


class TableViews(Views):
    """Tables, views and functions."""

    def list_tables(self) -> Json:
        """``GET /tables?catalog_name=&schema_name=``: those that the caller may read (or browse, when asked)."""
        catalog, schema = required("catalog_name").lower(), required("schema_name").lower()
        self.shows("schema", f"{catalog}.{schema}", "USE_SCHEMA")
        browse = flag("include_browse") and self.metastore.may_browse(self.principal, catalog)
        visible = self.metastore.visible_tables(self.principal, catalog, schema)
        known = {value.name for value in visible}
        listed = self.metastore.tables(catalog, schema) if browse else visible
        return page("tables", listed, lambda value: self._listed(value, full=value.name in known))

    def _listed(self, value: Table, *, full: bool) -> Json:
        shown = rest.table(value, self.metastore_id, in_list=True)
        omitted = [
            key
            for parameter, keys in (
                ("omit_columns", ("columns",)),
                ("omit_properties", ("properties",)),
                ("omit_username", ("owner", "created_by", "updated_by")),
            )
            if flag(parameter)
            for key in keys
        ]
        for key in omitted:
            shown.pop(key, None)
        return shown if full else rest.browsed(shown)

    def get_table(self, full_name: str) -> Json:
        """``GET /tables/{full_name}``: needs USE CATALOG, USE SCHEMA, and SELECT or ownership."""
        full = self.shows("table", full_name, "SELECT")
        shown = rest.table(cast("Table", self.metastore.find("table", full_name)), self.metastore_id)
        return shown if full else rest.browsed(shown)

    def table_exists(self, full_name: str) -> Json:
        """``GET /tables/{full_name}/exists``: false is told only to those who may use the schema."""
        schema = full_name.lower().rpartition(".")[0]
        self.metastore.require(self.principal, "USE_SCHEMA", "schema", schema)
        if self.metastore.find("table", full_name) is None:
            return {"table_exists": False}
        self.shows("table", full_name, "SELECT")
        return {"table_exists": True}

    def list_summaries(self) -> Json:
        """``GET /table-summaries?catalog_name=``, with SQL LIKE patterns for schema and table."""
        catalog = required("catalog_name").lower()
        self.shows("catalog", catalog, "USE_CATALOG")
        schema_like, table_like = _like("schema_name_pattern"), _like("table_name_pattern")
        tables = [
            table
            for schema in self.metastore.visible_schemas(self.principal, catalog)
            if schema_like.fullmatch(schema.name)
            for table in self.metastore.visible_tables(self.principal, catalog, schema.name)
            if table_like.fullmatch(table.name)
        ]
        return page("tables", tables, lambda table: {"full_name": table.full_name, "table_type": table.table_type})

    def update_table(self, full_name: str) -> Json:
        """``PATCH /tables/{full_name}``: owner and comment."""
        document = fields(("full_name", "owner", "comment"))
        change(self.metastore, self.principal, "table", full_name, document)
        return {}

    def delete_table(self, full_name: str) -> Json:
        """``DELETE /tables/{full_name}``."""
        self.metastore.drop_table(self.principal, full_name)
        return {}

    def list_functions(self) -> Json:
        """``GET /functions?catalog_name=&schema_name=``: those that the caller may execute."""
        catalog, schema = required("catalog_name").lower(), required("schema_name").lower()
        self.shows("schema", f"{catalog}.{schema}", "USE_SCHEMA")
        listed = self.metastore.visible_functions(self.principal, catalog, schema)
        return page("functions", listed, self._function)

    def get_function(self, full_name: str) -> Json:
        """``GET /functions/{full_name}``: needs USE CATALOG, USE SCHEMA, and EXECUTE or ownership."""
        self.metastore.require_visible_parents(self.principal, "function", full_name)
        if not self.metastore.sees(self.principal, "function", full_name):
            self.metastore.require(self.principal, "EXECUTE", "function", full_name)
        return self._function(cast("Function", self.metastore.find("function", full_name)))

    def _function(self, value: Function) -> Json:
        manages = self.metastore.holds(self.principal, "MANAGE", "function", value.full_name)
        return rest.function(value, self.metastore_id, with_definition=manages)

    def update_function(self, full_name: str) -> Json:
        """``PATCH /functions/{full_name}``: owner."""
        change(self.metastore, self.principal, "function", full_name, fields(("name", "owner")))
        return self._function(cast("Function", self.metastore.find("function", full_name)))

    def drop_function(self, full_name: str) -> Json:
        """``DELETE /functions/{full_name}``."""
        self.metastore.drop_function(self.principal, full_name)
        return {}


def _like(parameter: str) -> re.Pattern[str]:
    """The pattern of a SQL LIKE query parameter; everything when it is absent."""
    pattern = request.args.get(parameter, "") or "%"
    if len(pattern) > 255:
        raise ApiError(400, "INVALID_PARAMETER_VALUE", f"{parameter} is too long.")
    translated = "".join({"%": ".*", "_": "."}.get(character, re.escape(character)) for character in pattern.lower())
    return re.compile(translated, re.DOTALL)
