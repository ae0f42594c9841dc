"""What a trainee writes down and holds for evidence: notes and pins, each an event. Numbers are used once."""

from __future__ import annotations

from sandbox.drill.desk import Desk
from sandbox.events.kinds import EvidencePinned, EvidenceUnpinned, NoteRemoved, NoteWritten
from sandbox.events.log import EventLog
from sandbox.model.desk_view import NoteView, PinView
from sandbox.model.errors import BadInputError, NotFoundError

MOST_NOTES = 500
"""Notes of one drill. More than that is a script, and no notebook."""


class Notebook:
    """Writes notes and pins to the log; what is there already is read off the desk. The caller holds the lock."""

    def __init__(self, desk: Desk, events: EventLog) -> None:
        self._desk = desk
        self._events = events

    def write(self, text: str, number: int | None = None) -> int:
        """Write a note, or change the note ``number``, which comes back when it was taken out. Returns its number."""
        text = text.strip()
        if not text:
            raise BadInputError("The note is empty.", "Write something, or remove the note.")
        if number is None:
            number = len(self._desk.all_notes) + 1
            if number > MOST_NOTES:
                raise BadInputError(f"The notebook is full: {MOST_NOTES} notes.", "Change one instead.")
        else:
            known = self._note(number)
            if known.text == text and not known.removed:
                return number
        self._events.append(NoteWritten(note=number, text=text))
        return number

    def remove(self, number: int) -> None:
        """Take a note out. ``restore`` brings it back."""
        if not self._note(number).removed:
            self._events.append(NoteRemoved(note=number))

    def restore(self, number: int) -> None:
        """Bring a note back as it was last."""
        note = self._note(number)
        if note.removed:
            self._events.append(NoteWritten(note=number, text=note.text))

    def pin(self, wanted: EvidencePinned, node: str) -> int:
        """Hold something for evidence. The same thing again is the same pin, with what it is now said to mean."""
        for pin in self._desk.all_pins.values():
            if _same(pin, wanted, node):
                standing = pin.number not in self._desk.unpinned
                if standing and wanted.points_to in ("", pin.points_to):
                    return pin.number
                means = wanted.points_to or pin.points_to
                self._events.append(wanted.model_copy(update={"pin": pin.number, "points_to": means}), node=node)
                return pin.number
        number = len(self._desk.all_pins) + 1
        if number > MOST_NOTES:
            raise BadInputError(f"Too much is pinned: {MOST_NOTES} things.", "Keep what decides.")
        self._events.append(wanted.model_copy(update={"pin": number}), node=node)
        return number

    def unpin(self, number: int) -> None:
        """Let go of evidence."""
        if number not in self._desk.all_pins:
            raise NotFoundError(f"There is no pin {number}.", "Choose one of the notebook.")
        if number not in self._desk.unpinned:
            self._events.append(EvidenceUnpinned(pin=number))

    def _note(self, number: int) -> NoteView:
        known = self._desk.all_notes.get(number)
        if known is None:
            raise NotFoundError(f"There is no note {number}.", "Choose one of the notebook.")
        return known


def _same(pin: PinView, wanted: EvidencePinned, node: str) -> bool:
    known = (pin.what, pin.node, pin.association, pin.seq, pin.text)
    return known == (wanted.what, node, wanted.association, wanted.seq, wanted.text)
