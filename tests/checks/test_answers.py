"""Checks of calls where nothing is broken: an answer that is true, and hands kept off what works."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.checks.caller_told import CallerTold
from sandbox.checks.memory import Memory
from sandbox.checks.nothing_changed import NothingChanged
from sandbox.events.kinds import DiagnosisCommitted, LabReset
from sandbox.lab.lab import Lab
from sandbox.model.verdict import Verdict
from tests.drill.support import do, running_lab

CASES: dict[str, tuple[dict[str, object], str]] = {
    "caller_told": ({"system": "US1", "layer": "people", "fault": "never-scanned"}, "tried below"),
    "nothing_changed": ({}, "tried below"),
}
"""The kinds that this module tries, for the count of those that nobody tries."""

TOLD = CallerTold(system="US1", layer="people", fault="never-scanned")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with running_lab(tmp_path_factory.mktemp("answers")) as lab:
        yield lab


def test_the_caller_must_be_told_what_is_so(lab: Lab) -> None:
    memory = Memory(start=len(lab.events))

    def verdict() -> Verdict:
        return TOLD.run(lab.department, memory).verdict

    assert verdict() is Verdict.FAIL
    lab.events.append(DiagnosisCommitted(node="US1", layer="people", fault="network-down"))
    assert verdict() is Verdict.FAIL
    lab.events.append(DiagnosisCommitted(node="US1", layer="people", fault="never-scanned"))
    assert verdict() is Verdict.PASS
    lab.events.append(LabReset())
    assert verdict() is Verdict.FAIL, "what was said before a reset is not said any more"


@pytest.mark.parametrize(
    ("command", "params", "undo", "said"),
    [
        (
            "node.config.save",
            {"node": "CT1", "set": {"station_name": "ELSEWHERE"}},
            {"set": {"station_name": "CT1"}},
            "CT1",
        ),
        ("queue.hold", {"node": "ROUTER", "destination": "WS1", "reason": "why not"}, "queue.resume", "queue"),
        (
            "network.firewall.add",
            {"source": "any", "target": "any", "action": "allow"},
            "network.firewall.remove",
            "firewall",
        ),
    ],
)
def test_what_was_changed_is_said(lab: Lab, command: str, params: dict[str, object], undo: object, said: str) -> None:
    check = NothingChanged()
    memory = Memory(start=len(lab.events), baselines={check.name: check.note(lab.department)})
    assert check.run(lab.department, memory).verdict is Verdict.PASS
    assert do(lab, command, **params).ok
    found = check.run(lab.department, memory)
    assert found.verdict is Verdict.FAIL
    assert said in found.sentence
    if isinstance(undo, str):
        back = {key: value for key, value in params.items() if key != "reason"}
        assert do(lab, undo, **back).ok
    else:
        assert do(lab, command, **{**params, **undo}).ok  # type: ignore[dict-item]
    assert check.run(lab.department, memory).verdict is Verdict.PASS


def test_new_studies_are_no_change_and_missing_ones_are(lab: Lab, tmp_path: Path) -> None:
    check = NothingChanged()
    department = lab.department
    made = department.acquire("DX1", images=1)
    assert department.events.wait_for(
        lambda event: event.kind == "instance.stored" and event.node == "WS1", after=made.event, timeout=20
    )
    memory = Memory(start=len(lab.events), baselines={check.name: check.note(department)})
    department.acquire("US1", images=1)
    assert check.run(department, memory).verdict is Verdict.PASS
    department.node("WS1").forget_study(made.study_uid)
    found = check.run(department, memory)
    assert (found.verdict, "WS1" in found.sentence) == (Verdict.FAIL, True)


def test_without_a_note_it_cannot_tell(lab: Lab) -> None:
    assert NothingChanged().run(lab.department, Memory()).verdict is Verdict.COULD_NOT_TELL
