"""Harm: what the trainee's acts did is told apart from what the fault did."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sandbox.events.kinds import NodeConfigSaved, NodeStarted, NodeStopped, QueueDiscarded
from sandbox.learning.debrief import debrief
from sandbox.learning.harm import MOST, harm_of, impact_of
from sandbox.learning.report import incident_report, markdown
from sandbox.model.config_path import Change
from sandbox.model.debrief_view import HarmView
from sandbox.model.verdict import Verdict
from tests.learning.support import ANNA, STORY, Log, expertly, finding, solved, words


def harm(log: Log) -> tuple[HarmView, ...]:
    return harm_of(log.events, log.read(), STORY)


def own(log: Log) -> list[str]:
    return [line.sentence for line in harm(log) if line.by_trainee]


def started() -> NodeStarted:
    return NodeStarted(ae_title="CT1", address="198.18.10.11:104", published="127.0.0.1:1")


def test_an_expert_harms_nobody_and_the_fault_did() -> None:
    told = harm(expertly())
    assert [line.by_trainee for line in told] == [False]
    assert told[0].sentence == "Up to 6 images waited on CT1 for ROUTER."
    assert told[0].elapsed_s == -300


def test_an_invariant_that_breaks_is_the_trainees_once() -> None:
    log = Log()
    broken = finding(Verdict.FAIL, invariant=True, id="names")
    log.checks(broken, at=5)
    assert own(log) == [], "nothing was changed yet"
    log.mends(at=10)
    log.checks(broken, at=20)
    log.checks(broken, finding(Verdict.COULD_NOT_TELL, invariant=True, id="lost"), finding(Verdict.FAIL), at=30)
    assert own(log) == ["What must always hold was broken: names: fail."]


@pytest.mark.parametrize(
    ("path", "before", "after", "harms"),
    [
        ("accept_unlisted_callers", False, True, True),
        ("accept_unlisted_callers", True, False, False),
        ("check_called_ae", True, False, True),
        ("remotes.TELERAD.tls", True, False, True),
        ("query_limit", 500, 0, True),
        ("query_limit", 500, 1000, False),
        ("ae_title", "A", "B", False),
    ],
)
def test_doors_that_are_opened(path: str, before: object, after: object, harms: bool) -> None:
    log = Log()
    change = Change(path=path, before=before, after=after)
    log.add(NodeConfigSaved(changes=(change,)), node="ROUTER", actor=ANNA, at=10)
    assert bool(own(log)) is harms
    assert all(path in line for line in own(log))


def test_images_that_are_thrown_away() -> None:
    log = Log()
    log.add(QueueDiscarded(destination="ROUTER", entries=6), node="CT1", actor=ANNA, at=10)
    assert own(log) == ["6 images that waited safely on CT1 for ROUTER were thrown away."]


def test_a_node_that_is_left_stopped() -> None:
    log = Log()
    log.add(NodeStopped(reason="restart"), node="CT1", actor=ANNA, at=5)
    log.add(started(), node="CT1", actor=ANNA)
    assert own(log) == []
    log.add(NodeStopped(reason="by hand"), node="ARCHIVE", actor=ANNA, at=10)
    assert own(log) == ["ARCHIVE was stopped and stayed so; whoever needed it could not reach it."]
    log.add(started(), node="ARCHIVE", actor=ANNA, at=20)
    assert own(log) == []


def test_it_is_bounded() -> None:
    log = Log()
    for at in range(100):
        log.add(QueueDiscarded(destination="ROUTER", entries=1), node="CT1", actor=ANNA, at=at)
    assert len(own(log)) == MOST


def test_the_impact_is_of_exams_behind_the_failures() -> None:
    log = expertly()
    told = impact_of(log.events, solved())
    assert told.exams == ("A1",)
    assert told.patients == 1
    assert told.sentence.startswith("1 exam of 1 patient was concerned")
    assert told.seconds == 390
    assert impact_of(log.events, STORY).seconds is None, "it never came back"


def test_the_outage_ends_with_the_attempt_and_not_with_the_last_message() -> None:
    log = expertly()
    log.closes(at=3600)
    told = debrief(log.events, solved(), words)
    assert told.messages[-1].elapsed_s == 3600, "the message is told"
    assert told.impact.seconds == 390
    assert "From the first failure to the recovery: 6 minutes." in markdown(incident_report(told))


def test_where_nothing_was_broken_nothing_is_the_faults() -> None:
    story = replace(STORY, broken=False)
    log = Log(broken=False)
    assert harm_of(log.events, log.read(), story) == ()
    assert impact_of(log.events, story).sentence.startswith("Nothing was broken")
