"""Labs for tests: riverside without its quiet background and its history, so that it is up at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sandbox.events.log import EventLog
from sandbox.lab.lab import Lab
from sandbox.lab.site import Site, load_site
from sandbox.model.view import CommandResult

TRAINEE = "trainee:anna"


def quiet_site() -> Site:
    """Riverside on a day on which nobody comes by themselves."""
    site = load_site("riverside")
    return site.model_copy(
        update={
            "background": site.background.model_copy(update={"enabled": False}),
            "history": site.history.model_copy(update={"patients": 0}),
        }
    )


@contextmanager
def running_lab(directory: Path, seed: int = 7, scenario: str = "") -> Iterator[Lab]:
    """A lab that is stopped at the end, and whose log is printed when a test fails in it."""
    lab = Lab(quiet_site(), directory, seed, scenario=scenario)
    try:
        lab.start()
        yield lab
    except BaseException:
        print(last_lines(lab.events))
        raise
    finally:
        lab.stop()


def do(lab: Lab, command: str, **params: object) -> CommandResult:
    """What a trainee does."""
    return lab.execute(lab.parse(command, params), TRAINEE)


def last_lines(events: EventLog, number: int = 60) -> str:
    """The end of a lab's log, for whoever reads why a test failed."""
    return "\n".join(event.to_json()[:300] for event in events.since(max(0, len(events) - number)))
