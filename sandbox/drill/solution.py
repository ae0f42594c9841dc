"""The worked solution, walked through in the lab itself once a drill was given up. It changes nothing in the result."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.drill.steps import command_of
from sandbox.lab.commands import registry
from sandbox.model.errors import BadInputError, ConflictError
from sandbox.model.verdict import Finding
from sandbox.model.view import AttemptState, CommandResult

if TYPE_CHECKING:
    from sandbox.drill.attempt import Attempt


class Solution:
    """The solution of one attempt's scenario. ConflictError while the drill runs or when it is solved."""

    def __init__(self, attempt: Attempt) -> None:
        self._attempt = attempt

    def do_step(self, number: int) -> CommandResult:
        """Do one step of the first solution, counted from 1."""
        self._must_be_given_up()
        steps = self._attempt.scenario.solution[0].step
        if not 1 <= number <= len(steps):
            raise BadInputError(f"The solution has no step {number}.", f"It has {len(steps)}.")
        command = command_of(steps[number - 1], self._attempt.surface)
        if command.name not in registry.commands():
            return CommandResult(ok=True, sentence="The caller is told so; there is nothing to do in the lab.")
        return command.run(self._attempt.lab)

    def rehearse(self) -> tuple[Finding, ...]:
        """What the checks find now, while the solution is being walked through."""
        self._must_be_given_up()
        return self._attempt.judge()

    def _must_be_given_up(self) -> None:
        if self._attempt.state is not AttemptState.GIVEN_UP:
            raise ConflictError("The worked solution is for after giving up.", "Mend it, or give up and be shown.")
