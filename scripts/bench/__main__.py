"""``python -m scripts.bench``: measure the whole product on this machine and print the ratios.

It starts its own product on free ports in a temporary folder and stops it at the end. Nothing here is a test: a missed
target is shown, not raised, because a time depends on the machine and on what else it does.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from loguru import logger
from rich.console import Console

from scripts.bench import browser, lakebase, local_workspace, memory, model_serving, report, unity_catalog
from scripts.bench.measure import Line
from scripts.bench.product import Product

Part = Callable[..., Iterator[Line]]
PARTS: dict[str, Part] = {
    "unity_catalog": unity_catalog.run,
    "lakebase": lakebase.run,
    "model_serving": model_serving.run,
    "local_workspace": local_workspace.run,
    "browser": browser.run,
    "memory": memory.run,
}
"""In the order of running: the export comes last, as its garbage would be the others' burden."""


def main(arguments: list[str] | None = None) -> int:
    """Measure; gives the exit status 0, also when a target is missed."""
    parser = argparse.ArgumentParser(prog="python -m scripts.bench", description=__doc__)
    parser.add_argument("--rows", type=int, default=report.FULL_ROWS, help="rows of samples.nyctaxi.trips")
    parser.add_argument("--quick", action="store_true", help="1,000,000 rows and fewer rounds")
    parser.add_argument("--part", action="append", choices=tuple(PARTS), help="measure only this part; repeatable")
    parser.add_argument("--write", action="store_true", help=f"write {report.PAGE}")
    chosen = parser.parse_args(arguments)
    rows = min(chosen.rows, 1_000_000) if chosen.quick else chosen.rows
    console = Console()
    logger.remove()  # what the services that we borrow log is not the report
    started = time.monotonic()
    load = report.load_average()
    with tempfile.TemporaryDirectory(prefix="lakefront-bench-") as folder:
        lines = _measure(Path(folder), rows, chosen.part or list(PARTS), console, quick=chosen.quick)
    facts = report.Facts.of_this_run(rows, load, time.monotonic() - started, arguments or sys.argv[1:])
    report.show(console, lines, facts)
    if chosen.write:
        report.write(lines, facts)
        console.print(f"Written to {report.PAGE}.")
    return 0


def _measure(folder: Path, rows: int, parts: list[str], console: Console, *, quick: bool) -> list[Line]:
    lines: list[Line] = []
    with Product(folder, rows) as product:
        with console.status("Starting the product …"):
            lines += local_workspace.starts(product)
        for name in parts:
            with console.status(f"Measuring {name} …"):
                try:
                    lines += PARTS[name](product, quick=quick)
                except Exception as error:  # noqa: BLE001 - one part's failure must not lose the others' numbers
                    console.print_exception()
                    lines.append(Line(name, "not measured", f"{type(error).__name__}: {str(error)[:200]}"))
    return lines


if __name__ == "__main__":
    sys.exit(main())
