"""The firewall lets through what it let through before and what is needed, and nothing else: no any-any rule."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address
from typing import Any

from pydantic import Field

from sandbox.checks.check import Check, Judgement, failed, passed, unclear
from sandbox.checks.memory import Memory
from sandbox.checks.names import counted
from sandbox.model.base import Model
from sandbox.model.errors import SandboxError
from sandbox.network.plan import ANY, Action
from sandbox.nodes.department import Department

ELSEWHERE = (22, 445, 3389)
"""Ports on which no DICOM is spoken: a rule for all ports opens them, too."""

_Flow = tuple[str, str, int]


class NeededFlow(Model):
    """What a lesson needs on top: connections from ``source`` to ``target`` (hosts, VLANs or "any") on ``port``."""

    source: str
    target: str
    port: int = Field(ge=1, le=65535)


class FirewallNotWider(Check):
    """``firewall_not_wider``: nobody can connect anywhere who could not in the healthy department, but for ``needed``.

    Tried for each host, and for a strange device in each VLAN, to each host, on every port on which a node listened and
    on some others. Being narrower than before is no harm here.
    """

    kind = "firewall_not_wider"

    needed: tuple[NeededFlow, ...] = ()

    def claim(self) -> str:
        return "The firewall lets nothing through that it did not before, but for what is needed."

    def nodes(self) -> tuple[str, ...]:
        return ()

    def baseline(self, department: Department) -> Any:
        """The ports that are tried, and who may connect to whom on them."""
        ports = sorted({*ELSEWHERE, *_listening(department)})
        return {"ports": ports, "open": [list(flow) for flow in _open(department, ports)]}

    def judge(self, department: Department, memory: Memory) -> Judgement:
        noted = memory.baselines.get(self.name)
        if noted is None:
            return unclear("It was not noted beforehand what the firewall lets through.")
        before = {(source, target, port) for source, target, port in noted["open"]}
        wider = [
            flow
            for flow in _open(department, noted["ports"])
            if flow not in before and not any(_covers(department, each, flow) for each in self.needed)
        ]
        if wider:
            source, target, port = wider[0]
            sentence = f"{source} can connect to {target} on port {port}, which was shut and is not needed."
            if len(wider) > 1:
                sentence = (
                    f"{sentence[:-1]}, and {counted(len(wider) - 1, 'more way', 'more ways')} are open like that."
                )
            return failed(sentence, facts=tuple(f"{a} to {b}, port {number}" for a, b, number in wider[:10]))
        return passed(f"{counted(len(before), 'way')} through the firewall as before, and none that is not needed.")


def _listening(department: Department) -> set[int]:
    return {port for node in department.nodes.values() for port in (node.running.port, node.running.tls_port) if port}


def _open(department: Department, ports: list[int]) -> Iterator[_Flow]:
    """Every way that is open now, as the firewall decides it."""
    topology = department.network.topology
    hosts = [(host.name, host.address) for host in topology.hosts()]
    sources = [*hosts, *_strangers(department)]
    for source, from_address in sources:
        for target, to_address in hosts:
            for port in ports:
                if source != target and topology.decide(from_address, to_address, port)[0] is Action.ALLOW:
                    yield source, target, port


def _strangers(department: Department) -> Iterator[tuple[str, IPv4Address]]:
    """A device that is nobody's, in each VLAN in which there is a host."""
    network = department.network
    seen: set[str] = set()
    for host in network.topology.hosts():
        vlan = network.vlan_of(host.name)
        if vlan is None or vlan.name in seen:
            continue
        seen.add(vlan.name)
        try:
            yield f"a strange device in {vlan.name}", IPv4Address(network.free_address(host.name, 230))
        except SandboxError:
            continue


def _covers(department: Department, needed: NeededFlow, flow: _Flow) -> bool:
    source, target, port = flow
    return port == needed.port and _is(department, source, needed.source) and _is(department, target, needed.target)


def _is(department: Department, name: str, term: str) -> bool:
    """Whether a host (or the strange device of a VLAN) is meant by ``term``."""
    if term in (ANY, name) or name == f"a strange device in {term}":
        return True
    vlan = department.network.vlan_of(name) if name in department.nodes else None
    return vlan is not None and vlan.name == term
