"""Ids and sizes of the Lakebase page, in one place."""

from dashboard.components.records import FormIds

PAGE = "lakebase"
AVAILABLE = "lakebase-available"
ALERT = "lakebase-alert"
TABS = "lakebase-tabs"
TAB = "lakebase-tab"
NEW = "lakebase-new"
NEW_BLANK = "lakebase-new-blank"
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
SQL = "lakebase-sql"
DIALOG = "lakebase-dialog"
KEEP = "lakebase-keep"
DELETE_IT = "lakebase-delete-it"
UNDO = "lakebase-undo"
TRY_NOW = "lakebase-try-now"
RELOAD = "lakebase-reload"
PARTS = FormIds(
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
COUNTS = "lakebase-counts"  # {kind: records of the person}, once they are known
OUTCOME = "lakebase-outcome"  # {"saved": bool, "at": float}: what became of the last save, for lakebase.js
DELETED = "lakebase-deleted"  # {"kind", "key", "value"}: what Undo brings back
SHOWN = "lakebase-shown"  # output of the browser's own steps; holds nothing

PAGE_SIZE = 50
TRAIL_SIZE = 30
