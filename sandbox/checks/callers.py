"""Calling a node as somebody else: how checks try who is let in.

The calls come from the node's own host, so that neither firewall nor distance has a say: only the AE decides.
"""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.dicom.client import Association
from sandbox.dicom.contract import Peer
from sandbox.dicom.outcomes import AssociationFailure, FailureKind
from sandbox.dicom.syntaxes import VERIFICATION
from sandbox.events.log import current
from sandbox.model.association import ProposedContext, Rejection
from sandbox.model.view import NodeState
from sandbox.nodes.department import Department

IMPLICIT_VR_LITTLE_ENDIAN = "1.2.840.10008.1.2"


@dataclass(frozen=True)
class Answer:
    """What came of asking for an association. ``reached`` False: the node did not answer at all."""

    accepted: bool
    reached: bool
    sentence: str
    rejection: Rejection | None
    evidence: tuple[int, ...]


def call(department: Department, node_name: str, *, calling_ae: str, called_ae: str) -> Answer:
    """Ask ``node_name`` for an association under these titles, and release it at once if it is granted."""
    node = department.node(node_name)
    events = department.events
    if node.state is not NodeState.RUNNING:
        return Answer(False, False, f"{node_name} is not running.", None, ())
    before = len(events)
    peer = Peer(called_ae, department.network.address_of(node_name), node.running.port)
    verification = ProposedContext(id=1, abstract_syntax=VERIFICATION, transfer_syntaxes=(IMPLICIT_VR_LITTLE_ENDIAN,))
    opened = node.caller.requestor.associate(peer, [verification], cause=current().cause, calling_ae=calling_ae)
    facts = opened.facts
    if isinstance(opened, Association):
        opened.release()
    evidence = tuple(
        event.seq
        for event in events.since(before)
        if event.kind in ("association.accepted", "association.rejected") and _is_about(event.body, facts.id)
    )
    if isinstance(opened, AssociationFailure):
        reached = opened.kind is FailureKind.REJECTED
        return Answer(False, reached, opened.sentence, opened.rejection, evidence)
    return Answer(True, True, f"{node_name} accepted {calling_ae}.", None, evidence)


def unlisted_title(department: Department, number: int = 1) -> str:
    """An AE title that nobody has and nobody would enter, not the same in every lab."""
    return f"STRANGER{(department.seed * 7919 + number * 104729) % 10000:04d}"


def right_title(department: Department, node_name: str) -> str:
    """What the node is called, as its running configuration has it."""
    return department.node(node_name).running.ae_title


def _is_about(body: object, association: str) -> bool:
    return getattr(getattr(body, "facts", None), "id", "") == association
