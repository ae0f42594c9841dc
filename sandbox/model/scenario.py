"""A scenario file as data: a lesson about one broken department. No code; new behaviour is a new primitive.

Faults, checks and invariants carry a ``kind`` and the parameters of that kind, which the primitive's own class
validates. Commands in solutions, alternatives and decoys are the ones a person could give (sandbox.lab.commands).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

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


class SceneExam(Model):
    """Exams that a modality makes as the scenario begins, so that there is somebody to call about.

    ``id`` is what texts, steps and checks call them (``{trauma.patient}``; the first table may go without:
    ``{patient}``). They are made after the fault unless ``before_fault``. ``at`` is the moment they happened, such as
    "friday 16:20" or "-25 min"; several follow each other ``every_min`` minutes apart. ``settle_s`` is how long the
    department may take at most until nothing of it moves any more: longer, where somebody waits for a timeout.
    ``same_patient`` is the id of an exam made before, whose patient comes again; ``namesake_of`` of one whose patient
    has the same name and sex and is somebody else, born on another day.
    """

    id: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    node: str
    procedure: str = ""
    count: int = Field(1, ge=1, le=20)
    images: int | None = Field(None, ge=1, le=500)
    stat: bool = False
    before_fault: bool = False
    at: str = ""
    every_min: int = Field(20, ge=1, le=600)
    settle_s: float = Field(5.0, gt=0, le=60)
    same_patient: str = ""
    namesake_of: str = ""


class KeyEvidence(Model):
    """What would have told the trainee: the first event of ``event`` kind on ``node``, and what it means in words.

    ``about`` narrows it to events that mention this text (an AE title, a rule, a destination).
    """

    event: str
    node: str
    text: str
    about: str = ""


class OutsideView(Model):
    """What somebody sees who has only dcmtk: ``command`` prints ``prints`` only while the department is broken, and
    ``healthy`` only while it is well; at least one of them is given. One run may take ``patience_s`` seconds (0: the
    usual time); a tool that hangs is ended then, which may be the symptom.
    """

    command: str = Field(min_length=1)
    prints: str = ""
    healthy: str = ""
    patience_s: float = Field(0.0, ge=0, le=60)

    @model_validator(mode="after")
    def _something_is_printed(self) -> Self:
        if not (self.prints or self.healthy):
            raise ValueError("give prints (only while broken), healthy (only while well), or both")
        return self


class Ticket(Model):
    """A complaint in the voice of ``sender`` (a person of the site). ``text`` names a Markdown file of the folder."""

    sender: str = Field(alias="from")
    subject: str
    text: str
    after_s: float = 0.0


class About(StrEnum):
    """What somebody of the hospital can be asked about. sandbox.drill.questions has the words of the questions."""

    SEE = "see"
    SINCE = "since"
    SCOPE = "scope"
    ROOMS = "rooms"
    CHANGED = "changed"
    AGAIN = "again"
    URGENT = "urgent"
    WAITING = "waiting"


class Answer(Model):
    """What ``to`` (a person of the site) says when asked ``about`` something. ``again`` is not written: it is tried."""

    to: str
    about: About
    text: str


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
    """A lesson. ``slug`` (the folder's name) and ``title`` name the symptom, never the cause.

    ``starts`` is the weekday and time at which the phone rings ("monday 07:40"); empty is now. A check is a claim that
    the fault breaks; an invariant holds before, during and after it. Without a fault nothing is broken, and the cure is
    to find that out and say so. ``given`` are peculiarities of the house, of the same kinds as faults and there
    also when it is well; ``before`` is done before anything breaks; ``meanwhile`` is what people did afterwards,
    just before the phone rings, whether or not it worked. ``history`` false: the archive begins empty, where
    studies of years would be in the way of the lesson.
    """

    slug: str = ""
    title: str = Field(min_length=8, max_length=100)
    code: str = ""
    family: str
    site: str
    difficulty: int = Field(ge=1, le=5)
    expected_minutes: int = Field(ge=1, le=240)
    topics: tuple[str, ...] = Field(min_length=1)
    objectives: tuple[str, ...] = Field(min_length=1)
    fault: tuple[Primitive, ...] = ()
    given: tuple[Primitive, ...] = ()
    before: tuple[Step, ...] = ()
    meanwhile: tuple[Step, ...] = ()
    starts: str = ""
    history: bool = True
    exam: tuple[SceneExam, ...] = ()
    ticket: tuple[Ticket, ...] = Field(min_length=1)
    answer: tuple[Answer, ...] = ()
    check: tuple[Primitive, ...] = Field(min_length=1)
    invariant: tuple[Primitive, ...] = Field(min_length=1)
    hint: tuple[Hint, ...] = Field(min_length=3)
    diagnosis: Diagnosis
    solution: tuple[Way, ...] = Field(min_length=1)
    decoy: tuple[Way, ...] = Field(min_length=2)
    evidence: tuple[KeyEvidence, ...] = ()
    outside: tuple[OutsideView, ...] = ()
    debrief: str = "debrief.md"
