"""Logs, correlation and metrics: one JSON object a line on stdout, one id through every call, Prometheus counters.

No token, header dump or row data is ever logged: callers pass named fields, never requests or responses.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC
from typing import TYPE_CHECKING, Any

from loguru import logger
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

if TYPE_CHECKING:
    from loguru import Record

_request_id: ContextVar[str] = ContextVar("request_id", default="")
_user_id: ContextVar[str] = ContextVar("user_id", default="")
_WELL_FORMED = re.compile(r"[A-Za-z0-9._-]{1,128}")
_SECRET = re.compile(
    r"(eyJ[\w-]{8,}\.[\w-]+\.[\w-]*|\bdapi[0-9a-f]{16,}|\bdose[0-9a-f]{16,}|(?i:bearer)\s+[\w.~+/-]{16,}=*)"
)

registry = CollectorRegistry()
"""The app's own registry, so that nothing of an imported library slips into ``/metrics``."""

requests_total = Counter(
    "lakefront_requests", "Requests by route, method and status.", ["route", "method", "status"], registry=registry
)
request_seconds = Histogram(
    "lakefront_request_seconds", "Time to answer a request, seconds.", ["route"], registry=registry
)
errors_total = Counter("lakefront_errors", "Errors by error_code.", ["error_code"], registry=registry)
operation_seconds = Histogram(
    "lakefront_operation_seconds",
    "Time of calls to the warehouse, Lakebase, serving and the workspace, seconds.",
    ["operation", "outcome"],
    registry=registry,
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300),
)
pool_statistics = Gauge(
    "lakefront_pool", "Statistics of the connection pools.", ["pool", "statistic"], registry=registry
)


def request_id() -> str:
    """The correlation id of the work at hand; empty outside a request."""
    return _request_id.get()


@contextmanager
def request_context(incoming: str | None = None, user_id: str = "") -> Iterator[str]:
    """Bind the correlation id for the work inside: ``incoming`` if it is well formed, else a new one. Gives the id."""
    chosen = incoming if incoming and _WELL_FORMED.fullmatch(incoming) else str(uuid.uuid4())
    tokens = (_request_id.set(chosen), _user_id.set(user_id))
    try:
        yield chosen
    finally:
        _request_id.reset(tokens[0])
        _user_id.reset(tokens[1])


def bind_user(user_id: str) -> None:
    """Name the user in the log lines of the current request."""
    _user_id.set(user_id)


@contextmanager
def timed(operation: str, **fields: Any) -> Iterator[dict[str, Any]]:
    """Measure what happens inside: a DEBUG line and the metric of ``operation``; ``outcome`` is ok or the error.

    Gives a dictionary; what is put into it appears in the log line.
    """
    started = time.perf_counter()
    extra: dict[str, Any] = dict(fields)
    outcome = "ok"
    try:
        yield extra
    except BaseException as error:
        outcome = type(error).__name__
        raise
    finally:
        seconds = time.perf_counter() - started
        operation_seconds.labels(operation, outcome).observe(seconds)
        logger.bind(duration_ms=round(seconds * 1000, 2), operation=operation, outcome=outcome, **extra).debug(
            operation
        )


def configure_logging(level: str) -> None:
    """Send loguru and the standard library's loggers to stdout as JSON lines."""
    logger.remove()
    logger.add(_write, level=level, backtrace=False, diagnose=False, format="{message}")
    logging.basicConfig(handlers=[_ToLoguru()], level=logging.WARNING, force=True)
    for name in ("gunicorn.error", "gunicorn.access"):
        library = logging.getLogger(name)
        library.handlers = [_ToLoguru()]
        library.propagate = False


def redact(text: str) -> str:
    """``text`` without anything that looks like a token: the last line of defence for third-party messages."""
    return _SECRET.sub("[redacted]", text)


def _write(message: Any) -> None:
    record: Record = message.record
    line: dict[str, Any] = {
        "timestamp": record["time"].astimezone(UTC).isoformat(timespec="milliseconds"),
        "level": record["level"].name,
        "message": record["message"],
        "request_id": _request_id.get() or None,
        "user_id": _user_id.get() or None,
        "module": record["name"],
        "function": record["function"],
        "duration_ms": None,
        **record["extra"],
    }
    exception = record["exception"]
    if exception is not None and exception.type is not None:
        import traceback

        line["error_type"] = exception.type.__name__
        line["traceback"] = "".join(traceback.format_exception(exception.type, exception.value, exception.traceback))
    sys.stdout.write(redact(json.dumps(line, default=str, ensure_ascii=False)) + "\n")
    sys.stdout.flush()


class _ToLoguru(logging.Handler):
    """Routes the standard library's records into loguru."""

    def emit(self, record: logging.LogRecord) -> None:
        """Pass ``record`` on with its own level and logger name."""
        try:
            level: str | int = logger.level(record.levelname).name
        except ValueError:
            level = record.levelno
        if record.name.startswith("databricks") and record.levelno >= logging.ERROR:
            level = "WARNING"  # whoever called the library reports its failure, once
        logger.opt(exception=record.exc_info).bind(logger=record.name).log(level, "{}", record.getMessage())
