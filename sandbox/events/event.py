"""One line of a lab's log: what happened, when, to which node, by whom and because of what."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from sandbox.events.causes import SYSTEM
from sandbox.events.kinds import KINDS, Audience, Body
from sandbox.model.errors import BadInputError

__all__ = ["FAULT", "PROBE", "SCENE", "STAGING", "SYSTEM", "Event"]

PROBE = "probe"
FAULT = "fault"
SCENE = "scene"
STAGING = frozenset({FAULT, SCENE})
"""Actors that set a drill up: nothing that they do is the department's own doing, and nothing of it is seen before the
debrief."""


@dataclass(frozen=True)
class Event:
    """``seq`` counts from 1 within a lab. ``cause`` is the seq of the event that led to this one.

    ``actor`` is ``system`` (the department itself), ``probe`` (a check's own traffic), ``fault`` (what a fault does to
    nodes as it is put in or taken out), ``scene`` (what makes a lesson's house what it is, before anything breaks) or a
    person ("trainee:anna").
    """

    seq: int
    at: datetime
    node: str
    actor: str
    cause: int | None
    body: Body

    @property
    def kind(self) -> str:
        return self.body.kind

    @property
    def is_for_later(self) -> bool:
        """Whether a trainee may see it only in the debrief. A check's verdict is for now, its traffic is not."""
        if self.body.audience is Audience.LATER or self.actor in STAGING:
            return True
        return self.actor == PROBE and not self.kind.startswith("attempt.")

    def to_json(self) -> str:
        """One line of JSON, as it stands in the log file and goes over the API."""
        head = {"seq": self.seq, "at": self.at.isoformat(timespec="milliseconds"), "kind": self.kind, "node": self.node}
        tail = {
            "actor": self.actor,
            "cause": self.cause,
            "body": self.body.model_dump(mode="json", exclude_defaults=True),
        }
        return json.dumps(head | tail, ensure_ascii=False, separators=(",", ":"))

    @staticmethod
    def from_json(line: str) -> Event:
        """Read one line back. Raises BadInputError when it is no event."""
        try:
            raw = json.loads(line)
            body = KINDS[raw["kind"]].model_validate(raw["body"])
            at = datetime.fromisoformat(raw["at"])
            return Event(raw["seq"], at, raw["node"], raw["actor"], raw["cause"], body)
        except (ValueError, KeyError, TypeError) as wrong:
            raise BadInputError(f"This line is no event: {line[:80]!r}.", "Is it from another version?") from wrong
