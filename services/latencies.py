"""How long outside calls take, read from the metric that /metrics shows, so that a page and a monitor cannot disagree.

A histogram keeps counts between bounds, not times; a quantile is the straight line between the two bounds around it, as
Prometheus' ``histogram_quantile`` has it (https://prometheus.io/docs/prometheus/latest/querying/functions/).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from services.observability import operation_seconds


@dataclass(frozen=True, slots=True)
class Latencies:
    """Calls of one service since the process started.

    Attributes:
        count: calls that ended, however they did.
        cancelled: of these, cancelled by the person who asked.
        failed: of these, ended by any other error.
        median_ms: half of the calls took at most this long, milliseconds, about; None without a call.
        p95_ms: 95 of 100 took at most this long, likewise.
    """

    count: int
    cancelled: int
    failed: int
    median_ms: float | None
    p95_ms: float | None


def of_operations(prefix: str, *, without: tuple[str, ...] = ()) -> Latencies:
    """The calls whose operation begins with ``prefix`` (``warehouse.``), but for those named in ``without``."""
    buckets: dict[float, float] = {}
    outcomes: dict[str, int] = {}
    for metric in operation_seconds.collect():
        for sample in metric.samples:
            operation = sample.labels.get("operation", "")
            if not operation.startswith(prefix) or operation in without:
                continue
            if sample.name.endswith("_bucket"):
                bound = float(sample.labels["le"])
                buckets[bound] = buckets.get(bound, 0) + sample.value
            elif sample.name.endswith("_count"):
                outcome = sample.labels["outcome"]
                outcomes[outcome] = outcomes.get(outcome, 0) + int(sample.value)
    count, cancelled = sum(outcomes.values()), outcomes.get("Cancelled", 0)
    return Latencies(
        count=count,
        cancelled=cancelled,
        failed=count - cancelled - outcomes.get("ok", 0),
        median_ms=_quantile(0.5, buckets),
        p95_ms=_quantile(0.95, buckets),
    )


def _quantile(share: float, buckets: dict[float, float]) -> float | None:
    """Milliseconds below which ``share`` of the calls lie; ``buckets`` holds cumulative counts by bound, seconds."""
    total = max(buckets.values(), default=0)
    if not total:
        return None
    wanted, lower, below = share * total, 0.0, 0.0
    for bound in sorted(buckets):
        if buckets[bound] >= wanted:
            if math.isinf(bound):
                return lower * 1000
            inside = buckets[bound] - below
            return 1000 * (lower + (bound - lower) * ((wanted - below) / inside if inside else 1))
        lower, below = bound, buckets[bound]
    return lower * 1000
