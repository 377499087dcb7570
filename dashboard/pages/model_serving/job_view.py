"""A scoring job on the page: how far it is, Cancel, and what came of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from dash import html
from dash.development.base_component import Component

from dashboard.components.controls import button, meter
from dashboard.components.feedback import error_note, note
from dashboard.components.signs import Identity
from dashboard.components.waterline import waterline
from dashboard.components.words import elapsed, number, plural
from dashboard.pages.model_serving import ids
from dashboard.pages.model_serving.outcomes import chart
from services.model_serving.jobs import ScoreJob

_ENDS = {"done": "predicted", "cancelled": "cancelled after", "failed": "stopped by an error after"}


def progress(job: ScoreJob, asleep: bool) -> Component:
    """Return the state of a job that runs: rows of rows, time left, Cancel."""
    reading = job.state == "reading"
    title = "Reading the rows" if reading else "Waking the endpoint" if asleep and not job.done else "Predicting"
    so_far = job.read if reading else job.done
    total = job.total or 0
    words = f"{number(so_far)} of {number(total)} rows" if total else plural(so_far, "row")
    facts = [f"{elapsed(job.elapsed_ms)} so far"]
    if job.seconds_left is not None:
        facts.append(f"about {max(1, round(job.seconds_left))} s left")
    if asleep and not job.done and not reading:
        facts.append("it was scaled to zero; your rows wait and then run by themselves")
    percent = 100 * so_far / total if total else 0.0
    if reading:
        percent /= 2  # rows are read first, then scored: the bar must not run back
    elif job.shown:
        percent = 50 + percent / 2
    return html.Div(
        [
            html.Div(
                [html.B(title), html.Span(words, className="push small dim num")], className="row-flex", role="status"
            ),
            meter(percent, title),
            html.Div(
                [
                    html.Span(" · ".join(facts), className="small dim"),
                    button("Cancel", ids.JOB_CANCEL, "", None, "push", small=True),
                ],
                className="row-flex",
            ),
        ],
        className="lf-answered stack lf-job-inline",
    )


def outcome(job: ScoreJob) -> Component:
    """Return what came of a job: how many rows, the chart, the file, and why it ended early if it did."""
    parts: list[Component] = []
    if job.error is not None:
        kept = f"The {plural(job.done, 'row')} before it are kept." if job.done else "Your rows are kept."
        parts.append(
            error_note(job.error, f"Stopped after {number(job.done)} of {number(job.total or job.read)} rows.", kept)
        )
    elif job.state == "cancelled":
        words = f"Cancelled after {number(job.done)} of {number(job.total or job.read)} rows."
        parts.append(note([html.B(words), " What was predicted is kept." if job.done else ""], "warn"))
    if job.left_out:
        parts.append(note(f"{plural(job.left_out, 'row')} left out: a value that the model needs is null.", "info"))
    if job.done:
        asked = datetime.fromtimestamp(job.started, UTC)
        rate = job.done / max(job.elapsed_ms / 1000, 0.001)
        parts.append(
            html.Div(
                [
                    html.Span([html.B(plural(job.done, "row")), " predicted"]),
                    html.Span(f"{number(round(rate))} rows a second", className="small dim"),
                    html.Span(f"for the rows of {asked:%H:%M:%S} UTC", className="small dim"),
                    button("Download CSV", ids.JOB_DOWNLOAD, "", "download", "push", small=True),
                ],
                className="row-flex wrap",
            )
        )
        parts += chart(job.predictions[: job.done])
    return html.Div(parts, className="lf-answered stack")


def strip(job: ScoreJob, model: str) -> Component:
    """Return the strip of a job, running or ended."""
    identity = Identity.of_user(job.runs_as)
    if job.running:
        return waterline(identity, None, [model], running_since=job.started)
    facts: list[Any] = [model, f"{_ENDS.get(job.state, job.state)} {plural(job.done, 'row')}"]
    facts.append("one entry in your history")
    return waterline(identity, job.elapsed_ms, facts)
