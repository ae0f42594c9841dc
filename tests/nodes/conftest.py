"""A small department in one line: CT1 → ROUTER → ARCHIVE and WS2, WS1 beside them, on real sockets."""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from sample_dicom.station import Station
from sandbox.dicom.authority import Authority
from sandbox.events.event import Event
from sandbox.events.log import EventLog
from sandbox.model.clock import Clock
from sandbox.network.capture import Capture
from sandbox.network.network import Network
from sandbox.network.plan import AddressPlan
from sandbox.nodes.archive_node import ArchiveNode
from sandbox.nodes.context import NodeContext
from sandbox.nodes.department import Department
from sandbox.nodes.modality import AcquiredExam, Modality
from sandbox.nodes.node import Node
from sandbox.nodes.registry import make_node
from sandbox.nodes.router import Router
from sandbox.nodes.workstation import Workstation

PLAN = {
    "domain": "small.example",
    "vlans": [
        {"name": "modalities", "number": 10, "subnet": "198.18.10.0/24"},
        {"name": "servers", "number": 20, "subnet": "198.18.20.0/24"},
    ],
    "hosts": [
        {"name": "CT1", "address": "198.18.10.11", "vlan": "modalities"},
        {"name": "ROUTER", "address": "198.18.20.20", "vlan": "servers"},
        {"name": "ARCHIVE", "address": "198.18.20.30", "vlan": "servers"},
        {"name": "WS1", "address": "198.18.20.41", "vlan": "servers"},
        {"name": "WS2", "address": "198.18.20.42", "vlan": "servers"},
    ],
}
ADDRESSES = {host["name"]: host["address"] for host in PLAN["hosts"]}  # type: ignore[index,union-attr]
PORTS = {"CT1": 104, "ROUTER": 104, "ARCHIVE": 11112, "WS1": 104, "WS2": 104}
ROLES = {"CT1": "modality", "ROUTER": "router", "ARCHIVE": "archive", "WS1": "workstation", "WS2": "workstation"}
QUICK = {"first_s": 0.05, "factor": 1.0, "maximum_s": 0.05, "attempts": 3}
RULES = [
    {"name": "to-archive", "destinations": ["ARCHIVE"]},
    {
        "name": "ct-to-ed",
        "conditions": [{"attribute": "Modality", "value": "CT"}],
        "destinations": ["WS2"],
        "priority": 1,
    },
]
SETTINGS: dict[str, dict[str, Any]] = {
    "CT1": {"modality": "CT", "send_to": ["ROUTER"], "retry": QUICK},
    "ROUTER": {"rules": RULES, "retry": QUICK},
    "ARCHIVE": {},
    "WS1": {"archive": "ARCHIVE"},
    "WS2": {"archive": "ARCHIVE"},
}
WAIT_S = 15.0


def line(name: str, **over: Any) -> dict[str, Any]:
    """An AE-table line that is right, unless ``over`` says otherwise."""
    return {"name": name, "ae_title": name, "host": ADDRESSES[name], "port": PORTS[name]} | over


class Small:
    """The department and what tests ask of it. ``close`` and ``reopen`` are a lab that ends and comes back."""

    def __init__(self, directory: Path, over: Mapping[str, Mapping[str, Any]] | None = None, seed: int = 7) -> None:
        self.directory = directory
        self.over = dict(over or {})
        self.seed = seed
        self.clock = Clock()
        self.network = Network(AddressPlan.model_validate(PLAN))
        self.capture = Capture(directory / "capture")
        self.events = EventLog(self.clock, directory / "events.jsonl")
        self.authority = Authority(directory / "authority")
        self._numbers = itertools.count(1)
        self._build()
        self.start()

    def _build(self) -> None:
        nodes = {name: self._make(name) for name in ROLES}
        self.department = Department(nodes, self.network, self.events, self.clock, self.seed, "small.example")

    def _make(self, name: str) -> Node:
        context = NodeContext(
            name=name,
            title=f"{name} of the tests",
            directory=self.directory / "nodes" / name,
            network=self.network,
            capture=self.capture,
            events=self.events,
            clock=self.clock,
            seed=self.seed,
            station=Station(ae_title=name),
            new_association_id=lambda: f"a{next(self._numbers)}",
            authority=self.authority,
        )
        config = {"ae_title": name, "port": PORTS[name], "connect_timeout_s": 0.3}
        config |= {"remotes": [line(other) for other in ROLES if other != name]}
        return make_node(ROLES[name], context, config | SETTINGS[name] | dict(self.over.get(name, {})))

    def start(self) -> None:
        for node in self.department.nodes.values():
            if node.is_wanted:
                node.start()

    def close(self) -> None:
        for node in self.department.nodes.values():
            node.close()

    def reopen(self) -> None:
        self.close()
        self._build()
        self.start()

    def end(self) -> None:
        self.close()
        self.network.close()
        self.events.close()

    # --- nodes by their type -----------------------------------------------------------------------------------------

    @property
    def ct(self) -> Modality:
        return self.department.modality("CT1")

    @property
    def router(self) -> Router:
        node = self.department.node("ROUTER")
        assert isinstance(node, Router)
        return node

    @property
    def archive(self) -> ArchiveNode:
        node = self.department.node("ARCHIVE")
        assert isinstance(node, ArchiveNode)
        return node

    def workstation(self, name: str) -> Workstation:
        node = self.department.node(name)
        assert isinstance(node, Workstation)
        return node

    # --- what happens ------------------------------------------------------------------------------------------------

    def scan(self, images: int = 2) -> AcquiredExam:
        return self.department.acquire("CT1", images=images)

    def wait(self, kind: str, node: str = "", *, after: int = 0, where: Callable[[Any], bool] | None = None) -> Event:
        """The next event of that kind, or a failure that prints the log."""

        def matches(event: Event) -> bool:
            return event.kind == kind and event.node in (node or event.node) and (where is None or where(event.body))

        found = self.events.wait_for(matches, after=after, timeout=WAIT_S)
        assert found is not None, f"no {kind} at {node}:\n{self.story()}"
        return found

    def wait_stored(self, node: str, exam: AcquiredExam) -> list[Event]:
        """Wait until every image of an exam is stored on a node; their events."""
        return [
            self.wait("instance.stored", node, where=lambda body, uid=item.sop_instance: body.sop_instance == uid)
            for item in exam.objects
        ]

    def wait_until(self, true: Callable[[], bool]) -> None:
        """Wait until something holds, looking again whenever anything happens, and now and then for what has no event
        (a queue that begins to send)."""
        deadline = time.monotonic() + WAIT_S
        seen = 0
        while not true():
            assert time.monotonic() < deadline, f"it never came to that:\n{self.story()}"
            grown = self.events.follow(seen, timeout=0.05)
            seen = grown[-1].seq if grown else seen

    def wait_log(self, node: str, pattern: str) -> str:
        """The first line of a node's own log that matches ``pattern``, as soon as it is written. The two
        ends of an association write their logs each in its own time."""
        shape = re.compile(pattern)
        found = self.wait("node.logged", node, where=lambda body: shape.search(body.text))
        return str(found.body.text)  # type: ignore[attr-defined]

    def has(self, kind: str, node: str = "") -> bool:
        return any(event.kind == kind and event.node in (node or event.node) for event in self.events.since())

    def log(self, node: str) -> list[str]:
        """A node's own log."""
        return [
            event.body.text  # type: ignore[attr-defined]
            for event in self.events.since()
            if event.kind == "node.logged" and event.node == node
        ]

    def story(self) -> str:
        return "\n".join(event.to_json() for event in self.events.since())

    def change(self, node: str, **settings: Any) -> None:
        """Save settings and restart, as an administrator does."""
        found = self.department.node(node)
        document = found.saved.model_dump(mode="json") | settings
        found.save(found.config_class.model_validate(document))
        found.restart()


@pytest.fixture
def make_small(tmp_path: Path) -> Iterator[Callable[..., Small]]:
    made: list[Small] = []

    def make(**over: Mapping[str, Any]) -> Small:
        made.append(Small(tmp_path / f"lab{len(made)}", over))
        return made[-1]

    yield make
    for small in made:
        small.end()


@pytest.fixture
def small(make_small: Callable[..., Small]) -> Small:
    return make_small()
