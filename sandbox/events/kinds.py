"""Every kind of event a lab can write: one frozen class a kind, named in dotted past tense.

An event says what happened, not what it means. ``Audience.LATER`` marks what a trainee may see only in the debrief:
the faults, and the traffic of checks. A kind that is not in this file cannot be written.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, ClassVar

from pydantic import Field

from sandbox.model.association import (
    AssociationFacts,
    ContextResult,
    DialFailure,
    Exchange,
    ProposedContext,
    Rejection,
)
from sandbox.model.base import Model
from sandbox.model.config_path import Change
from sandbox.model.verdict import Finding


class Audience(StrEnum):
    """Who may see an event while a drill runs."""

    ALL = "all"
    LATER = "later"


class Body(Model):
    """What an event carries. Subclasses set ``kind``; the registry below is made from them."""

    kind: ClassVar[str]
    audience: ClassVar[Audience] = Audience.ALL


class LabStarted(Body):
    kind = "lab.started"
    site: str
    scenario: str = ""
    seed: int
    recovered: bool = False


class LabReset(Body):
    kind = "lab.reset"


class LabStopped(Body):
    kind = "lab.stopped"


class CommandIssued(Body):
    kind = "command.issued"
    command: str
    params: dict[str, Any] = Field(default_factory=dict)


class CommandFinished(Body):
    kind = "command.finished"
    command: str
    ok: bool
    sentence: str


class NodeStarted(Body):
    kind = "node.started"
    ae_title: str
    address: str
    published: str
    tls_address: str = ""
    tls_published: str = ""
    dicomweb: str = ""


class NodeStopped(Body):
    kind = "node.stopped"
    reason: str = ""


class NodeConfigSaved(Body):
    kind = "node.config.saved"
    changes: tuple[Change, ...]


class NetworkChanged(Body):
    """The network team changed the firewall, DNS, a host's table of names or its address; ``node`` where it is one
    host's. Paths are firewall, dns.NAME, hosts.NODE.NAME and address.NODE."""

    kind = "network.changed"
    changes: tuple[Change, ...]


class NodeLogged(Body):
    """A line of a node's own log, in the words of an administrator's log."""

    kind = "node.logged"
    level: str
    text: str
    association: str = ""


class AssociationRequested(Body):
    kind = "association.requested"
    facts: AssociationFacts
    proposed: tuple[ProposedContext, ...]


class AssociationFailed(Body):
    """No TCP connection came about."""

    kind = "association.failed"
    facts: AssociationFacts
    failure: DialFailure


class AssociationAccepted(Body):
    kind = "association.accepted"
    facts: AssociationFacts
    contexts: tuple[ContextResult, ...]


class AssociationRejected(Body):
    kind = "association.rejected"
    facts: AssociationFacts
    rejection: Rejection


class AssociationReleased(Body):
    kind = "association.released"
    facts: AssociationFacts


class AssociationAborted(Body):
    kind = "association.aborted"
    facts: AssociationFacts
    reason: str


class ConnectionUnspoken(Body):
    """Somebody connected and never asked for an association: a port test, a scanner, garbage."""

    kind = "connection.unspoken"
    peer: str
    peer_node: str = ""
    reason: str


class DimseExchanged(Body):
    kind = "dimse.exchanged"
    association: str
    side: str
    peer_ae: str
    exchange: Exchange


class ExamAcquired(Body):
    kind = "exam.acquired"
    accession_number: str
    patient_id: str
    patient_name: str
    modality: str
    description: str
    study_uid: str
    instances: int


class InstanceStored(Body):
    """An instance became durable on this node (archive, router queue, workstation or a modality's own disk)."""

    kind = "instance.stored"
    study_uid: str
    sop_instance: str
    calling_ae: str = ""
    association: str = ""
    duplicate: bool = False


class StudyRouted(Body):
    """The router decided on an instance of a study for the first time. ``rules`` are those that matched."""

    kind = "study.routed"
    study_uid: str
    accession_number: str = ""
    rules: tuple[str, ...]
    destinations: tuple[str, ...]


class QueueSent(Body):
    kind = "queue.sent"
    destination: str
    study_uid: str
    sop_instance: str


class QueueFailed(Body):
    """An attempt to send failed; the entry stays and will be tried again in ``retry_in_s``.

    ``study_uid`` is that of an object which was refused while others go on; empty, when there was no association and
    all that waits is concerned.
    """

    kind = "queue.failed"
    destination: str
    waiting: int
    attempt: int
    reason: str
    retry_in_s: float
    study_uid: str = ""


class QueueEntryDied(Body):
    kind = "queue.entry.died"
    destination: str
    sop_instance: str
    reason: str


class QueueHeld(Body):
    kind = "queue.held"
    destination: str
    reason: str = ""


class QueueResumed(Body):
    kind = "queue.resumed"
    destination: str


class QueueRedriven(Body):
    kind = "queue.redriven"
    destination: str
    entries: int


class QueueDiscarded(Body):
    kind = "queue.discarded"
    destination: str
    entries: int
    reason: str = ""


class CommitmentRequested(Body):
    """A node asked ``peer`` (a line of its AE table) to take charge of what it has sent (PS3.4 J)."""

    kind = "commitment.requested"
    peer: str
    transaction_uid: str
    instances: int


class CommitmentReported(Body):
    """What became of a request. ``reasons`` are the failure reasons (0008,1197) that were given, each once."""

    kind = "commitment.reported"
    peer: str
    transaction_uid: str
    committed: int
    failed: int = 0
    reasons: tuple[int, ...] = ()


class ArchiveOperation(Model):
    """What an administrator's operation on an archive says: sentence and reason, its entry in the archive's journal,
    and the studies it concerned."""

    sentence: str
    reason: str
    entry: int = 0
    instances: int = 0
    studies: tuple[str, ...] = ()


class ArchiveDeleted(ArchiveOperation, Body):
    kind = "archive.deleted"


class ArchiveRestored(ArchiveOperation, Body):
    kind = "archive.restored"


class ArchiveBinEmptied(ArchiveOperation, Body):
    kind = "archive.bin.emptied"


class ArchiveReindexed(ArchiveOperation, Body):
    kind = "archive.reindexed"


class ArchiveOrphansMended(ArchiveOperation, Body):
    kind = "archive.orphans.mended"


class ArchiveEdited(ArchiveOperation, Body):
    kind = "archive.edited"


class ArchiveMerged(ArchiveOperation, Body):
    kind = "archive.merged"


class ArchiveSplit(ArchiveOperation, Body):
    kind = "archive.split"


class ArchiveStudyMoved(ArchiveOperation, Body):
    kind = "archive.study.moved"


class ArchiveRejected(ArchiveOperation, Body):
    kind = "archive.rejected"


class ArchiveUndone(ArchiveOperation, Body):
    kind = "archive.undone"


class ArchiveExported(ArchiveOperation, Body):
    kind = "archive.exported"


class ArchiveWatermarkPassed(Body):
    """The archive holds more than its high watermark. ``used`` and ``quota`` in bytes."""

    kind = "archive.watermark.passed"
    used: int
    quota: int
    percent: int


class ArchiveWatermarkCleared(Body):
    """The archive holds less than its high watermark again."""

    kind = "archive.watermark.cleared"
    used: int
    quota: int
    percent: int


class ArchiveFilled(Body):
    """The archive begins to refuse images with A700. It is written once, until it takes some again."""

    kind = "archive.filled"
    reason: str


class BackgroundPaused(Body):
    kind = "background.paused"


class BackgroundResumed(Body):
    kind = "background.resumed"


class FaultApplied(Body):
    kind = "fault.applied"
    audience = Audience.LATER
    fault: str
    params: dict[str, Any] = Field(default_factory=dict)
    explanation: str = ""


class FaultUndone(Body):
    kind = "fault.undone"
    audience = Audience.LATER
    fault: str


class TicketReceived(Body):
    kind = "ticket.received"
    ticket: int
    sender: str
    subject: str


class TicketAsked(Body):
    """The trainee asked somebody of the hospital. ``to`` is the person's name, ``about`` which of the questions."""

    kind = "ticket.asked"
    ticket: int
    to: str
    about: str
    text: str


class TicketAnswered(Body):
    """Somebody of the hospital said something. ``about`` is a question's, or update, close, or news where they ask.

    ``worked`` is what came of it where the person truly tried something for this answer, and None where not.
    """

    kind = "ticket.answered"
    ticket: int
    sender: str
    about: str
    text: str
    worked: bool | None = None


class TicketUpdated(Body):
    """The trainee told those who wait how things are. ``next_update_min`` is in minutes."""

    kind = "ticket.updated"
    ticket: int
    text: str
    impact: str
    known: str
    unknown: str
    next_update_min: int


class TicketClosed(Body):
    """The closing message, written when the caller has tried and it works."""

    kind = "ticket.closed"
    ticket: int
    cause: str
    done: str
    verified: str
    follow_up: str


class NoteWritten(Body):
    """A note of the trainee's notebook, new or changed: the text is all of it as it is now."""

    kind = "attempt.note.written"
    note: int
    text: str


class NoteRemoved(Body):
    kind = "attempt.note.removed"
    note: int


class EvidencePinned(Body):
    """Something that the trainee holds for evidence. ``what`` is what kind of thing it is (association, log, result,
    event, header, queue, answer …), ``seq`` the event that tells of it (0: none), ``text`` what it says, ``points_to``
    what the trainee takes it to mean. ``pin`` counts from 1 and is used once; what a pin says may be pinned anew.
    """

    kind = "attempt.evidence.pinned"
    pin: int
    what: str
    association: str = ""
    seq: int = 0
    text: str
    points_to: str = ""


class EvidenceUnpinned(Body):
    kind = "attempt.evidence.unpinned"
    pin: int


class EvidenceOpened(Body):
    """Somebody looked: ``what`` is one of log, association, queue, config, studies, instance. For the debrief."""

    kind = "attempt.evidence.opened"
    audience = Audience.LATER
    what: str
    association: str = ""


class HintRevealed(Body):
    kind = "attempt.hint.revealed"
    number: int
    text: str


class DiagnosisCommitted(Body):
    """A hypothesis. ``pins`` are the numbers of the evidence that it rests on; ``confidence`` is guess, likely, sure or
    not said."""

    kind = "attempt.diagnosis.committed"
    node: str
    layer: str
    fault: str
    evidence: str = ""
    pins: tuple[int, ...] = ()
    confidence: str = ""


class CheckStarted(Body):
    kind = "attempt.check.started"


class CheckFinished(Body):
    kind = "attempt.check.finished"
    finding: Finding


class ProbeStarted(Body):
    """A check begins its own operations: the cause of all traffic that is nobody's but the check's."""

    kind = "probe.started"
    audience = Audience.LATER
    check: str


class AccountWritten(Body):
    """The trainee's own account, before the debrief was read: what was wrong, what they did, what they would do
    differently; or that they skipped it."""

    kind = "attempt.account.written"
    wrong: str = ""
    did: str = ""
    differently: str = ""
    skipped: bool = False


class AttemptClosed(Body):
    kind = "attempt.closed"
    solved: bool
    gave_up: bool = False


def _all_kinds(base: type[Body]) -> dict[str, type[Body]]:
    found: dict[str, type[Body]] = {}
    for body in base.__subclasses__():
        found[body.kind] = body
    return found


KINDS: dict[str, type[Body]] = _all_kinds(Body)
