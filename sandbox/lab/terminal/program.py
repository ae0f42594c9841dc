"""What a command of the terminal is: a name, its options, a page of its manual, and what it does.

One new file in ``programs`` with a ``Program`` subclass adds a command; ``programs()`` finds it.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar

from sandbox.lab.terminal.options import Arguments, Option, UsageError, read_everyday

if TYPE_CHECKING:
    from sandbox.lab.terminal.shell import Shell

SUCCESS = 0
FAILURE = 1
MISUSED = 2


class Program:
    """The base of all commands. A subclass sets ``name``, has a docstring (the first paragraph of its manual) and
    overrides ``run``, which prints on the shell and returns the exit status."""

    name: ClassVar[str] = ""
    aliases: ClassVar[tuple[str, ...]] = ()
    usage: ClassVar[str] = ""
    """Its parameters, after the name."""
    options: ClassVar[tuple[Option, ...]] = ()
    examples: ClassVar[tuple[str, ...]] = ()
    """Lines to try; {node}, {ae}, {peer}, {host}, {port} and {study} stand for those of the lab."""
    group: ClassVar[str] = "Files and words"
    """Under which heading ``help`` lists it."""
    is_filter: ClassVar[bool] = False
    """Whether it may stand after a pipe."""
    takes_files: ClassVar[bool] = True
    """Whether Tab completes its parameters with names of files; otherwise with names of hosts."""

    def execute(self, shell: Shell, words: Sequence[str]) -> int:
        """Read the options and run; what makes no sense is told as this command tells it."""
        try:
            return self.run(shell, self.read(words))
        except UsageError as wrong:
            return self.misused(shell, str(wrong))

    def read(self, words: Sequence[str]) -> Arguments:
        return read_everyday(self.options, words)

    def misused(self, shell: Shell, what: str) -> int:
        """Say what is wrong with the words given and which there are."""
        shell.print(f"{self.name}: {what}")
        shell.print(f"Usage: {self.synopsis}")
        if self.options:
            shell.print(f"Known here: {', '.join(option.key for option in self.options)}. More: man {self.name}")
        return MISUSED

    def run(self, shell: Shell, given: Arguments) -> int:
        """Do it."""
        raise NotImplementedError

    @property
    def synopsis(self) -> str:
        """ "ping [options] host"."""
        parts = (self.name, "[options]" if self.options else "", self.usage)
        return " ".join(part for part in parts if part)

    @property
    def summary(self) -> str:
        """The first sentence of the docstring."""
        text = " ".join((self.__doc__ or "").split("\n\n")[0].split())
        return text.partition(". ")[0].rstrip(".")


@cache
def programs() -> Mapping[str, Program]:
    """Every command by its own name, in order of the alphabet."""
    package = import_module("sandbox.lab.terminal.programs")
    for module in pkgutil.iter_modules(package.__path__):
        import_module(f"{package.__name__}.{module.name}")
    found = {entry.name: entry() for entry in _descendants(Program) if entry.name}
    return MappingProxyType(dict(sorted(found.items())))


def find(name: str) -> Program | None:
    """The command called ``name``, or known by it."""
    known = programs()
    if name in known:
        return known[name]
    return next((program for program in known.values() if name in program.aliases), None)


def every_name() -> tuple[str, ...]:
    """All names that can be typed, aliases too."""
    return tuple(sorted(name for program in programs().values() for name in (program.name, *program.aliases)))


def _descendants(base: type[Program]) -> Iterator[type[Program]]:
    for child in base.__subclasses__():
        yield child
        yield from _descendants(child)
