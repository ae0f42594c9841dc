"""What comes back from calling another AE: outcomes, answers and failures as frozen values.

A DICOM failure is a result. Each value can say in one sentence what happened, for a log line or a screen.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pydicom.dataset import Dataset

from sandbox.dicom.explain import explain_dial, explain_rejection
from sandbox.model.association import AssociationFacts, ContextResult, DialFailure, Rejection


class FailureKind(StrEnum):
    """Why there is no association. They are different troubles with different cures."""

    NO_CONNECTION = "no-connection"
    NO_TLS = "no-tls"
    REJECTED = "rejected"
    ABORTED = "aborted"
    TIMED_OUT = "timed-out"
    NO_ACCEPTED_CONTEXT = "no-accepted-context"


@dataclass(frozen=True)
class AssociationFailure:
    """An association that did not come about. ``dial`` or ``rejection`` is there when the kind is that."""

    kind: FailureKind
    facts: AssociationFacts
    sentence: str
    dial: DialFailure | None = None
    rejection: Rejection | None = None
    contexts: tuple[ContextResult, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """The answer to one request. ``status`` is None when none came; then ``failure`` says why."""

    status: int | None
    comment: str = ""
    duration_ms: float = 0.0
    failure: str = ""

    @property
    def succeeded(self) -> bool:
        return self.status == 0

    @property
    def is_warning(self) -> bool:
        return self.status is not None and (self.status in (0x0001, 0x0107, 0x0116) or self.status >> 12 == 0xB)


@dataclass(frozen=True)
class NormalizedOutcome(Outcome):
    """The answer to a DIMSE-N request, with the data set and the SOP Instance UID that came with it."""

    dataset: Dataset | None = None
    sop_instance: str = ""


@dataclass(frozen=True)
class FindResponse:
    """One C-FIND response: a match (``identifier``), or the final one. ``status`` None: the peer went away."""

    status: int | None
    identifier: Dataset | None = None
    comment: str = ""
    failure: str = ""

    @property
    def is_pending(self) -> bool:
        return self.status in (0xFF00, 0xFF01)


@dataclass(frozen=True)
class MoveResponse:
    """One C-MOVE or C-GET response with the counts it carried; None where it carried none."""

    status: int | None
    remaining: int | None = None
    completed: int | None = None
    failed: int | None = None
    warning: int | None = None
    comment: str = ""
    failed_uids: tuple[str, ...] = ()
    failure: str = ""

    @property
    def is_pending(self) -> bool:
        return self.status in (0xFF00, 0xFF01)


def dial_failed(facts: AssociationFacts, failure: DialFailure) -> AssociationFailure:
    """No TCP connection."""
    sentence = f"{facts.called_ae} at {facts.peer}: {explain_dial(failure.outcome).meaning}"
    return AssociationFailure(FailureKind.NO_CONNECTION, facts, sentence, dial=failure)


def no_tls(facts: AssociationFacts, reason: str) -> AssociationFailure:
    """No TLS over the connection; ``reason`` is a clause."""
    sentence = f"{facts.called_ae} at {facts.peer}: {reason}."
    return AssociationFailure(FailureKind.NO_TLS, facts, sentence)


def rejected(facts: AssociationFacts, rejection: Rejection) -> AssociationFailure:
    """A-ASSOCIATE-RJ."""
    words = explain_rejection(rejection)
    sentence = f"{facts.called_ae} at {facts.peer} rejected the association ({rejection}): {words.name}."
    return AssociationFailure(FailureKind.REJECTED, facts, sentence, rejection=rejection)
