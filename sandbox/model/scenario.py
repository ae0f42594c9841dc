"""A scenario file as data: a lesson about one broken department. No code; new behaviour is a new primitive.

Faults, checks and invariants carry a ``kind`` and the parameters of that kind, which the primitive's own class
validates. Commands in solutions, alternatives and decoys are the ones a person could give (sandbox.lab.commands).
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from sandbox.model.base import Model


class Primitive(BaseModel):
    """A fault, check or invariant: its kind and its own parameters (``params``), taken from the other keys."""

    model_config = ConfigDict(frozen=True, extra="allow")

    kind: str
    id: str = ""

    @property
    def params(self) -> dict[str, Any]:
        return dict(self.model_extra or {})


class Step(BaseModel):
    """One command of a solution or decoy: its name and its own parameters (``params``), taken from the other keys."""

    model_config = ConfigDict(frozen=True, extra="allow")

    command: str

    @property
    def params(self) -> dict[str, Any]:
        return dict(self.model_extra or {})


class Way(Model):
    """A named sequence of commands: the reference solution, another good fix, or a decoy with the harm it does.

    ``fails`` names the checks or invariants that a decoy must fail.
    """

    title: str
    step: tuple[Step, ...] = Field(min_length=1)
    harm: str = ""
    fails: tuple[str, ...] = ()


class Ticket(Model):
    """A complaint in the voice of ``sender`` (a person of the site). ``text`` names a Markdown file beside the scenario."""

    sender: str = Field(alias="from")
    subject: str
    text: str
    after_s: float = 0.0


class Hint(Model):
    """One rung of the ladder: where to look, what to compare, what it means, the worked step."""

    text: str


class FaultChoice(Model):
    """One alternative of the diagnosis form."""

    value: str
    text: str


class Diagnosis(Model):
    """The right diagnosis, and the plausible wrong ones offered beside it."""

    node: str
    layer: str
    fault: str
    choices: tuple[FaultChoice, ...] = Field(min_length=2)


class Scenario(Model):
    """A lesson. ``slug`` (the folder's name) and ``title`` name the symptom, never the cause."""

    slug: str = ""
    title: str = Field(min_length=8, max_length=100)
    code: str = ""
    family: str
    site: str
    difficulty: int = Field(ge=1, le=5)
    expected_minutes: int = Field(ge=1, le=240)
    topics: tuple[str, ...] = Field(min_length=1)
    objectives: tuple[str, ...] = Field(min_length=1)
    fault: tuple[Primitive, ...] = Field(min_length=1)
    before: tuple[Step, ...] = ()
    ticket: tuple[Ticket, ...] = Field(min_length=1)
    check: tuple[Primitive, ...] = Field(min_length=1)
    invariant: tuple[Primitive, ...] = Field(min_length=1)
    hint: tuple[Hint, ...] = Field(min_length=3)
    diagnosis: Diagnosis
    solution: tuple[Way, ...] = Field(min_length=1)
    decoy: tuple[Way, ...] = Field(min_length=2)
    debrief: str = "debrief.md"
