"""Grants over REST, under ``/api/2.1/unity-catalog/permissions`` and ``/effective-permissions``."""

from __future__ import annotations

from flask import Blueprint, request

from local_workspace.http import ApiError
from local_workspace.unity_catalog import rest
from local_workspace.unity_catalog.access import METASTORE_NAME, PRIVILEGES, SEEN_WITH, EffectivePrivilege, identities
from local_workspace.unity_catalog.metastore import Metastore, NotFound, PermissionDenied
from local_workspace.unity_catalog.views import Json, Views, add, fields, page

_READ_SCOPES = ("catalog.catalogs:read", "catalog.schemas:read", "catalog.tables:read")


def register(blueprint: Blueprint, metastore: Metastore) -> None:
    """Add the routes to ``blueprint``."""
    views = PermissionViews(metastore)
    add(blueprint, "/permissions/<kind>/<full_name>", _READ_SCOPES, GET=views.get, PATCH=views.update)
    add(blueprint, "/effective-permissions/<kind>/<full_name>", _READ_SCOPES, GET=views.effective)


class PermissionViews(Views):
    """The views; each runs as the bearer of the token.

    Who may manage an object sees all grants on it; everybody else who sees the object sees the grants to themselves and
    their groups.
    """

    def get(self, kind: str, full_name: str) -> Json:
        """``GET /permissions/{type}/{full_name}``: the grants on the object itself."""
        kind, full_name = self._securable(kind, full_name)
        return self._direct(kind, full_name)

    def update(self, kind: str, full_name: str) -> Json:
        """``PATCH /permissions/{type}/{full_name}``: applies all ``changes`` or none."""
        kind, full_name = self._securable(kind, full_name)
        changes = fields(("changes", "full_name", "securable_type")).get("changes") or []
        if not isinstance(changes, list) or not all(
            isinstance(each, dict) and each.get("principal") for each in changes
        ):
            raise ApiError(400, "INVALID_PARAMETER_VALUE", "Each change needs a principal.")
        self.metastore.change_grants(
            self.principal,
            kind,
            full_name,
            [(each["principal"], each.get("add") or [], each.get("remove") or []) for each in changes],
        )
        return self._direct(kind, full_name)

    def effective(self, kind: str, full_name: str) -> Json:
        """``GET /effective-permissions/{type}/{full_name}``: with those inherited from above."""
        kind, full_name = self._securable(kind, full_name)
        held = self._shown(kind, full_name, self.metastore.effective_privileges(kind, full_name))
        return page("privilege_assignments", rest.effective_assignments(held), dict)

    def _direct(self, kind: str, full_name: str) -> Json:
        direct = [
            EffectivePrivilege(grant.principal, grant.privilege) for grant in self.metastore.grants(kind, full_name)
        ]
        return page("privilege_assignments", rest.assignments(self._shown(kind, full_name, direct)), dict)

    def _shown(self, kind: str, full_name: str, held: list[EffectivePrivilege]) -> list[EffectivePrivilege]:
        wanted = request.args.get("principal", "")
        if not self.metastore.holds(self.principal, "MANAGE", kind, full_name):
            own = identities(self.principal)
            held = [one for one in held if one.principal in own]
            if kind != "metastore" and not self.metastore.sees(self.principal, kind, full_name):
                raise PermissionDenied.lacking(SEEN_WITH[kind][0], kind, full_name)
        return [one for one in held if wanted in ("", one.principal)]

    def _securable(self, kind: str, full_name: str) -> tuple[str, str]:
        """The object that a path means; a registered model may be called a function, as on the platform.

        Raises:
            ApiError: 400 for a kind that does not exist or is not kept here.
            PermissionDenied, NotFound: USE CATALOG or USE SCHEMA is missing, or the object is.
        """
        kind, full_name = kind.lower().replace("-", "_"), full_name.lower()
        if kind == "metastore":
            if full_name not in {self.metastore_id, METASTORE_NAME}:
                raise NotFound("metastore", full_name)
            return kind, METASTORE_NAME
        if kind not in PRIVILEGES or kind == "volume":
            raise ApiError(400, "INVALID_PARAMETER_VALUE", f"'{kind}' is not a securable type of the local workspace.")
        if kind == "function" and self.metastore.find("function", full_name) is None:
            is_model = self.metastore.find("registered_model", full_name) is not None
            kind = "registered_model" if is_model else kind
        self.metastore.require_visible_parents(self.principal, kind, full_name)
        return kind, full_name
