"""The check of storage commitment: the answer comes back, or it is certain that it does not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.checks.check import Check
from sandbox.checks.commitment_returns import CommitmentReturns
from sandbox.checks.memory import Memory
from sandbox.faults.registry import make_fault
from sandbox.model.scenario import Primitive
from sandbox.model.verdict import Finding, Verdict
from tests.checks.support import noted
from tests.nodes.conftest import QUICK, Small, line

CASES: dict[str, tuple[dict[str, object], str]] = {"commitment_returns": ({"node": "CT1"}, "tried below")}
"""The kinds that this module tries, for the count of those that nobody tries."""

NEW = CommitmentReturns(node="CT1")
WAITING = CommitmentReturns(node="CT1", exams=("head",))


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Small]:
    asking = {"CT1": {"send_to": ["ARCHIVE"], "request_commitment": "ARCHIVE", "retry": QUICK}}
    small = Small(tmp_path_factory.mktemp("commitment") / "lab", asking)
    yield small
    small.end()


@pytest.fixture(autouse=True)
def as_it_was(small: Small) -> Iterator[None]:
    saved = {name: node.saved for name, node in small.department.nodes.items()}
    yield
    for name, config in saved.items():
        if small.department.node(name).saved != config:
            small.department.node(name).save(config)
            small.department.node(name).restart()


def remembered(small: Small) -> Memory:
    """A new exam, as the one that a check asks for."""
    return Memory(exams=(noted(small.scan(images=2)),))


def found(small: Small, check: Check, memory: Memory | None = None) -> Finding:
    return check.run(small.department, memory or Memory())


def no_way_back(small: Small) -> None:
    small.change("ARCHIVE", remotes=[line("CT1", host="gone.small.example"), line("ROUTER"), line("WS1")])


def test_what_was_sent_is_confirmed(small: Small) -> None:
    finding = found(small, NEW)
    assert finding.verdict is Verdict.PASS, finding
    assert finding.evidence
    assert found(small, WAITING, remembered(small)).verdict is Verdict.PASS


def test_without_a_way_back_it_is_not_and_the_restart_that_mends_it_reports_what_waited(small: Small) -> None:
    no_way_back(small)
    finding = found(small, NEW)
    assert finding.verdict is Verdict.FAIL
    assert len(finding.evidence) >= 2, "the calls that did not come about"
    memory = remembered(small)
    assert found(small, WAITING, memory).verdict is Verdict.FAIL
    small.change("ARCHIVE", remotes=[line("CT1"), line("ROUTER"), line("WS1")])
    finding = found(small, WAITING, memory)
    assert finding.verdict is Verdict.PASS, finding


def test_who_asks_nobody_has_no_answer(small: Small) -> None:
    small.change("CT1", request_commitment="")
    finding = found(small, NEW)
    assert finding.verdict is Verdict.FAIL
    assert "asks nobody" in finding.sentence


def test_nothing_is_left_of_it(small: Small) -> None:
    before = small.ct.store.count_studies()
    assert found(small, NEW).verdict is Verdict.PASS
    assert small.ct.store.count_studies() == before


@pytest.mark.parametrize("arrives", [True, False])
def test_the_archive_does_not_go_on_reporting_what_was_scanned_for_a_check(small: Small, arrives: bool) -> None:
    """Neither where it has the images, nor where they went astray."""
    no_way_back(small)
    undo = None if arrives else make_fault(Primitive(kind="service.discards", node="ARCHIVE")).apply(small.department)
    asked = len(small.events)
    assert found(small, NEW).verdict is Verdict.FAIL
    small.wait("association.failed", "ARCHIVE", after=asked)
    if undo is not None:
        undo()
    assert small.archive.store is not None
    assert not list((small.archive.store.directory / "commitment").glob("*.json"))
