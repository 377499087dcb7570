"""Many predictions as people read them: columns for a table and a file, and one chart of them all."""

from __future__ import annotations

import csv
import io
import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from statistics import fmean, median
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from dashboard.components.charts import CONFIG, template
from dashboard.components.controls import facts, meter
from dashboard.components.words import number, plural
from services.model_serving.jobs import ScoreJob

_BINS = 24
_CLASSES = 12
_HEIGHT = 168


def label_of(prediction: Any) -> Any:
    """The one value that stands for a prediction in a table: a number, a label, or JSON."""
    if isinstance(prediction, Mapping) and "label" in prediction:
        return prediction["label"]
    return json.dumps(prediction, ensure_ascii=False) if isinstance(prediction, dict | list) else prediction


def share_of(prediction: Any) -> float | None:
    """The probability of the label that was predicted, when the model tells."""
    if not isinstance(prediction, Mapping) or not isinstance(prediction.get("probabilities"), Mapping):
        return None
    share = prediction["probabilities"].get(prediction.get("label"))
    return float(share) if isinstance(share, int | float) else None


def flat(prediction: Any) -> dict[str, Any]:
    """A prediction as columns of a file: `prediction`, or `prediction.label`, and so on for each part."""
    if not isinstance(prediction, Mapping) or not prediction:
        return {"prediction": label_of(prediction)}
    out: dict[str, Any] = {}
    for name, value in prediction.items():
        for inner, one in flat(value).items():
            out[f"prediction.{name}{inner.removeprefix('prediction')}"] = one
    return out


def csv_of(job: ScoreJob) -> str:
    """The scored rows as CSV (RFC 4180): the rows as they were, then the prediction's own columns."""
    rows = (job.shown or job.rows)[: job.done]
    flattened = [flat(one) for one in job.predictions[: job.done]]
    inputs = list(dict.fromkeys(name for row in rows for name in row))
    outputs = list(dict.fromkeys(name for one in flattened for name in one))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([*inputs, *(f"{name}_1" if name in inputs else name for name in outputs)])
    for row, one in zip(rows, flattened, strict=True):
        writer.writerow([*(_cell(row.get(name)) for name in inputs), *(_cell(one.get(name)) for name in outputs)])
    return text.getvalue()


def chart(predictions: Sequence[Any]) -> list[Component]:
    """A histogram of numbers, or bars of how often each label was predicted; nothing for anything else."""
    numbers = [float(one) for one in predictions if isinstance(one, int | float) and not isinstance(one, bool)]
    if len(numbers) > 1 and len(numbers) == len(predictions):
        return [_histogram(numbers), _figures(numbers)]
    labels = [label_of(one) for one in predictions]
    if predictions and all(isinstance(one, str | bool) for one in labels):
        return [_classes(predictions, labels)]
    return []


def bins_of(numbers: Sequence[float], most: int = _BINS) -> tuple[list[float], list[int]]:
    """Edges at round numbers, and how many values lie in each bin (the last edge belongs to the last bin)."""
    low, high = min(numbers), max(numbers)
    width = _round_width((high - low) / most) if high > low else 1.0
    first = math.floor(low / width)
    count = max(1, math.ceil(high / width - first))
    counts = [0] * count
    for one in numbers:
        counts[min(count - 1, max(0, math.floor(one / width) - first))] += 1
    return [(first + place) * width for place in range(count + 1)], counts


def _round_width(width: float) -> float:
    """The next of 1, 2, 2.5, 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(width))
    return next(step * power for step in (1, 2, 2.5, 5, 10) if step * power >= width * (1 - 1e-9))


def _histogram(numbers: Sequence[float]) -> Component:
    edges, counts = bins_of(numbers)
    width = edges[1] - edges[0]
    trace = {
        "type": "bar",
        "x": [(low + high) / 2 for low, high in pairwise(edges)],
        "y": counts,
        "width": width * 0.94,
        "customdata": [[low, high] for low, high in pairwise(edges)],
        "hovertemplate": "%{customdata[0]:,.6~g} to %{customdata[1]:,.6~g}: %{y:,} rows<extra></extra>",
    }
    most = counts.index(max(counts))
    said = f"most rows lie between {number(round(edges[most], 6))} and {number(round(edges[most + 1], 6))}"
    return _figure(trace, f"Predictions of {plural(len(numbers), 'row')}", said)


def _figure(trace: dict[str, Any], words: str, said: str) -> Component:
    top = max(trace["y"])  # rows are counted: no half of one on the axis
    layout = {
        "template": template("light"),
        "margin": {"l": 8, "r": 8, "t": 8, "b": 24},
        "height": _HEIGHT,
        "yaxis": {"rangemode": "tozero", "nticks": 4, "automargin": True, **({"dtick": 1} if top < 4 else {})},
    }
    return html.Figure(
        [
            html.Figcaption([words, html.Span(f": {said}", className="visually-hidden")], className="small dim"),
            dcc.Graph(
                figure={"data": [trace], "layout": layout},
                config=CONFIG,
                className="lf-histogram",
                style={"height": f"{_HEIGHT}px"},
            ),
        ]
    )


def _figures(numbers: Sequence[float]) -> Component:
    values = (
        ("Smallest", min(numbers)),
        ("Median", median(numbers)),
        ("Mean", fmean(numbers)),
        ("Largest", max(numbers)),
    )
    return facts([(name, html.Span(number(value, 2), className="num")) for name, value in values], "lf-figures")


def _classes(predictions: Sequence[Any], labels: Sequence[Any]) -> Component:
    counted = Counter(str(one) for one in labels).most_common()
    shares: dict[str, list[float]] = {}
    for one, label in zip(predictions, labels, strict=True):
        share = share_of(one)
        if share is not None:
            shares.setdefault(str(label), []).append(share)
    rows = []
    for name, count in counted[:_CLASSES]:
        part = 100 * count / len(labels)
        mean = f", mean probability {fmean(shares[name]):.2f}" if name in shares else ""
        rows.append(
            html.Div(
                [
                    html.Span(name, className="cut", title=name),
                    meter(part),
                    html.Span(f"{part:.1f} %", className="num"),
                    html.Span(f"{plural(count, 'row')}{mean}", className="small dim lf-chance-more"),
                ],
                className="lf-chance",
            )
        )
    more = len(counted) - _CLASSES
    tail = [html.P(f"{plural(more, 'further label')} not drawn.", className="small faint")] if more > 0 else []
    heading = html.H3(f"Labels of {plural(len(labels), 'row')}", className="dim lf-answer-name")
    return html.Div([heading, *rows, *tail], className="stack")


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value
