"""Nobody gets in who did not get in before: tried with every title of the department, and with strangers."""

from __future__ import annotations

from typing import Any

from sandbox.checks.callers import call, right_title, unlisted_title
from sandbox.checks.check import Check, Judgement, failed, passed, unclear
from sandbox.checks.memory import Memory
from sandbox.checks.names import counted, said
from sandbox.nodes.department import Department

Accepted = dict[str, list[str]]


class CallersNotWidened(Check):
    """``callers_not_widened``: each node of ``node`` (empty: every one) accepts no caller that it refused at first.

    Judged by behaviour: each AE title of the department and two made-up ones ask for an association. Being stricter
    than at the start is no harm here.
    """

    kind = "callers_not_widened"

    node: tuple[str, ...] = ()

    def claim(self) -> str:
        where = said(self.node, "or") if self.node else "any node"
        return f"Nobody may call {where} who could not at the start."

    def nodes(self) -> tuple[str, ...]:
        return self.node

    def baseline(self, department: Department) -> Any:
        return self._accepted(department)[0]

    def judge(self, department: Department, memory: Memory) -> Judgement:
        before: Accepted | None = memory.baselines.get(self.name)
        if before is None:
            return unclear("It was not noted at the start who may call whom.")
        now, evidence = self._accepted(department)
        wider = {node: sorted(set(titles) - set(before.get(node, []))) for node, titles in now.items()}
        wider = {node: titles for node, titles in wider.items() if titles}
        if wider:
            node, titles = next(iter(wider.items()))
            sentence = f"{node} lets in {said(titles)}, which it refused at the start."
            facts = tuple(f"{other}: {', '.join(more)}" for other, more in wider.items())
            return failed(sentence, evidence, facts)
        return passed(f"{counted(len(now), 'node')} tried: nobody gets in who did not get in before.", evidence)

    def _accepted(self, department: Department) -> tuple[Accepted, tuple[int, ...]]:
        titles = {node.running.ae_title for node in department.nodes.values()}
        titles |= {unlisted_title(department, 3), unlisted_title(department, 4)}
        accepted: Accepted = {}
        evidence: list[int] = []
        for name in self.node or tuple(department.nodes):
            accepted[name] = []
            for title in sorted(titles):
                answer = call(department, name, calling_ae=title, called_ae=right_title(department, name))
                evidence.extend(answer.evidence if answer.accepted else ())
                if answer.accepted:
                    accepted[name].append(title)
        return accepted, tuple(evidence)
