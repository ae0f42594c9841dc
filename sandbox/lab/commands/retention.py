"""Having an archive apply its retention rule now, instead of waiting for the hour at which it does."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from sandbox.lab.command import Command
from sandbox.lab.sentences import counted
from sandbox.model.config import shown
from sandbox.model.errors import BadInputError
from sandbox.model.view import CommandResult
from sandbox.nodes.archive_node import ArchiveNode

if TYPE_CHECKING:
    from sandbox.lab.lab import Lab


class ArchivePurge(Command):
    """Apply the archive's retention rule now: studies that are older than it keeps leave it for good.

    Where the rule needs a confirmation by another archive, what is not confirmed stays; it is asked for, and a later
    run finds the answer.
    """

    name = "archive.purge"
    title: ClassVar[str] = "Apply retention rule"

    node: str = Field("ARCHIVE", **shown("Archive", "The archive this is done on."))

    def run(self, lab: Lab, /) -> CommandResult:
        node = lab.department.node(self.node)
        if not isinstance(node, ArchiveNode):
            raise BadInputError(f"{node.name} is no archive.", "Choose an archive such as ARCHIVE.")
        if not node.running.purge_after_days:
            return CommandResult(ok=True, sentence=f"{node.name} keeps everything: it has no retention rule.")
        done = node.retention.apply()
        told = f"{counted(done.removed, 'study', 'studies')} removed"
        if done.waiting:
            told += f", {counted(done.waiting, 'study', 'studies')} not confirmed by {node.running.purge_needs}"
        return CommandResult(ok=True, sentence=f"{node.name}: {told}.")
