"""The page of a registered model: what a link from an app to Catalog Explorer leads to on this machine."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Protocol

from flask import Blueprint, Response, request

from local_workspace.apps import pages
from local_workspace.apps.sign_in import Accounts, NotSignedIn, signed_in
from local_workspace.identity.model import Principal
from local_workspace.unity_catalog.errors import UnityCatalogError
from local_workspace.unity_catalog.model import RegisteredModel


class Catalog(Protocol):
    """What the page needs of Unity Catalog."""

    def readable_model(self, principal: Principal, full_name: str) -> RegisteredModel:
        """The model, when ``principal`` may see it, or UnityCatalogError."""


def blueprint(catalog: Catalog, accounts: Accounts) -> Blueprint:
    """The page, at the path that Catalog Explorer has on the platform, and its stylesheet.

    It is shown to the account that the front door's cookie names, as far as that account may read the model.
    """
    routes = Blueprint("model_page", __name__)

    @routes.get("/explore/data/models/<catalog_name>/<schema_name>/<name>")
    def registered_model(catalog_name: str, schema_name: str, name: str) -> Response:
        full_name = f"{catalog_name}.{schema_name}.{name}"
        try:
            person = signed_in(request.environ, accounts)
            model = catalog.readable_model(person, full_name)
        except NotSignedIn as error:
            return _sent(pages.notice(401, "Nobody is signed in", str(error), ""))
        except UnityCatalogError as error:
            title = "You may not see this model" if error.status == 403 else "There is no such model"
            return _sent(
                pages.notice(error.status, title, f"{error.message} This page was asked for as {person.name}.")
            )
        return _sent(pages.rendered("model.html", person=person.name, **_shown(model)))

    @routes.get("/.local/sign-in.css")
    def stylesheet() -> Response:
        return _sent(pages.stylesheet())

    return routes


def _shown(model: RegisteredModel) -> dict[str, Any]:
    """The model as the template wants it; newest version first."""
    aliases: dict[int, list[str]] = {}
    for alias, number in sorted(model.aliases.items()):
        aliases.setdefault(number, []).append(alias)
    versions = [
        {
            "number": one.version,
            "status": one.status.lower().replace("_", " "),
            "aliases": ", ".join(aliases.get(one.version, [])),
            "comment": one.comment or "",
            "created": _moment(one.created_at),
            "by": one.created_by,
        }
        for one in reversed(model.versions)
    ]
    facts = [
        ("Comment", model.comment or "none"),
        ("Owner", model.owner),
        ("Created", f"{_moment(model.created_at)} by {model.created_by}"),
        ("Updated", _moment(model.updated_at)),
    ]
    return {"full_name": model.full_name, "facts": facts, "versions": versions}


def _moment(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _sent(page: pages.Page) -> Response:
    response = Response(page.body, page.status, content_type=page.content_type)
    for name, value in page.all_headers():
        response.headers[name] = value
    return response
