"""No simulated address is ever given to a real socket, and a closed network leaves nothing behind."""

from __future__ import annotations

import ast
import gc
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

import sandbox.network
from sandbox.model.address import SIMULATED
from sandbox.model.association import DialFailure
from sandbox.network.dialling import NetworkConnection
from sandbox.network.links import LinkFault, Way
from sandbox.network.network import Network
from sandbox.network.plan import FirewallRule
from tests.network.department import eventually, plan

HOSTS = (
    *("archive", "ROUTER.riverside.example", "mr1", "archiv", "old-pacs", "outside-pacs", "localhost"),
    *("198.18.20.10", "198.18.20.99", "198.19.1.1", "::ffff:198.18.20.10", "::ffff:c612:140a", "::ffff:198.19.0.1"),
    *("192.0.2.7", "127.0.0.1", "::1", "198.18.1", "0xc612140a", "3323073546", "0.0.0.0", "198.17.255.255"),
)


def busy(network: Network) -> int:
    """Everything a network can do, at once and with faults. Returns how many connections came about."""
    listeners = [network.listen(node, 104) for node in ("ARCHIVE", "ROUTER", "MR1", "CT1")]
    network.set_dns("old-pacs", "198.18.20.10")
    network.set_dns("outside-pacs", "127.0.0.1")
    network.set_hosts_entry("CT1", "localhost", "198.18.20.10")
    network.link("CT1", "ARCHIVE").set(LinkFault(latency_ms=2))
    network.link("MR1", "ROUTER").set(LinkFault(reset_after=3))
    network.link("CT1", "ROUTER").set(LinkFault(blackhole=Way.BACK))
    network.set_rules([FirewallRule.model_validate({"source": "CLINIC1", "target": "servers", "action": "drop"})])
    network.readdress("MR1", "198.18.10.11")

    def call(node: str, host: str) -> int:
        network.ping(node, host, timeout=0.02)
        network.probe_port(node, host, 104, timeout=0.02)
        made = network.dialler(node).dial(host, 104, timeout=0.1, association="a", cause=None)
        if isinstance(made, DialFailure):
            return 0
        assert isinstance(made, NetworkConnection)
        made.socket.close()
        return 1

    with ThreadPoolExecutor(8) as pool:
        calls = [pool.submit(call, node, host) for node in ("CT1", "MR1", "ROUTER", "CLINIC1") for host in HOSTS]
        made = sum(each.result() for each in calls)
    for listener in listeners[:2]:
        listener.close()
    return made


def test_no_simulated_address_reaches_a_real_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    used: list[tuple[str, Any]] = []

    def recording(name: str, original: Any, position: int) -> Any:
        def recorded(*arguments: Any, **named: Any) -> Any:
            used.append((name, arguments[position]))
            return original(*arguments, **named)

        return recorded

    for name in ("connect", "connect_ex", "bind"):
        monkeypatch.setattr(socket.socket, name, recording(name, getattr(socket.socket, name), 1))
    monkeypatch.setattr(socket.socket, "sendto", recording("sendto", socket.socket.sendto, -1))
    monkeypatch.setattr(socket, "create_connection", recording("create", socket.create_connection, 0))
    for name in ("getaddrinfo", "gethostbyname"):
        monkeypatch.setattr(socket, name, recording(name, getattr(socket, name), 0))
    with Network(plan()) as network:
        assert busy(network) >= 10
    assert sum(name == "connect_ex" for name, _ in used) >= 20
    for name, address in used:
        assert name in ("connect_ex", "bind"), f"{name} looks names up or sends"
        real = ip_address(address[0])
        assert real.is_loopback, address
        assert real not in SIMULATED


def test_only_one_place_connects() -> None:
    folder = Path(sandbox.network.__file__).parent
    found = {
        path.name
        for path in folder.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr in ("connect_ex", "create_connection", "sendto", "getaddrinfo")
    }
    assert found == {"connect.py"}
    plain = [
        (path.name, ast.unparse(node.func))
        for path in folder.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "connect"
    ]
    assert {call for _, call in plain} == {"self._connector.connect"}


def test_a_closed_network_leaves_no_thread_and_no_descriptor() -> None:
    def descriptors() -> int:
        gc.collect()
        return sum(1 for _ in Path("/proc/self/fd").iterdir())

    with Network(plan()) as network:
        busy(network)
    before, threads = descriptors(), threading.active_count()
    for _ in range(3):
        network = Network(plan())
        busy(network)
        network.close()
        network.close()
    eventually(lambda: threading.active_count() <= threads)
    assert descriptors() <= before
