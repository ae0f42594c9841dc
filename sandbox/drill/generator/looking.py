"""A look as a command: what one of the looks that tell causes apart shows in this lab, and what it costs."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from sandbox.drill.generator.looks import COSTS_MIN, LOOKS, words_of
from sandbox.drill.generator.made import is_made, way_of
from sandbox.lab.command import Command
from sandbox.model.config import shown
from sandbox.model.discovery import suggestion
from sandbox.model.errors import ConflictError, NotFoundError
from sandbox.model.view import CommandResult

if TYPE_CHECKING:
    from sandbox.drill.attempt import Attempt


class TwinLook(Command):
    """Look at one thing in a department of the twins' trainer, and be told in a few words what it shows."""

    name = "twin.look"
    title: ClassVar[str] = "Look"

    look: str = Field(max_length=120, **shown("Look", "One of the looks that the trainer offers."))

    def run(self, attempt: Attempt, /) -> CommandResult:
        slug = attempt.scenario.slug
        if not is_made(slug):
            raise ConflictError("This department is no twin.", "Use the tools of its nodes.")
        if self.look not in LOOKS:
            raise NotFoundError(f"There is no look {self.look!r}.", suggestion(self.look, list(LOOKS)))
        where = way_of(slug)
        (exam,) = attempt.memory.exams
        answer = LOOKS[self.look](attempt.lab.department, where, exam)
        cost = f"{COSTS_MIN[self.look]} min"
        return CommandResult(ok=True, sentence=answer, facts=(words_of(self.look, where), cost))
