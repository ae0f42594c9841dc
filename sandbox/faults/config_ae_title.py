"""A node that goes by another AE title than everybody knows it by: what a service visit leaves behind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from sandbox.faults.config_set import set_running
from sandbox.faults.fault import Fault, Undo
from sandbox.faults.on_node import try_node
from sandbox.model.ae_title import AETitle
from sandbox.model.config import NodeConfig
from sandbox.model.errors import BadInputError
from sandbox.nodes.department import Department


class OwnAETitle(Fault):
    """``config.ae_title``: ``node`` calls itself ``value``, and everybody else still knows it by its old AE title.

    Those it calls reject it with 1/1/3 (calling AE title not recognised) if they check their callers; those who call it
    are rejected with 1/1/7. Seen from outside: ``echoscu -aec`` with the old title against the published port of
    ``node`` is rejected, with ``value`` it is accepted (from a known caller). Mended by ``node.config.save`` of
    ``ae_title`` on ``node`` and a restart.
    """

    kind = "config.ae_title"
    symptoms: ClassVar[tuple[str, ...]] = (
        "What the node sends is rejected with 1/1/3, calling AE title not recognised, by everybody who checks.",
        "What is sent to it under its old title is rejected with 1/1/7.",
    )

    node: str
    value: AETitle

    def nodes(self) -> tuple[str, ...]:
        return (self.node,)

    def explanation(self) -> str:
        return (
            f"{self.node} called itself {self.value!r}, a title that nobody else has in their AE tables. Whoever "
            "checks callers rejected it: permanently, by the service user, calling AE title not recognised (1/1/3)."
        )

    def try_on(self, configs: Mapping[str, NodeConfig]) -> None:
        if try_node(configs, self.node).ae_title == self.value:
            raise BadInputError(f"{self.value!r} is the AE title that {self.node} has.", "Give another one.")

    def break_it(self, department: Department) -> Undo:
        return set_running(department, self.node, "ae_title", self.value)
