"""``review-sentiment``: whether a review is positive, by logistic regression on a bag of words and word pairs."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from local_workspace.serving.signature import Columns, Field, Signature

REVIEWS = "reviews.jsonl"
_WORD = re.compile(r"[a-z]+(?:'[a-z]+)?")
_STEPS = 300
_LEARNING_RATE = 4.0
_PENALTY = 0.002

Floats = NDArray[np.float64]


def reviews() -> list[tuple[str, bool]]:
    """The labelled sentences of the package: text, and whether it is positive."""
    text = resources.files("local_workspace.serving").joinpath("data", REVIEWS).read_text(encoding="utf-8")
    rows = [json.loads(line) for line in text.splitlines() if line]
    return [(row["text"], row["label"] == "positive") for row in rows]


def terms(text: str) -> list[str]:
    """The words of ``text`` in lower case and its neighbouring pairs, so that "not good" is a term of its own."""
    words = _WORD.findall(text.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'"))
    return words + [f"{first} {second}" for first, second in pairwise(words)]


@dataclass(frozen=True, slots=True)
class SentimentModel:
    """A fitted model: a weight (log odds) for each term of its vocabulary, and the bias."""

    weights: Mapping[str, float]
    bias: float
    rows: int

    @property
    def signature(self) -> Signature:
        """One text column; a prediction is a label with the probability of both labels."""
        probability = {"type": "number", "format": "double", "minimum": 0, "maximum": 1}
        output = {
            "type": "object",
            "required": ["label", "probabilities"],
            "properties": {
                "label": {"type": "string", "enum": ["negative", "positive"]},
                "probabilities": {
                    "type": "object",
                    "required": ["negative", "positive"],
                    "properties": {"negative": probability, "positive": probability},
                },
            },
        }
        text = Field("text", "string", help="A review in English.", example="The driver was friendly and on time.")
        return Signature((text,), output)

    def predict(self, columns: Columns) -> list[Any]:
        """For each text ``{"label", "probabilities": {"negative", "positive"}}``; the two sum to 1."""
        return [self._one(text) for text in columns["text"]]

    def _one(self, text: str) -> dict[str, Any]:
        counts = Counter(terms(text))
        length = sum(count * count for count in counts.values()) ** 0.5 or 1.0
        score = self.bias + sum(self.weights.get(term, 0.0) * count for term, count in counts.items()) / length
        positive = float(1.0 / (1.0 + np.exp(-score)))
        label = "positive" if positive >= 0.5 else "negative"
        return {"label": label, "probabilities": {"negative": 1.0 - positive, "positive": positive}}

    def to_json(self) -> dict[str, Any]:
        """The model as a JSON document."""
        return {"weights": dict(self.weights), "bias": self.bias, "rows": self.rows}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> SentimentModel:
        """The model of a document that ``to_json`` wrote."""
        return cls(document["weights"], document["bias"], document["rows"])

    @classmethod
    def fit(cls, labelled: Sequence[tuple[str, bool]]) -> SentimentModel:
        """Fit by full-batch gradient descent on the penalised log loss; deterministic."""
        counts = [Counter(terms(text)) for text, _ in labelled]
        vocabulary = sorted({term for count in counts for term in count})
        at = {term: position for position, term in enumerate(vocabulary)}
        features: Floats = np.zeros((len(counts), len(vocabulary)))
        for row, count in enumerate(counts):
            for term, times in count.items():
                features[row, at[term]] = times
        features /= np.linalg.norm(features, axis=1, keepdims=True)
        target = np.asarray([float(positive) for _, positive in labelled])
        weights, bias = np.zeros(len(vocabulary)), 0.0
        for _ in range(_STEPS):
            error = 1.0 / (1.0 + np.exp(-(features @ weights + bias))) - target
            weights -= _LEARNING_RATE * (features.T @ error / len(target) + _PENALTY * weights)
            bias -= _LEARNING_RATE * float(error.mean())
        return cls({term: round(float(weights[at[term]]), 6) for term in vocabulary}, float(bias), len(target))
