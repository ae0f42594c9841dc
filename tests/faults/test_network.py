"""Faults of addresses, names and the firewall: each is felt by real calls between nodes, and leaves no trace."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from sandbox.drill.lint_content import site_configs
from sandbox.events.event import FAULT
from sandbox.faults.fault import Fault
from sandbox.faults.registry import make_fault
from sandbox.lab.lab import Lab
from sandbox.model.errors import BadInputError, NotFoundError, SandboxError
from sandbox.model.scenario import Primitive
from tests.drill.support import do, quiet_site, running_lab
from tests.faults.support import assert_felt_and_undone


def echoes(lab: Lab, node: str, remote: str, times: int = 1) -> bool:
    """Whether each of several C-ECHOs of ``node`` to a line of its AE table succeeds."""
    return [lab.department.node(node).tools.echo(remote).ok for _ in range(times)] == [True] * times


Works = Callable[[Lab], bool]

CASES: dict[str, tuple[dict[str, object], Works]] = {
    "network.readdressed": ({"node": "WS1"}, lambda lab: echoes(lab, "ROUTER", "WS1")),
    "network.duplicate_address": (
        {"node": "MR1", "intruder": "US1"},
        lambda lab: echoes(lab, "MR1", "ROUTER", times=2),
    ),
    "network.stale_dns": ({"node": "ARCHIVE"}, lambda lab: echoes(lab, "ROUTER", "ARCHIVE")),
    "network.firewall_rule": (
        {"source": "servers", "target": "reading", "port": 104, "action": "reject"},
        lambda lab: echoes(lab, "ROUTER", "WS1"),
    ),
    "network.firewall_missing": (
        {"source": "servers", "target": "reading", "port": 104},
        lambda lab: echoes(lab, "ROUTER", "WS1"),
    ),
}
"""For each kind: parameters, and an operation of the department that works without it and not with it."""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with running_lab(tmp_path_factory.mktemp("faults") / "lab") as running:
        for node in running.department.nodes.values():
            node.save(node.saved.model_copy(update={"connect_timeout_s": 0.5}))
            node.restart()
        running.mark_start()
        yield running


@pytest.fixture(autouse=True)
def _as_it_was(lab: Lab) -> Iterator[None]:
    yield
    lab.reset()


def fault_of(kind: str, **more: object) -> Fault:
    return make_fault(Primitive(kind=kind, **(CASES[kind][0] | more)))


@pytest.mark.parametrize("kind", CASES)
def test_a_fault_is_felt_and_its_undo_leaves_no_trace(lab: Lab, kind: str) -> None:
    assert_felt_and_undone(lab.department, fault_of(kind), lambda: CASES[kind][1](lab))


@pytest.mark.parametrize("kind", CASES)
def test_a_fault_tells_nobody_but_the_debrief(lab: Lab, kind: str) -> None:
    before = len(lab.events)
    fault_of(kind).apply(lab.department)()
    assert all(event.is_for_later and event.actor == FAULT for event in lab.events.since(before))


def test_who_has_moved_still_reaches_others(lab: Lab) -> None:
    fault_of("network.readdressed", address="198.18.30.77").apply(lab.department)
    assert echoes(lab, "WS1", "ARCHIVE")
    assert lab.department.node("WS1").view().address == "198.18.30.77"
    assert not echoes(lab, "ROUTER", "WS1")
    do(lab, "network.dns.set", name="WS1.riverside.example", address="198.18.30.77")
    assert echoes(lab, "ROUTER", "WS1"), "the router calls it by name"


def test_a_node_can_be_given_its_address_back(lab: Lab) -> None:
    before = lab.department.network.address_of("WS1")
    fault_of("network.readdressed").apply(lab.department)
    assert do(lab, "node.readdress", node="WS1", address=before).ok
    assert echoes(lab, "ROUTER", "WS1")
    assert do(lab, "node.readdress", node="WS1", address=before).sentence.endswith("already.")


@pytest.mark.parametrize(
    ("address", "word"),
    [("198.18.30.300", "IPv4"), ("198.18.20.99", "198.18.30.0/24"), ("198.18.30.255", "hosts"), ("{MR1}", "MR1 has")],
)
def test_an_address_that_cannot_be_is_refused(lab: Lab, address: str, word: str) -> None:
    node = "US1" if "{" in address else "WS1"
    wanted = address.replace("{MR1}", lab.department.network.address_of("MR1"))
    with pytest.raises(BadInputError) as refused:
        do(lab, "node.readdress", node=node, address=wanted)
    assert word in str(refused.value)


def test_a_duplicate_address_works_by_turns_and_not_for_others(lab: Lab) -> None:
    fault_of("network.duplicate_address").apply(lab.department)
    assert [echoes(lab, "MR1", "ROUTER") for _ in range(4)] in ([True, False] * 2, [False, True] * 2)
    assert echoes(lab, "CT1", "ROUTER", times=4)
    do(lab, "node.readdress", node="US1", address=lab.department.network.free_address("US1"))
    assert echoes(lab, "MR1", "ROUTER", times=4)
    assert echoes(lab, "US1", "ROUTER", times=4)


def test_a_stale_name_is_wrong_by_name_only(lab: Lab) -> None:
    fault_of("network.stale_dns").apply(lab.department)
    archive = lab.department.network.address_of("ARCHIVE")
    assert not do(lab, "tool.port", node="ROUTER", host="archive.riverside.example", port=11112).ok
    assert do(lab, "tool.port", node="ROUTER", host=archive, port=11112).ok


def test_a_stale_hosts_table_fools_one_node(lab: Lab) -> None:
    fault_of("network.stale_dns", seen_by="ROUTER").apply(lab.department)
    assert not echoes(lab, "ROUTER", "ARCHIVE")
    assert do(lab, "tool.port", node="WS1", host="archive", port=11112).ok
    do(lab, "node.hosts.set", node="ROUTER", name="archive.riverside.example")
    assert echoes(lab, "ROUTER", "ARCHIVE")
    with pytest.raises(BadInputError, match="does not have 'nobody'"):
        do(lab, "node.hosts.set", node="ROUTER", name="nobody")


def test_a_lost_rule_is_put_back_where_it_was(lab: Lab) -> None:
    before = lab.department.network.rules
    undo = fault_of("network.firewall_missing").apply(lab.department)
    assert echoes(lab, "WS1", "ARCHIVE"), "the other way is open"
    undo()
    assert lab.department.network.rules == before
    with pytest.raises(NotFoundError, match="no rule from moon to reading"):
        fault_of("network.firewall_missing", source="moon").break_it(lab.department)


def test_the_network_team_mends_what_it_is_asked_to(lab: Lab) -> None:
    link = {"a": "ROUTER", "b": "WS1"}
    make_fault(Primitive(kind="link.blackhole", **link)).apply(lab.department)
    make_fault(Primitive(kind="link.latency", ms=1, **link)).apply(lab.department)
    assert "not so" in do(lab, "network.service_call", what="resets", **link).sentence
    assert not echoes(lab, "ROUTER", "WS1")
    assert "has mended it" in do(lab, "network.service_call", a="WS1", b="ROUTER", what="loss").sentence
    assert echoes(lab, "ROUTER", "WS1")
    assert "has mended it" in do(lab, "network.service_call", a="WS1", what="latency").sentence
    assert lab.department.network.topology.links() == {}
    with pytest.raises(BadInputError, match="itself"):
        do(lab, "network.service_call", a="WS1", b="WS1", what="loss")


@pytest.mark.parametrize(
    ("kind", "params", "word"),
    [
        ("network.readdressed", {"node": "WS1", "address": "10.0.0.1"}, "simulated"),
        ("network.stale_dns", {"node": "WS1", "address": "nowhere"}, "nowhere"),
        ("network.firewall_rule", {"port": 0}, "greater than or equal to 1"),
        ("network.firewall_rule", {"action": "burn"}, "drop"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(kind: str, params: dict[str, object], word: str) -> None:
    with pytest.raises(BadInputError) as refused:
        make_fault(Primitive(kind=kind, **params))
    assert word in str(refused.value)


@pytest.mark.parametrize(
    ("kind", "over"),
    [
        ("network.readdressed", {"node": "CT9"}),
        ("network.stale_dns", {"seen_by": "CT9"}),
        ("network.duplicate_address", {"intruder": "MR1"}),
        ("network.duplicate_address", {"intruder": "CT9"}),
    ],
)
def test_a_fault_fits_the_site_or_says_why_not(kind: str, over: dict[str, object]) -> None:
    configs = site_configs(quiet_site())
    fault_of(kind).try_on(configs)
    with pytest.raises(SandboxError):
        fault_of(kind, **over).try_on(configs)
