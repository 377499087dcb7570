"""The catalog browser: catalogs, schemas and tables, read as the user, each level when it is opened.

One tab stop, arrows move, Enter opens (WAI-ARIA tree pattern; assets/catalog_tree.js). The server draws the tree from
what the service keeps for this person, so opening a level costs one call at most. On a narrow screen the same tree is a
modal dialog behind the button "Tables".
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from dash import ALL, ClientsideFunction, Dash, Input, Output, State, ctx, html
from dash.development.base_component import Component

from dashboard.callbacks import callback
from dashboard.components.controls import button, icon_button, search_box
from dashboard.components.feedback import counting_since
from dashboard.components.signs import hidden, icon
from dashboard.identity import current_user
from dashboard.pages.unity_catalog import ids
from dashboard.pages.unity_catalog.states import shown
from dashboard.pages.unity_catalog.view_state import split_name
from services.container import Services
from services.errors import LakefrontError
from services.identity import User

Path = tuple[str, ...]

LOOK_AHEAD = 40
"""Closed catalogs and schemas that one search reads at most: each costs a call of the catalog, kept afterwards."""

_ICONS = ("archive", "folder", "table")
_TABLE_ICONS = {"VIEW": "window", "MATERIALIZED_VIEW": "window-stack"}
_MASKS = ("eye-slash", "Masked columns", ", has masked columns")
_FILTER = ("funnel", "Row filter", ", has a row filter")
Rule = tuple[str, str, str]
"""A rule of the owner as the tree shows it: icon, title, and the words for screen readers."""


@dataclass
class Node:
    """One line of the tree: ``children`` is None while its level has not been opened."""

    path: Path
    icon_name: str
    title: str = ""
    children: list[Node] | None = None
    problem: str = ""
    open: bool = False
    rules: tuple[Rule, ...] = ()


@dataclass
class _Reading:
    """What one drawing reads: the person, what is open, and the oldest answer."""

    services: Services
    user: User
    opened: set[Path]
    refresh: bool
    look_ahead: int = 0
    looked_ahead: int = 0
    oldest: list[datetime] = field(default_factory=list)

    def catalogs(self) -> list[Node]:
        """The top level."""
        answer = self.services.unity_catalog.catalogs(self.user, refresh=self.refresh)
        self.oldest.append(answer.fetched_at)
        return [self._branch((one.name,), one.comment, self.schemas) for one in answer.catalogs]

    def schemas(self, path: Path) -> list[Node]:
        """The schemas of a catalog."""
        answer = self.services.unity_catalog.schemas(self.user, path[0], refresh=self.refresh)
        self.oldest.append(answer.fetched_at)
        return [self._branch((*path, one.name), one.comment, self.tables) for one in answer.schemas]

    def tables(self, path: Path) -> list[Node]:
        """The tables of a schema; one that is only searched is not asked for its masks, the dear part."""
        answer = self.services.unity_catalog.tables(
            self.user, path[0], path[1], refresh=self.refresh, masks=path in self.opened
        )
        self.oldest.append(answer.fetched_at)
        return [
            Node(
                (*path, one.table_name),
                _TABLE_ICONS.get(one.table_type, "table"),
                " · ".join(part for part in (one.comment, f"Owner: {one.owner}" if one.owner else "") if part),
                rules=(*([_FILTER] if one.row_filtered else []), *([_MASKS] if one.has_masks else [])),
            )
            for one in answer.tables
        ]

    def _branch(self, path: Path, comment: str | None, read: Callable[[Path], list[Node]]) -> Node:
        node = Node(path, _ICONS[len(path) - 1], comment or "", open=path in self.opened)
        ahead = not node.open and self.looked_ahead < self.look_ahead
        self.looked_ahead += ahead
        if node.open or ahead:
            try:
                node.children = read(path)
            except LakefrontError as error:
                node.problem = error.message
        return node


def layout() -> Component:
    """The browser before anything was read."""
    return html.Section(
        [
            html.Header([html.H2("Catalogs"), icon_button("Close", "x-lg", "uc-tree-close", "push", "only-narrow")]),
            search_box(ids.TREE_FILTER, "Filter tables"),
            html.Ul(
                _word("Loading…"),
                id=ids.TREE,
                role="tree",
                **{"aria-label": "Catalogs, schemas and tables"},
            ),
            html.Footer(
                [
                    html.Span(["What you may see", html.Span(id=ids.TREE_AGE)]),
                    icon_button("Refresh the catalog", "arrow-clockwise", ids.TREE_REFRESH, "push"),
                ]
            ),
        ],
        id=ids.TREE_BOX,
        className="lf-tree",
        **{"aria-label": "Catalog browser"},
    )


def register(app: Dash, services: Services) -> None:
    """Add the callbacks: open and close levels, open a table, filter, refresh."""
    app.clientside_callback(
        ClientsideFunction("explorer", "press"),
        Output(ids.TREE_STATE, "data"),
        Output(ids.VIEW, "data", allow_duplicate=True),
        Input({"type": ids.NODE, "path": ALL}, "n_clicks"),
        State(ids.TREE_STATE, "data"),
        State(ids.VIEW, "data"),
        prevent_initial_call=True,
    )

    @callback(
        app,
        Output(ids.TREE, "children"),
        Output(ids.TREE_AGE, "children"),
        Input(ids.TREE_STATE, "data"),
        Input(ids.TREE_FILTER, "value"),
        Input(ids.TREE_REFRESH, "n_clicks"),
        prevent_initial_call=True,
    )
    def draw(state: dict[str, Any], wanted: str | None, _: int | None) -> tuple[list[Component], Any]:
        """Draw the tree; runs as the user."""
        chosen = tuple(split_name(state["table"]))
        wanted = (wanted or "").strip()
        try:
            reading = _Reading(
                services,
                current_user(),
                {tuple(path) for path in state["open"]},
                refresh=ctx.triggered_id == ids.TREE_REFRESH,
                look_ahead=LOOK_AHEAD if wanted else 0,
            )
            nodes = reading.catalogs()
        except LakefrontError as error:
            shown(error)
            return [_word(error.message, retry=True)], ""
        if wanted:
            nodes = [kept for node in nodes if (kept := _matching(node, wanted.casefold())) is not None]
        if not nodes:
            nothing = f"No table that you may see is called “{wanted}”."
            if reading.looked_ahead >= LOOK_AHEAD:
                nothing = f"Nothing opened so far is called “{wanted}”. Open the schema to look there."
            return [_word(nothing if wanted else "No catalog that you may see")], ""
        focusable = chosen if len(chosen) == 3 and _contains(nodes, chosen) else nodes[0].path
        age = [" · ", counting_since(min(reading.oldest).timestamp())]
        return [_item(node, chosen, focusable) for node in nodes], age


def _matching(node: Node, wanted: str) -> Node | None:
    """The node with only the children that match, or None when nothing in it does."""
    if wanted in node.path[-1].casefold():
        return node
    kept = [found for child in node.children or [] if (found := _matching(child, wanted)) is not None]
    return Node(node.path, node.icon_name, node.title, kept, open=True) if kept else None


def _contains(nodes: list[Node], path: Path) -> bool:
    return any(node.path == path or _contains(node.children or [], path) for node in nodes)


def _item(node: Node, chosen: Path, focusable: Path) -> Component:
    level = len(node.path)
    branch = level < 3
    caret = icon("chevron-down" if node.open else "chevron-right") if branch else icon("")
    properties = {
        "aria-level": str(level),
        "aria-selected": "true" if node.path == chosen else "false",
        **({"aria-expanded": "true" if node.open else "false"} if branch else {}),
    }
    line = html.Div(
        [caret, icon(node.icon_name), html.Span(node.path[-1], className="cut"), *_rules(node)],
        id={"type": ids.NODE, "path": json.dumps(node.path)},
        className="r",
        title=node.title,
    )
    return html.Li(
        [line, *([_group(node, chosen, focusable)] if node.open else [])],
        key=json.dumps(node.path),
        role="treeitem",
        tabIndex="0" if node.path == focusable else "-1",
        style={"--l": level},
        **properties,
    )


def _rules(node: Node) -> list[Component]:
    """The signs behind a table whose rows or values the owner has narrowed."""
    if not node.rules:
        return []
    signs = [html.Span(icon(name), title=title) for name, title, _ in node.rules]
    return [html.Span(signs, className="lf-rules"), *(hidden(words) for _, _, words in node.rules)]


def _group(node: Node, chosen: Path, focusable: Path) -> Component:
    if node.problem:
        return html.Ul(_word(node.problem, level=len(node.path) + 1, retry=True), role="group")
    if not node.children:
        nothing = "No table that you may see" if len(node.path) == 2 else "No schema that you may see"
        return html.Ul(_word(nothing, level=len(node.path) + 1), role="group")
    return html.Ul([_item(child, chosen, focusable) for child in node.children or []], role="group")


def _word(text: str, *, level: int = 1, retry: bool = False) -> Component:
    """A line that is no node: nothing here, or why not. It is an item all the same, so that the arrows reach it.

    Retry (its button, or Enter on the line) refreshes the tree; assets/explorer_view.js and catalog_tree.js do it.
    """
    again = [button("Retry", None, "ghost", None, "lf-tree-retry", small=True)] if retry else []
    return html.Li(
        [text, hidden("."), *again],
        className="lf-tree-word",
        role="treeitem",
        tabIndex="0" if level == 1 else "-1",
        **{"aria-level": str(level)},
    )
