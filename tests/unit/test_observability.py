"""``services/observability.py``: JSON lines with one id through everything, and no secrets."""

from __future__ import annotations

import json
import logging

import pytest
from loguru import logger

from services import observability


@pytest.fixture(autouse=True)
def _logging(capsys: pytest.CaptureFixture[str]) -> None:
    observability.configure_logging("DEBUG")


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_line_carries_the_correlation_id_and_the_user(capsys: pytest.CaptureFixture[str]) -> None:
    with observability.request_context("abc-123"):
        observability.bind_user("42")
        logger.bind(rows=7).info("done")
    (line,) = lines(capsys)
    assert line["request_id"] == "abc-123"
    assert line["user_id"] == "42"
    assert line["rows"] == 7
    assert {"timestamp", "level", "message", "module", "function", "duration_ms"} <= set(line)


@pytest.mark.parametrize("given", [None, "", "has blank", "x" * 200, "semi;colon", "new\nline"])
def test_an_absent_or_malformed_id_is_replaced(given: str | None) -> None:
    with observability.request_context(given) as chosen:
        assert chosen != given
        assert observability.request_id() == chosen
    assert observability.request_id() == ""


def test_timed_logs_the_duration_and_feeds_the_metric(capsys: pytest.CaptureFixture[str]) -> None:
    def observed(outcome: str) -> float:
        labels = {"operation": "test.step", "outcome": outcome}
        return observability.registry.get_sample_value("lakefront_operation_seconds_count", labels) or 0

    before = observed("ok"), observed("ValueError")
    with observability.timed("test.step", table="t") as extra:
        extra["rows"] = 3
    with pytest.raises(ValueError, match="no"), observability.timed("test.step"):
        raise ValueError("no")
    assert (observed("ok"), observed("ValueError")) == (before[0] + 1, before[1] + 1)
    first, second = lines(capsys)
    assert first["rows"] == 3
    assert isinstance(first["duration_ms"], float)
    assert second["outcome"] == "ValueError"


def test_standard_library_loggers_are_routed_in(capsys: pytest.CaptureFixture[str]) -> None:
    logging.getLogger("some.library").warning("slow %s", "call")
    (line,) = lines(capsys)
    assert line["message"] == "slow call"
    assert line["logger"] == "some.library"


def test_anything_that_looks_like_a_token_is_redacted(capsys: pytest.CaptureFixture[str]) -> None:
    token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"
    logger.error(f"refused: Authorization: Bearer {token}")
    try:
        raise RuntimeError(f"dapi0123456789abcdef0123 and {token}")
    except RuntimeError:
        logger.exception("failed")
    text = capsys.readouterr().out
    assert token not in text
    assert "dapi0123456789abcdef0123" not in text
    assert "[redacted]" in text
