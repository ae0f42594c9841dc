"""Names and addresses: nslookup, host, dig. They ask the DNS; programs of the node ask its own hosts table first."""

from __future__ import annotations

from typing import ClassVar

from sandbox.lab.terminal.options import Arguments, Option
from sandbox.lab.terminal.program import FAILURE, SUCCESS
from sandbox.lab.terminal.programs.reach import NetworkTool
from sandbox.lab.terminal.shell import Shell
from sandbox.network.views import NetworkView


class Lookup(NetworkTool):
    """The base of tools that ask the DNS server and nothing else, as the real ones do."""

    usage: ClassVar[str] = "name"

    def ask(self, shell: Shell, given: Arguments) -> tuple[str, str, NetworkView]:
        """Name in full, its address in the DNS (empty: not known), and the network."""
        name = self.host(given).rstrip(".").lower()
        seen = shell.lab.department.network.describe()
        for candidate in (name, f"{name}.{seen.domain}".lower()):
            if candidate in seen.dns:
                return candidate, seen.dns[candidate], seen
        return name, "", seen

    def reverse(self, address: str, seen: NetworkView) -> list[str]:
        """Names in the DNS that stand for an address."""
        return sorted(name for name, found in seen.dns.items() if found == address)

    def remind(self, shell: Shell, name: str, address: str) -> None:
        """Say so where programs of this node get another answer, because of its hosts table."""
        found = shell.lab.department.network.resolve(shell.node.name, name)
        if found.source == "hosts table" and found.address != address:
            shell.print(
                f"(Programs on {shell.node.name} use {found.address}: /etc/hosts comes before the DNS. cat /etc/hosts)"
            )


class NsLookup(Lookup):
    """Ask the DNS server for the address of a name, or for the names of an address."""

    name = "nslookup"
    examples: ClassVar[tuple[str, ...]] = ("nslookup {host}",)

    def run(self, shell: Shell, given: Arguments) -> int:
        name, address, seen = self.ask(shell, given)
        shell.print(f"Server:\t\tdns.{seen.domain}\n")
        names = self.reverse(name, seen)
        if not address and names:
            for one in names:
                shell.print(f"{name}\tname = {one}.")
            return SUCCESS
        if not address:
            shell.print(f"** server can't find {name}: NXDOMAIN")
            self.remind(shell, name, "")
            return FAILURE
        shell.print(f"Name:\t{name}\nAddress: {address}")
        self.remind(shell, name, address)
        return SUCCESS


class HostCommand(Lookup):
    """Ask the DNS server for the address of a name, in one line."""

    name = "host"
    examples: ClassVar[tuple[str, ...]] = ("host {host}",)

    def run(self, shell: Shell, given: Arguments) -> int:
        name, address, seen = self.ask(shell, given)
        names = self.reverse(name, seen)
        if not address and not names:
            shell.print(f"Host {name} not found: 3(NXDOMAIN)")
            self.remind(shell, name, "")
            return FAILURE
        for one in names:
            shell.print(f"{name} domain name pointer {one}.")
        if address:
            shell.print(f"{name} has address {address}")
            self.remind(shell, name, address)
        return SUCCESS


class Dig(Lookup):
    """Ask the DNS server and show its whole answer."""

    name = "dig"
    options: ClassVar[tuple[Option, ...]] = (Option(("-x",), "the names of an address", ("address",)),)
    examples: ClassVar[tuple[str, ...]] = ("dig {host}", "dig +short {host}")

    def run(self, shell: Shell, given: Arguments) -> int:
        short = "+short" in given.rest
        rest = tuple(word for word in given.rest if not word.startswith("+") and word.upper() not in ("A", "ANY"))
        if "-x" in given:
            rest = (given.value("-x"), *rest)
        name, address, seen = self.ask(shell, Arguments(rest, given.given))
        names = self.reverse(name, seen)
        answers = [f"{name}.\t\t3600\tIN\tA\t{address}"] if address else []
        answers += [f"{name}\t\t3600\tIN\tPTR\t{one}." for one in names]
        if short:
            for line in [address] if address else names:
                shell.print(line)
            return SUCCESS
        status = "NOERROR" if answers else "NXDOMAIN"
        shell.print(f";; ->>HEADER<<- opcode: QUERY, status: {status}\n;; QUESTION SECTION:\n;{name}.\t\tIN\tA")
        if answers:
            shell.print(";; ANSWER SECTION:")
            for line in answers:
                shell.print(line)
        shell.print(f";; SERVER: dns.{seen.domain}")
        return SUCCESS
