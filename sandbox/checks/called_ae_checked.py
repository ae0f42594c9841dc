"""A node insists on its own name: who calls it by another is rejected."""

from __future__ import annotations

from sandbox.checks.callers import call, unlisted_title
from sandbox.checks.check import Check, Judgement, failed, passed, unclear
from sandbox.checks.memory import Memory
from sandbox.checks.names import Names, said
from sandbox.nodes.department import Department


class CalledAEChecked(Check):
    """``called_ae_checked``: each ``node`` rejects a caller that it knows when it is called by a title not its own.

    The caller is the first line of the node's AE table, so that only the called AE title is in question.
    """

    kind = "called_ae_checked"

    node: Names

    def claim(self) -> str:
        return f"{said(self.node)} still {'insists' if len(self.node) == 1 else 'insist'} on being called by name."

    def nodes(self) -> tuple[str, ...]:
        return self.node

    def judge(self, department: Department, memory: Memory) -> Judgement:
        del memory
        evidence: list[int] = []
        for node in self.node:
            known = department.node(node).running.remotes
            caller = known[0].ae_title if known else unlisted_title(department)
            answer = call(department, node, calling_ae=caller, called_ae=unlisted_title(department, 2))
            evidence.extend(answer.evidence)
            if answer.accepted:
                sentence = f"{node} answered to a name that is not its own: it no longer checks what it is called."
                return failed(sentence, tuple(evidence))
            if not answer.reached:
                return unclear(f"{node} could not be asked: {answer.sentence}", tuple(evidence))
        return passed(f"{said(self.node)} refused a call by a wrong name.", tuple(evidence))
