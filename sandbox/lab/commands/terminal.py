"""Typing a line into a terminal of a node, and stopping one that runs. What it can do is sandbox.lab.terminal's."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from sandbox.events.log import current
from sandbox.lab.command import Command
from sandbox.lab.terminal.line import MOST_CHARACTERS
from sandbox.lab.terminal.screen import Screen
from sandbox.lab.terminal.shell import Shell
from sandbox.model.config import shown
from sandbox.model.view import CommandResult

if TYPE_CHECKING:
    from sandbox.lab.lab import Lab

RUN = r"^[A-Za-z0-9-]{0,40}$"


class TerminalRun(Command):
    """Run a line in a terminal of a node: echoscu, findscu, ping, cat and others, as an administrator types them."""

    name = "terminal.run"
    title: ClassVar[str] = "Run in a terminal"

    node: str = Field(**shown("Node", "The node whose terminal it is."))
    line: str = Field(max_length=MOST_CHARACTERS, **shown("Line", "As it is typed. help lists what there is."))
    directory: str = Field("/", max_length=400, **shown("Directory", "Where the terminal is among the node's files."))
    run_id: str = Field("", alias="run", pattern=RUN, **shown("Run", "A name to look at it and stop it by."))

    def run(self, lab: Lab, /) -> CommandResult:
        node = lab.department.node(self.node)
        screen = Screen()
        with lab.terminals.running(self.run_id, screen):
            output = Shell(lab, node, screen, self.directory, current().actor).run(self.line)
        said = next((line for line in reversed(screen.lines) if line.strip()), "")
        ended = "" if output.status == 0 else f" (exit status {output.status})"
        return CommandResult(
            ok=output.status == 0,
            sentence=f"{node.name}: {self.line.strip()[:120]}{ended}{f': {said[:160]}' if said else ''}",
            association=_last_association(lab, screen.cause),
            terminal=output,
            took_ms=output.took_ms,
        )


def _last_association(lab: Lab, cause: int | None) -> str:
    """The association that a line opened last, of those that followed from it directly; empty for none."""
    if cause is None:
        return ""
    for event in reversed(lab.events.since(cause)):
        facts = getattr(event.body, "facts", None)
        if event.cause == cause and facts is not None:
            return str(facts.id)
    return ""


class TerminalCancel(Command):
    """Stop a line that runs in a terminal, as Ctrl-C does."""

    name = "terminal.cancel"
    title: ClassVar[str] = "Stop in a terminal"
    is_lifecycle: ClassVar[bool] = True

    run_id: str = Field(alias="run", min_length=1, pattern=RUN, **shown("Run", "The name it was started by."))

    def run(self, lab: Lab, /) -> CommandResult:
        stopped = lab.terminals.cancel(self.run_id)
        return CommandResult(ok=stopped, sentence="It is being stopped." if stopped else "It has ended already.")
