"""What tests of labs share: where caches go, and waiting for things to happen instead of sleeping."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox.events.event import Event
from sandbox.lab.lab import Lab
from sandbox.model.view import CommandResult

DEADLINE_S = 20.0


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
