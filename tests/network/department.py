"""A small department to test with: two VLANs and a clinic, and what the tests share."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable

from sandbox.network.dialling import NetworkConnection
from sandbox.network.network import Listener, Network
from sandbox.network.plan import AddressPlan

DEADLINE_S = 10.0


def plan(**changes: object) -> AddressPlan:
    """Modalities and servers on VLANs of their own, a clinic across the firewall."""
    return AddressPlan.model_validate(
        {
            "domain": "riverside.example",
            "vlans": [
                {"name": "imaging", "number": 10, "subnet": "198.18.10.0/24", "title": "Modalities"},
                {"name": "servers", "number": 20, "subnet": "198.18.20.0/24", "title": "Servers"},
                {"name": "clinic", "number": 30, "subnet": "198.18.30.0/24", "title": "Clinic"},
            ],
            "hosts": [
                {"name": "CT1", "address": "198.18.10.11", "vlan": "imaging"},
                {"name": "MR1", "address": "198.18.10.12", "vlan": "imaging"},
                {"name": "ARCHIVE", "address": "198.18.20.10", "vlan": "servers"},
                {"name": "ROUTER", "address": "198.18.20.11", "vlan": "servers"},
                {"name": "CLINIC1", "address": "198.18.30.21", "vlan": "clinic"},
            ],
            **changes,
        }
    )


def dial(network: Network, node: str, host: str, port: int, timeout: float = 3.0) -> NetworkConnection:
    """Dial and insist on a connection."""
    made = network.dialler(node).dial(host, port, timeout=timeout, association="a1", cause=7)
    assert isinstance(made, NetworkConnection), made
    made.socket.settimeout(DEADLINE_S)
    return made


def accept(listener: Listener) -> socket.socket:
    """The next connection at a listener."""
    listener.socket.settimeout(DEADLINE_S)
    accepted, _ = listener.socket.accept()
    accepted.settimeout(DEADLINE_S)
    return accepted


def receive(sock: socket.socket, size: int) -> bytes:
    """Exactly ``size`` bytes."""
    data = bytearray()
    while len(data) < size:
        piece = sock.recv(size - len(data))
        assert piece, f"closed after {len(data)} of {size} bytes"
        data += piece
    return bytes(data)


def eventually(holds: Callable[[], bool]) -> None:
    """Wait until ``holds``, or fail."""
    deadline = time.monotonic() + DEADLINE_S
    while not holds():
        assert time.monotonic() < deadline, "did not happen in time"
        threading.Event().wait(0.005)
