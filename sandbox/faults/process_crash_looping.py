"""A program that ends soon after each start and is started again: up in every status page, and never for long."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field

from sandbox.faults.config_set import set_running
from sandbox.faults.fault import Fault, Undo
from sandbox.faults.impairment import impair
from sandbox.faults.on_node import try_node
from sandbox.model.config import NodeConfig
from sandbox.model.config_path import value_at, with_value
from sandbox.nodes.department import Department
from sandbox.nodes.impairments import CrashLoop


class ProcessCrashLooping(Fault):
    """``process.crash_looping``: the program of ``node`` ends ``after_s`` seconds after each start, with ``line`` in
    its log, and a watchdog starts it again ``again_s`` seconds later.

    With ``path`` and ``value`` it does so because of that setting, which the fault saves and runs: it is mended by
    another value and a restart. Without, by ``node.service_call`` for ``stability``. Seen from outside: ``echoscu``
    against the published port succeeds and is refused by turns.
    """

    kind = "process.crash_looping"
    symptoms: ClassVar[tuple[str, ...]] = (
        "Connections to the node work and are refused by turns; transfers break off in the middle.",
        "The node's log shows start after start, each time with the same last line before it.",
    )

    node: str
    after_s: float = Field(8.0, gt=0, le=3600)
    again_s: float = Field(4.0, gt=0, le=3600)
    line: str = Field("ended unexpectedly: signal 11 (segmentation fault)", min_length=1, max_length=200)
    path: str = ""
    value: Any = None

    def nodes(self) -> tuple[str, ...]:
        return (self.node,)

    def explanation(self) -> str:
        why = f", because of the setting {self.path} = {self.value!r}" if self.path else ""
        return (
            f"The program of {self.node} ended {self.after_s:g} s after each start ({self.line}){why}, and was started "
            "again by its watchdog. Between two ends everything worked, so a single test said that all was well."
        )

    def try_on(self, configs: Mapping[str, NodeConfig]) -> None:
        config = try_node(configs, self.node)
        if self.path:
            with_value(config, self.path, self.value)

    def break_it(self, department: Department) -> Undo:
        node = department.node(self.node)
        put_back = set_running(department, self.node, self.path, self.value) if self.path else None
        # As the configuration has it, so that 10 and 10.0 are one value.
        value = value_at(node.running, self.path) if self.path else None
        entry = CrashLoop(after_s=self.after_s, again_s=self.again_s, line=self.line, path=self.path, value=value)
        mend = impair(department, self.node, "process", "crashes", entry)

        def undo() -> None:
            mend()
            if put_back is not None:
                put_back()
            elif node.is_wanted:
                node.start()

        return undo
