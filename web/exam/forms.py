"""Answers as forms bring them, and questions as pages show them. A form names its fields by the kind of its question:
``answer`` for one, several and a number, ``place-a`` for an order, ``partner-a`` for a match."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from sandbox.learning.questions import (
    Answer,
    Kind,
    Question,
    is_right,
    right_answer,
    score,
    shuffled,
    shuffled_partners,
)

LONGEST = 40
"""Nobody types a longer number."""


class Fields(Protocol):
    """What a form was filled in with (werkzeug's MultiDict)."""

    def get(self, key: str, default: str, /) -> str: ...
    def getlist(self, key: str, /) -> list[str]: ...


def read_answer(question: Question, form: Fields) -> Answer:
    """The answer in ``form``. What it does not offer, or names twice, is not answered."""
    keys = question.keys
    match question.kind:
        case Kind.SINGLE:
            given = form.get("answer", "")
            return (given,) if given in keys else ()
        case Kind.SEVERAL:
            return tuple(key for key in keys if key in form.getlist("answer"))
        case Kind.NUMBER:
            typed = form.get("answer", "").strip()[:LONGEST]
            return (typed,) if typed else ()
        case Kind.ORDER:
            at = {form.get(f"place-{key}", ""): key for key in reversed(keys)}
            return _or_none(tuple(at.get(str(place), "") for place in range(1, len(keys) + 1)))
        case Kind.MATCH:
            given_partners = (form.get(f"partner-{key}", "") for key in keys)
            return _or_none(tuple(partner if partner in keys else "" for partner in given_partners))


def _or_none(answer: Answer) -> Answer:
    return answer if any(answer) else ()


@dataclass(frozen=True)
class Shown:
    """A question as a page shows it: its choices and partners in shuffled order, and the answer so far."""

    question: Question
    keys: tuple[str, ...]
    partners: tuple[str, ...]
    answer: Answer

    @property
    def places(self) -> Mapping[str, int]:
        """In an order, the place (from 1) that was given to each choice."""
        return {key: place for place, key in enumerate(self.answer, 1) if key}

    @property
    def partner_of(self) -> Mapping[str, str]:
        """In a match, the partner that was chosen for each choice."""
        return dict(zip(self.question.keys, self.answer, strict=False))

    @property
    def points(self) -> float:
        return score(self.question, self.answer)

    @property
    def is_right(self) -> bool:
        return is_right(self.question, self.answer)

    @property
    def right(self) -> Answer:
        return right_answer(self.question)


def shown(question: Question, answer: Answer, seed: int) -> Shown:
    """``question`` as it is shown with ``seed``. Of an answer that was kept when the question had other choices, or
    that came from a file, what it does not offer is not answered."""
    if question.kind is not Kind.NUMBER:
        answer = _or_none(tuple(key if key in question.keys else "" for key in answer))
    partners = shuffled_partners(question, seed) if question.kind is Kind.MATCH else ()
    return Shown(question, shuffled(question, seed), partners, answer)
