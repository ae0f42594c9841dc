"""An exam that goes round between two routers is told from one that goes its way, and is caught afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.checks.check import Judgement
from sandbox.checks.memory import Memory
from sandbox.checks.registry import make_check
from sandbox.checks.rounds import sent_again
from sandbox.events.kinds import ExamAcquired
from sandbox.model.scenario import Primitive
from sandbox.model.verdict import Verdict
from tests.nodes import conftest
from tests.nodes.conftest import Small

CASES = ("sent_once",)
"""What is tried here."""

ONWARD = [{"name": "on", "calling_ae": "ROUTER", "destinations": ["WS1"]}]
BACK_TOO = [{"name": "on", "calling_ae": "ROUTER", "destinations": ["WS1", "ROUTER"]}]


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Small]:
    """CT1 → ROUTER → WS2, which is a second router → WS1."""
    monkeypatch.setitem(conftest.ROLES, "WS2", "router")
    monkeypatch.setitem(conftest.SETTINGS, "WS2", {"rules": ONWARD})
    small = Small(tmp_path / "lab")
    yield small
    small.end()


def judged(small: Small, **more: object) -> Judgement:
    check = make_check(Primitive(kind=CASES[0], node="CT1", at=["ARCHIVE", "WS1"], **more))
    return check.judge(small.department, Memory())


def test_an_exam_that_goes_its_way_once_passes(small: Small) -> None:
    answer = judged(small)
    assert (answer.verdict, answer.sentence) == (
        Verdict.PASS,
        "New exams from CT1 came to ARCHIVE and WS1 once, and to rest.",
    )


def test_an_exam_that_goes_round_fails_and_is_caught(small: Small) -> None:
    small.change("WS2", rules=BACK_TOO)
    answer = judged(small, images=2)
    assert answer.verdict is Verdict.FAIL
    assert "a second time: it goes round." in answer.sentence
    exam = next(event.body for event in small.events.since() if isinstance(event.body, ExamAcquired))
    assert sent_again(small.department, exam.study_uid, 0) is not None
    position = len(small.events)
    moved = small.events.wait_for(
        lambda event: getattr(event.body, "study_uid", "") == exam.study_uid, after=position, timeout=1
    )
    assert moved is None, "none of it goes round any more"
    for node in small.department.nodes.values():
        assert node.store is None or node.store.study(exam.study_uid) is None
        assert node.queue is None or not node.queue.entries_of(exam.study_uid)


def test_an_exam_that_does_not_arrive_fails(small: Small) -> None:
    small.router.queue.hold("WS2", "drill")
    answer = judged(small)
    assert (answer.verdict, answer.sentence) == (Verdict.FAIL, "A new exam from CT1 does not arrive at WS1.")
