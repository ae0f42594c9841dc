"""Every fault primitive: it can be seen by a real operation, and its undo leaves no trace."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from sandbox.checks.exam_arrives import ExamArrives
from sandbox.checks.memory import Memory
from sandbox.drill.fingerprint import fingerprint
from sandbox.drill.lint_content import site_configs
from sandbox.events.event import FAULT
from sandbox.faults.fault import Fault
from sandbox.faults.registry import make_fault
from sandbox.lab.lab import Lab
from sandbox.model.errors import BadInputError, SandboxError
from sandbox.model.scenario import Primitive
from sandbox.model.verdict import Verdict
from tests.drill.support import quiet_site, running_lab


def arrives(lab: Lab, node: str, at: str) -> bool:
    """Whether a new exam from ``node`` comes to ``at``."""
    finding = ExamArrives(node=(node,), at=(at,), images=1, within_s=10).run(lab.department, Memory())
    assert finding.verdict is not Verdict.COULD_NOT_TELL, finding
    return finding.verdict is Verdict.PASS


Works = Callable[[Lab], bool]

CASES: dict[str, tuple[dict[str, object], Works]] = {
    "config.set": (
        {"node": "CT1", "path": "send_to", "value": ["ARCHIVE"]},
        lambda lab: arrives(lab, "CT1", "WS1"),
    ),
    "config.called_ae_title": (
        {"node": "CT1", "peer": "ROUTER", "value": "ROUTERX"},
        lambda lab: arrives(lab, "CT1", "ARCHIVE"),
    ),
    "config.rule": (
        {"node": "ROUTER", "rule": "plain-films-to-ed", "attribute": "Modality", "value": "CR"},
        lambda lab: arrives(lab, "DX1", "WS2"),
    ),
    "queue.held": (
        {"node": "ROUTER", "destination": "WS1", "reason": "maintenance"},
        lambda lab: arrives(lab, "US1", "WS1"),
    ),
}
"""For each kind: parameters, and an operation of the department that works without it and not with it."""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with running_lab(tmp_path_factory.mktemp("faults") / "lab") as running:
        yield running


def fault_of(kind: str) -> Fault:
    return make_fault(Primitive(kind=kind, **CASES[kind][0]))


@pytest.mark.parametrize("kind", CASES)
def test_a_fault_is_felt_and_its_undo_leaves_no_trace(lab: Lab, kind: str) -> None:
    works = CASES[kind][1]
    healthy = fingerprint(lab.department)
    assert works(lab)

    undo = fault_of(kind).apply(lab.department)
    assert not works(lab)

    undo()
    undo()  # a second time does nothing more
    assert works(lab)
    assert healthy.differences(fingerprint(lab.department)) == ()
    assert sum(event.kind == "fault.undone" for event in lab.events.since()) >= 1


@pytest.mark.parametrize("kind", CASES)
def test_a_fault_tells_nobody_but_the_debrief(lab: Lab, kind: str) -> None:
    before = len(lab.events)
    undo = fault_of(kind).apply(lab.department)
    undo()
    written = lab.events.since(before)
    applied = next(event for event in written if event.kind == "fault.applied")
    assert applied.body.model_dump()["explanation"]
    telling = [event for event in written if event.kind in ("node.config.saved", "queue.held", "node.started")]
    assert telling, "the injection itself is in the log"
    assert all(event.is_for_later and event.actor == FAULT for event in telling)
    assert all(event.cause for event in telling)


@pytest.mark.parametrize("kind", CASES)
def test_a_fault_fits_the_site_or_says_why_not(kind: str) -> None:
    configs = site_configs(quiet_site())
    fault = fault_of(kind)
    fault.try_on(configs)
    swapped = dict.fromkeys(configs, configs["WS1"].model_copy(update={"remotes": ()}))
    with pytest.raises(SandboxError) as refused:
        fault.try_on(swapped)
    assert refused.value.sentence


def test_faults_compose_and_are_undone_newest_first(lab: Lab) -> None:
    healthy = fingerprint(lab.department)
    undos = [fault_of(kind).apply(lab.department) for kind in CASES]
    assert len(healthy.differences(fingerprint(lab.department))) >= 3
    for undo in reversed(undos):
        undo()
    assert healthy.differences(fingerprint(lab.department)) == ()


def test_a_stopped_node_is_broken_without_being_started(lab: Lab) -> None:
    node = lab.department.node("CT1")
    node.stop("for a test")
    undo = fault_of("config.called_ae_title").apply(lab.department)
    assert node.state == "stopped"
    undo()
    node.start()
    assert node.running.remote("ROUTER").ae_title == "ROUTER"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("kind", "params", "word"),
    [
        ("config.sat", {}, "config.set"),
        ("config.set", {"node": "CT1", "pth": "port", "value": 1}, "'path'"),
        ("config.rule", {"node": "ROUTER", "rule": "to-archive", "value": 1}, "attribute or path"),
        ("config.called_ae_title", {"node": "CT1", "peer": "ROUTER", "value": "X" * 17}, "16"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(kind: str, params: dict[str, object], word: str) -> None:
    with pytest.raises(BadInputError) as refused:
        make_fault(Primitive(kind=kind, **params))
    assert word in str(refused.value)
