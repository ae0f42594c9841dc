"""Studies that go round: whether a node has sent an image to the same place twice."""

from __future__ import annotations

from collections import Counter

from sandbox.events.event import Event
from sandbox.events.kinds import QueueSent
from sandbox.nodes.department import Department


def sent_again(department: Department, study_uid: str, since: int) -> Event | None:
    """The first time after event ``since`` that a queue sent an image of the study where it had sent it already."""
    seen: Counter[tuple[str, str, str]] = Counter()
    for event in department.events.since(since):
        body = event.body
        if isinstance(body, QueueSent) and body.study_uid == study_uid:
            way = (event.node, body.destination, body.sop_instance)
            seen[way] += 1
            if seen[way] > 1:
                return event
    return None
