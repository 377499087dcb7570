"""``trip-fare``: what a taxi trip costs, by ridge regression on distance, hour, weekday and zip codes.

The features are the distance, its interaction with busy hours (slow traffic makes a mile dearer), the hour, the
weekday, and an indicator for each of the zip codes with the most trips; any other zip is the average place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from local_workspace.serving.signature import Columns, Field, Signature

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MAX_ZIPS = 60
RIDGE = 5.0
"""Strength of the penalty, in rows: a zip seen in fewer trips is pulled towards the average place."""
MIN_ROWS = 200

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class FareModel:
    """A fitted model: zip codes with an own coefficient, coefficients (dollars), and how well it fits."""

    pickup_zips: tuple[int, ...]
    dropoff_zips: tuple[int, ...]
    coefficients: Floats
    distance_range: tuple[float, float]
    rows: int
    mean_absolute_error: float

    @property
    def signature(self) -> Signature:
        """The columns of a request and the type of a prediction."""
        low, high = self.distance_range
        return Signature(
            fields=(
                Field(
                    "trip_distance",
                    "double",
                    minimum=0.0,
                    help=f"Miles. The training data lies between {low:g} and {high:g}.",
                    example=2.5,
                ),
                Field("pickup_zip", "integer", help="Zip code where the trip begins.", example=10001),
                Field("dropoff_zip", "integer", help="Zip code where the trip ends.", example=10019),
                Field("pickup_hour", "integer", minimum=0, maximum=23, help="Hour of the day.", example=17),
                Field(
                    "weekday",
                    "string",
                    required=False,
                    choices=WEEKDAYS,
                    default="wednesday",
                    help="Day of the week on which the trip begins.",
                    example="friday",
                ),
            ),
            output={"type": "number", "format": "double", "description": "Predicted fare_amount in dollars."},
        )

    def predict(self, columns: Columns) -> list[Any]:
        """The fare of each row in dollars, never below zero; the shape is one number a row."""
        if not columns["trip_distance"]:
            return []
        fares = _features(columns, self.pickup_zips, self.dropoff_zips) @ self.coefficients
        return [float(fare) for fare in np.maximum(fares, 0.0)]

    def to_json(self) -> dict[str, Any]:
        """The model as a JSON document."""
        return {
            "pickup_zips": list(self.pickup_zips),
            "dropoff_zips": list(self.dropoff_zips),
            "coefficients": self.coefficients.tolist(),
            "distance_range": list(self.distance_range),
            "rows": self.rows,
            "mean_absolute_error": self.mean_absolute_error,
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> FareModel:
        """The model of a document that ``to_json`` wrote."""
        low, high = document["distance_range"]
        return cls(
            tuple(document["pickup_zips"]),
            tuple(document["dropoff_zips"]),
            np.asarray(document["coefficients"], dtype=np.float64),
            (low, high),
            document["rows"],
            document["mean_absolute_error"],
        )

    @classmethod
    def fit(cls, columns: Columns) -> FareModel:
        """Fit by least squares.

        Args:
            columns: the input columns of the signature plus ``fare_amount`` in dollars, equally long.

        Raises:
            ValueError: fewer than ``MIN_ROWS`` rows.
        """
        fares = np.asarray(columns["fare_amount"], dtype=np.float64)
        if len(fares) < MIN_ROWS:
            raise ValueError(f"A fare model needs at least {MIN_ROWS} trips; there are {len(fares)}.")
        pickup, dropoff = _frequent(columns["pickup_zip"]), _frequent(columns["dropoff_zip"])
        features = _features(columns, pickup, dropoff)
        penalty = np.full(features.shape[1], RIDGE**0.5)
        penalty[0] = 0.0  # the intercept is free
        penalty[1] = 0.0  # and so is the price of a mile
        stacked = np.vstack([features, np.diag(penalty)])
        target = np.concatenate([fares, np.zeros(features.shape[1])])
        coefficients, *_ = np.linalg.lstsq(stacked, target, rcond=None)
        error = float(np.mean(np.abs(features @ coefficients - fares)))
        distances = np.asarray(columns["trip_distance"], dtype=np.float64)
        reach = (round(float(distances.min()), 2), round(float(distances.max()), 2))
        return cls(pickup, dropoff, coefficients, reach, len(fares), error)


def _frequent(zips: list[int]) -> tuple[int, ...]:
    """The ``MAX_ZIPS`` zip codes with the most trips, the most frequent first."""
    values, counts = np.unique(np.asarray(zips, dtype=np.int64), return_counts=True)
    order = np.lexsort((values, -counts))[:MAX_ZIPS]
    return tuple(int(values[at]) for at in order)


def _features(columns: Columns, pickup_zips: tuple[int, ...], dropoff_zips: tuple[int, ...]) -> Floats:
    """The design matrix, shape (rows, 1 + 1 + 24 + 24 + 7 + zips)."""
    distance = np.asarray(columns["trip_distance"], dtype=np.float64)[:, None]
    hours = np.asarray(columns["pickup_hour"], dtype=np.int64)[:, None] == np.arange(24)
    days = np.asarray([WEEKDAYS.index(day) for day in columns["weekday"]])[:, None] == np.arange(7)
    pickup = np.asarray(columns["pickup_zip"], dtype=np.int64)[:, None] == np.asarray(pickup_zips, dtype=np.int64)
    dropoff = np.asarray(columns["dropoff_zip"], dtype=np.int64)[:, None] == np.asarray(dropoff_zips, dtype=np.int64)
    return np.hstack([np.ones_like(distance), distance, hours, hours * distance, days, pickup, dropoff])
