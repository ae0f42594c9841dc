"""One line of a terminal from the typed text to the printed answer: words, wildcards, pipes, exit status.

The shell of a node knows the lab, the node and where in the node's files one is. Rule: whatever happens inside a
command ends as lines and an exit status; nothing that was typed raises.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sandbox.lab.terminal import program as program_module
from sandbox.lab.terminal.disk import Disk, DiskError, File
from sandbox.lab.terminal.line import LineError, Word, last_word, parse
from sandbox.lab.terminal.screen import CUT, PIPE_CUT, Full, Interrupted, Pipe, Screen
from sandbox.model.discovery import suggestion
from sandbox.model.errors import SandboxError
from sandbox.model.terminal_view import Completion, TerminalOutput

if TYPE_CHECKING:
    from sandbox.lab.lab import Lab
    from sandbox.lab.terminal.program import Program
    from sandbox.nodes.node import Node

log = logging.getLogger(__name__)

NOT_FOUND = 127
CANCELLED = 130
TIMED_OUT = 124
MOST_COMPLETIONS = 60
_TITLES = frozenset({"-aet", "--aetitle", "-aec", "--call", "-aem", "--move"})


class Shell:
    """A shell on ``node`` of ``lab``, for one line. ``directory`` is where it is among the node's files."""

    def __init__(self, lab: Lab, node: Node, screen: Screen, directory: str = "/", actor: str = "") -> None:
        self.lab = lab
        self.node = node
        self.screen = screen
        self.actor = actor
        self.disk = Disk(lab, node)
        self.directory = self._existing(directory)
        self.clears = False
        self.piped: list[str] | None = None
        """What came through the pipe, for a filter; None at the beginning of a line."""
        self._out: Screen | Pipe = screen

    def print(self, text: str = "") -> None:
        """Print on the screen, or for the next command of the line."""
        self._out.print(text)

    def run(self, line: str) -> TerminalOutput:
        """Run a line to its end."""
        status = self._guarded(line)
        return TerminalOutput(
            text=self.screen.text,
            status=status,
            directory=self.directory,
            clears=self.clears,
            took_ms=self.screen.took_ms,
        )

    def _guarded(self, line: str) -> int:
        screen = self.screen
        try:
            return self._stages(parse(line))
        except LineError as wrong:
            screen.print(str(wrong))
            return program_module.MISUSED
        except Full:
            screen.lines.append(CUT)
            return program_module.SUCCESS
        except Interrupted:
            screen.lines.append("^C" if screen.ended_by == "Ctrl-C" else f"(stopped: {screen.ended_by})")
            return CANCELLED if screen.ended_by == "Ctrl-C" else TIMED_OUT
        except SandboxError as wrong:
            screen.lines += [wrong.sentence, *([wrong.mend] if wrong.mend else [])]
            return program_module.FAILURE
        except Exception:
            # A file that is damaged in a way nobody thought of must not take the terminal away.
            log.exception("A command of a terminal failed")
            screen.lines.append("This command failed inside the sandbox. The lab itself goes on.")
            return program_module.FAILURE

    def _stages(self, stages: Sequence[Sequence[Word]]) -> int:
        status, is_cut = program_module.SUCCESS, False
        try:
            for number, stage in enumerate(stages):
                found = self._program(stage[0].text, is_first=number == 0)
                if isinstance(found, int):
                    return found
                pipe = Pipe(self.screen) if number + 1 < len(stages) else None
                self._out = pipe or self.screen
                try:
                    status = found.execute(self, self._expanded(stage[1:]))
                except Full:
                    if pipe is None:
                        raise
                    is_cut = True
                self.piped = pipe.lines if pipe else None
        finally:
            if is_cut:
                self.screen.lines.append(PIPE_CUT)
        return status

    def _program(self, name: str, *, is_first: bool) -> Program | int:
        """The command of a stage; or the exit status where there is none that can stand here, which is said."""
        found = program_module.find(name)
        if found is None:
            names = program_module.every_name()
            self.screen.print(f"{name[:60]}: command not found. {suggestion(name[:60], names)[:300]}")
            if is_first:
                self.screen.print("Type help to see what there is.")
            return NOT_FOUND
        if not is_first and not found.is_filter:
            filters = ", ".join(each.name for each in program_module.programs().values() if each.is_filter)
            self.screen.print(f"{name}: cannot stand after a |. After a pipe there may be: {filters}.")
            return program_module.MISUSED
        return found

    def _expanded(self, words: Sequence[Word]) -> list[str]:
        """The words, with those that have wildcards replaced by the files that match; none do: as it was typed."""
        found: list[str] = []
        for word in words:
            matches = self.disk.matching(word.text, self.directory) if word.has_pattern else ()
            found += matches or (word.text,)
        return found

    # --- files -------------------------------------------------------------------------------------------------------

    def path(self, typed: str) -> str:
        """The absolute path of what was typed."""
        return self.disk.absolute(typed, self.directory)

    def open(self, typed: str) -> File:
        """The file that was typed; the drill is told what was looked at. DiskError if it cannot be had."""
        found = self.disk.file(self.path(typed))
        if found.evidence and self.lab.attempt is not None:
            self.lab.attempt.opened(found.evidence, self.node.name)
        return found

    def lines_of(self, typed: str) -> list[str]:
        """The lines of a text file."""
        return self.open(typed).text().splitlines()

    def _existing(self, directory: str) -> str:
        path = self.disk.absolute(directory[:400], "/")
        try:
            return "/" if isinstance(self.disk.find(path), File) else path
        except DiskError:
            return "/"

    # --- Tab ---------------------------------------------------------------------------------------------------------

    def complete(self, line: str) -> Completion:
        """What the last word of ``line`` can become: a command, a file, a host or AE title, an option."""
        start, typed = last_word(line)
        before = line[:start].rsplit("|", 1)[-1].split()
        if not before:
            words = [f"{name} " for name in program_module.every_name() if name.startswith(typed)]
            return Completion(start=start, words=tuple(words[:MOST_COMPLETIONS]))
        found = program_module.find(before[0])
        words = []
        if typed[:1] in ("-", "+") and found is not None:
            names = sorted({name for option in found.options for name in option.names})
            words = [f"{name} " for name in names if name.startswith(typed)]
        elif found is not None and not found.takes_files:
            words = [f"{name} " for name in self._names(before[-1]) if name.lower().startswith(typed.lower())]
        words = words or self._files(typed)
        return Completion(start=start, words=tuple(words[:MOST_COMPLETIONS]))

    def _names(self, option: str) -> list[str]:
        """AE titles that this node knows after an option for one; else hosts, for whoever is to be called."""
        config = self.node.running
        if option in _TITLES:
            return sorted({config.ae_title} | {remote.ae_title for remote in config.remotes})
        return sorted({remote.host for remote in config.remotes} | {name.lower() for name in self.lab.department.nodes})

    def _files(self, typed: str) -> list[str]:
        folder, slash, begun = typed.rpartition("/")
        try:
            entry = self.disk.find(self.path(f"{folder}{slash}" or "."))
        except DiskError:
            return []
        if isinstance(entry, File):
            return []
        return [
            f"{folder}{slash}{name}" + (" " if isinstance(child, File) else "/")
            for name, child in entry().items()
            if name.startswith(begun)
        ]
