"""Names lead to where they should: whoever calls a node by its name finds it, also those who are entered next year."""

from __future__ import annotations

from sandbox.checks.check import Check, Judgement, failed, passed
from sandbox.checks.memory import Memory
from sandbox.checks.names import Names, said
from sandbox.nodes.department import Department


class NameResolves(Check):
    """``name_resolves``: from each ``node``, the short and the full name of each ``of`` resolve to where that host is.

    Addresses written into AE tables do not help here: the name itself must be right.
    """

    kind = "name_resolves"

    node: Names
    of: Names

    def claim(self) -> str:
        return f"The name of {said(self.of)} leads to the right host."

    def nodes(self) -> tuple[str, ...]:
        return (*self.node, *self.of)

    def judge(self, department: Department, memory: Memory) -> Judgement:
        del memory
        network = department.network
        for node in self.node:
            for target in self.of:
                address = network.address_of(target)
                for name in (target.lower(), f"{target}.{department.domain}".lower()):
                    found = network.resolve(node, name)
                    if found.address != address:
                        seen = f"is {found.address}" if found.found else "is not known"
                        source = f" ({found.source})" if found.found else ""
                        return failed(f"On {node}, {name} {seen}{source}; {target} is {address}.")
        return passed(f"{said(self.node)} {'finds' if len(self.node) == 1 else 'find'} {said(self.of)} by name.")
