"""Steps of a scenario file as commands, and commands in words for those who want to be told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.drill.commands import AttemptDiagnose
from sandbox.drill.surface import Surface
from sandbox.lab.command import Command, parse
from sandbox.lab.commands.registry import commands
from sandbox.lab.sentences import value_in_words
from sandbox.model.scenario import Step, Way


def commands_of(way: Way, surface: Surface) -> tuple[Command, ...]:
    """The commands of a solution or decoy, with this run's surface filled in."""
    return tuple(command_of(step, surface) for step in way.step)


def command_of(step: Step, surface: Surface) -> Command:
    """The command of one step. BadInputError when it makes no sense."""
    return parse_step(step.command, surface.fill_all(step.params))


def parse_step(name: str, params: Mapping[str, Any]) -> Command:
    """What a way may do: a lab's own commands, and the answer to the caller: the cure where nothing is broken."""
    return parse({**commands(), AttemptDiagnose.name: AttemptDiagnose}, name, params)


def way_in_words(way: Way, surface: Surface) -> tuple[str, ...]:
    """A way as somebody would tell it: its title, then step by step."""
    return (f"{surface.fill(way.title)}.", *(command_in_words(command) for command in commands_of(way, surface)))


def command_in_words(command: Command) -> str:
    """ "On CT1: Save configuration, remotes.ROUTER.ae_title to ROUTER." """
    where = f"On {command.about_node}: " if command.about_node else ""
    said = [words for key, value in command.params.items() if key != "node" for words in _param(key, value)]
    return f"{where}{command.title}{': ' if said else ''}{', '.join(said)}."


def _param(key: str, value: Any) -> Sequence[str]:
    if key == "set" and isinstance(value, dict):
        return [f"{path} to {value_in_words(inner)}" for path, inner in value.items()]
    if key == "add" and isinstance(value, dict):
        return [f"a new line in {table} ({value_in_words(row)})" for table, row in value.items()]
    if key == "remove":
        return [f"without {value_in_words(path)}" for path in value]
    return [f"{key} {value_in_words(value)}"]
