"""Measuring: calls interleaved in one run, their percentiles, and the lines that report them.

Two things are compared by turns, one call each, so that whatever else the machine does meets both alike. A ratio is
the quotient of the two medians of one such series.
"""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

Call = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Times:
    """The durations of one kind of call, in seconds."""

    seconds: tuple[float, ...]

    @property
    def p50(self) -> float:
        """The median, seconds."""
        return statistics.median(self.seconds)

    @property
    def p95(self) -> float:
        """The 95th percentile (nearest rank), seconds."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]

    def __str__(self) -> str:
        return f"{milliseconds(self.p50)} (p95 {milliseconds(self.p95)})"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the report.

    Attributes:
        part: the section that it belongs to.
        what: what was measured.
        measured: the measured value, with its unit.
        reference: what it is compared with, and that one's value; empty when it stands alone.
        ratio: measured : reference, or None.
        target: the target in words; empty when there is none.
        met: whether the target was met; None without one.
    """

    part: str
    what: str
    measured: str
    reference: str = ""
    ratio: float | None = None
    target: str = ""
    met: bool | None = None


def milliseconds(seconds: float) -> str:
    """A duration for people: ``3.2 ms``, ``450 ms``, ``2.31 s``."""
    if seconds >= 1:
        return f"{seconds:.2f} s"
    return f"{seconds * 1000:.0f} ms" if seconds >= 0.1 else f"{seconds * 1000:.1f} ms"


def megabytes(size: float) -> str:
    """A size of memory or of a file for people."""
    return f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size / 1e3:.1f} kB"


def interleaved(rounds: int, warm: int = 2, **calls: Call) -> dict[str, Times]:
    """Call each of ``calls`` once a round, in turn; the first ``warm`` rounds do not count.

    Raises:
        Exception: whatever a call raises; a benchmark of failing calls means nothing.
    """
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(rounds + warm):
        for name, call in calls.items():
            started = time.perf_counter()
            call()
            if turn >= warm:
                seconds[name].append(time.perf_counter() - started)
    return {name: Times(tuple(found)) for name, found in seconds.items()}


def rate(make: Callable[[], Call], *, threads: int, seconds: float) -> float:
    """Calls per second of ``threads`` threads, each with a call of its own from ``make``, for ``seconds``.

    Raises:
        RuntimeError: a thread failed.
    """
    calls = [make() for _ in range(threads)]
    done = [0] * threads
    failures: list[Exception] = []
    begin, over = threading.Barrier(threads + 1), threading.Event()

    def work(place: int) -> None:
        call = calls[place]
        try:
            call()
        except Exception as error:  # noqa: BLE001 - reported below, whatever it was
            failures.append(error)
            over.set()
        begin.wait()
        while not over.is_set():
            try:
                call()
            except Exception as error:  # noqa: BLE001 - reported below, whatever it was
                failures.append(error)
                return
            done[place] += 1

    workers = [threading.Thread(target=work, args=(place,), daemon=True) for place in range(threads)]
    for worker in workers:
        worker.start()
    begin.wait()
    started = time.perf_counter()
    over.wait(seconds)
    elapsed = time.perf_counter() - started
    over.set()
    for worker in workers:
        worker.join(30)
    if failures:
        raise RuntimeError(f"a call failed: {failures[0]!r}") from failures[0]
    return sum(done) / elapsed


def compared(
    part: str, what: str, measured: Times, reference: Times, against: str, *, at_most: float | None = None
) -> Line:
    """A line of two medians; ``at_most`` is the largest ratio that meets the target."""
    ratio = measured.p50 / reference.p50
    return Line(
        part,
        what,
        str(measured),
        f"{against}: {reference}",
        ratio,
        "" if at_most is None else f"≤ {at_most:g}x",
        None if at_most is None else ratio <= at_most,
    )
