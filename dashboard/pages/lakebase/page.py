"""Lakebase: the person's own records in Postgres. List, form, audit trail; delete with undo; honest when it is down.

All calls run as the app with a database token, for one person: row-level security and every statement name them.
"""

import time
from typing import Any

from dash import ALL, ClientsideFunction, Dash, Input, Output, State, ctx, dcc, html, no_update, set_props
from dash.development.base_component import Component

from dashboard.callbacks import callback
from dashboard.components.controls import BUSY, IDLE, Tab, button, copy_button, search_box, skeleton, tabs
from dashboard.components.dialog import confirm
from dashboard.components.feedback import (
    TOASTS,
    countdown,
    error_note,
    error_panel,
    toast,
    undo_button,
)
from dashboard.components.records import (
    KINDS,
    TYPES,
    FormIds,
    RecordType,
    draft_name,
    list_foot,
    no_records,
    nothing_chosen,
    record_form,
    record_list,
    trail,
)
from dashboard.components.signs import Identity, mono, state
from dashboard.components.waterline import waterline
from dashboard.components.words import ago
from dashboard.identity import current_user
from dashboard.recent_errors import remember
from dashboard.tour import mark
from services.container import Services
from services.errors import LakefrontError

PAGE = "lakebase"
AVAILABLE = "lakebase-available"
ALERT = "lakebase-alert"
TABS = "lakebase-tabs"
TAB = "lakebase-tab"
NEW = "lakebase-new"
NEW_BLANK = "lakebase-new-blank"
NEW_WORDS = "lakebase-new-words"
BODY = "lakebase-records"
SEARCH = "lakebase-search"
LIST = "lakebase-list"
FOOT = "lakebase-foot"
EARLIER = "lakebase-earlier"
LATER = "lakebase-later"
ROW = "lakebase-row"
FORM = "lakebase-form"
TRAIL = "lakebase-trail"
STRIP = "lakebase-strip"
DIALOG = "lakebase-dialog"
KEEP = "lakebase-keep"
DELETE_IT = "lakebase-delete-it"
UNDO = "lakebase-undo"
TRY_NOW = "lakebase-try-now"
RELOAD = "lakebase-reload"
IDS = FormIds(
    key="lakebase-key",
    field="lakebase-json",
    text="lakebase-text",
    typed="lakebase-typed",
    save="lakebase-save",
    cancel="lakebase-cancel",
    duplicate="lakebase-duplicate",
    delete="lakebase-delete",
    back="lakebase-back",
)
# What the page remembers while it is open
VIEW = "lakebase-view"  # {"kind", "offset"}
CHOSEN = "lakebase-chosen"  # {"key": str | None, "new": bool, "start": str, "at": float} or None
CHANGED = "lakebase-changed"  # seconds since the epoch of the last change, so that the list loads again
DELETED = "lakebase-deleted"  # {"kind", "key", "value"}: what Undo brings back
APPLIED = "lakebase-applied"  # the theme that was saved, for the browser

PAGE_SIZE = 50
TRAIL_SIZE = 30


def layout() -> Component:
    """Return the page before anything answered."""
    return html.Div(
        [
            dcc.Store(id=VIEW, data={"kind": TYPES[0].name, "offset": 0}),
            dcc.Store(id=CHOSEN),
            dcc.Store(id=CHANGED),
            dcc.Store(id=DELETED),
            dcc.Store(id=APPLIED),
            html.Div(
                [
                    html.Div(
                        [
                            html.H1("Lakebase"),
                            html.P(
                                "Your own records in Postgres. Nobody else sees them, and you see nobody else\u2019s."
                            ),
                        ]
                    ),
                    html.Span(id=AVAILABLE, className="push hide-phone lf-checked", role="status"),
                ],
                className="lf-head",
            ),
            html.Div(id=ALERT),
            html.Div(
                [
                    html.Div(
                        [
                            html.Div(_tabs(TYPES[0].name, {}), id=TABS, className="lf-tabs-place"),
                            button(
                                "New preference",
                                NEW,
                                "",
                                "plus-lg",
                                "push",
                                "lf-new",
                                small=True,
                                **{"data-leaves-form": ""},
                            ),
                        ],
                        className="lf-bar tabs",
                    ),
                    html.Div(
                        [
                            html.Section(
                                [
                                    html.Div(search_box(SEARCH, "Search keys"), className="lf-list-search"),
                                    html.Div(_waiting(), id=LIST, className="lf-list-place"),
                                    html.Div(id=FOOT, className="lf-pager"),
                                ],
                                className="pane-list",
                                **{"aria-label": "Records"},
                            ),
                            html.Div(id=FORM, className="lf-form-place"),
                            html.Aside(
                                [
                                    html.Div(
                                        [
                                            html.H2("Audit trail"),
                                            html.Span("this record", className="small faint push"),
                                        ],
                                        className="row-flex lf-trail-head",
                                    ),
                                    html.Div(id=TRAIL),
                                ],
                                className="pane-trail",
                                **{"aria-label": "Audit trail"},
                            ),
                        ],
                        className="lf-cols lf-records fill",
                        id=BODY,
                        role="tabpanel",
                        **{"aria-label": "Records and the chosen one"},
                    ),
                    html.Div(waterline(None), id=STRIP),
                ],
                className="lf-panel lf-tall first",
            ),
            html.Div(id=DIALOG),
        ],
        className="lf-page fill",
        id=PAGE,
    )


def register(app: Dash, services: Services) -> None:
    """Add the callbacks."""
    app.clientside_callback(
        ClientsideFunction("lakefront", "applyTheme"), Output(APPLIED, "id"), Input(APPLIED, "data")
    )
    _register_list(app, services)
    _register_choice(app)
    _register_form(app, services)
    _register_changes(app, services)
    _register_undo(app, services)


def _register_list(app: Dash, services: Services) -> None:
    instance, lakebase = services.settings.lakebase_name, services.lakebase

    @callback(
        app,
        Output(LIST, "children"),
        Output(FOOT, "children"),
        Output(TABS, "children"),
        Output(STRIP, "children"),
        Output(AVAILABLE, "children"),
        Output(ALERT, "children", allow_duplicate=True),
        Output(NEW, "children"),
        Input(VIEW, "data"),
        Input(SEARCH, "value"),
        Input(CHANGED, "data"),
        Input(CHOSEN, "data"),
        prevent_initial_call="initial_duplicate",
    )
    def load(view: dict[str, Any], search: str | None, _: Any, chosen: dict[str, Any] | None) -> tuple[Any, ...]:
        """Load one page of the list and the counts of all three types."""
        kind = KINDS[view["kind"]]
        new_words = _new_words(kind.singular)
        started = time.perf_counter()
        try:
            user = current_user()
            page = lakebase.list_records(
                user, kind.kind, limit=PAGE_SIZE, offset=view["offset"], search=(search or "").strip()
            )
            took = (time.perf_counter() - started) * 1000
            counts = {one.name: lakebase.list_records(user, one.kind, limit=1).total for one in TYPES}
        except LakefrontError as error:
            remember(error, f"Open {kind.plural.lower()}")
            down = state(f"{instance} unavailable", "danger")
            strip = _strip_failed(error, (time.perf_counter() - started) * 1000, instance)
            if ctx.triggered_id is None or not _is_loaded(chosen):
                panel = error_panel(error, retry=button("Try again", RELOAD, "primary"))
                return panel, "", _tabs(kind.name, {}), strip, down, "", new_words
            alert = _alert(error, "Not loaded.", "The list is as it was.")
            return no_update, "as loaded before", no_update, strip, down, alert, new_words
        here = chosen["key"] if chosen else None
        rows = record_list(page.items, here, ROW) if page.items else no_records(kind, search or "")
        strip = waterline(
            Identity.of_database(user.user_name),
            took,
            [f"instance {instance}", "row-level security forced"],
        )
        return (
            rows,
            list_foot(view["offset"], len(page.items), page.total, EARLIER, LATER),
            _tabs(kind.name, counts),
            strip,
            state(f"{instance} available"),
            "",
            new_words,
        )

    @callback(
        app,
        Output(CHANGED, "data", allow_duplicate=True),
        Input(RELOAD, "n_clicks", allow_optional=True),
        prevent_initial_call=True,
    )
    def reload(clicks: Any) -> Any:
        """Ask again."""
        return time.time() if clicks else no_update


def _register_choice(app: Dash) -> None:
    @callback(
        app,
        Output(VIEW, "data"),
        Output(CHOSEN, "data", allow_duplicate=True),
        Input({"type": TAB, "value": ALL}, "n_clicks"),
        Input(EARLIER, "n_clicks", allow_optional=True),
        Input(LATER, "n_clicks", allow_optional=True),
        Input(SEARCH, "value"),
        State(VIEW, "data"),
        prevent_initial_call=True,
    )
    def turn(tab: list[Any], earlier: Any, later: Any, _: Any, view: dict[str, Any]) -> tuple[Any, Any]:
        """Show another type or another page of the list."""
        cause = ctx.triggered_id
        if not any((*tab, earlier, later)) and cause != SEARCH:
            return no_update, no_update
        if cause == SEARCH:
            return {**view, "offset": 0}, no_update
        if cause in (EARLIER, LATER):
            step = PAGE_SIZE if cause == LATER else -PAGE_SIZE
            return {**view, "offset": max(0, view["offset"] + step)}, no_update
        return {"kind": cause["value"], "offset": 0}, None

    @callback(
        app,
        Output(CHOSEN, "data", allow_duplicate=True),
        Input({"type": ROW, "key": ALL}, "n_clicks"),
        Input(NEW, "n_clicks"),
        Input(NEW_BLANK, "n_clicks", allow_optional=True),
        Input(IDS.cancel, "n_clicks", allow_optional=True),
        Input(IDS.back, "n_clicks", allow_optional=True),
        Input(IDS.duplicate, "n_clicks", allow_optional=True),
        State(IDS.text, "value", allow_optional=True),
        State(CHOSEN, "data"),
        prevent_initial_call=True,
    )
    def choose(*arguments: Any) -> Any:
        """Open a record, a new one, a copy, or none."""
        text, chosen = arguments[-2:]
        cause = ctx.triggered_id
        if not ctx.triggered or not ctx.triggered[0]["value"]:
            return no_update
        if isinstance(cause, dict):
            return {"key": cause["key"], "new": False, "at": time.time()}
        if cause == IDS.duplicate:
            return {"key": None, "new": True, "start": text, "from": (chosen or {}).get("key"), "at": time.time()}
        if cause in (NEW, NEW_BLANK):
            return {"key": None, "new": True, "start": "{}", "at": time.time()}
        return None


def _register_form(app: Dash, services: Services) -> None:
    @callback(
        app,
        Output(FORM, "children"),
        Output(TRAIL, "children"),
        Output(PAGE, "className"),
        Input(CHOSEN, "data"),
        Input(CHANGED, "data"),
        State(VIEW, "data"),
    )
    def open_form(chosen: dict[str, Any] | None, _: Any, view: dict[str, Any]) -> tuple[Any, Any, str]:
        """Show the chosen record as it is stored now, and its changes."""
        kind = KINDS[view["kind"]]
        new_button = button(f"New {kind.singular}", NEW_BLANK, "", "plus-lg")
        if chosen is None:
            return nothing_chosen(kind, _is_empty(services, kind), new_button), _NO_TRAIL, _PAGE
        try:
            user = current_user()
            if chosen["new"]:
                return record_form(kind, IDS, None, user.user_id, chosen["start"]), trail([]), f"{_PAGE} editing"
            record = services.lakebase.get_record(user, kind.kind, chosen["key"])
            changes = services.lakebase.list_audit_log(
                user, limit=TRAIL_SIZE, record_type=kind.kind.name, record_key=chosen["key"]
            ).items
        except LakefrontError as error:
            remember(error, f"Open {kind.singular} {chosen['key']}")
            if ctx.triggered_id == CHANGED:
                return no_update, no_update, no_update
            return error_panel(error, retry=button("Try again", RELOAD)), "", f"{_PAGE} editing"
        return record_form(kind, IDS, record, user.user_id), trail(changes), f"{_PAGE} editing"


def _register_changes(app: Dash, services: Services) -> None:
    instance = services.settings.lakebase_name

    @callback(
        app,
        Output(CHANGED, "data", allow_duplicate=True),
        Output(CHOSEN, "data", allow_duplicate=True),
        Output(ALERT, "children", allow_duplicate=True),
        Output(APPLIED, "data"),
        Output(AVAILABLE, "children", allow_duplicate=True),
        Output(STRIP, "children", allow_duplicate=True),
        Input(IDS.save, "n_clicks", allow_optional=True),
        Input(TRY_NOW, "n_clicks", allow_optional=True),
        State(IDS.key, "value", allow_optional=True),
        State(IDS.text, "value", allow_optional=True),
        State(CHOSEN, "data"),
        State(VIEW, "data"),
        running=[(Output(IDS.save, "className"), BUSY, IDLE)],
        prevent_initial_call=True,
    )
    def save(
        clicks: Any, again: Any, key: str | None, text: str | None, chosen: dict[str, Any] | None, view: dict[str, Any]
    ) -> tuple[Any, ...]:
        """Create or replace the record; what was typed stays in the form when it fails."""
        if not (clicks or again) or chosen is None:
            return (no_update,) * 6
        kind = KINDS[view["kind"]]
        started = time.perf_counter()
        name = (key or "").strip() if chosen["new"] else chosen["key"]
        try:
            user = current_user()
            if chosen["new"]:
                services.lakebase.create_record(user, kind.kind, name, text or "")
            else:
                services.lakebase.replace_record(user, kind.kind, name, text or "")
        except LakefrontError as error:
            remember(error, f"Save {kind.singular} {name}")
            alert = _alert(error, "Not saved.", _KEPT, text)
            if error.status != 503:
                return no_update, no_update, alert, no_update, no_update, no_update
            strip = _strip_failed(error, (time.perf_counter() - started) * 1000, instance)
            return no_update, no_update, alert, no_update, state(f"{instance} unavailable", "danger"), strip
        saved = draft_name(user.user_id, kind, "" if chosen["new"] else name)
        set_props(TOASTS, {"children": toast(["Saved ", mono(name)], clears=saved)})
        now = time.time()
        theme = text if kind.name == "preferences" and name == "theme" else no_update
        return now, {"key": name, "new": False, "at": now}, "", theme, no_update, no_update

    @callback(
        app,
        Output(DIALOG, "children"),
        Input(IDS.delete, "n_clicks", allow_optional=True),
        Input(KEEP, "n_clicks", allow_optional=True),
        State(CHOSEN, "data"),
        State(VIEW, "data"),
        prevent_initial_call=True,
    )
    def ask(delete: Any, _: Any, chosen: dict[str, Any] | None, view: dict[str, Any]) -> Any:
        """Ask before deleting."""
        if ctx.triggered_id != IDS.delete or not delete or chosen is None:
            return []
        kind = KINDS[view["kind"]]
        title = [f"Delete the {kind.singular} ", mono(chosen["key"]), "?"]
        try:
            record = services.lakebase.get_record(current_user(), kind.kind, chosen["key"])
            changed = f"It was last changed {ago(record.updated_at)}. "
        except LakefrontError:
            changed = ""  # the question needs no answer from the database; deleting itself will say that it is down
        body = f"{changed}You can undo this for 30 seconds; the audit trail keeps the value."
        return confirm(
            "lakebase-confirm", title, body, keep=("Keep it", KEEP), do=(f"Delete the {kind.singular}", DELETE_IT)
        )


def _register_undo(app: Dash, services: Services) -> None:
    @callback(
        app,
        Output(DIALOG, "children", allow_duplicate=True),
        Output(CHANGED, "data", allow_duplicate=True),
        Output(CHOSEN, "data", allow_duplicate=True),
        Output(DELETED, "data"),
        Output(ALERT, "children", allow_duplicate=True),
        Input(DELETE_IT, "n_clicks", allow_optional=True),
        State(CHOSEN, "data"),
        State(VIEW, "data"),
        prevent_initial_call=True,
    )
    def delete(clicks: Any, chosen: dict[str, Any] | None, view: dict[str, Any]) -> tuple[Any, ...]:
        """Delete the record and offer to bring it back."""
        if not clicks or chosen is None:
            return (no_update,) * 5
        kind = KINDS[view["kind"]]
        try:
            user = current_user()
            record = services.lakebase.delete_record(user, kind.kind, chosen["key"])
        except LakefrontError as error:
            remember(error, f"Delete {kind.singular} {chosen['key']}")
            return [], no_update, no_update, no_update, _alert(error, "Not deleted.", "The record is still there.")
        words = [f"Deleted the {kind.singular} ", mono(record.key)]
        set_props(TOASTS, {"children": toast(words, undo_button(UNDO))})
        kept = {"kind": kind.name, "key": record.key, "value": record.value}
        return [], time.time(), None, kept, ""

    @callback(
        app,
        Output(CHANGED, "data", allow_duplicate=True),
        Output(CHOSEN, "data", allow_duplicate=True),
        Output(ALERT, "children", allow_duplicate=True),
        Input(UNDO, "n_clicks", allow_optional=True),
        State(DELETED, "data"),
        State(VIEW, "data"),
        prevent_initial_call=True,
    )
    def undo(clicks: Any, deleted: dict[str, str] | None, view: dict[str, Any]) -> tuple[Any, ...]:
        """Bring back what was deleted last, with the value it had."""
        if not clicks or not deleted:
            return no_update, no_update, no_update
        try:
            services.lakebase.create_record(
                current_user(), KINDS[deleted["kind"]].kind, deleted["key"], deleted["value"]
            )
        except LakefrontError as error:
            remember(error, f"Bring back {deleted['key']}")
            return no_update, no_update, _alert(error, "Not brought back.", "The audit trail keeps the value.")
        mark(services, "preference")
        set_props(TOASTS, {"children": toast(["Brought back ", mono(deleted["key"])])})
        now = time.time()
        same = view["kind"] == deleted["kind"]
        return now, {"key": deleted["key"], "new": False, "at": now} if same else no_update, ""


_PAGE = "lf-page fill"
_NO_TRAIL = html.P("The changes of the chosen record appear here.", className="dim lf-list-none")
_KEPT = "What you typed is kept in the form below, also if you close this tab."


def _is_empty(services: Services, kind: RecordType) -> bool:
    """Say whether the person has no record of a kind; "no" when that cannot be told."""
    try:
        return services.lakebase.list_records(current_user(), kind.kind, limit=1).total == 0
    except LakefrontError:
        return False  # the list beside says what is wrong


def _is_loaded(chosen: Any) -> bool:
    return chosen is not None


def _tabs(chosen: str, counts: dict[str, int]) -> Component:
    choices = [Tab(kind.name, kind.plural, counts.get(kind.name), kind.short) for kind in TYPES]
    return tabs(TAB, choices, chosen, controls=BODY, label="Record types")


def _new_words(singular: str) -> list[Component]:
    return [
        html.I(className="bi bi-plus-lg", **{"aria-hidden": "true"}),
        html.Span(f"New {singular}", className="lf-new-words"),
    ]


def _waiting() -> Component:
    rows = [html.Div(skeleton(50, 80), className="lf-list-wait") for _ in range(5)]
    return html.Div(rows, **{"aria-busy": "true"})


def _alert(error: LakefrontError, what: str, kept: str, text: str | None = None) -> Component:
    actions: list[Component] = []
    if error.status == 503 and text is not None:
        actions = [
            html.Span(
                ["Next try in ", countdown(error.retry_after or 10, then_click=TRY_NOW)], className="small nowrap"
            ),
            button("Try now", TRY_NOW, small=True),
            copy_button("Copy my text", "from the form", text=text),
        ]
    return error_note(error, what, kept, actions)


def _strip_failed(error: LakefrontError, took: float, instance: str) -> Component:
    status = html.A("Open Status", href="/status", className="btn btn-ghost btn-sm")
    return waterline(
        Identity("token", "the app, for you"),
        f"gave up after {took:,.0f} ms",
        [f"instance {instance}", error.error_code],
        [status],
    )
