"""What stands where the rows would be: no access, no such table, nothing matches, empty, starting, failed."""

from __future__ import annotations

from typing import Any

from dash import html
from dash.development.base_component import Component

from dashboard.components.controls import button, copy_box
from dashboard.components.feedback import blank, error_facts, error_panel, starting
from dashboard.components.signs import mono, state
from dashboard.components.words import number, plural
from dashboard.pages.unity_catalog import ids
from dashboard.pages.unity_catalog.filters import sentence
from dashboard.pages.unity_catalog.view_state import ViewState
from services.errors import LakefrontError
from services.unity_catalog.identifiers import quote
from services.unity_catalog.models import WarehouseState


def problem(error: LakefrontError, view: ViewState, user_name: str) -> Component:
    """The state of a table that could not be opened."""
    if error.error_code == "CATALOG_PERMISSION_DENIED":
        return denied(error, user_name)
    if error.error_code.endswith("NOT_FOUND"):
        return missing(error, view)
    return error_panel(error, retry=button("Try again", ids.ROWS_RETRY, "primary"))


def denied(error: LakefrontError, user_name: str) -> Component:
    """No access: who, what, the exact GRANTs, and a way to look again."""
    details = error.technical_details
    catalog, schema, table = (str(details[name]) for name in ("catalog", "schema", "table"))
    grants = "\n".join(
        (
            f"GRANT USE CATALOG ON CATALOG {quote(catalog)} TO {quote(user_name)};",
            f"GRANT USE SCHEMA ON SCHEMA {quote(catalog)}.{quote(schema)} TO {quote(user_name)};",
            f"GRANT SELECT ON TABLE {quote(catalog)}.{quote(schema)}.{quote(table)} TO {quote(user_name)};",
        )
    )
    paragraph = [
        "You, ",
        html.B(user_name),
        ", may not read ",
        html.Code(f"{catalog}.{schema}.{table}"),
        ". These three privileges are needed; some may be there already. The owner of the table, or an admin, can run:",
    ]
    privilege = details.get("missing_privilege")
    held = [html.P(state(f"{privilege} is missing", "danger"))] if privilege else []
    return blank(
        "denied",
        error.message,
        [paragraph],
        [button("Check again", ids.ROWS_RETRY, "primary")],
        below=[html.Div(copy_box(grants, "the grants"), style={"width": "100%"}), *held],
        small=error_facts(error),
    )


def missing(error: LakefrontError, view: ViewState) -> Component:
    """No such table, with the nearest names that this person may see."""
    nearest = [str(name) for name in error.technical_details.get("nearest", [])]
    links = html.Ul(
        [html.Li(html.A(mono(name), href=f"/unity-catalog?{ViewState(table=name).query()}")) for name in nearest],
        className="lf-nearest",
    )
    return blank(
        "missing",
        f"There is no table {view.table}",
        ["These names are near and you may see them:" if nearest else "Choose a table in the catalog browser."],
        [button("Check again", ids.ROWS_RETRY, "primary")],
        below=[links] if nearest else [],
        small=error_facts(error),
    )


def empty(view: ViewState, whole: int | None, without_last: int | None) -> Component:
    """No row: names the filter that emptied the view and what it was without."""
    if not view.filter:
        return blank("empty", "This table has no rows yet.", ["Details shows its columns and who owns it."])
    last = " ".join(part for part in sentence(view.filter[-1]) if part)
    words: list[Any] = []
    if whole is not None:
        words.append(f"The table has {plural(whole, 'row')} that you may see. ")
    if without_last is not None and len(view.filter) > 1:
        words += ["Without the last filter, ", html.B(last), f", {plural(without_last, 'row')} match."]
    actions = [button("Clear all filters", "uc-empty-clear", "primary" if len(view.filter) == 1 else "")]
    if len(view.filter) > 1:
        actions.insert(0, button("Remove the last filter", "uc-empty-remove", "primary"))
    many = len(view.filter)
    title = "No row matches this filter" if many == 1 else f"No row matches these {number(many)} filters"
    return blank("empty", title, [words] if words else [], actions)


def warehouse_starting(warehouse: WarehouseState, since: float) -> Component:
    """The warehouse wakes up; the statement waits by itself."""
    name = warehouse.name or warehouse.warehouse_id
    return starting(
        "The warehouse is starting",
        [html.B(name), " was stopped to save cost. Your statement waits and then runs by itself."],
        since,
        accepted="Statement accepted",
        waiting="Warehouse starting",
        then="Rows arrive",
    )
