"""What faults of a node's program have in common: that the node is there, and that it is started as it was before."""

from __future__ import annotations

from collections.abc import Mapping

from sandbox.model.config import NodeConfig
from sandbox.model.errors import BadInputError, NotFoundError
from sandbox.nodes.node import Node


def try_node(configs: Mapping[str, NodeConfig], node: str) -> NodeConfig:
    """The node's configuration, or BadInputError with the nodes there are."""
    if node not in configs:
        raise BadInputError(f"There is no node {node!r}.", f"Nodes: {', '.join(configs)}.")
    return configs[node]


def try_remote(configs: Mapping[str, NodeConfig], node: str, remote: str) -> None:
    """Raise when ``node`` is not there, or has no ``remote`` in its AE table."""
    config = try_node(configs, node)
    if config.remote(remote) is None:
        known = ", ".join(line.name for line in config.remotes) or "none"
        raise NotFoundError(f"{node} knows no {remote!r}.", f"Its AE table has: {known}.")


def run_again(node: Node, saved: NodeConfig, running: NodeConfig) -> None:
    """Let the node run with ``running`` while ``saved`` is saved, as it was at some time before."""
    node.save(running)
    node.restart()
    node.save(saved)
