"""What a person may do in a lab, as values: one class a command, validated when it is made, run on its target.

Titles and help stand on the class and its fields; the command line's help, the API's schemas and the reference page
are made from them. A command that was tried and did not work is a result (``ok`` False); one that makes no sense is
refused by an error with a sentence and a mend, before or while it runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import ValidationError

from sandbox.model.base import Model, explain_validation
from sandbox.model.discovery import suggestion
from sandbox.model.errors import BadInputError
from sandbox.model.view import CommandResult


class Command(Model):
    """The base of all commands. A subclass sets ``name`` and ``title``, has a docstring and overrides ``run``.

    The target is the lab for the commands of sandbox.lab.commands, and whatever ``Lab.extend`` was given for others.
    """

    name: ClassVar[str] = ""
    title: ClassVar[str] = ""
    is_lifecycle: ClassVar[bool] = False
    """Whether it stops and starts the lab itself, and so does not wait for a reset that is under way."""

    def run(self, target: Any, /) -> CommandResult:
        """Do it. Anything written to the event log meanwhile is caused by this command."""
        raise NotImplementedError

    @classmethod
    def parameters(cls) -> tuple[str, ...]:
        """The names of the parameters as they are given."""
        return tuple(field.alias or name for name, field in cls.model_fields.items())

    @property
    def about_node(self) -> str:
        """The node the command is given to, or empty when it concerns the lab as a whole."""
        return str(getattr(self, "node", ""))

    @property
    def params(self) -> dict[str, Any]:
        """The parameters as they were given, in JSON's types."""
        return self.model_dump(mode="json", exclude_defaults=True, by_alias=True)


def parse(known: Mapping[str, type[Command]], name: str, params: Mapping[str, Any]) -> Command:
    """The command ``name`` with ``params``, or BadInputError that says what is wrong and what there is instead."""
    if name not in known:
        raise BadInputError(f"There is no command {name!r}.", suggestion(name, known))
    command = known[name]
    known_keys = command.parameters()
    for key in params:
        if key not in known_keys:
            raise BadInputError(f"{name} has no parameter {key!r}.", suggestion(str(key), known_keys))
    try:
        return command.model_validate(dict(params))
    except ValidationError as wrong:
        raise explain_validation(wrong, name) from wrong
