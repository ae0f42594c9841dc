"""Calling whoever looks after a node, for what an administrator cannot mend by himself."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from sandbox.lab.command import Command
from sandbox.model.config import shown
from sandbox.model.service_call import CALL_TITLES, ServiceCall
from sandbox.model.view import CommandResult
from sandbox.nodes.impairments import after_call

if TYPE_CHECKING:
    from sandbox.lab.lab import Lab


class NodeServiceCall(Command):
    """Have the vendor or owner of a node see to what it does wrong. They mend what they were called for, and if they
    were called for the wrong thing, they find nothing.

    What is configured wrong they leave alone: that is the administrator's.
    """

    name = "node.service_call"
    title: ClassVar[str] = "Call service"

    node: str = Field(**shown("Node", "The node that somebody shall see to."))
    what: ServiceCall = Field(
        **shown(
            "What", "; ".join(f"{call.value}: {title[0].lower()}{title[1:]}" for call, title in CALL_TITLES.items())
        )
    )

    def run(self, lab: Lab, /) -> CommandResult:
        node = lab.department.node(self.node)
        mended = after_call(node.impairments, self.what)
        told = CALL_TITLES[self.what]
        if mended == node.impairments:
            sentence = f"{node.name}: service was here for “{told}” and found nothing of the kind."
            return CommandResult(ok=True, sentence=sentence)
        node.impair(mended)
        return CommandResult(ok=True, sentence=f"{node.name}: service was here for “{told}” and has mended it.")
