"""OAuth, SCIM and the local helpers for signing in from a terminal.

Paths and bodies follow the Databricks REST reference (SCIM ``Me``) and RFC 6749 section 4.4 (client credentials).
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

from flask import Blueprint, Response, jsonify, request

from local_workspace.faults import FaultError, Faults
from local_workspace.http import ApiError, body
from local_workspace.identity import authentication
from local_workspace.identity.authentication import authenticated, caller
from local_workspace.identity.directory import Directory
from local_workspace.identity.model import ALL_SCOPES, Principal
from local_workspace.identity.tokens import Tokens


def blueprint(directory: Directory, tokens: Tokens, faults: Faults, workspace_id: str) -> Blueprint:
    """Routes of the identity part: host metadata, OIDC, SCIM, ``/.local``.

    The application that they are registered on knows its callers by ``tokens`` from then on.
    """
    routes = Blueprint("identity", __name__)
    routes.record_once(lambda registered: authentication.accept(registered.app, tokens))
    _add_discovery(routes, workspace_id)
    _add_tokens(routes, directory, tokens)
    _add_faults(routes, faults)
    faults.action("identity.expire_tokens", tokens.expire_all)
    return routes


def _add_discovery(routes: Blueprint, workspace_id: str) -> None:
    @routes.get("/.well-known/databricks-config")
    def databricks_config() -> dict[str, Any]:
        base = request.host_url.rstrip("/")
        return {
            "oidc_endpoint": f"{base}/oidc",
            "workspace_id": workspace_id,
            "account_id": "00000000-0000-4000-8000-000000000001",
            "cloud": "AWS",
        }

    @routes.get("/oidc/.well-known/oauth-authorization-server")
    @routes.get("/oidc/.well-known/openid-configuration")
    def authorization_server() -> dict[str, Any]:
        base = request.host_url.rstrip("/")
        return {
            "issuer": f"{base}/oidc",
            "authorization_endpoint": f"{base}/oidc/v1/authorize",
            "token_endpoint": f"{base}/oidc/v1/token",
            "grant_types_supported": ["client_credentials"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        }

    @routes.get("/api/2.0/preview/scim/v2/Me")
    @authenticated()
    def me() -> dict[str, Any]:
        return _scim(caller().principal)


def _add_tokens(routes: Blueprint, directory: Directory, tokens: Tokens) -> None:
    @routes.post("/oidc/v1/token")
    def token() -> Response:
        if request.form.get("grant_type") != "client_credentials":
            return _oauth_error(400, "unsupported_grant_type", "Only client_credentials is offered here.")
        client_id, secret = _client_credentials()
        principal = directory.check_secret(client_id, secret)
        if principal is None:
            return _oauth_error(401, "invalid_client", "Client authentication failed")
        scopes = request.form.get("scope", ALL_SCOPES).split() or [ALL_SCOPES]
        issued = tokens.issue(principal, scopes, client_id=client_id, issuer_host=_host_name())
        return jsonify(
            {
                "access_token": issued.token,
                "token_type": "Bearer",
                "expires_in": issued.expires_in,
                "scope": " ".join(scopes),
            }
        )

    @routes.post("/.local/token")
    def local_token() -> Response:
        name = str(body().get("user", ""))
        principal = directory.get(name)
        if principal is None or principal.kind != "user":
            known = ", ".join(account.name for account in directory.accounts())
            raise ApiError(404, "RESOURCE_DOES_NOT_EXIST", f"There is no account {name!r}. Accounts: {known}.")
        issued = tokens.issue(principal, [ALL_SCOPES], issuer_host=_host_name())
        return jsonify({"access_token": issued.token, "expires_in": issued.expires_in})


def _add_faults(routes: Blueprint, faults: Faults) -> None:
    @routes.route("/.local/faults", methods=["GET", "PUT", "DELETE"])
    def local_faults() -> dict[str, Any]:
        if request.method == "PUT":
            try:
                faults.set(body())
            except (FaultError, TypeError) as error:
                raise ApiError(400, "INVALID_PARAMETER_VALUE", str(error)) from None
        if request.method == "DELETE":
            faults.clear()
        return faults.describe()


def _client_credentials() -> tuple[str, str]:
    header = request.headers.get("Authorization", "")
    if header.lower().startswith("basic "):
        try:
            client_id, _, secret = base64.b64decode(header[6:]).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return "", ""
        return client_id, secret
    return request.form.get("client_id", ""), request.form.get("client_secret", "")


def _oauth_error(status: int, error: str, description: str) -> Response:
    response = jsonify({"error": error, "error_description": description})
    response.status_code = status
    return response


def _host_name() -> str:
    return request.host.rsplit(":", 1)[0]


def _scim(principal: Principal) -> dict[str, Any]:
    document: dict[str, Any] = {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "id": principal.id,
        "userName": principal.name,
        "displayName": principal.display_name,
        "active": True,
        "groups": [{"display": group, "type": "direct"} for group in sorted(principal.groups)],
    }
    if principal.kind == "user":
        document["emails"] = [{"value": principal.name, "type": "work", "primary": True}]
    return document
