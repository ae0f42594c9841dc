"""Slowing down whoever guesses passwords: after a few failures for a name or from an address, the next one waits."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

FREE = 5
FIRST_S = 2.0
LONGEST_S = 300.0
FORGET_S = 900.0
KEPT = 10_000


class Throttle:
    """Failures per key (a user name, an address). ``clock`` gives seconds and never goes back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._failures: dict[str, tuple[int, float]] = {}

    def wait(self, *keys: str) -> float:
        """Seconds until another attempt is allowed; 0 when it is allowed now."""
        now = self._clock()
        with self._lock:
            return max((self._due(key, now) - now for key in keys), default=0.0)

    def failed(self, *keys: str) -> None:
        now = self._clock()
        with self._lock:
            if len(self._failures) > KEPT:
                self._failures = {k: v for k, v in self._failures.items() if now - v[1] < FORGET_S}
            for key in keys:
                count, last = self._failures.get(key, (0, now))
                self._failures[key] = (count + 1 if now - last < FORGET_S else 1, now)

    def succeeded(self, *keys: str) -> None:
        with self._lock:
            for key in keys:
                self._failures.pop(key, None)

    def _due(self, key: str, now: float) -> float:
        count, last = self._failures.get(key, (0, now))
        if count < FREE or now - last >= FORGET_S:
            return now
        return last + min(FIRST_S * 2.0 ** (count - FREE), LONGEST_S)
