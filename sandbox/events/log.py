"""The append-only log of one lab: on disk as lines of JSON, in memory for views, to followers as it grows.

The cause of an event is whatever the writing thread is working for: ``because(...)`` sets it for a block of code,
and everything written inside, on that thread, carries it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from sandbox.events.causes import Context, because, current
from sandbox.events.event import Event
from sandbox.events.kinds import Body
from sandbox.model.clock import Clock
from sandbox.model.errors import BadInputError

__all__ = ["Context", "EventLog", "because", "current"]


class EventLog:
    """Append, read, follow. Thread-safe. ``path`` None keeps it in memory only."""

    def __init__(self, clock: Clock, path: Path | None = None) -> None:
        self._clock = clock
        self._events: list[Event] = _read(path) if path is not None else []
        self._grown = threading.Condition()
        self._file = path.open("a", encoding="utf-8") if path is not None else None
        self._closed = False

    def append(self, body: Body, *, node: str = "", actor: str | None = None, cause: int | None = None) -> Event:
        """Write one event and wake the followers. Actor and cause default to the thread's context."""
        context = current()
        with self._grown:
            event = Event(
                seq=len(self._events) + 1,
                at=self._clock.now(),
                node=node,
                actor=context.actor if actor is None else actor,
                cause=context.cause if cause is None else cause,
                body=body,
            )
            self._events.append(event)
            if self._file is not None and not self._closed:
                self._file.write(event.to_json() + "\n")
                self._file.flush()
            self._grown.notify_all()
        return event

    def __len__(self) -> int:
        return len(self._events)

    def __getitem__(self, seq: int) -> Event:
        """The event with that sequence number."""
        return self._events[seq - 1]

    def since(self, seq: int = 0, *, limit: int | None = None) -> Sequence[Event]:
        """Events after ``seq``, oldest first, at most ``limit``."""
        return self._events[seq : None if limit is None else seq + limit]

    def latest(self, matches: Callable[[Event], bool], *, limit: int) -> list[Event]:
        """The newest ``limit`` events that match, newest first."""
        found: list[Event] = []
        for event in reversed(self._events[:]):
            if matches(event):
                found.append(event)
                if len(found) == limit:
                    break
        return found

    def wait_for(self, matches: Callable[[Event], bool], *, after: int = 0, timeout: float) -> Event | None:
        """The first event after ``after`` that matches, waiting up to ``timeout`` seconds for it."""
        deadline = time.monotonic() + timeout
        position = after
        with self._grown:
            while True:
                for event in self._events[position:]:
                    if matches(event):
                        return event
                position = len(self._events)
                remaining = deadline - time.monotonic()
                if remaining <= 0 or self._closed:
                    return None
                self._grown.wait(remaining)

    def follow(self, after: int, *, timeout: float) -> Sequence[Event]:
        """Events after ``after``, waiting up to ``timeout`` seconds for the first. Empty on timeout or when closed."""
        with self._grown:
            if len(self._events) <= after and not self._closed:
                self._grown.wait(timeout)
            return self._events[after:]

    @property
    def is_closed(self) -> bool:
        return self._closed

    def close(self) -> None:
        """End the log and let go of every follower."""
        with self._grown:
            self._closed = True
            if self._file is not None:
                self._file.close()
            self._grown.notify_all()


def _read(path: Path) -> list[Event]:
    """Events on disk. A last line torn by a kill is cut off, so that the log goes on cleanly after it."""
    if not path.exists():
        return []
    raw = path.read_bytes()
    whole = raw[: raw.rfind(b"\n") + 1]
    if len(whole) != len(raw):
        path.write_bytes(whole)
    events: list[Event] = []
    for number, line in enumerate(whole.decode("utf-8").splitlines(), start=1):
        try:
            events.append(Event.from_json(line))
        except BadInputError as wrong:
            raise BadInputError(f"{path.name}, line {number}: {wrong.sentence}", wrong.mend) from wrong
    return events
