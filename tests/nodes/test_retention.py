"""An archive's retention rule: by age alone, or only what a second archive has confirmed to have."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from sandbox.nodes.modality import AcquiredExam
from sandbox.nodes.retention import Applied
from tests.nodes import conftest
from tests.nodes.conftest import Small

MakeSmall = Callable[..., Small]


def exam_of(small: Small, days_ago: int) -> AcquiredExam:
    """An exam of some days ago, archived now."""
    now = small.clock.now()
    small.clock.move_to(now - timedelta(days=days_ago))
    exam = small.scan(images=2)
    small.clock.move_to(now)
    assert small.ct.tools.send("ARCHIVE", exam.study_uid).ok
    return exam


def has(small: Small, node: str, exam: AcquiredExam) -> bool:
    store = small.department.node(node).store
    return store is not None and store.study(exam.study_uid) is not None


def test_without_a_rule_everything_stays(make_small: MakeSmall) -> None:
    small = make_small(CT1={"send_to": []})
    exam = exam_of(small, 4000)
    assert small.archive.retention.apply() == Applied()
    assert has(small, "ARCHIVE", exam)


def test_age_alone_removes_for_good_and_is_in_journal_and_log(make_small: MakeSmall) -> None:
    small = make_small(CT1={"send_to": []})
    old, last, new = exam_of(small, 31), exam_of(small, 30), exam_of(small, 1)
    small.change("ARCHIVE", purge_after_days=30)
    # By itself, when it starts.
    told = small.wait("archive.deleted", "ARCHIVE")
    assert "Purged 1 study (2 instances)" in str(told.body)
    assert [has(small, "ARCHIVE", exam) for exam in (old, last, new)] == [False, True, True]
    entry = small.archive.archive.journal()[0]
    assert entry.actor == "retention"
    small.wait_log("ARCHIVE", "Purged 1 study")


def test_with_a_gate_only_what_the_other_archive_confirms_is_removed(
    make_small: MakeSmall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(conftest.ROLES, "WS2", "archive")
    monkeypatch.setitem(conftest.SETTINGS, "WS2", {})
    small = make_small(CT1={"send_to": []})
    copied, lacking = exam_of(small, 40), exam_of(small, 40)
    assert small.ct.tools.send("WS2", copied.study_uid).ok
    small.change("ARCHIVE", purge_after_days=30, purge_needs="WS2")
    small.wait("commitment.reported", "ARCHIVE")
    small.wait_until(lambda: small.archive.retention.apply() == Applied(0, 0, 1))
    assert not has(small, "ARCHIVE", copied)
    assert has(small, "ARCHIVE", lacking)
    small.wait_log("ARCHIVE", "WS2 has not confirmed")


def test_a_gate_that_nobody_answers_keeps_everything(make_small: MakeSmall) -> None:
    small = make_small(CT1={"send_to": []})
    exam = exam_of(small, 40)
    small.change("ARCHIVE", purge_after_days=30, purge_needs="WS2")
    small.wait_log("ARCHIVE", "commitment cannot be asked of WS2")
    assert small.archive.retention.apply().waiting == 1
    assert has(small, "ARCHIVE", exam)
