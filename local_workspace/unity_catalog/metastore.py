"""Unity Catalog's metastore: what there is, who may do what with it, and how it is written down.

Built up in layers, each a class of its own: ``objects`` (what there is), ``access`` (privileges and visibility),
``definitions``, ``tables`` and ``models`` (writes), ``information_schema`` (what SQL asks about it).
"""

from __future__ import annotations

import uuid

from local_workspace.identity.model import Principal
from local_workspace.unity_catalog import information_schema
from local_workspace.unity_catalog.access import METASTORE_NAME, SYSTEM, EffectivePrivilege, identities
from local_workspace.unity_catalog.errors import (
    AlreadyExists,
    InvalidRequest,
    NotEmpty,
    NotFound,
    PermissionDenied,
    PrincipalNotFound,
    UnityCatalogError,
)
from local_workspace.unity_catalog.model import Column
from local_workspace.unity_catalog.models import Models

_OWN = "unity_catalog"


class Metastore(Models):
    """The metastore of the local workspace.

    One instance is shared by the SQL engine and the REST API. Reads are lock-free on immutable values; writes are
    checked against the acting principal, serialised, and durable in the store when they return.
    """

    metastore_id = ""
    """The id of the metastore, for the life of the state folder; known after ``start``."""

    def start(self) -> None:
        """Read everything from the store; the first time give the metastore its id. Raises sqlite3.Error."""
        super().start()
        own = self._store.collection(_OWN)
        own.add("metastore", {"metastore_id": str(uuid.uuid4())})
        self.metastore_id = str((own.get("metastore") or {})["metastore_id"])

    @property
    def workspace_id(self) -> int:
        """The id of the workspace that the metastore is assigned to; 0 when it stands alone."""
        return int((self._store.collection("workspace").get("id") or {"id": 0})["id"])

    INFORMATION_SCHEMA_VIEWS = frozenset(information_schema.VIEWS)
    """The views that ``information_schema`` gives rows for."""

    def information_schema(
        self, principal: Principal, catalog: str, view: str
    ) -> tuple[tuple[Column, ...], list[tuple[object, ...]]]:
        """The columns and rows of ``catalog.information_schema.view`` as ``principal`` sees them.

        Raises:
            NotFound: there is no such catalog or view.
            PermissionDenied: ``principal`` has no USE CATALOG on the catalog.
        """
        return information_schema.rows(self, principal, catalog.lower(), view.lower())


__all__ = [
    "METASTORE_NAME",
    "SYSTEM",
    "AlreadyExists",
    "EffectivePrivilege",
    "InvalidRequest",
    "Metastore",
    "NotEmpty",
    "NotFound",
    "PermissionDenied",
    "PrincipalNotFound",
    "UnityCatalogError",
    "identities",
]
