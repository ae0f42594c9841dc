"""What a trainee may do with the drill itself. Registered with a lab by the attempt that runs in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from sandbox.drill.desk_commands import DESK_COMMANDS
from sandbox.drill.generator.looking import TwinLook
from sandbox.lab.command import Command
from sandbox.model.config import shown
from sandbox.model.errors import BadInputError
from sandbox.model.verdict import Verdict
from sandbox.model.view import CommandResult

if TYPE_CHECKING:
    from sandbox.drill.attempt import Attempt


class AttemptHint(Command):
    """Show the next hint: first where to look, last the worked step."""

    name = "attempt.hint"
    title: ClassVar[str] = "Show a hint"

    def run(self, attempt: Attempt, /) -> CommandResult:
        return CommandResult(ok=True, sentence=attempt.hint())


class AttemptDiagnose(Command):
    """Commit to a diagnosis: which system, at which layer, what is wrong with it, and how you know."""

    name = "attempt.diagnose"
    title: ClassVar[str] = "Commit diagnosis"

    node: str = Field(**shown("System"))
    layer: str = Field(**shown("Layer"))
    fault: str = Field(**shown("What is wrong"))
    evidence: str = Field("", max_length=2000, **shown("Evidence", "What showed it to you, in your own words."))
    pins: tuple[int, ...] = Field((), max_length=50, **shown("Pinned evidence", "Numbers of what you have pinned."))
    confidence: Literal["", "guess", "likely", "sure"] = Field("", **shown("How sure", "guess, likely or sure."))

    def run(self, attempt: Attempt, /) -> CommandResult:
        attempt.diagnose(self.node, self.layer, self.fault, self.evidence, self.pins, self.confidence)
        return CommandResult(ok=True, sentence="Your diagnosis is noted. You will hear about it in the debrief.")


class AttemptCheck(Command):
    """Check the fix: real exams and calls are tried in the department, and you hear what works and what does not."""

    name = "attempt.check"
    title: ClassVar[str] = "Check my fix"

    def run(self, attempt: Attempt, /) -> CommandResult:
        findings = attempt.check()
        wrong = [finding for finding in findings if finding.verdict != "pass"]
        facts = tuple(f"{finding.verdict.value}: {finding.sentence}" for finding in findings)
        if not wrong:
            return CommandResult(ok=True, sentence="Solved. Everything works, and nothing was harmed.", facts=facts)
        harmed = [finding for finding in wrong if finding.invariant]
        sentence = f"Not yet: {len(wrong)} of {len(findings)} claims do not hold."
        if len(harmed) == len(wrong):
            sentence = "The ticket is cleared, but at a price: something that must always hold no longer does."
        return CommandResult(ok=False, sentence=sentence, facts=facts)


class AttemptGiveUp(Command):
    """End the drill and be told what it was. Nothing is lost by it; the debrief is where most is learnt."""

    name = "attempt.give_up"
    title: ClassVar[str] = "Give up and tell me"

    def run(self, attempt: Attempt, /) -> CommandResult:
        attempt.give_up()
        return CommandResult(ok=True, sentence="The drill is over. Read the debrief.")


class AttemptStep(Command):
    """Do one step of the worked solution in the lab, after giving up, and watch what it does."""

    name = "attempt.step"
    title: ClassVar[str] = "Do a step of the solution"

    number: int = Field(ge=1, **shown("Step", "Counted from 1."))

    def run(self, attempt: Attempt, /) -> CommandResult:
        return attempt.solution.do_step(self.number)


class AttemptRehearse(Command):
    """Try the department out after giving up, once the solution's steps are done. It changes nothing in the result."""

    name = "attempt.rehearse"
    title: ClassVar[str] = "See whether it works now"

    def run(self, attempt: Attempt, /) -> CommandResult:
        findings = attempt.solution.rehearse()
        wrong = sum(finding.verdict is not Verdict.PASS for finding in findings)
        facts = tuple(f"{finding.verdict.value}: {finding.sentence}" for finding in findings)
        sentence = "It works now, and nothing was harmed." if not wrong else f"{wrong} of {len(findings)} do not hold."
        return CommandResult(ok=not wrong, sentence=sentence, facts=facts)


class AttemptAccount(Command):
    """Write your own account of the drill when it is over, before the debrief is opened, or skip it."""

    name = "attempt.account"
    title: ClassVar[str] = "Write my own account"

    wrong: str = Field("", max_length=2000, **shown("What was wrong?"))
    did: str = Field("", max_length=2000, **shown("What did you do?"))
    differently: str = Field("", max_length=2000, **shown("What would you do differently?"))
    skipped: bool = Field(False, **shown("Skip it"))

    def run(self, attempt: Attempt, /) -> CommandResult:
        if not self.skipped and not (self.wrong.strip() or self.did.strip() or self.differently.strip()):
            raise BadInputError("Your account is empty.", "Write a line, or skip it.")
        attempt.account(self.wrong, self.did, self.differently, skipped=self.skipped)
        return CommandResult(ok=True, sentence="Skipped." if self.skipped else "Your account is kept.")


COMMANDS: tuple[type[Command], ...] = (
    AttemptHint,
    AttemptDiagnose,
    AttemptCheck,
    AttemptGiveUp,
    AttemptAccount,
    AttemptStep,
    AttemptRehearse,
    TwinLook,
    *DESK_COMMANDS,
)
