"""What somebody typed and a lab has not taken yet, so that the form is not empty when it comes again.

In memory, since the lab it was for ends with the console, too; the oldest goes when there are too many. A cookie would
be too small for it.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping

MOST = 500
LONGEST = 2000
"""Characters of one box; the form itself takes 1000."""


class Drafts:
    """The closing messages of tickets, by lab and number of the ticket. May be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[tuple[str, int], Mapping[str, str]] = {}

    def keep(self, lab_id: str, ticket: int, words: Mapping[str, str]) -> None:
        """Keep ``words``, by the names of their boxes, instead of what was kept of this ticket before."""
        with self._lock:
            self._kept.pop((lab_id, ticket), None)
            self._kept[lab_id, ticket] = {name: text[:LONGEST] for name, text in words.items() if text.strip()}
            if len(self._kept) > MOST:
                del self._kept[next(iter(self._kept))]

    def get(self, lab_id: str, ticket: int) -> Mapping[str, str]:
        with self._lock:
            return self._kept.get((lab_id, ticket), {})

    def taken(self, lab_id: str, ticket: int) -> None:
        """The lab has it now."""
        with self._lock:
            self._kept.pop((lab_id, ticket), None)
