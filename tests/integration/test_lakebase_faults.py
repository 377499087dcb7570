"""Lakebase under faults: what people see, for how long, and that nothing is lost or written twice.

Each test prints the worst latency and the time to recover.
"""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from db.pool import PoolOptions
from services.errors import AlreadyExists, DatabaseUnavailable
from services.lakebase import PREFERENCE, LakebaseService
from tests.support.lakebase_stack import LakebaseStack, person

OPTIONS = PoolOptions(max_size=16)
LIMIT = OPTIONS.wait + 1.0
"""A request waits at most for a connection, plus what a loaded machine adds."""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LakebaseStack]:
    with LakebaseStack(tmp_path_factory.mktemp("faults")) as running:
        yield running


@pytest.fixture
def service(stack: LakebaseStack) -> Iterator[LakebaseService]:
    running = stack.service(OPTIONS)
    running.check()
    yield running
    stack.faults.clear()
    running.close()


class Traffic:
    """Threads that create records without pause, and what became of each."""

    def __init__(self, service: LakebaseService, threads: int = 20) -> None:
        self._service = service
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self.user = person(f"traffic-{time.monotonic_ns()}")
        self.confirmed: set[str] = set()
        self.failures: list[tuple[float, str]] = []
        self.successes: list[float] = []
        self.worst = 0.0
        self._threads = [threading.Thread(target=self._run, args=(number,)) for number in range(threads)]

    def __enter__(self) -> Traffic:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(30)

    def _run(self, number: int) -> None:
        count = 0
        while not self._stop.is_set():
            count += 1
            key, started, failure = f"{number}-{count}", time.monotonic(), ""
            try:
                self._service.create_record(self.user, PREFERENCE, key, str(count))
            except DatabaseUnavailable as error:
                failure = str(error.technical_details["error_type"])
            except AlreadyExists:
                failure = "written twice"
            ended = time.monotonic()
            with self._lock:
                self.worst = max(self.worst, ended - started)
                if failure:
                    self.failures.append((ended, failure))
                else:
                    self.confirmed.add(key)
                    self.successes.append(ended)
            time.sleep(0.02)

    def recovered_after(self, moment: float) -> float:
        """Seconds from ``moment`` to the first success of a request afterwards."""
        return min((when for when in self.successes if when > moment), default=float("inf")) - moment

    def report(self, what: str, recovery: float | None = None) -> None:
        """Prints the numbers."""
        kinds = dict(Counter(kind for _, kind in self.failures))
        line = f"\n{what}: {len(self.successes)} ok, failed {kinds}, worst latency {self.worst:.2f} s"
        sys.stdout.write(
            line + (f", first success {recovery:.2f} s after the return\n" if recovery is not None else "\n")
        )

    def check_nothing_lost_or_doubled(self, service: LakebaseService) -> None:
        """Every confirmed record is there, with exactly one audit row; none is there without its audit row."""
        present: set[str] = set()
        logged: list[str] = []
        for offset in range(0, 100_000, 1000):
            page = service.list_records(self.user, PREFERENCE, limit=1000, offset=offset)
            present |= {one.key for one in page.items}
            trail = service.list_audit_log(self.user, limit=1000, offset=offset)
            logged += [one.record_key for one in trail.items]
            if page.next_offset is None and trail.next_offset is None:
                break
        assert self.confirmed <= present
        assert sorted(logged) == sorted(present)


@pytest.mark.slow
@pytest.mark.parametrize("outage", [3, 9])
def test_postgres_is_killed_under_load_and_comes_back(
    stack: LakebaseStack, service: LakebaseService, outage: float
) -> None:
    with Traffic(service) as traffic:
        time.sleep(1)
        stack.faults.set({"actions": ["lakebase.kill_postgres"]})
        time.sleep(outage)
        stack.faults.set({"actions": ["lakebase.start_postgres"]})
        back = time.monotonic()
        time.sleep(3.5)
    recovery = traffic.recovered_after(back)
    traffic.report(f"kill -9, {outage} s", recovery)
    assert recovery < 2
    assert traffic.worst < LIMIT
    assert not [kind for when, kind in traffic.failures if when > back + 2.5 or kind == "written twice"]
    traffic.check_nothing_lost_or_doubled(service)


def test_every_connection_is_cut_at_once(stack: LakebaseStack, service: LakebaseService) -> None:
    with Traffic(service) as traffic:
        time.sleep(1)
        stack.faults.set({"actions": ["lakebase.cut_connections"]})
        cut = time.monotonic()
        time.sleep(2)
    recovery = traffic.recovered_after(cut)
    traffic.report("all connections cut", recovery)
    assert recovery < 2
    assert traffic.worst < LIMIT
    assert not [kind for when, kind in traffic.failures if when > cut + 1]
    traffic.check_nothing_lost_or_doubled(service)


def test_stale_idle_connections_cost_no_request(stack: LakebaseStack, service: LakebaseService) -> None:
    with Traffic(service):
        time.sleep(0.5)
    stack.faults.set({"actions": ["lakebase.cut_connections"]})
    time.sleep(0.2)
    started = time.monotonic()
    service.list_records(person("ada"), PREFERENCE)
    assert time.monotonic() - started < 1


@pytest.mark.slow
def test_tokens_that_live_for_two_seconds_fail_no_request(tmp_path_factory: pytest.TempPathFactory) -> None:
    with LakebaseStack(tmp_path_factory.mktemp("short"), token_seconds=2) as stack:
        service = stack.service(PoolOptions(max_size=10, lifetime=1.5))
        try:
            service.check()
            before = stack.lakebase.gateway.logins
            with Traffic(service, threads=6) as traffic:
                time.sleep(15)
            logins = stack.lakebase.gateway.logins - before
            traffic.report(f"tokens of 2 s, {logins} logins")
            assert traffic.failures == []
            assert logins > 30, "the tokens ended several times over"
            assert stack.lakebase.gateway.refused == 0
            traffic.check_nothing_lost_or_doubled(service)
        finally:
            service.close()


@pytest.mark.slow
def test_open_connections_serve_while_no_token_can_be_minted(stack: LakebaseStack, service: LakebaseService) -> None:
    with Traffic(service, threads=4) as traffic:
        time.sleep(0.5)
        stack.faults.set({"faults": [{"service": "lakebase_mint", "status": 403, "message": "refused"}]})
        time.sleep(5)  # longer than a request waits for a connection
        stack.faults.clear()
    traffic.report("mint refused for 5 s")
    assert traffic.failures == []
    traffic.check_nothing_lost_or_doubled(service)


@pytest.mark.parametrize(
    ("fault", "error_type"),
    [
        ({"service": "lakebase_mint", "status": 403}, "oauth_error"),
        ({"service": "lakebase_mint", "status": 503, "retry_after": 1}, "oauth_error"),
        ({"service": "lakebase_login", "status": 401, "message": "password authentication failed"}, "28P01"),
        ({"service": "lakebase_login", "status": 503, "message": "the database system is starting up"}, "57P03"),
        ({"service": "lakebase_login", "drop": True}, "08001"),
    ],
    ids=["mint refused", "mint unavailable", "wrong token", "starting", "network cut"],
)
def test_each_cause_has_its_error_and_heals(stack: LakebaseStack, fault: dict[str, object], error_type: str) -> None:
    stack.faults.set({"faults": [fault]})
    service = stack.service(OPTIONS)
    try:
        for _ in range(2):
            started = time.monotonic()
            with pytest.raises(DatabaseUnavailable) as caught:
                service.list_records(person("ada"), PREFERENCE)
            assert time.monotonic() - started < LIMIT
        error = caught.value
        assert (error.status, error.error_code, error.retry_after) == (503, "DATABASE_UNAVAILABLE", 10)
        assert error.message == "Database service temporarily unavailable."
        assert error.technical_details["error_type"] == error_type
        assert error.technical_details["instance_name"] == "lakefront-local"
        assert "eyJ" not in str(error.technical_details)
        assert service.pool_statistics()["health_checks"] > 0
        stack.faults.clear()
        back = time.monotonic()
        while True:
            try:
                service.list_records(person("ada"), PREFERENCE)
                break
            except DatabaseUnavailable:
                assert time.monotonic() - back < 12  # a mint under way ends at its own limit, 10 s
        sys.stdout.write(f"\n{fault}: healed {time.monotonic() - back:.2f} s after the fault ended\n")
    finally:
        stack.faults.clear()
        service.close()


def test_an_exhausted_pool_says_so(stack: LakebaseStack) -> None:
    service = stack.service(PoolOptions(min_size=2, max_size=2, wait=0.5))
    try:
        service.check()
        with service._pool.connection(), service._pool.connection():
            started = time.monotonic()
            with pytest.raises(DatabaseUnavailable) as caught:
                service.list_records(person("ada"), PREFERENCE)
            assert time.monotonic() - started < 1.5
        assert caught.value.technical_details["error_type"] == "53300"
        service.list_records(person("ada"), PREFERENCE)
    finally:
        service.close()


def test_a_frozen_database_holds_nobody_beyond_the_limit(stack: LakebaseStack) -> None:
    service = stack.service(PoolOptions(wait=1.0, transaction=1.5))
    try:
        service.check()
        stack.faults.set({"actions": ["lakebase.freeze"]})
        started = time.monotonic()
        with pytest.raises(DatabaseUnavailable):
            service.list_records(person("ada"), PREFERENCE)
        frozen = time.monotonic() - started
        stack.faults.set({"actions": ["lakebase.thaw"]})
        back = time.monotonic()
        while True:
            try:
                service.list_records(person("ada"), PREFERENCE)
                break
            except DatabaseUnavailable:
                assert time.monotonic() - back < 6
        sys.stdout.write(
            f"\nfrozen: gave up after {frozen:.2f} s, healed {time.monotonic() - back:.2f} s after the thaw\n"
        )
        assert frozen < 4
    finally:
        stack.faults.set({"actions": ["lakebase.thaw"]})
        service.close()


def test_the_app_starts_without_a_database_and_heals(tmp_path_factory: pytest.TempPathFactory) -> None:
    with LakebaseStack(tmp_path_factory.mktemp("absent")) as stack:
        stack.lakebase.postgres.kill()
        started = time.monotonic()
        service = stack.service(OPTIONS)
        try:
            assert time.monotonic() - started < 0.5
            with pytest.raises(DatabaseUnavailable) as caught:
                service.list_records(person("ada"), PREFERENCE)
            assert caught.value.technical_details["error_type"] == "57P03"
            stack.lakebase.postgres.start()
            time.sleep(1)
            assert service.list_records(person("ada"), PREFERENCE).total == 0
        finally:
            service.close()
