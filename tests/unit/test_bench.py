"""The benchmark's own arithmetic: turns, percentiles, ratios, verdicts and the page it writes."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from scripts.bench import __main__ as bench
from scripts.bench import report
from scripts.bench.measure import Line, Times, compared, interleaved, milliseconds, rate


def test_calls_take_turns_and_warm_rounds_do_not_count() -> None:
    order: list[str] = []
    found = interleaved(3, 1, a=lambda: order.append("a"), b=lambda: order.append("b"))
    assert "".join(order) == "abababab"
    assert {name: len(times.seconds) for name, times in found.items()} == {"a": 3, "b": 3}


def test_a_failing_call_ends_the_measurement() -> None:
    def fail() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        interleaved(1, 0, fail=fail)
    with pytest.raises(RuntimeError, match="no"):
        rate(lambda: fail, threads=2, seconds=5)


def test_a_rate_counts_the_calls_of_all_threads() -> None:
    calls: list[None] = []
    found = rate(lambda: lambda: calls.append(None), threads=3, seconds=0.05)
    assert found > 100
    assert len(calls) > 3


def test_percentiles() -> None:
    times = Times(tuple(float(one) for one in range(100, 0, -1)))
    assert (times.p50, times.p95) == (50.5, 96.0)
    assert Times((2.0,)).p95 == 2.0
    assert [milliseconds(one) for one in (0.0032, 0.45, 2.314)] == ["3.2 ms", "450 ms", "2.31 s"]


@pytest.mark.parametrize(("ours", "met"), [(1.2, True), (1.25, True), (1.3, False)])
def test_a_ratio_is_that_of_the_medians(ours: float, met: bool) -> None:
    line = compared("Part", "what", Times((ours, ours, 90.0)), Times((1.0, 1.0, 0.1)), "that", at_most=1.25)
    assert line.ratio == pytest.approx(ours)
    assert line.met is met
    assert compared("Part", "what", Times((1.0,)), Times((2.0,)), "that").met is None


def test_the_page_says_what_was_measured_where_and_how(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "ROOT", tmp_path)
    (tmp_path / "docs").mkdir()
    lines = [
        Line("One", "fast", "1 ms", "that: 2 ms", 0.5, "≤ 1x", True),
        Line("One", "slow", "9 ms", "that: 2 ms", 4.5, "≤ 1x", False),
        Line("Two", "alone", "7 MB"),
    ]
    facts = report.Facts.of_this_run(1_000, "0.1", 90, ["--quick", "--write"])
    report.write(lines, facts)
    text = (tmp_path / report.PAGE).read_text()
    assert "`python -m scripts.bench --quick`" in text
    assert "1,000 rows" in text
    assert "1.5 minutes" in text
    assert "| slow | 9 ms | that: 2 ms | 4.50 | ≤ 1x | missed |" in text
    assert text.index("## One") < text.index("## Two")
    console = Console(record=True, width=160)
    report.show(console, lines, facts)
    assert "1 of 2 targets met" in console.export_text()


def test_a_part_that_fails_loses_no_other_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_product: object, *, quick: bool) -> None:
        raise RuntimeError(f"broken, quick={quick}")

    monkeypatch.setattr(bench.local_workspace, "starts", lambda _product: [Line("Start", "start", "1 s")])
    monkeypatch.setitem(bench.PARTS, "browser", broken)
    monkeypatch.setitem(bench.PARTS, "memory", lambda _product, **_options: iter([Line("Memory", "peak", "1 MB")]))
    lines = bench._measure(tmp_path, 1, ["browser", "memory"], Console(quiet=True), quick=True)
    assert [line.what for line in lines] == ["start", "not measured", "peak"]
    assert "broken, quick=True" in lines[1].measured
