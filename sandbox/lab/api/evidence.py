"""Notes what somebody has opened while a drill runs, so that the debrief can tell when they had the answer in sight.

A screen that refreshes itself asks for the same thing again and again; only the first look in a while is noted.
"""

from __future__ import annotations

import threading
import time

from sandbox.events.log import because
from sandbox.lab.lab import Lab

AGAIN_S = 60.0
"""After so long a time, in seconds, another look at the same thing is noted again."""


class EvidenceNotes:
    """The looks of one lab's people."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._lock = threading.Lock()
        self._seen: dict[tuple[str, str, str, str], float] = {}

    def note(self, what: str, *, node: str, association: str, actor: str) -> None:
        """``actor`` has opened ``what`` of ``node`` or of an association."""
        attempt = self._lab.attempt
        if attempt is None:
            return
        look, now = (what, node, association, actor), time.monotonic()
        with self._lock:
            if now - self._seen.get(look, -AGAIN_S) < AGAIN_S:
                return
            self._seen[look] = now
        with because(None, actor):
            attempt.opened(what, node, association)
