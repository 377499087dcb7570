"""What the Unity Catalog routes share: scopes, paging, parameters, and refusing what is not implemented."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from flask import Blueprint, request

from local_workspace import http
from local_workspace.http import ApiError
from local_workspace.identity.authentication import authenticated, caller
from local_workspace.identity.model import Principal
from local_workspace.unity_catalog.metastore import Metastore, NotFound
from local_workspace.unity_catalog.model import SecurableType

T = TypeVar("T")
Json = dict[str, Any]

ALL = "unity-catalog"
"""The scope of the whole API; an app's user token cannot carry it, only the read scopes of single kinds."""

PAGE_SIZE = 100
"""Items on a page when the client leaves the size to the server (``max_results=0``)."""


class Views:
    """Base of the route groups: the metastore and the caller."""

    def __init__(self, metastore: Metastore) -> None:
        """Keep the metastore that the routes show."""
        self.metastore = metastore

    @property
    def principal(self) -> Principal:
        """Who asks."""
        return caller().principal

    @property
    def metastore_id(self) -> str:
        """The id that every object carries."""
        return self.metastore.metastore_id

    def shows(self, securable_type: SecurableType, full_name: str, privilege: str) -> bool:
        """Whether the caller sees an object fully; False when BROWSE alone shows it and was asked for.

        Raises:
            PermissionDenied: neither; the sentence names ``privilege``.
            NotFound: it does not exist.
        """
        metastore, principal = self.metastore, self.principal
        if flag("include_browse") and metastore.may_browse(principal, full_name):
            return self._usable(securable_type, full_name)
        metastore.require_visible_parents(principal, securable_type, full_name)
        if not metastore.sees(principal, securable_type, full_name):
            metastore.require(principal, privilege, securable_type, full_name)
        return True

    def _usable(self, securable_type: SecurableType, full_name: str) -> bool:
        metastore, principal = self.metastore, self.principal
        if metastore.find(securable_type, full_name) is None:
            raise NotFound(securable_type, full_name.lower())
        return metastore.reaches(principal, securable_type, full_name)


def add(blueprint: Blueprint, rule: str, scopes: Sequence[str] = (), **views: Callable[..., Any]) -> None:
    """Route ``rule`` to one view for each HTTP method; ``scopes`` are accepted for GET beside the whole API's."""
    for method, view in views.items():
        accepted = (ALL, *scopes) if method == "GET" else (ALL,)
        endpoint = f"{method} {rule}".replace(".", "_")
        blueprint.add_url_rule(rule, endpoint, authenticated(*accepted)(view), methods=[method])


def flag(name: str) -> bool:
    """A boolean query parameter, false when it is absent."""
    return request.args.get(name, "").lower() == "true"


def required(name: str) -> str:
    """A query parameter that must be there.

    Raises:
        ApiError: 400 when it is missing or empty.
    """
    value = request.args.get(name, "")
    if not value:
        raise ApiError(400, "INVALID_PARAMETER_VALUE", f"Missing required field: {name}")
    return value


def page(key: str, items: Sequence[T], show: Callable[[T], Json]) -> Json:
    """One page of a list. Without ``max_results`` it is the whole list, as the platform (still) does."""
    default = PAGE_SIZE if "max_results" in request.args else max(len(items), 1)
    listed, token = http.page_of(items, default=default)
    answer: Json = {key: [show(item) for item in listed]}
    if token:
        answer["next_page_token"] = token
    return answer


def fields(known: Sequence[str], *, needed: Sequence[str] = ()) -> Json:
    """The request's JSON object.

    Raises:
        ApiError: 400 when a needed field is missing; 501 for a field that the local workspace does not carry out.
    """
    document = http.body()
    for name in needed:
        if not document.get(name):
            raise ApiError(400, "INVALID_PARAMETER_VALUE", f"Missing required field: {name}")
    for name, value in document.items():
        if name not in known and value not in (None, "", [], {}, False):
            raise ApiError(501, "NOT_IMPLEMENTED", f"The local workspace does not implement the field '{name}'.")
    return document
