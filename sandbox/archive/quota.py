"""How much an archive may hold: a quota with a high watermark below it. Sizes are in bytes; the bin counts too.

What is held is measured from the index, and what came since is added, so that asking is cheap. Nothing is refused on an
old measure: it is taken again first.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from sandbox.archive.store import OutOfResourcesError

_MEASURED_AGAIN_AFTER_S = 2.0


class Crossing(StrEnum):
    """What the level did since it was last looked at."""

    NONE = "none"
    ABOVE = "above"
    BELOW = "below"


@dataclass(frozen=True)
class Level:
    """How full it is. ``quota`` 0: without end."""

    used: int
    quota: int

    @property
    def percent(self) -> int:
        return self.used * 100 // self.quota if self.quota else 0


class Quota:
    """``measure`` gives the bytes held; ``quota`` 0 sets no limit; above ``watermark`` per cent somebody is warned."""

    def __init__(
        self,
        measure: Callable[[], int],
        quota: int = 0,
        watermark: int = 90,
        *,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._measure = measure
        self._now = now
        self._guard = threading.Lock()
        self._quota, self._watermark = quota, watermark
        self._used, self._measured = 0, -1.0
        self._is_above = False

    def set(self, quota: int, watermark: int) -> None:
        """Other limits from now on."""
        with self._guard:
            self._quota, self._watermark, self._measured = quota, watermark, -1.0

    def check(self, size: int) -> None:
        """Raises OutOfResourcesError when ``size`` more bytes are more than the quota allows."""
        if not self._quota:
            return
        with self._guard:
            if self._known() + size > self._quota:
                used = self._known(afresh=True)
                if used + size > self._quota:
                    raise OutOfResourcesError(
                        f"Quota reached: {_spoken(used)} of {_spoken(self._quota)} used.",
                        "Delete studies and empty the bin, or raise the quota.",
                    )

    def grown(self, size: int) -> Crossing:
        """``size`` more bytes are held (0: look again); whether the watermark was crossed by now."""
        if not self._quota:
            return Crossing.NONE
        with self._guard:
            used = self._known(afresh=size == 0) + size
            self._used = used
            above = used * 100 >= self._quota * self._watermark
            if above and not self._is_above:
                # Only a fresh measure is worth a warning.
                above = self._known(afresh=True) * 100 >= self._quota * self._watermark
            if above == self._is_above:
                return Crossing.NONE
            self._is_above = above
            return Crossing.ABOVE if above else Crossing.BELOW

    def level(self) -> Level:
        """How full it is now."""
        with self._guard:
            return Level(self._known(afresh=True), self._quota)

    def _known(self, *, afresh: bool = False) -> int:
        now = self._now()
        stale = self._measured < 0 or (self._is_above and now - self._measured > _MEASURED_AGAIN_AFTER_S)
        if afresh or stale:
            self._used, self._measured = self._measure(), now
        return self._used


def _spoken(size: int) -> str:
    # As a person would say it: an archive of a few megabytes is not 0.01 GB full.
    for unit, name in ((1_000_000_000, "GB"), (1_000_000, "MB")):
        if size >= unit:
            return f"{size / unit:.2f} {name}"
    return f"{size / 1000:.2f} kB"
