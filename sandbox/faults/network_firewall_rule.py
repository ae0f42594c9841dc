"""A firewall that was changed: a rule too many, which stops what should pass."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from sandbox.faults.fault import Fault, Undo
from sandbox.model.config import NodeConfig
from sandbox.network.plan import ANY, Action, FirewallRule
from sandbox.nodes.department import Department


class FirewallRuleAdded(Fault):
    """``network.firewall_rule``: somebody put a rule into the firewall at ``position`` (1 is tried first).

    ``source`` and ``target`` are a VLAN, a host, an address, a subnet, "any" or "outside"; no ``port`` means all, ping
    included. "drop" lets callers wait, "reject" refuses at once; "allow" opens what was shut. Inside a VLAN nothing is
    filtered. Seen from outside: ``echoscu`` against the published port of the target answers, since it comes another
    way; a C-MOVE (``movescu -aem``) across the firewall fails. Mended by: ``network.firewall.remove``, or by
    ``network.firewall.add`` of a narrow rule before it.
    """

    kind = "network.firewall_rule"
    symptoms: ClassVar[tuple[str, ...]] = (
        "Connections one way across the firewall time out (drop) or are refused at once (reject).",
        "The other way they work, as does all that stays inside a VLAN.",
    )

    source: str = ANY
    target: str = ANY
    port: int | None = Field(None, ge=1, le=65535)
    action: Action = Action.DROP
    position: int = Field(1, ge=1)
    note: str = Field("", max_length=120)

    @property
    def rule(self) -> FirewallRule:
        return FirewallRule(source=self.source, target=self.target, port=self.port, action=self.action, note=self.note)

    def nodes(self) -> tuple[str, ...]:
        return ()

    def explanation(self) -> str:
        why = f" ({self.note})" if self.note else ""
        seen = {
            Action.DROP: "Dropped packets look like a host that is off: the caller waits for its own timeout.",
            Action.REJECT: "A rejected connection looks like a port on which nobody listens: it fails at once.",
            Action.ALLOW: "Nothing failed for it, and that is why nobody noticed.",
        }[self.action]
        return f'The firewall had a rule too many{why}: "{self.rule}", tried as number {self.position}. {seen}'

    def try_on(self, configs: Mapping[str, NodeConfig]) -> None:
        del configs

    def break_it(self, department: Department) -> Undo:
        network = department.network
        network.add_rule(self.rule, min(self.position - 1, len(network.rules)))

        def undo() -> None:
            if self.rule in network.rules:
                network.remove_rule(self.rule)

        return undo
