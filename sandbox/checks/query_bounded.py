"""A question that asks for everything is not answered with everything: the archive's limit on matches is there."""

from __future__ import annotations

from pydantic import Field

from sandbox.checks.check import Check, Judgement, failed, passed, unclear
from sandbox.checks.memory import Memory
from sandbox.checks.names import counted
from sandbox.nodes.department import Department


class QueryBounded(Check):
    """``query_bounded``: from ``node``, a C-FIND for any study at all gets no more than ``most`` matches.

    ``remote`` is the line of its AE table that is asked; empty, the archive it is configured for. As an invariant it
    catches whoever takes a limit away for everybody because one list was too short. Being stricter is no harm here.
    """

    kind = "query_bounded"

    node: str
    most: int = Field(ge=1)
    remote: str = Field("", max_length=64)

    def claim(self) -> str:
        return f"A search from {self.node} for everything gets {counted(self.most, 'study', 'studies')} at most."

    def nodes(self) -> tuple[str, ...]:
        return (self.node,)

    def judge(self, department: Department, memory: Memory) -> Judgement:
        del memory
        node = department.node(self.node)
        answer = node.tools.find(self.remote or str(getattr(node.running, "archive", "")), "STUDY", {})
        if not answer.ok:
            return unclear(f"The search from {self.node} did not work: {answer.sentence}")
        found = counted(len(answer.rows), "study", "studies")
        if len(answer.rows) > self.most:
            return failed(f"A search from {self.node} for everything got {found}; {self.most} is the most.")
        return passed(f"A search from {self.node} for everything got {found}.")
