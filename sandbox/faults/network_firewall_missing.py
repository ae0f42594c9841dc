"""A firewall that lost a rule: what it allowed falls to the default and is dropped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from sandbox.faults.fault import Fault, Undo
from sandbox.model.config import NodeConfig
from sandbox.model.errors import NotFoundError
from sandbox.network.plan import ANY
from sandbox.nodes.department import Department


class FirewallRuleMissing(Fault):
    """``network.firewall_missing``: every rule from ``source`` to ``target`` for ``port`` (none: all ports) is gone.

    Where the default is to drop, callers time out; nothing is refused. Seen from outside: ``echoscu`` against the
    published port of the target answers, since it comes another way; a C-MOVE (``movescu -aem``) across the firewall
    fails in its sub-operations. Mended by: ``network.firewall.add`` of a rule that is as narrow as the old one.
    """

    kind = "network.firewall_missing"
    symptoms: ClassVar[tuple[str, ...]] = (
        "Connections one way across the firewall time out, while the other way works.",
        "A workstation can search, but what it retrieves never arrives.",
    )

    source: str = ANY
    target: str = ANY
    port: int | None = Field(None, ge=1, le=65535)

    def nodes(self) -> tuple[str, ...]:
        return ()

    def explanation(self) -> str:
        port = "all ports" if self.port is None else f"port {self.port}"
        return (
            f"The firewall's rule from {self.source} to {self.target}, {port}, had gone. Replies to connections that "
            f"{self.target} opens still pass, for a firewall remembers them; connections that {self.source} opens do "
            "not, and a dropped packet is answered by nobody."
        )

    def try_on(self, configs: Mapping[str, NodeConfig]) -> None:
        del configs

    def break_it(self, department: Department) -> Undo:
        network = department.network
        before = network.rules
        gone = [
            (number, rule)
            for number, rule in enumerate(before)
            if (rule.source, rule.target, rule.port) == (self.source, self.target, self.port)
        ]
        if not gone:
            wanted = f"{self.source} to {self.target}, {'all ports' if self.port is None else f'port {self.port}'}"
            raise NotFoundError(
                f"The firewall has no rule from {wanted}.", f"Its rules: {'; '.join(map(str, before)) or 'none'}."
            )
        network.set_rules([rule for rule in before if rule not in [lost for _, lost in gone]])

        def undo() -> None:
            for number, rule in gone:
                if rule not in network.rules:
                    network.add_rule(rule, min(number, len(network.rules)))

        return undo
