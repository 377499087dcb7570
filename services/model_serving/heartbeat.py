"""Noticing that a reader has gone while a stream is silent.

A server learns of a closed connection when it writes. While an endpoint thinks, nothing is written, so something must
be: the reader of ``with_heartbeats`` gets None after each silent pause and may send a comment, which event-stream
parsers skip. The read that waits meanwhile goes on in a thread of its own.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Iterator
from contextvars import copy_context
from typing import TypeVar

T = TypeVar("T")


class _End:
    """The last item: the stream ended, or broke with ``error``."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


def with_heartbeats(items: Iterator[T], seconds: float, close: Callable[[], None]) -> Generator[T | None, None, None]:
    """The items of an iterator as they come, and None after each ``seconds`` without one.

    Args:
        items: read in a thread of its own, in the caller's context.
        seconds: the longest silence.
        close: makes a read that waits end; called when the reader stops early. Safe from another thread.

    Raises:
        Whatever ``items`` raises.
    """
    ready: queue.SimpleQueue[T | _End] = queue.SimpleQueue()

    def pump() -> None:
        try:
            for item in items:
                ready.put(item)
        except BaseException as error:  # noqa: BLE001 - raised again where the items are read
            ready.put(_End(error))
        else:
            ready.put(_End(None))

    thread = threading.Thread(target=copy_context().run, args=(pump,), name="serving-stream", daemon=True)
    thread.start()
    try:
        while True:
            try:
                item = ready.get(timeout=seconds)
            except queue.Empty:
                yield None
                continue
            if isinstance(item, _End):
                if item.error is not None:
                    raise item.error
                return
            yield item
    finally:
        close()
        thread.join(timeout=2)
