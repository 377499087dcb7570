"""What the page says about an answer or a failure: the strip below, the note above, the state at the title."""

from dash import html
from dash.development.base_component import Component

from dashboard.components.controls import button, copy_button
from dashboard.components.feedback import countdown, error_note
from dashboard.components.signs import Identity, state
from dashboard.components.waterline import sql_button, sql_panel, waterline
from dashboard.identity import current_user
from dashboard.pages.lakebase import ids
from services.container import Services
from services.errors import LakefrontError
from services.lakebase.models import Provenance

KEPT = "What you typed is kept in the form below, also if you close this tab."


def answered(ran: Provenance | None) -> Component:
    """Return the strip of an answer, with the statement to open; an empty one before anything answered."""
    if ran is None:
        return waterline(None)
    strip = waterline(
        Identity("token", ran.runs_as),
        ran.elapsed_ms,
        [f"instance {ran.instance}", "row-level security forced"],
        [sql_button(ids.SQL)],
    )
    return html.Div([strip, sql_panel(ids.SQL, ran.statement)])


def failed(services: Services, error: LakefrontError, milliseconds: float) -> Component:
    """Return the strip of a call that gave nothing: how long it was tried, and what the pool has to say."""
    if error.status == 401:
        return waterline(None, milliseconds, ["nothing was read"])
    pool = services.lakebase.pool_statistics()
    ready, most = pool.get("pool_available", 0), pool.get("pool_max", 0)
    try:
        person = current_user().user_name
    except LakefrontError:
        person = "you"
    return waterline(
        Identity.of_database(person),
        f"gave up after {milliseconds:,.0f} ms",
        [f"instance {services.settings.lakebase_name}", f"{ready} of {most} connections ready", error.error_code],
        [html.A("Open Status", href="/status", className="btn btn-ghost btn-sm")],
    )


def available(services: Services) -> Component:
    """Return the state at the title of a database that answers."""
    return state(f"{services.settings.lakebase_name} available")


def unavailable(services: Services) -> Component:
    """Return the state at the title of a database that does not answer."""
    return state(f"{services.settings.lakebase_name} unavailable", "danger")


def alert(error: LakefrontError, what: str, kept: str, text: str | None = None) -> Component:
    """Return the note of a failed action; with `text`, what was typed, it counts down to the next try."""
    actions: list[Component] = []
    if error.status == 503 and text is not None:
        wait = countdown(error.retry_after or 10, then_click=ids.TRY_NOW)
        actions = [
            html.Span(["Next try in ", wait], className="small nowrap"),
            button("Try now", ids.TRY_NOW, small=True),
            copy_button("Copy my text", "from the form", text=text),
        ]
    return error_note(error, what, kept, actions)
