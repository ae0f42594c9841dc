"""What a node tells of itself: hostname, ip, ss, date, ntpq, df. Nothing of the real machine is ever shown."""

from __future__ import annotations

from typing import ClassVar

from sandbox.archive.volumes import volumes
from sandbox.lab.terminal.options import Arguments, Option
from sandbox.lab.terminal.program import SUCCESS, Program
from sandbox.lab.terminal.shell import Shell
from sandbox.model.view import NodeState
from sandbox.nodes.archive_node import ArchiveNode

GROUP = "This node"
MOST_STORIES = 400


class Hostname(Program):
    """Say what this host is called."""

    name = "hostname"
    group: ClassVar[str] = GROUP
    options: ClassVar[tuple[Option, ...]] = (
        Option(("-f",), "with the domain"),
        Option(("-I", "-i"), "its address"),
    )

    def run(self, shell: Shell, given: Arguments) -> int:
        name, network = shell.node.name.lower(), shell.lab.department.network
        if "-I" in given:
            shell.print(network.address_of(shell.node.name))
        else:
            shell.print(f"{name}.{network.topology.plan.domain}" if "-f" in given else name)
        return SUCCESS


class Ip(Program):
    """Show the address of this host, its subnet and its gateway."""

    name = "ip"
    aliases: ClassVar[tuple[str, ...]] = ("ipconfig", "ifconfig")
    usage: ClassVar[str] = "[addr | route]"
    group: ClassVar[str] = GROUP
    examples: ClassVar[tuple[str, ...]] = ("ip addr", "ip route")

    def run(self, shell: Shell, given: Arguments) -> int:
        network = shell.lab.department.network
        address, vlan = network.address_of(shell.node.name), network.vlan_of(shell.node.name)
        prefix = vlan.subnet.prefixlen if vlan is not None else 32
        what = given.rest[0] if given.rest else "addr"
        if "addr".startswith(what) or what.startswith("a") or what == "all":
            shell.print("1: lo: <LOOPBACK,UP>\n    inet 127.0.0.1/8 scope host lo")
            shell.print(f"2: eth0: <BROADCAST,MULTICAST,UP>\n    inet {address}/{prefix} scope global eth0")
            shell.print(
                f"    vlan {vlan.number} ({vlan.name})" if vlan is not None else "    in no VLAN of the department"
            )
        if what.startswith("r") or not given.rest:
            if vlan is not None:
                shell.print(f"default via {vlan.subnet[1]} dev eth0\n{vlan.subnet} dev eth0 scope link src {address}")
            else:
                shell.print(f"{address} dev eth0 scope link (no gateway)")
        return SUCCESS


class Ss(Program):
    """Show the ports on which this node listens, and the associations that are open with it."""

    name = "ss"
    aliases: ClassVar[tuple[str, ...]] = ("netstat",)
    group: ClassVar[str] = GROUP
    options: ClassVar[tuple[Option, ...]] = tuple(
        Option((f"-{letter}",), what)
        for letter, what in (
            ("l", "only listening ports"),
            ("t", "TCP (there is nothing else)"),
            ("n", "taken, and without effect"),
            ("a", "all (always so without -l)"),
            ("p", "with the AE titles"),
            ("o", "taken, and without effect"),
            ("b", "taken, and without effect"),
        )
    )
    examples: ClassVar[tuple[str, ...]] = ("ss -tlnp", "netstat -an")

    def run(self, shell: Shell, given: Arguments) -> int:
        lab, node = shell.lab, shell.node
        seen = lab.department.network.describe()
        shell.print(f"{'State':<8} {'Local Address:Port':<24} {'Peer Address:Port':<24} AE titles")
        for listener in seen.listeners:
            if listener.node == node.name:
                local = f"{listener.address}:{listener.port}"
                shell.print(f"{'LISTEN':<8} {local:<24} {'0.0.0.0:*':<24} {node.running.ae_title}")
        if "-l" in given:
            return SUCCESS
        if lab.attempt is not None:
            lab.attempt.opened("association", node.name)
        hidden = lab.hides_later
        for story in lab.associations.newest(
            limit=MOST_STORIES, node=node.name, show=lambda event: not (hidden and event.is_for_later)
        ):
            if story.outcome not in ("accepted", "requested"):
                continue
            source, target = story.addresses
            local, peer = (source, target) if story.source == node.name else (target, source)
            facts = story.facts
            # TCP is up before anything is asked over it, so an association without an answer is established too.
            shell.print(f"{'ESTAB':<8} {local or '?':<24} {peer or '?':<24} {facts.calling_ae} -> {facts.called_ae}")
        return SUCCESS


class Date(Program):
    """Show the date and time that this node believes in."""

    name = "date"
    aliases: ClassVar[tuple[str, ...]] = ("time",)
    group: ClassVar[str] = GROUP

    def run(self, shell: Shell, given: Arguments) -> int:  # noqa: ARG002
        shell.print(f"{shell.node.now():%a %d %b %Y %H:%M:%S}")
        return SUCCESS


class Ntpq(Program):
    """Compare this node's clock with the department's time server."""

    name = "ntpq"
    aliases: ClassVar[tuple[str, ...]] = ("w32tm", "chronyc", "timedatectl")
    group: ClassVar[str] = GROUP
    options: ClassVar[tuple[Option, ...]] = (Option(("-p",), "the servers and how far off they are"),)

    def run(self, shell: Shell, given: Arguments) -> int:  # noqa: ARG002
        offset = (shell.lab.clock.now() - shell.node.now()).total_seconds()
        domain = shell.lab.department.network.topology.plan.domain
        mark = "*" if abs(offset) < 1 else " "
        shell.print(f"     {'remote':<28} {'st':>2} {'reach':>5} {'offset (s)':>12}")
        shell.print(f"{mark}    {f'time.{domain}':<28} {2:>2} {377:>5} {offset:>12.1f}")
        if abs(offset) >= 1:
            ahead = "behind" if offset > 0 else "ahead of"
            shell.print(f"This clock is {abs(offset):.0f} s {ahead} the time server.")
        return SUCCESS


class Df(Program):
    """Show how full this node's disks are, and whether they are mounted."""

    name = "df"
    group: ClassVar[str] = GROUP
    options: ClassVar[tuple[Option, ...]] = (Option(("-h",), "sizes that people can read (always so here)"),)

    def run(self, shell: Shell, given: Arguments) -> int:  # noqa: ARG002
        node, store = shell.node, shell.node.store
        shell.print(f"{'Filesystem':<16} {'Size':>12} {'Used':>12} {'Free':>12} {'Use%':>5}  Mounted on")
        used = 0 if store is None else store.size()
        quota = int(getattr(node.running, "quota_gb", 0.0) * 1e9)
        size, free = (_megabytes(quota), _megabytes(max(0, quota - used))) if quota else ("ample", "ample")
        share = f"{used * 100 // quota}%" if quota else "-"
        shell.print(f"{'online':<16} {size:>12} {_megabytes(used):>12} {free:>12} {share:>5}  /images")
        if isinstance(node, ArchiveNode):
            for volume in volumes(node.administration.archive.bench):
                where = "mounted" if volume.is_mounted else f"NOT MOUNTED: {volume.files} files out of reach"
                shell.print(f"{volume.name:<16} {'-':>12} {_megabytes(volume.size):>12} {'-':>12} {'-':>5}  {where}")
        return SUCCESS


class Status(Program):
    """Say how this node is: running or not, and what its own report is."""

    name = "status"
    aliases: ClassVar[tuple[str, ...]] = ("systemctl", "service")
    group: ClassVar[str] = GROUP

    def run(self, shell: Shell, given: Arguments) -> int:  # noqa: ARG002
        view = shell.node.view()
        shell.print(f"{view.name} ({view.ae_title}) is {view.state}: {view.sentence}")
        if view.needs_restart:
            shell.print("Its saved configuration differs from the one it runs with: a restart takes it over.")
        return SUCCESS if view.state is NodeState.RUNNING else 3


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
