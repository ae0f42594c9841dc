"""What faults of a node's program have in common: that it is started again as it was before."""

from __future__ import annotations

from sandbox.model.config import NodeConfig
from sandbox.nodes.node import Node


def run_again(node: Node, saved: NodeConfig, running: NodeConfig) -> None:
    """Let the node run with ``running`` while ``saved`` is saved, as it was at some time before."""
    node.save(running)
    node.restart()
    node.save(saved)
