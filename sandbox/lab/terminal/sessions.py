"""The lines that run in a lab's terminals at this moment: to be looked at while they run, and to be cut off."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sandbox.lab.terminal.screen import Screen
from sandbox.model.errors import ConflictError
from sandbox.model.terminal_view import TerminalOutput

MOST_AT_ONCE = 12
LIMIT_S = 120.0
"""The longest that one line may run, in seconds."""


class Terminals:
    """Every screen of one lab that is being printed on, by the name that its terminal gave the run."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._screens: dict[str, Screen] = {}

    @contextmanager
    def running(self, run: str, screen: Screen, limit_s: float = LIMIT_S) -> Iterator[None]:
        """``screen`` can be cancelled by the name ``run`` inside the block, and is after ``limit_s`` seconds."""
        key = run or f"unnamed-{id(screen)}"
        with self._lock:
            if len(self._screens) >= MOST_AT_ONCE or key in self._screens:
                raise ConflictError(
                    "Too many commands run in the terminals of this lab.", "Wait for one, or stop it with Ctrl-C."
                )
            self._screens[key] = screen
        timer = threading.Timer(limit_s, screen.cancel, (f"the time limit of {limit_s:g} s",))
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            with self._lock:
                del self._screens[key]

    def cancel(self, run: str) -> bool:
        """Cut off the line that runs as ``run``; whether there was one."""
        with self._lock:
            screen = self._screens.get(run)
        if screen is None:
            return False
        screen.cancel("Ctrl-C")
        return True

    def cancel_all(self) -> None:
        """Cut off everything, because the lab ends or is reset."""
        with self._lock:
            screens = list(self._screens.values())
        for screen in screens:
            screen.cancel("the lab was reset")

    def so_far(self, run: str) -> TerminalOutput | None:
        """What a line has printed that still runs."""
        with self._lock:
            screen = self._screens.get(run)
        return None if screen is None else screen.so_far()
