"""A call is taken: an association under the caller's own title, for what it wants to send."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from sandbox.checks.check import Check, Judgement, failed, passed
from sandbox.checks.memory import Memory
from sandbox.checks.names import Names, said
from sandbox.dicom.contexts import MOST_CONTEXTS
from sandbox.dicom.contract import SupportedContext
from sandbox.dicom.explain import explain_context, uid_name
from sandbox.dicom.outcomes import AssociationFailure
from sandbox.dicom.syntaxes import ALL_TRANSFER_SYNTAXES, STORAGE_CLASSES, UNCOMPRESSED, VERIFICATION
from sandbox.model.association import ContextResult
from sandbox.model.errors import NotFoundError
from sandbox.nodes.department import Department
from sandbox.nodes.objects_config import SopClasses, TransferSyntaxes, chosen


class AssociationAccepted(Check):
    """``association_accepted``: each ``node`` gets an association with ``remote`` (a line of its AE table), and each of
    ``sop_classes`` in each of ``transfer_syntaxes`` is accepted on it.

    Names as in the settings of a node ("CT Image Storage", "JPEG*"). Without ``sop_classes`` it is Verification,
    without ``transfer_syntaxes`` the uncompressed ones. Nothing is sent.
    """

    kind = "association_accepted"

    node: Names
    remote: str = Field(min_length=1, max_length=64)
    sop_classes: SopClasses = ()
    transfer_syntaxes: TransferSyntaxes = ()

    @model_validator(mode="after")
    def _not_too_many(self) -> Self:
        if len(self._asked()) > MOST_CONTEXTS:
            raise ValueError(f"that would be more than {MOST_CONTEXTS} presentation contexts; name fewer")
        return self

    def claim(self) -> str:
        what = f" for {said(self.sop_classes)}" if self.sop_classes else ""
        return f"{self.remote} accepts an association from {said(self.node, 'or')}{what}."

    def nodes(self) -> tuple[str, ...]:
        return self.node

    def judge(self, department: Department, memory: Memory) -> Judgement:
        del memory
        evidence: list[int] = []
        for name in self.node:
            node = department.node(name)
            peer = node.caller.peer(self.remote)
            if peer is None:
                known = ", ".join(line.name for line in node.running.remotes) or "nothing"
                raise NotFoundError(f"{name} has no {self.remote!r} in its AE table.", f"It has: {known}.")
            before = len(department.events)
            opened = node.caller.requestor.associate(peer, self._asked())
            if not isinstance(opened, AssociationFailure):
                opened.release()
            evidence += [
                event.seq
                for event in department.events.since(before)
                if getattr(getattr(event.body, "facts", None), "id", "") == opened.facts.id
            ]
            refused = [context for context in opened.contexts if not context.accepted]
            if isinstance(opened, AssociationFailure) and not refused:
                return failed(f"{name} got no association: {opened.sentence}", tuple(evidence))
            if refused:
                return failed(
                    f"{self.remote} does not take {_called(refused[0])} from {name}.",
                    tuple(evidence),
                    tuple(f"{_called(context)}: {explain_context(context.result).name}" for context in refused[:10]),
                )
        return passed(f"{self.remote} accepted {said(self.node)}.", tuple(evidence))

    def _asked(self) -> list[SupportedContext]:
        if not self.sop_classes:
            return [SupportedContext(VERIFICATION, UNCOMPRESSED)]
        # One transfer syntax a context, so that each is answered for itself.
        syntaxes = chosen(self.transfer_syntaxes, ALL_TRANSFER_SYNTAXES) if self.transfer_syntaxes else UNCOMPRESSED
        return [
            SupportedContext(sop_class, (syntax,))
            for sop_class in chosen(self.sop_classes, STORAGE_CLASSES)
            for syntax in syntaxes
        ]


def _called(context: ContextResult) -> str:
    syntax = f" in {uid_name(context.transfer_syntax)}" if context.transfer_syntax else ""
    return f"{uid_name(context.abstract_syntax)}{syntax}"
