"""What an endpoint is: its states, what it serves, who made it, who may query it."""

from __future__ import annotations

from typing import Any

from dash import Dash, Input, Output, State, html, no_update
from dash.development.base_component import Component

from dashboard.callbacks import callback
from dashboard.components.controls import facts, scroller
from dashboard.components.feedback import error_note
from dashboard.components.serving import state_of
from dashboard.components.signs import icon, mono
from dashboard.components.words import ago, exact
from dashboard.identity import current_user
from dashboard.pages.model_serving import ids
from services.container import Services
from services.errors import LakefrontError
from services.identity import User
from services.model_serving import Endpoint, ServedEntity

_LEVELS = {"CAN_MANAGE": "may manage", "CAN_QUERY": "may query", "CAN_VIEW": "may see"}
_KINDS = {"user": "person-fill", "group": "people-fill", "service_principal": "gear-fill"}
_UPDATES = {
    "NOT_UPDATING": "not updating",
    "IN_PROGRESS": "updating",
    "UPDATE_FAILED": "the last update failed",
    "UPDATE_CANCELED": "the last update was cancelled",
}


def register(app: Dash, services: Services) -> None:
    """Add the callback that reads the details when they are opened."""

    @callback(
        app,
        Output(ids.DETAILS, "children"),
        Input(ids.DETAILS_BUTTON, "n_clicks", allow_optional=True),
        State(ids.CHOSEN, "data"),
        prevent_initial_call=True,
    )
    def show(clicks: int | None, name: str | None) -> Any:
        """Read endpoint, registered models and permissions; all of it runs as the person."""
        if not clicks or name is None:
            return no_update
        try:
            user = current_user()
            endpoint = services.model_serving.get_endpoint(user, name)
        except LakefrontError as error:
            return error_note(error, "The details are not shown.")
        return content(services, user, endpoint)


def content(services: Services, user: User, endpoint: Endpoint) -> list[Component]:
    """Return the details of an endpoint."""
    update = _UPDATES.get(endpoint.config_update, endpoint.config_update.lower())
    pairs: list[tuple[str, Any]] = [
        ("State", html.Span([state_of(endpoint), html.Span(f" configuration: {update}", className="dim")])),
        ("Task", endpoint.task or "a model with a signature"),
        ("Created", _moment(endpoint.created_at, endpoint.creator)),
        ("Updated", _moment(endpoint.updated_at, None)),
        ("You", _LEVELS.get(endpoint.permission_level or "", "the workspace does not tell your level")),
        ("Who may query", _access(services, user, endpoint)),
    ]
    if endpoint.description:
        pairs.insert(0, ("About", endpoint.description))
    if endpoint.tags:
        pairs.append(
            ("Tags", ", ".join(f"{name}: {value}" if value else name for name, value in endpoint.tags.items()))
        )
    return [facts(pairs, "lf-endpoint-facts"), _served(services, user, endpoint)]


def _served(services: Services, user: User, endpoint: Endpoint) -> Component:
    heads = ("Serves", "Version", "Traffic", "Deployment", "Size", "Model in Unity Catalog")
    rows = [_entity(services, user, one) for one in endpoint.served_entities]
    table = html.Table(
        [html.Thead(html.Tr([html.Th(one) for one in heads])), html.Tbody(rows)], className="lf-table dense lf-flush"
    )
    return scroller(table, "What the endpoint serves")


def _entity(services: Services, user: User, one: ServedEntity) -> Component:
    deployment = (one.deployment or "not told").removeprefix("DEPLOYMENT_").lower().replace("_", " ")
    size = ", ".join(part for part in (one.workload_size, "scales to zero" if one.scale_to_zero else None) if part)
    return html.Tr(
        [
            html.Td(mono(one.model_name or one.name)),
            html.Td(one.model_version or "\u2014"),
            html.Td("\u2014" if one.traffic_percentage is None else f"{one.traffic_percentage} %"),
            html.Td([deployment, *([html.Div(one.deployment_message)] if one.deployment_message else [])]),
            html.Td(size or "\u2014", className="nowrap"),
            html.Td(_model(services, user, one)),
        ]
    )


def _model(services: Services, user: User, one: ServedEntity) -> list[Any]:
    """Link and description of the registered model; both are asked as the user, and a refusal is said."""
    if not one.in_unity_catalog or not one.model_name:
        return ["not a registered model"]
    url = services.model_serving.model_url(one.model_name)
    link = html.A(
        ["Open in Catalog Explorer ", icon("box-arrow-up-right")], href=url, target="_blank", rel="noreferrer"
    )
    try:
        found = services.model_serving.registered_model(user, one.model_name)
    except LakefrontError as error:
        why = "You may not see the model itself." if error.status == 404 else _why(error, "unity-catalog")
        return [link, html.Div(["Its description is not shown here. ", why], className="small dim")]
    about = found.comment or "The model has no description."
    owner = [html.Div(f"Owner: {found.owner}", className="small dim")] if found.owner else []
    return [html.Div(about), *owner, link]


def _access(services: Services, user: User, endpoint: Endpoint) -> Any:
    try:
        entries = services.model_serving.endpoint_access(user, endpoint)
    except LakefrontError as error:
        where = " The endpoint's page in the workspace has the list, under Permissions."
        return html.Span(
            [
                "Who else may is not told to this app. ",
                html.Span([_why(error, "access-management"), where], className="dim"),
            ]
        )
    entitled = [one for one in entries if one.level != "CAN_VIEW"]
    if not entitled:
        return "nobody is named"
    return html.Span(
        [
            html.Span(
                [icon(_KINDS[one.kind]), f" {one.principal}", html.Span(f" {_LEVELS[one.level]}", className="dim")],
                className="lf-entitled",
            )
            for one in entitled
        ]
    )


def _why(error: LakefrontError, scope: str) -> str:
    """Return why the workspace does not tell: by the token's scopes, or in its own words."""
    if "scope" not in error.message:
        return error.message
    return f"The workspace tells it to tokens with the scope {scope} only, which user tokens of apps cannot have."


def _moment(moment: Any, who: str | None) -> Any:
    if moment is None:
        return "not told"
    return html.Span(f"{ago(moment)}{f' by {who}' if who else ''}", title=exact(moment))
