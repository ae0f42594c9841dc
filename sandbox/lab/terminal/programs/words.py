"""What stands after a pipe, and works on files too: grep, head, tail, wc, sort, uniq."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from itertools import groupby
from typing import ClassVar

from sandbox.lab.terminal.disk import DiskError
from sandbox.lab.terminal.options import Arguments, Option, UsageError
from sandbox.lab.terminal.program import FAILURE, SUCCESS, Program
from sandbox.lab.terminal.shell import Shell

NUMBER = Option(("-n",), "how many lines (default: 10)", ("number",))


class Filter(Program):
    """The base of commands that take lines from a pipe or from files."""

    is_filter: ClassVar[bool] = True
    usage: ClassVar[str] = "[file...]"
    skip: ClassVar[int] = 0
    """Parameters before the names of files."""

    def lines(self, shell: Shell, given: Arguments) -> list[str]:
        """All lines; UsageError when there are neither files nor a pipe."""
        names = given.rest[self.skip :]
        if not names:
            if shell.piped is None:
                raise UsageError("say which file, or put it after a | of another command")
            return shell.piped
        found: list[str] = []
        for name in names:
            try:
                found += shell.lines_of(name)
            except DiskError as wrong:
                raise UsageError(f"{name[:200]}: {wrong}") from wrong
        return found


class Grep(Filter):
    """Show the lines in which a text occurs. * stands for anything; there are no regular expressions."""

    name = "grep"
    aliases: ClassVar[tuple[str, ...]] = ("findstr",)
    usage: ClassVar[str] = "text [file...]"
    skip: ClassVar[int] = 1
    options: ClassVar[tuple[Option, ...]] = (
        Option(("-i",), "great and small letters are the same"),
        Option(("-v",), "the lines in which it does not occur"),
        Option(("-c",), "only how many lines"),
        Option(("-n",), "with the numbers of lines"),
        Option(("-E", "-F"), "taken, and without effect"),
        Option(("-A",), "so many lines after each", ("number",)),
        Option(("-B",), "so many lines before each", ("number",)),
    )
    examples: ClassVar[tuple[str, ...]] = ("grep -i reject log/node.log", "cat log/node.log | grep -v INFO")

    def run(self, shell: Shell, given: Arguments) -> int:
        if not given.rest:
            raise UsageError("say which text")
        lines = self.lines(shell, given)
        after, before = given.number("-A", 0, 0, 1000), given.number("-B", 0, 0, 1000)
        texts = given.rest[0].split("\\|")[:20]
        hits = [number for number, line in enumerate(lines) if _holds(line, texts, given) != ("-v" in given)]
        if "-c" in given:
            shell.print(str(len(hits)))
            return SUCCESS if hits else FAILURE
        wanted = {near for hit in hits for near in range(max(0, hit - before), min(len(lines), hit + after + 1))}
        for number in sorted(wanted):
            shell.print(f"{number + 1}:{lines[number]}" if "-n" in given else lines[number])
        return SUCCESS if hits else FAILURE


class Head(Filter):
    """Show the first lines."""

    name = "head"
    options: ClassVar[tuple[Option, ...]] = (NUMBER,)

    def run(self, shell: Shell, given: Arguments) -> int:
        return _print(shell, self.lines(shell, given)[: given.number("-n", 10, 0)])


class Tail(Filter):
    """Show the last lines."""

    name = "tail"
    options: ClassVar[tuple[Option, ...]] = (NUMBER, Option(("-f",), "taken, and without effect: run it again"))
    examples: ClassVar[tuple[str, ...]] = ("tail -20 log/node.log",)

    def run(self, shell: Shell, given: Arguments) -> int:
        number = given.number("-n", 10, 0)
        return _print(shell, self.lines(shell, given)[-number:] if number else [])


class Wc(Filter):
    """Count lines, words and characters."""

    name = "wc"
    options: ClassVar[tuple[Option, ...]] = (Option(("-l",), "only the lines"),)

    def run(self, shell: Shell, given: Arguments) -> int:
        lines = self.lines(shell, given)
        if "-l" in given:
            return _print(shell, [str(len(lines))])
        words, letters = sum(len(line.split()) for line in lines), sum(len(line) + 1 for line in lines)
        return _print(shell, [f"{len(lines):>7} {words:>7} {letters:>7}"])


class Sort(Filter):
    """Put lines in order."""

    name = "sort"
    options: ClassVar[tuple[Option, ...]] = (
        Option(("-r",), "the other way round"),
        Option(("-n",), "by number"),
        Option(("-u",), "each only once"),
    )

    def run(self, shell: Shell, given: Arguments) -> int:
        lines = list(dict.fromkeys(self.lines(shell, given))) if "-u" in given else self.lines(shell, given)
        return _print(shell, sorted(lines, key=_number if "-n" in given else _text, reverse="-r" in given))


class Uniq(Filter):
    """Show lines once that stand there several times in a row."""

    name = "uniq"
    options: ClassVar[tuple[Option, ...]] = (Option(("-c",), "with how often"),)

    def run(self, shell: Shell, given: Arguments) -> int:
        return _print(shell, list(_once(self.lines(shell, given), counts="-c" in given)))


def _once(lines: list[str], *, counts: bool) -> Iterator[str]:
    for line, same in groupby(lines):
        yield f"{sum(1 for _ in same):>7} {line}" if counts else line


def _holds(line: str, texts: list[str], given: Arguments) -> bool:
    folded = "-i" in given
    hay = line.lower() if folded else line
    for text in texts:
        needle = text.lower() if folded else text
        if "*" in needle:
            if fnmatchcase(hay, f"*{needle.replace('[', '[[]').replace('?', '[?]').replace('.*', '*')}*"):
                return True
        elif needle in hay:
            return True
    return False


def _text(line: str) -> tuple[float, str]:
    return 0.0, line


def _number(line: str) -> tuple[float, str]:
    first = (line.split() or [""])[0]
    try:
        return float(first), line
    except ValueError:
        return 0.0, line


def _print(shell: Shell, lines: list[str]) -> int:
    for line in lines:
        shell.print(line)
    return SUCCESS
