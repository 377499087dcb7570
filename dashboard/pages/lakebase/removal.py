"""Deleting asks first; for 30 seconds it can be undone."""

import time
from typing import Any

from dash import Dash, Input, Output, State, ctx, no_update, set_props

from dashboard.callbacks import callback
from dashboard.components.dialog import confirm
from dashboard.components.feedback import TOASTS, toast, undo_button
from dashboard.components.records import KINDS
from dashboard.components.signs import mono
from dashboard.components.words import ago
from dashboard.identity import current_user
from dashboard.pages.lakebase import ids, strips
from dashboard.recent_errors import remember
from services.container import Services
from services.errors import LakefrontError


def register(app: Dash, services: Services) -> None:
    """Add the callbacks: ask, delete, undo."""
    _register_question(app, services)
    _register_delete(app, services)
    _register_undo(app, services)


def _register_question(app: Dash, services: Services) -> None:
    @callback(
        app,
        Output(ids.DIALOG, "children"),
        Input(ids.PARTS.delete, "n_clicks", allow_optional=True),
        Input(ids.KEEP, "n_clicks", allow_optional=True),
        State(ids.CHOSEN, "data"),
        State(ids.VIEW, "data"),
        prevent_initial_call=True,
    )
    def ask(delete: Any, _: Any, chosen: dict[str, Any] | None, view: dict[str, Any]) -> Any:
        """Ask before deleting; runs as the app, for the person, to say how old the record is."""
        if ctx.triggered_id != ids.PARTS.delete or not delete or chosen is None:
            return []
        kind = KINDS[view["kind"]]
        title = [f"Delete the {kind.singular} ", mono(chosen["key"]), "?"]
        try:
            record = services.lakebase.get_record(current_user(), kind.kind, chosen["key"])
            changed = f"It was last changed {ago(record.updated_at)}. "
        except LakefrontError:
            changed = ""  # the question needs no answer from the database; deleting itself will say that it is down
        body = f"{changed}You can undo this for 30 seconds; the audit trail keeps the value."
        do = (f"Delete the {kind.singular}", ids.DELETE_IT)
        return confirm("lakebase-confirm", title, body, keep=("Keep it", ids.KEEP), do=do)


def _register_delete(app: Dash, services: Services) -> None:
    @callback(
        app,
        Output(ids.DIALOG, "children", allow_duplicate=True),
        Output(ids.CHANGED, "data", allow_duplicate=True),
        Output(ids.CHOSEN, "data", allow_duplicate=True),
        Output(ids.DELETED, "data"),
        Output(ids.ALERT, "children", allow_duplicate=True),
        Output(ids.STRIP, "children", allow_duplicate=True),
        Input(ids.DELETE_IT, "n_clicks", allow_optional=True),
        State(ids.CHOSEN, "data"),
        State(ids.VIEW, "data"),
        prevent_initial_call=True,
    )
    def delete(clicks: Any, chosen: dict[str, Any] | None, view: dict[str, Any]) -> tuple[Any, ...]:
        """Delete the record and offer to bring it back; runs as the app, for the person."""
        if not clicks or chosen is None:
            return (no_update,) * 6
        kind = KINDS[view["kind"]]
        started = time.perf_counter()
        try:
            record = services.lakebase.delete_record(current_user(), kind.kind, chosen["key"])
        except LakefrontError as error:
            remember(error, f"Delete {kind.singular} {chosen['key']}")
            note = strips.alert(error, "Not deleted.", "The record is still there.")
            strip = strips.failed(services, error, (time.perf_counter() - started) * 1000)
            return [], no_update, no_update, no_update, note, strip if error.status == 503 else no_update
        words = [f"Deleted the {kind.singular} ", mono(record.key)]
        set_props(TOASTS, {"children": toast(words, undo_button(ids.UNDO))})
        kept = {"kind": kind.name, "key": record.key, "value": record.value}
        return [], time.time(), None, kept, "", strips.answered(record.provenance)


def _register_undo(app: Dash, services: Services) -> None:
    @callback(
        app,
        Output(ids.CHANGED, "data", allow_duplicate=True),
        Output(ids.CHOSEN, "data", allow_duplicate=True),
        Output(ids.ALERT, "children", allow_duplicate=True),
        Output(ids.STRIP, "children", allow_duplicate=True),
        Input(ids.UNDO, "n_clicks", allow_optional=True),
        State(ids.DELETED, "data"),
        State(ids.VIEW, "data"),
        prevent_initial_call=True,
    )
    def undo(clicks: Any, deleted: dict[str, str] | None, view: dict[str, Any]) -> tuple[Any, ...]:
        """Bring back what was deleted last, with the value it had; runs as the app, for the person."""
        if not clicks or not deleted:
            return (no_update,) * 4
        try:
            record = services.lakebase.create_record(
                current_user(), KINDS[deleted["kind"]].kind, deleted["key"], deleted["value"]
            )
        except LakefrontError as error:
            remember(error, f"Bring back {deleted['key']}")
            note = strips.alert(error, "Not brought back.", "The audit trail keeps the value.")
            return no_update, no_update, note, no_update
        set_props(TOASTS, {"children": toast(["Brought back ", mono(record.key)])})
        now = time.time()
        same = view["kind"] == deleted["kind"]
        opened = {"key": record.key, "new": False, "at": now} if same else no_update
        return now, opened, "", strips.answered(record.provenance)
