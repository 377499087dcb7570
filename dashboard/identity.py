"""The user of the current request, from the header that the Apps proxy adds."""

from __future__ import annotations

from flask import current_app, g, request

from services.container import Services
from services.identity import User
from services.observability import bind_user

TOKEN_HEADER = "X-Forwarded-Access-Token"  # noqa: S105 - the header's name
_EXTENSION = "lakefront_services"


def attach(app_extensions: dict[str, object], services: Services) -> None:
    """Make the services reachable from requests of one Flask app."""
    app_extensions[_EXTENSION] = services


def services_of_request() -> Services:
    """The services of the app that serves the current request.

    Raises:
        RuntimeError: the server was built without services.
    """
    services = current_app.extensions[_EXTENSION]
    if not isinstance(services, Services):
        raise RuntimeError("the services are not attached to this app")
    return services


def current_user() -> User:
    """The person behind the current request, asked once for each request. Runs as that person.

    There is no fallback to the service principal.

    Raises:
        AuthRequired: the request carries no valid user token.
    """
    user: User | None = g.get("lakefront_user")
    if user is None:
        user = services_of_request().identity.resolve(request.headers.get(TOKEN_HEADER))
        g.lakefront_user = user
        bind_user(user.user_id)
    return user
