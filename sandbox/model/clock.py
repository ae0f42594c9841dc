"""A lab's clock. Handed in wherever time matters, so that a lab can start on any date and tests can move it."""

from __future__ import annotations

import time
from datetime import datetime, timedelta


class Clock:
    """Runs at the speed of real time from ``start`` (the date and time it shows when made), or from now."""

    def __init__(self, start: datetime | None = None) -> None:
        self._origin = time.monotonic()
        self._start = start or datetime.now().astimezone().replace(tzinfo=None)

    def now(self) -> datetime:
        """The department's local date and time, without a zone."""
        return self._start + timedelta(seconds=time.monotonic() - self._origin)

    @property
    def elapsed_s(self) -> float:
        """Seconds since the clock was made."""
        return time.monotonic() - self._origin
