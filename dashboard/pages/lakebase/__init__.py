"""The Lakebase page: list, form and audit trail of the person's own records.

`page.py` draws the frame, `listing.py` the tabs and the list, `form.py` the chosen record, `changes.py` saving,
`removal.py` deleting and undo, `view_card.py` a saved view in words, `strips.py` what is said about an answer.
"""

from dashboard.pages.lakebase.page import layout, register

__all__ = ["layout", "register"]
