"""What a command changed on the network, old and new, written down as one event: firewall, names, addresses.

What is wrong with a link is no part of it: that can be seen only in how the link behaves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sandbox.events.kinds import NetworkChanged
from sandbox.lab.network_state import NetworkState
from sandbox.model.config_path import Change

if TYPE_CHECKING:
    from sandbox.lab.lab import Lab


@contextmanager
def network_noted(lab: Lab, node: str = "") -> Iterator[None]:
    """Whatever the block changes on the network is written to the log, for ``node`` if it is about one."""
    network = lab.department.network
    before = NetworkState.of(network)
    yield
    changes = changed(before, NetworkState.of(network))
    if changes:
        lab.events.append(NetworkChanged(changes=changes), node=node)


def changed(before: NetworkState, after: NetworkState) -> tuple[Change, ...]:
    """What differs: ``dns.NAME``, ``hosts.NODE.NAME``, ``address.NODE``; a rule that came or went is ``firewall``."""
    found = [
        *_entries("dns", before.dns, after.dns),
        *_entries(
            "address",
            {host.name: host.address for host in before.hosts},
            {host.name: host.address for host in after.hosts},
        ),
    ]
    for node in dict.fromkeys((*before.hosts_tables, *after.hosts_tables)):
        found += _entries(f"hosts.{node}", before.hosts_tables.get(node, {}), after.hosts_tables.get(node, {}))
    old, new = Counter(map(str, before.rules)), Counter(map(str, after.rules))
    found += [Change(path="firewall", before=rule) for rule in (old - new).elements()]
    found += [Change(path="firewall", after=rule) for rule in (new - old).elements()]
    return tuple(found)


def _entries(table: str, old: Mapping[str, str], new: Mapping[str, str]) -> list[Change]:
    return [
        Change(path=f"{table}.{name}", before=old.get(name), after=new.get(name))
        for name in dict.fromkeys((*old, *new))
        if old.get(name) != new.get(name)
    ]
