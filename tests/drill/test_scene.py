"""What is told of the past happens in a running department, in its order."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from sandbox.drill.lint import lint
from sandbox.drill.load import read_scenario
from sandbox.drill.scene import stage
from sandbox.events.event import SCENE, SYSTEM, Event
from sandbox.events.kinds import AssociationRejected, AssociationReleased, ExamAcquired, NodeConfigSaved, NodeLogged
from sandbox.events.log import EventLog
from sandbox.lab.api import inspecting
from sandbox.lab.api.inspecting import HistoryPage
from sandbox.model.association import AssociationFacts
from sandbox.model.errors import BadInputError
from sandbox.model.view import AttemptState
from sandbox.nodes.observer import NodeObserver
from tests.drill.support import CAPPED_HOUSE, running_lab, write_tiny


def test_who_called_has_hung_up_before_the_clock_moves_on(tmp_path: Path) -> None:
    folder = write_tiny(tmp_path / "scenarios")
    with running_lab(tmp_path / "lab") as lab:
        stage(lab, read_scenario(folder), with_faults=False)
        exam = next(event for event in lab.events.since() if isinstance(event.body, ExamAcquired))
        calls = [event for event in lab.events.since(exam.seq) if event.kind.startswith("association.")]
        assert [event for event in calls if isinstance(event.body, AssociationReleased)]
        assert [event for event in calls if abs((event.at - exam.at).total_seconds()) > 30] == []


STRANGER = """[[fault]]
kind = "config.unlisted_callers"
node = "ARCHIVE"

[[fault]]
kind = "archive.strangers_study"
node = "ARCHIVE"
host = "MR1"
title = "PHYSICS"
study_uid = "2.25.77"
patient_name = "PHANTOM 170"
patient_id = "QA"

[[exam]]
id = "kidney\""""


def test_so_has_whom_a_fault_let_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    released = NodeObserver.released

    def takes_its_time(observer: NodeObserver, facts: AssociationFacts) -> None:
        if facts.calling_ae == "PHYSICS":
            threading.Event().wait(0.3)
        released(observer, facts)

    monkeypatch.setattr(NodeObserver, "released", takes_its_time)
    folder = write_tiny(tmp_path / "scenarios", spoil={'[[exam]]\nid = "kidney"': STRANGER})
    with running_lab(tmp_path / "lab") as lab:
        stage(lab, read_scenario(folder))
        came = wait_for(lab.events, lambda one: isinstance(one.body, AssociationReleased) and is_theirs(one))
        called = next(
            event for event in lab.events.since() if event.kind == "association.accepted" and is_theirs(event)
        )
    assert called.node == came.node == "ARCHIVE"
    assert abs((came.at - called.at).total_seconds()) < 30


def is_theirs(event: Event) -> bool:
    facts = getattr(event.body, "facts", None)
    return isinstance(facts, AssociationFacts) and facts.calling_ae == "PHYSICS"


def wait_for(events: EventLog, wanted: Callable[[Event], bool]) -> Event:
    found = events.wait_for(wanted, timeout=20)
    assert found is not None
    return found


TRIED = """[[meanwhile]]
command = "exam.send"
node = "US1"
study = "{study_uid}"
to = "ROUTER"

[[check]]
id = "us-is-archived\""""


def test_what_people_tried_before_they_called_is_done_last_and_may_fail(tmp_path: Path) -> None:
    folder = write_tiny(tmp_path / "scenarios", spoil={'[[check]]\nid = "us-is-archived"': TRIED})
    scenario = read_scenario(folder)
    with running_lab(tmp_path / "lab") as lab:
        rings_at = stage(lab, scenario).rings_at
        events = lab.events.since()
        exam = next(event for event in events if isinstance(event.body, ExamAcquired))
        tried = [
            event
            for event in events
            if isinstance(event.body, AssociationRejected) and event.node == "US1" and event.cause != exam.seq
        ]
        assert tried
        assert tried[-1].actor == SYSTEM
        assert tried[-1].seq > exam.seq
        assert abs((tried[-1].at - rings_at).total_seconds()) < 60


HOUSE = (
    CAPPED_HOUSE
    + """
[[check]]
id = "us-is-archived\""""
)


def test_what_the_house_is_like_is_in_no_history_while_the_drill_runs(tmp_path: Path) -> None:
    folder = write_tiny(tmp_path / "scenarios", spoil={'[[check]]\nid = "us-is-archived"': HOUSE})
    with running_lab(tmp_path / "lab") as lab:
        stage(lab, read_scenario(folder), with_faults=False)
        assert cast(Any, lab.department.node("ARCHIVE").running).query_limit == 12
        lab.attempt = cast(Any, SimpleNamespace(state=AttemptState.RUNNING, close=lambda: None))
        assert [one for one in inspecting.history(lab, HistoryPage()).entries if one.node] == []
        said = [event for event in lab.events.since() if isinstance(event.body, NodeLogged) and event.node == "ARCHIVE"]
        shown = [cast(NodeLogged, event.body).text for event in said if lab.may_show(event)]
        assert sum(" listens on " in text for text in shown) == 1, "it came up, and of its restart nothing is said"
        assert not any("stopped" in text for text in shown)

        lab.attempt = None
        told = [one for one in inspecting.history(lab, HistoryPage()).entries if one.node]
        assert [(one.who, one.node, one.for_later) for one in told] == [(SCENE, "ARCHIVE", True)] * 2
        saved, exam = (
            next(event for event in lab.events.since() if isinstance(event.body, kind))
            for kind in (NodeConfigSaved, ExamAcquired)
        )
        assert (exam.at - saved.at).total_seconds() > 1800, "long before anything happened"


GIVEN = """[[given]]
kind = "data.extra_objects"
node = "US1"
documents = ["key-objects"]

[[check]]
id = "us-is-archived\""""


@pytest.mark.parametrize("with_faults", [False, True])
def test_what_is_peculiar_to_the_house_is_there_when_it_is_well_too(tmp_path: Path, with_faults: bool) -> None:
    folder = write_tiny(tmp_path / "scenarios", spoil={'[[check]]\nid = "us-is-archived"': GIVEN})
    scenario = read_scenario(folder)
    with running_lab(tmp_path / "lab") as lab:
        exam = stage(lab, scenario, with_faults=with_faults).memory.exams[0]
        held = lab.department.modality("US1").store.study(exam.study_uid)
    assert held is not None
    assert "KO" in [series.modality for series in held.series]
    assert [problem for problem in lint(folder) if problem.key.startswith("given")] == []


def test_a_peculiarity_is_linted_like_a_fault(tmp_path: Path) -> None:
    wrong = GIVEN.replace('"US1"', '"US9"')
    folder = write_tiny(tmp_path / "scenarios", spoil={'[[check]]\nid = "us-is-archived"': wrong})
    assert [problem.key for problem in lint(folder)] == ["given[1]"]


def test_a_lesson_may_do_without_the_studies_of_years(tmp_path: Path) -> None:
    usual = read_scenario(write_tiny(tmp_path / "usual"))
    empty = read_scenario(write_tiny(tmp_path / "empty", spoil={"starts = ": "history = false\nstarts = "}))
    assert usual.department_site().history.patients > 0
    assert empty.department_site().history.patients == 0
    assert empty.department_site().nodes == usual.department_site().nodes


AGAIN = """[[exam]]
id = "again"
node = "CT1"
images = 1
same_patient = "kidney"
at = "-10 min"

[[exam]]
id = "other"
node = "US1"
images = 1
namesake_of = "kidney"
at = "-5 min"

[[check]]
id = "us-is-archived\""""


def test_a_patient_comes_again_and_a_namesake_is_somebody_else(tmp_path: Path) -> None:
    folder = write_tiny(tmp_path / "scenarios", spoil={'[[check]]\nid = "us-is-archived"': AGAIN})
    with running_lab(tmp_path / "lab") as lab:
        kidney, again, other = stage(lab, read_scenario(folder), with_faults=False).memory.exams
        born = {
            exam.label: study.study.birth_date
            for exam in (kidney, again, other)
            if (store := lab.department.modality(exam.node).store) and (study := store.study(exam.study_uid))
        }
    assert kidney.patient_name == again.patient_name == other.patient_name
    assert kidney.patient_id == again.patient_id != other.patient_id
    assert born["kidney"] == born["again"] != born["other"]
    assert len({kidney.study_uid, again.study_uid, other.study_uid}) == 3


def test_somebody_who_has_not_been_there_cannot_come_again(tmp_path: Path) -> None:
    folder = write_tiny(
        tmp_path / "scenarios",
        spoil={'[[check]]\nid = "us-is-archived"': AGAIN.replace("-10 min", "-30 min")},
    )
    with running_lab(tmp_path / "lab") as lab, pytest.raises(BadInputError, match="has not been there yet"):
        stage(lab, read_scenario(folder), with_faults=False)
