"""What can go wrong between the app and its database, in terms that the layer above can act on."""

from __future__ import annotations

import re

import psycopg
from psycopg import errors as pg
from psycopg_pool import PoolTimeout, TooManyRequests

OAUTH_ERROR = "oauth_error"
"""``error_type`` when no token could be had, so there is no Postgres code."""

CANNOT_CONNECT = "08001"
CONNECTION_FAILURE = "08006"
POOL_EXHAUSTED = "53300"
_BAD_PASSWORD = "28P01"  # noqa: S105  # a SQLSTATE

# A refused login reaches psycopg as plain text without its code (libpq gives the message only), so the words decide.
_CODES_BY_WORDS = (
    (re.compile(r"password authentication failed|authentication failed", re.I), _BAD_PASSWORD),
    (re.compile(r"role .* does not exist|not permitted to log in|requires TLS|no pg_hba", re.I), "28000"),
    (re.compile(r"permission denied for database", re.I), "42501"),
    (re.compile(r"database .* does not exist", re.I), "3D000"),
    (re.compile(r"too many (clients|connections)|remaining connection slots", re.I), POOL_EXHAUSTED),
    (re.compile(r"starting up|shutting down|not available|is stopped|recovery mode", re.I), "57P03"),
    (re.compile(r"refused|could not translate|resolve|timeout expired|timed out|unreachable", re.I), CANNOT_CONNECT),
)


class DatabaseError(Exception):
    """Base of this package's errors."""


class DatabaseUnavailable(DatabaseError):
    """No answer can be had from the database now.

    Attributes:
        error_type: SQLSTATE, or ``oauth_error`` when no token could be minted.
        reason: what happened, in a short phrase without secrets.
    """

    def __init__(self, error_type: str, reason: str) -> None:
        super().__init__(f"{error_type}: {reason}")
        self.error_type = error_type
        self.reason = reason


class TokenUnavailable(DatabaseError):
    """Raised by a ``credentials`` callable that cannot mint a token; ``str()`` says why, without the token."""


class UnsafeDatabase(DatabaseError):
    """Row security would not hold here: the role may bypass it, or a table does not force it."""


class MigrationError(DatabaseError):
    """The schema cannot be brought to this version; the message says why."""


def connect_error_type(error: BaseException) -> str:
    """The ``error_type`` of a failed attempt to connect."""
    if isinstance(error, TokenUnavailable):
        return OAUTH_ERROR
    state = getattr(error, "sqlstate", None)
    if state:
        return str(state)
    words = str(error)
    return next((code for pattern, code in _CODES_BY_WORDS if pattern.search(words)), CANNOT_CONNECT)


def is_outage(error: BaseException) -> bool:
    """Whether an error of a statement or of the pool means that the database cannot serve now.

    ``OperationalError`` is most of it; a closed connection, a fail-over to a read-only server and a transaction
    that the server gave up belong to it by their nature, though not by their class.
    """
    return isinstance(
        error,
        psycopg.OperationalError
        | psycopg.InterfaceError
        | pg.ReadOnlySqlTransaction
        | pg.IdleInTransactionSessionTimeout,
    )


def unavailable(error: BaseException, last_connect_error: BaseException | None = None) -> DatabaseUnavailable:
    """The :class:`DatabaseUnavailable` for ``error``.

    Args:
        error: what the pool or a statement raised.
        last_connect_error: why the pool could not connect lately; it explains a wait in vain.
    """
    if isinstance(error, PoolTimeout | TooManyRequests):
        if last_connect_error is None:
            return DatabaseUnavailable(POOL_EXHAUSTED, "every connection of the pool is in use")
        return DatabaseUnavailable(connect_error_type(last_connect_error), _first_line(last_connect_error))
    state = getattr(error, "sqlstate", None)
    return DatabaseUnavailable(str(state or CONNECTION_FAILURE), _first_line(error))


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
