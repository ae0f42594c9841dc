"""Asking for an association with presentation contexts of one's own: what would be agreed on, and nothing more.

An acceptor's answer is a fact about its configuration; whether objects then arrive is another question.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import AfterValidator, Field

from sandbox.dicom.client import Association
from sandbox.dicom.contract import Peer
from sandbox.dicom.explain import explain_context, uid_name
from sandbox.lab.command import Command
from sandbox.model.ae_title import ae_title
from sandbox.model.association import ProposedContext
from sandbox.model.base import Model
from sandbox.model.config import shown
from sandbox.model.errors import NotFoundError
from sandbox.model.view import CommandResult

if TYPE_CHECKING:
    from sandbox.lab.lab import Lab

_UID = re.compile(r"(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))*")


def _uid(text: str) -> str:
    if len(text) > 64 or not _UID.fullmatch(text):
        raise ValueError(f"{text!r} is no UID (PS3.5 9)")
    return text


Uid = Annotated[str, AfterValidator(_uid)]


class Proposal(Model):
    """One presentation context to propose; its id follows from its place."""

    abstract_syntax: Uid
    transfer_syntaxes: tuple[Uid, ...] = Field(min_length=1, max_length=32)


class ToolPropose(Command):
    """Ask for an association with presentation contexts of your own, see what is accepted, and release it at once."""

    name = "tool.propose"
    title: ClassVar[str] = "Propose contexts"

    node: str = Field(**shown("From node", "The node it is tried from."))
    remote: str = Field(max_length=64, **shown("Remote", "A line of the AE table."))
    contexts: tuple[Proposal, ...] = Field(min_length=1, max_length=128, **shown("Presentation contexts"))
    calling_ae: str = Field("", max_length=64, **shown("Calling AE title", "Empty: the node's own."))
    called_ae: str = Field("", max_length=64, **shown("Called AE title", "Empty: as the AE table has it."))

    def run(self, lab: Lab, /) -> CommandResult:
        node = lab.department.node(self.node)
        peer = node.caller.peer(self.remote)
        if peer is None:
            known = ", ".join(remote.name for remote in node.running.remotes) or "nothing"
            raise NotFoundError(f"{node.name} has no {self.remote!r} in its AE table.", f"It has: {known}.")
        if self.called_ae:
            peer = Peer(ae_title(self.called_ae), peer.host, peer.port, tls=peer.tls)
        proposed = tuple(
            ProposedContext(
                id=2 * place + 1,
                abstract_syntax=line.abstract_syntax,
                transfer_syntaxes=line.transfer_syntaxes,
            )
            for place, line in enumerate(self.contexts)
        )
        calling = ae_title(self.calling_ae) if self.calling_ae else None
        opened = node.caller.requestor.associate(peer, proposed, calling_ae=calling)
        if not isinstance(opened, Association):
            return CommandResult(ok=False, sentence=opened.sentence, association=opened.facts.id)
        opened.release()
        accepted = sum(context.accepted for context in opened.contexts)
        rows = tuple(
            (
                str(context.id),
                uid_name(context.abstract_syntax),
                explain_context(context.result).name,
                uid_name(context.transfer_syntax) if context.accepted else "",
            )
            for context in opened.contexts
        )
        return CommandResult(
            ok=accepted > 0,
            sentence=f"{accepted} of {len(opened.contexts)} presentation contexts accepted by {peer.ae_title}.",
            columns=("ID", "Abstract syntax", "Result", "Transfer syntax"),
            rows=rows,
            association=opened.facts.id,
        )
