"""The department as faults, checks and commands see it: its nodes by name, and what can be asked of them all."""

from __future__ import annotations

import random
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from sample_dicom.orders import make_order
from sample_dicom.procedures import PROCEDURES, procedures_for
from sandbox.events.log import EventLog
from sandbox.model.clock import Clock
from sandbox.model.errors import ConflictError, NotFoundError
from sandbox.model.patient import Order, Procedure
from sandbox.network.network import Network
from sandbox.nodes.modality import AcquiredExam, Modality
from sandbox.nodes.node import Node


class Department:
    """All nodes of one lab and what they share. It is made anew by a reset; keep none of its nodes."""

    def __init__(
        self, nodes: Mapping[str, Node], network: Network, events: EventLog, clock: Clock, seed: int, domain: str
    ) -> None:
        self.nodes: Mapping[str, Node] = MappingProxyType(dict(nodes))
        self.network = network
        self.events = events
        self.clock = clock
        self.seed = seed
        self.domain = domain

    def node(self, name: str) -> Node:
        """The node called ``name``, or NotFoundError with the names there are."""
        try:
            return self.nodes[name]
        except KeyError:
            raise NotFoundError(f"There is no node {name!r}.", f"Nodes: {', '.join(self.nodes)}.") from None

    def modality(self, name: str) -> Modality:
        """The modality called ``name``; ConflictError when the node is of another kind."""
        node = self.node(name)
        if not isinstance(node, Modality):
            raise ConflictError(
                f"{name} is a {node.role} and cannot scan anybody.",
                f"Modalities: {', '.join(other.name for other in self.modalities)}.",
            )
        return node

    @property
    def modalities(self) -> tuple[Modality, ...]:
        """Every modality, in the order of the site."""
        return tuple(node for node in self.nodes.values() if isinstance(node, Modality))

    def procedures(self, modality: str = "") -> tuple[Procedure, ...]:
        """The procedure catalogue, of one kind of modality ("CT") or whole."""
        return procedures_for(modality) if modality else PROCEDURES

    def order(self, modality: str, rng: random.Random, **over: Any) -> Order:
        """An order for this kind of modality ("CT"), for now. ``over`` replaces fields of the order."""
        made = {key: over.pop(key) for key in ("patient", "procedure", "accession_prefix") if key in over}
        order = make_order(rng, modality, over.get("scheduled") or self.clock.now(), **made)
        return Order.model_validate({**order.model_dump(), **over}) if over else order

    def acquire(self, node: str, order: Order | None = None, *, images: int | None = None) -> AcquiredExam:
        """Let a modality scan ``order`` (or whoever comes next) and send it by its configuration."""
        return self.modality(node).acquire(order, images=images)

    def forget_study(self, study_uid: str) -> None:
        """Remove a study from every store and queue."""
        for node in self.nodes.values():
            node.forget_study(study_uid)
