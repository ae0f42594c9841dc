"""An exam goes its whole way, and the log tells why each step was taken."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from pydicom import dcmread

from sandbox.events.event import PROBE, Event
from sandbox.events.log import because
from tests.nodes.conftest import Small


def walk(small: Small, event: Event) -> list[str]:
    """Kinds and nodes from an event back to what began it."""
    steps = [f"{event.kind}@{event.node}"]
    while event.cause is not None:
        event = small.events[event.cause]
        steps.append(f"{event.kind}@{event.node}")
    return steps


def test_an_exam_reaches_archive_and_workstation_byte_for_byte(small: Small) -> None:
    exam = small.scan(images=3)
    for place in ("ROUTER", "ARCHIVE", "WS2"):
        assert len(small.wait_stored(place, exam)) == 3
    for node in (small.archive, small.workstation("WS2")):
        assert node.store is not None
        for item in exam.objects:
            arrived = node.store.instance_path(item.sop_instance)
            assert arrived is not None
            assert _pixels(arrived) == _pixels(item.path)
    assert not small.workstation("WS1").view().counts.instances
    small.wait_until(small.router.queue.is_empty)
    assert list((small.directory / "nodes/ROUTER/spool").iterdir()) == []


def test_the_causes_lead_from_the_workstation_back_to_the_scan(small: Small) -> None:
    exam = small.scan()
    stored = small.wait_stored("WS2", exam)[0]
    assert walk(small, stored) == [
        "instance.stored@WS2",
        "association.requested@WS2",
        "study.routed@ROUTER",
        "association.requested@ROUTER",
        "exam.acquired@CT1",
    ]
    assert exam.event == small.wait("exam.acquired").seq


def test_both_ends_write_the_same_association(small: Small) -> None:
    exam = small.scan()
    small.wait_stored("ARCHIVE", exam)
    small.wait("association.released", "ARCHIVE")
    mine = small.wait("association.requested", "CT1").body.facts  # type: ignore[attr-defined]
    theirs = small.wait("association.requested", "ROUTER").body.facts  # type: ignore[attr-defined]
    assert mine.id == theirs.id
    assert (theirs.peer_node, mine.peer_node) == ("CT1", "ROUTER")
    assert theirs.peer == mine.local
    assert theirs.peer.startswith("198.18.10.11:")


def test_a_probe_stays_a_probe_to_the_end(small: Small) -> None:
    with because(None, PROBE):
        probe = small.scan()
    small.wait_stored("WS2", probe)
    small.wait_stored("ARCHIVE", probe)
    small.wait_until(lambda: small.router.queue.is_empty() and not small.router.associations)
    small.wait("queue.sent", "ROUTER", where=lambda body: body.study_uid == probe.study_uid)
    ours = [event for event in small.events.since() if event.kind not in ("node.started", "node.logged")]
    assert {event.actor for event in ours} == {PROBE}, small.story()

    ordinary = small.scan()
    assert {event.actor for event in small.wait_stored("WS2", ordinary)} == {"system"}


def test_a_study_is_one_association_and_one_decision_a_hop(small: Small) -> None:
    exam = small.scan(images=4)
    small.wait_stored("ARCHIVE", exam)
    small.wait_stored("WS2", exam)
    small.wait("association.released", "WS2")
    kinds = [(event.kind, event.node) for event in small.events.since()]
    assert kinds.count(("study.routed", "ROUTER")) == 1
    assert kinds.count(("association.requested", "WS2")) == 1
    assert kinds.count(("association.requested", "ROUTER")) == 3  # from CT1, to ARCHIVE, to WS2


def test_the_log_is_written_in_an_administrators_words(small: Small) -> None:
    exam = small.scan()
    small.wait_stored("ARCHIVE", exam)
    small.wait("association.released", "ARCHIVE")
    small.wait_log("ARCHIVE", r"Association from ROUTER \(198\.18\.20\.20:.*released: 2 instances of 1 study stored")
    small.wait_log("ROUTER", r"\(rules to-archive, ct-to-ed\)")


def test_what_no_rule_wants_is_set_aside_and_can_be_routed_again(make_small: Callable[..., Small]) -> None:
    only_mr = {"name": "mr", "conditions": [{"attribute": "Modality", "value": "MR"}], "destinations": ["WS1"]}
    small = make_small(ROUTER={"rules": [only_mr]})
    exam = small.scan()
    small.wait_stored("ROUTER", exam)
    aside = small.router.queue.entries("unrouted")
    assert [entry.dead for entry in aside] == [True, True]
    small.wait_log("ROUTER", "no rule matched")

    small.change("ROUTER", rules=[{"name": "all", "destinations": ["WS1"]}])
    assert small.router.queue.redrive("unrouted") == 2
    small.wait_stored("WS1", exam)


def test_a_rule_sees_decoded_text_and_the_caller(make_small: Callable[..., Small]) -> None:
    named = {
        "name": "by-description",
        "calling_ae": "CT1",
        "conditions": [{"attribute": "StudyDescription", "test": "starts-with", "value": "CT "}],
        "destinations": ["WS1"],
    }
    stranger = {"name": "others", "calling_ae": "MR9", "destinations": ["ARCHIVE"]}
    small = make_small(ROUTER={"rules": [named, stranger]})
    exam = small.scan()
    small.wait_stored("WS1", exam)
    assert small.wait("study.routed").body.rules == ("by-description",)  # type: ignore[attr-defined]


def test_a_forgotten_study_leaves_no_trace(small: Small) -> None:
    small.router.queue.hold("WS2")
    exam = small.scan()
    small.wait_stored("ARCHIVE", exam)
    small.department.forget_study(exam.study_uid)
    for node in small.department.nodes.values():
        assert not node.view().counts.instances
        assert not node.view().queued
    assert list((small.directory / "nodes/ROUTER/spool").iterdir()) == []


def _pixels(path: Path) -> str:
    return hashlib.sha256(dcmread(path).PixelData).hexdigest()
