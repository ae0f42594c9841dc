"""What a lab host is: the thing that places lab processes. The console knows nothing more of where labs run."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Protocol

from sandbox.model.base import Model


class RunState(StrEnum):
    """``restarting``: it died and comes back by itself. ``failed``: it died too often to be started again."""

    STARTING = "starting"
    RUNNING = "running"
    RESTARTING = "restarting"
    FAILED = "failed"
    ENDED = "ended"


class RunningLab(Model):
    """A lab as its host knows it. ``api`` and ``token`` are how to reach it; both stay the same over a restart if they
    can. ``restarts`` counts how often it died; ``trouble`` says why it failed."""

    id: str
    site: str
    scenario: str = ""
    seed: int
    state: RunState
    api: str = ""
    token: str = ""
    pid: int = 0
    restarts: int = 0
    trouble: str = ""


class LabHost(Protocol):
    """Starts, watches and ends labs."""

    def start(self, site: str, scenario: str, seed: int, *, lab_id: str = "") -> RunningLab:
        """A lab of its own, ready. With the id of one that was here before, it goes on where that one was."""
        ...

    def get(self, lab_id: str) -> RunningLab:
        """A lab by its id; one that lies on disk is started again. NotFoundError when there is none."""
        ...

    def list(self) -> tuple[RunningLab, ...]:
        """The labs that run, or are coming back, by id."""
        ...

    def end(self, lab_id: str, delete: bool = False) -> None:
        """End a lab, and delete its directory if asked to. NotFoundError when there is none."""
        ...

    def on_change(self, listener: Callable[[RunningLab], None]) -> None:
        """Tell ``listener`` of every change of a lab's state, from a thread of the host."""
        ...

    def close(self) -> None:
        """End all labs; they can be started again later. Nothing is left running."""
        ...
