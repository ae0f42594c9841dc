"""A routing rule that no longer says what was meant: it matches too little, too much, or sends elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from pydantic import model_validator

from sandbox.faults.config_set import set_running
from sandbox.faults.fault import Fault, Undo
from sandbox.model.config import NodeConfig
from sandbox.model.config_path import value_at, with_value
from sandbox.model.errors import NotFoundError
from sandbox.nodes.department import Department


class RuleChanged(Fault):
    """``config.rule``: in the rule ``rule`` of router ``node`` either the condition on ``attribute`` compares with
    ``value``, or, with ``path`` instead, another part of the rule ("enabled", "hours", "destinations") is ``value``.

    The router accepts and stores everything as before; what the rule no longer matches is not sent on, and no error is
    written anywhere, since nothing failed. Seen from outside: ``storescu`` against the router's published port gets
    0000, and ``findscu`` against the archive does not find what was sent.
    """

    kind = "config.rule"
    symptoms = (
        "Exams that the rule was made for reach the router and are not sent on, or not where they should be.",
        "No error is written anywhere; the router's log says which rules matched.",
    )

    node: str
    rule: str
    attribute: str = ""
    path: str = ""
    value: Any

    @model_validator(mode="after")
    def _one_of_the_two(self) -> Self:
        if bool(self.attribute) == bool(self.path):
            raise ValueError("give either attribute or path")
        return self

    def nodes(self) -> tuple[str, ...]:
        return (self.node,)

    def explanation(self) -> str:
        what = f"the condition on {self.attribute}" if self.attribute else f"{self.path!r}"
        return (
            f"In {self.node}'s rule {self.rule!r}, {what} was {self.value!r}. The router took every exam as before and "
            "wrote no error, for nothing failed: the exams simply did not match, so they were not sent on."
        )

    def try_on(self, configs: Mapping[str, NodeConfig]) -> None:
        config = configs[self.node]
        with_value(config, self._full_path(config), self.value)

    def break_it(self, department: Department) -> Undo:
        return set_running(department, self.node, self._full_path(department.node(self.node).saved), self.value)

    def _full_path(self, config: NodeConfig) -> str:
        rule = f"rules.{self.rule}"
        if self.path:
            return f"{rule}.{self.path}"
        conditions = value_at(config, f"{rule}.conditions")
        for position, condition in enumerate(conditions):
            if condition["attribute"] == self.attribute:
                return f"{rule}.conditions.{position}.value"
        known = ", ".join(condition["attribute"] for condition in conditions) or "none"
        raise NotFoundError(
            f"The rule {self.rule!r} on {self.node} has no condition on {self.attribute}.", f"It has: {known}."
        )
