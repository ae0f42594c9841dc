"""A timeout that does not fit what is waited for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from sandbox.faults.config_set import set_running
from sandbox.faults.fault import Fault, Undo
from sandbox.faults.on_node import try_node
from sandbox.model.config import NodeConfig
from sandbox.model.config_path import with_value
from sandbox.model.discovery import suggestion
from sandbox.model.errors import BadInputError
from sandbox.nodes.department import Department

TIMEOUTS: Mapping[str, tuple[str, str]] = {
    "connect": ("connect_timeout_s", "for a connection"),
    "association": ("association_timeout_s", "for the answer to an association request"),
    "dimse": ("dimse_timeout_s", "for a response"),
    "network": ("network_timeout_s", "on an association without traffic"),
}
"""What is waited for: the setting, and in words."""


class TimeoutSet(Fault):
    """``config.timeout``: ``node`` waits only (or as long as) ``value`` seconds ``of`` kind connect, association, dimse
    or network.

    Too short, it gives up while its peer is still at work; too long, it waits for what will never come. Seen from
    outside: for ``network``, an idle association with the published port is aborted after that time; the others show in
    what ``node`` itself calls. Mended by ``node.config.save`` of the setting on ``node`` and a restart.
    """

    kind = "config.timeout"
    symptoms: ClassVar[tuple[str, ...]] = (
        "The node gives up on whatever takes longer than a certain time, always the same.",
        "Its peer sees an abort and no reason for it.",
    )

    node: str
    of: str
    value: float = Field(gt=0)

    def nodes(self) -> tuple[str, ...]:
        return (self.node,)

    def explanation(self) -> str:
        return (
            f"{self.node} waited {self.value:g} s {TIMEOUTS[self.of][1]} ({TIMEOUTS[self.of][0]}). What took longer "
            "was given up by the one who waited, not by the one who worked."
        )

    def try_on(self, configs: Mapping[str, NodeConfig]) -> None:
        if self.of not in TIMEOUTS:
            raise BadInputError(f"{self.of!r} is nothing that can be set here.", suggestion(self.of, TIMEOUTS))
        with_value(try_node(configs, self.node), TIMEOUTS[self.of][0], self.value)

    def break_it(self, department: Department) -> Undo:
        return set_running(department, self.node, TIMEOUTS[self.of][0], self.value)
