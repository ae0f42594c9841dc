"""Whether others can be reached: ping, traceroute, nc, telnet, Test-NetConnection. All as the node sees its network."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import ClassVar

from sandbox.lab.terminal.options import Arguments, Option, UsageError
from sandbox.lab.terminal.program import FAILURE, SUCCESS, Program
from sandbox.lab.terminal.shell import Shell
from sandbox.model.association import DialFailure, DialOutcome
from sandbox.network.views import PingOutcome, PingResult, PortOpen

PAYLOAD = 56
BETWEEN_S = 0.2
"""Seconds between two pings; a real one waits for a whole second, which nobody learns from."""


class NetworkTool(Program):
    """The base of tools that look at the network."""

    group: ClassVar[str] = "Network"
    takes_files: ClassVar[bool] = False

    def host(self, given: Arguments) -> str:
        """The first parameter, which names a host."""
        if not given.rest:
            raise UsageError("say which host")
        return given.rest[0][:253]

    def ping_once(self, shell: Shell, host: str, timeout: float) -> PingResult:
        """One echo request from the node."""
        shell.screen.check()
        return shell.lab.department.network.ping(shell.node.name, host, timeout)

    def try_port(self, shell: Shell, host: str, port: int, timeout: float) -> PortOpen | DialFailure:
        """Connect to a port from the node, and close at once."""
        node = shell.node
        dialler = node.context.network.dialler(node.name)
        shell.screen.when_cancelled(lambda reason: dialler.close())
        made = dialler.dial(host, port, timeout=timeout)
        shell.screen.check()
        if isinstance(made, DialFailure):
            return made
        made.socket.close()
        return PortOpen(host=host, port=port, address=made.peer.rpartition(":")[0], ms=0)


class Ping(NetworkTool):
    """Ask a host whether it is on (ICMP echo). It says nothing of the programs that should run there."""

    name = "ping"
    usage: ClassVar[str] = "host"
    options: ClassVar[tuple[Option, ...]] = (
        Option(("-c", "-n"), "how many (default: 4)", ("number",)),
        Option(("-W", "-w"), "how long each is waited for, in seconds (default: 1)", ("seconds",)),
    )
    examples: ClassVar[tuple[str, ...]] = ("ping {host}",)

    def run(self, shell: Shell, given: Arguments) -> int:
        host, times, waits = self.host(given), given.number("-c", 4, 1, 20), given.number("-W", 1, 1, 10)
        answers: list[float] = []
        for number in range(1, times + 1):
            answer = self.ping_once(shell, host, waits)
            if answer.outcome is PingOutcome.UNKNOWN_HOST:
                shell.print(f"ping: {host}: Name or service not known")
                return 2
            if number == 1:
                shell.print(f"PING {host} ({answer.address}) {PAYLOAD}({PAYLOAD + 28}) bytes of data.")
            if answer.outcome is PingOutcome.REPLY and answer.ms is not None:
                answers.append(answer.ms)
                shell.print(
                    f"{PAYLOAD + 8} bytes from {answer.address}: icmp_seq={number} ttl=64 time={answer.ms:.2f} ms"
                )
            elif answer.outcome is PingOutcome.UNREACHABLE:
                shell.print(f"From {self._own(shell)} icmp_seq={number} Destination Host Unreachable")
            if number < times and answer.outcome is PingOutcome.REPLY:
                shell.screen.wait(BETWEEN_S)
        lost = round(100 * (times - len(answers)) / times)
        shell.print(f"\n--- {host} ping statistics ---")
        shell.print(f"{times} packets transmitted, {len(answers)} received, {lost}% packet loss")
        if answers:
            average = sum(answers) / len(answers)
            shell.print(f"rtt min/avg/max = {min(answers):.3f}/{average:.3f}/{max(answers):.3f} ms")
        return SUCCESS if answers else FAILURE

    def _own(self, shell: Shell) -> str:
        return shell.lab.department.network.address_of(shell.node.name)


class Traceroute(NetworkTool):
    """Show the routers on the way to a host. Inside a VLAN there are none; between VLANs there is the firewall."""

    name = "traceroute"
    aliases: ClassVar[tuple[str, ...]] = ("tracert", "tracepath")
    usage: ClassVar[str] = "host"
    options: ClassVar[tuple[Option, ...]] = (Option(("-n", "-d"), "taken, and without effect"),)
    examples: ClassVar[tuple[str, ...]] = ("traceroute {host}",)

    def run(self, shell: Shell, given: Arguments) -> int:
        host, network = self.host(given), shell.lab.department.network
        address = network.resolve(shell.node.name, host).address
        if not address:
            shell.print(f"{host}: Name or service not known\nCannot handle 'host' cmdline arg '{host}'")
            return 2
        shell.print(f"traceroute to {host} ({address}), 30 hops max, 60 byte packets")
        hop = 1
        own, theirs = network.vlan_of(shell.node.name), self._vlan(shell, address)
        if own is not None and own.name != theirs:
            shell.print(f"{hop:>2}  {own.subnet[1]}  0.2 ms")
            hop += 1
        answer = self.ping_once(shell, host, 2.0)
        if answer.outcome is PingOutcome.REPLY:
            shell.print(f"{hop:>2}  {host} ({answer.address})  {answer.ms:.1f} ms")
            return SUCCESS
        for number in range(hop, hop + 3):
            shell.print(f"{number:>2}  * * *")
        shell.print(f"Nobody answers behind hop {hop - 1}." if hop > 1 else "Nobody answers.")
        return FAILURE

    def _vlan(self, shell: Shell, address: str) -> str:
        hosts = shell.lab.department.network.describe()
        parts = [vlan.name for vlan in hosts.vlans if _inside(address, str(vlan.subnet))]
        return parts[0] if parts else ""


class Nc(NetworkTool):
    """Try whether a TCP port takes connections: nc -vz host port. Nothing is said on the connection."""

    name = "nc"
    aliases: ClassVar[tuple[str, ...]] = ("netcat",)
    usage: ClassVar[str] = "host port..."
    options: ClassVar[tuple[Option, ...]] = (
        Option(("-v",), "say what happens"),
        Option(("-z",), "only look whether it is open (always so in this terminal)"),
        Option(("-w",), "how long it is waited for, in seconds (default: 5)", ("seconds",)),
        Option(("-n",), "taken, and without effect"),
    )
    examples: ClassVar[tuple[str, ...]] = ("nc -vz {host} {port}",)

    def run(self, shell: Shell, given: Arguments) -> int:
        host, waits = self.host(given), given.number("-w", 5, 1, 60)
        if len(given.rest) < 2:
            raise UsageError("say which port")
        status = SUCCESS
        for port in (port for text in given.rest[1:] for port in _ports(text)):
            answer = self.try_port(shell, host, port, waits)
            if isinstance(answer, PortOpen):
                shell.print(f"Connection to {host} ({answer.address}) {port} port [tcp/{_service(port)}] succeeded!")
                continue
            status = FAILURE
            if answer.outcome is DialOutcome.UNKNOWN_HOST:
                shell.print(f"nc: getaddrinfo for host {host!r} port {port}: Name or service not known")
                return FAILURE
            shell.print(f"nc: connect to {host} ({answer.address}) port {port} (tcp) failed: {ERRNO[answer.outcome]}")
        return status


class Telnet(NetworkTool):
    """Connect to a TCP port, as people try it who have only telnet. The connection is closed again at once."""

    name = "telnet"
    usage: ClassVar[str] = "host port"
    examples: ClassVar[tuple[str, ...]] = ("telnet {host} {port}",)

    def run(self, shell: Shell, given: Arguments) -> int:
        host = self.host(given)
        port = _port(given.rest[1] if len(given.rest) > 1 else "23")
        answer = self.try_port(shell, host, port, 20.0)
        if isinstance(answer, DialFailure) and answer.outcome is DialOutcome.UNKNOWN_HOST:
            shell.print(f"telnet: could not resolve {host}/{port}: Name or service not known")
            return FAILURE
        shell.print(f"Trying {answer.address}...")
        if isinstance(answer, DialFailure):
            shell.print(f"telnet: Unable to connect to remote host: {ERRNO[answer.outcome]}")
            return FAILURE
        shell.print(
            f"Connected to {host}.\nEscape character is '^]'.\n(closed again: nothing can be typed into it here)"
        )
        return SUCCESS


class TestNetConnection(NetworkTool):
    """Windows' way to try a port: Test-NetConnection host -Port 104."""

    name = "Test-NetConnection"
    aliases: ClassVar[tuple[str, ...]] = ("tnc", "test-netconnection")
    usage: ClassVar[str] = "host"
    options: ClassVar[tuple[Option, ...]] = (
        Option(("-Port", "-port"), "the TCP port to try", ("port",)),
        Option(("-ComputerName", "-computername"), "the host", ("host",)),
    )
    examples: ClassVar[tuple[str, ...]] = ("Test-NetConnection {host} -Port {port}",)

    def run(self, shell: Shell, given: Arguments) -> int:
        host = given.value("-ComputerName") or self.host(given)
        own = shell.lab.department.network.address_of(shell.node.name)
        if "-Port" not in given:
            answer = self.ping_once(shell, host, 2.0)
            is_there = answer.outcome is PingOutcome.REPLY
            facts = {
                "ComputerName": host,
                "RemoteAddress": answer.address,
                "SourceAddress": own,
                "PingSucceeded": str(is_there),
            }
        else:
            port = _port(given.value("-Port"))
            tried = self.try_port(shell, host, port, 20.0)
            is_there = isinstance(tried, PortOpen)
            if not is_there:
                shell.print(f"WARNING: TCP connect to ({tried.address or host} : {port}) failed")
            facts = {
                "ComputerName": host,
                "RemoteAddress": tried.address,
                "RemotePort": str(port),
                "SourceAddress": own,
                "TcpTestSucceeded": str(is_there),
            }
        shell.print()
        for name, value in facts.items():
            shell.print(f"{name:<16} : {value}")
        return SUCCESS if is_there else FAILURE


ERRNO = {
    DialOutcome.REFUSED: "Connection refused",
    DialOutcome.TIMED_OUT: "Connection timed out",
    DialOutcome.UNREACHABLE: "No route to host",
    DialOutcome.RESET: "Connection reset by peer",
    DialOutcome.UNKNOWN_HOST: "Name or service not known",
}
"""What the system calls say of each way in which a connection fails."""

_SERVICES = {104: "acr-nema", 443: "https", 80: "http", 2762: "dicom-tls", 11112: "dicom", 8080: "http-alt", 22: "ssh"}
MOST_PORTS = 20


def _service(port: int) -> str:
    return _SERVICES.get(port, "*")


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= 65535):
        raise UsageError(f"{text[:40]!r} is no TCP port; 1 to 65535 are")
    return int(text)


def _ports(text: str) -> list[int]:
    """ "104", or "100-110"."""
    first, dash, last = text.partition("-")
    low = _port(first)
    high = _port(last) if dash else low
    if high - low >= MOST_PORTS:
        raise UsageError(f"at most {MOST_PORTS} ports at a time")
    return list(range(low, high + 1))


def _inside(address: str, subnet: str) -> bool:
    return ip_address(address) in ip_network(subnet)
