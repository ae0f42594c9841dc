"""A destination that somebody suspended and never resumed: all for it waits in the queue, and nothing fails."""

from __future__ import annotations

from collections.abc import Mapping

from sandbox.faults.fault import Fault, Undo
from sandbox.model.config import NodeConfig
from sandbox.model.errors import BadInputError, NotFoundError
from sandbox.nodes.department import Department
from sandbox.nodes.queue import SendQueue


class QueueHeldFault(Fault):
    """``queue.held``: on ``node`` the queue for ``destination`` (a line of its AE table) is held, with ``reason``.

    With ``at`` it was held at that moment, and what was acquired since then is in it. Seen from outside: the other
    destinations get every study (``findscu`` against the archive finds it), this one gets none and no association is
    even tried.
    """

    kind = "queue.held"
    symptoms = (
        "One destination gets nothing, and no association to it is tried.",
        "Its queue is held and grows; all other destinations get everything.",
    )

    node: str
    destination: str
    reason: str = ""

    def nodes(self) -> tuple[str, ...]:
        return (self.node,)

    def explanation(self) -> str:
        why = f" ({self.reason})" if self.reason else ""
        return (
            f"On {self.node} the queue for {self.destination} had been held{why} and was never resumed. Whatever the "
            "rules sent there was queued and kept safe, but nothing left. A held queue is no error, so nobody was told."
        )

    def try_on(self, configs: Mapping[str, NodeConfig]) -> None:
        config = configs[self.node]
        if config.remote(self.destination) is None:
            known = ", ".join(remote.name for remote in config.remotes) or "none"
            raise NotFoundError(f"{self.node} knows no {self.destination!r}.", f"Its AE table has: {known}.")
        if not ({"rules", "send_to"} & set(type(config).model_fields)):
            raise BadInputError(f"{self.node} has no send queue.", "Name a modality or a router.")

    def break_it(self, department: Department) -> Undo:
        queue = self._queue(department)
        before = {view.destination: view for view in queue.views()}[self.destination]
        queue.hold(self.destination, self.reason)

        def undo() -> None:
            if before.held_since is None:
                queue.resume(self.destination)
            else:
                queue.hold(self.destination, before.held_reason)

        return undo

    def _queue(self, department: Department) -> SendQueue:
        queue = department.node(self.node).queue
        if queue is None:
            raise BadInputError(f"{self.node} has no send queue.", "Name a modality or a router.")
        if self.destination not in queue.destinations():
            known = ", ".join(queue.destinations()) or "none"
            raise NotFoundError(f"{self.node} has no queue {self.destination!r}.", f"It has: {known}.")
        return queue
