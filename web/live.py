"""A lab's events for browsers: one stream from the lab however many watch, started by the first watcher and ended after
the last. The lab's token stays on this side."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator

from sandbox.model.errors import SandboxError
from sandbox.model.view import EventView
from web.lab_client import LabClient

BEAT_S = 10.0  # how often a quiet stream proves that its browser is still there
GATHER_S = 0.1  # what follows an event within this time goes to the browser in one message with it
BACKLOG = 2000  # a watcher this far behind is dropped and comes back by itself
MISSED = 500  # what came while nobody watched is asked of the lab in pages of so many events
MOST_MISSED = 5000  # who was away for more than that is told of the newest: a page's feed shows far fewer
RETRY_S = 1.0

Batch = list[EventView]


class LabFeed:
    """The shared stream of one lab. ``client`` finds the lab anew for every attempt to connect."""

    def __init__(self, client: Callable[[], LabClient]) -> None:
        self._client = client
        self._lock = threading.Lock()
        self._watchers: set[queue.Queue[EventView | None]] = set()
        self._thread: threading.Thread | None = None
        self._closed = threading.Event()

    def watch(self, after: int) -> Iterator[Batch]:
        """Batches of events after ``after``; an empty batch every ``BEAT_S`` of silence. Ends when the lab is ended."""
        inbox: queue.Queue[EventView | None] = queue.Queue(BACKLOG)
        self._join(inbox)
        try:
            last = after
            for missed in self.missed(after):
                last = missed[-1].seq
                yield missed
            while not self._closed.is_set():
                batch = [event for event in self._gather(inbox) if event.seq > last]
                last = max([last, *(event.seq for event in batch)])
                yield batch
                if inbox not in self._watchers:
                    return
        finally:
            with self._lock:
                self._watchers.discard(inbox)

    def missed(self, after: int) -> Iterator[Batch]:
        """All that the lab has after ``after``, oldest first; of more than ``MOST_MISSED`` the newest so many, and the
        newest ``MISSED`` where a page says no number. The lab answers with the first events after a number, so it is
        asked until it has no more: what is left out here would never come, since the stream goes on from now. For a
        watcher for whom there is no thread to stay, this is all."""
        client = self._client()
        if after:
            after = max(after, client.lab().last_event - MOST_MISSED)
        while page := list(client.events(after=after, limit=MISSED)):
            yield page
            if len(page) < MISSED:
                return
            after = page[-1].seq

    def close(self) -> None:
        self._closed.set()
        with self._lock:
            for inbox in self._watchers:
                _offer(inbox, None)

    def _join(self, inbox: queue.Queue[EventView | None]) -> None:
        with self._lock:
            self._watchers.add(inbox)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._pump, name="lab-feed", daemon=True)
                self._thread.start()

    def _gather(self, inbox: queue.Queue[EventView | None]) -> Batch:
        """The next event and whatever follows it within ``GATHER_S``: a busy department delays nothing."""
        batch: Batch = []
        wait, until = BEAT_S, 0.0
        while True:
            try:
                event = inbox.get(timeout=wait)
            except queue.Empty:
                return batch
            if event is None:
                return batch
            until = until or time.monotonic() + GATHER_S
            batch.append(event)
            wait = until - time.monotonic()
            if wait <= 0 or len(batch) >= 100:
                return batch

    def _pump(self) -> None:
        """Read the lab's stream while anybody watches; connect again when it breaks off."""
        last = -1
        while not self._closed.is_set() and self._watched():
            try:
                client = self._client()
                if last < 0:
                    last = client.lab().last_event
                with client.stream(last) as events:
                    for event in events:
                        if self._closed.is_set() or not self._watched():
                            return
                        if event is not None:
                            last = event.seq
                            self._deliver(event)
            except SandboxError:
                pass  # the lab is starting again, or was ended: the page itself says so
            self._closed.wait(RETRY_S)

    def _watched(self) -> bool:
        with self._lock:
            if not self._watchers:
                self._thread = None
                return False
            return True

    def _deliver(self, event: EventView) -> None:
        with self._lock:
            slow = [inbox for inbox in self._watchers if not _offer(inbox, event)]
            self._watchers.difference_update(slow)


def _offer(inbox: queue.Queue[EventView | None], event: EventView | None) -> bool:
    try:
        inbox.put_nowait(event)
    except queue.Full:
        return False
    return True
