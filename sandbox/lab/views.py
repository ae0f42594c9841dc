"""The lab as others see it: nodes with their place on the map, and what flows between them.

Flows are read from the running configurations (what is meant to pass) and from the log (what has passed).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sandbox.events import kinds
from sandbox.model.view import Flow, LabView, NodeView, QueueView

if TYPE_CHECKING:
    from sandbox.events.event import Event
    from sandbox.lab.lab import Lab
    from sandbox.nodes.node import Node

LATELY_S = 900.0
"""How far back the counts on the map reach, in seconds."""


def node_view(lab: Lab, node: Node) -> NodeView:
    """One node, placed as the site places it."""
    place = lab.site.node(node.name)
    return node.view().model_copy(update={"title": place.title, "location": place.location, "x": place.x, "y": place.y})


def lab_view(lab: Lab) -> LabView:
    """The lab at a glance."""
    department = lab.department
    return LabView(
        id=lab.id,
        site=lab.site.slug,
        site_title=lab.site.title,
        scenario=lab.scenario,
        seed=lab.seed,
        now=lab.clock.now(),
        started_at=lab.started_at,
        background_running=lab.composition.background.is_running,
        nodes=tuple(node_view(lab, node) for node in department.nodes.values()),
        flows=flows(lab),
        last_event=len(lab.events),
    )


def flows(lab: Lab) -> tuple[Flow, ...]:
    """What each node is configured to send to which other, with what has passed of late."""
    found: dict[tuple[str, str], Flow] = {}
    for node in lab.department.nodes.values():
        for destination, label in _configured(node):
            target = _node_behind(lab, node, destination)
            if target:
                labels = [found[node.name, target].label] if (node.name, target) in found else []
                label = ", ".join(part for part in dict.fromkeys([*labels, label]) if part)
                known = found.get((node.name, target), Flow(source=node.name, target=target))
                found[node.name, target] = known.model_copy(update={"label": label})
        for queue in () if node.queue is None else node.queue.views():
            key = (node.name, _node_behind(lab, node, queue.destination))
            if key in found:
                found[key] = _with_queue(found[key], queue)
    for event in _lately(lab):
        body: Any = event.body
        sender = lab.department.nodes.get(event.node)
        target = _node_behind(lab, sender, body.destination) if sender is not None else ""
        flow = found.get((event.node, target))
        if flow is not None:
            ok = isinstance(body, kinds.QueueSent)
            found[event.node, target] = flow.model_copy(
                update={
                    "sent": flow.sent + ok,
                    "failed": flow.failed + (not ok),
                    "last_at": event.at,
                    "last_ok": ok,
                }
            )
    return tuple(found.values())


def _with_queue(flow: Flow, queue: QueueView) -> Flow:
    """A flow with what is in one of the queues that feed it."""
    return flow.model_copy(
        update={
            "waiting": flow.waiting + queue.waiting,
            "dead": flow.dead + queue.dead,
            "held": flow.held or queue.held_since is not None,
            "held_reason": flow.held_reason or queue.held_reason,
            "error": flow.error or (queue.last_error if queue.waiting else ""),
        }
    )


def _configured(node: Node) -> Iterator[tuple[str, str]]:
    """(name in the AE table, what the map writes on the line) for everything the node sends by itself."""
    config: Any = node.running
    for destination in getattr(config, "send_to", ()):
        yield destination, ""
    for rule in getattr(config, "rules", ()):
        if rule.enabled:
            for destination in rule.destinations:
                yield destination, rule.name


def _node_behind(lab: Lab, node: Node, destination: str) -> str:
    """The node of the lab that an AE-table line leads to, or is named after; empty for one outside."""
    nodes = lab.department.nodes
    remote = node.running.remote(destination)
    if remote is not None:
        address = lab.department.network.resolve(node.name, remote.host).address
        for other in nodes.values():
            if address == lab.department.network.address_of(other.name):
                return other.name
    return destination if destination in nodes else ""


def _lately(lab: Lab) -> Iterator[Event]:
    since = lab.clock.now() - timedelta(seconds=LATELY_S)
    hidden = lab.hides_later
    events = lab.events.since(0)
    first = len(events)
    while first and events[first - 1].at >= since:
        first -= 1
    for event in events[first:]:
        if isinstance(event.body, kinds.QueueSent | kinds.QueueFailed) and not (hidden and event.is_for_later):
            yield event
