"""The error type of a failure: a Postgres code wherever there is one."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import errors as pg
from psycopg_pool import PoolTimeout

from db.errors import TokenUnavailable, connect_error_type, is_outage, unavailable


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ('FATAL:  password authentication failed for user "x": Token is expired.', "28P01"),
        ('FATAL:  role "x" does not exist', "28000"),
        ('FATAL:  database "x" does not exist', "3D000"),
        ("FATAL:  sorry, too many clients already", "53300"),
        ("FATAL:  the database system is starting up", "57P03"),
        ("connection failed: connection refused", "08001"),
        ("connection timeout expired", "08001"),
    ],
)
def test_a_refused_login_gets_its_code_from_the_words(message: str, code: str) -> None:
    assert connect_error_type(psycopg.OperationalError(message)) == code


def test_a_refused_mint_is_an_oauth_error() -> None:
    assert connect_error_type(TokenUnavailable("503")) == "oauth_error"
    assert unavailable(PoolTimeout("x"), TokenUnavailable("503")).error_type == "oauth_error"


def test_waiting_in_vain_without_a_failed_login_means_that_the_pool_is_exhausted() -> None:
    assert unavailable(PoolTimeout("x")).error_type == "53300"


def test_which_errors_are_outages() -> None:
    for outage in (pg.AdminShutdown(), PoolTimeout(), psycopg.InterfaceError(), pg.ReadOnlySqlTransaction()):
        assert is_outage(outage)
    for bug in (pg.UniqueViolation(), pg.InsufficientPrivilege(), pg.SyntaxError(), ValueError()):
        assert not is_outage(bug)
