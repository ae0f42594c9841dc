"""Checks of the way between nodes, the firewall and clocks: true when healthy, false when spoilt, without a trace."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from sandbox.checks.check import Check
from sandbox.checks.memory import Memory
from sandbox.checks.registry import make_check
from sandbox.drill.fingerprint import fingerprint
from sandbox.drill.judge import baselines
from sandbox.events.event import PROBE
from sandbox.faults.registry import make_fault
from sandbox.lab.lab import Lab
from sandbox.model.errors import BadInputError
from sandbox.model.scenario import Primitive
from sandbox.model.verdict import Finding, Verdict
from tests.drill.support import do, running_lab

TLS_PORT = 2762

Spoil = Callable[[Lab], None]


def fault(kind: str, **params: object) -> Spoil:
    return lambda lab: make_fault(Primitive(kind=kind, **params)).apply(lab.department) and None


def in_the_clear(lab: Lab) -> None:
    do(lab, "node.config.save", node="CT1", set={"remotes.ROUTER.tls": False, "remotes.ROUTER.port": 104})
    do(lab, "node.restart", node="CT1")


def any_to_any(lab: Lab) -> None:
    do(lab, "network.firewall.add", source="any", target="any")


CASES: dict[str, tuple[dict[str, object], Spoil]] = {
    "transport_encrypted": ({"a": "CT1", "b": "ROUTER"}, in_the_clear),
    "association_survives_idle": (
        {"node": "MR1", "at": "ARCHIVE", "idle_s": 1.0, "within_s": 4},
        fault("link.mtu", a="MR1", b="ROUTER", largest=2000),
    ),
    "echo_every_time": (
        {"node": "MR1", "remote": ["ROUTER", "ARCHIVE"], "times": 2},
        fault("network.duplicate_address", node="MR1", intruder="US1"),
    ),
    "firewall_not_wider": ({}, any_to_any),
    "name_resolves": ({"node": ["ROUTER", "WS1"], "of": "ARCHIVE"}, fault("network.stale_dns", node="ARCHIVE")),
    "exam_dated_rightly": ({"node": ["MR1", "US1"]}, fault("time.utc", node="US1", hours=2)),
}
"""For each kind: parameters, and what spoils the claim."""


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Lab, Memory]]:
    """A lab in which CT1 calls the router over TLS and MR1 gives up soon."""
    with running_lab(tmp_path_factory.mktemp("checks") / "lab") as lab:
        do(lab, "node.config.save", node="ROUTER", set={"tls_port": TLS_PORT})
        do(lab, "node.restart", node="ROUTER")
        line = {"remotes.ROUTER.tls": True, "remotes.ROUTER.port": TLS_PORT}
        do(lab, "node.config.save", node="CT1", set=line)
        do(lab, "node.restart", node="CT1")
        quick = {"connect_timeout_s": 0.5, "retry.first_s": 0.1, "dimse_timeout_s": 2}
        do(lab, "node.config.save", node="MR1", set=quick)
        do(lab, "node.restart", node="MR1")
        do(lab, "network.firewall.add", source="modalities", target="servers", port=TLS_PORT)
        noted = baselines(lab.department, [check_of(kind) for kind in CASES])
        lab.mark_start()
        yield lab, Memory(start=len(lab.events), baselines=noted)


@pytest.fixture
def lab(started: tuple[Lab, Memory]) -> Iterator[Lab]:
    yield started[0]
    started[0].reset()


@pytest.fixture
def memory(started: tuple[Lab, Memory]) -> Memory:
    return started[1]


def check_of(kind: str, **more: object) -> Check:
    return make_check(Primitive(kind=kind, id=kind.replace("_", "-"), **(CASES[kind][0] | more)))


def run(lab: Lab, memory: Memory, kind: str, **more: object) -> Finding:
    return check_of(kind, **more).run(lab.department, memory)


@pytest.mark.parametrize("kind", CASES)
def test_a_check_tells_the_healthy_department_from_the_spoilt_one(lab: Lab, memory: Memory, kind: str) -> None:
    healthy = run(lab, memory, kind)
    assert healthy.verdict is Verdict.PASS, healthy
    CASES[kind][1](lab)
    spoilt = run(lab, memory, kind)
    assert spoilt.verdict is Verdict.FAIL, spoilt
    assert spoilt.sentence.endswith(".")
    assert spoilt.sentence != healthy.sentence
    assert spoilt.check == check_of(kind).claim()


@pytest.mark.parametrize("kind", CASES)
def test_a_check_leaves_no_trace_and_is_not_seen(lab: Lab, memory: Memory, kind: str) -> None:
    before, position = fingerprint(lab.department), len(lab.events)
    run(lab, memory, kind)
    assert before.differences(fingerprint(lab.department)) == ()
    written = lab.events.since(position)
    assert written
    assert {event.actor for event in written} == {PROBE}


def test_what_does_not_get_through_is_not_in_the_clear(lab: Lab, memory: Memory) -> None:
    fault("tls.expired", node="ROUTER")(lab)
    finding = run(lab, memory, "transport_encrypted")
    assert finding.verdict is Verdict.PASS, finding
    assert "said nothing" in finding.sentence


def test_without_a_scanner_an_echo_tells(lab: Lab, memory: Memory) -> None:
    finding = run(lab, memory, "transport_encrypted", a="ROUTER", b="ARCHIVE")
    assert finding.verdict is Verdict.FAIL, finding
    assert finding.evidence
    assert lab.events[finding.evidence[0]].kind == "association.accepted"


def test_a_name_may_be_stale_on_one_host_only(lab: Lab, memory: Memory) -> None:
    fault("network.stale_dns", node="ARCHIVE", seen_by="WS1")(lab)
    assert run(lab, memory, "name_resolves", node="ROUTER").verdict is Verdict.PASS
    finding = run(lab, memory, "name_resolves")
    assert finding.verdict is Verdict.FAIL
    assert "On WS1" in finding.sentence
    assert "hosts table" in finding.sentence


def test_a_rule_as_narrow_as_needed_is_no_harm(lab: Lab, memory: Memory) -> None:
    do(lab, "network.firewall.add", source="MR1", target="WS1", port=104)
    wide = run(lab, memory, "firewall_not_wider")
    assert wide.verdict is Verdict.FAIL
    assert wide.sentence == "MR1 can connect to WS1 on port 104, which was shut and is not needed."
    for source in ("MR1", "modalities", "any"):
        needed = [{"source": source, "target": "WS1", "port": 104}]
        assert run(lab, memory, "firewall_not_wider", needed=needed).verdict is Verdict.PASS
    needed = [{"source": "MR1", "target": "WS1", "port": 104}]
    do(lab, "network.firewall.add", source="modalities", target="reading", port=104)
    assert run(lab, memory, "firewall_not_wider", needed=needed).verdict is Verdict.FAIL
    do(lab, "network.firewall.remove", source="modalities", target="reading", port=104)
    do(lab, "network.firewall.add", source="MR1", target="WS1")
    assert run(lab, memory, "firewall_not_wider", needed=needed).verdict is Verdict.FAIL, "every port is more than one"


def test_a_rule_that_was_lost_may_be_put_back(lab: Lab, memory: Memory) -> None:
    fault("network.firewall_missing", source="servers", target="reading", port=104)(lab)
    assert run(lab, memory, "firewall_not_wider").verdict is Verdict.PASS, "narrower is no harm"
    do(lab, "network.firewall.add", source="servers", target="reading", port=104)
    assert run(lab, memory, "firewall_not_wider").verdict is Verdict.PASS
    assert run(lab, Memory(), "firewall_not_wider").verdict is Verdict.COULD_NOT_TELL


def test_a_firewall_that_forgets_is_noticed_after_a_pause_only(lab: Lab, memory: Memory) -> None:
    """Only who keeps an association open has something to lose, so the scanner does."""
    idle: dict[str, object] = {"idle_s": 1.0, "within_s": 4}
    fault("link.idle_drop", a="MR1", b="ROUTER", idle_s=0.5)(lab)
    do(lab, "node.config.save", node="MR1", set={"keep_association_s": 60, "dimse_timeout_s": 8})
    do(lab, "node.restart", node="MR1")
    finding = run(lab, memory, "association_survives_idle", **idle)
    assert finding.verdict is Verdict.FAIL, finding
    assert "without a pause" in finding.sentence
    do(lab, "network.service_call", a="MR1", b="ROUTER", what="idle-timeout")
    # The association that was forgotten before the cure is dead for good, and costs the first exam: no matter.
    assert run(lab, memory, "association_survives_idle", **idle).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("kind", "params", "word"),
    [
        ("association_survives_idle", {"node": "MR1", "at": "ROUTER"}, "idle_s"),
        ("echo_every_time", {"node": "MR1", "remote": "ROUTER", "times": 0}, "greater than or equal to 1"),
        ("firewall_not_wider", {"needed": [{"source": "MR1"}]}, "target"),
        ("exam_dated_rightly", {"node": []}, "at least 1"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(kind: str, params: dict[str, object], word: str) -> None:
    with pytest.raises(BadInputError) as refused:
        make_check(Primitive(kind=kind, **params))
    assert word in str(refused.value)
