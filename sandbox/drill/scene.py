"""Sets a scenario up in a running lab: what happened before the phone rang, in the order in which it happened.

The lab's clock is moved through the past, so that every log line, image and queue entry is dated as it would be.
Nothing here waits for a fixed time: after each exam the department comes to rest by itself.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sample_dicom.people import make_patient_id
from sample_dicom.procedures import procedure
from sandbox.checks.memory import Memory, NotedExam
from sandbox.checks.trail import Trail
from sandbox.drill.load import LoadedScenario
from sandbox.drill.surface import Surface
from sandbox.events.event import SCENE, SYSTEM
from sandbox.events.log import EventLog
from sandbox.faults.fault import Fault, Undo, all_or_nothing
from sandbox.lab.lab import Lab
from sandbox.model.association import AssociationFacts, Side
from sandbox.model.clock import Clock
from sandbox.model.errors import BadInputError
from sandbox.model.moment import after, before
from sandbox.model.patient import Patient
from sandbox.model.scenario import SceneExam

REQUESTS_S = 5.0
"""How long it is waited for that, in seconds."""

QUIET_S = 0.6
"""How long nothing must have happened before it is believed that nothing more is asked, in seconds."""

LEAD = timedelta(minutes=10)
"""How long before the first exam a fault happened that does not say when."""

HANG_UP_S = 1.0
"""How long a sender may keep its association when nothing is left to send. It waits a fifth of a second for more."""


@dataclass(frozen=True)
class Staged:
    """A scenario that has been set up. ``rings_at`` is when the phone rings; ``undos`` take the faults out again."""

    memory: Memory
    rings_at: datetime
    undos: tuple[Undo, ...]


@dataclass(frozen=True)
class _Happening:
    moment: datetime
    phase: int
    act: Callable[[], None]


class Scene:
    """One scenario about to be set up in one lab."""

    def __init__(self, lab: Lab, scenario: LoadedScenario, *, with_faults: bool = True) -> None:
        self._lab = lab
        self._scenario = scenario
        self._with_faults = with_faults
        # The lab came up long ago by its own clock; the phone rings from today on.
        self._rings_at = after(scenario.starts, max(lab.clock.now(), Clock().now()))
        self._surface = Surface(lab.site, lab.seed, self._rings_at)
        self._exams: list[NotedExam] = []
        self._patients: dict[str, Patient] = {}
        self._undos: list[Undo] = []
        self._has_begun = False

    def stage(self) -> Staged:
        """Let it all happen. When anything cannot, what was broken so far is mended and the error goes on."""
        lab = self._lab
        with lab.composition.background.held(), all_or_nothing() as undos:
            self._undos = undos
            for happening in sorted(self._happenings(), key=lambda happening: (happening.moment, happening.phase)):
                self._move_to(happening.moment)
                happening.act()
            self._move_to(self._rings_at)
            self._let_requests_be_made()
        # In the order of the file, whenever each of them was made.
        order = [exam.id for exam in self._scenario.exam]
        exams = sorted(self._exams, key=lambda exam: (order.index(exam.label), exam.at))
        return Staged(Memory(start=len(lab.events), exams=tuple(exams)), self._rings_at, tuple(undos))

    def _move_to(self, moment: datetime) -> None:
        """Let it be ``moment``. What was silent on the network was silent for all the time between.

        Once the story has begun it goes forward only: what took longer than the story allows it is not overtaken.
        """
        now = self._lab.clock.now()
        moment = max(moment, now) if self._has_begun else moment
        self._has_begun = True
        passed = moment - now
        self._lab.clock.move_to(moment)
        self._lab.department.network.let_pass(passed.total_seconds())

    def _let_requests_be_made(self) -> None:
        """Where a modality asks for storage commitment it does so a moment after it has sent: the call comes later."""
        department = self._lab.department
        if not any(getattr(node.running, "request_commitment", "") for node in department.nodes.values()):
            return
        deadline = time.monotonic() + REQUESTS_S
        while time.monotonic() < deadline:
            position = len(department.events)
            if department.events.wait_for(lambda event: True, after=position, timeout=QUIET_S) is None:
                return

    def _happenings(self) -> list[_Happening]:
        scenario, rings = self._scenario, self._rings_at
        unsaid = _unsaid(scenario, rings)
        faults = [(before(fault.at, rings) if fault.at else unsaid, fault) for fault in scenario.faults(self._surface)]
        first = min((moment for moment, _ in faults), default=unsaid)
        # The house has always been like this: since its nodes came up, and before all that is told.
        always = min(self._lab.started_at, beginning(scenario, self._surface) - 2 * LEAD) + LEAD
        found = [_Happening(always, 0, self._prepare)] if scenario.before else []
        found += [
            _Happening(before(fault.at, rings) if fault.at else first - 2 * LEAD, 0, partial(self._break, fault))
            for fault in scenario.peculiarities(self._surface)
        ]
        if self._with_faults:
            found += [_Happening(moment, 2, partial(self._break, fault)) for moment, fault in faults]
        if scenario.meanwhile:
            found.append(_Happening(rings, 4, self._try))
        for exam in scenario.exam:
            start = first - LEAD if exam.before_fault and not exam.at else before(exam.at, rings)
            if exam.before_fault != (start < first) and exam.before_fault:
                raise BadInputError(f"The exam {exam.id!r} shall come before the fault.", "Give it an earlier moment.")
            found += [
                _Happening(
                    min(start + timedelta(minutes=exam.every_min * number), rings),
                    1 if exam.before_fault else 3,
                    partial(self._scan, exam, number),
                )
                for number in range(exam.count)
            ]
        return found

    def _prepare(self) -> None:
        """What makes the house what it is, long before anything breaks: no part of the story, and shown in no history
        while it runs."""
        for step in self._scenario.before:
            command = self._lab.parse(step.command, self._surface.fill_all(step.params))
            result = self._lab.execute(command, SCENE)
            if not result.ok:
                raise BadInputError(f"{step.command} did not work: {result.sentence}", "Mend the [[before]] step.")

    def _try(self) -> None:
        """What people did when they noticed: it may fail, since something is broken."""
        surface = Surface(self._lab.site, self._lab.seed, self._rings_at, Memory(exams=tuple(self._exams)))
        for step in self._scenario.meanwhile:
            self._lab.execute(self._lab.parse(step.command, surface.fill_all(step.params)), SYSTEM)

    def _break(self, fault: Fault) -> None:
        since = len(self._lab.events)
        self._undos.append(fault.apply(self._lab.department))
        _hang_up(self._lab.events, since)

    def _patient(self, exam: SceneExam, rng: random.Random) -> Patient | None:
        """Who comes, if it is not just anybody."""
        other = exam.same_patient or exam.namesake_of
        if not other:
            return None
        if other not in self._patients:
            raise BadInputError(
                f"The exam {exam.id!r} is about the patient of {other!r}, who has not been there yet.",
                "Name an exam that is made earlier.",
            )
        patient = self._patients[other]
        if exam.same_patient:
            return patient
        born = patient.birth_date - timedelta(days=rng.randint(3000, 9000))
        return patient.model_copy(update={"patient_id": make_patient_id(rng), "birth_date": born})

    def _scan(self, exam: SceneExam, number: int) -> None:
        department = self._lab.department
        rng = self._surface.random(f"exam:{exam.id}:{number}")
        over: dict[str, Any] = {"procedure": procedure(exam.procedure)} if exam.procedure else {}
        if patient := self._patient(exam, rng):
            over["patient"] = patient
        order = department.order(department.modality(exam.node).running.modality, rng, **over)
        self._patients.setdefault(exam.id, order.patient)
        order = order.model_copy(update={"stat": exam.stat})
        since = len(department.events)
        at = department.clock.now()
        made = department.acquire(exam.node, order, images=exam.images)
        instances = tuple(stored.sop_instance for stored in made.objects)
        self._exams.append(
            NotedExam(
                label=exam.id,
                node=exam.node,
                study_uid=made.study_uid,
                accession_number=order.accession_number,
                patient_id=order.patient.patient_id,
                patient_name=order.patient.name,
                spoken_name=order.patient.spoken_name,
                modality=order.procedure.modality,
                description=order.procedure.description,
                at=at,
                sop_instances=instances,
            )
        )
        Trail(department, made.study_uid, instances, since).settle(exam.settle_s)
        _hang_up(department.events, since)


def beginning(scenario: LoadedScenario, surface: Surface) -> datetime:
    """A moment before which nothing happens that ``scenario`` tells of, when the phone rings at ``surface.now``."""
    said = [str(primitive.params.get("at", "")) for primitive in (*scenario.fault, *scenario.given)]
    said += [exam.at for exam in scenario.exam]
    told = [before(surface.fill(at), surface.now) for at in said if at]
    return min([_unsaid(scenario, surface.now), *told]) - 2 * LEAD


def _unsaid(scenario: LoadedScenario, rings: datetime) -> datetime:
    """When a fault happened that does not say when."""
    later = [before(exam.at, rings) for exam in scenario.exam if not exam.before_fault]
    return min(later) - LEAD if later else rings


def _hang_up(events: EventLog, since: int) -> None:
    """Wait until what was called since then has hung up, or the log would say that it did so an hour later.

    Associations that a node keeps, or never lets go of, are given up on after ``HANG_UP_S``.
    """
    position, deadline = since, time.monotonic() + HANG_UP_S
    ends: dict[tuple[str, Side], int] = {}
    while True:
        for event in events.since(position):
            position = event.seq
            facts = getattr(event.body, "facts", None)
            if isinstance(facts, AssociationFacts) and event.kind != "association.accepted":
                end = (facts.id, facts.side)
                ends[end] = ends.get(end, 0) + (1 if event.kind == "association.requested" else -1)
        left = deadline - time.monotonic()
        if left <= 0 or not any(number > 0 for number in ends.values()):
            return
        events.wait_for(lambda event: event.kind.startswith("association."), after=position, timeout=left)


def stage(lab: Lab, scenario: LoadedScenario, *, with_faults: bool = True) -> Staged:
    """Set ``scenario`` up in a running lab; without its faults, the same day goes well."""
    return Scene(lab, scenario, with_faults=with_faults).stage()
