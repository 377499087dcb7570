"""What a page says when something happened or did not: notes, blank states, the one view of an error, toasts.

Order of an error: what did not happen, why, what was kept, what to do; then code and request id, small, to copy. The
message of a `LakefrontError` is used word for word, so that a page and the API say the same.
"""

import time
from collections.abc import Sequence
from typing import Any

from dash import html
from dash.development.base_component import Component

from dashboard.components.controls import button, copy_box, icon_button, steps
from dashboard.components.signs import TONE_ICONS, Tone, icon, mono, picture
from services.errors import LakefrontError
from services.observability import request_id

TOASTS = "lf-toasts"
UNDO_SECONDS = 30

SETUP_STEPS = (
    "In the workspace, turn on user authorization for this app and add the scopes that its databricks.yml lists.",
    "Open the app again and agree when Databricks asks whether it may act for you.",
    "On your own machine: start it with `make run`, whose front door signs you in.",
)
TITLES = {
    "AUTH_REQUIRED": "This page needs to know who you are",
    "PERMISSION_DENIED": "Your token does not allow this",
    "CATALOG_PERMISSION_DENIED": "You don\u2019t have access to this table.",
    "DATABASE_UNAVAILABLE": "Lakebase does not answer",
    "WAREHOUSE_UNAVAILABLE": "The SQL warehouse does not answer",
    "MODEL_UNAVAILABLE": "The model did not answer",
    "INTERNAL_ERROR": "The app failed here",
}


def note(
    children: Any,
    tone: Tone = "",
    actions: Sequence[Component] = (),
    *,
    alert: bool = False,
    icon_name: str | None = None,
) -> Component:
    """Return a note: something to know here. `alert` announces it at once; use it for errors only."""
    sign = icon_name or ("info-circle-fill" if tone in ("", "info") else TONE_ICONS[tone])
    return html.Div(
        [
            icon(sign),
            html.Div(children),
            *([html.Span([*actions], className="push row-flex wrap lf-note-actions")] if actions else []),
        ],
        className=f"lf-note is-{tone}" if tone else "lf-note",
        **({"role": "alert"} if alert else {}),
    )


def error_note(
    error: LakefrontError, what: str, kept: str = "", actions: Sequence[Component] = (), tone: Tone = "danger"
) -> Component:
    """Return the note of a failed action: `what` did not happen ("Not saved."), the error's message, what was kept."""
    return note(
        [
            html.B(what),
            f" {error.message}",
            f" {kept}" if kept else "",
            html.Div(error_facts(error), className="small dim lf-error-facts"),
        ],
        tone,
        actions,
        alert=True,
    )


def setup_steps() -> list[list[Any]]:
    """Return the words of `SETUP_STEPS`, what stands between backquotes as code."""
    return [[mono(part) if place % 2 else part for place, part in enumerate(text.split("`"))] for text in SETUP_STEPS]


def error_facts(error: LakefrontError) -> list[Any]:
    """Return code, the details worth reading and the request id, to be set small."""
    details = error.technical_details or {}
    shown = [
        str(details[name])
        for name in ("error_type", "reason", "instance_name", "endpoint", "field", "required_scope", "workspace")
        if details.get(name) and str(details[name]) not in error.message  # once is enough
    ]
    out: list[Any] = [" · ".join([error.error_code, *shown])]
    identifier = details.get("request_id") or request_id()
    if identifier:
        out += [" · request ", mono(str(identifier))]
    return out


def blank(
    drawing: str,
    title: Any,
    paragraphs: Sequence[Any] = (),
    actions: Sequence[Component] = (),
    *,
    below: Sequence[Component] = (),
    small: Any = None,
    live: bool = False,
    heading: type[Component] = html.H2,
) -> Component:
    """Return a state that fills a panel: drawing (assets/pictures), title, one paragraph, actions.

    `below` stands between the paragraphs and the actions (a copy box, steps); `small` is the last line; `heading` is
    `html.H1` where the state is the whole page.
    """
    return html.Div(
        [
            picture(drawing),
            heading(title),
            *[html.P(text) for text in paragraphs],
            *below,
            *([html.Div([*actions], className="row-flex wrap")] if actions else []),
            *([html.P(small, className="small faint")] if small else []),
        ],
        className="lf-blank",
        **({"role": "status"} if live else {}),
    )


def error_panel(
    error: LakefrontError, *, retry: Component | None = None, actions: Sequence[Component] = (), explain: Any = None
) -> Component:
    """Return the one view of an error that takes the place of content.

    Args:
        error: as raised by a service; its `error_code` chooses drawing and title.
        retry: the button that asks again (the page knows what to ask); shown first.
        actions: further buttons.
        explain: a paragraph in place of the plain one, where the page knows more than the error.
    """
    drawing = _drawing(error)
    below: list[Component] = []
    if error.error_code == "AUTH_REQUIRED":
        below.append(steps([("next", words) for words in setup_steps()]))
    remedy = (error.technical_details or {}).get("remedy")
    if remedy:
        below.append(copy_box(str(remedy)))
    paragraphs = [explain if explain is not None else error.message]
    if error.retry_after:
        paragraphs.append(["Worth another try in ", countdown(error.retry_after), "."])
    title = TITLES.get(error.error_code) or error.message
    if title == paragraphs[0]:
        paragraphs = paragraphs[1:]
    return blank(
        drawing,
        title,
        paragraphs,
        [*([retry] if retry else []), *actions],
        below=below,
        small=error_facts(error),
    )


def countdown(seconds: float, *, then_click: str | None = None) -> Component:
    """Return "8 s" that counts down (assets/clock.js) and may press the button with the id `then_click` at zero."""
    at = (time.time() + seconds) * 1000
    data = {"data-clock": "until", "data-at": f"{at:.0f}", **({"data-click": then_click} if then_click else {})}
    return html.Span(f"{seconds:.0f} s", className="nowrap", **data)


def counting_since(moment: float, shape: str = "ago") -> Component:
    """Return a time that stays up to date: `ago` ("6 s ago") or `elapsed` ("1.4 s"); `moment` in Unix seconds."""
    return html.Span("", className="nowrap", **{"data-clock": shape, "data-at": f"{moment * 1000:.0f}"})


def starting(
    title: str,
    explanation: Any,
    since: float,
    *,
    accepted: str,
    waiting: str,
    then: str,
    cancel: Component | None = None,
) -> Component:
    """Return the state of something that wakes up: steps with seconds, the call waits by itself."""
    return blank(
        "starting",
        title,
        [explanation],
        [cancel] if cancel else [],
        below=[
            steps(
                [
                    ("done", accepted),
                    ("now", [html.B(waiting), " ", counting_since(since, "elapsed"), " so far"]),
                    ("next", then),
                ]
            )
        ],
        live=True,
    )


def toast(
    words: Any, undo: Component | None = None, tone_icon: str = "check-circle-fill", clears: str | None = None
) -> Component:
    """Return words on what happened, with an Undo for 30 s: the children of `TOASTS`, by `set_props`.

    `clears` names the draft that the browser need not keep any longer (`data-draft` of a form).
    """
    seconds = UNDO_SECONDS if undo else 6
    return html.Div(
        [
            icon(tone_icon),
            html.Span(words, className="lf-toast-words"),
            *([undo] if undo else []),
            icon_button("Dismiss", "x-lg", None, "lf-dismiss"),
        ],
        className="lf-toast",
        # the moment makes two equal toasts differ, so that the second one is shown and lives its own time
        **{"data-expires": f"{(time.time() + seconds) * 1000:.0f}", **({"data-clears": clears} if clears else {})},
    )


def undo_button(id: str | dict[str, str]) -> Component:  # noqa: A002 - Dash's own name of the property
    """Return the Undo of a toast."""
    return button("Undo", id, small=True)


def _drawing(error: LakefrontError) -> str:
    if error.status in (401, 403):
        return "denied"
    if error.status == 404:
        return "missing"
    return "failed"
