"""Which record is open, and its form as it is stored now, with its audit trail beside it."""

import time
from typing import Any

from dash import ALL, Dash, Input, Output, State, ctx, html, no_update
from dash.development.base_component import Component

from dashboard.callbacks import callback
from dashboard.components.controls import button, skeleton
from dashboard.components.feedback import error_panel
from dashboard.components.records import KINDS, RecordType, nothing_chosen, record_form, trail
from dashboard.identity import current_user
from dashboard.pages.lakebase import ids, strips
from dashboard.pages.lakebase.view_card import view_card
from dashboard.recent_errors import remember
from services.container import Services
from services.errors import LakefrontError

CLOSED = "lf-page fill"
OPEN = f"{CLOSED} editing"
_NO_TRAIL = html.P("The changes of the chosen record appear here.", className="dim lf-list-none")


def register(app: Dash, services: Services) -> None:
    """Add the callbacks."""
    _register_choice(app)
    _register_form(app, services)


def _register_choice(app: Dash) -> None:
    @callback(
        app,
        Output(ids.CHOSEN, "data", allow_duplicate=True),
        Input({"type": ids.ROW, "key": ALL}, "n_clicks"),
        Input(ids.NEW, "n_clicks"),
        Input(ids.NEW_BLANK, "n_clicks", allow_optional=True),
        Input(ids.PARTS.cancel, "n_clicks", allow_optional=True),
        Input(ids.PARTS.back, "n_clicks", allow_optional=True),
        Input(ids.PARTS.duplicate, "n_clicks", allow_optional=True),
        State(ids.PARTS.text, "value", allow_optional=True),
        State(ids.CHOSEN, "data"),
        prevent_initial_call=True,
    )
    def choose(*arguments: Any) -> Any:
        """Open a record, a new one, a copy, or none; runs as nobody."""
        text, chosen = arguments[-2:]
        cause = ctx.triggered_id
        if not ctx.triggered or not ctx.triggered[0]["value"]:
            return no_update
        if isinstance(cause, dict):
            return {"key": cause["key"], "new": False, "at": time.time()}
        if cause == ids.PARTS.duplicate:
            return {"key": None, "new": True, "start": text, "from": (chosen or {}).get("key"), "at": time.time()}
        if cause in (ids.NEW, ids.NEW_BLANK):
            return {"key": None, "new": True, "start": "{}", "at": time.time()}
        return None


def _register_form(app: Dash, services: Services) -> None:
    @callback(
        app,
        Output(ids.FORM, "children"),
        Output(ids.TRAIL, "children"),
        Output(ids.PAGE, "className"),
        Output(ids.STRIP, "children", allow_duplicate=True),
        Input(ids.CHOSEN, "data"),
        Input(ids.CHANGED, "data"),
        Input(ids.COUNTS, "data"),
        State(ids.VIEW, "data"),
        prevent_initial_call="initial_duplicate",
    )
    def open_form(
        chosen: dict[str, Any] | None, _: Any, counts: dict[str, int] | None, view: dict[str, Any]
    ) -> tuple[Any, ...]:
        """Show the chosen record and its changes; runs as the app, for the person."""
        kind = KINDS[view["kind"]]
        if chosen is None:
            return _nothing(kind, counts), _NO_TRAIL, CLOSED, no_update
        causes = {name.rsplit(".", 1)[0] for name in ctx.triggered_prop_ids}
        if causes == {ids.COUNTS}:
            return (no_update,) * 4
        changed = ids.CHANGED in causes
        try:
            user = current_user()
            if chosen["new"]:
                return record_form(kind, ids.PARTS, None, user.user_id, chosen["start"]), trail([]), OPEN, no_update
            record = services.lakebase.get_record(user, kind.kind, chosen["key"])
            changes = services.lakebase.list_audit_log(
                user, limit=ids.TRAIL_SIZE, record_type=kind.kind.name, record_key=chosen["key"]
            ).items
        except LakefrontError as error:
            remember(error, f"Open {kind.singular} {chosen['key']}")
            if changed:  # what was typed stays; the list says what is wrong
                return (no_update,) * 4
            return error_panel(error, retry=button("Try again", ids.RELOAD)), "", OPEN, no_update
        shown = record_form(kind, ids.PARTS, record, user.user_id, card=view_card(record.value))
        return shown, trail(changes), OPEN, no_update if changed else strips.answered(record.provenance)


def _nothing(kind: RecordType, counts: dict[str, int] | None) -> Component:
    """Return what stands in the form's place when no record is chosen; lines until it is known whether there is one."""
    if counts is None:
        return html.Div(skeleton(30, 60, 45), className="lf-list-wait")
    new_button = button(f"New {kind.singular}", ids.NEW_BLANK, "", "plus-lg")
    return nothing_chosen(kind, not counts.get(kind.name), new_button)
