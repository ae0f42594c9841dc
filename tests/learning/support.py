"""Event logs made by hand: a department with one mistyped title, and a trainee who does this and that about it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sandbox.events.event import FAULT, SYSTEM, Event
from sandbox.events.kinds import (
    AssociationRejected,
    AttemptClosed,
    Body,
    CheckFinished,
    CheckStarted,
    CommandFinished,
    CommandIssued,
    DiagnosisCommitted,
    EvidenceOpened,
    EvidencePinned,
    ExamAcquired,
    FaultApplied,
    HintRevealed,
    NodeConfigSaved,
    QueueFailed,
    QueueSent,
    TicketAnswered,
    TicketAsked,
    TicketClosed,
    TicketReceived,
    TicketUpdated,
)
from sandbox.learning.acts import Done, read_acts
from sandbox.learning.story import Clue, Story, WayStep
from sandbox.model.association import AssociationFacts, Rejection, Side
from sandbox.model.config_path import Change
from sandbox.model.verdict import Finding, Verdict

ANNA = "trainee:anna"
CALL = datetime(2026, 11, 23, 9, 0)
CHOICES = {
    "called-title-mistyped": "It calls by a wrong name",
    "own-title-changed": "It goes by another name",
    "wrong-port": "It calls a wrong port",
    "destination-held": "The queue is held",
    "rule-does-not-match": "A rule does not match",
    "never-sent": "It was never sent",
}
RIGHT = {"node": "CT1", "layer": "association", "fault": "called-title-mistyped"}

STORY = Story(
    text="## What happened\n\nA typo.\n\n## What to take to work\n\n- Copy *titles*,\n  do not type them.\n- Look.\n",
    started_at=CALL,
    scenario="drill",
    title="CT images do not come up",
    site="Riverside",
    seed=7,
    right=RIGHT,
    right_words={"node": "CT1", "layer": "Association", "fault": CHOICES["called-title-mistyped"]},
    choices=CHOICES,
    layers={"association": "Association: who may call whom", "network": "Network: names"},
    solution=("Correct it.",),
    ways=(
        (
            WayStep("node.config.save", "CT1", "On CT1: Save configuration."),
            WayStep("node.restart", "CT1", "On CT1: Restart."),
        ),
    ),
    hints=("Follow the patient.", "Compare.", "It is the called title.", "Set it."),
    clues=(
        Clue("association.rejected", "CT1", "CT1's log: rejected.", "ROUTTER"),
        Clue("queue.failed", "CT1", "CT1's queue waits."),
    ),
)


def words(event: Event) -> str:
    return f"{event.kind} on {event.node}."


class Log:
    """A log that is written by hand: ``after`` seconds from the call, by the department unless a person is named."""

    def __init__(self, *, broken: bool = True) -> None:
        self.events: list[Event] = []
        self.now = 0.0
        if broken:
            self.break_it()
        self.add(TicketReceived(ticket=1, sender="Rosalind Pike", subject="No CT"), at=0)

    def add(self, body: Body, *, node: str = "", actor: str = SYSTEM, cause: int | None = None, at: Any = None) -> int:
        self.now = self.now if at is None else at
        moment = CALL + timedelta(seconds=self.now)
        self.events.append(Event(len(self.events) + 1, moment, node, actor, cause, body))
        return len(self.events)

    def break_it(self) -> None:
        fault = self.add(
            FaultApplied(fault="config.called_ae_title", explanation="ROUTER had the title 'ROUTTER'."),
            actor=FAULT,
            at=-600,
        )
        change = Change(path="remotes.ROUTER.ae_title", before="ROUTER", after="ROUTTER")
        self.add(NodeConfigSaved(changes=(change,)), node="CT1", actor=FAULT, cause=fault)
        exam = self.add(
            ExamAcquired(
                accession_number="A1",
                patient_id="0001",
                patient_name="Walker^Grace",
                modality="CT",
                description="CT HEAD",
                study_uid="2.25.1",
                instances=6,
            ),
            node="CT1",
            at=-300,
        )
        self.rejected(cause=exam)
        self.waits(6, cause=exam)

    def rejected(self, cause: int, actor: str = SYSTEM) -> int:
        facts = AssociationFacts(
            id=f"a{len(self.events)}",
            node="CT1",
            side=Side.REQUESTOR,
            called_ae="ROUTTER",
            calling_ae="CT1",
            local="198.18.10.11:40000",
            peer="198.18.20.20:104",
        )
        body = AssociationRejected(facts=facts, rejection=Rejection(result=1, source=1, reason=7))
        return self.add(body, node="CT1", actor=actor, cause=cause)

    def waits(self, images: int, cause: int | None = None) -> int:
        body = QueueFailed(destination="ROUTER", waiting=images, attempt=1, reason="rejected", retry_in_s=2)
        return self.add(body, node="CT1", cause=cause)

    def sent(self, at: float | None = None) -> int:
        return self.add(QueueSent(destination="ROUTER", study_uid="2.25.1", sop_instance="1"), node="CT1", at=at)

    # --- what a trainee does -----------------------------------------------------------------------------------------

    def does(
        self, command: str, node: str = "CT1", *, at: float, ok: bool = True, says: str = "", **params: Any
    ) -> int:
        issued = self.add(CommandIssued(command=command, params={"node": node, **params}), node=node, actor=ANNA, at=at)
        self.add(CommandFinished(command=command, ok=ok, sentence=says), node=node, actor=ANNA, cause=issued)
        return issued

    def looks(self, what: str = "log", node: str = "CT1", *, at: float) -> int:
        return self.add(EvidenceOpened(what=what), node=node, actor=ANNA, at=at)

    def pins(self, pin: int, *, seq: int, node: str = "CT1", at: float) -> int:
        return self.add(EvidencePinned(pin=pin, what="event", seq=seq, text="see"), node=node, actor=ANNA, at=at)

    def diagnoses(self, *, at: float, **parts: Any) -> int:
        return self.add(DiagnosisCommitted(**{**RIGHT, **parts}), actor=ANNA, at=at)

    def hint(self, number: int, *, at: float) -> int:
        return self.add(HintRevealed(number=number, text="x"), actor=ANNA, at=at)

    def asks(self, *, at: float, hears: str = "") -> int:
        """Asks the caller, who answers a moment later: by then the command is finished."""
        issued = self.commands("attempt.ask", at=at)
        body = TicketAsked(ticket=1, to="Rosalind", about="see", text="What?")
        asked = self.add(body, actor=ANNA, cause=issued)
        self.add(CommandFinished(command="attempt.ask", ok=True, sentence="Asked."), actor=ANNA, cause=issued)
        if hears:
            self.add(TicketAnswered(ticket=1, sender="Rosalind", about="see", text=hears), cause=asked, at=at + 2)
        return asked

    def updates(self, *, at: float, **parts: str) -> int:
        told = {"impact": "CT waits", "known": "a title", "unknown": "since when", **parts}
        return self.add(TicketUpdated(ticket=1, text="x", next_update_min=10, **told), actor=ANNA, at=at)

    def closes(self, *, at: float, verified: str = "It is in the ED.", cause: int | None = None) -> int:
        """Sends the closing message; ``cause`` is the command, which is that of the end where it ended the drill."""
        body = TicketClosed(ticket=1, cause="A typo.", done="Corrected.", verified=verified, follow_up="")
        return self.add(body, actor=ANNA, cause=cause, at=at)

    def mends(self, *, at: float) -> None:
        self.does("node.config.save", at=at, set={"remotes.ROUTER.ae_title": "ROUTER"})
        self.does("node.restart", at=at + 1)

    def checks(self, *findings: Finding, at: float) -> int:
        started = self.add(CheckStarted(), actor=ANNA, at=at)
        for finding in findings:
            self.add(CheckFinished(finding=finding), actor=ANNA, cause=started)
        return started

    def commands(self, command: str, *, at: float) -> int:
        """Gives a command of the drill itself, whose events name it as their cause."""
        return self.add(CommandIssued(command=command), actor=ANNA, at=at)

    def ends(self, *, solved: bool, at: float, cause: int | None = None) -> int:
        return self.add(AttemptClosed(solved=solved, gave_up=not solved), actor=ANNA, cause=cause, at=at)

    def read(self, story: Story = STORY) -> Done:
        return read_acts(self.events, story)


def finding(verdict: Verdict = Verdict.PASS, *, invariant: bool = False, id: str = "ct") -> Finding:
    return Finding(id=id, check="A CT arrives.", verdict=verdict, sentence=f"{id}: {verdict}.", invariant=invariant)


def solved(**over: Any) -> Story:
    """The story of an attempt that was solved with the right diagnosis."""
    return replace(STORY, **{"solved": True, "committed": RIGHT, "findings": (finding(),), **over})


def expertly() -> Log:
    """The log of somebody who does everything right."""
    log = Log()
    log.asks(at=10)
    log.looks(at=20)
    log.looks("queue", at=30)
    log.pins(1, seq=4, at=40)
    log.updates(at=50)
    log.diagnoses(at=60)
    log.mends(at=70)
    log.sent(at=75)
    closing = log.commands("attempt.close", at=80)
    log.checks(finding(), at=80)
    log.ends(solved=True, at=90, cause=closing)
    log.closes(at=90, cause=closing)
    return log
