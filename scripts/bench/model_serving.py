"""Model Serving: one row, the first streamed token and large batches through the API against the bare endpoint."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

from scripts.bench.measure import Line, Times, compared, interleaved, milliseconds
from scripts.bench.product import Client, Product

PART = "Model Serving"
ENDPOINT = "trip-fare"
CHAT = "echo-chat"
_DIRECT = "the same POST, bare client, connection kept"
_ROWS = 10_000
_USUAL_SECONDS = 0.03
"""What a quick model behind a real endpoint takes: Databricks states less than 50 ms of overhead for each request,
before the model's own time (https://docs.databricks.com/gcp/en/machine-learning/model-serving/model-serving-limits).
The local endpoint answers in a millisecond, which no endpoint behind a network does: against that only the absolute
time means something."""
_MOST = 1.25
_SIZES = (500, 1_000, 2_500, 5_000, 10_000)


def run(product: Product, *, quick: bool) -> Iterator[Line]:
    """All lines of this part."""
    front, app, direct = product.front_door(), product.app(), product.workspace()
    try:
        row = _row(front)
        rounds = 40 if quick else 100
        with product.endpoint_takes(ENDPOINT, _USUAL_SECONDS):
            usual = _one_row(front, app, direct, row, rounds)
        what = f"one row, an endpoint that takes {_USUAL_SECONDS * 1000:.0f} ms, log written"
        yield compared(PART, f"{what}: API", usual["front"], usual["direct"], _DIRECT, at_most=_MOST)
        yield compared(PART, f"{what}: API at the app's own port", usual["app"], usual["direct"], _DIRECT)
        yield from _layers(_one_row(front, app, direct, row, rounds))
        yield from _first_token(front, app, direct, 10 if quick else 30)
        yield from _batches(front, direct, row, 2 if quick else 4)
    finally:
        for client in (front, app, direct):
            client.close()


def _through_api(endpoint: str) -> str:
    return f"/api/v1/model-serving/endpoints/{endpoint}/invocations"


def _directly(endpoint: str) -> str:
    return f"/serving-endpoints/{endpoint}/invocations"


def _row(client: Client) -> dict[str, Any]:
    """One row that the model takes: its own example values, from its schema."""
    schema = json.loads(client.get(f"/api/v1/model-serving/endpoints/{ENDPOINT}/schema").data)
    row: dict[str, Any] = schema["examples"]["dataframe_records"]["dataframe_records"][0]
    return row


def _one_row(front: Client, app: Client, direct: Client, row: dict[str, Any], rounds: int) -> dict[str, Times]:
    body = json.dumps({"dataframe_records": [row]}).encode()

    def through(client: Client) -> Callable[[], object]:
        def invoke() -> None:
            answer = json.loads(client.send("POST", _through_api(ENDPOINT), body).data)
            if not answer["logged"]:
                raise RuntimeError(f"the invocation was not logged: {answer['log_error']}")

        return invoke

    return interleaved(
        rounds,
        direct=lambda: json.loads(direct.send("POST", _directly(ENDPOINT), body).data),
        front=through(front),
        app=through(app),
    )


def _layers(found: dict[str, Times]) -> Iterator[Line]:
    """What the layers take for themselves, in milliseconds: a ratio to an endpoint of one millisecond says nothing."""
    added = found["front"].p50 - found["direct"].p50
    against = f"the local endpoint itself: {found['direct']}"
    even = added / (_MOST - 1)
    words = f"{milliseconds(added)}, so {_MOST:g}x is met from an endpoint of {milliseconds(even)} on"
    yield Line(PART, "what front door, app and log add to a call", words, against)
    of_app = milliseconds(found["app"].p50 - found["direct"].p50)
    yield Line(PART, "of it, app and log, without the front door", of_app, against)


def _first_token(front: Client, app: Client, direct: Client, rounds: int) -> Iterator[Line]:
    message = {"messages": [{"role": "user", "content": "How long is a trip?"}], "stream": True}
    body = json.dumps(message).encode()
    firsts: dict[str, list[float]] = {"direct": [], "front": [], "app": []}
    for turn in range(rounds + 2):
        for name, client, path in (
            ("direct", direct, _directly(CHAT)),
            ("front", front, _through_api(CHAT)),
            ("app", app, _through_api(CHAT)),
        ):
            seconds = _time_to_first_token(client, path, body)
            if turn >= 2:
                firsts[name].append(seconds)
    found = {name: Times(tuple(seconds)) for name, seconds in firsts.items()}
    against = "the direct stream"
    yield compared(PART, "first streamed token: API", found["front"], found["direct"], against, at_most=1.25)
    yield compared(PART, "first streamed token: API at the app's own port", found["app"], found["direct"], against)


def _time_to_first_token(client: Client, path: str, body: bytes) -> float:
    """Seconds from sending to the first chunk that carries text; the rest is read and not counted."""
    started = time.perf_counter()
    response = client.send("POST", path, body, {"Accept": "text/event-stream"}, stream=True)
    seen, first = b"", 0.0
    while piece := response.read1(65_536):
        seen += piece
        if not first and _has_text(seen):
            first = time.perf_counter() - started
    response.release_conn()
    if not first:
        raise RuntimeError("the stream carried no text")
    return first


def _has_text(seen: bytes) -> bool:
    """Whether a whole event with text has arrived."""
    for event in seen.split(b"\n\n")[:-1]:
        if event.startswith(b"data: {"):
            for choice in json.loads(event[6:]).get("choices", []):
                if (choice.get("delta") or {}).get("content"):
                    return True
    return False


def _batches(front: Client, direct: Client, row: dict[str, Any], rounds: int) -> Iterator[Line]:
    rows = [row] * _ROWS

    def ways(client: Client, path: str, size: int) -> Callable[[], object]:
        bodies = [json.dumps({"dataframe_records": rows[at : at + size]}).encode() for at in range(0, _ROWS, size)]
        return lambda: [json.loads(client.send("POST", path, body).data) for body in bodies]

    calls = {f"direct_{size}": ways(direct, _directly(ENDPOINT), size) for size in _SIZES}
    calls |= {f"front_{size}": ways(front, _through_api(ENDPOINT), size) for size in _SIZES}
    found = interleaved(rounds, 1, **calls)
    best = {way: min(_SIZES, key=lambda size: found[f"{way}_{size}"].p50) for way in ("direct", "front")}
    ours, theirs = found[f"front_{best['front']}"], found[f"direct_{best['direct']}"]
    yield Line(
        PART,
        f"{_ROWS:,} rows in batches of {best['front']:,}: API",
        f"{_ROWS / ours.p50:,.0f} rows/s",
        f"the direct call, batches of {best['direct']:,}: {_ROWS / theirs.p50:,.0f} rows/s",
        theirs.p50 / ours.p50,
    )
