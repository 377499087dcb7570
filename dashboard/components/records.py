"""Records of Lakebase as people see them: the list, the form and the audit trail. No call to a service is made here."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import dash_bootstrap_components as dbc
from dash import html
from dash.development.base_component import Component

from dashboard.components.controls import busy_button, button, field, icon_button
from dashboard.components.feedback import blank
from dashboard.components.json_editor import diff, editor, one_line, pretty
from dashboard.components.signs import icon, mono, tag
from dashboard.components.words import ago, exact, number
from dashboard.preferences import KNOWN, Known
from services.lakebase.models import APPLICATION_STATE, CONFIGURATION, PREFERENCE, AuditEntry, Record, RecordKind


@dataclass(frozen=True)
class RecordType:
    """One of the three record types: its kind in the service, and how it is spoken of."""

    kind: RecordKind
    plural: str
    singular: str
    short: str | None = None

    @property
    def name(self) -> str:
        """The name of its list in the API, used as the value of its tab."""
        return self.kind.collection


@dataclass(frozen=True)
class FormIds:
    """Ids of the parts of a form, so that the page owns all of them."""

    key: str
    field: str
    text: str
    typed: str
    save: str
    cancel: str
    duplicate: str
    delete: str
    back: str


TYPES = (
    RecordType(PREFERENCE, "Preferences", "preference"),
    RecordType(CONFIGURATION, "Saved views", "saved view"),
    RecordType(APPLICATION_STATE, "Application state", "application state", "State"),
)
KINDS = {kind.name: kind for kind in TYPES}
_SIGNS = {"CREATE": ("plus-lg", "Created"), "UPDATE": ("pencil", "Updated"), "DELETE": ("trash", "Deleted")}


def record_list(records: Sequence[Record], chosen: str | None, row_type: str) -> Component:
    """Return the list; each row is a button with the id `{"type": row_type, "key": key}`."""
    rows = []
    for record in records:
        here = {"aria-current": "true"} if record.key == chosen else {}
        top = [
            mono(record.key, "cut"),
            html.Span(
                html.Span(ago(record.updated_at)),
                className="push small faint nowrap when",
                title=exact(record.updated_at),
            ),
        ]
        below = html.Span(mono(one_line(record.value, 60), "cut"), className="l2")
        row = html.Button(
            [html.Span(top, className="row-flex"), below],
            id={"type": row_type, "key": record.key},
            type="button",
            **{"data-key": record.key, **here},
        )
        rows.append(html.Li(row))
    return html.Ul(rows, className="lf-list")


def list_foot(offset: int, returned: int, total: int, before_id: str, after_id: str) -> list[Component]:
    """Return place and total of a page of the list, with its two buttons when there is more than one page."""
    if total == 0:
        return [html.Span("None")]
    place = [html.B(f"{number(offset + 1)}\u2013{number(offset + returned)}"), " of ", html.B(number(total))]
    more = total > returned
    return [
        html.Span(place, className="nowrap"),
        html.Span(
            [
                html.Span("newest change first", className="lf-order"),
                html.Span(f"as loaded at {datetime.now(UTC):%H:%M} UTC", className="lf-stale"),
            ],
            className="push faint hide-phone" if more else "push faint",
        ),
        html.Span(
            [
                _pager_button("Earlier page", "chevron-left", before_id, offset == 0),
                _pager_button("Next page", "chevron-right", after_id, offset + returned >= total),
            ],
            className="row-flex",
            hidden=not more,
        ),
    ]


def no_records(kind: RecordType, search: str) -> Component:
    """Return what stands in the list when nothing is there: nothing at all, or nothing that matches."""
    if search:
        return html.P([f"No {kind.singular} has ", mono(search), " in its key or value."], className="dim lf-list-none")
    return html.P(f"You have no {kind.singular} yet.", className="dim lf-list-none lf-list-empty")


def nothing_chosen(kind: RecordType, empty: bool, new_button: Component) -> Component:
    """Return what stands in the place of the form before a record is chosen."""
    if empty:
        words = f"A {kind.singular} is a key with any JSON value, kept for you in Postgres. You have none yet."
        return blank("new", f"Your first {kind.singular}", [words], [new_button])
    return blank("new", f"Choose a {kind.singular}", ["Pick one from the list, or make a new one."], [new_button])


def record_form(
    kind: RecordType,
    ids: FormIds,
    record: Record | None,
    owner: str,
    start: str = "{}",
    card: list[Component] | None = None,
) -> Component:
    """Return the form of one record, or of a new one when `record` is None (`start` is its first value).

    `owner` keeps what was typed apart for each person who uses this browser; `card` says the value in words and stands
    in the place of the JSON box until somebody wants to edit that.
    """
    new = record is None
    value = start if record is None else record.value
    text = pretty(value)
    known = KNOWN.get(record.key) if record is not None and kind.kind is PREFERENCE else None
    typed = known is not None and known.accepts(json.loads(value))
    heading = f"New {kind.singular}" if new else f"Edit {kind.singular}"
    actions = [] if record is None else _form_actions(ids)
    leaves = {"data-leaves-form": ""}  # assets/navigate.js asks first when something was typed
    return html.Div(
        [
            button(
                f"All {kind.plural.lower()}",
                ids.back,
                "ghost",
                "arrow-left",
                "only-phone",
                "lf-back",
                small=True,
                **leaves,
            ),
            html.Div(
                [
                    html.H2(heading, id="record-form-title"),
                    html.Span(tag("Not saved yet", "info", "pencil-fill"), className="lf-dirty"),
                    html.Span(actions, className="push row-flex lf-form-actions"),
                ],
                className="row-flex wrap",
            ),
            _key_field(ids.key, "" if record is None else record.key, new),
            *([_typed(ids, known, value)] if known and typed else []),
            *([_in_words(ids, card)] if card else []),
            editor(ids.field, ids.text, "Value, as JSON", text, is_hidden=typed or card is not None),
            html.Div(
                [
                    busy_button(
                        ["Save", html.Span(" again", className="lf-again")],
                        "Saving\u2026",
                        ids.save,
                        **{"data-json-save": ids.field},
                    ),
                    button("Cancel", ids.cancel, "", small=False, **leaves),
                    html.Span(
                        [html.Kbd("Ctrl"), " ", html.Kbd("Enter"), " saves \u2002 ", html.Kbd("Esc"), " leaves"],
                        className="small faint push hide-phone",
                    ),
                ],
                className="row-flex wrap",
            ),
        ],
        className="pane-form",
        role="form",
        **{
            "aria-labelledby": "record-form-title",
            "data-submit": ids.save,
            "data-leave": ids.cancel,
            "data-dirty": "false",
            "data-original": text,
            "data-key-field": ids.key if new else "",
            "data-draft": draft_name(owner, kind, "" if record is None else record.key),
        },
    )


def draft_name(owner: str, kind: RecordType, key: str) -> str:
    """Return under which name the browser keeps what was typed and not saved; a new record has an empty key."""
    return f"{owner}:{kind.name}:{key}"


def trail(changes: Sequence[AuditEntry]) -> Component:
    """Return the audit trail of one record, newest first."""
    items: list[Component] = []
    for change in changes:
        sign, word = _SIGNS.get(change.action.upper(), ("pencil", change.action.capitalize()))
        when = html.Span(ago(change.changed_at), className="push small faint", title=exact(change.changed_at))
        head = html.Div([icon(sign, "faint"), html.B(word), when], className="row-flex")
        same = change.value_before == change.value_after
        below = html.Div("The value stayed as it was.", className="small dim") if same else None
        items.append(html.Li([head, below or diff(change.value_before, change.value_after)]))
    words = "You made all of these changes. Entries cannot be altered." if items else "Nothing was changed yet."
    return html.Ol([*items, html.Li(words, className="faint small")], className="lf-trail")


def _form_actions(ids: FormIds) -> list[Component]:
    remove = button("Delete", ids.delete, "ghost", "trash", "lf-deletes", small=True, **{"data-deletes-record": ""})
    return [button("Duplicate", ids.duplicate, "ghost", "files", small=True, **{"data-leaves-form": ""}), remove]


def _key_field(identifier: str, key: str, new: bool) -> Component:
    control = dbc.Input(id=identifier, type="text", value=key, readonly=not new, className="mono", autocomplete="off")
    hint = (
        "Letters A\u2013Z, digits, dot, dash, underscore; at most 100."
        if new
        else "A key stays as it is; duplicate the record to use another."
    )
    return field("Key", control, hint=hint)


def _typed(ids: FormIds, known: Known, value: str) -> Component:
    if known.choices:
        options = [{"label": words, "value": json.dumps(choice)} for choice, words in known.choices]
        control = dbc.Select(id=ids.typed, options=options, value=json.dumps(json.loads(value)))
    else:
        control = dbc.Input(id=ids.typed, type="text", value=json.loads(value), className="mono", autocomplete="off")
    return html.Div(
        [
            field(known.label, control, hint=known.hint),
            _as_json(ids),
        ],
        className="grow",
        **{"data-typed": ids.field, "data-plain": "" if known.choices else "text"},
    )


def _in_words(ids: FormIds, card: list[Component]) -> Component:
    return html.Div([*card, _as_json(ids)], className="grow lf-in-words", **{"data-instead": ids.field})


def _as_json(ids: FormIds) -> Component:
    return button("Edit as JSON", None, "ghost", "braces", "lf-as-json", small=True, **{"data-typed-off": ids.field})


def _pager_button(label: str, sign: str, identifier: str, disabled: bool) -> Component:
    return icon_button(label, sign, identifier, disabled=disabled)
