"""The warm-up at start: every service is asked again and again, as the app, until all of them answer.

So the first person finds an open pool and a running warehouse, and grants that arrive late heal by themselves.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from loguru import logger

_PAUSES = (1, 2, 5, 10, 20, 30)
"""Seconds between the tries, the last one for good."""


@dataclass(frozen=True, slots=True)
class Warming:
    """How far one service is.

    Attributes:
        word: its last state.
        detail: what was found last, one sentence.
        after_seconds: seconds from the start of the process until it was fine for the first time, None so far.
    """

    word: str
    detail: str
    after_seconds: float | None = None


class WarmUp:
    """Asks in a thread of its own. ``check(name)`` gives a state and a sentence and takes a bounded time."""

    def __init__(self, names: Sequence[str], check: Callable[[str], tuple[str, str]]) -> None:
        """Nothing runs yet."""
        self.started_at = time.time()
        self._names = names
        self._check = check
        self._found: dict[str, Warming] = {}
        self._stopped = threading.Event()

    def start(self) -> None:
        """Begin."""
        self.started_at = time.time()
        threading.Thread(target=self._run, name="warm-up", daemon=True).start()

    def stop(self) -> None:
        """End soon. Idempotent."""
        self._stopped.set()

    def progress(self) -> dict[str, Warming]:
        """What is known by now, by service; a service that was not answered for yet is missing."""
        return dict(self._found)

    def note(self, name: str, word: str, detail: str) -> None:
        """Take in what any check of a service found, the warm-up's own or a later one."""
        if name in self._names:
            before = self._found.get(name)
            seen = Warming(word, detail, before.after_seconds if before else None)
            fine = word == "ok" and seen.after_seconds is None
            self._found[name] = replace(seen, after_seconds=time.time() - self.started_at) if fine else seen

    def _run(self) -> None:
        tries = 0
        while not self._stopped.is_set():
            try:
                states = {name: self._check(name)[0] for name in self._names}
            except RuntimeError:
                return  # the threads of the checks were shut down while this one was on its way
            if all(word == "ok" for word in states.values()):
                logger.bind(services=states).info("warm-up done")
                return
            pause = _PAUSES[min(tries, len(_PAUSES) - 1)]
            logger.bind(services=states, next_try_seconds=pause).info("warm-up goes on")
            tries += 1
            self._stopped.wait(pause)
