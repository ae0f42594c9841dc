"""Questions for practice and for the exam simulation: the typed model, how choices are shuffled, how an answer scores.

Values and rules only; where the questions lie and how they are read is known to sandbox/drill/question_bank.py. An
answer is a tuple of keys ("a", "b", … by the order of the file), so that it stays true however choices were shuffled.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from enum import StrEnum
from itertools import combinations
from typing import Self

from pydantic import Field, model_validator

from sandbox.learning.topics import TOPICS
from sandbox.model.base import Model

KEYS = "abcdefgh"
"""The names of choices, in the order of the file. Eight are more than anybody wants to read."""

Answer = tuple[str, ...]
"""What somebody answered: one key; the keys ticked; the keys in an order; the key of the partner chosen for each choice
("" where none was); or one number as it was typed. Empty is no answer."""

TOPIC_IDS = frozenset(topic.id for topic in TOPICS)

REFERENCES: tuple[re.Pattern[str], ...] = tuple(
    re.compile(form)
    for form in (
        r"PS3\.([2-9]|1\d|2[0-2])( (TID \d+|CID \d+|[A-Z]{1,3}(\.\d+)*|\d+(\.\d+)*))?",  # a part of DICOM
        r"RFC \d{3,4}( \d+(\.\d+)*)?",
        r"IHE (RAD|ITI) [A-Z][A-Za-z-]*(\.[a-z])?",  # a profile, by the domain it belongs to
        r"IHE (RAD|ITI) TF-[1-3]: [\d.]+",
        r"HL7 v2\.5\.1 ch\. \d{1,2}",
        r"HL7 (MLLP R1|FHIR R[45] \w+)",
        r"NIST SP 800-\d+",
        r"(ISO|IEC|ISO/IEC) \d+(-\d+)*",
        r"ITIL 4 [A-Z][a-z ]+",
        r"PMBOK Guide",
        r"AAPM Report \d+",
        r"ANSI/NEMA HN 1",
        r"45 CFR 164\.\d{3}",
        r"21 CFR \d{3}\.\d+",
        r"GDPR Art\. \d+",
        r"TeamSTEPPS \w+",
        r"Kirkpatrick model",
        r"ACR Communication Parameter",
        r"ACR-AAPM-SIIM Electronic Practice Standard",
        r"WHATWG Fetch",
        r"LOINC|SNOMED CT|RadLex",
    )
)
"""The forms in which a question may say where its answer stands."""


class Kind(StrEnum):
    """How a question is answered."""

    SINGLE = "single"
    SEVERAL = "several"
    ORDER = "order"
    NUMBER = "number"
    MATCH = "match"


class Option(Model):
    """One choice: its text, whether it is right, and why. In a match ``match`` is the partner that belongs to it."""

    text: str = Field(min_length=1)
    why: str = Field(min_length=12)
    right: bool = False
    match: str = ""


class Question(Model):
    """One question. ``topic`` is the one it is drawn for, ``also`` others that it touches.

    ``choices`` of an order stand in the right order. A number has ``answer`` (in ``unit``, right within ``tolerance``)
    and ``why`` in place of choices. ``evidence`` is shown as it stands: a log, a table, a message.
    """

    id: str = Field(pattern=r"^[a-z][a-z0-9-]{2,60}$")
    topic: str
    also: tuple[str, ...] = ()
    difficulty: int = Field(ge=1, le=3)
    kind: Kind = Kind.SINGLE
    stem: str = Field(min_length=30)
    evidence: str = ""
    choices: tuple[Option, ...] = Field((), max_length=len(KEYS))
    answer: float | None = None
    tolerance: float = Field(0.0, ge=0)
    unit: str = ""
    why: str = ""
    reference: tuple[str, ...] = Field(min_length=1)
    scenario: str = ""

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        for complaint in _complaints(self):
            raise ValueError(complaint)
        return self

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of its choices, in the order of the file."""
        return tuple(KEYS[: len(self.choices)])

    def option(self, key: str) -> Option:
        return self.choices[KEYS.index(key)]


def _complaints(question: Question) -> Sequence[str]:
    """What makes no sense about a question, in words for its author."""
    right = sum(option.right for option in question.choices)
    count = len(question.choices)
    partners = [option.match for option in question.choices]
    rules = {
        "topic and also name topics of the curriculum": {question.topic, *question.also} <= TOPIC_IDS,
        "also does not repeat topic": question.topic not in question.also,
        "a reference has one of the known forms": all(is_reference(one) for one in question.reference),
        "choices differ from each other": len({option.text for option in question.choices}) == count,
    }
    match question.kind:
        case Kind.SINGLE:
            rules["a single has three to six choices, one of them right"] = 3 <= count <= 6 and right == 1
        case Kind.SEVERAL:
            rules["a several has four or more choices, two or more right and one wrong"] = (
                count >= 4 and 2 <= right < count
            )
        case Kind.ORDER:
            rules["an order has four or more choices and none is marked right"] = count >= 4 and not right
        case Kind.MATCH:
            rules["a match has three or more choices, each with a partner of its own"] = (
                count >= 3 and not right and all(partners) and len(set(partners)) == count
            )
        case Kind.NUMBER:
            rules["a number has an answer and a why, and no choices"] = (
                question.answer is not None and bool(question.why) and not count
            )
    if question.kind is not Kind.NUMBER:
        rules["answer, tolerance and unit belong to a number"] = (
            question.answer is None and not question.tolerance and not question.unit
        )
    if question.kind is not Kind.MATCH:
        rules["match belongs to a match"] = not any(partners)
    return [f"the rule is: {rule}" for rule, holds in rules.items() if not holds]


def is_reference(text: str) -> bool:
    """Whether ``text`` names a place in a standard in one of the forms that we use."""
    return any(form.fullmatch(text) for form in REFERENCES)


# --- shuffling -------------------------------------------------------------------------------------------------------


def shuffled(question: Question, seed: int) -> tuple[str, ...]:
    """The keys in the order in which they are shown: the same for the same seed, and never an order's solution."""
    chance = random.Random(f"{seed}:{question.id}")  # noqa: S311 - for variety, not for secrecy
    keys = list(question.keys)
    chance.shuffle(keys)
    while question.kind is Kind.ORDER and tuple(keys) == question.keys:
        chance.shuffle(keys)
    return tuple(keys)


def shuffled_partners(question: Question, seed: int) -> tuple[str, ...]:
    """The keys whose partners are offered in a match, in the order in which they are shown."""
    chance = random.Random(f"{seed}:{question.id}:partners")  # noqa: S311 - for variety, not for secrecy
    keys = list(question.keys)
    chance.shuffle(keys)
    return tuple(keys)


# --- scoring ---------------------------------------------------------------------------------------------------------


def is_answered(answer: Answer) -> bool:
    return any(part.strip() for part in answer)


def right_answer(question: Question) -> Answer:
    """The answer that scores in full."""
    match question.kind:
        case Kind.SINGLE | Kind.SEVERAL:
            return tuple(key for key in question.keys if question.option(key).right)
        case Kind.NUMBER:
            return (f"{question.answer:g}",)
        case _:
            return question.keys


def score(question: Question, answer: Answer) -> float:
    """What ``answer`` is worth, from 0 to 1.

    Partial credit: a several counts right ticks less wrong ones, a match the pairs that are right, an order how many
    pairs stand the right way round beyond what chance would give.
    """
    if not is_answered(answer):
        return 0.0
    match question.kind:
        case Kind.SINGLE:
            return float(answer == right_answer(question))
        case Kind.SEVERAL:
            right = set(right_answer(question))
            ticked = set(answer)
            return max(0.0, (len(ticked & right) - len(ticked - right)) / len(right))
        case Kind.ORDER:
            return _order_score(question.keys, answer)
        case Kind.MATCH:
            return sum(given == key for given, key in zip(answer, question.keys, strict=False)) / len(question.keys)
        case Kind.NUMBER:
            return float(_is_near(question, answer[0]))


def is_right(question: Question, answer: Answer) -> bool:
    return score(question, answer) == 1.0


def _order_score(right: tuple[str, ...], answer: Answer) -> float:
    if sorted(answer) != sorted(right):
        return 0.0
    pairs = list(combinations(answer, 2))
    ordered = sum(right.index(first) < right.index(second) for first, second in pairs)
    return max(0.0, 2 * ordered / len(pairs) - 1)


def number(text: str) -> float | None:
    """A number as people type it: 16378, 16 378, 43.2 or 43,2. None when it is none.

    A comma is the decimal point, unless it stands as separators of thousands do (16,378).
    """
    bare = re.sub(r"[\s_'’]", "", text)
    if re.fullmatch(r"-?\d{1,3}(,\d{3})+(\.\d+)?", bare):
        bare = bare.replace(",", "")
    bare = bare.replace(",", ".")
    return float(bare) if re.fullmatch(r"-?\d+(\.\d*)?", bare) else None


def _is_near(question: Question, text: str) -> bool:
    given = number(text)
    return (
        given is not None and question.answer is not None and abs(given - question.answer) <= question.tolerance + 1e-9
    )
