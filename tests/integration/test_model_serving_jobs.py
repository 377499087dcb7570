"""Scoring many rows in the background: progress, Cancel, failures, rows of a table, and who may see a job."""

from __future__ import annotations

import csv
import io
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from dashboard.pages.model_serving import outcomes
from local_workspace.workspace import Workspace
from services.container import Services
from services.errors import InvalidRequest, NotFound
from services.identity import User
from services.model_serving.jobs import MOST_ROWS, ScoreJob
from services.model_serving.table_rows import match, source
from services.unity_catalog.filter_tree import Condition
from services.unity_catalog.models import RowsRequest, Sort, TableRef

ROW = {"trip_distance": 8.4, "pickup_zip": 10018, "dropoff_zip": 10119, "pickup_hour": 17, "weekday": "friday"}
TRIPS = TableRef.of("samples", "nyctaxi", "trips")
FIXED = {"pickup_hour": 17, "weekday": "friday"}
COLUMNS = {"trip_distance": "trip_distance", "pickup_zip": "pickup_zip", "dropoff_zip": "dropoff_zip"}


@pytest.fixture(autouse=True)
def _ready(workspace: Workspace) -> Iterator[None]:
    assert workspace.serving.wait_until_ready(30)
    workspace.faults.clear()
    yield
    workspace.faults.clear()


def ended(job: ScoreJob, seconds: float = 20) -> ScoreJob:
    """The job, once it ended."""
    end = time.monotonic() + seconds
    while job.running and time.monotonic() < end:
        time.sleep(0.01)
    assert not job.running
    return job


def newest(services: Services, user: User) -> Any:
    """The newest row of the history, once it is written."""
    end = time.monotonic() + 3
    while time.monotonic() < end:
        page = services.lakebase.list_inference_logs(user, limit=1, endpoint_name="trip-fare")
        if page.items:
            return page.items[0]
        time.sleep(0.05)
    raise AssertionError("nothing in the history")


def test_rows_are_scored_in_order_and_kept_in_one_entry(services: Services, user: Callable[..., User]) -> None:
    rows = [{**ROW, "trip_distance": 1 + place / 10} for place in range(250)]
    job = ended(services.model_serving.jobs.start(user(), "trip-fare", rows, timeout_seconds=30, batch_rows=100))
    assert (job.state, job.done, job.total) == ("done", 250, 250)
    assert job.predictions == sorted(job.predictions)
    assert job.predictions[0] < job.predictions[-1]
    time.sleep(0.3)
    log = newest(services, user())
    assert (log.status, log.error_message) == ("SUCCESS", None)
    lines = list(csv.DictReader(io.StringIO(outcomes.csv_of(job))))
    assert len(lines) == 250
    assert [float(one["prediction"]) for one in lines] == job.predictions
    assert [float(one["trip_distance"]) for one in lines] == [one["trip_distance"] for one in rows]


def test_cancel_keeps_what_was_scored_and_is_not_logged_as_success(
    services: Services, workspace: Workspace, user: Callable[..., User]
) -> None:
    slow = {"service": "model_serving", "match": "/invocations", "delay_seconds": 0.2, "times": 50}
    workspace.faults.set({"faults": [slow]})
    job = services.model_serving.jobs.start(user(), "trip-fare", [ROW] * 500, timeout_seconds=30, batch_rows=50)
    end = time.monotonic() + 10
    while not job.done and time.monotonic() < end:
        time.sleep(0.01)
    assert job.seconds_left is not None
    services.model_serving.jobs.cancel(user(), job.key)
    ended(job, 3)
    assert job.state == "cancelled"
    assert 50 <= job.done < 500
    assert len(job.predictions) == job.done
    time.sleep(0.5)
    log = newest(services, user())
    assert log.status == "ERROR"
    assert log.error_message == f"Cancelled after {job.done} of 500 rows."


def test_error_keeps_what_was_scored_before_it(services: Services, user: Callable[..., User]) -> None:
    rows: list[dict[str, Any]] = [ROW] * 100 + [{**ROW, "dropoff_zip": None}]
    job = ended(services.model_serving.jobs.start(user(), "trip-fare", rows, timeout_seconds=30, batch_rows=50))
    assert (job.state, job.done) == ("failed", 100)
    assert job.error is not None
    assert job.error.error_code == "INVALID_INPUT"
    assert "dropoff_zip" in job.error.message


def test_jobs_belong_to_their_user_and_have_limits(services: Services, user: Callable[..., User]) -> None:
    jobs = services.model_serving.jobs
    job = ended(jobs.start(user(), "trip-fare", [ROW], timeout_seconds=30))
    assert jobs.get(user(), job.key) is job
    for ask in (jobs.get, jobs.cancel):
        with pytest.raises(NotFound):
            ask(user("manager@example.com"), job.key)
    for rows in ([], [ROW] * (MOST_ROWS + 1)):
        with pytest.raises(InvalidRequest):
            jobs.start(user(), "trip-fare", rows, timeout_seconds=30)


def test_columns_are_matched_by_name_and_type(services: Services, user: Callable[..., User]) -> None:
    schema = services.model_serving.endpoint_schema(user(), "trip-fare")
    details = services.unity_catalog.table(user(), TRIPS)
    assert match(schema.fields, details.columns) == {**COLUMNS, "pickup_hour": None, "weekday": None}
    renamed = [column.model_copy(update={"name": "TripDistance"}) for column in details.columns[2:3]]
    assert match(schema.fields, renamed)["trip_distance"] == "TripDistance"
    wrong = [column.model_copy(update={"kind": "text"}) for column in details.columns]
    assert match(schema.fields, wrong)["trip_distance"] is None


def test_filtered_rows_of_a_table_are_scored(services: Services, user: Callable[..., User]) -> None:
    schema = services.model_serving.endpoint_schema(user(), "trip-fare")
    request = RowsRequest(
        filter=Condition(column="fare_amount", operator="ge", value=40), sort=[Sort(column="trip_distance")]
    )
    total = services.unity_catalog.rows(user(), TRIPS, request.model_copy(update={"count": True})).pagination.total_rows
    rows = source(services.unity_catalog, user(), TRIPS, request, schema.fields, COLUMNS, FIXED)
    job = ended(services.model_serving.jobs.start(user(), "trip-fare", rows, timeout_seconds=30))
    assert job.state == "done"
    assert job.read == total
    assert job.done == job.read - job.left_out == len(job.shown)
    distances = [row["trip_distance"] for row in job.shown]
    assert distances == sorted(distances)
    assert all(row["fare_amount"] >= 40 for row in job.shown)
    first = job.rows[0]
    assert first == {**FIXED, **{name: job.shown[0][column] for name, column in COLUMNS.items()}}
    assert outcomes.csv_of(job).splitlines()[0].endswith("dropoff_zip,prediction")


def test_rows_of_a_table_stop_at_the_cap_and_null_is_left_out(services: Services, user: Callable[..., User]) -> None:
    schema = services.model_serving.endpoint_schema(user(), "trip-fare")
    request = RowsRequest(sort=[Sort(column="dropoff_zip")])
    rows = source(services.unity_catalog, user(), TRIPS, request, schema.fields, COLUMNS, FIXED)
    job = ended(services.model_serving.jobs.start(user(), "trip-fare", rows, timeout_seconds=30), 60)
    assert (job.state, job.read) == ("done", MOST_ROWS)
    assert job.done + job.left_out == MOST_ROWS
    assert job.left_out > 0, "the sample has zip codes that are null"
    assert all(row["dropoff_zip"] is not None for row in job.rows)


def test_closing_the_service_stops_jobs(services: Services, user: Callable[..., User]) -> None:
    from services.model_serving.jobs import ScoreJobs

    stopped = threading.Event()

    def score(*_: Any, cancelled: threading.Event, **__: Any) -> Iterator[Any]:
        cancelled.wait(10)
        stopped.set()
        return iter(())

    jobs = ScoreJobs(score)
    jobs.start(user(), "trip-fare", [ROW], timeout_seconds=30)
    jobs.close()
    assert stopped.wait(3)
