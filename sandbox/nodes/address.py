"""A node's host takes another address: what was open is cut off, and the node listens at the new one.

Nobody else is told. DNS and the AE tables of others keep what they have.
"""

from __future__ import annotations

from sandbox.model.view import NodeState
from sandbox.nodes.node import Node


def readdress(node: Node, address: str) -> None:
    """Give ``node`` the address and, if it runs, restart it there. BadInputError when it is no simulated address."""
    network = node.context.network
    if network.address_of(node.name) == address:
        return
    network.readdress(node.name, address)
    if node.state is NodeState.RUNNING:
        node.restart()
