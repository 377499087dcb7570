"""The preferences that the app itself uses: what they may be, how they are edited, and what holds without them."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Known:
    """A preference with a typed editor: its key, words, choices (value, words) or free text, and a hint."""

    key: str
    label: str
    hint: str
    default: Any
    choices: tuple[tuple[Any, str], ...] = ()
    input_type: str = "text"

    def accepts(self, value: Any) -> bool:
        """Say whether the typed editor can show a stored value; if not, the JSON box does."""
        if self.choices:
            return any(value == choice and type(value) is type(choice) for choice, _ in self.choices)
        return isinstance(value, str)


THEME = Known(
    "theme",
    "Theme",
    "Takes effect at once, in every browser that you use.",
    "system",
    (("system", "As the system"), ("light", "Light"), ("dark", "Dark")),
)
PAGE_SIZE = Known(
    "grid.page_size",
    "Rows on a page",
    "Of the table on the Unity Catalog page.",
    100,
    ((25, "25 rows"), (50, "50 rows"), (100, "100 rows")),
)
DEFAULT_TABLE = Known(
    "default_table", "Table to open first", "As catalog.schema.table; it opens when no other is named.", None
)
DATE_FORMAT = Known(
    "date_format",
    "Times in tables",
    "How the Unity Catalog page writes times.",
    "YYYY-MM-DD HH:mm:ss",
    (
        ("YYYY-MM-DD HH:mm:ss", "2016-02-29 23:58:48"),
        ("YYYY-MM-DD HH:mm", "2016-02-29 23:58"),
        ("DD.MM.YYYY HH:mm:ss", "29.02.2016 23:58:48"),
        ("MM/DD/YYYY hh:mm:ss A", "02/29/2016 11:58:48 PM"),
    ),
)
KNOWN = {one.key: one for one in (THEME, PAGE_SIZE, DEFAULT_TABLE, DATE_FORMAT)}
