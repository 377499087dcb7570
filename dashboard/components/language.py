"""Answers of language tasks as people read them: text that a model wrote, and vectors."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from dash import html
from dash.development.base_component import Component

from dashboard.components.controls import scroller
from dashboard.components.words import MINUS, number

_NEAREST = 12


def completion(response: Mapping[str, Any]) -> Component:
    """Return what a completion or a chat wrote, as text (never as markup), with the count of its tokens."""
    parts: list[Component] = []
    for choice in response["choices"]:
        text = choice.get("text") if "text" in choice else (choice.get("message") or {}).get("content")
        named = {"aria-label": "Text that the model wrote"}
        parts.append(html.Div(str(text or ""), className="lf-completion", tabIndex="0", role="region", **named))
        if choice.get("finish_reason") not in (None, "stop"):
            parts.append(html.P(f"It ended because of: {choice['finish_reason']}.", className="small dim"))
    usage = response.get("usage") or {}
    if usage.get("total_tokens") is not None:
        words = (
            f"{number(usage.get('prompt_tokens') or 0)} tokens in, {number(usage.get('completion_tokens') or 0)} out"
        )
        parts.append(html.P(words, className="small dim"))
    return html.Div(parts, className="stack")


def embeddings(response: Mapping[str, Any]) -> Component:
    """Return vectors as a table: their size, and how near the texts are to each other (cosine)."""
    vectors = [[float(x) for x in one["embedding"]] for one in response["data"]]
    size = number(len(vectors[0]))
    if len(vectors) == 1:
        first = ", ".join(f"{x:.4f}" for x in vectors[0][:24]).replace("-", MINUS)
        words = f"A vector of {size} numbers"
        more = [html.P([first, " \u2026"], className="mono small lf-vector")]
        return html.Div([html.H3(words, className="dim lf-answer-name"), *more], className="stack")
    shown = vectors[:_NEAREST]
    heads = [html.Th("Text"), *(html.Th(str(at + 1), className="num") for at in range(len(shown)))]
    rows = [
        html.Tr(
            [
                html.Th(str(at + 1), scope="row"),
                *(html.Td(f"{cosine(one, other):.2f}".replace("-", MINUS), className="num") for other in shown),
            ]
        )
        for at, one in enumerate(shown)
    ]
    table = html.Table([html.Thead(html.Tr(heads)), html.Tbody(rows)], className="lf-table dense lf-flush")
    about = "How near the texts are, by line: the cosine, 1 for the same direction, 0 for nothing in common."
    cut = f" The first {_NEAREST} are compared." if len(vectors) > _NEAREST else ""
    return html.Div(
        [
            html.H3(f"{number(len(vectors))} vectors of {size} numbers", className="dim lf-answer-name"),
            html.P(about + cut, className="small dim"),
            scroller(table, "Nearness of the texts"),
        ],
        className="stack",
    )


def cosine(one: Sequence[float], other: Sequence[float]) -> float:
    """Return the cosine of two vectors of the same size; 0 when one of them is all zeros."""
    product = math.fsum(a * b for a, b in zip(one, other, strict=True))
    size = math.sqrt(math.fsum(a * a for a in one)) * math.sqrt(math.fsum(b * b for b in other))
    return product / size if size else 0.0


def is_completion(response: Mapping[str, Any]) -> bool:
    """Return whether an answer is that of a completion or a chat."""
    choices = response.get("choices")
    return isinstance(choices, list) and bool(choices) and all(isinstance(one, dict) for one in choices)


def is_embeddings(response: Mapping[str, Any]) -> bool:
    """Return whether an answer holds vectors, all of one size."""
    data = response.get("data")
    if not isinstance(data, list) or not data or not all(isinstance(one, dict) for one in data):
        return False
    vectors = [one.get("embedding") for one in data]
    sizes = {len(one) if isinstance(one, list) else 0 for one in vectors}
    return len(sizes) == 1 and 0 not in sizes
