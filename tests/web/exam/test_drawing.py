"""Drawing: by weight, deterministic by seed, incidents of different families; and what a result adds up to."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from sandbox.drill.question_bank import question_bank
from sandbox.learning.questions import right_answer
from sandbox.learning.topics import Topic
from web.catalogue import Drill
from web.exam import results
from web.exam.drawing import FOCUSES, LENGTHS, apportion, draw, draw_incidents, draw_questions, weights
from web.exam.paper import IncidentItem, IncidentState, Paper
from web.exam.training import Record

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
BANK = tuple(question_bank().values())


def drill(slug: str, family: str, difficulty: int = 1) -> Drill:
    return Drill(slug, slug, family, "riverside", "Riverside", difficulty, 15, (Topic("cdip:storage", "Storage"),))


DRILLS = tuple(drill(f"{family}-{level}", family, level) for family in "abcd" for level in (1, 2, 3, 4))


@pytest.mark.parametrize("focus", FOCUSES.values(), ids=lambda focus: focus.id)
@pytest.mark.parametrize("length", LENGTHS.values(), ids=lambda length: length.id)
def test_questions_are_drawn_by_weight_and_none_twice(focus, length) -> None:  # type: ignore[no-untyped-def]
    drawn = draw_questions(BANK, focus, length.questions, 7)
    assert len(drawn) == len({question.id for question in drawn}) == length.questions
    shares = weights(focus)
    assert sum(shares.values()) == pytest.approx(1)
    for topic, count in Counter(question.topic for question in drawn).items():
        assert abs(count - shares[topic] * length.questions) < 1.01, topic


def test_the_same_seed_gives_the_same_paper() -> None:
    def paper(seed: int) -> Paper:
        return draw(BANK, DRILLS, LENGTHS["half"], FOCUSES["both"], timed=True, seed=seed, now=NOW)

    assert paper(5) == paper(5)
    assert paper(5).items != paper(6).items


def test_what_a_topic_cannot_fill_goes_to_the_others() -> None:
    assert apportion({"a": 0.5, "b": 0.5}, {"a": 1, "b": 9}, 6) == {"a": 1, "b": 5}
    assert apportion({"a": 0.7, "b": 0.2, "c": 0.1}, {"a": 9, "b": 9, "c": 9}, 10) == {"a": 7, "b": 2, "c": 1}
    assert apportion({"a": 1.0}, {"a": 2}, 6) == {"a": 2}


def test_incidents_are_of_different_families_and_not_too_hard() -> None:
    for seed in range(30):
        drawn = draw_incidents(DRILLS, LENGTHS["full"], seed)
        assert len({one.family for one in drawn}) == 3
        assert [one.difficulty for one in drawn] == sorted(one.difficulty for one in drawn)
        assert draw_incidents(DRILLS, LENGTHS["short"], seed)[0].difficulty == 1
    assert draw_incidents((drill("hard", "a", 5),), LENGTHS["full"], 1) == ()


def test_incidents_stand_between_stretches_of_questions() -> None:
    paper = draw(BANK, DRILLS, LENGTHS["half"], FOCUSES["both"], timed=True, seed=1, now=NOW)
    assert [place for place, item in enumerate(paper.items) if isinstance(item, IncidentItem)] == [10, 21]
    assert paper.deadline == NOW + timedelta(minutes=60)
    assert paper.seconds_left(NOW + timedelta(minutes=59)) == 60
    assert paper.seconds_left(NOW + timedelta(minutes=61)) == 0
    untimed = draw(BANK, DRILLS, LENGTHS["half"], FOCUSES["both"], timed=False, seed=1, now=NOW)
    assert untimed.deadline is None
    assert untimed.seconds_left(NOW) is None


def sat(solved: bool = True, **incident: object) -> Paper:
    """A short paper in which the first five questions are right."""
    paper = draw(BANK, DRILLS, LENGTHS["short"], FOCUSES["both"], timed=True, seed=1, now=NOW)
    right = 0
    for place, item in enumerate(paper.items, 1):
        if isinstance(item, IncidentItem):
            ended = {"state": IncidentState.ENDED, "solved": solved, "points": 0.8 if solved else 0.0} | incident
            paper = paper.with_item(place, item.model_copy(update=ended))
        elif right < 5:
            right += 1
            answer = right_answer(question_bank()[item.question])
            paper = paper.with_item(place, item.model_copy(update={"answer": answer}))
    return paper


def test_an_incident_counts_as_much_as_five_questions() -> None:
    assert results.total(sat(), question_bank()) == round(100 * (5 + 5 * 0.8) / 15)
    assert results.total(sat(solved=False), question_bank()) == round(100 * 5 / 15)


def test_a_skipped_incident_costs_nothing() -> None:
    skipped = sat(solved=False, state=IncidentState.SKIPPED, points=None)
    assert results.total(skipped, question_bank()) == 50
    assert not any(row.incidents for row in results.rows(skipped, question_bank()))


def test_rows_tell_topic_by_topic() -> None:
    rows = results.rows(sat(), question_bank())
    assert sum(row.asked for row in rows) == 10
    assert sum(row.right for row in rows) == 5
    storage = next(row for row in rows if row.topic == "cdip:storage")
    assert (storage.incidents, storage.solved) == (1, 1)
    assert set(results.weak_topics(rows)) == {row.topic for row in rows if row.asked and row.points / row.asked < 0.7}


def test_exams_and_practice_add_up_by_topic() -> None:
    paper = sat().model_copy(update={"rows": results.rows(sat(), question_bank())})
    some = next(question for question in BANK if question.topic == "cdip:hl7")
    record = Record().with_answer(some.id, False, NOW).with_answer(some.id, True, NOW).with_answer("gone", True, NOW)
    added = {row.topic: row for row in results.add_up([paper, paper], record, question_bank())}
    assert sum(row.asked for row in added.values()) == 20
    assert sum(row.right for row in added.values()) == 10
    assert (added["cdip:hl7"].practised, added["cdip:hl7"].practised_right) == (1, 1)
    assert added["cdip:storage"].solved == 2
