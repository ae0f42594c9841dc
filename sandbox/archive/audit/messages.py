"""Audit messages as values, and one function for each kind of message that an archive sends (PS3.15 A.5.3).

The codes are those of PS3.16 CID 400 to 405. A message tells of one event for any number of instances of one patient's
studies: that one message may stand for many instances is what keeps auditing off the hot path.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True)
class Code:
    """A coded value: code, meaning and the system that it is of."""

    value: str
    meaning: str
    system: str = "DCM"


APPLICATION_ACTIVITY = Code("110100", "Application Activity")
BEGIN_TRANSFERRING = Code("110102", "Begin Transferring DICOM Instances")
INSTANCES_ACCESSED = Code("110103", "DICOM Instances Accessed")
INSTANCES_TRANSFERRED = Code("110104", "DICOM Instances Transferred")
STUDY_DELETED = Code("110105", "DICOM Study Deleted")
QUERY = Code("110112", "Query")
SECURITY_ALERT = Code("110113", "Security Alert")

APPLICATION_START = Code("110120", "Application Start")
APPLICATION_STOP = Code("110121", "Application Stop")
NODE_AUTHENTICATION = Code("110126", "Node Authentication")
RESTRICTED_FUNCTION = Code("110132", "Use of Restricted Function")

APPLICATION = Code("110150", "Application")
APPLICATION_LAUNCHER = Code("110151", "Application Launcher")
DESTINATION = Code("110152", "Destination Role ID")
SOURCE = Code("110153", "Source Role ID")

STUDY_INSTANCE_UID = Code("110180", "Study Instance UID")
SOP_CLASS_UID = Code("110181", "SOP Class UID")
NODE_ID = Code("110182", "Node ID")
PATIENT_NUMBER = Code("2", "Patient Number", "RFC-3881")


class Action(StrEnum):
    """What was done."""

    CREATE = "C"
    READ = "R"
    UPDATE = "U"
    DELETE = "D"
    EXECUTE = "E"


class Outcome(StrEnum):
    """How it ended."""

    SUCCESS = "0"
    MINOR_FAILURE = "4"
    SERIOUS_FAILURE = "8"
    MAJOR_FAILURE = "12"


@dataclass(frozen=True)
class Participant:
    """Somebody or something that took part. ``address`` is its IP address or host name, ``is_requestor`` says whether
    it began the event."""

    user_id: str
    is_requestor: bool
    roles: tuple[Code, ...] = ()
    alternative_id: str = ""
    address: str = ""


@dataclass(frozen=True)
class ParticipantObject:
    """What the event was about. It has a ``name`` or a ``query`` (bytes). ``kind`` is 1 person or 2 system object,
    ``role`` a number of PS3.15 A.5.1.2.2, ``life_cycle`` one of A.5.1.2.3."""

    id: str
    id_type: Code
    kind: str
    role: str
    name: str = ""
    query: bytes | None = None
    life_cycle: str = ""
    details: tuple[tuple[str, bytes], ...] = ()
    accession: str = ""
    sop_classes: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Message:
    """One audit message. ``source`` is who reports it."""

    event: Code
    action: Action
    at: datetime
    source: str
    participants: tuple[Participant, ...]
    objects: tuple[ParticipantObject, ...] = ()
    outcome: Outcome = Outcome.SUCCESS
    description: str = ""
    types: tuple[Code, ...] = ()


@dataclass(frozen=True)
class Study:
    """A study that was touched: whose it is (``issuer`` of the patient's ID), and how many instances of which SOP class
    it was about."""

    uid: str
    patient_id: str = ""
    patient_name: str = ""
    accession: str = ""
    sop_classes: Mapping[str, int] = field(default_factory=dict)
    issuer: str = ""


@dataclass(frozen=True)
class Told:
    """What every message says: when, by whom it is reported, and how the event ended."""

    at: datetime
    source: str
    outcome: Outcome = Outcome.SUCCESS
    description: str = ""


def application_activity(told: Told, application: Participant, *, starts: bool, by: str) -> Message:
    """The archive starts or stops (A.5.3.1)."""
    kind = APPLICATION_START if starts else APPLICATION_STOP
    launcher = Participant(by, True, (APPLICATION_LAUNCHER,))
    return _message(APPLICATION_ACTIVITY, Action.EXECUTE, told, (application, launcher), (), (kind,))


def begin_transferring(
    told: Told, source: Participant, destination: Participant, others: Sequence[Participant], studies: Sequence[Study]
) -> Message:
    """Instances are about to be sent (A.5.3.3)."""
    return _message(BEGIN_TRANSFERRING, Action.EXECUTE, told, (source, destination, *others), objects_of(studies))


def transferred(
    told: Told,
    action: Action,
    source: Participant,
    destination: Participant,
    others: Sequence[Participant],
    studies: Sequence[Study],
) -> Message:
    """Instances were sent (READ) or taken in (CREATE) (A.5.3.7)."""
    return _message(INSTANCES_TRANSFERRED, action, told, (source, destination, *others), objects_of(studies))


def queried(
    told: Told, source: Participant, destination: Participant, sop_class: str, keys: bytes, transfer_syntax: str
) -> Message:
    """A query, with its keys as they came (A.5.3.10)."""
    asked = ParticipantObject(
        sop_class, SOP_CLASS_UID, "2", "3", query=keys, details=(("TransferSyntax", transfer_syntax.encode("ascii")),)
    )
    return _message(QUERY, Action.EXECUTE, told, (source, destination), (asked,))


def accessed(
    told: Told, action: Action, who: Participant, by_means_of: Participant, studies: Sequence[Study]
) -> Message:
    """Instances in the archive were changed (A.5.3.6)."""
    return _message(INSTANCES_ACCESSED, action, told, (who, by_means_of), objects_of(studies))


def study_deleted(told: Told, who: Participant, by_means_of: Participant, study: Study) -> Message:
    """A study is no more in the archive (A.5.3.8)."""
    return _message(STUDY_DELETED, Action.DELETE, told, (who, by_means_of), objects_of((study,), life_cycle="14"))


def security_alert(
    told: Told, kind: Code, reporting: Participant, performing: Sequence[Participant], subject: str, words: str
) -> Message:
    """Something that a security officer wants to know (A.5.3.11): about ``subject``, in ``words``."""
    about = ParticipantObject(
        subject, NODE_ID, "2", "13", name=subject, details=(("Alert Description", words.encode("utf-8")),)
    )
    return _message(SECURITY_ALERT, Action.EXECUTE, told, (reporting, *performing), (about,), (kind,))


def objects_of(studies: Sequence[Study], life_cycle: str = "") -> tuple[ParticipantObject, ...]:
    """The studies, and the patient of the first: a message is about one patient."""
    described = [
        ParticipantObject(
            study.uid,
            STUDY_INSTANCE_UID,
            "2",
            "3",
            name=study.uid,
            life_cycle=life_cycle,
            accession=study.accession,
            sop_classes=study.sop_classes,
        )
        for study in studies
    ]
    if studies:
        first = studies[0]
        described.append(
            ParticipantObject(first.patient_id or "unknown", PATIENT_NUMBER, "1", "1", name=first.patient_name)
        )
    return tuple(described)


def _message(
    event: Code,
    action: Action,
    told: Told,
    participants: tuple[Participant, ...],
    objects: tuple[ParticipantObject, ...],
    types: tuple[Code, ...] = (),
) -> Message:
    return Message(event, action, told.at, told.source, participants, objects, told.outcome, told.description, types)
