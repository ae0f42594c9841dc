"""Faults of a node's program and of its services: felt on real sockets, mended as a trainee would, undone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox.drill.fingerprint import fingerprint
from sandbox.faults.fault import Fault
from sandbox.faults.registry import make_fault
from sandbox.model.errors import SandboxError
from sandbox.model.scenario import Primitive
from sandbox.model.service_call import ServiceCall
from sandbox.nodes.impairments import NO_IMPAIRMENTS, after_call
from tests.drill.support import do, running_lab
from tests.nodes.conftest import Small

QUICK = {"association_timeout_s": 2.0, "dimse_timeout_s": 2.0}


def answers(small: Small) -> bool:
    """Whether the router answers a C-ECHO of the scanner."""
    return small.ct.tools.echo("ROUTER").ok


def stores(small: Small) -> bool:
    """Whether the archive has what it says that it has stored."""
    exam = small.scan(images=1)
    sent = small.department.node("CT1").tools.send("ARCHIVE", exam.study_uid)
    store = small.archive.store
    assert store is not None
    return sent.ok and store.study(exam.study_uid) is not None


def lists_all(small: Small) -> bool:
    """Whether a search finds every study that there is."""
    store = small.archive.store
    assert store is not None
    for _ in range(2):
        small.ct.tools.send("ARCHIVE", small.scan(images=1).study_uid)
    found = small.workstation("WS1").tools.find("ARCHIVE", "STUDY", {})
    return found.ok and len(found.rows) == store.count_studies() > 0


def has_room(small: Small) -> bool:
    """Whether the archive accepts the router."""
    return small.router.tools.echo("ARCHIVE").ok


Works = Callable[[Small], bool]

CASES: dict[str, tuple[dict[str, object], Works]] = {
    "process.down": ({"node": "ROUTER", "line": "Killed: out of memory"}, answers),
    "process.hung": ({"node": "ROUTER"}, answers),
    "process.leaking": ({"node": "WS2", "remote": "ARCHIVE", "count": 5}, has_room),
    "process.crash_looping": ({"node": "ROUTER", "after_s": 60, "again_s": 60}, answers),
    "service.status": (
        {"node": "ARCHIVE", "status": "A700", "comment": "no room", "where": {"Modality": "C?"}},
        stores,
    ),
    "service.slow": ({"node": "ARCHIVE", "seconds": 4}, stores),
    "service.discards": ({"node": "ARCHIVE", "where": {"Modality": "CT"}}, stores),
    "service.answers_capped": ({"node": "ARCHIVE", "most": 1}, lists_all),
}
"""For each kind: parameters, and an operation that works without it and not with it."""

MENDED_BY: dict[str, ServiceCall] = {
    "process.hung": ServiceCall.STABILITY,
    "process.leaking": ServiceCall.STABILITY,
    "process.crash_looping": ServiceCall.STABILITY,
    "service.status": ServiceCall.STORING,
    "service.slow": ServiceCall.SPEED,
    "service.discards": ServiceCall.STORING,
    "service.answers_capped": ServiceCall.QUERIES,
}


@pytest.fixture(scope="module")
def department(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Small]:
    settings = {"CT1": {**QUICK, "send_to": []}, "ROUTER": QUICK, "ARCHIVE": {"maximum_associations": 5}}
    small = Small(tmp_path_factory.mktemp("faults") / "lab", settings)
    yield small
    small.end()


def fault_of(kind: str) -> Fault:
    return make_fault(Primitive(kind=kind, **CASES[kind][0]))


def configs(small: Small) -> dict[str, object]:
    return {name: node.running for name, node in small.department.nodes.items()}


def become(small: Small, kind: str, wanted: bool) -> None:
    """Wait until the operation works, or does not: a fault is live soon, not at once."""
    small.wait_until(lambda: CASES[kind][1](small) is wanted)


@pytest.mark.parametrize("kind", CASES)
def test_it_is_felt_and_its_undo_leaves_no_trace(department: Small, kind: str) -> None:
    fault = fault_of(kind)
    fault.try_on(configs(department))  # type: ignore[arg-type]
    become(department, kind, True)
    before = without_stores(department)
    undo = fault.apply(department.department)
    become(department, kind, False)

    undo()
    undo()
    become(department, kind, True)
    assert without_stores(department) == before
    left = [node.context.directory / "impairments.json" for node in department.department.nodes.values()]
    assert not any(path.exists() for path in left)


def without_stores(small: Small) -> dict[str, object]:
    """The fingerprint but for the studies, since the operations above make some."""
    nodes = fingerprint(small.department).nodes
    return {name: node.model_copy(update={"stored": ()}) for name, node in nodes.items()}


@pytest.mark.parametrize("kind", MENDED_BY)
def test_service_mends_what_it_was_called_for_and_nothing_else(department: Small, kind: str) -> None:
    undo = fault_of(kind).apply(department.department)
    node = department.department.node(str(CASES[kind][0]["node"]))
    for call in ServiceCall:
        mended = after_call(node.impairments, call)
        assert (mended == NO_IMPAIRMENTS) is (call is MENDED_BY[kind])
    node.impair(after_call(node.impairments, MENDED_BY[kind]))
    if node.state == "failed":
        node.start()
    become(department, kind, True)
    undo()


@pytest.mark.parametrize("kind", ["process.hung", "process.leaking"])
def test_a_restart_lets_go(department: Small, kind: str) -> None:
    undo = fault_of(kind).apply(department.department)
    become(department, kind, False)
    department.department.node(str(CASES[kind][0]["node"])).restart()
    become(department, kind, True)
    undo()


def test_what_is_wrong_outlives_the_lab(tmp_path: Path) -> None:
    small = Small(tmp_path / "lab", {"CT1": {**QUICK, "send_to": []}})
    try:
        for kind in ("process.hung", "service.discards"):
            fault_of(kind).apply(small.department)
        small.reopen()
        assert not answers(small)
        assert not stores(small)
    finally:
        small.end()


def test_a_reset_brings_back_what_was_wrong_at_the_start_and_nothing_else(tmp_path: Path) -> None:
    with running_lab(tmp_path / "lab") as lab:
        make_fault(Primitive(kind="service.discards", node="ARCHIVE")).apply(lab.department)
        wrong = lab.department.node("ARCHIVE").impairments
        lab.mark_start()
        assert do(lab, "node.service_call", node="ARCHIVE", what="speed").sentence.endswith("nothing of the kind.")
        assert "has mended it" in do(lab, "node.service_call", node="ARCHIVE", what="storing").sentence
        assert lab.department.node("ARCHIVE").impairments == NO_IMPAIRMENTS
        make_fault(Primitive(kind="process.hung", node="ROUTER")).apply(lab.department)
        lab.reset()
        assert lab.department.node("ARCHIVE").impairments == wrong
        assert lab.department.node("ROUTER").impairments == NO_IMPAIRMENTS
        assert lab.department.node("CT1").tools.echo("ROUTER").ok


def test_places_that_a_program_sits_on_are_taken_at_once_and_before_anybody_else_after_a_reset(tmp_path: Path) -> None:
    with running_lab(tmp_path / "lab") as lab:
        do(lab, "node.config.save", node="ROUTER", set={"maximum_associations": 3})
        do(lab, "node.restart", node="ROUTER")
        make_fault(Primitive(kind="process.leaking", node="US1", remote="ROUTER", count=3)).apply(lab.department)
        assert "2/3/2" in lab.department.node("CT1").tools.echo("ROUTER").sentence
        lab.mark_start()
        lab.reset()
        assert "2/3/2" in lab.department.node("CT1").tools.echo("ROUTER").sentence


def test_what_was_stopped_when_the_lab_ended_starts_afresh(tmp_path: Path) -> None:
    small = Small(tmp_path / "lab", {"CT1": {**QUICK, "send_to": []}})
    try:
        fault_of("process.hung").apply(small.department)
        small.router.stop("for a test")
        small.router.save(small.router.saved.model_copy(update={"maximum_pdu": 65536}))
        small.reopen()
        small.router.start()
        assert answers(small)
        assert small.router.running.maximum_pdu == 65536
    finally:
        small.end()


def test_a_setting_it_cannot_live_with_makes_it_crash_until_it_is_changed(department: Small) -> None:
    fault = make_fault(
        Primitive(
            kind="process.crash_looping",
            node="ROUTER",
            after_s=0.1,
            again_s=0.1,
            line="cannot allocate buffers: maximum PDU 1048576",
            path="maximum_pdu",
            value=1048576,
        )
    )
    seen = len(department.events)
    undo = fault.apply(department.department)
    for _ in range(2):
        stopped = department.wait("node.stopped", "ROUTER", after=seen, where=lambda body: "cannot" in body.reason)
        seen = stopped.seq
        department.wait("node.started", "ROUTER", after=seen)
    assert not stopped.is_for_later
    department.change("ROUTER", maximum_pdu=65536)
    become(department, "process.crash_looping", True)
    undo()
    assert department.router.running.maximum_pdu == 131072


def test_only_what_matches_is_refused_and_only_some_is_lost(department: Small) -> None:
    refusing = make_fault(
        Primitive(kind="service.status", node="ARCHIVE", status=0xC000, where={"Modality": "US"})
    ).apply(department.department)
    assert stores(department)
    refusing()
    losing = make_fault(Primitive(kind="service.discards", node="ARCHIVE", every=3)).apply(department.department)
    exam = department.scan(images=7)
    assert department.ct.tools.send("ARCHIVE", exam.study_uid).ok
    assert department.archive.store is not None
    assert len(department.archive.store.objects(exam.study_uid)) == 5
    losing()


def test_it_is_slow_only_after_the_first_ones(department: Small) -> None:
    undo = make_fault(Primitive(kind="service.slow", node="ARCHIVE", seconds=4, after=2)).apply(department.department)
    exam = department.scan(images=4)
    sent = department.ct.tools.send("ARCHIVE", exam.study_uid)
    undo()
    assert not sent.ok
    assert sent.sentence.startswith("2 of 4 images")


@pytest.mark.parametrize(
    ("kind", "params", "word"),
    [
        ("process.down", {"node": "NOBODY"}, "Nodes:"),
        ("process.leaking", {"node": "CT1", "remote": "NOBODY"}, "AE table"),
        ("process.leaking", {"node": "CT1", "remote": "ROUTER", "count": 0}, "count"),
        ("process.crash_looping", {"node": "CT1", "path": "prot", "value": 1}, "prot"),
        ("service.status", {"node": "CT1", "status": "A700"}, "ARCHIVE"),
        ("service.status", {"node": "ARCHIVE", "status": 0}, "status"),
        ("service.status", {"node": "ARCHIVE", "status": "A700", "where": {"Modalty": "CT"}}, "Modality"),
        ("service.slow", {"node": "ROUTER", "service": "C-FIND", "seconds": 1}, "C-FIND"),
        ("service.slow", {"node": "ROUTER", "seconds": 0}, "seconds"),
        ("service.answers_capped", {"node": "ARCHIVE", "service": "C-STORE", "most": 3}, "C-FIND"),
        ("service.discards", {"node": "ARCHIVE", "every": 0}, "every"),
    ],
)
def test_what_makes_no_sense_is_refused(department: Small, kind: str, params: dict[str, object], word: str) -> None:
    with pytest.raises(SandboxError) as refused:
        make_fault(Primitive(kind=kind, **params)).try_on(configs(department))  # type: ignore[arg-type]
    assert word in f"{refused.value.sentence} {refused.value.mend}"


def test_faults_of_one_node_stand_beside_each_other_and_go_one_by_one(department: Small) -> None:
    """Also with a setting that restarts the node in between: an accident mends nothing of another."""
    before = without_stores(department)
    hung = make_fault(Primitive(kind="process.hung", node="ARCHIVE")).apply(department.department)
    losing = make_fault(Primitive(kind="service.discards", node="ARCHIVE")).apply(department.department)
    capped = make_fault(Primitive(kind="config.set", node="ARCHIVE", path="query_limit", value=1)).apply(
        department.department
    )
    assert not has_room(department), "it hangs, though the setting restarted it"
    hung()
    assert not stores(department), "what it takes is lost"
    losing()
    assert stores(department)
    assert not lists_all(department)
    capped()
    assert lists_all(department)
    assert without_stores(department) == before
