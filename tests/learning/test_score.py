"""The score: 100 points that can all be won and all be missed, each with a reason and a moment."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sandbox.events.kinds import AccountWritten
from sandbox.learning.debrief import debrief
from sandbox.learning.score import PARTS, score_of
from sandbox.learning.story import Story
from sandbox.model.debrief_view import DebriefView, ScoreLine
from sandbox.model.verdict import Verdict
from tests.learning.support import RIGHT, STORY, Log, expertly, finding, solved, words


def told(log: Log, story: Story) -> DebriefView:
    return debrief(log.events, story, words)


def line(log: Log, story: Story, part: str) -> ScoreLine:
    score = told(log, story).score
    assert score is not None
    return next(line for line in score.lines if line.part == part)


def test_the_parts_make_a_hundred() -> None:
    assert sum(part.of for part in PARTS.values()) == 100
    assert all(part.of > 0 and part.title for part in PARTS.values())


@pytest.mark.parametrize("part", PARTS)
def test_each_part_can_be_won_whole(part: str) -> None:
    won = line(expertly(), solved(), part)
    assert won.points == won.of, won.why
    assert won.why.endswith(".")


@pytest.mark.parametrize("part", PARTS)
def test_each_part_can_be_missed_whole(part: str) -> None:
    log = Log()
    log.ends(solved=False, at=30)
    missed = line(log, replace(STORY, gave_up=True), part)
    assert missed.points == 0
    assert missed.why.endswith(".")


def test_an_expert_has_a_hundred_and_a_guest_none() -> None:
    expert = told(expertly(), solved()).score
    log = Log()
    log.ends(solved=False, at=30)
    guest = told(log, replace(STORY, gave_up=True)).score
    assert expert is not None
    assert guest is not None
    assert (expert.points, guest.points) == (100, 0)
    assert "expert" in expert.sentence
    assert "another seed" in guest.sentence


def test_every_moment_has_its_line_in_the_timeline() -> None:
    view = told(expertly(), solved())
    lines = {entry.seq for entry in view.timeline}
    assert view.score is not None
    for seq in (
        *(line.seq for line in view.score.lines),
        *(test.seq for test in view.tests.made),
        *(step.seq for step in view.path),
        *(node.seq for node in view.graph.nodes),
        *(harm.seq for harm in view.harm),
        *(clue.seq for clue in view.evidence),
    ):
        assert view.moment(seq) in lines or seq == 0
    assert len(lines) == len(view.timeline)


def test_time_is_never_counted() -> None:
    slow = expertly()
    slow.events = [
        replace(event, at=event.at + (event.at - STORY.started_at) * 50) if event.at > STORY.started_at else event
        for event in slow.events
    ]
    assert told(slow, solved()).score == told(expertly(), solved()).score


def test_giving_up_keeps_what_was_earned() -> None:
    log = Log()
    log.looks(at=20)
    log.looks("queue", at=30)
    log.diagnoses(at=60)
    log.ends(solved=False, at=90)
    story = replace(STORY, gave_up=True, committed=RIGHT)
    score = told(log, story).score
    assert score is not None
    points = {line.part: line.points for line in score.lines}
    assert points["where"] + points["layer"] + points["what"] == 15
    assert points["first"] == 5
    assert points["looked"] == 10
    assert points["harm"] == PARTS["harm"].of / 2, "what was left undone counts half"
    assert points["hints"] == 0
    assert "counts all the same" in score.sentence


@pytest.mark.parametrize(
    ("said", "part", "points"),
    [
        ({"node": "ROUTER"}, "where", 0),
        ({"node": "ROUTER"}, "what", 6),
        ({"layer": "network"}, "layer", 0),
        ({"fault": "wrong-port"}, "what", 0),
        ({"fault": "wrong-port"}, "where", 5),
    ],
)
def test_a_diagnosis_counts_by_its_parts(said: dict[str, str], part: str, points: float) -> None:
    log = Log()
    log.diagnoses(at=20, **said)
    assert line(log, replace(STORY, committed={**RIGHT, **said}), part).points == points


def test_a_diagnosis_after_the_fix_is_not_before_it() -> None:
    log = Log()
    log.mends(at=20)
    log.diagnoses(at=60)
    assert line(log, solved(), "first").points == 0
    assert line(log, solved(), "what").points == PARTS["what"].of
    half = Log()
    half.diagnoses(at=10, fault="wrong-port")
    half.mends(at=20)
    half.diagnoses(at=60)
    assert line(half, solved(), "first").points == pytest.approx(3.3)


def test_trying_again_and_starting_a_node_are_no_fix() -> None:
    log = Log()
    log.does("queue.retry", at=5, destination="ROUTER")
    log.does("node.config.save", at=6, ok=False)
    log.diagnoses(at=10)
    log.mends(at=20)
    assert line(log, solved(), "first").points == PARTS["first"].of


def test_what_is_looked_at_after_the_fix_is_too_late() -> None:
    log = Log()
    log.mends(at=20)
    log.looks(at=30)
    assert line(log, solved(), "looked").points == 0
    one = Log()
    one.does("tool.echo", at=5, remote="ROUTER", ok=False)
    one.mends(at=20)
    assert line(one, solved(), "looked").points == 0, "an echo that left no event tells nothing of the clue"


def test_hints_cost_on_a_solve_only_and_the_first_ones_least() -> None:
    costs = []
    log = Log()
    for number in range(1, 5):
        log.hint(number, at=number)
        costs.append(line(log, solved(), "hints").points)
    assert costs == [6.3, 4.9, 2.8, 0]
    assert line(log, STORY, "hints").points == 0
    assert line(log, STORY, "what") == line(Log(), STORY, "what"), "nothing else is taken"


def test_pins_count_when_they_tell() -> None:
    log = Log()
    log.pins(1, seq=4, at=10)
    assert line(log, STORY, "pinned").points == 5
    wrong = Log()
    wrong.pins(1, seq=1, at=10)
    assert line(wrong, STORY, "pinned").points == 0
    many = Log()
    many.pins(1, seq=4, at=10)
    for pin in range(2, 6):
        many.pins(pin, seq=1, at=10 + pin)
    assert 0 < line(many, STORY, "pinned").points < 5, "pinning everything is no finding"
    many.diagnoses(at=30, pins=(1,))
    assert line(many, STORY, "pinned").points == 5, "a diagnosis says what it rests on"


def test_how_sure_one_was_is_said_beside_the_cause() -> None:
    log = Log()
    log.diagnoses(at=20, fault="wrong-port", confidence="sure")
    wrong = line(log, replace(STORY, committed={**RIGHT, "fault": "wrong-port"}), "what")
    assert wrong.points == 0
    assert "you said: sure" in wrong.why


def test_needless_changes_cost() -> None:
    log = expertly()
    log.events = log.events[:-6]
    log.does("node.config.save", node="ROUTER", at=72, set={"log_level": "debug"})
    assert line(log, solved(), "economy").points == 6
    assert "1 change that no good solution needs" in line(log, solved(), "economy").why


def test_one_test_again_is_free_and_three_are_not() -> None:
    log = Log()
    for at in range(2):
        log.does("tool.ping", at=at, host="router", says="answers in 0.1 ms")
    assert line(log, solved(), "economy").points == 8
    for at in range(2, 5):
        log.does("tool.ping", at=at, host="router", says=f"answers in 0.{at} ms")
    assert line(log, solved(), "economy").points == 5


def test_checks_that_hold_count_half_unless_harm_was_done() -> None:
    some = (finding(), finding(Verdict.FAIL, id="two"))
    assert line(Log(), replace(STORY, findings=some), "solved").points == 7.5
    harmed = (*some, finding(Verdict.FAIL, invariant=True, id="names"))
    assert line(Log(), replace(STORY, findings=harmed), "solved").points == 0
    assert "names" in line(Log(), replace(STORY, findings=harmed), "solved").why


def test_where_nothing_was_broken_the_true_answer_counts_and_every_change_costs() -> None:
    people = {"node": "WS1", "layer": "people", "fault": "never-sent"}
    story = solved(broken=False, right=people, committed=people)
    log = Log(broken=False)
    log.diagnoses(at=60, **people)
    score = score_of(log.events, log.read(story), story)
    points = {line.part: line for line in score.lines}
    assert points["solved"].points == 30
    assert "true answer" in points["solved"].why
    assert points["first"].points == 5
    assert points["economy"].why == "Nothing was changed that was not broken."
    log.does("node.restart", at=70)
    changed = score_of(log.events, log.read(story), story)
    assert next(line for line in changed.lines if line.part == "economy").points == 6


@pytest.mark.parametrize(("missing", "points"), [({}, 3), ({"known": ""}, 2.2), ({"known": "", "impact": " "}, 1.5)])
def test_an_update_counts_by_what_it_says(missing: dict[str, str], points: float) -> None:
    log = Log()
    log.updates(at=10, **missing)
    assert line(log, STORY, "updated").points == points


def test_a_closing_message_counts_by_what_it_says() -> None:
    log = Log()
    log.closes(at=10, verified="")
    assert line(log, STORY, "closed").points == 3.3
    assert line(log, STORY, "acknowledged").points == 2


def test_what_is_said_when_all_is_over_earns_nothing() -> None:
    log = Log()
    check = log.commands("attempt.check", at=10)
    log.checks(finding(), at=10)
    log.ends(solved=True, at=20, cause=check)
    log.asks(at=30)
    log.updates(at=40)
    log.add(AccountWritten(skipped=True), at=45)
    log.closes(at=50, cause=log.commands("attempt.close", at=50))
    late = [score_of(log.events, log.read(), solved()), told(log, solved()).score]
    for score in late:
        assert score is not None
        lines = {line.part: line for line in score.lines}
        assert [lines[part].points for part in ("acknowledged", "updated", "closed")] == [0, 0, 0]
        assert "had been told" in lines["closed"].why


@pytest.mark.parametrize(("solves", "points"), [(True, 5), (False, 0)])
def test_who_checks_first_and_then_closes_has_closed(solves: bool, points: float) -> None:
    log = Log()
    log.ends(solved=solves, at=20, cause=log.commands("attempt.check", at=10))
    log.closes(at=50, cause=log.commands("attempt.close", at=50))
    assert line(log, solved() if solves else STORY, "closed").points == points


def test_a_solve_says_where_most_is_to_be_won() -> None:
    log = Log()
    log.mends(at=10)
    score = told(log, solved(committed=None)).score
    assert score is not None
    assert "looked before acting" in score.sentence
