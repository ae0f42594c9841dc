"""What somebody can do follows from what they did: outcomes, levels, fading, topics. The clock is handed in."""

from __future__ import annotations

from datetime import timedelta
from itertools import product

import pytest

from tests.web.practice.made import MONDAY, OPERATIONS, SECURITY, done, drill
from web.practice import mastery
from web.practice.mastery import CREDITS, LEVELS, NEXT_MODE, Level, is_mastered, standings
from web.practice.modes import Mode
from web.practice.overview import overview
from web.practice.record import LONGEST, Outcome
from web.practice.screen import LEVEL_LOOKS, OUTCOME_LOOKS, STATE_LOOKS


def test_tables_are_complete() -> None:
    assert set(LEVELS) == set(CREDITS) == set(OUTCOME_LOOKS) == set(Outcome)
    assert set(NEXT_MODE) == set(LEVEL_LOOKS) == set(Level)
    assert len(STATE_LOOKS) == 4
    assert sorted(CREDITS.values()) == [CREDITS[one] for one in sorted(CREDITS, key=CREDITS.__getitem__)]


def test_every_attempt_that_is_over_has_an_outcome_and_no_other() -> None:
    for mode, state, hints, score in product(Mode, ("running", "solved", "given-up"), (0, 1, 4), (None, 50, 95)):
        one = done(mode=mode, state=state, hints=hints, score=score)
        assert (one.outcome is None) == (state == "running")


@pytest.mark.parametrize(
    ("one", "outcome"),
    [
        (done(state="given-up"), Outcome.GAVE_UP),
        (done(state="given-up", mode=Mode.EXAM), Outcome.FAILED_EXAM),
        (done(mode=Mode.GUIDED, hints=4, score=99), Outcome.GUIDED),
        (done(hints=1), Outcome.HELPED),
        (done(hints=4), Outcome.SHOWN),
        (done(score=None), Outcome.UNAIDED),
        (done(score=89), Outcome.UNAIDED),
        (done(score=90), Outcome.FLUENT),
        (done(state="running"), None),
    ],
)
def test_outcome(one: object, outcome: Outcome | None) -> None:
    assert one.outcome == outcome  # type: ignore[attr-defined]


def test_time_that_a_lab_was_left_open_is_not_counted() -> None:
    assert done(minutes=600).took == LONGEST
    assert done(minutes=-5).took == timedelta()


@pytest.mark.parametrize(
    ("history", "mastered"),
    [
        ((done(seed=1),), False),
        ((done(seed=1), done(day=1, seed=1)), False),
        ((done(seed=1), done(day=1, seed=2)), True),
        ((done(seed=1, mode=Mode.GUIDED, hints=4), done(day=1, seed=2)), True),
        ((done(seed=1, state="given-up"), done(day=1, seed=2, mode=Mode.EXAM)), True),
        ((done(seed=1), done(day=1, seed=2, hints=1)), False),
        ((done(seed=1), done(day=1, seed=2, mode=Mode.GUIDED)), False),
        ((done(seed=1), done(day=1, seed=2, state="given-up"), done(day=2, seed=2)), False),
        ((done(seed=1, state="running"), done(day=1, seed=2)), False),
    ],
)
def test_mastered_is_solved_unaided_in_another_department_after_it_was_met(
    history: tuple[object, ...], mastered: bool
) -> None:
    assert is_mastered(history) is mastered  # type: ignore[arg-type]


def test_a_lesson_fades_only_once_practice_is_due() -> None:
    history = (done(seed=1), done(day=3, seed=2))
    now = MONDAY + timedelta(days=3, hours=1)
    fresh = standings((drill(),), history, now)["lesson"]
    assert (fresh.level, fresh.strength, fresh.due) == (Level.MASTERED, 100, False)
    assert fresh.card is not None
    later = standings((drill(),), history, fresh.card.due + timedelta(days=60))["lesson"]
    assert later.due
    assert 50 < later.strength < 100, "it fades slowly, and is not lost"


def test_a_new_lesson_begins_with_the_coach_and_goes_on_without() -> None:
    def level(*history: object) -> tuple[Level, Mode]:
        one = standings((drill(),), history, MONDAY + timedelta(days=9))["lesson"]  # type: ignore[arg-type]
        return one.level, one.next_mode

    assert level() == (Level.NEW, Mode.GUIDED)
    assert level(done(state="running")) == (Level.NEW, Mode.GUIDED)
    assert level(done(mode=Mode.GUIDED)) == (Level.GUIDED, Mode.DRILL)
    assert level(done(hints=2)) == (Level.HELPED, Mode.DRILL)
    assert level(done()) == (Level.SOLVED, Mode.EXAM)
    assert level(done(), done(day=1, state="given-up", mode=Mode.EXAM, seed=2)) == (Level.SOLVED, Mode.EXAM)


def test_a_topic_is_the_mean_of_its_lessons_and_one_without_has_none() -> None:
    drills = (drill("a", SECURITY), drill("b", SECURITY, OPERATIONS))
    standing = standings(drills, (done("a"),), MONDAY + timedelta(hours=1))
    found = {one.topic.id: one for one in mastery.topics(tuple(standing.values()))}
    assert (found["cdip:security"].lessons, found["cdip:security"].solved) == (2, 1)
    assert found["cdip:security"].strength == 40
    assert (found["ciip:operations"].strength, found["ciip:procurement"].lessons) == (0, 0)


def test_overview_names_strengths_weaknesses_and_weighs_domains() -> None:
    drills = (drill("a", SECURITY), drill("b", OPERATIONS))
    seen = overview(drills, (), (done("a", score=95),), MONDAY + timedelta(hours=1))
    assert [one.topic.id for one in seen.strengths] == ["cdip:security"]
    assert [one.topic.id for one in seen.weak] == ["ciip:operations"]
    assert seen.weighted == 0
    assert seen.hours == 0.25
    assert not seen.is_first_visit
    assert seen.count(Level.NEW) == 1
