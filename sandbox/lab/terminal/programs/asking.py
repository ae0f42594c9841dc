"""What helps in a terminal: help, man, history, clear, echo."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import ClassVar

from sandbox.events.kinds import CommandIssued
from sandbox.lab.terminal import program as registry
from sandbox.lab.terminal.options import Arguments, UsageError
from sandbox.lab.terminal.program import FAILURE, SUCCESS, Program
from sandbox.lab.terminal.shell import Shell

GROUP = "The terminal"
MOST_HISTORY = 200
EXAMPLE_UID = "1.2.3"


class Help(Program):
    """List the commands of this terminal; help COMMAND tells more about one."""

    name = "help"
    aliases: ClassVar[tuple[str, ...]] = ("?",)
    usage: ClassVar[str] = "[command]"
    group: ClassVar[str] = GROUP
    takes_files: ClassVar[bool] = False

    def run(self, shell: Shell, given: Arguments) -> int:
        if given.rest:
            return _page(shell, given.rest[0])
        shell.print(f"This is a terminal on {shell.node.name} ({shell.node.running.ae_title}). What there is:\n")
        known = sorted(registry.programs().values(), key=lambda one: (one.group, one.name))
        for group, members in groupby(known, key=lambda one: one.group):
            shell.print(f"{group}:")
            for one in members:
                also = f" (also {', '.join(one.aliases)})" if one.aliases else ""
                shell.print(f"  {one.name:<20} {one.summary}.{also}")
            shell.print()
        shell.print("After a | there may be grep, head, tail, wc, sort or uniq. man COMMAND has options and examples.")
        return SUCCESS


class Man(Program):
    """Show the page of the manual of a command: what it does, its options, and lines to try."""

    name = "man"
    usage: ClassVar[str] = "command"
    group: ClassVar[str] = GROUP
    takes_files: ClassVar[bool] = False

    def run(self, shell: Shell, given: Arguments) -> int:
        if not given.rest:
            raise UsageError("of which command? help lists them")
        return _page(shell, given.rest[0])


class History(Program):
    """List what was typed in this node's terminals."""

    name = "history"
    group: ClassVar[str] = GROUP
    usage: ClassVar[str] = "[number]"

    def run(self, shell: Shell, given: Arguments) -> int:
        most = (
            int(given.rest[0]) if given.rest and given.rest[0].isascii() and given.rest[0].isdigit() else MOST_HISTORY
        )
        typed = [
            str(getattr(event.body, "params", {}).get("line", ""))
            for event in shell.lab.events.latest(
                lambda event: (
                    isinstance(event.body, CommandIssued)
                    and event.body.command == "terminal.run"
                    and event.node == shell.node.name
                    and event.actor == shell.actor
                ),
                limit=min(most, MOST_HISTORY),
            )
        ]
        for number, line in enumerate(reversed(typed), start=1):
            shell.print(f"{number:>4}  {line}")
        return SUCCESS


class Clear(Program):
    """Wipe the screen."""

    name = "clear"
    aliases: ClassVar[tuple[str, ...]] = ("cls",)
    group: ClassVar[str] = GROUP

    def run(self, shell: Shell, given: Arguments) -> int:  # noqa: ARG002
        shell.clears = True
        return SUCCESS


class Echo(Program):
    """Print the words given."""

    name = "echo"
    group: ClassVar[str] = GROUP

    def execute(self, shell: Shell, words: Sequence[str]) -> int:
        shell.print(" ".join(words))
        return SUCCESS


def _page(shell: Shell, name: str) -> int:
    found = registry.find(name)
    if found is None:
        shell.print(f"No manual entry for {name[:60]}")
        return FAILURE
    also = f" (also {', '.join(found.aliases)})" if found.aliases else ""
    shell.print(f"{found.name}{also}\n")
    for line in (found.__doc__ or "").split("\n"):
        shell.print(f"    {line.strip()}" if line.strip() else "")
    shell.print(f"\nUsage\n    {found.synopsis}")
    if found.options:
        shell.print("\nOptions")
        for option in found.options:
            shell.print(f"    {option.usage:<38} {option.help}")
    if found.examples:
        shell.print("\nTo try, from here")
        for example in found.examples:
            shell.print(f"    {filled(shell, example)}")
    return SUCCESS


def filled(shell: Shell, example: str) -> str:
    """An example with the names of this node and of somebody it knows."""
    config = shell.node.running
    peer = config.remotes[0] if config.remotes else None
    archive = next((remote for remote in config.remotes if "ARCHIVE" in remote.name.upper()), peer)
    return example.format(
        node=shell.node.name,
        ae=config.ae_title,
        peer=peer.ae_title if peer else "ARCHIVE",
        host=peer.host if peer else "archive",
        port=peer.port if peer else 104,
        archive=f"{archive.host} {archive.port}" if archive else "archive 11112",
        study=EXAMPLE_UID,
    )
