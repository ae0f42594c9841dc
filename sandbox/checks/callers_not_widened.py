"""Nobody gets in who did not get in before: tried with every title of the department, and with strangers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sandbox.checks.callers import call, right_title, unlisted_title
from sandbox.checks.check import Check, Judgement, failed, passed, unclear
from sandbox.checks.memory import Memory
from sandbox.checks.names import counted, said
from sandbox.nodes.department import Department

Titles = Mapping[str, Iterable[str]]


class CallersNotWidened(Check):
    """``callers_not_widened``: each node of ``node`` accepts no caller that it refused when healthy.

    Empty means every node but the modalities, which hold nothing that a stranger could take. Judged by behaviour: each
    AE title of the department, each that was entered since, and two made-up ones ask for an association. Being stricter
    than before is no harm here.
    """

    kind = "callers_not_widened"

    node: tuple[str, ...] = ()

    def claim(self) -> str:
        where = said(self.node, "or") if self.node else "the router, the archive and the workstations"
        return f"Nobody may call {where} who could not before."

    def nodes(self) -> tuple[str, ...]:
        return self.node

    def baseline(self, department: Department) -> Any:
        """By node, the titles that it refused, and those that it accepted or had in its AE table."""
        titles = self._titles(department)
        accepted, _ = _accepted(department, dict.fromkeys(self._asked(department), titles))
        return {
            node: {
                "refused": [title for title in titles if title not in accepted[node]],
                "known": sorted({*accepted[node], *_listed(department, node)}),
            }
            for node in accepted
        }

    def judge(self, department: Department, memory: Memory) -> Judgement:
        before: Mapping[str, Mapping[str, list[str]]] | None = memory.baselines.get(self.name)
        if before is None:
            return unclear("It was not noted beforehand who may call whom.")
        # A title that was entered since is asked for too: one line more is one caller more, whoever goes by it.
        asked = {
            node: sorted({*noted["refused"], *_listed(department, node)} - set(noted["known"]))
            for node, noted in before.items()
        }
        wider, evidence = _accepted(department, asked)
        wider = {node: titles for node, titles in wider.items() if titles}
        if wider:
            node, titles = next(iter(wider.items()))
            sentence = f"{node} lets in {said(titles)}, which it refused before."
            facts = tuple(f"{other}: {', '.join(more)}" for other, more in wider.items())
            return failed(sentence, evidence, facts)
        return passed(f"{counted(len(before), 'node')} tried: nobody gets in who did not before.")

    def _asked(self, department: Department) -> tuple[str, ...]:
        scanners = {modality.name for modality in department.modalities}
        return self.node or tuple(name for name in department.nodes if name not in scanners)

    def _titles(self, department: Department) -> list[str]:
        known = {node.running.ae_title for node in department.nodes.values()}
        return sorted(known | {unlisted_title(department, 3), unlisted_title(department, 4)})


def _listed(department: Department, node: str) -> set[str]:
    return {remote.ae_title for remote in department.node(node).running.remotes}


def _accepted(department: Department, asked: Titles) -> tuple[dict[str, list[str]], tuple[int, ...]]:
    """Which of these titles each node lets in, and the events that show it."""
    accepted: dict[str, list[str]] = {}
    evidence: list[int] = []
    for node, titles in asked.items():
        accepted[node] = []
        for title in titles:
            answer = call(department, node, calling_ae=title, called_ae=right_title(department, node))
            if answer.accepted:
                accepted[node].append(title)
                evidence.extend(answer.evidence)
    return accepted, tuple(evidence)
