"""When a lesson comes back: by how it went, the same however often it is reckoned, never twice a day."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.web.practice.made import MONDAY, done
from web.practice.modes import Mode
from web.practice.record import Outcome
from web.practice.schedule import RATINGS, SOONEST, cards


def due_in_days(*history: object) -> float:
    card = cards(history)["lesson"]  # type: ignore[arg-type]
    return (card.due - card.last) / timedelta(days=1)


def test_every_outcome_has_a_rating() -> None:
    assert set(RATINGS) == set(Outcome)


def test_the_better_it_went_the_later_it_comes_back() -> None:
    gave_up = due_in_days(done(state="given-up"))
    helped = due_in_days(done(hints=1))
    unaided = due_in_days(done())
    fluent = due_in_days(done(score=95))
    assert gave_up <= helped < unaided < fluent
    assert SOONEST / timedelta(days=1) <= gave_up
    assert fluent < 30


def test_intervals_grow_with_success_and_shrink_when_it_was_lost() -> None:
    first = due_in_days(done())
    second = due_in_days(done(), done(day=2, seed=2))
    third = due_in_days(done(), done(day=2, seed=2), done(day=12, seed=3))
    assert first < second < third
    assert due_in_days(done(), done(day=2, seed=2), done(day=12, seed=3, state="given-up")) < second


def test_what_is_not_over_makes_no_card_and_order_does_not_matter() -> None:
    assert cards((done(state="running"),)) == {}
    history = (done(), done(day=2, seed=2, mode=Mode.EXAM), done("other"))
    assert cards(history) == cards(history[::-1])


@pytest.mark.parametrize("days", [0, 1, 400])
def test_due_is_judged_by_the_clock_that_is_handed_in(days: int) -> None:
    card = cards((done(),))["lesson"]
    now = MONDAY + timedelta(days=days)
    assert card.is_due(now) is (days == 400)
    assert 0 < card.retention(now) <= 1
