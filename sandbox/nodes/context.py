"""What a lab gives each of its nodes when it makes them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.events.log import EventLog
from sandbox.model.clock import Clock
from sandbox.network.network import Network

if TYPE_CHECKING:
    from sample_dicom.station import Station
    from sandbox.dicom.authority import Authority
    from sandbox.network.capture import Capture


@dataclass(frozen=True)
class NodeContext:
    """``directory`` is the node's own, inside the lab's; ``authority`` signs the certificates of the department."""

    name: str
    title: str
    directory: Path
    network: Network
    capture: Capture | None
    events: EventLog
    clock: Clock
    seed: int
    station: Station
    new_association_id: Callable[[], str]
    authority: Authority | None = None
