"""Faults of links: each is felt by real associations between nodes, and taken back without a trace."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox.dicom.client import Association
from sandbox.dicom.syntaxes import verification
from sandbox.faults.fault import Fault
from sandbox.faults.registry import make_fault
from sandbox.lab.network_state import NetworkKeeper, NetworkState
from sandbox.model.errors import BadInputError
from sandbox.model.scenario import Primitive
from sandbox.network.links import LinkFault
from tests.nodes.conftest import WAIT_S, Small

LINK = {"a": "CT1", "b": "ROUTER"}


def echoes(small: Small) -> bool:
    """Whether a C-ECHO from the scanner to the router succeeds."""
    return small.ct.tools.echo("ROUTER").ok


def sends(small: Small) -> bool:
    """Whether two images come through on one association."""
    before = len(small.events)
    exam = small.scan(images=2)
    ended = small.events.wait_for(
        lambda event: (
            event.node == "CT1"
            and (event.kind == "queue.failed" or (event.kind == "queue.sent" and _is_last(event.body, exam.objects)))
        ),
        after=before,
        timeout=WAIT_S,
    )
    assert ended is not None, small.story()
    small.ct.queue.forget_study(exam.study_uid)
    return ended.kind == "queue.sent"


def _is_last(body: object, objects: tuple[object, ...]) -> bool:
    return getattr(body, "sop_instance", "") == getattr(objects[-1], "sop_instance", None)


def survives_a_pause(small: Small) -> bool:
    """Whether an association that said nothing for half a second is still good for a C-ECHO."""
    peer = small.ct.caller.peer("ROUTER")
    assert peer is not None
    opened = small.ct.caller.requestor.associate(peer, verification())
    assert isinstance(opened, Association), opened
    with opened:
        time.sleep(0.5)  # the pause is what is tried, not a wait for something
        return opened.echo().status == 0


Works = Callable[[Small], bool]

CASES: dict[str, tuple[dict[str, object], Works]] = {
    "link.latency": (LINK | {"ms": 400}, echoes),
    "link.bandwidth": (LINK | {"bytes_per_s": 30_000}, sends),
    "link.one_way": (LINK | {"lost": "back"}, echoes),
    "link.blackhole": (LINK, echoes),
    "link.mtu": (LINK | {"largest": 2000}, sends),
    "link.reset": (LINK | {"after_instances": 1}, sends),
    "link.idle_drop": (LINK | {"idle_s": 0.2}, survives_a_pause),
}
"""For each kind: parameters, and an operation that works without it and not with it: on a slow link, for a timeout."""


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Small]:
    over = {name: {"dimse_timeout_s": 1.0, "network_timeout_s": 2.0} for name in ("CT1", "ROUTER")}
    made = Small(tmp_path_factory.mktemp("links"), over)
    yield made
    made.end()


def fault_of(kind: str, **more: object) -> Fault:
    return make_fault(Primitive(kind=kind, **(CASES[kind][0] | more)))


@pytest.mark.parametrize("kind", CASES)
def test_it_is_felt_and_its_undo_leaves_no_trace(small: Small, kind: str) -> None:
    works = CASES[kind][1]
    assert works(small)
    undo = fault_of(kind).apply(small.department)
    assert not works(small)
    undo()
    undo()
    assert small.network.topology.links() == {}
    assert works(small)


def test_they_compose_and_each_takes_back_its_own(small: Small) -> None:
    first = fault_of("link.latency").apply(small.department)
    second = fault_of("link.bandwidth").apply(small.department)
    assert small.network.link("CT1", "ROUTER").fault == LinkFault(latency_ms=400, bytes_per_s=30_000)
    first()
    assert small.network.link("CT1", "ROUTER").fault == LinkFault(bytes_per_s=30_000)
    second()
    assert small.network.topology.links() == {}


def test_without_another_end_it_is_every_link_of_the_host(small: Small) -> None:
    undo = fault_of("link.blackhole", b="").apply(small.department)
    assert len(small.network.topology.links()) == 4
    undo()
    assert small.network.topology.links() == {}


def test_an_answer_that_is_lost_is_not_an_image_that_is_lost(small: Small) -> None:
    """One way lost in the middle: the router has the image, and the scanner does not know."""
    undo = fault_of("link.one_way", lost="back", after=5000).apply(small.department)
    before = len(small.events)
    exam = small.scan(images=1)
    small.wait("instance.stored", "ROUTER", after=before)
    small.wait("queue.failed", "CT1", after=before)
    undo()
    small.wait("queue.sent", "CT1", after=before, where=lambda body: body.study_uid == exam.study_uid)


@pytest.mark.parametrize(
    ("kind", "params", "word"),
    [
        ("link.latency", LINK | {"ms": 0}, "greater than 0"),
        ("link.reset", LINK, "after_bytes or after_instances"),
        ("link.one_way", LINK | {"lost": "sideways"}, "there"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(kind: str, params: dict[str, object], word: str) -> None:
    with pytest.raises(BadInputError) as refused:
        make_fault(Primitive(kind=kind, **params))
    assert word in str(refused.value)


@pytest.mark.parametrize("b", ["CT1", "CT9"])
def test_a_link_has_two_known_ends(small: Small, b: str) -> None:
    configs = {name: node.running for name, node in small.department.nodes.items()}
    with pytest.raises(BadInputError):
        fault_of("link.blackhole", b=b).try_on(configs)


def test_a_link_fault_outlives_the_lab(tmp_path: Path) -> None:
    """The keeper writes it down as it happens, so that a killed lab comes back with it."""
    small = Small(tmp_path)
    path = tmp_path / "network.json"
    keeper = NetworkKeeper(small.network, path)
    keeper.start()
    try:
        fault_of("link.reset").apply(small.department)
        deadline = time.monotonic() + WAIT_S
        while not ((state := NetworkState.read(path)) and state.links) and time.monotonic() < deadline:
            small.network.topology.wait_for(lambda: False, 0.01)
        assert state is not None
        assert state.links[0].fault.reset_after_instances == 1
    finally:
        keeper.stop()
        small.end()


def test_an_association_that_was_open_feels_it_too(small: Small) -> None:
    """It cannot be put under the fault, so it is cut; what is opened instead is."""
    peer = small.ct.caller.peer("ROUTER")
    assert peer is not None
    opened = small.ct.caller.requestor.associate(peer, verification())
    assert isinstance(opened, Association), opened
    assert opened.echo().status == 0
    undo = fault_of("link.idle_drop").apply(small.department)
    assert opened.echo().status is None
    opened.release()
    assert echoes(small)
    undo()
    assert echoes(small)
