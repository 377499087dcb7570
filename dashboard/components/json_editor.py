"""The JSON box: any JSON value as text, checked on each key in the browser (assets/json_editor.js), and its diff."""

import difflib
import re
from collections.abc import Iterator

import dash_bootstrap_components as dbc
from dash import html
from dash.development.base_component import Component

from dashboard.components.controls import button
from dashboard.components.signs import hidden, icon

LIMIT_BYTES = 65_536
_LINE = 60
_LINES = 40
_MOST = 400
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')


def pretty(text: str) -> str:
    """Return JSON text as people write it, by moving white space between the tokens only: 12.0 stays 12.0.

    Two spaces of indentation; a list of plain values stays on one line while it is short, as the Format button does.
    """
    return _write(iter(_TOKEN.findall(text)), "")[0]


def one_line(text: str, most: int = 120) -> str:
    """Return JSON text on one line, cut with an ellipsis."""
    signs = _TOKEN.findall(text[: 4 * most])
    words = "".join(f"{sign} " if sign in (",", ":") else sign for sign in signs).rstrip()
    return words if len(words) <= most else f"{words[: most - 1]}\u2026"


def editor(
    field_id: str, text_id: str, label: str, text: str, *, is_hidden: bool = False, most_bytes: int = LIMIT_BYTES
) -> Component:
    """Return the box. `State(text_id, "value")` is the text; `field_id` goes into the save button's attribute.

    `most_bytes` is the largest text that may be saved or sent, as compact UTF-8 JSON.
    """
    state_id = f"{text_id}-state"
    return html.Div(
        [
            html.Div(
                [
                    html.Label(label, htmlFor=text_id, className="form-label"),
                    button("Format", None, "ghost", "text-indent-left", "push", small=True, **{"data-json-format": ""}),
                ],
                className="row-flex lf-json-head",
            ),
            html.Div(
                [
                    html.Div(html.Div("1", className="g"), className="lf-gutter", **{"aria-hidden": "true"}),
                    dbc.Textarea(id=text_id, value=text, rows=14, spellcheck=False, className="lf-json-text"),
                ],
                className="lf-json",
            ),
            html.Div(
                [
                    html.Span(
                        [icon("check-circle-fill"), html.Span("Valid JSON")],
                        className="lf-state is-ok",
                        role="status",
                        **{"data-json-state": ""},
                    ),
                    html.Span("", className="faint", **{"data-json-size": ""}),
                    button("Go there", None, "ghost", None, "push", small=True, hidden=True, **{"data-json-go": ""}),
                ],
                className="row-flex small lf-json-foot form-text",
                id=state_id,
            ),
        ],
        id=field_id,
        className="grow lf-field",
        hidden=is_hidden,
        **{"data-json": "", "data-json-most": str(most_bytes)},
    )


def diff(before: str | None, after: str | None) -> Component:
    """Return what changed between two JSON texts, line by line, as removed and added; None stands for no record."""
    if before is None or after is None:
        changes = [("a", one_line(after or "", _MOST))] if before is None else [("d", one_line(before, _MOST))]
    else:
        old, new = pretty(before).splitlines(), pretty(after).splitlines()
        changes = [
            ("d" if line[0] == "-" else "a", line[2:].strip().rstrip(","))
            for line in difflib.ndiff(old, new)
            if line[:2] in ("- ", "+ ")
        ]
    marks = {"d": ("\u2212", "before: "), "a": ("+", "after: ")}
    return html.Div(
        [
            html.Div([hidden(marks[sign][1]), text[:_MOST]], className=sign, **{"data-s": marks[sign][0]})
            for sign, text in changes[:_LINES]
        ],
        className="lf-diff",
    )


def _write(tokens: Iterator[str], indent: str, first: str | None = None) -> tuple[str, bool]:
    """Return the next value as text, and whether it is a plain one."""
    first = next(tokens, "") if first is None else first
    if first not in ("{", "["):
        return first, True
    close, inner = ("}" if first == "{" else "]"), indent + "  "
    parts: list[str] = []
    plain = first == "["
    for sign in tokens:
        if sign == close:
            break
        if sign == ",":
            continue
        if first == "{":
            next(tokens, "")  # the colon
            parts.append(f"{sign}: {_write(tokens, inner)[0]}")
        else:
            text, simple = _write(tokens, inner, sign)
            plain = plain and simple
            parts.append(text)
    if not parts:
        return first + close, False
    line = f"[{', '.join(parts)}]"
    if plain and len(line) + len(indent) <= _LINE:
        return line, False
    return f"{first}\n" + ",\n".join(inner + part for part in parts) + f"\n{indent}{close}", False
