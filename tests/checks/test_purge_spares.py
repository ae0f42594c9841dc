"""What a retention rule would remove is told before it does, and nothing is removed by the telling."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from sandbox.checks.memory import Memory
from sandbox.checks.registry import make_check
from sandbox.model.scenario import Primitive
from sandbox.model.verdict import Verdict
from tests.nodes import conftest
from tests.nodes.conftest import Small

CASES = ("purge_spares",)
"""What is tried here."""


class Aged(Small):
    """WS2 is a second archive, and has nothing. ARCHIVE has ``study_uid``, of three days ago."""

    study_uid: str


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Aged]:
    monkeypatch.setitem(conftest.ROLES, "WS2", "archive")
    monkeypatch.setitem(conftest.SETTINGS, "WS2", {})
    small = Aged(tmp_path / "lab", {"CT1": {"send_to": []}})
    try:
        now = small.clock.now()
        small.clock.move_to(now - timedelta(days=3))
        small.study_uid = small.scan(images=1).study_uid
        small.clock.move_to(now)
        assert small.ct.tools.send("ARCHIVE", small.study_uid).ok
        yield small
    finally:
        small.end()


def said(small: Aged) -> tuple[Verdict, str]:
    check = make_check(Primitive(kind=CASES[0], kept_at="WS2", ahead_days=4))
    judged = check.judge(small.department, Memory())
    store = small.department.node("ARCHIVE").store
    assert store is not None
    assert store.study(small.study_uid) is not None, "trying it removes nothing"
    return judged.verdict, judged.sentence


def test_who_removes_nothing_loses_nothing(small: Aged) -> None:
    assert said(small) == (Verdict.PASS, "ARCHIVE removes nothing by itself.")


def test_what_would_go_and_has_no_copy_is_told_days_before(small: Aged) -> None:
    small.change("ARCHIVE", purge_after_days=5)
    assert said(small) == (Verdict.FAIL, "ARCHIVE would remove 1 study that WS2 lacks.")
    assert small.ct.tools.send("WS2", small.study_uid).ok
    assert said(small) == (
        Verdict.FAIL,
        "ARCHIVE removes what is old, and asks nobody first whether another copy is safe.",
    )


def test_what_asks_the_right_one_is_trusted_and_who_asks_another_is_not(small: Aged) -> None:
    small.change("ARCHIVE", purge_after_days=5, purge_needs="WS2")
    assert said(small) == (Verdict.PASS, "ARCHIVE removes only what WS2 has confirmed to have.")
    small.change("ARCHIVE", purge_after_days=5, purge_needs="WS1")
    assert said(small) == (
        Verdict.FAIL,
        "ARCHIVE asks WS1 before it removes anything, which is not WS2.",
    )
