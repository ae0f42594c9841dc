"""One run of one scenario in one lab: from the phone call to the debrief.

An attempt lives beside its lab and in its directory: it survives a reset, which takes the department back to the call,
and the death of the process, after which it goes on with the same ticket, hints and findings. Everything it does is in
the event log; the debrief is a view of that.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from sandbox.checks.check import Check
from sandbox.checks.memory import Memory
from sandbox.drill.commands import COMMANDS
from sandbox.drill.desk import Desk
from sandbox.drill.finding import find_scenario
from sandbox.drill.judge import all_pass, baselines, judge
from sandbox.drill.layers import LAYERS
from sandbox.drill.load import LoadedScenario
from sandbox.drill.mail import Alarm, calls, handed_over
from sandbox.drill.notebook import Notebook
from sandbox.drill.record import AttemptRecord, Commitment, read_record, write_record
from sandbox.drill.scene import beginning, stage
from sandbox.drill.shown import attempt_view
from sandbox.drill.solution import Solution
from sandbox.drill.surface import Surface, pretended_surface
from sandbox.drill.telling import story_of
from sandbox.drill.telling import told as told_in_words
from sandbox.drill.thread import Thread
from sandbox.events.kinds import (
    AccountWritten,
    AttemptClosed,
    CheckFinished,
    CheckStarted,
    DiagnosisCommitted,
    EvidenceOpened,
    HintRevealed,
)
from sandbox.events.log import EventLog, because
from sandbox.faults.fault import Undo
from sandbox.lab.lab import Lab
from sandbox.learning.debrief import LATE, debrief
from sandbox.model.clock import Clock
from sandbox.model.discovery import suggestion
from sandbox.model.errors import BadInputError, ConflictError
from sandbox.model.moment import after
from sandbox.model.verdict import Finding
from sandbox.model.view import AttemptState, AttemptView, Choice, DebriefView

UP_BEFORE = timedelta(days=7)
"""How long the nodes of a drill have been up before anything happens that it tells of."""


class Attempt:
    """One trainee's (or team's) run of ``scenario`` in ``lab``. Every public method may be called from any thread.

    Making one goes on with what the lab's directory knows of it; ``begin`` sets a new one up.
    """

    def __init__(self, lab: Lab, scenario: LoadedScenario) -> None:
        self.lab = lab
        self.scenario = scenario
        self.undos: tuple[Undo, ...] = ()
        self._lock = threading.RLock()
        self._checking = False
        self._alarm = Alarm(self._deliver)
        self._looked_to = 0
        self._desk: Desk | None = None
        self._shown: AttemptView | None = None
        self._debrief: DebriefView | None = None
        self._told_to = 0
        self._kept = read_record(lab.directory)
        if self._kept is not None:
            self._resume()

    # --- beginning ---------------------------------------------------------------------------------------------------

    @property
    def has_begun(self) -> bool:
        return self._kept is not None

    def begin(self, *, with_faults: bool = True) -> None:
        """Set the scenario up in the running lab and let the phone ring. Does nothing when it has begun already.

        ``with_faults`` False makes the same day without what breaks it, which is what a verifier begins with.
        """
        with self._lock:
            if self.has_begun:
                return
            if self.lab.recovered:
                # A process that died while it set the scene up has left half of it.
                self.lab.reset()
            noted = self._healthy_baselines()
            staged = stage(self.lab, self.scenario, with_faults=with_faults)
            self.undos = staged.undos
            memory = staged.memory.model_copy(update={"baselines": noted})
            surface = Surface(self.lab.site, self.lab.seed, staged.rings_at, memory)
            started = self.lab.clock.now()
            self._kept = AttemptRecord(
                scenario=self.scenario.slug,
                memory=memory,
                mail=calls(self.scenario, self.lab.site, surface, started),
                started_at=started,
                lag_s=(started - _wall_clock()).total_seconds(),
            )
            self.lab.mark_start()
            self._write()
            self._join_lab()

    def _healthy_baselines(self) -> dict[str, Any]:
        """What checks compare with is noted before anything is broken: mending is never more than was right before."""
        surface = pretended_surface(self.scenario.exam, self.lab.site, self.lab.seed)
        claims = (*self.scenario.checks(surface), *self.scenario.invariants(surface))
        return baselines(self.lab.department, claims)

    def _resume(self) -> None:
        self.lab.clock.move_to(_wall_clock() + timedelta(seconds=self.record.lag_s))
        self._join_lab()

    def _join_lab(self) -> None:
        self.lab.extend(COMMANDS, self)
        self.lab.attempt = self
        self._deliver()
        self.thread.resume()

    def close(self) -> None:
        """Nobody calls or answers any more. The attempt itself stays on disk."""
        with self._lock:
            self._alarm.stop()
        if self.has_begun:
            self.thread.close()

    # --- what a trainee does -----------------------------------------------------------------------------------------

    def hint(self) -> str:
        """Reveal the next rung of the ladder. ConflictError when there is none left."""
        with self._lock:
            self._must_run()
            number = self.record.hints
            if number >= len(self.scenario.hint):
                raise ConflictError("There are no more hints.", "Give up when you want to be told.")
            text = self.surface.fill(self.scenario.hint[number].text)
            self._events.append(HintRevealed(number=number + 1, text=text))
            self._change(hints=number + 1)
            return text

    def diagnose(
        self, node: str, layer: str, fault: str, evidence: str = "", pins: tuple[int, ...] = (), confidence: str = ""
    ) -> None:
        """Commit to a diagnosis, resting on pinned evidence. A later one replaces it; the log keeps both."""
        with self._lock:
            self._must_run()
            pinned = [str(pin.number) for pin in self.desk.pins]
            for what, value, known in (
                ("system", node, [choice.value for choice in self.node_choices]),
                ("layer", layer, list(LAYERS)),
                ("cause", fault, [choice.value for choice in self.scenario.diagnosis.choices]),
                *(("pinned evidence", str(pin), pinned) for pin in pins),
            ):
                if value not in known:
                    raise BadInputError(f"{value!r} is no {what} of this drill.", suggestion(value, known))
            said = {"node": node, "layer": layer, "fault": fault, "evidence": evidence, "confidence": confidence}
            event = self._events.append(DiagnosisCommitted(pins=pins, **said))
            self._change(commitment=Commitment(pins=pins, event=event.seq, **said))

    def check(self) -> tuple[Finding, ...]:
        """Try the department out. When every check and invariant passes, the attempt is solved."""
        with self._lock:
            self._must_run()
            if self._checking:
                raise ConflictError("A check is under way already.", "Wait for its verdict; it takes a few seconds.")
            self._set_checking(True)
        try:
            started = self._events.append(CheckStarted())
            with because(started.seq):
                findings = self.judge(tell=True)
        finally:
            with self._lock:
                self._set_checking(False)
        with self._lock:
            before = {finding.id: finding.verdict.value for finding in self.record.findings}
            self._change(findings=findings, found_before=before, found_at=len(self._events))
            if all_pass(findings) and self.record.state is AttemptState.RUNNING:
                self._end(AttemptState.SOLVED)
        return findings

    def give_up(self) -> None:
        """End the attempt unsolved; the debrief tells the rest."""
        with self._lock:
            self._must_run()
            self._end(AttemptState.GIVEN_UP)

    @contextmanager
    def notebook(self) -> Iterator[Notebook]:
        """The trainee's notes and pins, for whoever writes in them."""
        with self._lock:
            yield Notebook(self.desk, self._events)

    @property
    def desk(self) -> Desk:
        """What lies on the trainee's desk by now."""
        with self._lock:
            if self._desk is None:
                self._desk = Desk(self._events, self.record.memory.start)
            if self._desk.catch_up():
                self._shown = None
            return self._desk

    @cached_property
    def solution(self) -> Solution:
        """The worked solution, for after giving up."""
        return Solution(self)

    @cached_property
    def thread(self) -> Thread:
        """The conversations on the tickets."""
        return Thread(self)

    def account(self, wrong: str, did: str, differently: str, *, skipped: bool = False) -> None:
        """Keep the trainee's own account, once the drill is over and before the debrief is read. It stands once."""
        with self._lock:
            if self.state is AttemptState.RUNNING:
                raise ConflictError("This drill still runs.", "Your account of it comes when it is over.")
            if self.debrief().account is not None:
                raise ConflictError("Your account is written already.", "Read it beside what the log says.")
            self._events.append(AccountWritten(wrong=wrong, did=did, differently=differently, skipped=skipped))
            self._debrief = self._shown = None

    def opened(self, what: str, node: str, association: str = "") -> None:
        """Somebody looked at something; for the debrief."""
        if self.state is AttemptState.RUNNING:
            self._events.append(EvidenceOpened(what=what, association=association), node=node)

    # --- judging -----------------------------------------------------------------------------------------------------

    def judge(self, *, tell: bool = False, only: Collection[str] | None = None) -> tuple[Finding, ...]:
        """The findings of all checks and invariants now, or ``only`` of those with these names. Changes nothing in the
        attempt; ``tell`` writes them down."""

        def note(finding: Finding) -> None:
            if tell:
                self._events.append(CheckFinished(finding=finding))

        checks, invariants = (
            [check for check in claims if only is None or check.name in only]
            for claims in (self.checks, self.invariants)
        )
        return judge(self.lab.department, self.record.memory, checks, invariants, note)

    @property
    def memory(self) -> Memory:
        """What was noted as the scenario began: its exams, and what checks compare with."""
        return self.record.memory

    @cached_property
    def surface(self) -> Surface:
        """What varies in this run, exams included."""
        return Surface(self.lab.site, self.lab.seed, self.record.started_at, self.record.memory)

    @cached_property
    def checks(self) -> tuple[Check, ...]:
        return self.scenario.checks(self.surface)

    @cached_property
    def invariants(self) -> tuple[Check, ...]:
        return self.scenario.invariants(self.surface)

    # --- being seen --------------------------------------------------------------------------------------------------

    @property
    def state(self) -> AttemptState:
        return self.record.state

    def view(self) -> AttemptView:
        """The drill as the trainee sees it."""
        with self._lock:
            self._forget_findings_of_before_a_reset()
            self.desk  # noqa: B018 - reads on, and forgets what was shown when something is new
            if self._shown is None:
                self._shown = attempt_view(self, checking=self._checking)
            return self._shown

    def _forget_findings_of_before_a_reset(self) -> None:
        """What was found before a reset is not what is the case after it."""
        looked_to = max(self._looked_to, self.record.found_at)
        self._looked_to = len(self._events)
        if not self.record.findings or self.state is not AttemptState.RUNNING:
            return
        if any(event.kind == "lab.reset" for event in self._events.since(looked_to)):
            self._change(findings=(), found_before={}, found_at=self._looked_to)

    @cached_property
    def node_choices(self) -> tuple[Choice, ...]:
        """The systems that a diagnosis can name."""
        return tuple(Choice(value=node.name, text=f"{node.name}, {node.title}") for node in self.lab.site.nodes)

    @cached_property
    def fault_choices(self) -> tuple[Choice, ...]:
        """The plausible causes, in an order of this seed's, so that the right one is not always the first."""
        choices = [Choice(value=choice.value, text=choice.text) for choice in self.scenario.diagnosis.choices]
        self.surface.random("choices").shuffle(choices)
        return tuple(choices)

    def debrief(self) -> DebriefView:
        """What happened. Told from the log up to the end of the attempt; only a message that closes a ticket, and the
        trainee's own account, come after that."""
        with self._lock:
            events = self._events.since()
            if self._debrief is not None and not any(event.kind in LATE for event in events[self._told_to :]):
                self._told_to = len(events)
                return self._debrief
            self._told_to = len(events)
            told = debrief(events, story_of(self), partial(told_in_words, self))
            if self.state is not AttemptState.RUNNING:
                self._debrief = told
            return told

    # --- inside ------------------------------------------------------------------------------------------------------

    @property
    def record(self) -> AttemptRecord:
        """What is kept of this attempt on disk. ConflictError before it has begun."""
        if self._kept is None:
            raise ConflictError("This attempt has not begun.", "Begin it when the lab is running.")
        return self._kept

    @property
    def _events(self) -> EventLog:
        return self.lab.events

    def _must_run(self) -> None:
        if self.record.state is not AttemptState.RUNNING:
            raise ConflictError("This drill is over.", "Read the debrief, or start it again with another seed.")

    def _set_checking(self, checking: bool) -> None:
        self._checking = checking
        self._shown = None

    def _change(self, **changes: object) -> None:
        self._kept = self.record.model_copy(update=changes)
        self._write()

    def _write(self) -> None:
        self._shown = None
        write_record(self.lab.directory, self.record)

    def _end(self, state: AttemptState) -> None:
        solved = state is AttemptState.SOLVED
        self._events.append(AttemptClosed(solved=solved, gave_up=not solved))
        self._change(state=state)
        self.close()

    # --- tickets -----------------------------------------------------------------------------------------------------

    def _deliver(self) -> None:
        """Hand over the tickets that are due, and wake up for the next one."""
        with self._lock:
            if self.record.state is not AttemptState.RUNNING or self._events.is_closed:
                return
            now = self.lab.clock.now()
            mail = handed_over(self.record.mail, self._events, now)
            if mail != self.record.mail:
                self._change(mail=mail)
            waiting = [entry.at for entry in mail if not entry.event]
            if waiting:
                self._alarm.set((min(waiting) - now).total_seconds())


def open_attempt(lab: Lab, root: Path | None = None) -> Attempt:
    """The attempt of a running lab that was made for a scenario: gone on with, or begun."""
    attempt = Attempt(lab, find_scenario(lab.scenario, root))
    attempt.begin()
    return attempt


def clock_for(directory: Path, scenario: LoadedScenario, seed: int) -> Clock:
    """The clock on which the lab of a drill in ``directory`` is to start, so that its log is in the order of its times.

    A new one came up a week before anything that the scenario tells; one that comes back goes on where it would be.
    """
    now, kept = _wall_clock(), read_record(directory)
    if kept is not None:
        return Clock(now + timedelta(seconds=kept.lag_s))
    surface = Surface(scenario.department_site(), seed, after(scenario.starts, now))
    return Clock(min(now, beginning(scenario, surface)) - UP_BEFORE)


def _wall_clock() -> datetime:
    return datetime.now().astimezone().replace(tzinfo=None)
