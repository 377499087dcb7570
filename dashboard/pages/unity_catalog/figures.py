"""How a column's profile is drawn: values, histograms as plain bars with a sentence, most frequent values."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dash import html
from dash.development.base_component import Component

from dashboard.components.controls import meter
from dashboard.components.words import MINUS, number
from services.unity_catalog.filter_tree import Condition, FilterNode
from services.unity_catalog.models import ColumnProfile

NOTHING = "\u2013"
ALL_DISTINCT = "All values are distinct"
_SCALES = (5, 10, 25, 50, 100)
"""Where the bars of shares may end: small shares would all look alike on a scale to 100 %."""
_TIMES = frozenset({"TIMESTAMP", "TIMESTAMP_NTZ"})
_DECIMALS = frozenset({"DOUBLE", "FLOAT"})
_TYPE_WORD = re.compile(r"`(?:[^`]|``)*`|'(?:[^'\\]|\\.)*'|\w+(?=\s*:)|(?<=collate )\w+|(?P<word>\w+)", re.IGNORECASE)
"""What a type's text is made of: quoted names and comments, names of fields, a collation, and words of the type."""


def type_words(data_type: str) -> str:
    """A type as it is shown: its words in upper case, the names of struct fields and quoted text as they are.

    The catalog writes ``array<struct<Name:string>>`` beside ``BIGINT``; a page says ``ARRAY<STRUCT<Name:STRING>>``.
    """
    return _TYPE_WORD.sub(lambda found: found.group().upper() if found["word"] else found.group(), data_type)


def value_words(value: Any, data_type: str) -> str:
    """One value as cells write it: no T in times, at least two decimals for doubles, a real minus."""
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return "true" if value else "false"
    if data_type in _TIMES:
        return str(value).replace("T", " ").removesuffix("Z").removesuffix("+00:00")[:19]
    if isinstance(value, float) and data_type in _DECIMALS:
        text = f"{value:.2f}" if round(value, 2) == value else f"{value:g}"
        return text.replace("-", MINUS)
    if isinstance(value, int):
        return str(value).replace("-", MINUS)
    return str(value) if value != "" else '""'


def percent(part: int, whole: int) -> str:
    """A share: ``1.5 %``, ``0 %``, never a rounded-away rest."""
    if not whole or not part:
        return "0 %"
    share = 100 * part / whole
    return "< 0.1 %" if share < 0.1 else f"{share:.1f} %".replace(".0 %", " %")


@dataclass(frozen=True)
class Kept:
    """The part of a column's scale that the filter keeps; None is an open end."""

    low: float | None
    high: float | None

    def holds(self, low: Any, high: Any) -> bool:
        """Whether a bar from ``low`` to ``high`` has a part in it."""
        above = self.low is None or high > self.low
        return above and (self.high is None or low < self.high or low == high == self.high)

    @property
    def words(self) -> str:
        """What stands under the histogram."""
        if self.low is not None and self.high is not None:
            return f"filter keeps {self.low:g} to {self.high:g}"
        return f"{self.low:g} ▸ filter keeps" if self.low is not None else f"filter keeps ◂ {self.high:g}"


def kept_range(nodes: Sequence[FilterNode], column: str) -> Kept | None:
    """What the filter's chips on a numeric column leave of its scale; None when they do not bound it."""
    low: float | None = None
    high: float | None = None
    for node in nodes:
        if not isinstance(node, Condition) or node.column != column:
            continue
        values = node.value if isinstance(node.value, list) else [node.value]
        if not values or any(isinstance(one, bool) or not isinstance(one, int | float) for one in values):
            continue
        numbers = [float(one) for one in values if isinstance(one, int | float)]
        if node.operator in {"ge", "gt", "between", "eq", "in"}:
            low = min(numbers) if low is None else max(low, min(numbers))
        if node.operator in {"le", "lt", "between", "eq", "in"}:
            high = max(numbers) if high is None else min(high, max(numbers))
    return None if low is None and high is None else Kept(low, high)


def histogram(profile: ColumnProfile, *, ends: bool = True, kept: Kept | None = None) -> Component:
    """Bars of a histogram; a sentence says the same to who does not see them. What ``kept`` leaves out is grey."""
    bins = profile.histogram or []
    most = max((one.count for one in bins), default=0)
    scale = all(isinstance(end, int | float) for one in bins for end in (one.low, one.high))
    kept = kept if scale else None
    bars = [
        html.I(
            className="in" if kept is None or kept.holds(one.low, one.high) else "",
            style={"height": f"{max(1.0, 100 * one.count / most):.0f}%" if one.count else "0"},
            title=f"{value_words(one.low, profile.data_type)} to {value_words(one.high, profile.data_type)}: "
            f"{number(one.count)}",
        )
        for one in bins
    ]
    low, high = value_words(profile.minimum, profile.data_type), value_words(profile.maximum, profile.data_type)
    peak = max(bins, key=lambda one: one.count, default=None)
    words = f"Histogram of {profile.name}, from {low} to {high}"
    if peak is not None:
        words += (
            f"; most values lie between {value_words(peak.low, profile.data_type)}"
            f" and {value_words(peak.high, profile.data_type)}"
        )
    if kept is not None:
        words += f"; {kept.words.replace('▸', 'and more:').replace('◂', 'up to')}"
    drawn = html.Div(bars, className="lf-hist", role="img", **{"aria-label": words})
    middle = [html.Span(kept.words)] if kept is not None else []
    if profile.data_type in _TIMES:
        low, high = low[:10], high[:10]
    return html.Figure([drawn, html.Div([html.Span(low), *middle, html.Span(high)])]) if ends else drawn


@dataclass(frozen=True)
class Share:
    """A frequent value as it is shown: its words, its share, and its bar's length in percent of the scale."""

    words: str
    share: str
    bar: float


def shares(profile: ColumnProfile, rows: int, most: int) -> tuple[list[Share], str]:
    """The most frequent values, and what their bars measure; none when each value occurs once."""
    top = profile.top_values or []
    if all_distinct(profile) or not rows:
        return [], ""
    largest = 100 * top[0].count / rows if top else 0.0
    scale = next(end for end in _SCALES if largest <= end)
    found = [
        Share(value_words(one.value, profile.data_type), percent(one.count, rows), 100 * one.count / rows / scale * 100)
        for one in top[:most]
    ]
    return found, f"Bars from 0 to {scale} % of the rows"


def all_distinct(profile: ColumnProfile) -> bool:
    """Whether no value occurs twice: then a list of the most frequent ones says nothing."""
    top = profile.top_values or []
    return len(top) > 1 and top[0].count == 1


def top_values(profile: ColumnProfile, rows: int, most: int) -> Component:
    """The most frequent values with their share."""
    found, measure = shares(profile, rows, most)
    lines = [
        html.Tr(
            [
                html.Td(one.words, className="cut", title=one.words),
                html.Td(one.share, className="num dim"),
                html.Td(meter(one.bar), title=measure),
            ]
        )
        for one in found
    ]
    caption = html.Caption(f"Most frequent values of {profile.name}", className="visually-hidden")
    widths = html.Colgroup([html.Col(), html.Col(className="lf-share"), html.Col(className="lf-share-bar")])
    return html.Table([caption, widths, html.Tbody(lines)], className="lf-table dense lf-frequent")


def distribution(profile: ColumnProfile, rows: int) -> Component:
    """What the last column of the profile shows."""
    if profile.histogram:
        return histogram(profile, ends=False)
    if profile.top_values and not all_distinct(profile):
        return _frequent(profile, rows)
    return html.Span(_why_none(profile, rows), className="faint small")


def _why_none(profile: ColumnProfile, rows: int) -> str:
    """Why a column shows neither bars nor frequent values."""
    if profile.nulls == rows:
        return "only nulls" if rows else "no rows"
    if all_distinct(profile):
        return ALL_DISTINCT.lower()
    if profile.approx_distinct is None:
        return "no distribution for this type"
    return "too many different values to list"


def _frequent(profile: ColumnProfile, rows: int) -> Component:
    """The four most frequent values in two columns, with their shares as bars and in figures."""
    cells: list[Component] = []
    found, measure = shares(profile, rows, 4)
    for one in found:
        cells += [
            html.Span(one.words, className="cut", title=one.words),
            meter(one.bar),
            html.Span(one.share, className="num dim nowrap"),
        ]
    return html.Div(cells, className="lf-freq", title=measure)
