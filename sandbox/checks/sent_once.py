"""An exam goes its way once, and comes to rest: no two nodes throw it to each other."""

from __future__ import annotations

import time
from contextlib import ExitStack

from pydantic import Field

from sandbox.checks.check import Check, Judgement, failed, passed
from sandbox.checks.memory import Memory
from sandbox.checks.names import Names, said
from sandbox.checks.probe_exam import probe_exam
from sandbox.checks.rounds import sent_again
from sandbox.checks.trail import MOVES, QUIET_S, Trail
from sandbox.events.event import Event
from sandbox.events.kinds import QueueSent
from sandbox.nodes.department import Department


class SentOnce(Check):
    """``sent_once``: a new exam of each ``node`` comes to every ``at`` and to rest within ``within_s``, and nobody
    sends an image of it to the same place twice on the way.

    ``procedure`` (a code of the catalogue) is what is scanned, so that rules send it that way.
    """

    kind = "sent_once"

    node: Names
    at: Names
    within_s: float = Field(20.0, gt=0, le=300)
    images: int = Field(1, ge=1, le=50)
    procedure: str = ""

    def claim(self) -> str:
        return f"A new exam from {said(self.node, 'or')} comes to {said(self.at)} once, and to rest."

    def nodes(self) -> tuple[str, ...]:
        return (*self.node, *self.at)

    def judge(self, department: Department, memory: Memory) -> Judgement:
        del memory
        evidence: list[int] = []
        with ExitStack() as exams:
            trails = [
                exams.enter_context(probe_exam(department, node, images=self.images, procedure=self.procedure))[1]
                for node in self.node
            ]
            for node, trail in zip(self.node, trails, strict=True):
                again = self._again(department, trail)
                evidence += trail.events()
                if again is not None and isinstance(again.body, QueueSent):
                    sentence = (
                        f"{again.node} sent a new exam from {node} to {again.body.destination} a second time: "
                        "it goes round."
                    )
                    return failed(sentence, (*evidence, again.seq))
                for place in self.at:
                    if trail.sop_instances - trail.at(place):
                        return failed(f"A new exam from {node} does not arrive at {place}.", tuple(evidence))
                if any(waiting.is_moving for waiting in trail.waiting()):
                    return failed(f"A new exam from {node} does not come to rest.", tuple(evidence))
        return passed(f"New exams from {said(self.node)} came to {said(self.at)} once, and to rest.", tuple(evidence))

    def _again(self, department: Department, trail: Trail) -> Event | None:
        """What shows that it goes round; None once it is at rest, or after ``within_s``."""
        deadline, events = time.monotonic() + self.within_s, department.events
        position, was_at_rest = len(events), False
        while True:
            if again := sent_again(department, trail.study_uid, trail.since):
                return again
            is_at_rest = trail.failing() is not None
            left = deadline - time.monotonic()
            if left <= 0 or (is_at_rest and was_at_rest):
                return None
            moved = events.wait_for(
                lambda event: event.kind in MOVES and getattr(event.body, "study_uid", "") == trail.study_uid,
                after=position,
                timeout=min(left, QUIET_S),
            )
            # Between two queues an image is nowhere for a moment; at rest is what stays so.
            was_at_rest = is_at_rest and moved is None
            position = len(events) if moved is None else moved.seq
