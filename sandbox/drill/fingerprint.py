"""What a department is at one moment, as values that can be compared: configurations, states, stores and queues.

Two fingerprints are equal when nobody could tell the two departments apart, retry counters and ages aside.
"""

from __future__ import annotations

from hashlib import sha256
from operator import itemgetter
from typing import Any

from sandbox.archive.views import StudyFilter
from sandbox.model.base import Model
from sandbox.nodes.department import Department
from sandbox.nodes.node import Node

EVERYTHING = 1_000_000


class NodePrint(Model):
    """One node. ``stored`` and ``queued`` are sorted; a queued line is destination, instance and whether it is dead."""

    state: str
    saved: dict[str, Any]
    running: dict[str, Any]
    stored: tuple[str, ...]
    queued: tuple[str, ...]
    held: tuple[str, ...]
    impairments: dict[str, Any]
    certificates: str


class Fingerprint(Model):
    """A whole department, and the network's addresses, names, rules and links."""

    nodes: dict[str, NodePrint]
    network: tuple[str, ...]

    def differences(self, other: Fingerprint) -> tuple[str, ...]:
        """What is different in ``other``, in short statements. Empty: nothing."""
        found = [
            f"{name}: {part} differ"
            for name, ours in self.nodes.items()
            for part in NodePrint.model_fields
            if name in other.nodes and getattr(ours, part) != getattr(other.nodes[name], part)
        ]
        found += [f"{name} is there once only" for name in self.nodes.keys() ^ other.nodes.keys()]
        if self.network != other.network:
            found.append("network: addresses, names, firewall or links differ")
        return tuple(found)


def fingerprint(department: Department) -> Fingerprint:
    """The department as it is now. Let it come to rest first."""
    topology = department.network.topology
    network = (
        *(str(rule) for rule in department.network.rules),
        *(f"{host.name} {host.address} {host.is_on}" for host in topology.hosts()),
        *(f"{name} is {address}" for name, address in sorted(topology.dns.items())),
        *(
            f"{name} is {address} for {node}"
            for node, table in sorted(topology.hosts_tables.items())
            for name, address in sorted(table.items())
        ),
        *(
            f"{a} to {b}: {fault.model_dump_json(exclude_defaults=True)}"
            for (a, b), fault in sorted(topology.links().items(), key=itemgetter(0))
        ),
    )
    return Fingerprint(nodes={name: _node(node) for name, node in department.nodes.items()}, network=network)


def _node(node: Node) -> NodePrint:
    queued: list[str] = []
    held: list[str] = []
    if node.queue is not None:
        for view in node.queue.views():
            queued += [
                f"{view.destination} {entry.sop_instance} {entry.dead}"
                for entry in node.queue.entries(view.destination, EVERYTHING)
            ]
            if view.held_since is not None:
                held.append(f"{view.destination} since {view.held_since}: {view.held_reason}")
    return NodePrint(
        # A program that ends again and again is up or down by chance.
        state="by turns" if node.impairments.process.crashes and node.is_wanted else node.state,
        saved=node.saved.model_dump(mode="json"),
        running=node.running.model_dump(mode="json"),
        stored=tuple(sorted(_stored(node))),
        queued=tuple(sorted(queued)),
        held=tuple(sorted(held)),
        impairments=node.impairments.model_dump(mode="json"),
        certificates=sha256("".join(node.tls.files().values()).encode("ascii")).hexdigest(),
    )


def _stored(node: Node) -> list[str]:
    if node.store is None:
        return []
    return [
        f"{study.study_uid} {study.instances} {study.patient_name} {study.accession_number}"
        for study in node.store.studies(StudyFilter(), limit=EVERYTHING)
    ]
