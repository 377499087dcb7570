"""The watchdog ends a wait on a socket that nobody answers."""

from __future__ import annotations

import socket
import time

import pytest

from db.watchdog import Watchdog


def test_a_blocked_read_ends_at_the_limit_and_a_quick_one_is_left_alone() -> None:
    watchdog = Watchdog()
    watchdog.start()
    left, right = socket.socketpair()
    try:
        started = time.monotonic()
        with watchdog.limit(left, 0.3):
            assert left.recv(1) == b""
        assert 0.25 < time.monotonic() - started < 1.0
    finally:
        watchdog.stop()
        left.close()
        right.close()


def test_a_socket_with_the_number_of_a_closed_one_is_not_cut() -> None:
    watchdog = Watchdog()
    watchdog.start()
    old, peer = socket.socketpair()
    try:
        with watchdog.limit(old, 0.2):
            old.close()
            new, other = socket.socketpair()
            time.sleep(0.5)
            other.sendall(b"x")
            assert new.recv(1) == b"x"
        new.close()
        other.close()
    finally:
        watchdog.stop()
        peer.close()


def test_errors_of_the_block_pass_through() -> None:
    watchdog = Watchdog()
    left, right = socket.socketpair()
    with pytest.raises(ZeroDivisionError), watchdog.limit(left, 1):
        raise ZeroDivisionError
    left.close()
    right.close()
