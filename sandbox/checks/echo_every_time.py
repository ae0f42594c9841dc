"""It works every time, and not only the time that somebody looked: one good test proves little where luck decides."""

from __future__ import annotations

from pydantic import Field

from sandbox.checks.check import Check, Judgement, failed, passed
from sandbox.checks.memory import Memory
from sandbox.checks.names import Names, counted, said
from sandbox.nodes.department import Department


class EchoEveryTime(Check):
    """``echo_every_time``: each of ``times`` C-ECHOs of ``node`` to each ``remote`` (lines of its AE table) succeeds.

    From the node's own host, in its own name, by its own beliefs; every one on an association of its own. It stops at
    the first that fails.
    """

    kind = "echo_every_time"

    node: str
    remote: Names
    times: int = Field(6, ge=1, le=100)

    def claim(self) -> str:
        return f"{self.node} reaches {said(self.remote)} each of {counted(self.times, 'time')}."

    def nodes(self) -> tuple[str, ...]:
        return (self.node,)

    def judge(self, department: Department, memory: Memory) -> Judgement:
        del memory
        node = department.node(self.node)
        for remote in self.remote:
            for number in range(1, self.times + 1):
                before = len(department.events)
                answer = node.tools.echo(remote)
                if not answer.ok:
                    evidence = tuple(
                        event.seq
                        for event in department.events.since(before)
                        if answer.association
                        and getattr(getattr(event.body, "facts", None), "id", "") == answer.association
                    )
                    which = f"C-ECHO {number} of {self.times}" if self.times > 1 else "The C-ECHO"
                    return failed(f"{which} from {self.node} to {remote} failed: {answer.sentence}", evidence)
        return passed(f"{self.node} reached {said(self.remote)} each of {counted(self.times, 'time')}.")
