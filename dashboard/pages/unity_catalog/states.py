"""What stands where the rows would be: no access, no such table, nothing matches, empty, starting, failed."""

from __future__ import annotations

from typing import Any

from dash import html
from dash.development.base_component import Component

from dashboard.components.conditions import sentence
from dashboard.components.controls import button, copy_box, copy_button, facts
from dashboard.components.feedback import TITLES, blank, error_facts, error_panel, starting
from dashboard.components.signs import Identity, Tone, mono, state
from dashboard.components.waterline import waterline
from dashboard.components.words import number, plural
from dashboard.pages.unity_catalog import ids
from dashboard.pages.unity_catalog.view_state import ViewState
from dashboard.recent_errors import remember
from services.errors import LakefrontError
from services.observability import request_id
from services.unity_catalog.identifiers import quote
from services.unity_catalog.models import WarehouseState


def shown(error: LakefrontError) -> LakefrontError:
    """Note an error that the page shows: logged once, remembered for the person, told with its request id."""
    error.technical_details.setdefault("request_id", request_id())
    remember(error, _what(error))
    return error


def _what(error: LakefrontError) -> str:
    """What the person did, as far as the error tells which table it was."""
    details = error.technical_details
    names = [str(details[name]) for name in ("catalog", "schema", "table") if details.get(name)]
    return f"Open {'.'.join(names)}" if names else "Read a table"


def failed_strip(error: LakefrontError, user_name: str) -> list[Component]:
    """The strip when nothing was read: who asked, and the request's id to copy."""
    identity = Identity.of_user(user_name) if user_name else None
    identifier = str(error.technical_details.get("request_id", ""))
    copy = copy_button("Copy request id", "", text=identifier, look="ghost")
    return [waterline(identity, "failed", ["nothing was read"], [copy])]


def problem(error: LakefrontError, view: ViewState, user_name: str) -> Component:
    """The state of a table that could not be opened."""
    if error.error_code == "CATALOG_PERMISSION_DENIED":
        return denied(error, view, user_name)
    if error.error_code.endswith("NOT_FOUND"):
        return missing(error, view)
    return error_panel(error, retry=button("Try again", ids.ROWS_RETRY, "primary"))


_HELD: dict[bool | None, tuple[str, Tone]] = {
    True: ("You have it", "ok"),
    False: ("Missing", "danger"),
    None: ("The catalog does not tell", ""),
}


def denied(error: LakefrontError, view: ViewState, user_name: str) -> Component:
    """No access: who, what, the exact GRANTs, what is held as far as the catalog told it, and a way to look again."""
    details = error.technical_details
    catalog, schema, table = (str(details[name]) for name in ("catalog", "schema", "table"))
    told = {str(one["privilege"]): one["held"] for one in details.get("privileges", [])}
    grants = {
        "USE CATALOG": f"ON CATALOG {quote(catalog)}",
        "USE SCHEMA": f"ON SCHEMA {quote(catalog)}.{quote(schema)}",
        "SELECT": f"ON TABLE {quote(catalog)}.{quote(schema)}.{quote(table)}",
    }
    lacking = [name for name in grants if not told.get(name)] or [*grants]
    there = len(grants) - len(lacking)
    statements = "\n".join(f"GRANT {name} {grants[name]} TO {quote(user_name)};" for name in lacking)
    needed = "Three privileges are needed; some may be there already."
    if there:
        needed = f"Three privileges are needed; {('one is', 'two are')[there - 1]} there already."
    paragraph = [
        "You, ",
        html.B(user_name),
        ", may not read ",
        html.Code(f"{catalog}.{schema}.{table}"),
        f". {needed} The owner of the table, or an admin, can run:",
    ]
    names = (("USE CATALOG", catalog), ("USE SCHEMA", schema), ("SELECT", table))
    held = (
        [facts([(f"{name} on {on}", state(*_HELD[told.get(name)])) for name, on in names], "lf-held")] if told else []
    )
    return blank(
        "denied",
        TITLES[error.error_code],
        [paragraph],
        [button("Check again", ids.ROWS_RETRY, "primary"), *_back(view)],
        below=[html.Div(copy_box(statements, "the grants"), className="lf-wide"), *held],
        small=error_facts(error),
    )


def _back(view: ViewState) -> list[Component]:
    """The way to the table that was open before; assets/explorer_grid.js names it, or leaves the button away."""
    if view.ref is None:
        return []
    return [html.A("Back", href="/unity-catalog", id="uc-back", className="btn", hidden=True)]


def missing(error: LakefrontError, view: ViewState) -> Component:
    """No such table, with the nearest names that this person may see."""
    nearest = [str(name) for name in error.technical_details.get("nearest", [])]
    links = html.Ul(
        [html.Li(html.A(mono(name), href=f"/unity-catalog?{ViewState(table=name).query()}")) for name in nearest],
        className="lf-nearest",
    )
    return blank(
        "missing",
        ["There is no table ", mono(view.table or "")],
        ["These names are near and you may see them:" if nearest else "Choose a table in the catalog browser."],
        [button("Check again", ids.ROWS_RETRY, "primary")],
        below=[links] if nearest else [],
        small=error_facts(error),
    )


def empty(view: ViewState, whole: int | None, without_last: int | None) -> Component:
    """No row: names the filter that emptied the view and what it was without."""
    if not view.filter:
        hint = "Details shows its columns, what you may do, and whether a row filter hides rows from you."
        return blank("empty", "This table has no rows yet.", [hint], [button("Open Details", "uc-empty-details")])
    last = " ".join(part for part in sentence(view.filter[-1]) if part)
    words: list[Any] = []
    if whole is not None:
        words.append(f"The table has {plural(whole, 'row')} that you may see. ")
    if without_last is not None and len(view.filter) > 1:
        words += ["Without the last filter, ", html.B(last), f", {_match(without_last)}."]
    elif len(view.filter) == 1:
        words += ["The filter is ", html.B(last), "."]
    actions = [button("Clear all filters", "uc-empty-clear")]
    actions.insert(0, button("Remove the last filter", "uc-empty-remove", "primary"))
    if len(view.filter) == 1:
        actions = [button("Clear the filter", "uc-empty-clear", "primary")]
    many = len(view.filter)
    title = "No row matches this filter" if many == 1 else f"No row matches these {number(many)} filters"
    return blank("empty", title, [words] if words else [], actions)


def _match(count: int) -> str:
    return f"{plural(count, 'row')} {'matches' if count == 1 else 'match'}"


def warehouse_starting(warehouse: WarehouseState, since: float) -> Component:
    """The warehouse wakes up; the statement waits by itself."""
    name = warehouse.name or warehouse.warehouse_id
    return starting(
        "The warehouse is starting",
        [
            html.B(name),
            " was stopped to save cost. Your statement waits and then runs by itself. You can keep setting filters.",
        ],
        since,
        accepted="Statement accepted",
        waiting="Warehouse starting",
        then="Rows arrive",
        cancel=button("Cancel", "uc-starting-cancel"),
    )
