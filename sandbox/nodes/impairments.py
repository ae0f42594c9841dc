"""What is wrong with a node below its configuration: the faults that no form of the console shows.

Every family is a model of its own, and every field of it a tuple of entries, so that several faults stand beside each
other and each takes back only what is its own. Kept in the node's directory, so that a snapshot, a reset and the end of
the lab's process find it. Rule: nothing here is ever shown; the node consults it where it works, and an administrator
mends it by a restart (``after_restart``), by calling whoever looks after the node (``after_call``), or by what the
fault's docstring says.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from sample_dicom.instances.documents import Document
from sandbox.model.base import Model
from sandbox.model.patient import Patient
from sandbox.model.service_call import ServiceCall


class Service(StrEnum):
    """A DIMSE service that a node provides."""

    STORE = "C-STORE"
    FIND = "C-FIND"
    MOVE = "C-MOVE"
    GET = "C-GET"
    COMMIT = "N-ACTION"


class Condition(Model):
    """An attribute of an object or a query, by keyword, and the value it must have ("*" and "?" as wildcards).

    An attribute that is absent has the empty value.
    """

    attribute: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9]*$")
    value: str

    def holds(self, attributes: Mapping[str, str]) -> bool:
        return fnmatchcase(attributes.get(self.attribute, ""), self.value)


def _conditions(value: Any) -> Any:
    if isinstance(value, Mapping):
        return tuple({"attribute": attribute, "value": wanted} for attribute, wanted in value.items())
    return value


Conditions = Annotated[tuple[Condition, ...], BeforeValidator(_conditions)]
"""``{ Modality = "CT", BodyPartExamined = "HEAD*" }`` in a scenario. All must hold; none at all always do."""


class InjectedStatus(Model):
    """Requests for objects that match get this status, and nothing else happens."""

    service: Service
    status: int = Field(ge=0, le=0xFFFF)
    comment: str = Field("", max_length=64)
    where: Conditions = ()


class Slowness(Model):
    """Requests that match are worked on ``seconds`` longer, from the ``after``-th of each association on."""

    service: Service
    seconds: float = Field(gt=0, le=600)
    after: int = Field(0, ge=0, le=100000)
    where: Conditions = ()


class Discard(Model):
    """Objects that match are answered with success and kept nowhere: every ``every``-th of an association."""

    where: Conditions = ()
    every: int = Field(1, ge=1, le=1000)


class AnswerCap(Model):
    """No more than ``most`` answers (matches, instances to send) are given, and success is said after them."""

    service: Service
    most: int = Field(ge=1, le=1000000)


class ServiceImpairments(Model):
    """What the node's own program does wrong when others ask something of it."""

    statuses: tuple[InjectedStatus, ...] = ()
    slow: tuple[Slowness, ...] = ()
    discards: tuple[Discard, ...] = ()
    caps: tuple[AnswerCap, ...] = ()


class Hang(Model):
    """The program is there and does nothing: connections are taken by the system and never answered."""


class Leak(Model):
    """``count`` associations to the AE-table line ``remote`` are kept open and idle, beside those that do work."""

    remote: str
    count: int = Field(ge=1, le=200)


class CrashLoop(Model):
    """The program ends ``after_s`` seconds after each start, writes ``line`` to its log, and is started again
    ``again_s`` later. With ``path`` it does so only while the running configuration has ``value`` there."""

    after_s: float = Field(gt=0, le=3600)
    again_s: float = Field(gt=0, le=3600)
    line: str = Field("ended unexpectedly: signal 11 (segmentation fault)", max_length=200)
    path: str = ""
    value: Any = None


class ProcessImpairments(Model):
    """What is wrong with the node as a running program."""

    hangs: tuple[Hang, ...] = ()
    leaks: tuple[Leak, ...] = ()
    crashes: tuple[CrashLoop, ...] = ()


class Manner(StrEnum):
    """How a value is wrong."""

    BLANK = "blank"
    MISSING = "missing"
    SET = "set"
    TOO_LONG = "too-long"
    BACKSLASH = "backslash"
    OLD_DATE = "old-date"
    PADDED = "padded"
    LOWER_CASE = "lower-case"


class ValueChanged(Model):
    """``keyword`` of every image that matches is not what it should be, in a ``manner`` of sandbox.nodes.acquired;
    ``value`` is for those that take one."""

    change: Literal["value"] = "value"
    keyword: str
    manner: Manner
    value: str = ""
    where: Conditions = ()


class TextMislabelled(Model):
    """Text is written in UTF-8, and the images say that it is ``declared`` (0008,0005); empty: they say nothing."""

    change: Literal["text"] = "text"
    declared: Literal["", "ISO_IR 100"] = "ISO_IR 100"
    where: Conditions = ()


class WrongPatient(Model):
    """The images carry somebody else's identity: that of the patient before, or that of ``patient``. With ``accession``
    the other's accession number too."""

    change: Literal["patient"] = "patient"
    patient: Patient | None = None
    accession: bool = True
    where: Conditions = ()


class OtherDomain(Model):
    """The images carry the patient ID of another register: ``prefix`` and digits, one number for each person, issued by
    ``issuer`` (PS3.3 C.7.1.1, Issuer of Patient ID)."""

    change: Literal["domain"] = "domain"
    issuer: str = Field(min_length=1, max_length=64)
    prefix: str = Field("", max_length=16)
    where: Conditions = ()


class SharedStudy(Model):
    """The images carry the Study Instance UID of the exam before them on this node."""

    change: Literal["shared"] = "shared"
    where: Conditions = ()


class SplitStudy(Model):
    """From the ``after``-th image on the images of an exam carry another Study Instance UID."""

    change: Literal["split"] = "split"
    after: int = Field(1, ge=1, le=10000)
    where: Conditions = ()


class PrivateCapture(Model):
    """The images are secondary captures; what they were is in private elements."""

    change: Literal["capture"] = "capture"
    where: Conditions = ()


class EnhancedImages(Model):
    """Each series of CT or MR images is one enhanced multi-frame object; localizers stay what they are."""

    change: Literal["enhanced"] = "enhanced"
    where: Conditions = ()


class ExtraObjects(Model):
    """These objects come after the images of every exam."""

    change: Literal["extra"] = "extra"
    documents: tuple[Document, ...] = (Document.DOSE_REPORT, Document.PRESENTATION_STATE)
    where: Conditions = ()


class Compressed(Model):
    """The images are compressed: JPEG Baseline where that can be, RLE Lossless otherwise, or RLE for all of them."""

    change: Literal["compressed"] = "compressed"
    lossy: bool = True
    where: Conditions = ()


WrongHeader = Annotated[ValueChanged | TextMislabelled | WrongPatient | OtherDomain, Field(discriminator="change")]
WrongUID = Annotated[SharedStudy | SplitStudy, Field(discriminator="change")]
WrongObject = Annotated[PrivateCapture | EnhancedImages | ExtraObjects | Compressed, Field(discriminator="change")]


class DataImpairments(Model):
    """What a modality makes wrong in what it acquires. Headers are changed first, then UIDs, then kinds of objects."""

    headers: tuple[WrongHeader, ...] = ()
    uids: tuple[WrongUID, ...] = ()
    objects: tuple[WrongObject, ...] = ()


class ClockSkew(Model):
    """The clock is ``seconds`` ahead of the department's (behind, when negative)."""

    seconds: float


class WrongZone(Model):
    """The clock shows UTC as if it were local time, in a department that is ``hours`` ahead of UTC (-6: Chicago)."""

    hours: float

    @property
    def seconds(self) -> float:
        """By how much the clock is ahead of the department's."""
        return -3600.0 * self.hours


class ClockImpairments(Model):
    """What is wrong with the time that a node believes in."""

    skews: tuple[ClockSkew, ...] = ()
    zones: tuple[WrongZone, ...] = ()

    @property
    def ahead_s(self) -> float:
        """By how much the node's clock is ahead of the department's, in seconds."""
        return sum(skew.seconds for skew in self.skews) + sum(zone.seconds for zone in self.zones)


class Impairments(Model):
    """All that is wrong with one node. The empty value is a sound node."""

    service: ServiceImpairments = ServiceImpairments()
    process: ProcessImpairments = ProcessImpairments()
    data: DataImpairments = DataImpairments()
    clock: ClockImpairments = ClockImpairments()

    def plus(self, family: str, field: str, entry: Model) -> Impairments:
        """With one more entry: ``plus("service", "statuses", InjectedStatus(...))``."""
        return self._with(family, field, (*self._entries(family, field), entry))

    def minus(self, family: str, field: str, entry: Model) -> Impairments:
        """Without one entry that is equal; as it is if there is none (somebody mended it meanwhile)."""
        entries = list(self._entries(family, field))
        if entry in entries:
            entries.remove(entry)
        return self._with(family, field, tuple(entries))

    def without(self, family: str, *fields: str) -> Impairments:
        """Without any entry in these fields of a family."""
        changed = self
        for field in fields:
            changed = changed._with(family, field, ())
        return changed

    def _entries(self, family: str, field: str) -> tuple[Model, ...]:
        entries: tuple[Model, ...] = getattr(getattr(self, family), field)
        return entries

    def _with(self, family: str, field: str, entries: tuple[Model, ...]) -> Impairments:
        return self.model_copy(update={family: getattr(self, family).model_copy(update={field: entries})})


NO_IMPAIRMENTS = Impairments()

RESTART_CLEARS: tuple[tuple[str, str], ...] = (("process", "hangs"), ("process", "leaks"))
"""What is gone when somebody restarts the node, as family and field."""


CALL_MENDS: Mapping[ServiceCall, tuple[tuple[str, str], ...]] = {
    ServiceCall.STORING: (("service", "discards"),),
    ServiceCall.QUERIES: (("service", "caps"),),
    ServiceCall.SPEED: (("service", "slow"),),
    ServiceCall.STABILITY: (("process", "hangs"), ("process", "leaks"), ("process", "crashes")),
    ServiceCall.HEADERS: (("data", "headers"),),
    ServiceCall.UIDS: (("data", "uids"),),
    ServiceCall.OBJECTS: (("data", "objects"),),
}
"""What each call mends, as family and field. Injected statuses are mended by the call for their service."""


def after_restart(impairments: Impairments) -> Impairments:
    """What is still wrong when somebody has restarted the node."""
    return _without(impairments, RESTART_CLEARS)


def after_call(impairments: Impairments, what: ServiceCall) -> Impairments:
    """What is still wrong when the right people have seen to ``what``."""
    left = _without(impairments, CALL_MENDS[what])
    if what in (ServiceCall.STORING, ServiceCall.QUERIES):
        about_storing = what is ServiceCall.STORING
        kept = tuple(
            entry
            for entry in left.service.statuses
            if (entry.service in (Service.STORE, Service.COMMIT)) is not about_storing
        )
        left = left.model_copy(update={"service": left.service.model_copy(update={"statuses": kept})})
    return left


def _without(impairments: Impairments, fields: tuple[tuple[str, str], ...]) -> Impairments:
    for family, field in fields:
        impairments = impairments.without(family, field)
    return impairments
