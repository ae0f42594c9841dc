"""A door that was opened to see whether it is the lock, and was left open."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from sandbox.faults.config_set import set_running
from sandbox.faults.fault import Fault, Undo
from sandbox.faults.on_node import try_node
from sandbox.model.config import NodeConfig
from sandbox.model.errors import BadInputError
from sandbox.nodes.department import Department


class UnlistedCallers(Fault):
    """``config.unlisted_callers``: ``node`` lets in callers that are not in its AE table.

    Nothing fails; that is the trouble. Seen from outside: ``echoscu -aet ANYTHING`` against the published port is
    accepted. Mended by ``node.config.save`` of ``accept_unlisted_callers`` on ``node`` and a restart, after all who
    belong there are in the table.
    """

    kind = "config.unlisted_callers"
    symptoms: ClassVar[tuple[str, ...]] = (
        "Callers that nobody ever entered get associations, and may store and query.",
        "Nothing fails and no log has an error; the titles of the callers tell.",
    )

    node: str

    def nodes(self) -> tuple[str, ...]:
        return (self.node,)

    def explanation(self) -> str:
        return (
            f"{self.node} accepted unlisted callers: a check that somebody had switched off while looking for another "
            "fault, and never switched on again. Anybody on the network could store to it and ask it."
        )

    def try_on(self, configs: Mapping[str, NodeConfig]) -> None:
        if try_node(configs, self.node).accept_unlisted_callers:
            raise BadInputError(f"{self.node} accepts unlisted callers already.", "Name a node that does not.")

    def break_it(self, department: Department) -> Undo:
        return set_running(department, self.node, "accept_unlisted_callers", True)
