"""How a column's profile is drawn: values, histograms as plain bars with a sentence, most frequent values."""

from __future__ import annotations

from typing import Any

from dash import html
from dash.development.base_component import Component

from dashboard.components.controls import meter
from dashboard.components.words import MINUS, number
from services.unity_catalog.models import ColumnProfile

NOTHING = "\u2013"
_TIMES = frozenset({"TIMESTAMP", "TIMESTAMP_NTZ"})
_DECIMALS = frozenset({"DOUBLE", "FLOAT"})


def value_words(value: Any, data_type: str) -> str:
    """One value as cells write it: no T in times, at least two decimals for doubles, a real minus."""
    if value is None:
        return NOTHING
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


def histogram(profile: ColumnProfile, *, ends: bool = True) -> Component:
    """Bars of a histogram; a sentence says the same to who does not see them."""
    bins = profile.histogram or []
    most = max((one.count for one in bins), default=0)
    bars = [
        html.I(
            className="in",
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
    drawn = html.Div(bars, className="lf-hist", role="img", **{"aria-label": words})
    return html.Figure([drawn, html.Div([html.Span(low), html.Span(high)])]) if ends else drawn


def top_values(profile: ColumnProfile, rows: int, most: int) -> Component:
    """The most frequent values with their share."""
    lines = [
        html.Tr(
            [
                html.Td(value_words(one.value, profile.data_type), className="cut", title=str(one.value)),
                html.Td(percent(one.count, rows), className="num dim"),
                html.Td(meter(100 * one.count / rows if rows else 0), className="lf-top-bar"),
            ]
        )
        for one in (profile.top_values or [])[:most]
    ]
    caption = html.Caption(f"Most frequent values of {profile.name}", className="visually-hidden")
    return html.Table([caption, html.Tbody(lines)], className="lf-table dense lf-top")


def distribution(profile: ColumnProfile, rows: int) -> Component | str:
    """What the last column of the profile shows."""
    if profile.histogram:
        return histogram(profile, ends=False)
    if profile.top_values:
        return top_values(profile, rows, 4)
    return html.Span("no distribution for this type", className="faint small")
