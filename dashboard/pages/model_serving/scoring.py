"""The callbacks of scoring jobs: begin from the grid or from a table, watch, cancel, download."""

from __future__ import annotations

import time
from typing import Any

from dash import ALL, ClientsideFunction, Dash, Input, Output, State, dcc, html, no_update

from dashboard.callbacks import callback
from dashboard.components.feedback import error_note
from dashboard.identity import current_user
from dashboard.pages.model_serving import ids, job_view, many, outcomes, table_view
from dashboard.pages.model_serving.answers import failed, strip_failed, version_of
from dashboard.pages.model_serving.requests import seconds_of
from dashboard.recent_errors import remember
from services.container import Services
from services.errors import LakefrontError
from services.identity import User
from services.model_serving import Endpoint
from services.model_serving.jobs import ScoreJob
from services.model_serving.table_rows import request_of, source

_NOTHING = (no_update,) * 3


def register(app: Dash, services: Services) -> None:
    """Add the callbacks."""
    _register_many(app, services)
    _register_table(app, services)
    _register_watch(app, services)
    _register_end(app, services)


def _register_many(app: Dash, services: Services) -> None:
    app.clientside_callback(
        ClientsideFunction("manyRows", "collect"),
        Output(ids.MANY_ROWS, "data"),
        Input(ids.SCORE, "n_clicks", allow_optional=True),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("manyRows", "fill"),
        Output(ids.MANY_FILLED, "storage_type"),
        Input(ids.MANY_FILLED, "data"),
        prevent_initial_call=True,
    )

    @callback(
        app,
        Output(ids.JOB, "data"),
        Output(ids.RESULT, "children", allow_duplicate=True),
        Output(ids.STRIP, "children", allow_duplicate=True),
        Output(ids.JOB_TICK, "disabled"),
        Input(ids.MANY_ROWS, "data"),
        State(ids.LIMIT, "value", allow_optional=True),
        State(ids.CHOSEN, "data"),
        State(ids.JOB, "data"),
        prevent_initial_call=True,
    )
    def begin(sent: dict[str, Any] | None, limit: str | None, name: str | None, before: Any) -> tuple[Any, ...]:
        """Check every cell again and begin to score the rows of the grid; runs as the person."""
        if not sent or name is None:
            return (no_update,) * 4
        try:
            user = current_user()
            schema = services.model_serving.endpoint_schema(user, name)
            rows = many.read_rows(schema, sent["columns"], sent["rows"])
            _cancel(services, user, before)
            job = services.model_serving.jobs.start(user, name, rows, timeout_seconds=seconds_of(limit))
        except LakefrontError as error:
            return no_update, failed(error), strip_failed(error, 0), True
        model = _model(services, user, name)
        return {"key": job.key, "kind": "many"}, job_view.progress(job, False), job_view.strip(job, model), False


def _register_table(app: Dash, services: Services) -> None:
    @callback(
        app,
        Output("serving-table-count", "children"),
        Input("serving-table-count", "id", allow_optional=True),
        State("location", "search"),
    )
    def count(place: str | None, search: str | None) -> Any:
        """Count the rows of the view; runs as the person."""
        sought = table_view.view_of(search)
        if place is None or sought is None or sought.ref is None:
            return no_update
        try:
            found = services.unity_catalog.count(current_user(), sought.ref, sought.count_request)
        except LakefrontError as error:
            return html.Span(f"The rows are not counted: {error.message}", className="is-warn")
        return table_view.count_words(found.total_rows)

    @callback(
        app,
        Output({"type": f"{ids.TABLE_VALUE}-place", "name": ALL}, "hidden"),
        Input({"type": ids.TABLE_COLUMN, "name": ALL}, "value"),
        prevent_initial_call=True,
    )
    def turn(columns: list[str | None]) -> list[bool]:
        """Show the value of a field only where no column gives it; runs as nobody."""
        return [one != table_view.FIXED for one in columns]

    @callback(
        app,
        Output(ids.JOB, "data", allow_duplicate=True),
        Output(ids.RESULT, "children", allow_duplicate=True),
        Output(ids.STRIP, "children", allow_duplicate=True),
        Output(ids.JOB_TICK, "disabled", allow_duplicate=True),
        Input(ids.TABLE_SCORE, "n_clicks", allow_optional=True),
        State({"type": ids.TABLE_COLUMN, "name": ALL}, "id"),
        State({"type": ids.TABLE_COLUMN, "name": ALL}, "value"),
        State({"type": ids.TABLE_VALUE, "name": ALL}, "value"),
        State("location", "search"),
        State(ids.LIMIT, "value", allow_optional=True),
        State(ids.CHOSEN, "data"),
        State(ids.JOB, "data"),
        prevent_initial_call=True,
    )
    def begin(
        clicks: Any,
        controls: list[dict[str, str]],
        columns: list[str | None],
        values: list[str | None],
        search: str | None,
        limit: str | None,
        name: str | None,
        before: Any,
    ) -> tuple[Any, ...]:
        """Begin to read the view's rows and score them; both run as the person."""
        sought = table_view.view_of(search)
        if not clicks or name is None or sought is None or sought.ref is None:
            return (no_update,) * 4
        try:
            user = current_user()
            schema = services.model_serving.endpoint_schema(user, name)
            chosen, fixed = table_view.read(schema, [one["name"] for one in controls], columns, values)
            request = request_of(sought.tree, sought.sort)
            rows = source(services.unity_catalog, user, sought.ref, request, schema.fields, chosen, fixed)
            _cancel(services, user, before)
            job = services.model_serving.jobs.start(user, name, rows, timeout_seconds=seconds_of(limit))
        except LakefrontError as error:
            return no_update, failed(error), strip_failed(error, 0), True
        model = _model(services, user, name)
        return {"key": job.key, "kind": "table"}, job_view.progress(job, False), job_view.strip(job, model), False


def _register_watch(app: Dash, services: Services) -> None:
    # One question at a time: an answer that comes after the next question would be thrown away, however good it is.
    app.clientside_callback(
        ClientsideFunction("manyRows", "ask"),
        Output(ids.JOB_ASK, "data"),
        Input(ids.JOB_TICK, "n_intervals"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("manyRows", "seen"),
        Output(ids.JOB_SEEN, "storage_type"),
        Input(ids.JOB_SEEN, "data"),
        prevent_initial_call=True,
    )

    @callback(
        app,
        Output(ids.RESULT, "children", allow_duplicate=True),
        Output(ids.STRIP, "children", allow_duplicate=True),
        Output(ids.JOB_TICK, "disabled", allow_duplicate=True),
        Output(ids.MANY_FILLED, "data"),
        Output(ids.ANSWERED, "data", allow_duplicate=True),
        Output(ids.BELOW, "children"),
        Output(ids.JOB_SEEN, "data"),
        Input(ids.JOB_ASK, "data"),
        State(ids.JOB, "data"),
        State(ids.CHOSEN, "data"),
        State("location", "search"),
        prevent_initial_call=True,
    )
    def watch(asked: Any, kept: dict[str, str] | None, name: str | None, search: str | None) -> tuple[Any, ...]:
        """Show how far the job is, and at its end what came of it; runs as the person."""
        if not kept:
            return no_update, no_update, True, *_NOTHING, asked
        try:
            user = current_user()
            job = services.model_serving.jobs.get(user, kept["key"])
            if job.endpoint_name != name:
                # The person went on to another endpoint: the job ends by itself and is found in the history.
                return no_update, no_update, True, *_NOTHING, asked
        except LakefrontError as error:
            note = html.Div(error_note(error, "The job is lost."), className="lf-answered")
            return note, no_update, True, *_NOTHING, asked
        model = _model(services, user, job.endpoint_name)
        if job.running:
            waking = job.state == "scoring" and not job.done and job.elapsed_ms > 700
            asleep = waking and _is_asleep(services, user, job.endpoint_name)
            return job_view.progress(job, asleep), job_view.strip(job, model), False, no_update, no_update, [], asked
        if job.error is not None:
            remember(job.error, f"Predict many rows with {job.endpoint_name}")
        below = _table(services, user, job, search) if kept["kind"] == "table" and job.done else []
        filled = _filled(job) if kept["kind"] == "many" else no_update
        return job_view.outcome(job), job_view.strip(job, model), True, filled, time.time(), below, asked


def _register_end(app: Dash, services: Services) -> None:
    @callback(
        app,
        Output(ids.JOB_CANCEL, "disabled"),
        Input(ids.JOB_CANCEL, "n_clicks", allow_optional=True),
        State(ids.JOB, "data"),
        prevent_initial_call=True,
    )
    def cancel(clicks: Any, kept: dict[str, str] | None) -> Any:
        """Stop the job before its next request; what was predicted is kept."""
        if clicks and kept:
            _cancel(services, current_user(), kept)
        return bool(clicks)

    @callback(
        app,
        Output(ids.JOB_FILE, "data"),
        Input(ids.JOB_DOWNLOAD, "n_clicks", allow_optional=True),
        State(ids.JOB, "data"),
        prevent_initial_call=True,
    )
    def download(clicks: Any, kept: dict[str, str] | None) -> Any:
        """Give the scored rows as a file; only the person's own job is found."""
        if not clicks or not kept:
            return no_update
        job = services.model_serving.jobs.get(current_user(), kept["key"])
        return dcc.send_string(outcomes.csv_of(job), f"{job.endpoint_name}-predictions.csv", type="text/csv")


def _filled(job: ScoreJob) -> dict[str, Any]:
    """The predictions for the grid, in the order of its rows."""
    predictions = job.predictions[: job.done]
    return {
        "key": job.key,
        "values": [outcomes.label_of(one) for one in predictions],
        "shares": [outcomes.share_of(one) for one in predictions],
    }


def _table(services: Services, user: User, job: ScoreJob, search: str | None) -> list[Any]:
    sought = table_view.view_of(search)
    if sought is None or sought.ref is None:
        return []
    schema = services.model_serving.endpoint_schema(user, job.endpoint_name)
    return [table_view.grid(schema, job, services.unity_catalog.table(user, sought.ref))]


def _cancel(services: Services, user: User, kept: dict[str, str] | None) -> None:
    """Stop a job of before, if it is still there."""
    if not kept:
        return
    try:
        services.model_serving.jobs.cancel(user, kept["key"])
    except LakefrontError as error:
        if error.status != 404:
            raise


def _model(services: Services, user: User, name: str) -> str:
    endpoint: Endpoint | None = services.model_serving.known_endpoint(user, name)
    return version_of(endpoint.model_name, endpoint.model_version) if endpoint else name


def _is_asleep(services: Services, user: User, name: str) -> bool:
    try:
        return services.model_serving.get_endpoint(user, name).asleep
    except LakefrontError:
        return False  # only a word in the progress depends on it
