"""The local workspace: how soon it is there, its sample table, the smallest statement and a large result."""

from __future__ import annotations

import time
from collections.abc import Iterator

import duckdb

from scripts.bench.measure import Line, compared, interleaved, milliseconds
from scripts.bench.product import TABLE, Product

PART = "Local workspace"
_LARGE = 1_000_000
_ROWS = (
    "SELECT {id} AS id, CAST({id} AS DOUBLE) * 1.5 AS number, concat('row ', CAST({id} AS STRING)) AS text,"
    " CAST({id} % 1000 AS INT) AS small FROM range({rows})"
)
"""A large result in words that Databricks SQL and DuckDB share; they name the column of ``range`` differently."""


def starts(product: Product) -> list[Line]:
    """Start the product for the first time, wait for its sample table, and start it once more; it runs afterwards."""
    began = time.perf_counter()
    first = product.start()
    with product.connect() as session, session.cursor() as cursor:
        cursor.execute(f"SELECT COUNT(*) FROM {TABLE}")  # noqa: S608 - a constant
        rows = int(cursor.fetchall()[0][0])
    table = time.perf_counter() - began
    product.stop()
    again = product.start()
    with product.connect() as session, session.cursor() as cursor:
        cursor.execute("SELECT 1")
    return [
        Line(PART, "first start, to the app's health route", milliseconds(first)),
        Line(PART, "second start", milliseconds(again), target="≤ 5 s", met=again <= 5),
        Line(
            PART, f"{rows:,} sample rows, from the first start", milliseconds(table), target="≤ 15 s", met=table <= 15
        ),
    ]


def run(product: Product, *, quick: bool) -> Iterator[Line]:
    """All other lines of this part."""
    with product.connect() as session, session.cursor() as cursor:

        def execute(text: str) -> int:
            cursor.execute(text)
            return int(cursor.fetchall_arrow().num_rows)

        small = interleaved(50 if quick else 200, one=lambda: execute("SELECT 1"))["one"]
        yield Line(PART, "SELECT 1 by databricks-sql-connector", str(small))
        text, plain_text = (_ROWS.format(id=name, rows=_LARGE) for name in ("id", "range"))
        plain = duckdb.connect()
        found = interleaved(
            3 if quick else 5,
            1,
            ours=lambda: execute(text),
            plain=lambda: plain.sql(plain_text).to_arrow_table().num_rows,
        )
        plain.close()
        what = f"{_LARGE:,} rows fetched by databricks-sql-connector"
        yield compared(PART, what, found["ours"], found["plain"], "DuckDB in the own process, same rows")
