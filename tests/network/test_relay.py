"""Link faults: what each does to real connections, live, and that a relay is there only while it is needed."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from sandbox.model.association import DialFailure, DialOutcome
from sandbox.model.errors import ConflictError, NotFoundError
from sandbox.network.links import LinkFault, Way
from sandbox.network.network import Network
from sandbox.network.views import PingOutcome, PortOpen
from tests.network.department import DEADLINE_S, accept, dial, eventually, plan, receive

CT1, ARCHIVE = "CT1", "ARCHIVE"


@pytest.fixture
def network() -> Iterator[Network]:
    with Network(plan()) as network:
        yield network


def connected(network: Network, fault: LinkFault) -> tuple[socket.socket, socket.socket]:
    """CT1's and the archive's end of a connection over a link with ``fault``."""
    network.link(CT1, ARCHIVE).set(fault)
    listener = network.listen(ARCHIVE, 104)
    made = dial(network, CT1, "archive", 104)
    accepted = accept(listener)
    assert made.socket.getpeername() != listener.published, "there must be a relay between"
    return made.socket, accepted


def silent(sock: socket.socket, seconds: float = 0.1) -> bool:
    """Whether nothing at all, not even an end, comes within ``seconds``."""
    sock.settimeout(seconds)
    try:
        sock.recv(1)
    except TimeoutError:
        return True
    finally:
        sock.settimeout(DEADLINE_S)
    return False


def test_a_relay_carries_everything_and_leaves_when_done(network: Network) -> None:
    ours, theirs = connected(network, LinkFault())
    data = bytes(range(256)) * 20_000
    sending = threading.Thread(target=ours.sendall, args=(data,))
    sending.start()
    assert receive(theirs, len(data)) == data
    sending.join()
    theirs.sendall(b"thanks")
    ours.shutdown(socket.SHUT_WR)
    assert theirs.recv(1) == b"", "a half close passes"
    theirs.sendall(b"!")
    assert receive(ours, 7) == b"thanks!"
    theirs.close()
    assert ours.recv(1) == b""
    ours.close()
    eventually(lambda: network.link(CT1, ARCHIVE).connections == 0)
    eventually(lambda: network._relays._thread is None)


def test_the_caller_is_known_through_a_relay(network: Network) -> None:
    network.link(ARCHIVE, CT1).set(LinkFault(latency_ms=1))
    listener = network.listen(ARCHIVE, 104)
    made = dial(network, CT1, "archive", 104)
    accepted = accept(listener)
    caller = network.caller_of(accepted.getpeername())
    assert (caller.node, caller.association, caller.cause) == (CT1, "a1", 7)
    assert f"{caller.host}:{caller.port}" == made.local
    assert made.peer == "198.18.20.10:104"
    made.socket.close()
    assert accepted.recv(1) == b""
    accepted.close()
    eventually(lambda: len(network._callers) == 0)


def test_a_healthy_link_has_no_relay(network: Network) -> None:
    network.link(CT1, "ROUTER").set(LinkFault(latency_ms=5))
    listener = network.listen(ARCHIVE, 104)
    made = dial(network, CT1, "archive", 104)
    assert made.socket.getpeername() == listener.published
    assert network._relays._thread is None
    made.socket.close()


def test_latency_delays_the_handshake_and_each_way(network: Network) -> None:
    started = time.monotonic()
    ours, theirs = connected(network, LinkFault(latency_ms=40))
    assert time.monotonic() - started >= 0.08
    started = time.monotonic()
    ours.sendall(b"x")
    assert receive(theirs, 1) == b"x"
    assert time.monotonic() - started >= 0.04
    theirs.sendall(b"y")
    assert receive(ours, 1) == b"y"
    assert time.monotonic() - started >= 0.08
    ping = network.ping(CT1, "archive")
    assert ping.ms is not None
    assert ping.ms >= 80
    assert network.ping(CT1, "archive", timeout=0.01).outcome is PingOutcome.TIMED_OUT
    failed = network.probe_port(CT1, "archive", 104, timeout=0.01)
    assert isinstance(failed, DialFailure)
    assert failed.outcome is DialOutcome.TIMED_OUT
    started = time.monotonic()
    data = bytes(16_000_000)
    sending = threading.Thread(target=ours.sendall, args=(data,))
    sending.start()
    receive(theirs, len(data))
    sending.join()
    assert time.monotonic() - started < 8, "latency does not add up over the pieces of a stream"


def test_bandwidth_limits_a_stream(network: Network) -> None:
    ours, theirs = connected(network, LinkFault(bytes_per_s=500_000))
    sending = threading.Thread(target=ours.sendall, args=(bytes(150_000),))
    started = time.monotonic()
    sending.start()
    receive(theirs, 150_000)
    assert 0.25 <= time.monotonic() - started < 20
    sending.join()


def test_clearing_passes_on_what_was_on_its_way(network: Network) -> None:
    ours, theirs = connected(network, LinkFault())
    network.link(CT1, ARCHIVE).set(LinkFault(latency_ms=60_000))
    eventually(lambda: network._relays._pipes[0]._fault == LinkFault(latency_ms=60_000))
    ours.sendall(b"late")
    eventually(lambda: network._relays._pipes[0].carried == 4)
    network.link(CT1, ARCHIVE).clear()
    started = time.monotonic()
    assert receive(theirs, 4) == b"late"
    assert time.monotonic() - started < 10
    theirs.sendall(b"and on")
    assert receive(ours, 6) == b"and on"


def test_a_black_hole_stalls_open_connections_and_new_ones_time_out(network: Network) -> None:
    ours, theirs = connected(network, LinkFault())
    link = network.link(CT1, ARCHIVE)
    link.set(LinkFault(blackhole=Way.BOTH))
    ours.sendall(b"lost?")
    theirs.sendall(b"lost!")
    assert silent(theirs)
    assert silent(ours)
    failed = network.probe_port(CT1, "archive", 104, timeout=0.1)
    assert isinstance(failed, DialFailure)
    assert failed.outcome is DialOutcome.TIMED_OUT
    assert network.ping(CT1, "archive", timeout=0.05).outcome is PingOutcome.TIMED_OUT
    link.clear()
    assert receive(theirs, 5) == b"lost?"
    assert receive(ours, 5) == b"lost!"
    assert isinstance(network.probe_port(CT1, "archive", 104), PortOpen)


@pytest.mark.parametrize("way", [Way.THERE, Way.BACK])
@pytest.mark.parametrize("named_from", [CT1, ARCHIVE])
def test_a_black_hole_in_one_direction(network: Network, way: Way, named_from: str) -> None:
    ours, theirs = connected(network, LinkFault())
    ends = (CT1, ARCHIVE) if named_from == CT1 else (ARCHIVE, CT1)
    network.link(*ends).set(LinkFault(blackhole=way))
    assert network.link(*ends).fault == LinkFault(blackhole=way)
    assert network.link(*reversed(ends)).fault == LinkFault(blackhole=way.reversed())
    ours_is_lost = (way is Way.THERE) == (named_from == CT1)
    ours.sendall(b"a")
    theirs.sendall(b"b")
    lost, kept = (theirs, ours) if ours_is_lost else (ours, theirs)
    assert receive(kept, 1) in (b"a", b"b")
    assert silent(lost)


def test_a_black_hole_after_some_bytes_lets_the_handshake_pass(network: Network) -> None:
    ours, theirs = connected(network, LinkFault(blackhole=Way.THERE, blackhole_after=10))
    ours.sendall(b"0123456789abc")
    assert receive(theirs, 10) == b"0123456789"
    assert silent(theirs)


def test_big_packets_vanish_and_small_ones_pass(network: Network) -> None:
    ours, theirs = connected(network, LinkFault(largest_packet=1400))
    ours.sendall(b"small")
    assert receive(theirs, 5) == b"small"
    ours.sendall(bytes(5000))
    theirs.sendall(b"still here")
    assert receive(ours, 10) == b"still here"
    assert silent(theirs)
    network.link(CT1, ARCHIVE).clear()
    assert receive(theirs, 5000) == bytes(5000)


def test_a_reset_after_some_bytes(network: Network) -> None:
    ours, theirs = connected(network, LinkFault(reset_after=8))
    ours.sendall(b"01234567")
    assert receive(theirs, 8) == b"01234567"
    for end in (ours, theirs):
        with pytest.raises(ConnectionResetError):
            end.recv(1)
    eventually(lambda: network.link(CT1, ARCHIVE).connections == 0)


def test_a_reset_passes_through(network: Network) -> None:
    ours, theirs = connected(network, LinkFault())
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    ours.close()
    with pytest.raises(ConnectionResetError):
        theirs.recv(1)


def test_an_idle_connection_is_forgotten_for_good(network: Network) -> None:
    ours, theirs = connected(network, LinkFault(idle_drop_s=0.15))
    for _ in range(3):
        ours.sendall(b"x")
        assert receive(theirs, 1) == b"x"
    eventually(lambda: network._relays._pipes[0].forgotten)
    ours.sendall(b"after the pause")
    assert silent(theirs)
    network.link(CT1, ARCHIVE).clear()
    assert silent(theirs), "a firewall that forgot a connection does not remember it"
    assert isinstance(network.probe_port(CT1, "archive", 104), PortOpen), "new connections are fine"
    ours.close()
    assert silent(theirs), "not even the end gets through"
    theirs.close()
    eventually(lambda: network.link(CT1, ARCHIVE).connections == 0)


def test_a_connection_is_older_when_time_has_passed(network: Network) -> None:
    ours, theirs = connected(network, LinkFault(idle_drop_s=3600))
    network.let_pass(-7200)
    network.let_pass(60)
    ours.sendall(b"x")
    assert receive(theirs, 1) == b"x"
    network.let_pass(14 * 3600)
    eventually(lambda: network._relays._pipes[0].forgotten)
    ours.sendall(b"good morning")
    assert silent(theirs)


@pytest.mark.parametrize("fault", [LinkFault(blackhole=Way.BOTH), LinkFault(latency_ms=60_000), LinkFault()])
def test_closing_the_network_ends_relayed_connections_at_once(network: Network, fault: LinkFault) -> None:
    ours, theirs = connected(network, LinkFault())
    network.link(CT1, ARCHIVE).set(fault)
    ours.sendall(b"on its way")
    started = time.monotonic()
    network.close()
    assert time.monotonic() - started < 10
    for end in (ours, theirs):
        with contextlib.suppress(ConnectionResetError):
            while end.recv(100):
                pass
    assert time.monotonic() - started < 10


def test_a_relay_that_waits_does_not_spin(network: Network) -> None:
    ours, theirs = connected(network, LinkFault())
    other_ours = dial(network, CT1, "archive", 104)
    network.link(CT1, ARCHIVE).set(LinkFault(blackhole=Way.BOTH, idle_drop_s=30))
    ours.sendall(b"x")
    ours.close()
    other_ours.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    other_ours.socket.close()
    before = time.process_time()
    assert silent(theirs, 0.5)
    assert time.process_time() - before < 0.25


def test_a_dial_over_a_slow_link_ends_with_the_network(network: Network) -> None:
    network.link(CT1, ARCHIVE).set(LinkFault(latency_ms=30_000))
    network.listen(ARCHIVE, 104)
    outcomes: list[object] = []
    waiting = threading.Thread(target=lambda: outcomes.append(network.probe_port(CT1, "archive", 104, timeout=90)))
    waiting.start()
    eventually(lambda: network._dialling.under_way == 1)
    network.close()
    waiting.join(DEADLINE_S)
    assert isinstance(outcomes[0], DialFailure)


def test_links_are_between_two_hosts(network: Network) -> None:
    with pytest.raises(NotFoundError):
        network.link(CT1, "NOBODY")
    with pytest.raises(ConflictError):
        network.link(CT1, CT1).set(LinkFault())


def test_the_whole_state_is_described(network: Network) -> None:
    ours, theirs = connected(network, LinkFault(latency_ms=1))
    network.set_hosts_entry(CT1, "pacs", "198.18.20.10")
    network.power("MR1", on=False)
    network.readdress("ROUTER", "198.18.30.99")
    view = network.describe()
    assert {host.name: (host.vlan, host.is_on) for host in view.hosts} == {
        "CT1": ("imaging", True),
        "MR1": ("imaging", False),
        "ARCHIVE": ("servers", True),
        "ROUTER": ("clinic", True),
        "CLINIC1": ("clinic", True),
    }
    assert [(each.node, each.address, each.port) for each in view.listeners] == [("ARCHIVE", "198.18.20.10", 104)]
    assert network.published_ports() == {"ARCHIVE:104": view.listeners[0].published_port}
    assert [(link.a, link.b, link.fault.latency_ms, link.connections) for link in view.links] == [
        ("ARCHIVE", "CT1", 1, 1)
    ]
    assert view.hosts_tables == {"CT1": {"pacs": "198.18.20.10"}}
    assert view.dns["archive"] == "198.18.20.10"
    assert type(view).model_validate_json(view.model_dump_json()) == view
    ours.close()
    theirs.close()


def test_cutting_a_link_ends_what_nothing_carries(network: Network) -> None:
    listener, other = network.listen(ARCHIVE, 104), network.listen("ROUTER", 104)
    cut, kept = dial(network, CT1, "archive", 104), dial(network, CT1, "router", 104)
    cut_there, kept_there = accept(listener), accept(other)
    assert network.link(ARCHIVE, CT1).cut() == 1
    assert cut.socket.recv(1) == b""
    assert cut_there.recv(1) == b""
    kept.socket.sendall(b"x")
    assert receive(kept_there, 1) == b"x"
    for sock in (cut.socket, cut_there, kept.socket, kept_there):
        sock.close()
    assert network.link("ROUTER", CT1).cut() == 0
