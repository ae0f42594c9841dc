"""What the API answers of terminals: how far a line has come that still runs, and what Tab could complete."""

from __future__ import annotations

from pydantic import Field

from sandbox.lab.lab import Lab
from sandbox.lab.terminal.line import MOST_CHARACTERS
from sandbox.lab.terminal.screen import Screen
from sandbox.lab.terminal.shell import Shell
from sandbox.model.base import Model
from sandbox.model.terminal_view import Completion, TerminalOutput


class Typed(Model):
    """A line that is being typed, up to where the cursor is."""

    line: str = Field("", max_length=MOST_CHARACTERS)
    directory: str = Field("/", max_length=400)


class OneRun(Model):
    """A run, by the name that terminal.run was given."""

    run: str = Field("", max_length=40)


def terminal_now(lab: Lab, query: OneRun, name: str) -> TerminalOutput:
    """What a line has printed so far. One that does not run (any more) has status 0 and no text: its whole output is
    the answer to terminal.run."""
    lab.department.node(name)
    return lab.terminals.so_far(query.run) or TerminalOutput(status=0)


def terminal_words(lab: Lab, query: Typed, name: str) -> Completion:
    """The words that can stand in the place of the last one."""
    node = lab.department.node(name)
    return Shell(lab, node, Screen(), query.directory).complete(query.line)
