"""Unity Catalog: pages through the API against the bare connector, the peers' way, deep pages, bytes on the wire."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from functools import partial
from typing import Any

from databricks.sql.parameters.native import DoubleParameter, IntegerParameter

from scripts.bench.measure import Line, compared, interleaved, megabytes, milliseconds
from scripts.bench.product import TABLE, Client, Product

PART = "Unity Catalog"
QUERY = "/api/v1/unity-catalog/tables/{}/{}/{}/query".format(*TABLE.split("."))
_PEER_ROWS = 5_000
_FILTERED = {
    "limit": 100,
    "filter": {
        "and": [
            {"column": "trip_distance", "operator": "ge", "value": 2.5},
            {"column": "pickup_zip", "operator": "in", "value": [10003, 10011, 10019]},
        ]
    },
    "sort": [{"column": "fare_amount", "direction": "desc"}],
}
_DEEP = (("fare_amount", "many ties"), ("trip_distance", "fewer ties"), ("tpep_dropoff_datetime", "timestamp"))


def run(product: Product, *, quick: bool) -> Iterator[Line]:
    """All lines of this part."""
    front, app, session = product.front_door(), product.app(), product.connect()
    cursor = session.cursor()
    try:
        yield from _pages(front, app, cursor, quick=quick)
        yield from _peers(product, front, quick=quick)
        yield from _bytes(front)
        yield from _deep(front, cursor, product.rows, quick=quick)
    finally:
        cursor.close()
        session.close()
        front.close()
        app.close()


def page(client: Client, request: dict[str, Any]) -> bytes:
    """The bytes of a page's answer."""
    data: bytes = client.send("POST", QUERY, json.dumps(request).encode()).data
    return data


class Bare:
    """The statement of a page, as the API itself reports it, on an open session."""

    def __init__(self, client: Client, cursor: Any, request: dict[str, Any]) -> None:
        """Ask the API once for the statement and its bound values; ``offset`` of a deep page is bound as it is."""
        shown = json.loads(page(client, {**request, "offset": 0}))["query"]
        values = shown["parameters"]
        if request.get("offset"):
            values[list(values)[-1]] = request["offset"]
        self._cursor, self._text = cursor, shown["statement"]
        self._bound = [
            DoubleParameter(value, name) if isinstance(value, float) else IntegerParameter(value, name)
            for name, value in values.items()
        ]

    def __call__(self) -> int:
        """Run it and fetch all rows as Arrow; gives how many."""
        self._cursor.execute(self._text, parameters=self._bound)
        return int(self._cursor.fetchall_arrow().num_rows)


def _pages(front: Client, app: Client, cursor: Any, *, quick: bool) -> Iterator[Line]:
    against = "the same statement, open connector session"
    for what, request, target in (
        ("page of 100 rows, filter and sort", _FILTERED, 1.25),
        ("first page of 100 rows, neither", {"limit": 100}, None),
    ):
        bare = Bare(front, cursor, request)
        found = interleaved(
            15 if quick else 25,
            bare=bare,
            front=partial(page, front, request),
            app=partial(page, app, request),
        )
        yield compared(PART, f"{what}: API", found["front"], found["bare"], against, at_most=target)
        yield compared(PART, f"{what}: API at the app's own port", found["app"], found["bare"], against, at_most=target)


def _peers(product: Product, front: Client, *, quick: bool) -> Iterator[Line]:
    sizes: list[int] = []

    def peers() -> None:
        """A connection, 5,000 rows, pandas, a list of objects, JSON: for each fill of the grid."""
        with product.connect() as connection, connection.cursor() as cursor:
            cursor.execute(f"SELECT * FROM {TABLE} LIMIT {_PEER_ROWS}")  # noqa: S608 - a constant
            frame = cursor.fetchall_arrow().to_pandas()
        sizes.append(len(json.dumps(frame.to_dict("records"), default=str)))

    ours = len(page(front, {"limit": 100}))
    found = interleaved(5 if quick else 9, ours=lambda: page(front, {"limit": 100}), peers=peers)
    factor = found["peers"].p50 / found["ours"].p50
    yield Line(
        PART,
        "first page, nothing kept by the client",
        str(found["ours"]),
        f"the peers' way: connect, {_PEER_ROWS:,} rows, pandas, JSON: {found['peers']}",
        1 / factor,
        "at least 5x faster",
        factor >= 5,
    )
    share = ours / sizes[-1]
    against = f"the peers' payload: {megabytes(sizes[-1])}"
    yield Line(PART, "bytes of that page", megabytes(ours), against, share, "≤ 0.1x", share <= 0.1)


def _bytes(front: Client) -> Iterator[Line]:
    body = json.dumps({"limit": 100}).encode()
    plain = front.send("POST", QUERY, body).data
    response = front.send("POST", QUERY, body, {"Accept-Encoding": "gzip, deflate, br"}, stream=True)
    wire = len(response.read(decode_content=False))
    encoding = response.headers.get("Content-Encoding", "identity")
    yield Line(
        PART,
        f"one block of 100 rows on the wire, as a browser asks ({encoding})",
        megabytes(wire),
        f"uncompressed: {megabytes(len(plain))}",
        wire / len(plain),
    )


def _deep(front: Client, cursor: Any, rows: int, *, quick: bool) -> Iterator[Line]:
    middle, deepest = rows // 100, rows // 2
    rounds = 7 if quick else 11
    fresh = itertools.count(1)
    for column, ties in _DEEP:
        request = {"limit": 100, "sort": [{"column": column, "direction": "asc"}]}
        at = {offset: {**request, "offset": offset} for offset in (0, middle, deepest)}
        found = interleaved(
            rounds,
            first=partial(page, front, at[0]),
            middle=partial(page, front, at[middle]),
            deepest=partial(page, front, at[deepest]),
        )
        bare = interleaved(1 if quick else 2, 0, bare=Bare(front, cursor, at[deepest]))["bare"]

        def uncounted(request: dict[str, Any] = at[deepest]) -> bytes:
            """The same page under a filter that leaves every row and was never counted."""
            everything = {"column": "trip_distance", "operator": "ge", "value": -float(next(fresh))}
            return page(front, {**request, "filter": everything})

        counting = interleaved(2, 0, counting=uncounted)["counting"]
        name = f"sort on {column} ({ties}), page at"
        first = f"its page at 0: {milliseconds(found['first'].p50)}"
        yield _against_first(f"{name} {middle:,}", found["middle"].p50, found["first"].p50, first)
        yield _against_first(f"{name} {deepest:,}", found["deepest"].p50, found["first"].p50, first, at_most=3)
        yield compared(PART, f"{name} {deepest:,}", found["deepest"], bare, "the bare statement", at_most=0.15)
        yield compared(PART, f"{name} {deepest:,}, blocks not counted yet", counting, bare, "the bare statement")


def _against_first(what: str, seconds: float, first: float, text: str, *, at_most: float | None = None) -> Line:
    ratio = seconds / first
    target = "" if at_most is None else f"≤ {at_most:g}x"
    return Line(PART, what, milliseconds(seconds), text, ratio, target, None if at_most is None else ratio <= at_most)
