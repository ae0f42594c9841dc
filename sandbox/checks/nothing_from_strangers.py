"""What strangers stored is not served: once the door is shut, somebody has looked at what came through it."""

from __future__ import annotations

from sandbox.checks.check import Check, Judgement, failed, passed, unclear
from sandbox.checks.memory import Memory
from sandbox.checks.names import counted
from sandbox.events.event import PROBE
from sandbox.events.kinds import InstanceStored
from sandbox.nodes.department import Department


class NothingFromStrangers(Check):
    """``nothing_from_strangers``: ``node`` serves no image that came from a caller who is not in its AE table.

    Every image that the log says was stored there is looked at, and the table as it is now. One that was rejected or
    deleted is not served; how that was written down is the matter of ``audit_complete``.
    """

    kind = "nothing_from_strangers"

    node: str = "ARCHIVE"

    def claim(self) -> str:
        return f"Nothing that a stranger stored is left among the images of {self.node}."

    def nodes(self) -> tuple[str, ...]:
        return (self.node,)

    def judge(self, department: Department, memory: Memory) -> Judgement:
        del memory
        node = department.node(self.node)
        if node.store is None:
            return unclear(f"{self.node} keeps no images.")
        known = {remote.ae_title for remote in node.running.remotes}
        came: dict[str, tuple[str, int]] = {}
        for event in department.events.since():
            body = event.body
            if not isinstance(body, InstanceStored) or event.node != self.node or event.actor == PROBE:
                continue
            if body.calling_ae and body.calling_ae not in known:
                came[body.sop_instance] = (body.calling_ae, event.seq)
        left = [row.sop_instance for row in node.store.bench.rows_of(sorted(came))]
        if left:
            titles = ", ".join(sorted({came[uid][0] for uid in left}))
            sentence = f"{self.node} still serves {counted(len(left), 'image')} that came from {titles}."
            return failed(sentence, tuple(sorted(came[uid][1] for uid in left))[:10])
        return passed(f"{self.node} serves nothing that came from a caller whom it does not know.")
