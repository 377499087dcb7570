"""Controls: buttons, tabs, segments, fields, copy boxes. Built on `html` where ARIA matters: dbc has none."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import dash_bootstrap_components as dbc
from dash import html
from dash.development.base_component import Component

from dashboard.components.signs import Tone, hidden, icon

Look = Literal["", "primary", "ghost", "danger", "danger-solid"]
Id = str | dict[str, str]


def button(
    label: str,
    id: Id | None = None,  # noqa: A002 - Dash's own name of the property
    look: Look = "",
    icon_name: str | None = None,
    *classes: str,
    small: bool = False,
    more: str = "",
    **properties: Any,
) -> Component:
    """Return a button: verb and object. `more` is said to screen readers only (which record, which row)."""
    names = ["btn", *([f"btn-{look}"] if look else []), *(["btn-sm"] if small else []), *classes]
    children = [*([icon(icon_name)] if icon_name else []), html.Span(label), *([hidden(more)] if more else [])]
    return html.Button(children, className=" ".join(names), type="button", **_with_id(id), **properties)


BUSY = "btn btn-primary lf-busy"
IDLE = "btn btn-primary"


def busy_button(label: str | list[Any], busy_label: str, id: str, **properties: Any) -> Component:  # noqa: A002
    """Return a primary button that says what it does while it does it, with its width kept.

    The callback switches the class: `running=[(Output(id, "className"), BUSY, IDLE)]`.
    """
    words = [html.Span(label, className="idle"), html.Span(busy_label, className="busy", **{"aria-live": "polite"})]
    return html.Button(words, id=id, className=IDLE, type="button", **properties)


def icon_button(
    label: str,
    icon_name: str,
    id: Id | None = None,  # noqa: A002
    *classes: str,
    small: bool = True,
    **properties: Any,
) -> Component:
    """Return a quiet button that shows an icon only; its name is said and appears as a title."""
    names = ["btn", "btn-ghost", "btn-icon", *(["btn-sm"] if small else []), *classes]
    return html.Button(
        [icon(icon_name), hidden(label)],
        className=" ".join(names),
        type="button",
        title=label,
        **_with_id(id),
        **properties,
    )


@dataclass(frozen=True)
class Tab:
    """One tab: its value, its words (`short` on a phone) and an optional count."""

    value: str
    label: str
    count: int | None = None
    short: str | None = None


def tabs(kind: str, choices: Sequence[Tab], chosen: str, *, controls: str, label: str) -> Component:
    """Return a tablist whose buttons have the ids `{"type": kind, "value": value}`.

    Arrow keys, Home and End move the focus (assets/interact.js); Enter or Space opens, because opening may cost a
    statement. `controls` is the id of the one panel, which should carry `role="tabpanel"`.
    """
    return html.Div(
        [
            html.Button(
                [_tab_words(tab), *([] if tab.count is None else [" ", html.Span(f"{tab.count:,}", className="n")])],
                id={"type": kind, "value": tab.value},
                type="button",
                role="tab",
                tabIndex="0" if tab.value == chosen else "-1",
                **{"aria-selected": "true" if tab.value == chosen else "false", "aria-controls": controls},
            )
            for tab in choices
        ],
        className="lf-tabs",
        role="tablist",
        **{"aria-label": label},
    )


def segment(id: str, label: str, options: Sequence[tuple[str, str]], value: str, *classes: str) -> Component:  # noqa: A002
    """Return a segmented choice of two to four ways to see the same thing; its value is `Input(id, "value")`."""
    return html.Fieldset(
        [
            html.Legend(label, className="visually-hidden"),
            dbc.RadioItems(
                id=id, value=value, options=[{"label": words, "value": key} for key, words in options], inline=True
            ),
        ],
        className=" ".join(("lf-seg", *classes)),
    )


def field(
    label: str,
    control: Component,
    *,
    kind: str = "",
    hint: str | Component | None = None,
    error: str | None = None,
    classes: str = "",
) -> Component:
    """Return a labelled field. `control` needs a string id; hint and error are tied to it by assets/describe.js."""
    identifier = str(control.id)
    note: list[Component] = []
    if error:
        note = [html.Div(error, className="invalid-feedback d-block", id=f"{identifier}-error")]
    elif hint:
        note = [html.Div(hint, className="form-text", id=f"{identifier}-hint")]
    words = [label, *([" ", html.Span(kind, className="lf-kind")] if kind else [])]
    return html.Div(
        [html.Label(words, className="form-label", htmlFor=identifier), control, *note],
        className=f"lf-field {classes}".strip(),
    )


def search_box(id: str, label: str, **properties: Any) -> Component:  # noqa: A002
    """Return a search field with its sign; the label is said and shown as the placeholder."""
    return html.Div(
        [
            icon("search"),
            html.Label(label, htmlFor=id, className="visually-hidden"),
            dbc.Input(id=id, type="text", placeholder=label, autocomplete="off", debounce=0.25, **properties),
        ],
        className="lf-search",
    )


def copy_box(text: str, what: str = "the statement") -> Component:
    """Return text to copy, in full, with its button (assets/interact.js copies and says so)."""
    return html.Div([html.Code(text), copy_button("Copy", what)], className="lf-copy")


def copy_button(label: str, what: str, *classes: str, text: str | None = None, look: Look = "") -> Component:
    """Return a button that copies `text`, or the `code` beside it when none is given; it says "Copied" for 2 s."""
    data = {"data-copy": text if text is not None else ""}
    return button(label, None, look, "copy", *classes, small=True, more=f" {what}", **data)


def meter(percent: float, label: str | None = None) -> Component:
    """Return a bar of 0 to 100 %; without a label it is decoration beside figures that say the same."""
    bar = html.I(style={"width": f"{max(0.0, min(100.0, percent)):.1f}%"})
    if label is None:
        return html.Div(bar, className="lf-meter")
    value = {"aria-valuenow": f"{percent:.0f}", "aria-valuemin": "0", "aria-valuemax": "100", "aria-label": label}
    return html.Div(bar, className="lf-meter", role="progressbar", **value)


def panel(
    title: str | Component,
    body: Component | Sequence[Component],
    *,
    id: str,  # noqa: A002
    aside: Sequence[Component] = (),
    classes: str = "",
) -> Component:
    """Return a panel with a heading (id `{id}-title`), what stands at its right, and a body."""
    return html.Section(
        [
            html.Header([html.H2(title, id=f"{id}-title"), *aside]),
            *(body if isinstance(body, Sequence) else [body]),
        ],
        className=f"lf-panel {classes}".strip(),
        id=id,
        **{"aria-labelledby": f"{id}-title"},
    )


def scroller(child: Component, label: str) -> Component:
    """Return a region that scrolls sideways and can be reached by keyboard; its name differs from its panel's."""
    return html.Div(child, className="lf-scroll", role="region", tabIndex="0", **{"aria-label": label})


def facts(pairs: Sequence[tuple[str, Any]], *classes: str) -> Component:
    """Return a list of names and values."""
    children = [part for name, value in pairs for part in (html.Dt(name), html.Dd(value))]
    return html.Dl(children, className=" ".join(("lf-kv", *classes)))


def steps(items: Sequence[tuple[str, Any]]) -> Component:
    """Return numbered steps; each is (`done` | `now` | `next`, words)."""
    out = []
    for place, (how, words) in enumerate(items, 1):
        mark = icon("check") if how == "done" else str(place)
        said = [hidden(" (done)")] if how == "done" else []
        out.append(
            html.Li(
                [html.Span(mark, className="n"), html.Span([*(words if isinstance(words, list) else [words]), *said])],
                className=how,
            )
        )
    return html.Ol(out, className="lf-steps")


def skeleton(*widths: int, height: int | None = None) -> list[Component]:
    """Return shimmering lines in the given widths (percent) that stand where text will be."""
    style = {} if height is None else {"height": f"{height}px"}
    return [html.Span(className="lf-skel", style={"width": f"{width}%", **style}) for width in widths]


def tone_class(tone: Tone) -> str:
    """Return the class that carries a tone's colour."""
    return f"is-{tone}" if tone else ""


def _tab_words(tab: Tab) -> Component:
    if tab.short is None:
        return html.Span(tab.label)
    return html.Span([html.Span(tab.label, className="hide-phone"), html.Span(tab.short, className="only-phone")])


def _with_id(identifier: Id | None) -> dict[str, Id]:
    return {} if identifier is None else {"id": identifier}
