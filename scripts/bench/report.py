"""The report: a table in the terminal and, on request, the page in the documentation."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

import psutil
from rich.console import Console
from rich.table import Table

from scripts.bench.measure import Line
from scripts.bench.product import ROOT

PAGE = Path("docs/benchmarks.md")
FULL_ROWS = 10_000_000

_HEAD = """\
# Benchmarks

What Lakefront's own layers cost, measured by `make bench` on a local workspace of its own. Times depend on the machine;
the ratios are what counts. Both sides of a ratio are called by turns in the same run, and the ratio is that of their
medians. Nothing here is a test: a missed target is shown as missed.

"""
_FOOT = """\

How to read it:

- *API* is a request over a kept-alive connection through the front door, which signs the user in and forwards it to the
  app, unless the line says otherwise. The connector session, the Lakebase pool and the HTTP client that it is compared
  with are open already.
- *The peers' way* is what the usual Dash template does for each fill of a grid: connect, fetch 5,000 rows, pandas,
  `to_dict`, JSON.
- *Blocks not counted yet* is the first deep page of a filter and sort: it counts the blocks of the sort column
  ([how](unity_catalog.md)). Later pages of the same view use the counts.
- *An endpoint that takes 30 ms* is the local one with a pause, in the place of a quick model behind a real endpoint:
  Databricks states [less than 50 ms of overhead](https://docs.databricks.com/gcp/en/machine-learning/model-serving/model-serving-limits)
  for each request, before the model's own time. The local endpoint itself answers in a millisecond, without a network;
  against that only the time that our layers add means something, so it stands in milliseconds.
- All services are the local workspace's, on this machine: a real warehouse or endpoint takes longer, which makes the
  layers above it a smaller share.
"""


@dataclass(frozen=True, slots=True)
class Facts:
    """Where and how it was measured."""

    when: str
    machine: str
    load: str
    rows: int
    minutes: float
    command: str

    @classmethod
    def of_this_run(cls, rows: int, load_before: str, seconds: float, arguments: list[str]) -> Self:
        """The facts of the run that ends now."""
        memory = psutil.virtual_memory().total / 2**30
        python = platform.python_version()
        machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPUs, {memory:.0f} GiB, Python {python}"
        return cls(
            datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
            machine,
            f"{load_before} before, {load_average()} after",
            rows,
            seconds / 60,
            " ".join(["python -m scripts.bench", *(one for one in arguments if one != "--write")]),
        )


def load_average() -> str:
    """The machine's load over the last minute, where it is known."""
    return f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"


def _verdict(line: Line) -> str:
    return "" if line.met is None else "met" if line.met else "missed"


def _ratio(line: Line) -> str:
    if line.ratio is None:
        return ""
    return f"{line.ratio:.2f}" if line.ratio >= 0.1 else f"{line.ratio:.3f}"


def show(console: Console, lines: list[Line], facts: Facts) -> None:
    """Print the table."""
    table = Table(title=f"{facts.rows:,} rows · {facts.machine} · load {facts.load}", title_justify="left")
    for name in ("What", "Measured", "Compared with"):
        table.add_column(name, overflow="fold")
    table.add_column("Ratio", justify="right")
    table.add_column("Target")
    table.add_column("")
    part = None
    for line in lines:
        if line.part != part:
            table.add_section()
            table.add_row(f"[bold]{line.part}[/]")
            part = line.part
        colour = {"met": "[green]met[/]", "missed": "[red]missed[/]"}.get(_verdict(line), "")
        table.add_row(line.what, line.measured, line.reference, _ratio(line), line.target, colour)
    console.print(table)
    missed = sum(line.met is False for line in lines)
    measured = sum(line.met is not None for line in lines)
    if facts.rows < FULL_ROWS:
        console.print(f"The targets of Unity Catalog are meant for {FULL_ROWS:,} rows.")
    console.print(f"{measured - missed} of {measured} targets met, in {facts.minutes:.1f} minutes.")


def write(lines: list[Line], facts: Facts) -> None:
    """Write the page."""
    text = [
        _HEAD,
        f"Measured {facts.when} with `{facts.command}`: {facts.rows:,} rows of `samples.nyctaxi.trips`.\n\n",
        f"Machine: {facts.machine}; load {facts.load}; the run took {facts.minutes:.1f} minutes.\n",
    ]
    part = None
    for line in lines:
        if line.part != part:
            part = line.part
            text.append(
                f"\n## {part}\n\n| What | Measured | Compared with | Ratio | Target | |\n|---|---|---|--:|---|---|\n"
            )
        cells = (line.what, line.measured, line.reference, _ratio(line), line.target, _verdict(line))
        text.append(f"| {' | '.join(cells)} |\n")
    text.append(_FOOT)
    (ROOT / PAGE).write_text("".join(text))
