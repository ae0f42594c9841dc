"""What lies on a trainee's desk during a drill: the conversation about a ticket, notes, pinned evidence, diagnoses.

Typed answers of a lab's API, as those of sandbox.model.view; all of it is read off the event log.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sandbox.model.base import Model


class Said(StrEnum):
    """What a message of a ticket's thread is: the trainee asks, tells those who wait, or closes; others answer."""

    ASKED = "asked"
    ANSWERED = "answered"
    UPDATED = "updated"
    CLOSED = "closed"


class Part(Model):
    """A named part of an update or a closing message."""

    name: str
    text: str


class Message(Model):
    """One message of a thread. ``name`` is who wrote it, empty for the trainee; ``to`` whom the trainee asked.

    ``worked`` tells what came of it where somebody truly tried something for an answer.
    """

    seq: int
    at: datetime
    said: Said
    name: str = ""
    role: str = ""
    to: str = ""
    about: str = ""
    text: str = ""
    parts: tuple[Part, ...] = ()
    worked: bool | None = None


class NoteView(Model):
    """A note of the notebook. ``at`` is when it was first written, ``changed_at`` when last."""

    number: int
    at: datetime
    changed_at: datetime
    text: str
    removed: bool = False


class PinView(Model):
    """Something that is held for evidence; see sandbox.events.kinds.EvidencePinned."""

    number: int
    at: datetime
    what: str
    node: str = ""
    association: str = ""
    seq: int = 0
    text: str
    points_to: str = ""


class DiagnosisView(Model):
    """A diagnosis as it was committed, in words. ``pins`` are numbers of pinned evidence."""

    seq: int
    at: datetime
    node: str
    layer: str
    fault: str
    evidence: str = ""
    pins: tuple[int, ...] = ()
    confidence: str = ""


class SolutionStep(Model):
    """One step of the worked solution. ``ok`` is None until it is done in the lab; ``sentence`` what came of it."""

    number: int
    text: str
    ok: bool | None = None
    sentence: str = ""


class DeskView(Model):
    """What of the desk any page shows. ``running`` is whether the drill goes on, so that one can pin."""

    running: bool
    notes: tuple[NoteView, ...] = ()
    pins: tuple[PinView, ...] = ()
