"""Listening and dialling: real connections, every failure told apart, ports that stay, callers that are known."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from ipaddress import IPv4Network

import pytest

from sandbox.dicom.contract import Connection, Dialler
from sandbox.model.association import DialFailure, DialOutcome
from sandbox.model.errors import BadInputError, ConflictError, NotFoundError
from sandbox.network.dialling import NetworkConnection
from sandbox.network.network import Network
from sandbox.network.plan import FirewallRule
from sandbox.network.views import PingOutcome, PortOpen
from tests.network.department import DEADLINE_S, accept, dial, eventually, plan, receive


@pytest.fixture
def network() -> Iterator[Network]:
    with Network(plan()) as network:
        yield network


def failure(network: Network, node: str, host: str, port: int = 104, timeout: float = 0.2) -> DialFailure:
    made = network.dialler(node).dial(host, port, timeout=timeout)
    assert isinstance(made, DialFailure), made
    return made


def rule(source: str, target: str, action: str, port: int | None = None) -> FirewallRule:
    return FirewallRule.model_validate({"source": source, "target": target, "port": port, "action": action})


def test_nodes_talk_over_a_direct_socket(network: Network) -> None:
    listener = network.listen("ARCHIVE", 104)
    for name in ("archive", "ARCHIVE.riverside.example", "198.18.20.10"):
        made = dial(network, "CT1", name, 104)
        accepted = accept(listener)
        made.socket.sendall(b"hello")
        assert receive(accepted, 5) == b"hello"
        assert made.peer == "198.18.20.10:104"
        assert made.peer_node == "ARCHIVE"
        assert made.local == f"198.18.10.11:{made.socket.getsockname()[1]}"
        assert made.socket.getpeername() == listener.published
        made.socket.close()
        assert accepted.recv(1) == b""
        accepted.close()
    assert listener.address == "198.18.20.10:104"


def test_dialler_and_connection_satisfy_the_dicom_contract(network: Network) -> None:
    listener = network.listen("ARCHIVE", 104)
    dialler: Dialler = network.dialler("CT1")
    made = dialler.dial("archive", 104, timeout=1.0, association="a", cause=None)
    assert not isinstance(made, DialFailure)
    connection: Connection = made
    assert connection.socket.getblocking()
    assert connection.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    connection.socket.close()
    listener.close()


def test_each_failure_looks_different(network: Network) -> None:
    network.listen("ROUTER", 11112)
    network.power("MR1", on=False)
    network.set_rules([rule("clinic", "servers", "drop"), rule("clinic", "CT1", "reject")])
    expected = [
        ("CT1", "archive", DialOutcome.REFUSED),
        ("CT1", "router", DialOutcome.REFUSED),
        ("CT1", "archiv", DialOutcome.UNKNOWN_HOST),
        ("CT1", "mr1", DialOutcome.TIMED_OUT),
        ("CT1", "198.18.20.99", DialOutcome.TIMED_OUT),
        ("CT1", "198.19.255.1", DialOutcome.TIMED_OUT),
        ("CLINIC1", "archive", DialOutcome.TIMED_OUT),
        ("CLINIC1", "ct1", DialOutcome.REFUSED),
        ("CT1", "192.0.2.1", DialOutcome.UNREACHABLE),
        ("CT1", "::ffff:198.18.20.10", DialOutcome.REFUSED),
        ("MR1", "archive", DialOutcome.UNREACHABLE),
    ]
    for node, host, outcome in expected:
        # Only silence takes time, and as long as the caller is willing to wait.
        is_silent = outcome is DialOutcome.TIMED_OUT
        willing = 0.25 if is_silent else 60.0
        started = time.monotonic()
        failed = failure(network, node, host, timeout=willing)
        waited = time.monotonic() - started
        assert (failed.outcome, failed.host, failed.port) == (outcome, host, 104), (node, host, failed)
        assert (waited >= willing) == is_silent, (node, host, waited)
        assert (failed.elapsed_s >= willing) == is_silent, failed
        assert failed.elapsed_s <= waited + 0.0001, "it is rounded"
        assert "firewall" not in failed.reason.lower(), "a caller must not be told the cause"
    assert "rule" in network.explain("CLINIC1", "archive", 104)
    assert "nothing listens" in network.explain("CT1", "archive", 104)


def test_a_closed_listener_refuses_and_comes_back_on_the_same_port(network: Network) -> None:
    first = network.listen("ARCHIVE", 104)
    published = first.published
    for _ in range(3):
        first.close()
        first.close()
        assert failure(network, "CT1", "archive").outcome is DialOutcome.REFUSED
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(published)
        first = network.listen("ARCHIVE", 104)
        assert first.published == published
        assert first.moved_from is None
        dial(network, "CT1", "archive", 104).socket.close()


def test_a_listener_whose_socket_its_server_closed_still_closes(network: Network) -> None:
    listener = network.listen("ARCHIVE", 104)
    listener.socket.close()
    assert failure(network, "CT1", "archive").outcome is DialOutcome.REFUSED
    listener.close()
    assert network.listen("ARCHIVE", 104).published == listener.published


def test_a_port_is_listened_on_once(network: Network) -> None:
    network.listen("ARCHIVE", 104)
    with pytest.raises(ConflictError):
        network.listen("ARCHIVE", 104)
    assert network.listen("ARCHIVE", 11112).published != network.listen("ROUTER", 104).published
    with pytest.raises(BadInputError):
        network.listen("ARCHIVE", 70000)
    with pytest.raises(NotFoundError):
        network.listen("NOBODY", 104)


def test_published_ports_survive_a_new_network() -> None:
    with Network(plan()) as first:
        ports = {first.listen("ARCHIVE", 104).published[1], first.listen("ARCHIVE", 2762).published[1]}
        known = first.published_ports()
    assert set(known.values()) == ports
    with Network(plan(), preferred_ports=known) as second:
        # Opened in another order, each still finds its own.
        assert second.listen("ARCHIVE", 2762).published[1] == known["ARCHIVE:2762"]
        assert second.listen("ARCHIVE", 104).published[1] == known["ARCHIVE:104"]
    with socket.create_server(("127.0.0.1", known["ARCHIVE:104"])), Network(plan(), preferred_ports=known) as third:
        moved = third.listen("ARCHIVE", 104)
        assert moved.moved_from == known["ARCHIVE:104"]
        assert moved.published[1] != known["ARCHIVE:104"]


def test_the_acceptor_knows_who_calls(network: Network) -> None:
    listener = network.listen("ARCHIVE", 104)
    made = dial(network, "CT1", "archive", 104)
    accepted = accept(listener)
    caller = network.caller_of(accepted.getpeername())
    assert (caller.node, caller.host, caller.association, caller.cause) == ("CT1", "198.18.10.11", "a1", 7)
    assert f"{caller.host}:{caller.port}" == made.local
    assert network.caller_of(accepted.getpeername()) == caller
    peer = accepted.getpeername()
    made.socket.close()
    accepted.close()
    assert network.caller_of(peer).is_outside
    assert len(network._callers) == 0


def test_a_caller_is_known_even_after_it_has_gone(network: Network) -> None:
    listener = network.listen("ARCHIVE", 104)
    made = dial(network, "CT1", "archive", 104)
    made.socket.close()
    assert network.caller_of(accept(listener).getpeername()).node == "CT1"


def test_a_caller_is_known_while_its_socket_lives_on_detached(network: Network) -> None:
    listener = network.listen("ARCHIVE", 104)
    made = dial(network, "CT1", "archive", 104)
    peer = made.socket.getsockname()
    wrapped = socket.socket(fileno=made.socket.detach())
    assert network.caller_of(peer).node == "CT1"
    wrapped.close()
    assert network.caller_of(peer).is_outside
    listener.close()


def test_an_outside_tool_is_an_outside_caller(network: Network) -> None:
    listener = network.listen("ARCHIVE", 104)
    with socket.create_connection(listener.published) as tool, accept(listener) as accepted:
        caller = network.caller_of(accepted.getpeername())
        assert caller.is_outside
        assert (caller.host, caller.port) == tool.getsockname()


def test_a_node_dials_an_outside_tool_on_loopback(network: Network) -> None:
    with socket.create_server(("127.0.0.1", 0)) as tool:
        port = tool.getsockname()[1]
        network.set_dns("orthanc.riverside.example", "127.0.0.1")
        for host in ("127.0.0.1", "localhost", "orthanc"):
            made = dial(network, "ROUTER", host, port)
            assert made.peer == f"127.0.0.1:{port}"
            assert made.peer_node == ""
            assert made.local.startswith("198.18.20.11:")
            made.socket.close()
    assert failure(network, "ROUTER", "127.0.0.1", port).outcome is DialOutcome.REFUSED


def test_a_real_silent_host_times_out(network: Network) -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for sock in waiting:
            sock.setblocking(False)
            sock.connect_ex(full.getsockname())
        failed = failure(network, "CT1", "127.0.0.1", full.getsockname()[1])
        for sock in waiting:
            sock.close()
    assert failed.outcome is DialOutcome.TIMED_OUT
    assert failed.elapsed_s >= 0.2


def test_other_real_networks_need_permission() -> None:
    with Network(plan()) as network:
        assert failure(network, "CT1", "10.1.2.3").outcome is DialOutcome.UNREACHABLE
        assert "outside" in failure(network, "CT1", "10.1.2.3").reason
        assert failure(network, "CT1", "pacs.hospital.example").outcome is DialOutcome.UNKNOWN_HOST
        assert not network._connector.permits(IPv4Network("10.0.0.0/8")[1])
    with Network(plan(), outside=[IPv4Network("10.0.0.0/8"), IPv4Network("198.18.0.0/15")]) as network:
        assert network._connector.permits(IPv4Network("10.0.0.0/8")[1])
        with pytest.raises(RuntimeError, match="Refused"), socket.socket() as sock:
            network._connector.connect(sock, IPv4Network("198.18.0.0/15")[1], 104, 0.1)


def test_firewall_first_match_wins_and_only_between_vlans() -> None:
    rules = [
        {"source": "CLINIC1", "target": "ARCHIVE", "port": 104, "action": "allow"},
        {"source": "clinic", "target": "198.18.20.0/24", "action": "drop"},
        {"source": "imaging", "target": "imaging", "action": "drop"},
        {"source": "any", "target": "198.18.10.12", "action": "reject"},
    ]
    with Network(plan(firewall=rules, default_action="reject")) as network:
        for node in ("ARCHIVE", "ROUTER", "MR1", "CLINIC1"):
            network.listen(node, 104)
        network.listen("ARCHIVE", 11112)
        dial(network, "CLINIC1", "archive", 104).socket.close()
        assert failure(network, "CLINIC1", "archive", 11112).outcome is DialOutcome.TIMED_OUT
        assert failure(network, "CLINIC1", "router").outcome is DialOutcome.TIMED_OUT
        dial(network, "CT1", "mr1", 104).socket.close()
        assert failure(network, "ROUTER", "mr1").outcome is DialOutcome.REFUSED
        assert failure(network, "CT1", "archive").outcome is DialOutcome.REFUSED, "the default between VLANs"


def test_a_one_way_firewall_lets_queries_out_and_nothing_back(network: Network) -> None:
    archive, clinic = network.listen("ARCHIVE", 104), network.listen("CLINIC1", 104)
    network.add_rule(rule("servers", "clinic", "drop"))
    made = dial(network, "CLINIC1", "archive", 104)
    accepted = accept(archive)
    accepted.sendall(b"answer")
    assert receive(made.socket, 6) == b"answer", "answers on an open connection pass"
    assert failure(network, "ARCHIVE", "clinic1").outcome is DialOutcome.TIMED_OUT
    network.remove_rule(rule("servers", "clinic", "drop"))
    dial(network, "ARCHIVE", "clinic1", 104).socket.close()
    accept(clinic).close()
    with pytest.raises(ConflictError):
        network.remove_rule(rule("servers", "clinic", "drop"))
    with pytest.raises(BadInputError, match="nowhere"):
        network.add_rule(rule("nowhere", "clinic", "drop"))


def test_a_dial_that_waits_notices_the_mend(network: Network) -> None:
    network.listen("ARCHIVE", 104)
    network.power("ARCHIVE", on=False)
    made: list[NetworkConnection] = []
    waiting = threading.Thread(target=lambda: made.append(dial(network, "CT1", "archive", 104, timeout=DEADLINE_S)))
    waiting.start()
    eventually(lambda: network._dialling.under_way == 1)
    network.power("ARCHIVE", on=True)
    waiting.join(DEADLINE_S)
    assert made[0].peer_node == "ARCHIVE"
    made[0].socket.close()


@pytest.mark.parametrize("ending", ["network", "dialler"])
def test_waits_end_at_once_on_closing(network: Network, ending: str) -> None:
    network.power("ARCHIVE", on=False)
    dialler = network.dialler("CT1")
    failures: list[object] = []
    waiting = threading.Thread(target=lambda: failures.append(dialler.dial("archive", 104, timeout=60.0)))
    waiting.start()
    eventually(lambda: network._dialling.under_way == 1)
    started = time.monotonic()
    {"network": network.close, "dialler": dialler.close}[ending]()
    waiting.join(DEADLINE_S)
    assert time.monotonic() - started < 10
    assert isinstance(failures[0], DialFailure)
    assert failures[0].outcome is DialOutcome.UNREACHABLE


def test_closing_ends_a_real_connect(network: Network) -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        filling = [socket.socket() for _ in range(4)]
        for sock in filling:
            sock.setblocking(False)
            sock.connect_ex(full.getsockname())
        failures: list[DialFailure] = []
        port = full.getsockname()[1]
        waiting = threading.Thread(target=lambda: failures.append(failure(network, "CT1", "localhost", port, 60.0)))
        waiting.start()
        eventually(lambda: network._dialling.under_way == 1)
        started = time.monotonic()
        network.close()
        waiting.join(DEADLINE_S)
        for sock in filling:
            sock.close()
    assert time.monotonic() - started < 10
    assert failures[0].outcome is DialOutcome.UNREACHABLE


def test_names(network: Network) -> None:
    assert network.resolve("CT1", "Archive").address == "198.18.20.10"
    assert network.resolve("CT1", "archive.riverside.example.").source == "DNS"
    assert not network.resolve("CT1", "archive.elsewhere.example").found
    network.set_dns("archive.riverside.example", "198.18.20.99")
    network.set_dns("archive", None)
    assert network.resolve("CT1", "archive").address == "198.18.20.99", "the search domain finds the stale entry"
    network.set_hosts_entry("CT1", "archive", "198.18.20.10")
    assert network.resolve("CT1", "archive").source == "hosts table"
    assert network.resolve("MR1", "archive").address == "198.18.20.99"
    network.listen("ARCHIVE", 104)
    dial(network, "CT1", "archive", 104).socket.close()
    assert failure(network, "MR1", "archive").outcome is DialOutcome.TIMED_OUT, "stale DNS leads nowhere"
    with pytest.raises(BadInputError):
        network.set_dns("archive", "router")


def test_a_readdressed_host_is_found_where_it_went(network: Network) -> None:
    network.listen("MR1", 104)
    network.readdress("MR1", "198.18.10.77")
    assert failure(network, "CT1", "mr1").outcome is DialOutcome.TIMED_OUT, "DNS keeps the old address"
    dial(network, "CT1", "198.18.10.77", 104).socket.close()
    with pytest.raises(BadInputError):
        network.readdress("MR1", "10.0.0.1")


def test_a_duplicate_address_works_by_turns(network: Network) -> None:
    network.listen("MR1", 104)
    network.readdress("CT1", "198.18.10.12")
    answers = [network.probe_port("ARCHIVE", "mr1", 104) for _ in range(4)]
    assert [isinstance(answer, PortOpen) for answer in answers] in ([True, False] * 2, [False, True] * 2)
    network.readdress("CT1", "198.18.10.11")
    assert all(isinstance(network.probe_port("ARCHIVE", "mr1", 104), PortOpen) for _ in range(4))


def test_a_call_to_ones_own_address_reaches_oneself_whoever_else_has_it(network: Network) -> None:
    network.listen("MR1", 104)
    network.readdress("CT1", "198.18.10.12")
    for _ in range(3):
        dial(network, "MR1", "mr1", 104).socket.close()
    assert all(isinstance(network.probe_port("CT1", "mr1", 104), DialFailure) for _ in range(3))


def test_ping_and_port_test_tell_different_things(network: Network) -> None:
    assert network.ping("CT1", "archive").outcome is PingOutcome.REPLY
    probed = network.probe_port("CT1", "archive", 104)
    assert isinstance(probed, DialFailure)
    assert probed.outcome is DialOutcome.REFUSED
    assert network.ping("CT1", "archiv").outcome is PingOutcome.UNKNOWN_HOST
    assert network.ping("CT1", "198.18.10.99", timeout=0.05).outcome is PingOutcome.TIMED_OUT
    assert network.ping("CT1", "127.0.0.1").outcome is PingOutcome.REPLY
    assert network.ping("CT1", "192.0.2.1").outcome is PingOutcome.UNREACHABLE
    listener = network.listen("ARCHIVE", 104)
    network.set_rules([rule("imaging", "servers", "drop", port=104)])
    assert network.ping("CT1", "archive").outcome is PingOutcome.REPLY, "a rule for a port does not stop ping"
    assert isinstance(network.probe_port("CT1", "archive", 104, timeout=0.05), DialFailure)
    network.set_rules([rule("imaging", "servers", "drop")])
    assert network.ping("CT1", "archive", timeout=0.05).outcome is PingOutcome.TIMED_OUT
    network.set_rules([rule("imaging", "servers", "reject")])
    assert network.ping("CT1", "archive").outcome is PingOutcome.UNREACHABLE
    network.set_rules([])
    probed = network.probe_port("CT1", "archive", 104)
    assert isinstance(probed, PortOpen)
    assert probed.address == "198.18.20.10"
    with accept(listener) as accepted:
        assert network.caller_of(accepted.getpeername()).node == "CT1"
        assert accepted.recv(1) == b""


def test_two_networks_with_the_same_plan_never_cross() -> None:
    with Network(plan()) as left, Network(plan()) as right:
        left_listener, right_listener = left.listen("ARCHIVE", 104), right.listen("ARCHIVE", 104)
        left.set_rules([rule("imaging", "servers", "drop")])
        assert failure(left, "CT1", "archive").outcome is DialOutcome.TIMED_OUT
        made = dial(right, "CT1", "archive", 104)
        assert made.socket.getpeername() == right_listener.published
        assert right.caller_of(made.socket.getsockname()).node == "CT1"
        assert left.caller_of(made.socket.getsockname()).is_outside
        left_listener.socket.setblocking(False)
        with pytest.raises(BlockingIOError):
            left_listener.socket.accept()
        made.socket.close()


def test_publishing_on_every_interface_still_reaches_over_loopback() -> None:
    with Network(plan(), publish_host="0.0.0.0") as network:
        listener = network.listen("ARCHIVE", 104)
        made = dial(network, "CT1", "archive", 104)
        assert made.socket.getpeername() == ("127.0.0.1", listener.published[1])
        assert network.caller_of(made.socket.getsockname()).node == "CT1"
        made.socket.close()
    with pytest.raises(BadInputError):
        Network(plan(), publish_host="localhost")
