"""The surface of one run: what varies by seed, and the placeholders by which texts and parameters name it.

``{patient}`` is the first exam of the scenario, ``{friday.2.accession}`` the second one called friday,
``{person.ct_tech.name}`` somebody of the site, ``{typo:ROUTER}`` a mistyped AE title, ``{pick:a|b}`` a choice. The same
seed gives the same surface; another seed gives another, so that a write-up of one run does not solve the next.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from sandbox.checks.memory import Memory, NotedExam
from sandbox.drill.typos import mistyped
from sandbox.lab.site import Person, Site, SiteNode
from sandbox.model.discovery import suggestion
from sandbox.model.errors import BadInputError, NotFoundError
from sandbox.model.scenario import SceneExam

SubjectT = TypeVar("SubjectT")

PLACEHOLDER = re.compile(r"\{([^{}]+)\}")
"""It may be broken over two lines, as long texts are."""

NESTED = 3
"""How deep placeholders may stand within each other: a name within a choice, and to spare."""

EXAM_WORDS: dict[str, Callable[[NotedExam], str]] = {
    "patient": lambda exam: exam.spoken_name,
    "patient_name": lambda exam: exam.patient_name,
    "family_name": lambda exam: exam.patient_name.partition("^")[0],
    "patient_id": lambda exam: exam.patient_id,
    "accession": lambda exam: exam.accession_number,
    "procedure": lambda exam: exam.description,
    "study_uid": lambda exam: exam.study_uid,
    "time": lambda exam: f"{exam.at:%H:%M}",
    "day": lambda exam: f"{exam.at:%A}",
    "date": lambda exam: f"{exam.at:%Y%m%d}",
    "images": lambda exam: str(len(exam.sop_instances)),
}
PERSON_WORDS: dict[str, Callable[[Person], str]] = {
    "name": lambda person: person.name,
    "first": lambda person: person.name.removeprefix("Dr. ").split()[0],
    "job": lambda person: person.job,
    "extension": lambda person: person.extension,
}
NODE_WORDS: dict[str, Callable[[SiteNode], str]] = {
    "ae": lambda node: str(node.config.get("ae_title", "")),
    "title": lambda node: node.title,
    "location": lambda node: node.location,
    "port": lambda node: str(node.config.get("port", "")),
}
NOW_WORDS: dict[str, Callable[[datetime], str]] = {
    "time": lambda now: f"{now:%H:%M}",
    "day": lambda now: f"{now:%A}",
}


NOON = datetime(2025, 1, 6, 12, 0)
"""The moment of a surface that is only pretended: a Monday."""


@dataclass(frozen=True)
class Surface:
    """Fills placeholders for one run. ``now`` is when the phone rings; ``memory`` holds the exams that were made."""

    site: Site
    seed: int
    now: datetime
    memory: Memory = field(default_factory=Memory)

    def random(self, purpose: str) -> random.Random:
        """The generator for one purpose: independent of every other, the same for the same seed."""
        return random.Random(f"{self.seed}:{purpose}")  # noqa: S311 - a surface, not a secret

    def fill(self, text: str) -> str:
        """``text`` with every placeholder replaced, the inner ones first. BadInputError names the first that means
        nothing."""
        for _ in range(NESTED):
            filled = PLACEHOLDER.sub(lambda match: self._word(" ".join(match[1].split())), text)
            if filled == text:
                break
            text = filled
        return text

    def fill_all(self, value: Any) -> Any:
        """A JSON value in which every string, keys included, is filled."""
        if isinstance(value, str):
            return self.fill(value)
        if isinstance(value, dict):
            return {self.fill(key): self.fill_all(inner) for key, inner in value.items()}
        if isinstance(value, list | tuple):
            return [self.fill_all(inner) for inner in value]
        return value

    def _word(self, name: str) -> str:
        verb, colon, rest = name.partition(":")
        if colon:
            return self._function(verb.strip(), rest.strip())
        parts = name.split(".")
        if parts[0] == "person" and len(parts) == 3:
            return _lookup(PERSON_WORDS, parts[2], name)(self.site.person(parts[1]))
        if parts[0] == "now" and len(parts) == 2:
            return _lookup(NOW_WORDS, parts[1], name)(self.now)
        return self._exam_word(parts, name)

    def _function(self, verb: str, rest: str) -> str:
        if verb == "typo":
            return self._typo(rest)
        if verb == "pick":
            options = [option.strip() for option in rest.split("|")]
            return self.random(f"pick:{rest}").choice(options)
        return _lookup(NODE_WORDS, verb, f"{verb}:{rest}")(self.site.node(rest))

    def _typo(self, rest: str) -> str:
        titles = {str(node.config.get("ae_title", "")) for node in self.site.nodes}
        named = next((node for node in self.site.nodes if node.name == rest), None)
        title = rest if named is None else str(named.config.get("ae_title", rest))
        return mistyped(title, titles, self.random(f"typo:{rest}"))

    def _exam_word(self, parts: Sequence[str], name: str) -> str:
        labels = list(dict.fromkeys(exam.label for exam in self.memory.exams))
        label = parts[0] if parts[0] in labels else (labels[0] if labels and len(parts) == 1 else "")
        rest = list(parts[1:] if parts[0] in labels else parts)
        if not label:
            raise BadInputError(f"{{{name}}} means nothing here.", suggestion(parts[0], [*labels, *EXAM_WORDS]))
        exams = self.memory.labelled(label)
        if rest == ["count"]:
            return str(len(exams))
        exam = exams[0]
        if len(rest) == 2:
            exam = _pick_exam(exams, rest.pop(0), name)
        if len(rest) != 1:
            raise BadInputError(
                f"{{{name}}} means nothing here.", f"Write {{{label}.patient}} or {{{label}.2.patient}}."
            )
        return _lookup(EXAM_WORDS, rest[0], name)(exam)


def _pick_exam(exams: Sequence[NotedExam], which: str, name: str) -> NotedExam:
    if which == "first":
        return exams[0]
    if which == "last":
        return exams[-1]
    if which.isdigit() and 1 <= int(which) <= len(exams):
        return exams[int(which) - 1]
    raise NotFoundError(
        f"{{{name}}}: there is no exam number {which!r}.", f"There are {len(exams)}; or say first, last."
    )


def _lookup(words: dict[str, Callable[[SubjectT], str]], word: str, name: str) -> Callable[[SubjectT], str]:
    if word not in words:
        raise BadInputError(f"{{{name}}} means nothing here.", suggestion(word, words))
    return words[word]


def pretended_surface(exams: Sequence[SceneExam], site: Site, seed: int = 1) -> Surface:
    """A surface with an exam for every one that a scenario will make, for whoever reads it before they are made."""
    noted = tuple(
        NotedExam(
            label=exam.id,
            node=exam.node,
            study_uid=f"2.25.{number + 1}",
            accession_number=f"A{number + 1:06d}",
            patient_id="0001234",
            patient_name="Walker^Grace",
            spoken_name="Grace Walker",
            modality="CT",
            description="CT HEAD W/O CONTRAST",
            at=NOON,
            sop_instances=("2.25.9",),
        )
        for exam in exams
        for number in range(exam.count)
    )
    return Surface(site, seed, NOON, Memory(exams=noted))
