"""The learning path: every scenario stands on it once, its texts are there, and it recommends without locking."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from sandbox.drill.load import load_scenario, scenario_slugs
from sandbox.learning.topics import FAMILIES, TOPICS
from sandbox.model.errors import BadInputError
from tests.web.practice.made import MONDAY, done, drill
from web.practice.mastery import standings
from web.practice.modes import Mode
from web.practice.path import Stage, along, next_step, read_stages, troubles


def stage(slug: str, *lessons: str, needs: int = 1, builds_on: tuple[str, ...] = ()) -> Stage:
    return Stage(
        slug=slug, title=slug, teaches="x", builds_on=builds_on, mastered=needs, parts=("PS3.8",), lessons=lessons
    )


def test_every_scenario_stands_on_the_path_exactly_once() -> None:
    lessons = [lesson for one in read_stages() for lesson in one.lessons]
    assert sorted(lessons) == sorted(scenario_slugs())


def test_topics_and_families_of_every_scenario_are_known() -> None:
    known = {topic.id for topic in TOPICS}
    for slug in scenario_slugs():
        scenario = load_scenario(slug)
        assert set(scenario.topics) <= known, slug
        assert scenario.family in FAMILIES, slug


def test_every_stage_teaches_something_and_tells_no_lesson_s_title() -> None:
    for one in read_stages():
        assert 150 < len(one.text.split()) < 420, one.slug
        assert all(part.startswith("PS3.") for part in one.parts)
        assert not any(load_scenario(slug).title in one.text for slug in one.lessons)
        assert any(part.split()[0] in one.text for part in one.parts), f"{one.slug} never names the standard"


def test_difficulty_rises_along_the_path() -> None:
    hardest = [max(load_scenario(slug).difficulty for slug in one.lessons) for one in read_stages()]
    assert hardest[0] == min(hardest)
    for one in read_stages():
        steps = [load_scenario(slug).difficulty for slug in one.lessons]
        assert steps == sorted(steps), one.slug


@pytest.mark.parametrize(
    ("stages", "words"),
    [
        ((stage("a", "x"), stage("b", "x")), "twice"),
        ((stage("a", "x", builds_on=("b",)), stage("b", "y")), "no stage before it"),
        ((stage("a", "x", needs=2),), "asks for 2 lessons"),
        ((stage("a", "x"), stage("a", "y")), "two stages"),
    ],
)
def test_what_makes_no_sense_is_found(stages: tuple[Stage, ...], words: str) -> None:
    assert any(words in trouble for trouble in troubles(stages))


def test_a_file_that_makes_no_sense_says_so(tmp_path: Path) -> None:
    (tmp_path / "curriculum.toml").write_text('[[stage]]\nslug = "a"\n')
    with pytest.raises(BadInputError, match=r"curriculum\.toml"):
        read_stages(tmp_path)


def test_the_path_recommends_guided_then_drill_then_another_department() -> None:
    stages = (stage("first", "a", "b", needs=2), stage("second", "c", builds_on=("first",)))
    drills = (drill("a"), drill("b"), drill("c"))

    def next_after(*history: object) -> tuple[str, Mode] | None:
        seen = standings(drills, history, MONDAY + timedelta(days=9))  # type: ignore[arg-type]
        step = next_step(along(stages, seen))
        return (step.lesson.drill.slug, step.mode) if step else None

    guided, solved = done("a", seed=1, mode=Mode.GUIDED), done("a", day=1, seed=2)
    assert next_after() == ("a", Mode.GUIDED)
    assert next_after(guided) == ("a", Mode.DRILL)
    assert next_after(guided, solved) == ("b", Mode.GUIDED), "a is mastered"
    assert next_after(done("a"), done("b")) == ("a", Mode.DRILL), "both solved once: again, in another department"
    again = (done("b", seed=1), done("b", day=1, seed=2))
    assert next_after(guided, solved, *again) == ("c", Mode.GUIDED)
    assert next_after(guided, solved, *again, done("c"), done("c", day=1, seed=9)) is None


def test_a_stage_says_whether_what_it_builds_on_was_begun_and_drills_that_are_not_here_are_left_out() -> None:
    stages = (
        stage("first", "a", "gone", needs=2),
        stage("second", "b", builds_on=("first",)),
        stage("third", "gone-too"),
    )
    seen = standings((drill("a"), drill("b")), (), MONDAY)
    first, second = along(stages, seen)
    assert (first.needed, second.ready) == (1, False)
    assert along(stages, standings((drill("a"), drill("b")), (done("a"),), MONDAY))[1].ready
