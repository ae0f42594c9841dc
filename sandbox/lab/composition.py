"""From a site to a running department: the network, the capture, the nodes and the background, made and started.

Everything comes from the site, the lab's directory and the seed. Nodes come up together, each on its own thread, since
each waits for its own disk.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from sample_dicom.station import Station
from sandbox.dicom.authority import Authority
from sandbox.events.log import EventLog
from sandbox.lab.directory import LabDirectory
from sandbox.lab.network_state import NetworkState
from sandbox.lab.site import Site, SiteNode
from sandbox.model.clock import Clock
from sandbox.network.capture import Capture
from sandbox.network.network import Network
from sandbox.nodes.background import Background
from sandbox.nodes.context import NodeContext
from sandbox.nodes.department import Department
from sandbox.nodes.node import Node
from sandbox.nodes.registry import make_node

PLACES_S = 10.0
"""How long programs may take to take the associations that they sit on, in seconds: a few hundredths, mostly."""


@dataclass
class Composition:
    """What runs in a lab. ``network`` and ``capture`` outlive a reset, the rest does not."""

    network: Network
    capture: Capture
    department: Department
    background: Background

    def start(self) -> None:
        """Start every node that is meant to run, all at once.

        Those whose programs sit on associations come first, with whoever they call: otherwise what waits in a queue
        would slip through before the places are taken again, and a reset would not bring back the start.
        """
        nodes = [node for node in self.department.nodes.values() if node.is_wanted]
        leaking = [node for node in nodes if node.impairments.process.leaks]
        called = {leak.remote for node in leaking for leak in node.impairments.process.leaks}
        together(node.start for node in nodes if node.name in called)
        together(node.start for node in leaking)
        for node in leaking:
            node.wait_for_leaks(PLACES_S)
        together(node.start for node in nodes)

    def close(self) -> None:
        """End the nodes and the background; whether a node is meant to run stays as it is. Safe to call twice."""
        self.background.stop()
        together(node.close for node in self.department.nodes.values())


def compose(
    site: Site,
    place: LabDirectory,
    *,
    seed: int,
    events: EventLog,
    clock: Clock,
    ports: Mapping[str, int] | None = None,
    network: Network | None = None,
    capture: Capture | None = None,
) -> Composition:
    """Everything of ``site`` in the lab's directory, stopped. A network that is handed in is used again as it is."""
    if network is None:
        network = Network(site.plan, preferred_ports=ports)
        state = NetworkState.read(place.network_file)
        if state is not None:
            state.apply(network)
    capture = capture or Capture(place.capture)
    numbers = AssociationNumbers(events)
    authority = Authority(place.authority, f"{site.title} CA")
    nodes = {
        entry.name: _make(site, entry, place, seed, network, capture, events, clock, numbers, authority)
        for entry in site.nodes
    }
    department = Department(nodes=nodes, network=network, events=events, clock=clock, seed=seed, domain=site.domain)
    plan = site.background
    background = Background(department, every_s=plan.every_s, images=plan.images, state=place.background_file)
    return Composition(network, capture, department, background)


def _make(
    site: Site,
    entry: SiteNode,
    place: LabDirectory,
    seed: int,
    network: Network,
    capture: Capture | None,
    events: EventLog,
    clock: Clock,
    numbers: Callable[[], str],
    authority: Authority,
) -> Node:
    title = str(entry.config.get("ae_title", entry.name))
    context = NodeContext(
        name=entry.name,
        title=entry.title,
        directory=place.nodes / entry.name,
        network=network,
        capture=capture,
        events=events,
        clock=clock,
        seed=seed,
        station=Station(
            ae_title=title,
            station_name=str(entry.config.get("station_name", title))[:16],
            institution=(site.institution or site.title)[:64],
        ),
        new_association_id=numbers,
        authority=authority,
    )
    return make_node(entry.role, context, entry.config)


class AssociationNumbers:
    """Numbers associations ("a1", "a2" …) through all processes of one lab, beginning after the highest in the log."""

    def __init__(self, events: EventLog) -> None:
        highest = 0
        for event in events.since(0):
            facts = getattr(event.body, "facts", None)
            if facts is not None and facts.id[1:].isdigit():
                highest = max(highest, int(facts.id[1:]))
        self._numbers = itertools.count(highest + 1)

    def __call__(self) -> str:
        return f"a{next(self._numbers)}"


def together(tasks: Iterable[Callable[[], object]]) -> None:
    """Run all tasks at once, each on its own thread, and wait for them. The first exception is raised at the end."""
    wrong: list[BaseException] = []

    def run(task: Callable[[], object]) -> None:
        try:
            task()
        except BaseException as error:
            wrong.append(error)

    threads = [threading.Thread(target=run, args=(task,), name="together") for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if wrong:
        raise wrong[0]
