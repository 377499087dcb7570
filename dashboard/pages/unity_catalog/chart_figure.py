"""From groups and measures to a Plotly figure, its words, and the filter that a click on it means."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Sequence
from typing import Any

from dashboard.components.charts import template
from dashboard.components.words import number
from dashboard.pages.unity_catalog.chart_spec import BUCKETS, ChartKind, ChartSpec, measure_words
from dashboard.pages.unity_catalog.figures import NOTHING, value_words
from services.unity_catalog.models import AggregateResult

MAX_SERIES = 6
_DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
_SYMBOLS = ("circle", "square", "diamond", "triangle-up", "x", "cross")

Row = dict[str, Any]


def names(result: AggregateResult, spec: ChartSpec) -> tuple[list[str], list[str]]:
    """Names of the group columns and of the measures, as the answer calls them."""
    measures = 1 + bool(spec.second)
    columns = [column.name for column in result.columns]
    return columns[:-measures], columns[-measures:]


def figure(result: AggregateResult, spec: ChartSpec) -> dict[str, Any]:
    """The figure in the light template; the browser lays the chosen theme over it."""
    groups, measures = names(result, spec)
    if spec.kind == "heatmap" and groups:
        return _layout(_heat_map(result.rows, groups, measures[0], measure_words(spec.first)), spec, 1)
    traces: list[dict[str, Any]] = []
    for place, name in enumerate(measures):
        axis = {"xaxis": "x", "yaxis": "y" if place == 0 else "y2"}
        if len(groups) == 2:
            series = _series(result.rows, groups, name)
            traces += [
                _trace(spec, points, name, at) | axis | {"name": words, "showlegend": place == 0}
                for at, (words, points) in enumerate(series)
            ]
        else:
            points = [(row[groups[0]] if groups else "", row[name]) for row in result.rows]
            below: ChartKind = "scatter" if spec.kind == "scatter" else "line"
            kind = spec if place == 0 else spec.model_copy(update={"kind": below})
            trace = _trace(kind, points, name, 0) | axis | {"showlegend": False}
            traces.append(trace if place == 0 else trace | {"line": {"width": 2}, "marker": {"size": 5}})
    return _layout(traces, spec, len(measures))


def caption(result: AggregateResult, spec: ChartSpec) -> str:
    """The figure in words: kind, measures, groups, range and extremes."""
    groups, measures = names(result, spec)
    if not result.rows or not groups:
        return "Nothing to draw."
    parts = []
    for word, name in zip((spec.first, spec.second), measures, strict=False):
        known = [row for row in result.rows if isinstance(row[name], int | float)]
        if known:
            least, most = min(known, key=lambda row: row[name]), max(known, key=lambda row: row[name])
            parts.append(
                f"{measure_words(word)}: from {figure_words(least[name])} ({group_words(result, spec, least)})"
                f" to {figure_words(most[name])} ({group_words(result, spec, most)})"
            )
    said = BUCKETS.get(spec.bucket, "") if spec.bucket else ""
    return (
        f"By {spec.group} {said}, {len(result.rows)} groups. {'. '.join(parts)}. The data stands as a table beside it."
    )


def group_words(result: AggregateResult, spec: ChartSpec, row: Row) -> str:
    """A group as people read it: ``2016-01-23``, ``10001``, ``2.5 to 5``."""
    groups, _ = names(result, spec)
    types = {column.name: column.data_type for column in result.columns}
    words = []
    for name, bucket in zip(groups, (spec.bucket, spec.bucket2), strict=False):
        text = value_words(row[name], types[name])
        if bucket and bucket != "hour":
            text = text[: {"month": 7, "year": 4}.get(bucket, 10)]
        words.append(text if row[name] is not None else "null")
    return " · ".join(words)


def figure_words(value: Any) -> str:
    """One measured figure."""
    if value is None:
        return NOTHING
    if isinstance(value, float):
        return number(value, 2)
    return number(value) if isinstance(value, int) else str(value)


def click_filter(spec: ChartSpec, result: AggregateResult, row: Row) -> list[dict[str, Any]]:
    """The conditions that select the rows of a group."""
    groups, _ = names(result, spec)
    conditions: list[dict[str, Any]] = []
    for name, column, bucket in zip(groups, (spec.group, spec.group2), (spec.bucket, spec.bucket2), strict=False):
        value = row[name]
        if value is None:
            conditions.append({"column": column, "operator": "is_null"})
        elif bucket:
            start = dt.datetime.fromisoformat(str(value))
            conditions.append({"column": column, "operator": "ge", "value": str(value)})
            conditions.append({"column": column, "operator": "lt", "value": _next(start, bucket, str(value))})
        elif (width := _step(result.rows, name)) is not None and isinstance(value, float):
            conditions.append({"column": column, "operator": "ge", "value": value})
            conditions.append({"column": column, "operator": "lt", "value": value + width})
        else:
            conditions.append({"column": column, "operator": "eq", "value": value})
    return conditions


def _next(start: dt.datetime, bucket: str, text: str) -> str:
    """The start of the bucket after ``start``, written as ``text`` is."""
    if bucket == "month":
        after = start.replace(year=start.year + start.month // 12, month=start.month % 12 + 1)
    elif bucket == "year":
        after = start.replace(year=start.year + 1)
    else:
        after = (
            start + {"hour": dt.timedelta(hours=1), "day": dt.timedelta(days=1), "week": dt.timedelta(weeks=1)}[bucket]
        )
    if "T" not in text:
        return after.date().isoformat()
    return after.isoformat().replace("+00:00", "Z") if text.endswith("Z") else after.isoformat()


def _step(rows: Sequence[Row], name: str) -> float | None:
    """The width of equal steps, from two neighbours."""
    values = sorted({row[name] for row in rows if isinstance(row[name], float)})
    gaps = [after - before for before, after in itertools.pairwise(values)]
    return min(gaps) if gaps else None


def _series(rows: Sequence[Row], groups: list[str], measure: str) -> list[tuple[str, list[tuple[Any, Any]]]]:
    """One series for each value of the second group: the five largest, and the rest as "other"."""
    totals: dict[Any, float] = {}
    for row in rows:
        totals[row[groups[1]]] = totals.get(row[groups[1]], 0) + (row[measure] or 0)
    ranked = sorted(totals, key=lambda value: -totals[value])
    shown = ranked if len(ranked) <= MAX_SERIES else ranked[: MAX_SERIES - 1]
    points: dict[Any, dict[Any, Any]] = {value: {} for value in shown}
    other: dict[Any, float] = {}
    for row in rows:
        if row[groups[1]] in points:
            points[row[groups[1]]][row[groups[0]]] = row[measure]
        else:
            other[row[groups[0]]] = other.get(row[groups[0]], 0) + (row[measure] or 0)
    series = [("null" if value is None else str(value), list(points[value].items())) for value in shown]
    return [*series, *([("other", list(other.items()))] if other else [])]


def _trace(spec: ChartSpec, points: Sequence[tuple[Any, Any]], name: str, place: int) -> dict[str, Any]:
    x = ["null" if value is None else value for value, _ in points]
    y = [value for _, value in points]
    hover = "%{x}<br>" + name + ": %{y:,}<extra></extra>"
    trace: dict[str, Any] = {"x": x, "y": y, "name": name, "hovertemplate": hover}
    if spec.kind in {"bar", "histogram"}:
        return trace | {"type": "bar", "marker": {"opacity": 0.82}}
    mode = "markers" if spec.kind == "scatter" else "lines+markers" if len(x) <= 120 else "lines"
    line = {"width": 2, "dash": _DASHES[place % len(_DASHES)]}
    marker = {"size": 5 if spec.kind != "scatter" else 7, "symbol": _SYMBOLS[place % len(_SYMBOLS)]}
    fill = {"fill": "tozeroy"} if spec.kind == "area" else {}
    return trace | {"type": "scatter", "mode": mode, "line": line, "marker": marker} | fill


def _heat_map(rows: Sequence[Row], groups: list[str], measure: str, words: str) -> list[dict[str, Any]]:
    """One line for each value of the second group; without one a single line, called by the measure's ``words``."""
    keys = [(row[groups[0]], row[groups[1]] if len(groups) == 2 else words) for row in rows]
    columns, lines = (list(dict.fromkeys(key[place] for key in keys)) for place in (0, 1))
    values = {key: row[measure] for key, row in zip(keys, rows, strict=True)}
    return [
        {
            "type": "heatmap",
            "x": ["null" if one is None else one for one in columns],
            "y": ["null" if one is None else str(one) for one in lines],
            "z": [[values.get((column, line)) for column in columns] for line in lines],
            "autocolorscale": True,  # the theme's own
            "hovertemplate": "%{x} · %{y}<br>" + words + ": %{z:,}<extra></extra>",
            "colorbar": {"outlinewidth": 0, "thickness": 10},
        }
    ]


def _layout(traces: list[dict[str, Any]], spec: ChartSpec, panels: int) -> dict[str, Any]:
    """One axis of x; a second measure gets a panel of its own below, never a second y axis beside the first."""
    base = template("light")["layout"]
    zero = spec.kind in {"bar", "area", "histogram"}
    layout: dict[str, Any] = {
        "template": {"layout": base},
        "yaxis": {"tickformat": "~s", "rangemode": "tozero" if zero else "normal"},
        "xaxis": _time_axis(spec, traces) if spec.bucket else _axis(spec),
        "annotations": [_label(spec.first, spec, 1.0, starts_at_zero=zero)],
        "margin": {"l": 60, "r": 16, "t": 34, "b": 40},
        "barmode": "stack" if spec.group2 else "group",
        # below the dates: above, it would lie on the panel's label
        "legend": {"orientation": "h", "x": 0, "xanchor": "left", "y": -0.16, "yanchor": "top"},
    }
    if spec.kind == "heatmap":
        layout["xaxis"]["type"] = "date" if spec.bucket else "category"
        layout["yaxis"] = {"type": "category", "rangemode": "normal", "showgrid": False}
    if panels == 2:
        layout["yaxis"]["domain"] = [0.44, 1]
        layout["yaxis2"] = {"domain": [0, 0.3], "tickformat": "~s", "anchor": "x", "rangemode": "normal"}
        layout["xaxis"]["anchor"] = "y2"
        layout["annotations"].append(_label(spec.second, spec, 0.3, starts_at_zero=False))
    return {"data": traces, "layout": layout}


def _time_axis(spec: ChartSpec, traces: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Dates with their year, exactly as long as the data: half a step beyond the first and the last."""
    formats = {"hour": "%d %b %H:%M\n%Y", "month": "%b\n%Y", "year": "%Y"}
    axis: dict[str, Any] = {"type": "date", "tickformat": formats.get(spec.bucket or "", "%d %b\n%Y"), "tickangle": 0}
    moments = sorted({moment for trace in traces for x in trace["x"] if (moment := _moment(x)) is not None})
    if moments:
        half = min((b - a for a, b in itertools.pairwise(moments)), default=dt.timedelta(days=1)) / 2
        try:
            axis["range"] = [(moments[0] - half).isoformat(), (moments[-1] + half).isoformat()]
        except OverflowError:
            # Years 1 and 9999 have no neighbour on one side; Plotly finds a range by itself.
            return axis
    return axis


def _moment(text: Any) -> dt.datetime | None:
    try:
        return dt.datetime.fromisoformat(str(text)).replace(tzinfo=None)
    except ValueError:
        return None


def _axis(spec: ChartSpec) -> dict[str, Any]:
    """Groups side by side, or their place among the numbers: with all digits, for they may be codes (``10001``)."""
    return {"tickformat": ".12~g"} if spec.kind in {"scatter", "histogram"} else {"type": "category"}


def _label(word: str, spec: ChartSpec, top: float, *, starts_at_zero: bool) -> dict[str, Any]:
    unit = BUCKETS[spec.bucket].replace("each", "per") if spec.bucket else f"by {spec.group}"
    if spec.kind == "heatmap" and spec.group2:
        unit += f" and {spec.group2}"  # the axes have no titles of their own
    note = "" if starts_at_zero or spec.kind == "heatmap" else "; not from 0"
    return {
        "text": f"<b>{measure_words(word)}</b> {unit}{note}",
        "xref": "paper",
        "yref": "paper",
        "x": 0,
        "y": top,
        "xanchor": "left",
        "yanchor": "bottom",
        "yshift": 8,
        "showarrow": False,
        "font": {"size": 12},
    }
