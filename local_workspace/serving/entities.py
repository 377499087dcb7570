"""What can be served here: two models of Unity Catalog, fitted at start, and three plain language tasks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, Protocol

from local_workspace.identity.model import ALL_SCOPES, Caller
from local_workspace.serving.fare import WEEKDAYS, FareModel
from local_workspace.serving.sentiment import SentimentModel, reviews
from local_workspace.serving.signature import Columns, Signature
from local_workspace.sql.model import Session, SessionOptions
from local_workspace.unity_catalog.access import SYSTEM

MEGABYTE = 1024 * 1024
SAMPLE_ROWS = 20_000
"""Trips that the fare model is fitted on, at most."""
FIT_SECONDS = 60.0
TRIPS = "samples.nyctaxi.trips"

Task = Literal["", "llm/v1/chat", "llm/v1/completions", "llm/v1/embeddings"]


class OpensSessions(Protocol):
    """What fitting needs of the SQL engine."""

    def open_session(self, caller: Caller, options: SessionOptions) -> Session:
        """Open a session as ``caller``."""


class TabularModel(Protocol):
    """A fitted model with a signature."""

    @property
    def signature(self) -> Signature:
        """Its input columns and the schema of one prediction."""

    def predict(self, columns: Columns) -> list[Any]:
        """One prediction a row."""

    def to_json(self) -> dict[str, Any]:
        """The model as a document."""


@dataclass(frozen=True, slots=True)
class Entity:
    """A version of something that an endpoint can serve.

    Attributes:
        name: its full name, as ``entity_name`` of a served entity.
        task: the platform's task; empty for a model with a signature.
        description: what it is, in one or two sentences.
        limit_bytes: the platform's payload limit for its kind.
        fit: makes the model from the workspace's data; None for the language tasks.
        load: makes the model from a stored document.
        version: its version.
    """

    name: str
    task: Task
    description: str
    limit_bytes: int
    fit: Callable[[OpensSessions], TabularModel] | None = None
    load: Callable[[Mapping[str, Any]], TabularModel] | None = None
    version: str = "1"

    @property
    def short_name(self) -> str:
        """The last part of the name."""
        return self.name.rsplit(".", 1)[-1]

    @property
    def in_unity_catalog(self) -> bool:
        """Whether it is registered in the workspace's own catalog."""
        return self.fit is not None


def _internal_caller() -> Caller:
    """The workspace itself, which may read every table."""
    return Caller(SYSTEM, frozenset({ALL_SCOPES}), float("inf"))


def _fit_fare(engine: OpensSessions) -> TabularModel:
    """Fit the fare model on at most ``SAMPLE_ROWS`` trips spread evenly over the table.

    Raises:
        SqlError: the table cannot be read (yet).
        ValueError: it holds too few trips.
        TimeoutError: reading took too long.
    """
    session = engine.open_session(_internal_caller(), SessionOptions(catalog="samples", schema="nyctaxi"))
    try:
        total = int(_rows(session, f"SELECT count(*) AS n FROM {TRIPS}")["n"][0])  # noqa: S608 - a constant
        # Every step-th second of the hour, so that all hours, days and places of the table remain.
        step = max(1, min(3600, -(-total // SAMPLE_ROWS)))
        clock = "minute(tpep_pickup_datetime) * 60 + second(tpep_pickup_datetime)"
        trips = _rows(
            session,
            "SELECT tpep_pickup_datetime, trip_distance, fare_amount, pickup_zip, dropoff_zip"  # noqa: S608 (constants)
            f" FROM {TRIPS} WHERE mod({clock}, {step}) = 0 AND fare_amount > 0 AND trip_distance > 0"
            f" AND pickup_zip IS NOT NULL AND dropoff_zip IS NOT NULL LIMIT {SAMPLE_ROWS}",
        )
    finally:
        session.close()
    starts: list[datetime] = [
        start if start.tzinfo is None else start.astimezone(UTC) for start in trips.pop("tpep_pickup_datetime")
    ]
    trips["pickup_hour"] = [start.hour for start in starts]
    trips["weekday"] = [WEEKDAYS[start.weekday()] for start in starts]
    return FareModel.fit(trips)


def _rows(session: Session, statement: str) -> Columns:
    """The whole result of ``statement`` as columns of Python values."""
    execution = session.execute(statement)
    try:
        if execution.wait(FIT_SECONDS) in ("PENDING", "RUNNING"):
            raise TimeoutError(f"reading {TRIPS} took more than {FIT_SECONDS:g} s")
        if execution.error is not None:
            raise execution.error
        columns: Columns = {}
        more = True
        while more:
            page, more = execution.fetch(SAMPLE_ROWS, 64 * MEGABYTE)
            for name, values in page.to_pydict().items():
                columns.setdefault(name, []).extend(values)
        return columns
    finally:
        execution.close()


ENTITIES: Mapping[str, Entity] = {
    entity.name: entity
    for entity in (
        Entity(
            "lakefront.sales.trip_fare",
            "",
            f"Predicts fare_amount of a taxi trip. Ridge regression, fitted on a sample of {TRIPS}.",
            16 * MEGABYTE,
            _fit_fare,
            FareModel.from_json,
        ),
        Entity(
            "lakefront.sales.review_sentiment",
            "",
            "Says whether a short English review is positive. Logistic regression on words and word pairs,"
            " trained on 200 sentences.",
            16 * MEGABYTE,
            lambda _engine: SentimentModel.fit(reviews()),
            SentimentModel.from_json,
        ),
        Entity(
            "system.ai.local_echo_chat",
            "llm/v1/chat",
            "A local echo: it repeats what you write, word by word. No language model runs here.",
            4 * MEGABYTE,
        ),
        Entity(
            "system.ai.local_echo_completion",
            "llm/v1/completions",
            "A local echo: it repeats the prompt. No language model runs here.",
            4 * MEGABYTE,
        ),
        Entity(
            "system.ai.hashed_words",
            "llm/v1/embeddings",
            "Texts as vectors of 64 numbers by hashing their words; texts that share words are near.",
            4 * MEGABYTE,
        ),
    )
}

DEFAULT_ENDPOINTS = (
    ("trip-fare", "lakefront.sales.trip_fare"),
    ("review-sentiment", "lakefront.sales.review_sentiment"),
    ("echo-chat", "system.ai.local_echo_chat"),
    ("echo-completion", "system.ai.local_echo_completion"),
    ("word-embedding", "system.ai.hashed_words"),
)
"""Endpoints of a new workspace: name and what it serves."""
