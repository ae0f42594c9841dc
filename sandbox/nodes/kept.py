"""Associations that a queue keeps open between two objects, as long-lived senders do.

Whoever keeps an association learns only at its next use that a firewall has forgotten it. Rule: one is used by one
thread at a time; who takes it has it alone until it gives it back.
"""

from __future__ import annotations

import threading

from sandbox.dicom.client import Association
from sandbox.events.log import current

_Key = tuple[str, str]


class KeptAssociations:
    """At most one idle association for each destination and actor, so that a probe never travels with somebody else."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: dict[_Key, tuple[Association, threading.Timer]] = {}

    def take(self, destination: str) -> Association | None:
        """The idle association to a destination, if there is one that the peer has not ended."""
        with self._lock:
            found = self._idle.pop((destination, current().actor), None)
        if found is None:
            return None
        association, timer = found
        timer.cancel()
        return association if association.notice() else None

    def give(self, destination: str, association: Association, seconds: float) -> None:
        """Keep an open association until it is taken, or release it after ``seconds``."""
        key = (destination, current().actor)
        timer = threading.Timer(seconds, self._release, (key, association))
        timer.daemon = True
        with self._lock:
            before = self._idle.pop(key, None)
            self._idle[key] = (association, timer)
        if before is not None:
            before[1].cancel()
            before[0].release()
        timer.start()

    def close(self, reason: str) -> None:
        """Abort what is idle."""
        with self._lock:
            idle, self._idle = list(self._idle.values()), {}
        for association, timer in idle:
            timer.cancel()
            association.abort(reason)

    def _release(self, key: _Key, association: Association) -> None:
        with self._lock:
            mine = self._idle.get(key)
            if mine is None or mine[0] is not association:
                return
            del self._idle[key]
        if association.notice():
            association.release()
