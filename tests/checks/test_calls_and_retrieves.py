"""Checks of who is let in and of what is brought: true of the healthy department, false of the broken one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sandbox.checks.check import Check
from sandbox.checks.memory import Memory, NotedExam
from sandbox.checks.registry import make_check
from sandbox.checks.retrieve_completes import RetrieveCompletes
from sandbox.drill.fingerprint import fingerprint
from sandbox.events.event import PROBE
from sandbox.events.log import because
from sandbox.faults.registry import make_fault
from sandbox.model.errors import BadInputError
from sandbox.model.scenario import Primitive
from sandbox.model.verdict import Verdict
from sandbox.nodes.impairments import NO_IMPAIRMENTS
from tests.checks.support import noted
from tests.nodes.conftest import Small, line

Spoil = Callable[[Small], None]


def stranger_in_the_table(small: Small) -> None:
    rows = [row.model_dump() for row in small.archive.saved.remotes]
    small.change("ARCHIVE", remotes=[*rows, line("WS2") | {"name": "OLD", "ae_title": "OLDCT"}])


def sits_on_associations(small: Small) -> None:
    make_fault(Primitive(kind="process.leaking", node="CT1", remote="ROUTER", count=3)).apply(small.department)


CASES: dict[str, tuple[dict[str, object], Spoil]] = {
    "associations_let_go": ({"node": "CT1", "remote": "ROUTER", "watch_s": 0.3}, sits_on_associations),
    "nothing_from_strangers": ({"node": "ARCHIVE"}, lambda small: small.change("ARCHIVE", remotes=[line("WS1")])),
    "association_accepted": (
        {"node": ["CT1", "ROUTER"], "remote": "ARCHIVE", "sop_classes": ["CT Image Storage"]},
        lambda small: small.change("ARCHIVE", storage_classes=["MR*"]),
    ),
    "association_refused": ({"node": "ARCHIVE", "calling_ae": "OLDCT"}, stranger_in_the_table),
    "retrieve_completes": (
        {"node": "WS1", "exams": "head"},
        lambda small: small.change("ARCHIVE", remotes=[line("CT1"), line("WS1", port=105)]),
    ),
}
"""For each kind: parameters, and what spoils the claim."""

WITHOUT_WITNESS = ("associations_let_go", "nothing_from_strangers")
"""What did not happen has no event."""


@pytest.fixture(scope="module")
def department(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Small, Memory]]:
    small = Small(tmp_path_factory.mktemp("checks") / "lab", {"CT1": {"send_to": []}})
    exams = (_archived(small, "head"), _archived(small, "other"))
    yield small, Memory(start=len(small.events), exams=exams)
    small.end()


def _archived(small: Small, label: str) -> NotedExam:
    exam = small.scan(images=2)
    assert small.ct.tools.send("ARCHIVE", exam.study_uid).ok
    return noted(exam, label)


def check_of(kind: str, **more: object) -> Check:
    return make_check(Primitive(kind=kind, **(CASES[kind][0] | more)))


@pytest.fixture
def healthy(department: tuple[Small, Memory]) -> Iterator[tuple[Small, Memory]]:
    small, memory = department
    configs = {name: node.saved for name, node in small.department.nodes.items()}
    yield small, memory
    for name, config in configs.items():
        node = small.department.node(name)
        node.impair(NO_IMPAIRMENTS)
        if node.saved != config:
            node.save(config)
            node.restart()


@pytest.mark.parametrize("kind", CASES)
def test_it_tells_the_healthy_department_from_the_spoilt_one(healthy: tuple[Small, Memory], kind: str) -> None:
    small, memory = healthy
    finding = check_of(kind).run(small.department, memory)
    assert finding.verdict is Verdict.PASS, finding
    assert finding.evidence or kind in WITHOUT_WITNESS
    CASES[kind][1](small)
    finding = check_of(kind).run(small.department, memory)
    assert finding.verdict is Verdict.FAIL, finding
    assert finding.sentence.endswith(".")


@pytest.mark.parametrize("kind", CASES)
def test_it_leaves_no_trace_and_is_not_the_trainees(healthy: tuple[Small, Memory], kind: str) -> None:
    small, memory = healthy
    before, seen = fingerprint(small.department), len(small.events)
    check_of(kind).run(small.department, memory)
    assert before.differences(fingerprint(small.department)) == ()
    assert {event.actor for event in small.events.since(seen)} == {PROBE}


def test_each_transfer_syntax_is_asked_for_by_itself(healthy: tuple[Small, Memory]) -> None:
    small, memory = healthy
    small.change("ARCHIVE", transfer_syntaxes=["Implicit VR Little Endian"])
    asked = {"transfer_syntaxes": ["Implicit*"]}
    assert check_of("association_accepted", **asked).run(small.department, memory).verdict is Verdict.PASS
    asked = {"transfer_syntaxes": ["Implicit*", "JPEG Baseline*"]}
    finding = check_of("association_accepted", **asked).run(small.department, memory)
    assert finding.verdict is Verdict.FAIL
    assert len(finding.facts) == 1


def test_images_that_go_to_somebody_else_are_missed(healthy: tuple[Small, Memory]) -> None:
    small, memory = healthy
    small.change("WS2", check_called_ae=False)
    small.change("ARCHIVE", remotes=[line("WS2", ae_title="WS1"), line("WS1", ae_title="WS9")])
    before = fingerprint(small.department)
    finding = check_of("retrieve_completes", within_s=1).run(small.department, memory)
    assert finding.verdict is Verdict.FAIL
    assert "WS1" in finding.sentence
    assert before.differences(fingerprint(small.department)) == ()


def test_what_the_trainee_retrieves_meanwhile_stays(
    healthy: tuple[Small, Memory], monkeypatch: pytest.MonkeyPatch
) -> None:
    small, memory = healthy
    exam = memory.labelled("head")[0]
    real = RetrieveCompletes._retrieve

    def both(*given: Any) -> str:
        with because(None, "trainee"):
            assert small.workstation("WS1").retrieve(exam.study_uid).ok
        return real(*given)

    monkeypatch.setattr(RetrieveCompletes, "_retrieve", both)
    assert check_of("retrieve_completes").run(small.department, memory).verdict is Verdict.PASS
    store = small.workstation("WS1").store
    assert store is not None
    assert store.study(exam.study_uid) is not None
    small.workstation("WS1").forget_study(exam.study_uid)


def test_a_search_in_the_users_words_finds_all_of_them_and_no_more(healthy: tuple[Small, Memory]) -> None:
    small, memory = healthy
    head = memory.labelled("head")[0]

    def verdict(**params: object) -> Verdict:
        asked = {"node": "WS1", "exams": "head", **params}
        return make_check(Primitive(kind="query_returns", **asked)).run(small.department, memory).verdict

    assert verdict(keys={"PatientID": head.patient_id}, exactly=True) is Verdict.PASS
    assert verdict(keys={"StudyDate": "19000101-"}) is Verdict.PASS
    assert verdict(keys={"StudyDate": "19000101-"}, exactly=True) is Verdict.FAIL
    assert verdict(keys={"PatientID": "nobody"}) is Verdict.FAIL
    small.change("ARCHIVE", query_limit=1)
    assert verdict(keys={"StudyDate": "19000101-"}, exams=["head", "other"]) is Verdict.FAIL


@pytest.mark.parametrize(
    ("kind", "params", "word"),
    [
        ("association_accepted", {"sop_classes": ["CT Imge Storage"]}, "no storage SOP class"),
        ("association_accepted", {"sop_classes": ["*"]}, "128"),
        ("association_refused", {"calling_ae": "X" * 17}, "16"),
        ("retrieve_completes", {"within_s": 0}, "within_s"),
    ],
)
def test_what_makes_no_sense_is_refused(kind: str, params: dict[str, object], word: str) -> None:
    with pytest.raises(BadInputError) as refused:
        check_of(kind, **params)
    assert word in str(refused.value)


def test_a_key_that_is_none_is_refused() -> None:
    with pytest.raises(BadInputError, match="PatientNam"):
        make_check(Primitive(kind="query_returns", node="WS1", exams="head", keys={"PatientNam": "X"}))


def test_who_lets_go_of_them_is_told_from_who_has_fewer_than_there_is_room_for(healthy: tuple[Small, Memory]) -> None:
    small, memory = healthy
    sits_on_associations(small)
    assert check_of("associations_let_go", most=3).run(small.department, memory).verdict is Verdict.PASS
    finding = check_of("associations_let_go").run(small.department, memory)
    assert finding.verdict is Verdict.FAIL
    assert "3 associations" in finding.sentence
    small.ct.restart()
    assert check_of("associations_let_go", most=0).run(small.department, memory).verdict is Verdict.PASS
