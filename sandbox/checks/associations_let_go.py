"""Nobody sits on associations: who is done with one lets go of it, and leaves the place to others."""

from __future__ import annotations

import time
from typing import Any

from pydantic import Field

from sandbox.checks.check import Check, Judgement, failed, passed
from sandbox.checks.memory import Memory
from sandbox.checks.names import counted
from sandbox.events.kinds import AssociationAborted, AssociationAccepted, AssociationReleased
from sandbox.model.association import Side
from sandbox.nodes.department import Department

_ENDS = (AssociationReleased, AssociationAborted)


class AssociationsLetGo(Check):
    """``associations_let_go``: for ``watch_s`` seconds, ``node`` never has more than ``most`` associations with
    ``remote`` (a node) open at once.

    Counted as ``node`` opened and ended them, so that a larger limit at the other end does not help: the places are
    still taken. It is watched for a while, since a program that loses its associations opens new ones.
    """

    kind = "associations_let_go"

    node: str
    remote: str
    most: int = Field(2, ge=0, le=200)
    watch_s: float = Field(2.0, gt=0, le=60)

    def claim(self) -> str:
        return f"{self.node} lets go of its associations with {self.remote} when it is done with them."

    def nodes(self) -> tuple[str, ...]:
        return (self.node, self.remote)

    def judge(self, department: Department, memory: Memory) -> Judgement:
        del memory
        events, deadline = department.events, time.monotonic() + self.watch_s
        held: dict[str, int] = {}
        position = most = 0
        while True:
            for event in events.since(position):
                position = event.seq
                self._count(event.node, event.body, event.seq, held)
            most = max(most, len(held))
            if len(held) > self.most:
                sentence = f"{self.node} has {counted(len(held), 'association')} with {self.remote} open at once."
                return failed(sentence, tuple(held.values())[:10])
            left = deadline - time.monotonic()
            if left <= 0:
                return passed(f"{self.node} never had more than {counted(most, 'association')} with {self.remote}.")
            events.wait_for(lambda event: event.kind.startswith("association."), after=position, timeout=left)

    def _count(self, node: str, body: Any, seq: int, held: dict[str, int]) -> None:
        facts = getattr(body, "facts", None)
        if node != self.node or facts is None or facts.side is not Side.REQUESTOR:
            return
        if isinstance(body, AssociationAccepted) and facts.peer_node == self.remote:
            held[facts.id] = seq
        elif isinstance(body, _ENDS):
            held.pop(facts.id, None)
