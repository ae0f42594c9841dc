"""A call that must not be taken is refused: a title that has no business there, or the wrong name for whom it calls."""

from __future__ import annotations

from sandbox.checks.callers import call, right_title
from sandbox.checks.check import Check, Judgement, failed, passed, unclear
from sandbox.checks.memory import Memory
from sandbox.checks.names import Names, said
from sandbox.model.ae_title import AETitle
from sandbox.nodes.department import Department


class AssociationRefused(Check):
    """``association_refused``: each ``node`` rejects an association under the calling AE title ``calling_ae``, called
    by ``called_ae`` (empty: by its right name).

    The call comes from the node's own host, so that only the AE decides, not the network. For titles that must not get
    in, such as that of a scanner that was sold, or one that somebody entered to be rid of a ticket.
    """

    kind = "association_refused"

    node: Names
    calling_ae: AETitle
    called_ae: AETitle | None = None

    def claim(self) -> str:
        by = f" by the name {self.called_ae}" if self.called_ae else ""
        return f"{self.calling_ae} cannot call {said(self.node, 'or')}{by}."

    def nodes(self) -> tuple[str, ...]:
        return self.node

    def judge(self, department: Department, memory: Memory) -> Judgement:
        del memory
        evidence: list[int] = []
        for node in self.node:
            called = self.called_ae or right_title(department, node)
            answer = call(department, node, calling_ae=self.calling_ae, called_ae=called)
            evidence.extend(answer.evidence)
            if answer.accepted:
                return failed(f"{node} let {self.calling_ae} in, called by the name {called}.", tuple(evidence))
            if not answer.reached:
                return unclear(f"Whether {node} refuses could not be tried: {answer.sentence}", tuple(evidence))
        return passed(f"{said(self.node)} refused {self.calling_ae}.", tuple(evidence))
