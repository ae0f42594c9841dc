"""A node at a glance: what everybody may see of it without logging in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.model.view import Counts, NodeState, NodeView

if TYPE_CHECKING:
    from sandbox.nodes.node import Node


def view_of(node: Node) -> NodeView:
    """The node's view. Where it stands on the map is the lab's to add."""
    network, config = node.context.network, node.running
    queues = () if node.queue is None else node.queue.views()
    host = next((host for host in network.topology.plan.hosts if host.name == node.name), None)
    return NodeView(
        name=node.name,
        role=node.role,
        title=node.title,
        ae_title=config.ae_title,
        host=f"{node.name}.{network.topology.plan.domain}".lower(),
        address=network.address_of(node.name),
        vlan="" if host is None else host.vlan,
        port=config.port,
        published=node.published,
        tls_port=config.tls_port,
        tls_published=node.tls_published,
        dicomweb=node.dicomweb,
        state=node.state,
        needs_restart=node.needs_restart,
        sentence=_sentence(node),
        counts=Counts() if node.store is None else node.store.counts(),
        queued=sum(queue.waiting for queue in queues),
        dead=sum(queue.dead for queue in queues),
        held=tuple(queue.destination for queue in queues if queue.held_since is not None),
        associations=node.associations,
        abilities=node.abilities,
    )


def _sentence(node: Node) -> str:
    config = node.running
    if node.state is NodeState.FAILED:
        return f"Not running: its program {node.trouble}" if node.has_crashed else f"Could not start: {node.trouble}"
    if node.state is NodeState.STOPPED:
        return "Stopped."
    waiting = " Saved changes wait for a restart." if node.needs_restart else ""
    with_tls = f", for TLS on port {config.tls_port}" if config.tls_port else ""
    return f"Listens as {config.ae_title} on port {config.port}{with_tls}.{waiting}"
