"""The lab as a whole: going back to its start, and the quiet flow of ordinary exams."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from sandbox.lab.command import Command
from sandbox.model.view import CommandResult

if TYPE_CHECKING:
    from sandbox.lab.lab import Lab


class LabReset(Command):
    """Put the department back to its start: configurations, images, queues, network. The log goes on."""

    name = "lab.reset"
    title: ClassVar[str] = "Reset"
    is_lifecycle: ClassVar[bool] = True

    def run(self, lab: Lab, /) -> CommandResult:
        lab.reset()
        return CommandResult(ok=True, sentence="The department is as it was at the start.")


class BackgroundPause(Command):
    """Let the quiet flow of ordinary exams rest, so that only your own exams pass."""

    name = "background.pause"
    title: ClassVar[str] = "Pause ordinary exams"

    def run(self, lab: Lab, /) -> CommandResult:
        lab.composition.background.pause()
        return CommandResult(ok=True, sentence="The quiet flow of ordinary exams rests.")


class BackgroundResume(Command):
    """Let the quiet flow of ordinary exams go on."""

    name = "background.resume"
    title: ClassVar[str] = "Resume ordinary exams"

    def run(self, lab: Lab, /) -> CommandResult:
        lab.composition.background.resume()
        return CommandResult(ok=True, sentence="The quiet flow of ordinary exams goes on.")
