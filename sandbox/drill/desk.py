"""A trainee's desk, read off the event log: what was asked and said on tickets, notes, pinned evidence, diagnoses and
the steps of the solution that were done. Nothing is kept beside the log, so it survives whatever the log survives.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sandbox.events.event import Event
from sandbox.events.kinds import (
    AttemptClosed,
    CommandFinished,
    CommandIssued,
    DiagnosisCommitted,
    EvidencePinned,
    EvidenceUnpinned,
    LabReset,
    NoteRemoved,
    NoteWritten,
    TicketAnswered,
    TicketAsked,
    TicketClosed,
    TicketUpdated,
)
from sandbox.events.log import EventLog
from sandbox.model.desk_view import DiagnosisView, Message, NoteView, Part, PinView, Said

STEP_COMMAND = "attempt.step"


@dataclass(frozen=True)
class Promise:
    """The next update that was promised on a ticket, by the update ``seq``: in how many ``minutes``."""

    seq: int
    at: datetime
    minutes: int


class Desk:
    """What the log says so far. ``catch_up`` reads on; the rest are answers. Not thread-safe by itself."""

    def __init__(self, events: EventLog, start: int) -> None:
        """``start`` is the event after which the drill's own time runs."""
        self._events = events
        self._read_to = start
        self.messages: dict[int, list[Message]] = {}
        self.open_questions: dict[int, TicketAsked] = {}
        self.closed: set[int] = set()
        self.promises: dict[int, Promise] = {}
        self.all_notes: dict[int, NoteView] = {}
        self.all_pins: dict[int, PinView] = {}
        self.unpinned: set[int] = set()
        self.diagnoses: list[DiagnosisView] = []
        self.steps: dict[int, CommandFinished] = {}
        self._steps_begun: dict[int, int] = {}

    @property
    def notes(self) -> tuple[NoteView, ...]:
        """The notes that stand, in the order in which they were first written."""
        return tuple(note for note in self.all_notes.values() if not note.removed)

    @property
    def pins(self) -> tuple[PinView, ...]:
        """The evidence that is pinned now, in the order of its numbers."""
        return tuple(pin for number, pin in self.all_pins.items() if number not in self.unpinned)

    def times_asked(self, person: str, about: str) -> int:
        """How often this person was asked this."""
        return sum(
            message.to == person and message.about == about
            for thread in self.messages.values()
            for message in thread
            if message.said is Said.ASKED
        )

    def catch_up(self) -> bool:
        """Read what was written since. Whether anything of it lies on the desk."""
        changed = False
        for event in self._events.since(self._read_to):
            self._read_to = event.seq
            reader = _READERS.get(event.kind)
            if reader is not None:
                changed = reader(self, event, event.body) or changed
        return changed

    # --- one kind each -----------------------------------------------------------------------------------------------

    def _say(self, ticket: int, message: Message) -> bool:
        self.messages.setdefault(ticket, []).append(message)
        return True

    def _asked(self, event: Event, body: TicketAsked) -> bool:
        self.open_questions[event.seq] = body
        said = Message(seq=event.seq, at=_moment(event), said=Said.ASKED, to=body.to, about=body.about, text=body.text)
        return self._say(body.ticket, said)

    def _answered(self, event: Event, body: TicketAnswered) -> bool:
        if event.cause is not None:
            self.open_questions.pop(event.cause, None)
        if body.about == "news":
            self.promises.pop(body.ticket, None)
        message = Message(
            seq=event.seq,
            at=_moment(event),
            said=Said.ANSWERED,
            name=body.sender,
            about=body.about,
            text=body.text,
            worked=body.worked,
        )
        return self._say(body.ticket, message)

    def _updated(self, event: Event, body: TicketUpdated) -> bool:
        self.promises[body.ticket] = Promise(event.seq, event.at, body.next_update_min)
        parts = (
            Part(name="impact", text=body.impact),
            Part(name="known", text=body.known),
            Part(name="unknown", text=body.unknown),
            Part(name="next_update_min", text=str(body.next_update_min)),
        )
        return self._say(body.ticket, Message(seq=event.seq, at=_moment(event), said=Said.UPDATED, parts=parts))

    def _closed(self, event: Event, body: TicketClosed) -> bool:
        self.closed.add(body.ticket)
        self.promises.pop(body.ticket, None)
        parts = tuple(Part(name=name, text=getattr(body, name)) for name in ("cause", "done", "verified", "follow_up"))
        return self._say(body.ticket, Message(seq=event.seq, at=_moment(event), said=Said.CLOSED, parts=parts))

    def _note_written(self, event: Event, body: NoteWritten) -> bool:
        known = self.all_notes.get(body.note)
        first = _moment(event) if known is None else known.at
        self.all_notes[body.note] = NoteView(number=body.note, at=first, changed_at=_moment(event), text=body.text)
        return True

    def _note_removed(self, _: Event, body: NoteRemoved) -> bool:
        known = self.all_notes.get(body.note)
        if known is not None:
            self.all_notes[body.note] = known.model_copy(update={"removed": True})
        return True

    def _pinned(self, event: Event, body: EvidencePinned) -> bool:
        known = self.all_pins.get(body.pin)
        self.all_pins[body.pin] = PinView(
            number=body.pin,
            at=_moment(event) if known is None else known.at,
            what=body.what,
            node=event.node,
            association=body.association,
            seq=body.seq,
            text=body.text,
            points_to=body.points_to,
        )
        self.unpinned.discard(body.pin)
        return True

    def _unpinned(self, _: Event, body: EvidenceUnpinned) -> bool:
        self.unpinned.add(body.pin)
        return True

    def _diagnosed(self, event: Event, body: DiagnosisCommitted) -> bool:
        said = body.model_dump()
        self.diagnoses.append(DiagnosisView(seq=event.seq, at=_moment(event), **said))
        return True

    def _step_begun(self, event: Event, body: CommandIssued) -> bool:
        if body.command == STEP_COMMAND:
            self._steps_begun[event.seq] = int(body.params.get("number", 0))
        return False

    def _step_done(self, event: Event, body: CommandFinished) -> bool:
        if body.command != STEP_COMMAND or event.cause not in self._steps_begun:
            return False
        self.steps[self._steps_begun.pop(event.cause)] = body
        return True

    def _begun_anew(self, _: Event, body: object) -> bool:
        """The department is as it was at the start, or the drill was given up: no step of the solution is done yet."""
        del body
        self.steps.clear()
        return True


def _moment(event: Event) -> datetime:
    """As the log on disk has it, to the millisecond, so that it is the same before and after a restart."""
    return event.at.replace(microsecond=event.at.microsecond // 1000 * 1000)


_READERS: Mapping[str, Callable[[Desk, Event, Any], bool]] = {
    TicketAsked.kind: Desk._asked,
    TicketAnswered.kind: Desk._answered,
    TicketUpdated.kind: Desk._updated,
    TicketClosed.kind: Desk._closed,
    NoteWritten.kind: Desk._note_written,
    NoteRemoved.kind: Desk._note_removed,
    EvidencePinned.kind: Desk._pinned,
    EvidenceUnpinned.kind: Desk._unpinned,
    DiagnosisCommitted.kind: Desk._diagnosed,
    CommandIssued.kind: Desk._step_begun,
    CommandFinished.kind: Desk._step_done,
    LabReset.kind: Desk._begun_anew,
    AttemptClosed.kind: Desk._begun_anew,
}
"""Who reads which kind. Kinds that are not here are not on the desk."""
