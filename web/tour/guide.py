"""Where somebody is in the tour: kept in their browser's session, moved on by them or by what the lab has become."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import request, session, url_for

from sandbox.model.errors import NotFoundError, SandboxError
from web.context import account, console, lab_client
from web.tour.steps import STEPS, Step

KEY = "tour"


@dataclass(frozen=True)
class Showing:
    """The step to show on this page. ``address`` leads to where it is at home, if that is not here."""

    step: Step
    number: int
    total: int
    is_here: bool
    address: str
    lab_id: str

    @property
    def is_last(self) -> bool:
        return self.number == self.total


def begin(lab_id: str) -> None:
    session[KEY] = {"lab": lab_id, "step": 0}


def end() -> None:
    session.pop(KEY, None)


def move(by: int) -> None:
    """Go on or back by the reader's own wish."""
    found = _kept()
    if found is not None:
        lab_id, number = found
        session[KEY] = {"lab": lab_id, "step": min(max(number + by, 0), len(STEPS) - 1)}


def address() -> str:
    """Where the present step is at home; the start page when no tour is under way."""
    found = _kept()
    return url_for("start.start") if found is None else _address(found[0], STEPS[found[1]])


def lab_of_tour() -> str:
    found = _kept()
    return "" if found is None else found[0]


def showing() -> Showing | None:
    """What the tour shows on this page, or None: there is none, or this is a page of another lab."""
    found = _kept()
    if found is None or request.method != "GET" or request.view_args is None:
        return None
    lab_id, number = found
    if request.view_args.get("lab_id", lab_id) != lab_id:
        return None
    try:
        number = _moved_on(lab_id, number)
    except NotFoundError:
        # The lab has ended, and the tour with it.
        end()
        return None
    except SandboxError:
        return None  # the lab does not answer just now
    step = STEPS[number]
    asked = {**request.args.to_dict(), **request.view_args}
    is_here = request.endpoint == step.endpoint and all(asked.get(key) == value for key, value in step.args.items())
    return Showing(step, number + 1, len(STEPS), is_here, _address(lab_id, step), lab_id)


def _moved_on(lab_id: str, number: int) -> int:
    console().labs.attempt(account(), lab_id)
    client, begun = lab_client(lab_id), number
    while (until := STEPS[number].until) is not None and until(client):
        number += 1
    if number != begun:
        session[KEY] = {"lab": lab_id, "step": number}
    return number


def _kept() -> tuple[str, int] | None:
    """The lab and the step, from a session that somebody may have had for long."""
    kept = session.get(KEY)
    if not isinstance(kept, dict) or not isinstance(kept.get("lab"), str) or not isinstance(kept.get("step"), int):
        return None
    return kept["lab"], min(max(kept["step"], 0), len(STEPS) - 1)


def _address(lab_id: str, step: Step) -> str:
    args: dict[str, Any] = {"lab_id": lab_id, **step.args}
    return url_for(step.endpoint, **args)
