"""What the commands of one line print, and the way to end them: bounded, and watched by whoever may press Ctrl-C.

Rule: control characters never reach a reader; what a peer or a file says stands there as a dot. Only the last command
of a line prints on the screen. The others print into a ``Pipe``, which holds much more, since nobody reads it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from sandbox.events.log import current
from sandbox.model.terminal_view import TerminalOutput

MOST_LINES = 4_000
MOST_CHARACTERS = 400_000
LONGEST_LINE = 2_000
CUT = "… (the rest is not shown; narrow it with | head, | tail, | grep, or fewer keys)"
MOST_PIPED = 100_000
MOST_PIPED_CHARACTERS = 20_000_000
"""Twice what the longest log of a node can hold (disk.MOST_LOG_LINES lines of LONGEST_LINE), so that its end is what
| tail shows."""
PIPE_CUT = f"… (a | takes {MOST_PIPED:,} lines or 20 MB: what came after that was left out; name fewer files)"


class Interrupted(Exception):  # noqa: N818 - nothing went wrong, somebody pressed Ctrl-C
    """The line was cut off: by Ctrl-C or the time limit."""


class Full(Exception):  # noqa: N818 - a bound, no error
    """More was printed than is shown."""


class Screen:
    """The lines that were printed so far. One thread prints, others may look and cancel."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.started = time.monotonic()
        self.cause = current().cause
        self.ended_by = ""
        self._characters = 0
        self._over = threading.Event()
        self._closers: list[Callable[[str], None]] = []
        self._lock = threading.Lock()

    def print(self, text: str = "") -> None:
        """Print ``text``, which may be several lines. Raises Full, or Interrupted when somebody has cancelled."""
        self.check()
        for line in text.split("\n"):
            if len(self.lines) >= MOST_LINES or self._characters >= MOST_CHARACTERS:
                raise Full
            shown = harmless(line)
            self.lines.append(shown)
            self._characters += len(shown) + 1

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    @property
    def took_ms(self) -> float:
        return round((time.monotonic() - self.started) * 1000, 1)

    def so_far(self) -> TerminalOutput:
        """What has been printed, for one who looks while it runs."""
        return TerminalOutput(text=self.text, took_ms=self.took_ms)

    # --- ending ----------------------------------------------------------------------------------------------------

    def check(self) -> None:
        """Raise Interrupted if this line was cut off."""
        if self._over.is_set():
            raise Interrupted

    def wait(self, seconds: float) -> None:
        """Wait, unless it is cut off meanwhile: then raise Interrupted."""
        if self._over.wait(seconds):
            raise Interrupted

    def when_cancelled(self, close: Callable[[str], None]) -> None:
        """Have ``close`` called with the reason when this line is cut off; at once if it was already."""
        with self._lock:
            self._closers.append(close)
        if self._over.is_set():
            close(self.ended_by)

    def cancel(self, reason: str) -> None:
        """Cut the line off. May be called from any thread, and again."""
        with self._lock:
            if self._over.is_set():
                return
            self.ended_by = reason
            self._over.set()
            closers = list(self._closers)
        for close in closers:
            close(reason)


class Pipe:
    """What one command of a line prints for the next: as it is, since it is judged and not read."""

    def __init__(self, screen: Screen) -> None:
        self.lines: list[str] = []
        self._screen = screen
        self._characters = 0

    def print(self, text: str = "") -> None:
        """Take ``text`` in. Raises Full at the bound, or Interrupted when somebody has cancelled the line."""
        self._screen.check()
        for line in text.split("\n"):
            self._characters += len(line) + 1
            if len(self.lines) >= MOST_PIPED or self._characters > MOST_PIPED_CHARACTERS:
                raise Full
            self.lines.append(line)


def harmless(line: str) -> str:
    """A line as it may be shown: of bounded length, tabs as spaces, a middle dot for whatever is no character."""
    cut = line if len(line) <= LONGEST_LINE else f"{line[:LONGEST_LINE]}…"
    return "".join(letter if letter.isprintable() else "·" for letter in cut.expandtabs(8).replace("\u202e", "·"))
