"""What a check is: a claim in words, and a probe that gives its verdict."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

from pydantic import Field

from sandbox.checks.memory import Memory
from sandbox.events.event import PROBE
from sandbox.events.kinds import ProbeStarted
from sandbox.events.log import because
from sandbox.model.base import Model
from sandbox.model.errors import SandboxError
from sandbox.model.verdict import Finding, Verdict
from sandbox.nodes.department import Department


@dataclass(frozen=True)
class Judgement:
    """A verdict with its sentence. ``evidence`` are numbers of events, ``facts`` short statements beside it."""

    verdict: Verdict
    sentence: str
    evidence: tuple[int, ...] = ()
    facts: tuple[str, ...] = ()


def passed(sentence: str, evidence: tuple[int, ...] = (), facts: tuple[str, ...] = ()) -> Judgement:
    return Judgement(Verdict.PASS, sentence, evidence, facts)


def failed(sentence: str, evidence: tuple[int, ...] = (), facts: tuple[str, ...] = ()) -> Judgement:
    return Judgement(Verdict.FAIL, sentence, evidence, facts)


def unclear(sentence: str, evidence: tuple[int, ...] = (), facts: tuple[str, ...] = ()) -> Judgement:
    return Judgement(Verdict.COULD_NOT_TELL, sentence, evidence, facts)


class Check(Model):
    """A claim about the department. Subclasses set ``kind`` and implement ``claim``, ``nodes`` and ``judge``.

    Checks run side by side, so none may be misled by the exams and associations of another (their actor is ``probe``).
    ``says`` is the claim in the scenario's own words; one that is ``kept_back`` is told when it has been judged, not
    before, since it tells what is wrong.
    """

    kind: ClassVar[str]

    id: str = Field("", pattern=r"^[a-z0-9]*(-[a-z0-9]+)*$")
    says: str = ""
    kept_back: bool = False

    @abstractmethod
    def claim(self) -> str:
        """What is claimed, as a trainee reads it in the list of checks before any of them ran."""

    @abstractmethod
    def nodes(self) -> tuple[str, ...]:
        """The nodes that the parameters name."""

    @abstractmethod
    def judge(self, department: Department, memory: Memory) -> Judgement:
        """Perform the operation and say what came of it. Runs as the actor ``probe``."""

    def labels(self) -> tuple[str, ...]:
        """The scenario's exams that the parameters name."""
        return ()

    def baseline(self, department: Department) -> Any:
        """What to remember of the healthy department (JSON), for checks that compare with it; None for the others."""
        del department
        return None

    def note(self, department: Department) -> Any:
        """What ``baseline`` gives, noted on behalf of the check: its traffic is hidden like that of a run."""
        with self._probing(department):
            return self.baseline(department)

    @property
    def name(self) -> str:
        """Its id, or its kind when the scenario gave it none."""
        return self.id or self.kind

    @property
    def title(self) -> str:
        """The claim in the scenario's own words (``says``), or the general ones."""
        return self.says or self.claim()

    def run(self, department: Department, memory: Memory, *, invariant: bool = False) -> Finding:
        """Judge, and never raise: a probe that could not be made could not tell."""
        began = time.monotonic()
        with self._probing(department):
            try:
                judgement = self.judge(department, memory)
            except SandboxError as wrong:
                judgement = unclear(
                    f"This could not be tried: {wrong.sentence}", facts=(wrong.mend,) * bool(wrong.mend)
                )
            except Exception as wrong:
                judgement = unclear(f"This could not be tried: {type(wrong).__name__}: {wrong}.")
        return Finding(
            id=self.name,
            check=self.title,
            verdict=judgement.verdict,
            sentence=judgement.sentence,
            invariant=invariant,
            evidence=judgement.evidence,
            facts=judgement.facts,
            duration_s=round(time.monotonic() - began, 3),
        )

    @contextmanager
    def _probing(self, department: Department) -> Iterator[None]:
        """What is done inside goes by an event of its own, so that the other end of an association knows, too, for whom
        it works."""
        started = department.events.append(ProbeStarted(check=self.name), actor=PROBE)
        with because(started.seq, PROBE):
            yield
