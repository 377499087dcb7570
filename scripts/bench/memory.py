"""Memory of the app while it serves: pages, a profile and a large export must leave it flat."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Iterator

import psutil

from scripts.bench.measure import Line, megabytes
from scripts.bench.product import Client, Product
from scripts.bench.unity_catalog import QUERY, page

PART = "Memory of the app's worker"
_TABLE_PATH = QUERY.removesuffix("/query")
_PAGES = 50
_ALLOWED = 150e6
"""What the app may grow by and still be called flat: far below the size of what passes through it."""


class Peak:
    """Samples a process's resident memory every 20 ms while it is open."""

    def __init__(self, process: psutil.Process) -> None:
        """Sampling begins with ``with``."""
        self._process = process
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self.bytes = self.now()

    def now(self) -> int:
        """Resident bytes at this moment."""
        return int(self._process.memory_info().rss)

    def _sample(self) -> None:
        while not self._over.wait(0.02):
            self.bytes = max(self.bytes, self.now())

    def __enter__(self) -> Peak:
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._over.set()
        self._thread.join()


def run(product: Product, *, quick: bool) -> Iterator[Line]:  # noqa: ARG001 - the same in a quick run
    """All lines of this part."""
    front, download = product.front_door(), product.front_door()
    try:
        page(front, {"limit": 100})
        peak = Peak(product.worker())
        before = peak.now()
        written: list[int] = []
        with peak:
            export = threading.Thread(target=lambda: written.append(_export(download)), daemon=True)
            export.start()
            _pages(front, product.rows, _PAGES)
            front.get(f"{_TABLE_PATH}/profile?refresh=true")
            export.join()
        after = peak.now()
        if not written:
            raise RuntimeError("the export failed")
    finally:
        front.close()
        download.close()
    rows = f"{min(product.rows, 10_000_000):,}"
    yield Line(PART, f"before {_PAGES} pages, a profile and an export of {rows} rows at once", megabytes(before))
    grown = peak.bytes - before
    flat = f"flat: at most {_ALLOWED / 1e6:.0f} MB more"
    yield Line(
        PART,
        "peak",
        megabytes(peak.bytes),
        f"the export's size: {megabytes(written[0])}",
        None,
        flat,
        grown <= _ALLOWED,
    )
    yield Line(PART, "after", megabytes(after), f"{(after - before) / 1e6:+.1f} MB")


def _pages(client: Client, rows: int, count: int) -> None:
    """Pages all over the table, by different sorts."""
    chosen = random.Random(7)  # noqa: S311 - which pages are read is no secret
    columns = ("fare_amount", "trip_distance", "tpep_pickup_datetime", "pickup_zip")
    for place in range(count):
        sort = [{"column": columns[place % len(columns)], "direction": "asc"}]
        page(client, {"limit": 100, "offset": chosen.randrange(max(1, rows - 100)), "sort": sort})


def _export(client: Client) -> int:
    """Download the whole table as CSV, to nowhere; gives the bytes."""
    response = client.send("POST", f"{_TABLE_PATH}/export?format=csv", json.dumps({}).encode(), stream=True)
    size = 0
    while piece := response.read(1 << 20):
        size += len(piece)
    response.release_conn()
    return size
