"""Small signs: icons, states, tags, keys, and the three identities. Shape, word and colour always come together."""

from dataclasses import dataclass
from typing import Literal

from dash import html
from dash.development.base_component import Component

Kind = Literal["user", "app", "token"]
Tone = Literal["", "ok", "warn", "danger", "info"]

IDENTITY_ICONS: dict[Kind, str] = {"user": "person-fill", "app": "gear-fill", "token": "shield-lock-fill"}
TONE_ICONS: dict[Tone, str] = {
    "": "dash-circle",
    "ok": "check-circle-fill",
    "warn": "exclamation-triangle-fill",
    "danger": "x-octagon-fill",
    "info": "hourglass-split",
}


@dataclass(frozen=True)
class Identity:
    """As whom something ran: the person, the app's service principal, or a database token minted by the app."""

    kind: Kind
    name: str

    @classmethod
    def of_user(cls, name: str) -> "Identity":
        """Return the identity of a person, on whose behalf the app asked."""
        return cls("user", name)

    @classmethod
    def of_database(cls, user_name: str) -> "Identity":
        """Return the identity of a Lakebase connection that serves one person."""
        return cls("token", f"the app, for {user_name}")


def icon(name: str, *classes: str) -> Component:
    """Return a decorative Bootstrap icon; the words beside it carry the meaning, so screen readers skip it."""
    return html.I(className=" ".join(("bi", f"bi-{name}", *classes)), **{"aria-hidden": "true"})


def hidden(text: str) -> Component:
    """Return text for screen readers only."""
    return html.Span(text, className="visually-hidden")


def mono(text: str, *classes: str) -> Component:
    """Return an identifier in the fixed-width face, exactly as it is."""
    return html.Span(text, className=" ".join(("mono", *classes)))


def picture(name: str) -> Component:
    """Return a 56 px line drawing (assets/pictures) that takes the colour of its text."""
    return html.Span(className=f"pic pic-{name}", **{"aria-hidden": "true"})


def state(word: str, tone: Tone = "ok", icon_name: str | None = None, *classes: str) -> Component:
    """Return a state: icon, word and colour."""
    tone_class = [f"is-{tone}"] if tone else []
    return html.Span(
        [icon(icon_name or TONE_ICONS[tone]), word], className=" ".join(("lf-state", *tone_class, *classes))
    )


def tag(text: str, tone: Tone = "", icon_name: str | None = None, *classes: str) -> Component:
    """Return a tag: a short fact about the thing beside it."""
    tone_class = [f"is-{tone}"] if tone else []
    return html.Span(
        [*([icon(icon_name)] if icon_name else []), text], className=" ".join(("lf-tag", *tone_class, *classes))
    )


def keys(*names: str) -> list[Component | str]:
    """Return a key combination, each key as `kbd`, with thin gaps."""
    out: list[Component | str] = []
    for name in names:
        out += [html.Kbd(name), " "]
    return out[:-1]


def identity_sign(identity: Identity) -> Component:
    """Return icon and name of an identity, as tables show it."""
    return html.Span(
        [icon(IDENTITY_ICONS[identity.kind], "faint"), hidden("runs as "), identity.name], className="row-flex small"
    )
