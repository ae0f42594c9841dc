"""The door is shut to strangers: an AE title that nobody entered gets no association."""

from __future__ import annotations

from sandbox.checks.callers import call, right_title, unlisted_title
from sandbox.checks.check import Check, Judgement, failed, passed, unclear
from sandbox.checks.memory import Memory
from sandbox.checks.names import Names, said
from sandbox.nodes.department import Department


class UnknownAERefused(Check):
    """``unknown_ae_refused``: each ``node`` rejects an association under a made-up calling AE title (PS3.8 9.3.4)."""

    kind = "unknown_ae_refused"

    node: Names

    def claim(self) -> str:
        return f"{said(self.node)} still {'refuses' if len(self.node) == 1 else 'refuse'} callers that nobody knows."

    def nodes(self) -> tuple[str, ...]:
        return self.node

    def judge(self, department: Department, memory: Memory) -> Judgement:
        del memory
        evidence: list[int] = []
        stranger = unlisted_title(department)
        for node in self.node:
            answer = call(department, node, calling_ae=stranger, called_ae=right_title(department, node))
            evidence.extend(answer.evidence)
            if answer.accepted:
                return failed(f"{node} let in {stranger}, a caller that nobody ever entered.", tuple(evidence))
            if not answer.reached:
                return unclear(
                    f"Whether {node} refuses strangers could not be tried: {answer.sentence}", tuple(evidence)
                )
        return passed(f"{said(self.node)} refused {stranger}, a caller that nobody ever entered.", tuple(evidence))
