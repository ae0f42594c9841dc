"""What a terminal of a node shows: the output of one line that was typed, and what can complete a word."""

from __future__ import annotations

from sandbox.model.base import Model


class TerminalOutput(Model):
    """What came of one line. ``directory`` is where the terminal is afterwards; ``status`` the exit status, 0 for
    success, None while it runs; ``clears`` says that the screen was wiped first. ``took_ms`` is wall time."""

    text: str = ""
    status: int | None = None
    directory: str = "/"
    clears: bool = False
    took_ms: float = 0.0


class Completion(Model):
    """Words that can stand in the place of the last one of a line; ``start`` is where that word begins."""

    start: int
    words: tuple[str, ...]
