"""The Model Serving service: everything the page and the JSON API ask for.

Every function with a ``user`` runs as that user, with the token that came with their request; only the row of the
history travels over the app's own connection to Lakebase.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from services.errors import InvalidRequest, LakefrontError, ModelUnavailable
from services.identity import User
from services.model_serving import payload, schema, scoring
from services.model_serving.errors import UpstreamTimeout
from services.model_serving.history import Entry, History, Status, kept
from services.model_serving.jobs import ScoreJobs
from services.model_serving.metadata import Metadata, check_name, quietly
from services.model_serving.models import (
    DEFAULT_TIMEOUT_SECONDS,
    Access,
    Endpoint,
    EndpointSchema,
    InputForm,
    Invocation,
    InvocationResult,
    RegisteredModel,
    ScoreProgress,
)
from services.model_serving.streaming import ChatStream
from services.model_serving.upstream import Run, Upstream, read
from services.observability import request_id, timed
from services.settings import Settings
from services.workspace_client import ClientFactory

if TYPE_CHECKING:
    from services.lakebase import LakebaseService

_METADATA_THREADS = 4
_METADATA_WAIT_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class _Model:
    """What answered an invocation, as far as it is known."""

    model_name: str | None
    model_version: str | None
    served_entity: str | None


class ModelServingService:
    """Endpoints, their schemas, invocations, streams and batch scoring. Thread-safe; building it does no I/O."""

    def __init__(self, settings: Settings, clients: ClientFactory, lakebase: LakebaseService) -> None:
        """Keep what is needed; connections open with the first call."""
        self._host = settings.databricks_host
        ca_file = settings.databricks_ca_file
        self._upstream = Upstream(self._host, str(ca_file) if ca_file is not None else None)
        self._metadata = Metadata(self._host, clients)
        self._history = History(lakebase)
        self._lock = threading.Lock()
        self._executor: ThreadPoolExecutor | None = None
        self.jobs = ScoreJobs(self.score_batches)

    def close(self) -> None:
        """Stop jobs, write what waits for the history, close connections. Idempotent."""
        self.jobs.close()
        self._history.close()
        self._upstream.close()
        with self._lock:
            executor, self._executor = self._executor, None
        if executor is not None:
            executor.shutdown(wait=False, cancel_futures=True)

    def list_endpoints(self, user: User) -> list[Endpoint]:
        """The endpoints that the user may see, by name. Runs as the user.

        Raises:
            AuthRequired, PermissionDenied, WorkspaceUnavailable: as the workspace answers.
        """
        return self._metadata.endpoints(user)

    def get_endpoint(self, user: User, name: str) -> Endpoint:
        """One endpoint, asked anew. Runs as the user.

        Raises:
            NotFound: ``ENDPOINT_NOT_FOUND``.
            AuthRequired, PermissionDenied, WorkspaceUnavailable: as the workspace answers.
        """
        return self._metadata.endpoint(user, name)

    def known_endpoint(self, user: User, name: str) -> Endpoint | None:
        """What is known of an endpoint from the last seconds, for this user; no call."""
        return self._metadata.known(user, name)

    def registered_model(self, user: User, full_name: str) -> RegisteredModel:
        """The model in Unity Catalog that an endpoint serves. Runs as the user.

        Raises:
            NotFound: there is none for this user.
            AuthRequired, PermissionDenied, WorkspaceUnavailable: as the workspace answers.
        """
        return self._metadata.registered_model(user, full_name)

    def model_url(self, full_name: str) -> str:
        """The page of a registered model in the workspace."""
        return self._metadata.model_url(full_name)

    def endpoint_access(self, user: User, endpoint: Endpoint) -> list[Access]:
        """Who may do what with an endpoint, when the workspace tells this user. Runs as the user.

        Raises:
            NotFound, AuthRequired, PermissionDenied, WorkspaceUnavailable: as the workspace answers.
        """
        return self._metadata.access(user, endpoint)

    def endpoint_schema(self, user: User, name: str) -> EndpointSchema:
        """What the endpoint wants, from its own OpenAPI document. Runs as the user.

        An endpoint without such a document gets ``described`` False, the reason, and an example for each input form.

        Raises:
            NotFound: ``ENDPOINT_NOT_FOUND``.
            AuthRequired, PermissionDenied, WorkspaceUnavailable: as the workspace answers.
        """
        endpoint = self._metadata.endpoint(user, name, refresh=False)
        try:
            document = self._metadata.openapi(user, name)
        except LakefrontError as error:
            if error.status in (401, 403):
                raise
            return schema.undescribed(name, endpoint.task, f"The endpoint gave no OpenAPI document: {error.message}")
        return schema.of_document(name, endpoint.task, document)

    def invoke(self, user: User, name: str, invocation: Invocation) -> InvocationResult:
        """Invoke the endpoint and give its whole answer, within the invocation's time limit. Runs as the user.

        Raises:
            InvalidRequest: not exactly one input form, NaN in it, or larger than the platform takes.
            InvalidInput: the model refused the input; the message is its own.
            ModelUnavailable: EC-001, no answer in time, no connection, or 5xx.
            NotFound, AuthRequired, PermissionDenied, RateLimited: as the workspace answers.
        """
        form = payload.form_of(invocation)
        run = self._run(user, name, invocation, form, stream=False)
        endpoint = self._look_up(user, name)
        with self._failures_kept(run, endpoint), timed("model_serving.invoke", endpoint=name):
            answer = self._upstream.post(run)
            predictions, response = read(run, answer)
        elapsed = run.elapsed_ms
        model = self._served(endpoint, run.remaining, answer.headers.get("served-model-name"))
        entry = _entry(run, model, "SUCCESS", elapsed, predictions if response is None else response)
        written = self._history.record(user, entry, run.remaining)
        return InvocationResult(
            request_id=run.request_id,
            endpoint_name=name,
            model_name=model.model_name,
            model_version=model.model_version,
            served_entity=model.served_entity,
            predictions=predictions,
            response=response,
            execution_time_ms=round(elapsed, 3),
            completed_at=datetime.now(UTC),
            logged=written.logged,
            log_error=written.reason,
            attempts=run.attempts,
            runs_as=user.user_name,
        )

    def stream_chat(self, user: User, name: str, invocation: Invocation) -> ChatStream:
        """Open a streamed answer of a chat or completion endpoint. Runs as the user.

        Iterate it for the chunks; close it to stop the upstream call.

        The time limit holds for the whole stream. When it ends, however it ends, its row is written to the history;
        ``ChatStream.result`` then tells whether it was.

        Raises:
            As ``invoke``; later, while iterating, only ModelUnavailable.
        """
        form = payload.form_of(invocation)
        if form not in ("messages", "prompt"):
            raise InvalidRequest("stream", f"only messages and prompt can be streamed, not {form}")
        run = self._run(user, name, invocation, form, stream=True)
        endpoint = self._look_up(user, name)
        with self._failures_kept(run, endpoint), timed("model_serving.stream_open", endpoint=name):
            call, response = self._upstream.open(run)
        return ChatStream(
            call,
            response,
            url=run.url,
            started=run.started,
            on_end=lambda stream: self._stream_ended(run, endpoint, stream),
        )

    def score_batches(
        self,
        user: User,
        name: str,
        rows: Sequence[dict[str, Any]],
        *,
        batch_rows: int = scoring.BATCH_ROWS,
        timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
        cancelled: threading.Event | None = None,
    ) -> Iterator[ScoreProgress]:
        """Score many rows in batches, in order; gives the progress after each batch. Runs as the user.

        One row of the history stands for the whole job. Stop it by setting ``cancelled`` or closing the iterator.

        Args:
            user: on whose behalf.
            name: the endpoint.
            rows: one object of column and value for each row.
            batch_rows: most rows in one request; large rows make smaller batches (the platform's payload limit).
            timeout_seconds: time limit of each batch.
            cancelled: set it to stop before the next batch.

        Raises:
            As ``invoke``, at the batch that failed; what was given before stays good.
        """
        started = time.perf_counter()
        job = request_id() or str(uuid.uuid4())
        done = 0
        failure: LakefrontError | None = None
        predictions: list[Any] = []
        try:
            for batch in scoring.batches(rows, batch_rows):
                if cancelled is not None and cancelled.is_set():
                    return
                step = time.perf_counter()
                scored = self._score(user, name, batch, timeout_seconds)
                predictions.extend(scored)
                done += len(batch)
                elapsed = (time.perf_counter() - step) * 1000
                yield ScoreProgress(done=done, total=len(rows), predictions=scored, execution_time_ms=elapsed)
        except LakefrontError as error:
            failure = error
            raise
        finally:
            known = self._metadata.known(user, name)
            status, message = _outcome_of(failure, done, len(rows))
            self._history.record_later(
                user,
                Entry(
                    request_id=job,
                    endpoint_name=name,
                    model_name=known.model_name if known else None,
                    model_version=known.model_version if known else None,
                    inputs=kept({"dataframe_records": list(rows[:done])}),
                    predictions=kept(predictions),
                    status=status,
                    execution_time_ms=(time.perf_counter() - started) * 1000,
                    error_message=message,
                ),
            )

    def _score(self, user: User, name: str, batch: list[dict[str, Any]], seconds: float) -> list[Any]:
        """The predictions of one batch, one for each row."""
        invocation = Invocation(dataframe_records=batch, timeout_seconds=seconds)
        run = self._run(user, name, invocation, "dataframe_records", stream=False)
        with timed("model_serving.score", endpoint=name, rows=len(batch)):
            answer = self._upstream.post(run)
            predictions, _ = read(run, answer)
        if not isinstance(predictions, list) or len(predictions) != len(batch):
            raise ModelUnavailable(run.url, answer.status, reason="not_one_prediction_a_row")
        return predictions

    def _run(self, user: User, name: str, invocation: Invocation, form: InputForm, *, stream: bool) -> Run:
        check_name(name)
        path = f"/serving-endpoints/{quote(name, safe='')}/invocations"
        return Run(
            user=user,
            name=name,
            url=self._host + path,
            path=path,
            body=payload.encode(invocation, form, stream=stream),
            inputs=invocation.platform_body(),
            request_id=request_id() or str(uuid.uuid4()),
            started=time.perf_counter(),
            deadline=time.monotonic() + invocation.timeout_seconds,
            seconds=invocation.timeout_seconds,
            streamed=stream,
        )

    def _stream_ended(self, run: Run, endpoint: Future[Endpoint | None], stream: ChatStream) -> InvocationResult | None:
        """Write the row of a stream that ended; the result for the caller, or None when it did not end by itself."""
        model = self._served(endpoint, min(run.remaining, 0.5), stream.served_entity)
        status: Status = {"timeout": "TIMEOUT", "failed": "ERROR"}.get(stream.status, "SUCCESS")  # type: ignore[assignment]
        response: dict[str, Any] = {
            "content": stream.text,
            "finish_reason": stream.finish_reason or stream.status,
            "usage": stream.usage,
        }
        message = stream.error.message if stream.error is not None else None
        entry = _entry(run, model, status, stream.execution_time_ms, response, message)
        if stream.status != "done":
            self._history.record_later(run.user, entry)
            return None
        written = self._history.record(run.user, entry, run.remaining)
        return InvocationResult(
            request_id=run.request_id,
            endpoint_name=run.name,
            model_name=model.model_name,
            model_version=model.model_version,
            served_entity=model.served_entity,
            response=response,
            execution_time_ms=round(stream.execution_time_ms, 3),
            completed_at=datetime.now(UTC),
            logged=written.logged,
            log_error=written.reason,
            attempts=run.attempts,
            runs_as=run.user.user_name,
        )

    def _look_up(self, user: User, name: str) -> Future[Endpoint | None]:
        """The endpoint's description, kept or asked beside the invocation: it never delays or fails one."""
        known = self._metadata.known(user, name)
        if known is not None:
            done: Future[Endpoint | None] = Future()
            done.set_result(known)
            return done
        with self._lock:
            if self._executor is None:
                self._executor = ThreadPoolExecutor(_METADATA_THREADS, thread_name_prefix="serving-metadata")
            executor = self._executor
        context = copy_context()
        return executor.submit(lambda: context.run(quietly, lambda: self._metadata.endpoint(user, name)))

    @staticmethod
    def _served(found: Future[Endpoint | None], seconds: float, served_name: str | None) -> _Model:
        """Which model version answered: by the name that the answer's header gives, else the endpoint's main one."""
        try:
            endpoint = found.result(timeout=min(seconds, _METADATA_WAIT_SECONDS))
        except (FutureTimeoutError, CancelledError):
            endpoint = None
        if endpoint is None:
            return _Model(None, None, served_name)
        for one in endpoint.served_entities:
            if one.name == served_name:
                return _Model(one.model_name, one.model_version, one.name)
        return _Model(endpoint.model_name, endpoint.model_version, served_name)

    @contextmanager
    def _failures_kept(self, run: Run, endpoint: Future[Endpoint | None]) -> Iterator[None]:
        """Write the row of an invocation that fails, without holding up its error."""
        try:
            yield
        except LakefrontError as error:
            seconds = 0.0 if not endpoint.done() else run.remaining
            model = self._served(endpoint, seconds, None)
            self._history.record_later(
                run.user, _entry(run, model, _status_of(error), run.elapsed_ms, None, error.message)
            )
            raise


def _entry(
    run: Run, model: _Model, status: Status, elapsed_ms: float, predictions: Any, message: str | None = None
) -> Entry:
    return Entry(
        request_id=run.request_id,
        endpoint_name=run.name,
        model_name=model.model_name,
        model_version=model.model_version,
        inputs=kept(run.inputs, run.text),
        predictions=kept(predictions),
        status=status,
        execution_time_ms=round(elapsed_ms, 3),
        error_message=message,
    )


def _outcome_of(failure: LakefrontError | None, done: int, total: int) -> tuple[Status, str | None]:
    """Status and message of a batch job; one that was stopped before its end is no success."""
    if failure is not None:
        return _status_of(failure), f"{failure.message} {done} of {total} rows were scored."
    return ("ERROR", f"Cancelled after {done} of {total} rows.") if done < total else ("SUCCESS", None)


def _status_of(error: LakefrontError) -> Status:
    return "TIMEOUT" if isinstance(error, UpstreamTimeout) else "ERROR"
