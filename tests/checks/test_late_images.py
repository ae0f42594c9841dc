"""What a slow receiver still works on when its caller has given up comes late, and a check leaves nothing of it."""

from __future__ import annotations

from collections.abc import Callable

from sandbox.checks.exam_arrives import ExamArrives
from sandbox.checks.memory import Memory
from sandbox.events.kinds import AssociationAborted
from sandbox.model.association import Side
from sandbox.model.verdict import Verdict
from sandbox.nodes.impairments import NO_IMPAIRMENTS, Service, Slowness
from tests.nodes.conftest import Small, make_small

__all__ = ["make_small"]


def aborted(small: Small, side: Side) -> set[str]:
    return {
        event.body.facts.id
        for event in small.events.since()
        if isinstance(event.body, AssociationAborted) and event.body.facts.side is side
    }


def test_an_image_that_is_stored_late_is_forgotten_too(make_small: Callable[..., Small]) -> None:
    small = make_small(ROUTER={"dimse_timeout_s": 0.5})
    slow = Slowness(service=Service.STORE, seconds=2.0, after=1)
    small.archive.impair(NO_IMPAIRMENTS.plus("service", "slow", slow))
    finding = ExamArrives(node="CT1", at="ARCHIVE", images=6, within_s=20).run(small.department, Memory())
    assert finding.verdict is Verdict.FAIL
    assert aborted(small, Side.REQUESTOR), "ROUTER has given up"
    small.wait_until(lambda: aborted(small, Side.REQUESTOR) <= aborted(small, Side.ACCEPTOR))
    assert small.archive.store.count_studies() == 0
