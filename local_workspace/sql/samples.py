"""``samples.nyctaxi.trips``: a synthetic table of New York taxi trips, made in the background at the first start.

The rows are a pure function of their number (integer mixing, no random generator), so every workspace of the same size
holds the same table. Pickup times rise with the row number, as in the original, which keeps filters on time cheap.
"""

from __future__ import annotations

# ruff: noqa: S608 - every text here is put together from constants
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import duckdb
from loguru import logger

from local_workspace.identity.model import Principal
from local_workspace.sql.model import SqlError
from local_workspace.sql.results import Stop
from local_workspace.unity_catalog.metastore import SYSTEM, Metastore
from local_workspace.unity_catalog.model import Column, Table

TAXI_DATABASE = "taxi"
PHYSICAL = f"{TAXI_DATABASE}.main.trips"
VERSION = 2
"""Raise it when ``_ROWS`` changes: tables of another version are made again."""

OWNER = "data-platform@example.com"
EVERYONE = "account users"
COLUMNS = (
    Column("tpep_pickup_datetime", "timestamp", comment="The date and time when the meter was engaged"),
    Column("tpep_dropoff_datetime", "timestamp", comment="The date and time when the meter was disengaged"),
    Column("trip_distance", "double", comment="The elapsed trip distance in miles reported by the taximeter"),
    Column("fare_amount", "double", comment="The time-and-distance fare in US dollars calculated by the meter"),
    Column("pickup_zip", "int", comment="The ZIP code where the trip began"),
    Column("dropoff_zip", "int", comment="The ZIP code where the trip ended; null when it was not recorded"),
)
_ZIPS = (
    "10001,10002,10003,10009,10010,10011,10012,10013,10014,10016,10017,10018,10019,10021,10022,10023,10024,10025,10028,"
    "10029,10036,10065,10075,10103,10110,10119,10128,10153,10162,10171,10199,10282,11101,11103,11201,11205,11211,11215,"
    "11217,11231,11238,11371,11422,10451,10463,07114"
)


# How busy an hour of the day and a day of the week are (1 January 2016 was a Friday), and the days that were different:
# New Year, Martin Luther King Day, the blizzard of 23 January and the morning after, Presidents' Day.
_BY_HOUR = "[22,16,11,8,6,6,12,20,26,26,25,26,28,27,28,27,24,29,34,34,31,30,29,26]"
_BY_WEEKDAY = "[1.06,1.08,0.97,0.88,0.93,0.96,1.0]"
_BY_DATE = (
    "CASE h // 24 WHEN 0 THEN 0.8 WHEN 17 THEN 0.86 WHEN 22 THEN 0.14 WHEN 23 THEN 0.4 WHEN 45 THEN 0.85 ELSE 1 END"
)
_HOURS = 60 * 24


def _mixed(salt: int) -> str:
    return f"((((i + {salt}) * 2654435761) % 4294967296) * 40503 + {salt}) % 4294967291"


def rows_sql(rows: int) -> str:
    """The SELECT that makes the table: January and February 2016, busy and quiet hours as in the city.

    Each hour is cut into as many slots as it is busy; rows are spread evenly over the slots, so times rise with the row
    number and nothing has to be sorted.
    """
    return f"""
WITH hours AS (
  SELECT h, greatest(1, round({_BY_HOUR}[1 + h % 24] * {_BY_WEEKDAY}[1 + h // 24 % 7] * {_BY_DATE}))::INTEGER AS busy
  FROM range({_HOURS}) AS r(h)),
slots AS (
  SELECT list(h * 3600 + k * 3600 // busy ORDER BY h, k) AS starts
  FROM (SELECT h, busy, unnest(range(busy)) AS k FROM hours)),
numbers AS (
  SELECT i, {_mixed(11)} AS a, {_mixed(223)} AS b, {_mixed(3571)} AS c, {_mixed(45007)} AS d, {_mixed(611953)} AS e,
    len(starts) AS many, starts[1 + i * many // {rows}] AS slot,
    coalesce(starts[2 + i * many // {rows}], {_HOURS * 3600}) - slot AS width
  FROM range({rows}) AS n(i), slots),
drawn AS (
  SELECT i, c, d, e,
    slot + CASE WHEN {rows} > many THEN width * (i * many % {rows}) // {rows} + a % greatest(1, width * many // {rows})
           ELSE a % width END AS started,
    a % 1000 < 12 AS airport,
    round(0.3 - 2.05 * ln(1 - (b % 999983) / 1000003.0), 2) AS miles,
    (c % 9973) / 9973.0 AS pace
  FROM numbers),
trips AS (
  SELECT *, CASE WHEN airport THEN round(15.5 + (d % 460) / 100.0, 2) WHEN d % 977 = 0 THEN 0.0
            ELSE least(miles, 30.0) END AS distance
  FROM drawn),
timed AS (
  SELECT *, CAST(90 + distance * (170 + 190 * pace) AS BIGINT) AS duration FROM trips)
SELECT make_timestamptz((1451606400 + started) * 1000000) AS tpep_pickup_datetime,
  make_timestamptz((1451606400 + started + duration) * 1000000) AS tpep_dropoff_datetime,
  CAST(distance AS DOUBLE) AS trip_distance,
  CAST(CASE WHEN e % 7919 = 3 THEN -2.5 - (d % 12) * 0.5 WHEN e % 99991 = 5 THEN 275.0 WHEN airport THEN 52.0
       ELSE 2.5 + 0.5 * floor(distance * 4.1 + duration / 190.0) END AS DOUBLE) AS fare_amount,
  CAST(zips[1 + (c // 7) % len(zips) * ((d // 13) % len(zips)) // len(zips)] AS INTEGER) AS pickup_zip,
  CASE WHEN e % 1999 = 7 THEN NULL
       ELSE CAST(zips[1 + (e // 3) % len(zips) * (1 + (c // 11) % len(zips)) // (1 + len(zips))] AS INTEGER)
       END AS dropoff_zip
FROM timed, (SELECT string_split('{_ZIPS}', ',') AS zips)
"""


class TaxiTrips:
    """Makes and keeps the sample table."""

    def __init__(self, metastore: Metastore, rows: int) -> None:
        """Nothing happens until ``start``."""
        self._metastore = metastore
        self._rows = max(0, rows)
        self._ready = threading.Event()
        self._fault: str | None = None
        self._cursor: Any = None
        self._worker: threading.Thread | None = None

    def start(self, new_cursor: Callable[[], Any]) -> None:
        """Register the table and make its rows on a thread, unless they are there."""
        self._register()
        cursor = new_cursor()
        cursor.execute(f"CREATE TABLE IF NOT EXISTS {TAXI_DATABASE}.main.made (version INTEGER, wanted BIGINT)")
        if cursor.execute(f"SELECT version, wanted FROM {TAXI_DATABASE}.main.made").fetchall() == [
            (VERSION, self._rows)
        ]:
            cursor.close()
            self._ready.set()
            return
        self._cursor = cursor
        self._worker = threading.Thread(target=self._make, name="taxi-trips", daemon=True)
        self._worker.start()

    def _make(self) -> None:
        """One transaction makes the rows and says so: a process that dies half way leaves nothing behind."""
        database = TAXI_DATABASE
        try:
            self._cursor.execute("BEGIN")
            self._cursor.execute(f"DROP TABLE IF EXISTS {PHYSICAL}")
            self._cursor.execute(f"CREATE TABLE {PHYSICAL} AS {rows_sql(max(1, self._rows))} LIMIT {self._rows}")
            self._cursor.execute(f"DELETE FROM {database}.main.made")
            self._cursor.execute(f"INSERT INTO {database}.main.made VALUES ({VERSION}, {self._rows})")
            self._cursor.execute("COMMIT")
            self._cursor.close()
        except duckdb.Error as fault:
            if not isinstance(fault, duckdb.InterruptException):
                logger.opt(exception=fault).error("The sample table could not be made")
            self._fault = "The sample table could not be made; the log of the local workspace has the cause."
        finally:
            self._ready.set()

    def _register(self) -> None:
        existing = self._metastore.table("samples", "nyctaxi", "trips")
        if existing is not None and existing.physical == PHYSICAL:
            return
        me = SYSTEM
        if self._metastore.catalog("samples") is None:
            self._metastore.create_catalog(me, "samples", comment="Sample data of the workspace, for everyone to read")
            self._metastore.create_schema(
                me, "samples", "nyctaxi", comment="Synthetic taxi trips, after the shape of New York's"
            )
        made = Table(
            "samples",
            "nyctaxi",
            "trips",
            OWNER,
            COLUMNS,
            physical=PHYSICAL,
            comment="Taxi trips of January and February 2016, synthetic",
        )
        self._metastore.put_table(me, made, replace_existing=True)
        self._metastore.grant(me, "catalog", "samples", EVERYONE, ["USE CATALOG"])
        self._metastore.grant(me, "schema", "samples.nyctaxi", EVERYONE, ["USE SCHEMA", "SELECT"])
        self._give_away(me)

    def _give_away(self, me: Principal) -> None:
        for kind, name in (("table", "samples.nyctaxi.trips"), ("schema", "samples.nyctaxi"), ("catalog", "samples")):
            self._metastore.set_owner(me, kind, name, OWNER)  # type: ignore[arg-type]

    def wait(self, stop: Stop) -> None:
        """Wait until the rows are there.

        Raises:
            SqlError: the waiting statement was cancelled, or the rows could not be made.
        """
        while not self._ready.wait(0.05):
            stop.check()
        if self._fault:
            raise SqlError("INTERNAL_ERROR", self._fault, "XX000")

    def stop(self) -> None:
        """Give up making rows; the next start begins again."""
        if self._worker is not None and self._worker.is_alive():
            while self._worker.is_alive():
                with suppress(duckdb.ConnectionException):  # it has just closed the cursor, on its way out
                    self._cursor.interrupt()
                self._worker.join(0.05)
