"""What is looked at and how, as one value: the page keeps it, the address spells it, a saved view stores it."""

from __future__ import annotations

import json
from typing import Any, Literal, Self
from urllib.parse import parse_qs, quote, urlencode

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.unity_catalog.filter_tree import And, FilterNode
from services.unity_catalog.models import CountRequest, Sort, TableRef

View = Literal["rows", "chart", "profile", "details"]
PAGE_SIZES = (25, 50, 100)
SAVED = "view-config"
"""Name of the address's part that names a saved view."""


class ViewState(BaseModel):
    """A view of one table.

    ``filter`` is a list of trees that must all hold (one chip each); ``chart`` is the chart builder's own state.
    """

    model_config = ConfigDict(extra="ignore")

    table: str = ""
    view: View = "rows"
    filter: list[FilterNode] = []
    sort: list[Sort] = []
    hidden: list[str] = []
    page_size: int = Field(default=100, ge=1, le=1000)
    chart: dict[str, Any] | None = None

    @property
    def ref(self) -> TableRef | None:
        """The table's three names, or None when ``table`` does not hold three."""
        parts = split_name(self.table)
        return TableRef.of(*parts) if len(parts) == 3 and all(parts) else None

    @property
    def tree(self) -> FilterNode | None:
        """The whole filter as one tree for the service."""
        if not self.filter:
            return None
        return self.filter[0] if len(self.filter) == 1 else And.model_validate({"and": self.filter})

    @property
    def count_request(self) -> CountRequest:
        """The count of the filtered rows."""
        return CountRequest(filter=self.tree)

    def store(self) -> dict[str, Any]:
        """The value for a ``dcc.Store``."""
        return self.model_dump(mode="json", by_alias=True)

    def key(self) -> str:
        """What decides which rows there are and in which order."""
        chosen = {"table": self.table, "filter": self.filter, "sort": self.sort}
        return json.dumps(chosen, default=lambda model: model.model_dump(by_alias=True), sort_keys=True)

    def query(self) -> str:
        """The address's query: ``table``, ``view``, ``filter`` and ``sort`` as the JSON API spells them."""
        parts: dict[str, str] = {"table": self.table}
        if self.view != "rows":
            parts["view"] = self.view
        stored = self.store()
        for name in ("filter", "sort", "hidden", "chart"):
            if stored[name]:
                parts[name] = json.dumps(stored[name], ensure_ascii=False, separators=(",", ":"))
        return urlencode(parts, quote_via=quote)

    @classmethod
    def of(cls, data: Any) -> Self:
        """Read a store's value.

        Raises:
            pydantic.ValidationError: it is not a view.
        """
        return cls.model_validate(data or {})

    @classmethod
    def of_query(cls, search: str) -> tuple[Self, str | None]:
        """Read an address's query; what cannot be read is left out and named in the second value."""
        given = {name: values[-1] for name, values in parse_qs(search.lstrip("?")).items()}
        fields: dict[str, Any] = {name: given[name] for name in ("table", "view") if name in given}
        for name in ("filter", "sort", "hidden", "chart"):
            if name in given:
                try:
                    fields[name] = json.loads(given[name])
                except ValueError:
                    return cls(table=given.get("table", "")), name
        if isinstance(fields.get("filter"), dict):
            # A link written by hand may carry the JSON API's own form, one tree.
            tree = fields["filter"]
            fields["filter"] = tree["and"] if set(tree) == {"and"} else [tree]
        try:
            return cls.model_validate(fields), None
        except ValidationError as error:
            first = error.errors(include_url=False)[0]["loc"]
            return cls(table=given.get("table", "")), str(first[0]) if first else "filter"


def split_name(full_name: str) -> list[str]:
    """The parts of ``catalog.schema.table``; a part in backquotes may hold dots."""
    parts: list[str] = [""]
    quoted = False
    for sign in full_name:
        if sign == "`":
            quoted = not quoted
        elif sign == "." and not quoted:
            parts.append("")
        else:
            parts[-1] += sign
    return parts
