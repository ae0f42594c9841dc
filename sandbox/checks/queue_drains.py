"""A queue does its work: nothing waits in it for long, nothing is set aside."""

from __future__ import annotations

import time

from pydantic import Field

from sandbox.checks.check import Check, Judgement, failed, passed, unclear
from sandbox.checks.memory import Memory
from sandbox.checks.names import counted
from sandbox.checks.trail import MOVES, QUIET_S
from sandbox.events.event import PROBE
from sandbox.events.kinds import ExamAcquired
from sandbox.events.log import current
from sandbox.model.view import QueueState
from sandbox.nodes.department import Department
from sandbox.nodes.queue import SendQueue


class QueueDrains(Check):
    """``queue_drains``: within ``within_s`` nothing waits on ``node`` for ``destination`` and nothing is set aside.

    What other checks send at the same time does not count.
    """

    kind = "queue_drains"

    node: str
    destination: str
    within_s: float = Field(20.0, gt=0, le=300)

    def claim(self) -> str:
        return f"Nothing is stuck on {self.node} for {self.destination}."

    def nodes(self) -> tuple[str, ...]:
        return (self.node,)

    def judge(self, department: Department, memory: Memory) -> Judgement:
        del memory
        queue = department.node(self.node).queue
        if queue is None:
            return unclear(f"{self.node} has no queue.")
        if self.destination not in queue.destinations():
            return passed(f"{self.node} has nothing for {self.destination}.")
        since = current().cause or len(department.events)
        queue.retry(self.destination)
        deadline = time.monotonic() + self.within_s
        events = department.events
        while True:
            position = len(events)
            waiting, dead = self._entries(department, queue)
            if not waiting and not dead:
                return passed(f"Nothing waits on {self.node} for {self.destination}.")
            if dead:
                return failed(f"{counted(dead, 'image')} for {self.destination} set aside on {self.node}.")
            stuck = [
                event.seq
                for event in events.since(since)
                if event.kind == "queue.failed"
                and event.node == self.node
                and getattr(event.body, "destination", "") == self.destination
            ]
            left = deadline - time.monotonic()
            if left <= 0 or self._state(queue) is QueueState.HELD or len(stuck) >= 2:
                sentence = f"{counted(waiting, 'image')} for {self.destination} still waiting on {self.node}."
                return failed(sentence, tuple(stuck))
            events.wait_for(lambda event: event.kind in MOVES, after=position, timeout=min(left, QUIET_S))

    def _entries(self, department: Department, queue: SendQueue) -> tuple[int, int]:
        probes = {
            event.body.study_uid
            for event in department.events.since()
            if event.actor == PROBE and isinstance(event.body, ExamAcquired)
        }
        entries = [entry for entry in queue.entries(self.destination, 100_000) if entry.study_uid not in probes]
        dead = sum(entry.dead for entry in entries)
        return len(entries) - dead, dead

    def _state(self, queue: SendQueue) -> QueueState:
        return next(view.state for view in queue.views() if view.destination == self.destination)
