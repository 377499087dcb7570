"""The account popover: who is asking, as whom things run, how long the token lives and what it allows."""

import json
import time
from collections.abc import Sequence
from typing import Any

from dash import html
from dash.development.base_component import Component

from dashboard.components.controls import copy_button, facts
from dashboard.components.feedback import error_facts, setup_steps
from dashboard.components.signs import hidden, icon, mono
from dashboard.components.words import listing
from services.errors import LakefrontError
from services.identity import User

POPOVER = "account-popover"


def account_button(name: str | None, signed_in: bool = True) -> list[Component]:
    """Return the children of the account button; None while the workspace has not said who it is."""
    if name is None:
        return [
            html.Span("", className="lf-avatar", **{"aria-hidden": "true"}),
            html.Span(className="lf-skel lf-who-wait hide-phone"),
            hidden("Account: asking the workspace who you are"),
        ]
    letter = name[:1].upper() if signed_in else "?"
    return [
        html.Span(letter, className="lf-avatar", **{"aria-hidden": "true"}),
        html.Span(name, className="hide-phone"),
        hidden(": account, groups and identity in use"),
        icon("chevron-down", "small", "faint"),
    ]


def account_card(user: User, workspace: str, switch_url: str | None) -> list[Component]:
    """Return what the popover says about a signed-in person; the token itself is nowhere in it."""
    known = {
        "user_name": user.user_name,
        "email": user.email,
        "groups": list(user.groups),
        "scopes": list(user.scopes),
        "workspace": workspace,
    }
    groups = (
        f"{'Group' if len(user.groups) == 1 else 'Groups'} {listing(list(user.groups))}"
        if user.groups
        else "In no group"
    )
    actions: list[Component] = [
        *([html.A("Switch account", href=switch_url, className="btn btn-sm")] if switch_url else []),
        copy_button("Copy as JSON", "", "push", text=json.dumps(known, indent=2), look="ghost"),
    ]
    return [
        _head(user.user_name, groups),
        facts(
            [
                ("Runs as", "you, on behalf of the user"),
                ("Token", _life(user.token_expires_at)),
                ("Scopes", _scopes(user.scopes)),
                ("Workspace", mono(workspace)),
            ]
        ),
        html.Div(actions, className="row-flex"),
        _foot_of_the_rail(),
    ]


def account_missing(error: LakefrontError, switch_url: str | None) -> list[Component]:
    """Return what the popover says when nobody is known: what to set up, and where to sign in if that is offered."""
    return [
        _head("Not signed in", error.message),
        html.Ol([html.Li(words) for words in setup_steps()], className="lf-setup"),
        html.P(error_facts(error), className="small faint"),
        *([html.A("Sign in", href=switch_url, className="btn btn-sm")] if switch_url else []),
        _foot_of_the_rail(),
    ]


def _foot_of_the_rail() -> Component:
    """Docs and API, where a phone's bar has no room for them."""
    links = [
        html.A([icon(sign), html.Span(label)], href=path, className="btn btn-ghost btn-sm")
        for label, path, sign in (("Docs", "/guides", "book"), ("API", "/docs", "braces"))
    ]
    return html.Div(html.Div(links, className="row-flex lf-pop-foot"), className="only-phone")


def _head(name: str, below: str) -> Component:
    return html.Div(
        [
            html.Span(name[:1].upper(), className="lf-avatar", **{"aria-hidden": "true"}),
            html.Div([html.B(name), html.Div(below, className="small dim")]),
        ],
        className="row-flex lf-pop-head",
    )


def _life(expires_at: float | None) -> str:
    if expires_at is None:
        return "does not tell how long it is good; renewed by the platform"
    minutes = max(0, round((expires_at - time.time()) / 60))
    return f"good for {minutes} min, renewed by the platform"


def _scopes(scopes: Sequence[str]) -> Any:
    """Each scope in one piece: a line ends between two of them, never at a hyphen inside one."""
    if not scopes:
        return "not told by the token"
    return [part for scope in scopes for part in (mono(scope, "nowrap"), ", ")][:-1]
