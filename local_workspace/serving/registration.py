"""Putting the fitted models into Unity Catalog, where people look for what an endpoint serves."""

from __future__ import annotations

from local_workspace.identity.model import Principal
from local_workspace.serving.entities import Entity
from local_workspace.unity_catalog.metastore import Metastore

READERS = "analysts"
"""Who may see and load the models; the same group may query their endpoints."""


def register(metastore: Metastore, owner: Principal, entity: Entity) -> bool:
    """Register ``entity`` as a model of ``owner`` with its version, and let the analysts see it. Idempotent.

    Says False while the catalog or the schema does not exist: the sample data makes them, perhaps later.
    Raises UnityCatalogError when ``owner`` may not create models there.
    """
    catalog, schema, name = entity.name.split(".")
    if metastore.schema(catalog, schema) is None:
        return False
    model = metastore.model(catalog, schema, name)
    if model is None:
        model = metastore.create_model(owner, entity.name, comment=entity.description)
        metastore.grant(owner, "registered_model", entity.name, READERS, ["EXECUTE"])
    while model.next_version <= int(entity.version):
        source = f"local-workspace:/models/{entity.short_name}"
        metastore.create_model_version(owner, entity.name, source=source, comment=entity.description)
        model = metastore.model(catalog, schema, name) or model
    return True
