"""Scoring many rows in the background: a job that says how far it is, can be cancelled, and keeps what it has.

A job belongs to one user and lives in this process for a while; nobody else finds it, whatever key they name.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, field
from typing import Any, Literal

from loguru import logger

from services.errors import InternalError, InvalidRequest, LakefrontError, NotFound
from services.identity import User
from services.model_serving.models import ScoreProgress

State = Literal["reading", "scoring", "done", "cancelled", "failed"]
Rows = list[dict[str, Any]]
MOST_ROWS = 10_000
"""Rows of one job: they, and their predictions, are held in memory until the job is forgotten."""
BATCH_ROWS = 1_000
"""Rows of one request: small enough that progress is seen and Cancel takes effect soon."""
_THREADS = 4
_KEPT = 64
_KEPT_EACH = 4
_KEEP_SECONDS = 1800.0


@dataclass(slots=True)
class ScoreJob:
    """One job. Read it at any time; only its own thread writes it.

    Attributes:
        key: its name, for the user alone.
        runs_as: the user on whose behalf it runs.
        total: how many rows it scores; while they are read, how many are expected, or None.
        read: rows that were read so far.
        left_out: rows that were read and cannot be inputs, because a needed value is null.
        done: rows that were scored so far.
        rows: the inputs, in order.
        shown: the rows of the table that the inputs were made from, when they were.
        predictions: one for each of the first ``done`` rows.
        error: why it failed.
    """

    key: str
    user_id: str
    runs_as: str
    endpoint_name: str
    state: State = "reading"
    total: int | None = None
    read: int = 0
    left_out: int = 0
    done: int = 0
    rows: Rows = field(default_factory=list)
    shown: Rows = field(default_factory=list)
    predictions: list[Any] = field(default_factory=list)
    error: LakefrontError | None = None
    started: float = field(default_factory=time.time)
    ended: float | None = None
    cancelled: threading.Event = field(default_factory=threading.Event)

    @property
    def running(self) -> bool:
        """Whether more is to come."""
        return self.ended is None

    @property
    def elapsed_ms(self) -> float:
        """Milliseconds since it began, or that it took."""
        return ((self.ended or time.time()) - self.started) * 1000

    @property
    def seconds_left(self) -> float | None:
        """An estimate from the rows so far, None while there is none."""
        if not self.running or not self.done or not self.total:
            return None
        return (self.total - self.done) * self.elapsed_ms / 1000 / self.done


Source = Callable[[ScoreJob], Rows]
"""Gives the rows of a job; may take its time, tells ``read``, and stops when ``cancelled`` is set."""
Score = Callable[..., Iterator[ScoreProgress]]


class ScoreJobs:
    """The jobs of this process. Thread-safe."""

    def __init__(self, score: Score) -> None:
        """``score`` is ``ModelServingService.score_batches``. No thread yet."""
        self._score = score
        self._jobs: OrderedDict[str, ScoreJob] = OrderedDict()
        self._lock = threading.Lock()
        self._executor: ThreadPoolExecutor | None = None

    def start(
        self,
        user: User,
        name: str,
        source: Source | Sequence[dict[str, Any]],
        *,
        timeout_seconds: float,
        total: int | None = None,
        batch_rows: int = BATCH_ROWS,
    ) -> ScoreJob:
        """Begin a job. Runs as the user, with the token of the request that began it.

        Args:
            user: on whose behalf.
            name: the endpoint.
            source: the rows, or what reads them; more than ``MOST_ROWS`` are refused.
            timeout_seconds: time limit of each request to the endpoint.
            total: how many rows a reading source is expected to give.
            batch_rows: most rows in one request.

        Raises:
            InvalidRequest: no rows, or too many.
        """
        if not callable(source):
            _check(len(source))
            total = len(source)
        job = ScoreJob(uuid.uuid4().hex, user.user_id, user.user_name, name, total=total)
        with self._lock:
            self._forget_old(user.user_id)
            self._jobs[job.key] = job
            if self._executor is None:
                self._executor = ThreadPoolExecutor(_THREADS, thread_name_prefix="score-job")
            executor = self._executor
        executor.submit(copy_context().run, self._run, user, job, source, timeout_seconds, batch_rows)
        return job

    def get(self, user: User, key: str) -> ScoreJob:
        """The user's own job of that key.

        Raises:
            NotFound: there is none, or it is another's, or it was forgotten.
        """
        with self._lock:
            job = self._jobs.get(key)
        if job is None or job.user_id != user.user_id:
            raise NotFound("This scoring job is not kept any longer.", technical_details={"job": key})
        return job

    def cancel(self, user: User, key: str) -> None:
        """Stop the user's job before its next request; what was scored is kept.

        Raises:
            NotFound: as ``get``.
        """
        self.get(user, key).cancelled.set()

    def close(self) -> None:
        """Stop all jobs. Idempotent."""
        with self._lock:
            executor, self._executor = self._executor, None
            for job in self._jobs.values():
                job.cancelled.set()
        if executor is not None:
            executor.shutdown(wait=False, cancel_futures=True)

    def _run(
        self,
        user: User,
        job: ScoreJob,
        source: Source | Sequence[dict[str, Any]],
        timeout_seconds: float,
        batch_rows: int,
    ) -> None:
        try:
            job.rows = source(job) if callable(source) else list(source)
            job.read = max(job.read, len(job.rows))
            if not job.cancelled.is_set():
                _check(len(job.rows))
                job.total, job.state = len(job.rows), "scoring"
                self._score_all(user, job, timeout_seconds, batch_rows)
            whole = job.state == "scoring" and job.done == job.total
            job.state = "done" if whole else "cancelled"
        except LakefrontError as error:
            job.error, job.state = error, "failed"
        except Exception as error:  # noqa: BLE001 - a job must end, and say so, whatever happened in its thread
            logger.bind(endpoint=job.endpoint_name).opt(exception=error).error("a scoring job failed")
            job.error, job.state = InternalError(), "failed"
        finally:
            job.ended = time.time()

    def _score_all(self, user: User, job: ScoreJob, timeout_seconds: float, batch_rows: int) -> None:
        steps = self._score(
            user,
            job.endpoint_name,
            job.rows,
            batch_rows=batch_rows,
            timeout_seconds=timeout_seconds,
            cancelled=job.cancelled,
        )
        for step in steps:
            job.predictions.extend(step.predictions)
            job.done = step.done

    def _forget_old(self, user_id: str) -> None:
        """Drop jobs that ended long ago, and the oldest ended ones when there are too many."""
        limit = time.time() - _KEEP_SECONDS
        mine = [job for job in self._jobs.values() if job.user_id == user_id and not job.running]
        surplus = {job.key for job in mine[: max(0, len(mine) - _KEPT_EACH + 1)]}
        ended = [job for job in self._jobs.values() if job.ended is not None]
        surplus |= {job.key for job in ended if job.ended is not None and job.ended < limit}
        surplus |= {job.key for job in ended[: max(0, len(self._jobs) - _KEPT)]}
        for key in surplus:
            del self._jobs[key]


def _check(count: int) -> None:
    if not 1 <= count <= MOST_ROWS:
        raise InvalidRequest("rows", f"1 to {MOST_ROWS:,} rows expected in one job, got {count:,}")
