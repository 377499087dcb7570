"""Saving: create or replace a record. What was typed stays in the form when it fails."""

import time
from typing import Any

from dash import Dash, Input, Output, State, no_update, set_props

from dashboard.appearance import APPLIED
from dashboard.callbacks import callback
from dashboard.components.controls import BUSY, IDLE
from dashboard.components.feedback import TOASTS, toast
from dashboard.components.records import KINDS, draft_name
from dashboard.components.signs import mono
from dashboard.identity import current_user
from dashboard.pages.lakebase import ids, strips
from dashboard.preferences import THEME
from dashboard.recent_errors import remember
from dashboard.tour import mark
from services.container import Services
from services.errors import LakefrontError


def register(app: Dash, services: Services) -> None:
    """Add the callback."""

    @callback(
        app,
        Output(ids.CHANGED, "data", allow_duplicate=True),
        Output(ids.CHOSEN, "data", allow_duplicate=True),
        Output(ids.OUTCOME, "data"),
        Output(ids.ALERT, "children", allow_duplicate=True),
        Output(APPLIED, "data", allow_duplicate=True),
        Output(ids.AVAILABLE, "children", allow_duplicate=True),
        Output(ids.STRIP, "children", allow_duplicate=True),
        Input(ids.PARTS.save, "n_clicks", allow_optional=True),
        Input(ids.TRY_NOW, "n_clicks", allow_optional=True),
        State(ids.PARTS.key, "value", allow_optional=True),
        State(ids.PARTS.text, "value", allow_optional=True),
        State(ids.CHOSEN, "data"),
        State(ids.VIEW, "data"),
        running=[(Output(ids.PARTS.save, "className"), BUSY, IDLE)],
        prevent_initial_call=True,
    )
    def save(
        clicks: Any, again: Any, key: str | None, text: str | None, chosen: dict[str, Any] | None, view: dict[str, Any]
    ) -> tuple[Any, ...]:
        """Create or replace the record; runs as the app, for the person."""
        if not (clicks or again) or chosen is None:
            return (no_update,) * 7
        kind = KINDS[view["kind"]]
        started = time.perf_counter()
        name = (key or "").strip() if chosen["new"] else chosen["key"]
        write = services.lakebase.create_record if chosen["new"] else services.lakebase.replace_record
        try:
            user = current_user()
            record = write(user, kind.kind, name, text or "")
        except LakefrontError as error:
            remember(error, f"Save {kind.singular} {name}")
            alert, outcome = strips.alert(error, "Not saved.", strips.KEPT, text), {"saved": False, "at": time.time()}
            if error.status != 503:
                return no_update, no_update, outcome, alert, no_update, no_update, no_update
            strip = strips.failed(services, error, (time.perf_counter() - started) * 1000)
            return no_update, no_update, outcome, alert, no_update, strips.unavailable(services), strip
        if kind.name == "preferences":
            mark(services, "preference")
        saved = draft_name(user.user_id, kind, "" if chosen["new"] else name)
        set_props(TOASTS, {"children": toast(["Saved ", mono(name)], clears=saved)})
        now = time.time()
        theme = record.value if kind.name == "preferences" and name == THEME.key else no_update
        return (
            now,
            {"key": name, "new": False, "at": now},
            {"saved": True, "at": now},
            "",
            theme,
            strips.available(services),
            strips.answered(record.provenance),
        )
