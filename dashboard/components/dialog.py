"""Confirmation before something that cannot simply be taken back, as a native modal dialog.

The browser's `<dialog>` gives what ARIA asks for: focus stays inside, the rest of the page is inert, Escape closes and
the focus returns to the opener. assets/dialog.js opens and closes it when `data-open` changes.
"""

from typing import Any

from dash import html
from dash.development.base_component import Component

from dashboard.components.controls import Id, button


def dialog(id: str, title: Any, body: Any, actions: list[Component], *, open_: bool = True) -> Component:  # noqa: A002
    """Return a modal dialog. The first action gets the focus and is what Escape presses."""
    return html.Dialog(
        [
            html.H2(title, id=f"{id}-title"),
            html.Div(body, id=f"{id}-text", className="dim lf-dialog-text"),
            html.Div(actions, className="row-flex lf-dialog-actions"),
        ],
        className="lf-dialog",
        id=id,
        role="alertdialog",
        **{
            "data-open": "true" if open_ else "false",
            "aria-labelledby": f"{id}-title",
            "aria-describedby": f"{id}-text",
        },
    )


def confirm(id: str, title: Any, body: Any, *, keep: tuple[str, Id], do: tuple[str, Id]) -> Component:  # noqa: A002
    """Return a question with two verbs: what keeps things (focused, and Escape) and what changes them."""
    return dialog(id, title, body, [button(*keep), button(*do, "danger-solid")])
