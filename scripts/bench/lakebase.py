"""Lakebase: records through the API against a bare pool, and against a new connection for each request."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import psycopg
from psycopg_pool import ConnectionPool

from db.pool import Connection
from db.preferences import PREFERENCES
from scripts.bench.measure import Call, Line, Times, compared, interleaved, rate
from scripts.bench.product import Client, Product
from services.lakebase.login import Login
from services.settings import load
from services.workspace_client import ClientFactory

PART = "Lakebase"
_PATH = "/api/v1/preferences"
_KEY = "benchmark"
_THREADS = 10
_BARE = "the same statements, bare pooled connection"


class Database:
    """Connections as the app's own principal, without the app: fresh ones, and a plain pool of psycopg's."""

    def __init__(self, product: Product, user_id: str) -> None:
        """Read the app's settings. The pool opens when it is told to."""
        settings = load(product.app_environment())
        self._login = Login(settings, ClientFactory(settings))
        self._schema = settings.lakebase_schema
        self.user_id = user_id
        self.pool: ConnectionPool[Connection] = ConnectionPool(
            kwargs=self.parameters, min_size=_THREADS, max_size=_THREADS, open=False, configure=self._configure
        )

    def parameters(self) -> dict[str, Any]:
        """Parameters of one login, with a fresh token."""
        return self._login()

    def connect(self, parameters: dict[str, Any]) -> Connection:
        """A connection of its own."""
        connection = psycopg.connect(**parameters)
        self._configure(connection)
        return connection

    def _configure(self, connection: Connection) -> None:
        connection.execute("SELECT set_config('search_path', %s, false)", (self._schema,))
        connection.commit()

    def in_transaction(self, connection: Connection, work: Callable[[Connection], object]) -> None:
        """``work`` in a transaction whose row security is this user's."""
        with connection.transaction():
            connection.execute("SELECT set_config('lakefront.user_id', %s, true)", (self.user_id,))
            if work(connection) is None:
                raise RuntimeError("the record is not there")

    def pooled(self, work: Callable[[Connection], object]) -> None:
        """``work`` on a pooled connection."""
        with self.pool.connection() as connection:
            self.in_transaction(connection, work)

    def naive(self, work: Callable[[Connection], object]) -> None:
        """``work`` on a new connection with a token of its own, closed afterwards."""
        with self.connect(self.parameters()) as connection:
            self.in_transaction(connection, work)


def run(product: Product, *, quick: bool) -> Iterator[Line]:
    """All lines of this part. The record that it needs is removed at the end."""
    front, app = product.front_door(), product.app()
    database = Database(product, json.loads(front.get("/api/v1/me").data)["user_id"])
    with suppress(RuntimeError):  # left by a broken run
        front.send("DELETE", f"{_PATH}/{_KEY}", b"")
    front.post(_PATH, {"preference_key": _KEY, "preference_value": {"n": 0}})
    database.pool.open(wait=True)
    try:
        yield from _reads(front, app, database, 40 if quick else 150)
        yield from _changes(front, app, database, 40 if quick else 150)
        yield from _rates(product, database, 2.0 if quick else 4.0)
    finally:
        database.pool.close()
        front.send("DELETE", f"{_PATH}/{_KEY}", b"")
        front.close()
        app.close()


def _read(database: Database) -> Callable[[Connection], object]:
    return lambda connection: PREFERENCES.get(connection, database.user_id, _KEY)


def _lines(what: str, found: dict[str, Times]) -> Iterator[Line]:
    yield compared(PART, f"{what}: API", found["front"], found["bare"], _BARE)
    yield compared(PART, f"{what}: API at the app's own port", found["app"], found["bare"], _BARE)


def _reads(front: Client, app: Client, database: Database, rounds: int) -> Iterator[Line]:
    read = _read(database)
    found = interleaved(
        rounds,
        bare=lambda: database.pooled(read),
        front=lambda: front.get(f"{_PATH}/{_KEY}"),
        app=lambda: app.get(f"{_PATH}/{_KEY}"),
    )
    yield from _lines("read one preference", found)


def _changes(front: Client, app: Client, database: Database, rounds: int) -> Iterator[Line]:
    numbers = iter(range(10**9))

    def body() -> bytes:
        return json.dumps({"preference_value": {"n": next(numbers)}}).encode()

    def bare() -> None:
        value = json.dumps({"n": next(numbers)})
        database.pooled(lambda one: PREFERENCES.replace(one, database.user_id, _KEY, value, str(uuid.uuid4())))

    found = interleaved(
        rounds,
        bare=bare,
        front=lambda: front.send("PUT", f"{_PATH}/{_KEY}", body()),
        app=lambda: app.send("PUT", f"{_PATH}/{_KEY}", body()),
    )
    yield from _lines("update one preference, with its audit row", found)


def _rates(product: Product, database: Database, seconds: float) -> Iterator[Line]:
    read = _read(database)

    def client(make: Callable[[], Client]) -> Call:
        one = make()
        return lambda: one.get(f"{_PATH}/{_KEY}")

    makers: dict[str, Callable[[], Call]] = {
        "front": lambda: client(product.front_door),
        "app": lambda: client(product.app),
        "bare": lambda: lambda: database.pooled(read),
        "naive": lambda: lambda: database.naive(read),
    }
    found = {name: rate(make, threads=_THREADS, seconds=seconds) for name, make in makers.items()}
    what = f"reads a second, {_THREADS} threads"
    for name, way in (("front", "API"), ("app", "API at the app's own port")):
        factor = found[name] / found["naive"]
        naive = f"a token and a connection for each request, no HTTP: {found['naive']:.0f}/s"
        target = ("≥ 5x", factor >= 5) if name == "front" else ("", None)
        yield Line(PART, f"{what}: {way}", f"{found[name]:.0f}/s", naive, factor, *target)
        bare = f"the bare pool: {found['bare']:.0f}/s"
        yield Line(PART, f"{what}: {way}", f"{found[name]:.0f}/s", bare, found[name] / found["bare"])
