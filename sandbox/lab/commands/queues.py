"""A node's send queues: holding and resuming a destination, trying again, putting back, letting a
study go first, setting one aside, throwing away."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from sandbox.lab.command import Command
from sandbox.lab.sentences import counted
from sandbox.model.config import shown
from sandbox.model.errors import BadInputError
from sandbox.model.view import CommandResult

if TYPE_CHECKING:
    from sandbox.lab.lab import Lab
    from sandbox.nodes.queue import SendQueue

STUDY = Field(pattern=r"^[0-9][0-9.]{0,63}$", **shown("Study", "Study Instance UID."))
REASON = Field("", max_length=200, **shown("Reason", "Shown to whoever looks at the queue."))


class _OnQueue(Command):
    node: str = Field(**shown("Node"))
    destination: str = Field(min_length=1, max_length=64, **shown("Destination", "Name in the node's AE table."))

    def queue(self, lab: Lab) -> SendQueue:
        node = lab.department.node(self.node)
        if node.queue is None:
            raise BadInputError(f"{node.name} has no send queue.", "Modalities and routers have one.")
        return node.queue


class QueueHold(_OnQueue):
    """Suspend a destination. Images for it gather in the queue until it is resumed."""

    name = "queue.hold"
    title: ClassVar[str] = "Hold queue"

    reason: str = REASON

    def run(self, lab: Lab, /) -> CommandResult:
        self.queue(lab).hold(self.destination, self.reason)
        return CommandResult(ok=True, sentence=f"{self.node}: the queue for {self.destination} is held.")


class QueueResume(_OnQueue):
    """Let a held destination go on. What has gathered is sent, oldest first."""

    name = "queue.resume"
    title: ClassVar[str] = "Resume queue"

    def run(self, lab: Lab, /) -> CommandResult:
        self.queue(lab).resume(self.destination)
        return CommandResult(ok=True, sentence=f"{self.node}: the queue for {self.destination} runs again.")


class QueueRetry(_OnQueue):
    """Try again now what waits for its next attempt."""

    name = "queue.retry"
    title: ClassVar[str] = "Try again now"

    def run(self, lab: Lab, /) -> CommandResult:
        waiting = self.queue(lab).retry(self.destination)
        return CommandResult(
            ok=True, sentence=f"{self.node}: {counted(waiting, 'image')} for {self.destination} will be tried now."
        )


class QueueRedrive(_OnQueue):
    """Put images back into the queue that were given up after too many failures."""

    name = "queue.redrive"
    title: ClassVar[str] = "Put given-up ones back"

    def run(self, lab: Lab, /) -> CommandResult:
        entries = self.queue(lab).redrive(self.destination)
        return CommandResult(
            ok=True, sentence=f"{self.node}: {counted(entries, 'image')} for {self.destination} put back in line."
        )


class QueuePromote(_OnQueue):
    """Let a study that waits go first, before all that is less urgent."""

    name = "queue.promote"
    title: ClassVar[str] = "Send study first"

    study: str = STUDY

    def run(self, lab: Lab, /) -> CommandResult:
        entries = self.queue(lab).promote(self.destination, self.study)
        return CommandResult(
            ok=True, sentence=f"{self.node}: {counted(entries, 'image')} for {self.destination} will go first."
        )


class QueueSetAside(_OnQueue):
    """Set a refused study aside, so that what waits behind it can go. "Put given-up ones back" brings it back."""

    name = "queue.set_aside"
    title: ClassVar[str] = "Set study aside"

    study: str = STUDY
    reason: str = REASON

    def run(self, lab: Lab, /) -> CommandResult:
        entries = self.queue(lab).set_aside(self.destination, self.study, self.reason)
        return CommandResult(
            ok=True, sentence=f"{self.node}: {counted(entries, 'image')} for {self.destination} set aside."
        )


class QueueDiscard(_OnQueue):
    """Throw away images that wait for a destination: one of them, or all. They are not sent there any more."""

    name = "queue.discard"
    title: ClassVar[str] = "Discard from queue"

    entry: int | None = Field(None, ge=1, **shown("Entry", "Number of the entry. Empty: all of them."))
    reason: str = REASON

    def run(self, lab: Lab, /) -> CommandResult:
        entries = self.queue(lab).discard(self.destination, self.entry, self.reason)
        return CommandResult(
            ok=True, sentence=f"{self.node}: {counted(entries, 'image')} for {self.destination} thrown away."
        )
