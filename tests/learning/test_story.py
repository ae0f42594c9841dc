"""The timeline in lanes, what led to what, the expert's path and the report, told from logs made by hand."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from sandbox.events.kinds import KINDS, AccountWritten, EvidenceOpened
from sandbox.learning.debrief import account_in, debrief
from sandbox.learning.evidence import clock
from sandbox.learning.graph import LAYERS, MOST
from sandbox.learning.report import incident_report, lessons, markdown
from sandbox.learning.timeline import GROUPS
from sandbox.model.debrief_view import DebriefView, Lane
from tests.learning.support import ANNA, RIGHT, STORY, Log, expertly, solved, words


@pytest.fixture(scope="module")
def told() -> DebriefView:
    return debrief(expertly().events, solved(), words)


def test_kinds_of_the_timeline_are_kinds_of_events() -> None:
    assert set(GROUPS) <= set(KINDS)


def test_each_line_is_in_its_lane(told: DebriefView) -> None:
    lanes = {(entry.group, entry.lane) for entry in told.timeline}
    assert lanes == {
        ("fault", Lane.DEPARTMENT),
        ("symptom", Lane.DEPARTMENT),
        ("recovery", Lane.DEPARTMENT),
        ("ticket", Lane.PEOPLE),
        ("investigation", Lane.YOU),
        ("pin", Lane.YOU),
        ("diagnosis", Lane.YOU),
        ("change", Lane.YOU),
        ("check", Lane.YOU),
    }
    assert [entry.seq for entry in told.timeline] == sorted(entry.seq for entry in told.timeline)
    assert told.timeline[0].elapsed_s == -600
    assert "It calls by a wrong name" in next(e.sentence for e in told.timeline if e.group == "diagnosis")


def test_symptoms_are_told_once_and_recovery_when_it_comes() -> None:
    log = Log()
    for at in range(1, 9):
        log.waits(6)
        log.now = at
    log.sent(at=10)
    log.sent(at=11)
    view = debrief(log.events, STORY, words)
    groups = Counter(entry.group for entry in view.timeline)
    assert groups["symptom"] == 2
    assert groups["recovery"] == 1


def test_the_message_that_closes_is_told_though_the_drill_is_over(told: DebriefView) -> None:
    assert told.elapsed_s == 90
    assert told.messages[-1].kind == "closed"
    assert told.messages[-1].text == "Cause: A typo. Done: Corrected. Verified: It is in the ED."


def test_what_comes_after_the_end_is_not_told() -> None:
    log = expertly()
    log.does("node.restart", "ARCHIVE", at=200)
    log.add(EvidenceOpened(what="log"), node="ARCHIVE", actor=ANNA, at=210)
    view = debrief(log.events, solved(), words)
    assert not any("ARCHIVE" in entry.sentence for entry in view.timeline)


def test_evidence_and_when_it_was_opened() -> None:
    log = Log()
    late = log.rejected(cause=1)
    log.events[late - 1] = replace(log.events[late - 1], at=STORY.started_at)
    log.looks(at=692)
    view = debrief(log.events, STORY, words)
    assert [clue.sentence for clue in view.evidence] == [
        "It was there when the phone rang; you looked at 11:32.",
        "It was there when the phone rang; you looked at 11:32.",
    ]
    assert clock(250) == "04:10"
    assert clock(-35 * 60) == "-35:00"
    assert clock(3700) == "1:01:40"


def test_causes_lead_from_the_fault_to_the_recovery(told: DebriefView) -> None:
    nodes = {node.id: node for node in told.graph.nodes}
    kinds = [node.kind for node in told.graph.nodes]
    assert kinds == ["fault", "event", "symptom", "symptom", "ticket", "change", "change", "recovery"]
    edges = {(nodes[e.source].kind, nodes[e.target].kind, e.recorded) for e in told.graph.edges}
    assert ("fault", "event", True) in edges
    assert ("event", "symptom", False) in edges
    assert ("symptom", "ticket", False) in edges
    assert ("change", "recovery", False) in edges
    assert all(nodes[e.source].layer <= nodes[e.target].layer for e in told.graph.edges)


def test_the_graph_is_bounded_and_counts() -> None:
    log = Log()
    for number in range(40):
        log.waits(6)
        log.events[-1] = replace(log.events[-1], node=f"N{number}")
        log.waits(6)
    view = debrief(log.events, STORY, words)
    kinds = Counter(node.kind for node in view.graph.nodes)
    assert all(count <= MOST[kind] for kind, count in kinds.items())
    assert set(MOST) == set(LAYERS)
    assert view.graph.left_out == 38
    assert next(node for node in view.graph.nodes if node.kind == "symptom" and "queue" in node.sentence).count == 41


def test_where_nothing_was_broken_nothing_led_to_it() -> None:
    view = debrief(Log(broken=False).events, replace(STORY, broken=False), words)
    assert view.graph.nodes == ()


def test_the_experts_path_stands_beside_ones_own(told: DebriefView) -> None:
    kinds = [step.kind for step in told.path]
    assert kinds == ["look", "look", "look", "conclude", "act", "act", "verify", "tell"]
    assert all(step.done_s is not None for step in told.path)
    nothing = debrief(Log().events, replace(STORY, committed=RIGHT), words)
    assert all(step.done_s is None for step in nothing.path)
    assert nothing.path[1].why == "It leaves 1 of 6 plausible causes."


def test_the_account_is_the_last_that_was_written() -> None:
    log = expertly()
    assert account_in(log.events) is None
    log.add(AccountWritten(wrong="A typo."), actor=ANNA, at=100)
    account = account_in(log.events)
    assert account is not None
    assert account.wrong == "A typo."


def test_the_report_is_of_the_incident_and_not_of_the_score(told: DebriefView) -> None:
    text = markdown(incident_report(told))
    for said in (
        "# Incident report: CT images do not come up",
        "Rosalind Pike reported: No CT.",
        "1 exam of 1 patient was concerned",
        "ROUTER had the title 'ROUTTER'.",
        "Diagnosed as: It calls by a wrong name.",
        "pass: ct: pass.",
        "- Copy titles, do not type them.",
        "- Look.",
        "CT1's log: rejected.",
    ):
        assert said in text, said
    assert "points" not in text
    assert "Missing" not in text


def test_what_was_not_done_is_said_to_be_missing() -> None:
    log = Log()
    log.ends(solved=False, at=20)
    text = markdown(incident_report(debrief(log.events, replace(STORY, gave_up=True), words)))
    for said in (
        "It was not resolved",
        "No diagnosis was committed. The lesson's answer: It calls by a wrong name.",
        "Nothing was changed.",
        "The department was not checked.",
        "Missing: an update while people waited and a closing message.",
    ):
        assert said in text, said


def test_lessons_are_read_without_their_markup() -> None:
    assert lessons(STORY.text) == ("Copy titles, do not type them.", "Look.")
    assert lessons("nothing") == ()


def test_an_attempt_that_nobody_began_is_a_debrief_too() -> None:
    view = debrief([], replace(STORY, gave_up=True), words)
    assert view.score is not None
    assert view.score.points == 0
    assert view.moment(3) == 0
    assert markdown(incident_report(view))
