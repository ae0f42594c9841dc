"""The answer to "do you have it?" comes back: what a modality has sent is confirmed, so that it may delete it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from pydantic import Field

from sandbox.checks.check import Check, Judgement, failed, passed
from sandbox.checks.memory import Memory
from sandbox.checks.names import Names, counted
from sandbox.checks.probe_exam import probe_exam
from sandbox.events.event import Event
from sandbox.events.kinds import AssociationFailed, AssociationRejected
from sandbox.events.log import current
from sandbox.model.association import Side
from sandbox.nodes.commitment_rows import CommitmentState
from sandbox.nodes.department import Department
from sandbox.nodes.modality import Modality

LOOKS_S = 0.5
"""How long to wait for an event until looking again."""

CALLS_IN_VAIN = 2
"""After so many calls to the modality that did not come about it is certain that no answer comes."""


class CommitmentReturns(Check):
    """``commitment_returns``: storage commitment of a new exam of ``node`` comes back to it within ``within_s``.

    Asked of whom the modality is configured to ask (PS3.4 J.3); an answer that the images are not there yet is waited
    through. With ``exams`` it is about those instead of a new one: each image of them that ``node`` still keeps must be
    confirmed. A modality that asks nobody has no answer.
    """

    kind = "commitment_returns"

    node: str
    exams: Names = ()
    images: int = Field(1, ge=1, le=50)
    within_s: float = Field(20.0, gt=0, le=300)

    def claim(self) -> str:
        return f"What {self.node} has sent is confirmed to it within {self.within_s:g} s."

    def nodes(self) -> tuple[str, ...]:
        return (self.node,)

    def labels(self) -> tuple[str, ...]:
        return self.exams

    def judge(self, department: Department, memory: Memory) -> Judgement:
        modality = department.modality(self.node)
        asked = modality.running.request_commitment
        if not asked:
            return failed(f"{self.node} asks nobody whether its images are safe.")
        if self.exams:
            noted = [exam for label in self.exams for exam in memory.labelled(label) if exam.node == self.node]
            return self._followed(department, modality, [uid for exam in noted for uid in exam.sop_instances])
        with probe_exam(department, self.node, images=self.images) as (exam, _):
            return self._followed(department, modality, [stored.sop_instance for stored in exam.objects])

    def _followed(self, department: Department, modality: Modality, instances: Sequence[str]) -> Judgement:
        began, events = time.monotonic(), department.events
        since = current().cause or len(events)
        asked = modality.running.request_commitment
        # Who asks hears on a call to its own AE title, which somebody else must be able to make.
        in_vain = _calls_to(modality)
        while True:
            position = len(events)
            open_ones = _unconfirmed(modality, instances)
            if not open_ones:
                took = max(time.monotonic() - began, 0.1)
                answers = tuple(event.seq for event in events.since(since) if _is_answer(event, modality.name))
                what = counted(len(instances), "image")
                return passed(f"{asked} has confirmed {what} to {modality.name} within {took:.1f} s.", answers)
            calls = tuple(event.seq for event in events.since(since) if in_vain(event))
            left = self.within_s - (time.monotonic() - began)
            if left <= 0 or len(calls) >= CALLS_IN_VAIN:
                what = counted(len(open_ones), "image")
                sentence = f"{modality.name} has not been told that {what} of {len(instances)} are safe with {asked}."
                return failed(sentence, calls)
            events.wait_for(lambda event: _may_matter(event, modality.name), after=position, timeout=min(left, LOOKS_S))


def _unconfirmed(modality: Modality, instances: Sequence[str]) -> list[str]:
    """Those that are kept and not confirmed. What was confirmed and then deleted is neither."""
    states: Mapping[str, CommitmentState] = modality.commitment.states()
    return [
        uid
        for uid in instances
        if states.get(uid) is not CommitmentState.COMMITTED
        and (uid in states or modality.store.instance_path(uid) is not None)
    ]


def _calls_to(modality: Modality) -> Callable[[Event], bool]:
    title = modality.running.ae_title

    def matches(event: Event) -> bool:
        body = event.body
        return (
            isinstance(body, AssociationFailed | AssociationRejected)
            and event.node != modality.name
            and body.facts.side is Side.REQUESTOR
            and body.facts.called_ae == title
        )

    return matches


def _is_answer(event: Event, node: str) -> bool:
    return event.kind == "commitment.reported" and event.node == node


def _may_matter(event: Event, node: str) -> bool:
    return _is_answer(event, node) or event.kind in ("association.failed", "association.rejected")
