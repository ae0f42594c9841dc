"""The bank that comes with the product is whole, and its linter finds what it is there to find."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sandbox.dicom.explain import REJECT_REASONS
from sandbox.dicom.statuses import GENERAL, SERVICES
from sandbox.drill.question_bank import (
    FEWEST,
    lint_bank,
    lint_questions,
    longest_share,
    question_bank,
    read_bank,
    read_question_file,
    right_positions,
    shortest_share,
)
from sandbox.learning.questions import Kind, Question
from sandbox.learning.topics import TOPICS
from sandbox.model.errors import BadInputError

BANK = read_bank()


def test_the_bank_has_a_clean_bill() -> None:
    assert [str(problem) for problem in lint_bank(BANK)] == []
    assert len(BANK) >= FEWEST
    assert len(question_bank()) == len(BANK)


def test_ciip_domains_have_questions_in_proportion_to_their_weights() -> None:
    domains = [topic for topic in TOPICS if topic.weight]
    total = sum(topic.weight for topic in domains)
    asked = {topic.id: sum(question.topic == topic.id for question in BANK) for topic in domains}
    for topic in domains:
        share = sum(asked.values()) * topic.weight / total
        assert abs(asked[topic.id] - share) <= 2, f"{topic.id}: {asked[topic.id]} where {share:.1f} would be fair"


def test_neither_length_nor_place_gives_the_right_choice_away() -> None:
    assert longest_share(BANK) <= 0.4
    assert shortest_share(BANK) <= 0.4
    at = right_positions(BANK, range(20))
    assert max(at.values()) / min(at.values()) < 1.2


def test_all_kinds_and_difficulties_are_there() -> None:
    assert {question.kind for question in BANK} == set(Kind)
    assert {question.difficulty for question in BANK} == {1, 2, 3}


def test_statuses_and_rejections_that_are_named_exist() -> None:
    known = set(GENERAL) | {status for service in SERVICES.values() for status in service} | {0xA710}
    for question in BANK:
        said = " ".join([question.stem, question.evidence, *(f"{o.text} {o.why}" for o in question.choices)])
        for status in re.findall(r"\b(A[78]\d\d|A9\d\d|B0\d\d|FE00|FF0\d)\b(?!H)", said):
            assert int(status, 16) in known, f"{question.id} names status {status}"
        for source, reason in re.findall(r"\b[12]/([123])/(\d)\b", said):
            assert (int(source), int(reason)) in REJECT_REASONS, f"{question.id} names */{source}/{reason}"


def test_the_linter_finds_doubles_ids_and_scenarios() -> None:
    first = BANK[0]
    double = first.model_copy(update={"id": "another"})
    nowhere = first.model_copy(update={"scenario": "no-such-drill"})
    assert any("nearly the same" in problem.sentence for problem in lint_bank([*BANK, double]))
    assert any("have this id" in problem.sentence for problem in lint_bank([*BANK, first]))
    assert any("no scenario" in problem.sentence for problem in lint_bank([nowhere, *BANK[1:]]))
    assert any("There should be" in problem.mend for problem in lint_bank(BANK[:20]))


def test_the_linter_finds_right_choices_that_give_themselves_away() -> None:
    def stretched(question: Question) -> Question:
        options = tuple(
            option.model_copy(update={"text": option.text + " and more" * 20}) if option.right else option
            for option in question.choices
        )
        return question.model_copy(update={"choices": options})

    bank = [stretched(question) if question.kind is Kind.SINGLE else question for question in BANK]
    assert any("the longest" in problem.sentence for problem in lint_bank(bank))


def test_a_file_with_a_mistake_says_where_it_is(tmp_path: Path) -> None:
    path = tmp_path / "storage.toml"
    path.write_text('topic = "cdip:storage"\n[[question]]\nid = "short-one"\ndifficulty = 1\nstem = "Too short"\n')
    with pytest.raises(BadInputError, match=r"storage\.toml, short-one"):
        read_question_file(path)
    assert ["short-one" in str(problem) for problem in lint_questions(tmp_path)] == [True]
    path.write_text('topic = "cdip:storage"\nauthor = "me"\n')
    with pytest.raises(BadInputError, match="no key 'author'"):
        read_question_file(path)
