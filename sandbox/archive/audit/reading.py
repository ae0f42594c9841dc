"""Reading an audit trail back, for people: one line for each message."""

from __future__ import annotations

from collections import deque
from pathlib import Path
from xml.etree import ElementTree

from sandbox.archive.audit.sinks import read_lines
from sandbox.model.base import Model

_OUTCOMES = {"0": "", "4": "minor failure", "8": "serious failure", "12": "major failure"}


class AuditLine(Model):
    """A message in short. ``who`` are the participants, the one that began it first; ``about`` names studies, patients
    or nodes."""

    at: str
    event: str
    outcome: str = ""
    who: tuple[str, ...] = ()
    about: tuple[str, ...] = ()
    words: str = ""

    def sentence(self) -> str:
        """The line as text."""
        parts = [self.at, self.event, " → ".join(self.who), ", ".join(self.about), self.outcome, self.words]
        return "  ".join(part for part in parts if part)


def last_lines(directory: Path, limit: int) -> list[AuditLine]:
    """The last messages of the trail in ``directory``, the oldest first. A line that was cut off is passed over."""
    lines = deque[AuditLine](maxlen=limit)
    for text in read_lines(directory):
        try:
            # The trail is our own, and escapes what others said.
            lines.append(_line(ElementTree.fromstring(text)))  # noqa: S314
        except ElementTree.ParseError:
            continue
    return list(lines)


def _line(root: ElementTree.Element) -> AuditLine:
    event = root.find("EventIdentification")
    attributes = {} if event is None else event.attrib
    names = [code.attrib.get("originalText", "") for tag in ("EventID", "EventTypeCode") for code in root.iter(tag)]
    people = sorted(root.iter("ActiveParticipant"), key=lambda one: one.attrib.get("UserIsRequestor") != "true")
    return AuditLine(
        at=attributes.get("EventDateTime", ""),
        event=": ".join(names),
        outcome=_OUTCOMES.get(attributes.get("EventOutcomeIndicator", ""), ""),
        who=tuple(one.attrib.get("UserID", "") for one in people),
        about=tuple(one.attrib.get("ParticipantObjectID", "") for one in root.iter("ParticipantObjectIdentification")),
        words=root.findtext("EventIdentification/EventOutcomeDescription") or "",
    )
