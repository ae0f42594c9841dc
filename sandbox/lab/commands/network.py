"""The network between the nodes: firewall rules and DNS, as the network colleague would change them on request."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from sandbox.lab.command import Command
from sandbox.lab.network_changes import network_noted
from sandbox.model.config import shown
from sandbox.model.errors import BadInputError, NotFoundError
from sandbox.model.view import CommandResult
from sandbox.network.plan import ANY, Action, FirewallRule

if TYPE_CHECKING:
    from sandbox.lab.lab import Lab

_ENDS = "A VLAN, a host, an address, a subnet, any or outside."


class _Rule(Command):
    source: str = Field(ANY, **shown("From", _ENDS))
    target: str = Field(ANY, **shown("To", _ENDS))
    port: int | None = Field(None, ge=1, le=65535, **shown("Port", "Empty: every port, and ping."))
    action: Action = Field(Action.ALLOW, **shown("Action", "drop says nothing, reject answers at once."))

    def matches(self, rule: FirewallRule) -> bool:
        return (rule.source, rule.target, rule.port, rule.action) == (
            self.source,
            self.target,
            self.port,
            self.action,
        )


class FirewallAdd(_Rule):
    """Add a rule to the firewall between the VLANs. The first rule that matches a connection decides."""

    name = "network.firewall.add"
    title: ClassVar[str] = "Add firewall rule"

    note: str = Field("", max_length=120, **shown("Note"))
    position: int = Field(1, ge=1, **shown("Position", "Where in the list; 1 is tried first."))

    def run(self, lab: Lab, /) -> CommandResult:
        rule = FirewallRule(source=self.source, target=self.target, port=self.port, action=self.action, note=self.note)
        with network_noted(lab):
            lab.department.network.add_rule(rule, min(self.position - 1, len(lab.department.network.rules)))
        return CommandResult(ok=True, sentence=f"Firewall rule added: {rule}.")


class FirewallRemove(_Rule):
    """Remove a rule from the firewall. All four of from, to, port and action must be those of the rule."""

    name = "network.firewall.remove"
    title: ClassVar[str] = "Remove firewall rule"

    def run(self, lab: Lab, /) -> CommandResult:
        network = lab.department.network
        found = next((rule for rule in network.rules if self.matches(rule)), None)
        if found is None:
            wanted = FirewallRule(source=self.source, target=self.target, port=self.port, action=self.action)
            rules = "; ".join(str(rule) for rule in network.rules)
            raise NotFoundError(f'The firewall has no rule "{wanted}".', f"Its rules: {rules or 'none'}.")
        with network_noted(lab):
            network.remove_rule(found)
        return CommandResult(ok=True, sentence=f"Firewall rule removed: {found}.")


class DnsSet(Command):
    """Enter, change or remove a name in the department's DNS."""

    name = "network.dns.set"
    title: ClassVar[str] = "Change DNS"

    # "name" among the parameters; the class attribute of that name is the command's own.
    host: str = Field(
        alias="name", min_length=1, max_length=253, **shown("Name", "Host name, with or without the domain.")
    )
    address: str = Field("", max_length=45, **shown("Address", "Empty removes the name."))

    def run(self, lab: Lab, /) -> CommandResult:
        network = lab.department.network
        if not self.address and self.host.lower() not in network.topology.dns:
            raise BadInputError(f"DNS does not have the name {self.host!r}.", "Enter the name as DNS has it.")
        with network_noted(lab):
            network.set_dns(self.host, self.address or None)
        done = f"{self.host} is now {self.address}" if self.address else f"{self.host} is no longer known"
        return CommandResult(ok=True, sentence=f"DNS: {done}.")
