"""The waterline: under every piece of data, who asked, how long it took, what answered, and the statement itself.

Nothing that a service answered is shown without it. The strip has the same place, height and order on every page:
identity, time, facts, actions. "Show SQL" opens the statement below (assets/interact.js; no round trip).
"""

import re
import time
from collections.abc import Mapping, Sequence
from typing import Any

from dash import html
from dash.development.base_component import Component

from dashboard.components.controls import button, copy_button
from dashboard.components.signs import IDENTITY_ICONS, Identity, icon
from dashboard.components.words import elapsed as duration

KEYWORDS = (
    "SELECT|FROM|WHERE|AND|OR|NOT|GROUP|BY|ORDER|LIMIT|OFFSET|AS|IN|IS|NULL|DESC|ASC|NULLS|LAST|FIRST|BETWEEN|LIKE|ESCAPE"
    "|CASE|WHEN|THEN|ELSE|END|JOIN|LEFT|ON|USING|DISTINCT|COUNT|OVER|WITH|INSERT|INTO|VALUES|UPDATE|SET|DELETE|RETURNING"
    "|CONFLICT|DO|NOTHING|GRANT|TO|TABLE|SCHEMA|CATALOG|USE|TRUE|FALSE|CAST|ANY|EXISTS|HAVING|UNION|ALL"
)
_TOKEN = re.compile(
    r"(?P<c>--[^\n]*|/\*.*?\*/)"
    r"|(?P<q>'(?:[^']|'')*'|`[^`]*`|\"[^\"]*\")"
    r"|(?P<v>:\w+|%\(\w+\)s|%s|\$\d+)"
    rf"|(?P<k>\b(?:{KEYWORDS})\b)",
    re.IGNORECASE | re.DOTALL,
)


def waterline(
    identity: Identity | None,
    elapsed: float | str | Component | None = None,
    facts: Sequence[Any] = (),
    actions: Sequence[Component] = (),
    *,
    running_since: float | None = None,
    id: str | None = None,  # noqa: A002
) -> Component:
    """Return the strip.

    Args:
        identity: as whom the call ran; None leaves the place empty (nothing was asked yet).
        elapsed: milliseconds, or words when something else is to be said ("gave up after 2,000 ms").
        facts: what answered and what is worth knowing, in order of weight; a phone shows none of them.
        actions: buttons, quiet ones first; a phone keeps the last.
        running_since: Unix time in seconds when a call began that still runs: the edge flows and the seconds count.
        id: Dash id of the strip.
    """
    parts: list[Component] = []
    if identity:
        words = [html.Span("Runs as ", className="hide-phone"), identity.name]
        whole = f"Runs as {identity.name}"
        sign = icon(IDENTITY_ICONS[identity.kind])
        parts.append(html.Span([sign, html.Span(words, className="cut")], className="as", title=whole))
    for place, fact in enumerate([*_time(elapsed, running_since), *facts]):
        narrow = "" if place == 0 else " hide-phone"
        parts += [html.Span(className=f"sep{narrow}"), html.Span(fact, className=narrow.strip(), **_whole(fact))]
    if actions:
        parts.append(html.Span([*actions], className="push row-flex lf-actions"))
    name = "lf-waterline running" if running_since is not None else "lf-waterline"
    return html.Div(parts, className=name, **({"id": id} if id else {}))


def _whole(fact: Any) -> dict[str, str]:
    """A narrow window cuts a fact: the pointer gets it in full."""
    return {"title": fact} if isinstance(fact, str) else {}


def sql_button(panel_id: str) -> Component:
    """Return the button that opens and closes the panel `panel_id`; its words say which (the stylesheet picks them)."""
    toggles = {"aria-expanded": "false", "aria-controls": panel_id, "data-toggle": panel_id}
    return html.Button(
        [
            html.Span([icon("code"), html.Span("Show SQL")], className="row-flex when-closed"),
            html.Span([icon("chevron-down"), html.Span("Hide SQL")], className="row-flex when-open"),
        ],
        className="btn btn-ghost btn-sm",
        type="button",
        **toggles,
    )


def toggle_button(panel_id: str, label: str, icon_name: str) -> Component:
    """Return a button that opens any other panel below the strip."""
    toggles = {"aria-expanded": "false", "aria-controls": panel_id, "data-toggle": panel_id}
    return button(label, None, "ghost", icon_name, small=True, **toggles)


def sql_panel(panel_id: str, statement: str, parameters: Mapping[str, Any] | None = None) -> Component:
    """Return the statement, closed at first, with the bound values as a comment below it."""
    text = statement
    if parameters:
        text += "\n" + "\n".join(f"-- :{name} = {value!r}" for name, value in parameters.items())
    return html.Div(
        [
            html.Pre(
                highlight(text), className="lf-sql", role="region", tabIndex="0", **{"aria-label": "SQL statement"}
            ),
            copy_button("Copy", "the SQL", "lf-sql-copy", text=text),
        ],
        id=panel_id,
        className="lf-sql-box",
        hidden=True,
    )


def text_panel(panel_id: str, text: str, label: str) -> Component:
    """Return any other text that a strip opens (a raw answer), closed at first."""
    return html.Div(
        [
            html.Pre(text, className="lf-sql", role="region", tabIndex="0", **{"aria-label": label}),
            copy_button("Copy", label, "lf-sql-copy", text=text),
        ],
        id=panel_id,
        className="lf-sql-box",
        hidden=True,
    )


def highlight(statement: str) -> list[Component | str]:
    """Return a statement with keywords, values and comments marked; every other character stays as it is."""
    out: list[Component | str] = []
    at = 0
    for match in _TOKEN.finditer(statement):
        kind = str(match.lastgroup)
        if kind == "q":
            continue
        if match.start() > at:
            out.append(statement[at : match.start()])
        out.append(html.Span(match.group(), className=kind))
        at = match.end()
    if at < len(statement):
        out.append(statement[at:])
    return out


def _time(elapsed: float | str | Component | None, running_since: float | None) -> list[Any]:
    if running_since is not None:
        so_far = max(0.0, time.time() - running_since)  # drawn anew while it runs, the strip must not fall back to 0
        clock = html.Span(f"{so_far:.1f} s", **{"data-clock": "elapsed", "data-at": f"{running_since * 1000:.0f}"})
        return [html.Span(["running for ", clock])]
    if elapsed is None:
        return []
    return [duration(elapsed) if isinstance(elapsed, int | float) else elapsed]
