"""After a pause it still works: the first job in the morning is as good as the last one at night."""

from __future__ import annotations

import time

from pydantic import Field

from sandbox.checks.check import Check, Judgement, failed, passed, unclear
from sandbox.checks.memory import Memory
from sandbox.checks.names import Names, said
from sandbox.checks.probe_exam import probe_exam
from sandbox.events.event import Event
from sandbox.nodes.department import Department

_SPOKEN = ("dimse.exchanged", "association.accepted", "association.released", "association.aborted")


class AssociationSurvivesIdle(Check):
    """``association_survives_idle``: an exam of ``node`` arrives at every ``at``, and after ``idle_s`` seconds in which
    the node said nothing, another one does, within ``within_s``.

    Whether the association was kept, renewed or closed meanwhile does not matter. ``idle_s`` must be longer than what
    the firewall allows, and ``within_s`` shorter than the node's DIMSE timeout, or the delay is not noticed.
    """

    kind = "association_survives_idle"

    node: str
    at: Names
    idle_s: float = Field(gt=0, le=120)
    within_s: float = Field(10.0, gt=0, le=300)

    def claim(self) -> str:
        return (
            f"After a pause of {self.idle_s:g} s, an exam from {self.node} arrives at {said(self.at)} within "
            f"{self.within_s:g} s."
        )

    def nodes(self) -> tuple[str, ...]:
        return (self.node, *self.at)

    def judge(self, department: Department, memory: Memory) -> Judgement:
        del memory
        # An association that died before the cure costs a timeout or an exam more; this is about those that come after.
        patience_s = self.within_s + department.node(self.node).running.dimse_timeout_s
        before, first = self._sent(department, patience_s)
        if not first:
            before, first = self._sent(department, self.within_s)
        if not first:
            return failed(
                f"An exam from {self.node} does not arrive at {said(self.at)}, with or without a pause.", before
            )
        if not self._pause(department):
            return unclear(
                f"{self.node} was never silent for {self.idle_s:g} s, so a pause could not be tried.", before
            )
        after, second = self._sent(department, self.within_s)
        evidence = tuple(dict.fromkeys((*before, *after)))
        if not second:
            return failed(
                f"The first exam from {self.node} after a pause of {self.idle_s:g} s had not arrived within "
                f"{self.within_s:g} s; without a pause one did.",
                evidence,
            )
        return passed(f"After {self.idle_s:g} s without a word, the next exam from {self.node} arrived.", evidence)

    def _sent(self, department: Department, within_s: float) -> tuple[tuple[int, ...], bool]:
        with probe_exam(department, self.node, images=1) as (_, trail):
            arrivals = [trail.follow_to(place, within_s) for place in self.at]
        evidence = tuple(seq for arrival in arrivals for seq in arrival.evidence)
        return evidence, all(arrival.arrived for arrival in arrivals)

    def _pause(self, department: Department) -> bool:
        """Wait until the node has said nothing for so long; others may use its associations meanwhile."""
        events = department.events
        deadline = time.monotonic() + 5 * self.idle_s
        while time.monotonic() < deadline:
            if events.wait_for(self._is_spoken, after=len(events), timeout=self.idle_s) is None:
                return True
        return False

    def _is_spoken(self, event: Event) -> bool:
        return event.node == self.node and event.kind in _SPOKEN
