"""How a host's labs become processes: the seam between ``local`` and the two ways of starting them.

A launcher starts and stops processes and tells, from one thread of its own, what becomes of them. It decides nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sandbox.host.process import LabOptions, Trouble
from sandbox.model.view import ReadyLine


@dataclass(frozen=True)
class Ready:
    """The lab answers."""

    lab: str
    line: ReadyLine


@dataclass(frozen=True)
class Ended:
    """The lab's process is gone. ``trouble`` is there when it said why; ``status`` as waitpid has it (-9: SIGKILL)."""

    lab: str
    status: int
    trouble: Trouble | None = None


News = Ready | Ended
Listener = Callable[[News], None]


class Launcher(Protocol):
    """Starts and stops lab processes. Every start is followed by exactly one Ended, maybe after one Ready."""

    def start(self, lab: str, options: LabOptions) -> None:
        """Start a process for the lab ``lab``. Failures are told as Ended."""
        ...

    def stop(self, lab: str) -> None:
        """Ask a lab's process to end; it is killed if it takes too long. Unknown labs are ended already."""
        ...

    def warm(self, cache: Path) -> None:
        """Make what new labs are copied from, in the background and at low priority, where that is cheap to do."""
        ...

    def close(self) -> None:
        """End every process and wait for it."""
        ...
