"""Reads the question bank, scenarios/questions/*.toml, one file a topic, and lints it as a whole.

A file names its ``topic`` above and holds ``[[question]]`` tables. Reading stops at the first fault; ``lint_bank``
tells what only the whole bank can show: doubles, thin topics, and habits that would give right answers away.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import combinations
from pathlib import Path

from pydantic import ValidationError

from sandbox.drill.load import read_toml, scenario_slugs, scenarios_folder
from sandbox.drill.problem import Problem
from sandbox.learning.questions import Kind, Question, shuffled
from sandbox.learning.topics import TOPICS
from sandbox.model.base import explain_validation
from sandbox.model.errors import BadInputError

FOLDER = "questions"
FEWEST = 150
FEWEST_OF_TOPIC = {"cdip": 8, "ciip": 4}
"""How many questions a topic has at least, by the body in whose style it is."""
ALIKE = 0.6
"""Two stems that share this part of their words are one question asked twice."""
MOST_TELLING = 0.4
"""How often the right choice may be the longest of its question, or the shortest: little more than by chance."""


def read_question_file(path: Path) -> tuple[Question, ...]:
    """The questions of one file. BadInputError names file and question."""
    raw = read_toml(path)
    topic = raw.pop("topic", "")
    tables = raw.pop("question", [])
    for key in raw:
        raise BadInputError(f"{path.name}: there is no key {key!r}.", "A file has a topic and [[question]] tables.")
    found = []
    for table in tables:
        try:
            found.append(Question.model_validate({"topic": topic, **table}))
        except ValidationError as wrong:
            raise explain_validation(wrong, f"{path.name}, {table.get('id', 'a question without an id')}") from wrong
    return tuple(found)


def read_bank(folder: Path | None = None) -> tuple[Question, ...]:
    """Every question, by file and in the order of the file."""
    folder = folder or scenarios_folder() / FOLDER
    return tuple(question for path in sorted(folder.glob("*.toml")) for question in read_question_file(path))


@cache
def question_bank() -> Mapping[str, Question]:
    """The bank that comes with the product, by id. Its files do not change while the product runs."""
    return {question.id: question for question in read_bank()}


def lint_bank(bank: Sequence[Question]) -> list[Problem]:
    """What is wrong with the bank as a whole. An empty list is a clean bill."""
    return [*_ids(bank), *_scenarios(bank), *_counts(bank), *_doubles(bank), *_lengths(bank), *_positions(bank)]


def lint_questions(folder: Path | None = None) -> list[Problem]:
    """Everything wrong with the questions that come with the product: what cannot be read, else the whole bank."""
    try:
        return lint_bank(read_bank(folder))
    except BadInputError as wrong:
        return [_problem("", wrong.sentence, wrong.mend)]


def _problem(key: str, sentence: str, mend: str) -> Problem:
    return Problem(file=FOLDER, key=key, sentence=sentence, mend=mend)


def _ids(bank: Sequence[Question]) -> Iterator[Problem]:
    for name, count in Counter(question.id for question in bank).items():
        if count > 1:
            yield _problem(name, f"{count} questions have this id.", "Give each its own.")


def _scenarios(bank: Sequence[Question]) -> Iterator[Problem]:
    known = set(scenario_slugs())
    for question in bank:
        if question.scenario and question.scenario not in known:
            yield _problem(question.id, f"There is no scenario {question.scenario!r}.", "Name one that there is.")


def _counts(bank: Sequence[Question]) -> Iterator[Problem]:
    if len(bank) < FEWEST:
        yield _problem("", f"There are {len(bank)} questions.", f"There should be {FEWEST}.")
    of = Counter(question.topic for question in bank)
    for topic in TOPICS:
        fewest = FEWEST_OF_TOPIC[topic.id.partition(":")[0]]
        if of[topic.id] < fewest:
            yield _problem(topic.id, f"There are {of[topic.id]} questions.", f"There should be {fewest}.")


def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"[a-z0-9]{3,}", text.lower()))


def _doubles(bank: Sequence[Question]) -> Iterator[Problem]:
    stems = [(question, _words(question.stem + " " + question.evidence)) for question in bank]
    for (one, first), (other, second) in combinations(stems, 2):
        if len(first & second) / max(1, len(first | second)) >= ALIKE:
            yield _problem(one.id, f"It asks nearly the same as {other.id}.", "Take one of them out.")


def longest_share(bank: Sequence[Question]) -> float:
    """How often the right choice of a single is longer than every other."""
    return _share(right > max(wrong) for right, wrong in _lengths_of(bank))


def shortest_share(bank: Sequence[Question]) -> float:
    """How often the right choice of a single is shorter than every other."""
    return _share(right < min(wrong) for right, wrong in _lengths_of(bank))


def _lengths_of(bank: Sequence[Question]) -> Iterator[tuple[int, list[int]]]:
    for question in bank:
        if question.kind is Kind.SINGLE:
            right = next(len(option.text) for option in question.choices if option.right)
            yield right, [len(option.text) for option in question.choices if not option.right]


def _share(holds: Iterator[bool]) -> float:
    told = list(holds)
    return sum(told) / max(1, len(told))


def _lengths(bank: Sequence[Question]) -> Iterator[Problem]:
    for word, share in (("longest", longest_share(bank)), ("shortest", shortest_share(bank))):
        if share > MOST_TELLING:
            yield _problem("", f"The right choice is the {word} in {share:.0%} of the questions.", "Even them out.")


def right_positions(bank: Sequence[Question], seeds: Sequence[int]) -> Counter[int]:
    """At which place (from 0) the right choice of singles with four choices is shown, over ``seeds``."""
    return Counter(
        next(place for place, key in enumerate(shuffled(question, seed)) if question.option(key).right)
        for question in bank
        if question.kind is Kind.SINGLE and len(question.choices) == 4
        for seed in seeds
    )


def _positions(bank: Sequence[Question]) -> Iterator[Problem]:
    at = right_positions(bank, range(20))
    total = sum(at.values())
    for place in range(4):
        if total and not 0.2 <= at[place] / total <= 0.3:
            yield _problem("", f"The right choice stands at place {place + 1} too often or seldom.", "Mend shuffled().")
