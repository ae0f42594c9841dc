"""The start of a lab: taken when its department is ready to be worked on, returned to by a reset.

A snapshot is the nodes' files (see ``trees``) and the state of the network. Taking and restoring both build a new
directory beside the old one and rename it, so a kill leaves one or the other.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from sandbox.lab.directory import LabDirectory
from sandbox.lab.network_state import NetworkState
from sandbox.lab.trees import copy_tree, remove_tree
from sandbox.model.errors import UnavailableError
from sandbox.model.files import write_whole
from sandbox.network.network import Network

_NODES = "nodes"
_NETWORK = "network.json"


def take_snapshot(place: LabDirectory, network: Network, *, live: bool = True) -> None:
    """Make the present state of the lab its start. Nodes may go on running (``live``), but should be at rest."""
    fresh = _fresh(place.start)
    copy_tree(place.nodes, fresh / _NODES, live=live)
    write_whole(fresh / _NETWORK, NetworkState.of(network).model_dump_json(indent=1))
    _put_in_place(fresh, place.start)


def restore_snapshot(place: LabDirectory) -> NetworkState:
    """Put the nodes' files back as they were at the start. No node may be open. Returns the network's state."""
    state = NetworkState.read(place.start / _NETWORK)
    if state is None:
        raise UnavailableError("The marked start of this lab cannot be read.", "Start the scenario anew.")
    fresh = _fresh(place.nodes)
    copy_tree(place.start / _NODES, fresh)
    _put_in_place(fresh, place.nodes)
    write_whole(place.network_file, state.model_dump_json(indent=1))
    return state


def mend_after_kill(place: LabDirectory) -> None:
    """Finish what a kill in the middle of a snapshot or a reset left behind."""
    for target in (place.start, place.nodes):
        _clear(target)
    if not place.nodes.is_dir() and place.start.is_dir():
        restore_snapshot(place)


def _fresh(target: Path) -> Path:
    fresh = target.with_name(f"{target.name}.new")
    remove_tree(fresh)
    return fresh


def _put_in_place(fresh: Path, target: Path) -> None:
    old = target.with_name(f"{target.name}.old")
    remove_tree(old)
    with suppress(FileNotFoundError):
        target.rename(old)
    fresh.rename(target)
    remove_tree(old)


def _clear(target: Path) -> None:
    """A killed exchange of directories: the old one goes back when the new one did not come."""
    old = target.with_name(f"{target.name}.old")
    if old.is_dir() and not target.exists():
        old.rename(target)
    for left in (old, target.with_name(f"{target.name}.new")):
        remove_tree(left)
