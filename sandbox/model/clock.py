"""A lab's clock. Handed in wherever time matters, so that a lab can start on any date and tests can move it."""

from __future__ import annotations

import time
from datetime import datetime, timedelta


class Clock:
    """Runs at the speed of real time from ``start`` (the date and time it shows when made), or from now."""

    def __init__(self, start: datetime | None = None) -> None:
        self._made = time.monotonic()
        self._set = (self._made, start or datetime.now().astimezone().replace(tzinfo=None))

    def now(self) -> datetime:
        """The department's local date and time, without a zone."""
        origin, start = self._set
        return start + timedelta(seconds=time.monotonic() - origin)

    def move_to(self, moment: datetime) -> None:
        """Show ``moment`` now and run on from there. A scenario tells its past this way; durations are not touched."""
        self._set = (time.monotonic(), moment)

    @property
    def elapsed_s(self) -> float:
        """Seconds since the clock was made, however it was moved."""
        return time.monotonic() - self._made
