"""The last results of each node's tools, kept beside the page for comparison while the console runs. Bounded."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sandbox.model.view import CommandResult

MOST_RESULTS = 10
MOST_PAGES = 300
MOST_ROWS = 100
"""Rows of an earlier answer that are kept."""


@dataclass(frozen=True)
class Tried:
    """Something that was tried: with which ``tool``, in short ``what``, and the form it was filled in with."""

    tool: str
    what: str
    result: CommandResult
    again: tuple[tuple[str, str], ...] = ()
    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def form(self) -> dict[str, list[str]]:
        """The form as the parameters of an address, which fills it in again."""
        found: dict[str, list[str]] = {}
        for key, value in self.again:
            found.setdefault(key, []).append(value)
        return found


class RecentResults:
    """By whoever tried it, lab and node. The pages that were longest not used are forgotten first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pages: OrderedDict[tuple[str, str, str], deque[Tried]] = OrderedDict()

    def add(self, actor: str, lab: str, node: str, tried: Tried) -> None:
        """Keep a result as the newest of its page."""
        kept = tried.result.model_copy(update={"rows": tried.result.rows[:MOST_ROWS]})
        with self._lock:
            page = self._pages.setdefault((actor, lab, node), deque(maxlen=MOST_RESULTS))
            self._pages.move_to_end((actor, lab, node))
            page.appendleft(Tried(tried.tool, tried.what, kept, tried.again, tried.at))
            while len(self._pages) > MOST_PAGES:
                self._pages.popitem(last=False)

    def of(self, actor: str, lab: str, node: str) -> tuple[Tried, ...]:
        """The results of a page, the newest first."""
        with self._lock:
            return tuple(self._pages.get((actor, lab, node), ()))

    def clear(self, actor: str, lab: str, node: str) -> None:
        """Forget a page's results."""
        with self._lock:
            self._pages.pop((actor, lab, node), None)
