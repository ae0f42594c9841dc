"""What tests of labs share: where caches go, and waiting for things to happen instead of sleeping."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from sandbox.events.event import Event
from sandbox.lab.lab import Lab
from sandbox.model.view import AttemptState, AttemptView, CommandResult

DEADLINE_S = 20.0


class Drill:
    """As much of a drill as a lab knows of."""

    def __init__(self) -> None:
        self.state = AttemptState.RUNNING
        self.looked: list[tuple[str, str, str]] = []

    def view(self) -> AttemptView:
        return AttemptView(
            scenario="test",
            title="Something is wrong",
            state=self.state,
            difficulty=1,
            expected_minutes=1,
            objectives=(),
            topics=(),
            tickets=(),
            hints=(),
            hints_left=0,
            nodes=(),
            layers=(),
            faults=(),
            checks=(),
            findings=(),
            started_at=datetime(2026, 1, 1),
        )

    def opened(self, what: str, node: str, association: str = "") -> None:
        self.looked.append((what, node, association))

    def close(self) -> None:
        pass


def shared_cache(factory: pytest.TempPathFactory) -> Path:
    """One cache for all workers and runs; what is in it is named by the code that made it."""
    base = factory.getbasetemp()
    while not base.name.startswith("pytest-of-") and base != base.parent:
        base = base.parent
    return (base if base != base.parent else factory.getbasetemp()) / "lab-cache"


def home_in(folder: Path, factory: pytest.TempPathFactory) -> Path:
    """``folder`` as a home of labs, with the shared cache."""
    cache = shared_cache(factory)
    cache.mkdir(exist_ok=True)
    (folder / "cache").symlink_to(cache)
    return folder


def do(lab: Lab, command: str, /, actor: str = "trainee:test", **params: object) -> CommandResult:
    """Give a command by name."""
    return lab.execute(lab.parse(command, params), actor)


def wait_for(lab: Lab, matches: Callable[[Event], bool], after: int = 0) -> Event:
    """The first such event, or a failure that shows the log."""
    found = lab.events.wait_for(matches, after=after, timeout=DEADLINE_S)
    if found is None:
        pytest.fail("never happened; the log:\n" + "\n".join(event.to_json() for event in lab.events.since(after)))
    return found


def until(holds: Callable[[], bool], what: str, timeout: float = DEADLINE_S) -> None:
    """Look again and again until ``holds``, with a deadline."""
    deadline = time.monotonic() + timeout
    while not holds():
        if time.monotonic() > deadline:
            pytest.fail(f"never came true: {what}")
        time.sleep(0.01)
