"""Not every call is about something broken: then the cure is an answer that is true, and nothing else."""

from __future__ import annotations

from sandbox.checks.check import Check, Judgement, failed, passed
from sandbox.checks.memory import Memory
from sandbox.events.kinds import DiagnosisCommitted
from sandbox.nodes.department import Department


class CallerTold(Check):
    """``caller_told``: the diagnosis that was committed last is ``system``, ``layer`` and ``fault``.

    For calls where nothing is broken, or where the answer matters more than any setting: it passes once somebody has
    said, with the evidence in hand, what it was. What was said before a reset does not count.
    """

    kind = "caller_told"

    system: str
    layer: str
    fault: str

    def claim(self) -> str:
        return "The caller has been told what it was."

    def nodes(self) -> tuple[str, ...]:
        return ()

    def judge(self, department: Department, memory: Memory) -> Judgement:
        said: tuple[int, DiagnosisCommitted] | None = None
        for event in department.events.since(memory.start):
            if event.kind == "lab.reset":
                said = None
            elif isinstance(event.body, DiagnosisCommitted):
                said = (event.seq, event.body)
        if said is None:
            return failed(
                "Nobody has told the caller yet what it was. Commit to a diagnosis, with what showed it to you."
            )
        number, told = said
        if (told.node, told.layer, told.fault) != (self.system, self.layer, self.fault):
            return failed("What the caller was told does not fit what can be seen.", (number,))
        return passed("The caller was told what it was, and it is so.", (number,))
