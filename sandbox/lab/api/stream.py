"""Events as they happen, as server-sent events (WHATWG HTML 9.2), and how many may listen at once.

A stream holds a thread for as long as it lasts, so there are fewer streams than threads and other requests always find
one. It ends with the lab, and within a second of its reader's going away.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

from sandbox.lab.lab import Lab
from sandbox.lab.sentences import event_view
from sandbox.model.errors import UnavailableError

HEARTBEAT_S = 15.0
"""A comment is sent after so long a silence, so that proxies and readers know the line is alive."""

_LOOK_S = 1.0


class Streams:
    """Counts the open streams of one lab."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._open = 0
        self._lock = threading.Lock()

    def take(self) -> None:
        """Take one of the places, or UnavailableError. Whoever takes one gives it back."""
        with self._lock:
            if self._open >= self._most:
                raise UnavailableError("Too many are watching this lab at once.", "Close another window on it.")
            self._open += 1

    def give_back(self) -> None:
        with self._lock:
            self._open -= 1


def follow(lab: Lab, after: int, is_gone: Callable[[], bool]) -> Iterator[bytes]:
    """Events after ``after`` as they come, each with its sequence number as id and its kind as event name."""
    yield b": welcome\n\n"
    position, silent_since = after, time.monotonic()
    while not lab.events.is_closed and not is_gone():
        events = lab.events.follow(position, timeout=_LOOK_S)
        hidden = bool(events) and lab.hides_later
        for event in events:
            position = event.seq
            if hidden and event.is_for_later:
                continue
            silent_since = time.monotonic()
            data = event_view(event).model_dump_json()
            yield f"id: {event.seq}\nevent: {event.kind}\ndata: {data}\n\n".encode()
        if time.monotonic() - silent_since >= HEARTBEAT_S:
            silent_since = time.monotonic()
            yield b": still here\n\n"
