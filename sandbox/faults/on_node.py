"""What faults that name nodes have in common: that those are there, and know each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sandbox.model.config import NodeConfig
from sandbox.model.errors import BadInputError, NotFoundError


def try_node(configs: Mapping[str, NodeConfig], node: str) -> NodeConfig:
    """The node's configuration, or BadInputError with the nodes there are."""
    if node not in configs:
        raise BadInputError(f"There is no node {node!r}.", f"Nodes: {', '.join(configs)}.")
    return configs[node]


def try_nodes(configs: Mapping[str, NodeConfig], nodes: Iterable[str]) -> None:
    """Raise BadInputError for the first of ``nodes`` that is not there."""
    for node in nodes:
        try_node(configs, node)


def try_remote(configs: Mapping[str, NodeConfig], node: str, remote: str) -> None:
    """Raise when ``node`` is not there, or has no ``remote`` in its AE table."""
    config = try_node(configs, node)
    if config.remote(remote) is None:
        known = ", ".join(line.name for line in config.remotes) or "none"
        raise NotFoundError(f"{node} knows no {remote!r}.", f"Its AE table has: {known}.")
