"""What a trainee says and writes during a drill: on the ticket's thread, in the notebook, as pinned evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from sandbox.events.kinds import EvidencePinned
from sandbox.lab.command import Command
from sandbox.model.config import shown
from sandbox.model.scenario import About
from sandbox.model.view import CommandResult

if TYPE_CHECKING:
    from sandbox.drill.attempt import Attempt

TICKET = Field(1, ge=1, **shown("Ticket", "Its number."))
NOTE = Field(ge=1, **shown("Note", "Its number."))


class AttemptAsk(Command):
    """Ask somebody of the hospital about a ticket. The answer comes on the ticket's thread, a moment later."""

    name = "attempt.ask"
    title: ClassVar[str] = "Ask"

    ticket: int = TICKET
    to: str = Field(**shown("Whom", "The person's id, as in the site."))
    about: About = Field(**shown("What about"))

    def run(self, attempt: Attempt, /) -> CommandResult:
        person = attempt.thread.ask(self.ticket, self.to, self.about)
        return CommandResult(ok=True, sentence=f"You have asked {person.name}. The answer comes in a moment.")


class AttemptUpdate(Command):
    """Tell those who wait how things are: what it means for them, what is known, what is not, when you tell more."""

    name = "attempt.update"
    title: ClassVar[str] = "Send an update"

    ticket: int = TICKET
    impact: str = Field("", max_length=1000, **shown("Impact", "What it means for those who wait."))
    known: str = Field("", max_length=1000, **shown("Known"))
    unknown: str = Field("", max_length=1000, **shown("Not known yet"))
    next_update_min: int = Field(15, ge=1, le=1440, **shown("Next update", "In minutes from now."))

    def run(self, attempt: Attempt, /) -> CommandResult:
        attempt.thread.update(
            self.ticket,
            impact=self.impact,
            known=self.known,
            unknown=self.unknown,
            next_update_min=self.next_update_min,
        )
        return CommandResult(ok=True, sentence="Your update is out.")


class AttemptClose(Command):
    """Close a ticket with a message to the caller, who tries first: the department is checked as by attempt.check."""

    name = "attempt.close"
    title: ClassVar[str] = "Close the ticket"

    ticket: int = TICKET
    cause: str = Field(min_length=1, max_length=1000, **shown("Cause", "What it was."))
    done: str = Field(min_length=1, max_length=1000, **shown("Done", "What was done."))
    verified: str = Field("", max_length=1000, **shown("Verified", "How you know that it works."))
    follow_up: str = Field("", max_length=1000, **shown("What follows", "So that it does not come again."))

    def run(self, attempt: Attempt, /) -> CommandResult:
        closed = attempt.thread.close_ticket(
            self.ticket, cause=self.cause, done=self.done, verified=self.verified, follow_up=self.follow_up
        )
        if closed:
            return CommandResult(ok=True, sentence="The caller has tried, it works, and the ticket is closed.")
        return CommandResult(ok=False, sentence="The caller has tried, and the ticket stays open. Read the answer.")


class AttemptNote(Command):
    """Write a note in the notebook, or change one."""

    name = "attempt.note"
    title: ClassVar[str] = "Write a note"

    text: str = Field(min_length=1, max_length=4000, **shown("Note", "Markdown is shown as such."))
    note: int | None = Field(None, ge=1, **shown("Number", "Of the note to change. Empty: a new one."))

    def run(self, attempt: Attempt, /) -> CommandResult:
        with attempt.notebook() as notebook:
            number = notebook.write(self.text, self.note)
        return CommandResult(ok=True, sentence=f"Note {number} is written.")


class AttemptRemoveNote(Command):
    """Take a note out of the notebook. It can be restored."""

    name = "attempt.note.remove"
    title: ClassVar[str] = "Remove note"

    note: int = NOTE

    def run(self, attempt: Attempt, /) -> CommandResult:
        with attempt.notebook() as notebook:
            notebook.remove(self.note)
        return CommandResult(ok=True, sentence=f"Note {self.note} is taken out.")


class AttemptRestoreNote(Command):
    """Bring a note back that was taken out."""

    name = "attempt.note.restore"
    title: ClassVar[str] = "Restore note"

    note: int = NOTE

    def run(self, attempt: Attempt, /) -> CommandResult:
        with attempt.notebook() as notebook:
            notebook.restore(self.note)
        return CommandResult(ok=True, sentence=f"Note {self.note} is back.")


class AttemptPin(Command):
    """Hold something that you see for evidence: an association, a line of a log, a result, an answer."""

    name = "attempt.pin"
    title: ClassVar[str] = "Pin as evidence"

    what: str = Field(pattern=r"^[a-z][a-z-]{0,29}$", **shown("What", "What kind of thing: association, log, result …"))
    node: str = Field("", max_length=64, **shown("Node", "Where it was seen."))
    association: str = Field("", max_length=64, **shown("Association"))
    seq: int = Field(0, ge=0, **shown("Event", "The number of the event that tells of it."))
    text: str = Field(min_length=1, max_length=2000, **shown("Text", "What it says."))
    points_to: str = Field("", max_length=1000, **shown("Points to", "What you take it to mean."))

    def run(self, attempt: Attempt, /) -> CommandResult:
        wanted = EvidencePinned(
            pin=1,
            what=self.what,
            association=self.association,
            seq=self.seq,
            text=self.text,
            points_to=self.points_to,
        )
        with attempt.notebook() as notebook:
            number = notebook.pin(wanted, self.node)
        return CommandResult(ok=True, sentence=f"Pinned as evidence {number}.")


class AttemptUnpin(Command):
    """Let go of something that is pinned."""

    name = "attempt.unpin"
    title: ClassVar[str] = "Unpin"

    pin: int = Field(ge=1, **shown("Pin", "Its number."))

    def run(self, attempt: Attempt, /) -> CommandResult:
        with attempt.notebook() as notebook:
            notebook.unpin(self.pin)
        return CommandResult(ok=True, sentence=f"Evidence {self.pin} is unpinned.")


DESK_COMMANDS: tuple[type[Command], ...] = (
    AttemptAsk,
    AttemptUpdate,
    AttemptClose,
    AttemptNote,
    AttemptRemoveNote,
    AttemptRestoreNote,
    AttemptPin,
    AttemptUnpin,
)
