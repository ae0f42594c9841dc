"""What a test was worth: where it was made, what it could tell apart, and whether it told anything new."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sandbox.drill.generator.causes import CAUSES
from sandbox.drill.load import load_scenario, scenario_slugs
from sandbox.lab.api.routes import ROUTES
from sandbox.lab.commands.registry import commands
from sandbox.learning.acts import PROGRAMS, ActKind, kind_of
from sandbox.learning.marks import MARKS, TELLS, Mark, same_answer, tells
from sandbox.learning.tests_value import redundant, shortest_way, value_of_tests
from sandbox.model.debrief_view import ValueView
from tests.learning.support import CHOICES, RIGHT, STORY, Log

LOOKS = {f"open.{route.evidence}" for route in ROUTES if route.evidence}


def value(log: Log) -> ValueView:
    return value_of_tests(log.read(), STORY)


def test_every_cause_that_a_diagnosis_offers_has_a_mark() -> None:
    offered = {choice.value for slug in scenario_slugs() for choice in load_scenario(slug).diagnosis.choices}
    assert not (offered | set(CAUSES)) - set(MARKS)
    assert not set(MARKS) - offered - set(CAUSES), "a mark of a cause that nobody offers"


def test_every_mark_is_shown_by_something() -> None:
    shown = frozenset[Mark]().union(*(row.shows for row in TELLS.values()))
    assert shown == set(Mark) == set(MARKS.values())


def test_every_row_is_of_an_act_that_there_is() -> None:
    for name, row in TELLS.items():
        assert row.title
        assert row.what
        assert row.cost >= 1
        assert name in commands() or name in LOOKS or name == "ask", name


def test_every_tool_and_every_look_tells_something() -> None:
    for name in commands():
        if kind_of(name) is ActKind.TEST and name != "terminal.run":
            assert tells(name) is not None, name
    assert all(tells(name) is not None for name in LOOKS)
    assert all(tells(name) is not None for name in PROGRAMS.values())


def test_a_line_in_a_terminal_is_what_its_program_does() -> None:
    log = Log()
    log.does("terminal.run", at=5, ok=False, says="Rejected", line="echoscu -aet CT1 router  104")
    log.does("terminal.run", at=6, line="ls -l")
    told = value(log)
    assert [test.title for test in told.made] == ["“echoscu -aet CT1 router 104” on CT1", "“ls -l” on CT1"]
    assert [test.after for test in told.made] == [1, 1]
    assert told.made[1].tells == ""


def test_an_echo_where_it_fails_rules_out_what_would_have_answered_otherwise() -> None:
    log = Log()
    log.does("tool.echo", at=5, ok=False, says="rejected 1/1/7", remote="ROUTER")
    told = value(log)
    (made,) = told.made
    assert (made.before, made.after) == (len(CHOICES), 1)
    assert CHOICES["wrong-port"] in made.excluded
    assert made.title == "a C-ECHO from CT1 to ROUTER"
    assert told.left == (CHOICES["called-title-mistyped"],)


def test_a_ping_tells_nothing_of_titles() -> None:
    log = Log()
    log.does("tool.ping", at=5, says="answers", host="router")
    (made,) = value(log).made
    assert (made.before, made.after) == (6, 6)
    wire = replace(STORY, choices={**CHOICES, "firewall-drops": "A firewall drops it"})
    (made,) = value_of_tests(log.read(), wire).made
    assert made.excluded == ("A firewall drops it",)


def test_a_test_made_elsewhere_or_that_went_well_rules_nothing_out() -> None:
    log = Log()
    log.does("tool.echo", "MR1", at=5, says="worked", remote="ROUTER")
    log.does("tool.echo", "CT1", at=6, says="worked", remote="ROUTER")
    log.looks("log", "ARCHIVE", at=7)
    log.looks("follow", "", at=8)
    assert [test.after for test in value(log).made] == [6, 6, 6, 3], "following a study is a look at the whole house"


def test_a_page_that_draws_itself_again_is_one_look() -> None:
    log = Log()
    for at in range(5):
        log.looks(at=at)
    log.looks("queue", at=6)
    assert [test.title for test in value(log).made] == ["the log on CT1", "the queue on CT1"]


def test_what_somebody_said_stands_beside_what_they_were_asked() -> None:
    log = Log()
    log.asks(at=5, hears="It waits here.")
    log.asks(at=20)
    assert [(test.title, test.answer) for test in value(log).made] == [
        ("a question to Rosalind", "It waits here."),
        ("a question to Rosalind", ""),
    ]


def test_the_same_test_with_the_same_answer_told_nothing_new() -> None:
    log = Log()
    first = log.does("tool.echo", at=5, ok=False, says="rejected after 3.1 ms", remote="ROUTER")
    log.looks(at=6)
    log.does("tool.echo", at=7, ok=False, says="rejected after 4.0 ms", remote="ROUTER")
    told = value(log)
    assert [test.repeats for test in told.made] == [0, 0, first]
    assert told.redundant == 1
    assert len(redundant(log.read())) == 1


@pytest.mark.parametrize(
    "between",
    [
        lambda log: log.does("node.restart", at=6),
        lambda log: log.does("lab.reset", "", at=6),
        lambda log: log.does("tool.echo", at=6, ok=True, says="worked", remote="ROUTER"),
    ],
)
def test_after_a_change_or_another_answer_it_is_a_new_test(between) -> None:  # type: ignore[no-untyped-def]
    log = Log()
    log.does("tool.echo", at=5, ok=False, says="rejected", remote="ROUTER")
    between(log)
    log.does("tool.echo", at=7, ok=False, says="rejected", remote="ROUTER")
    assert value(log).redundant == 0


def test_the_cheapest_test_that_would_have_told_is_named() -> None:
    assert value(Log()).cheapest.startswith("Of 6 plausible causes, the log on CT1 leaves 1")
    held = replace(STORY, right={**RIGHT, "fault": "destination-held"})
    assert "the queue on CT1" in value_of_tests(Log().read(held), held).cheapest
    unknown = replace(STORY, right={**RIGHT, "fault": "something-new"})
    assert value_of_tests(Log().read(unknown), unknown).cheapest == ""


@pytest.mark.parametrize("slug", scenario_slugs())
def test_some_test_narrows_every_lesson(slug: str) -> None:
    diagnosis = load_scenario(slug).diagnosis
    true = MARKS[diagnosis.fault]
    left = min(
        sum(same_answer(row, true, MARKS[choice.value]) for choice in diagnosis.choices) for row in TELLS.values()
    )
    assert left < len(diagnosis.choices)


def test_the_fewest_looks_of_a_generated_drill_are_told() -> None:
    text = "## What happened\n\nx\n\n## The shortest way\n\nOf all:\n\n1. the queue of CT1\n2. a C-ECHO\n\nThen, 2.\n"
    assert shortest_way(text) == ("the queue of CT1", "a C-ECHO")
    assert shortest_way("1. no") == ()
