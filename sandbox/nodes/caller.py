"""How a node calls others: its requestor in the name of its running configuration, and its queue's carrier.

Whatever a node calls because of an event carries that event as its cause, through the network to the other end. Rule:
every association that a node opens is opened here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from sandbox.dicom.client import Association, Requestor
from sandbox.dicom.contexts import contexts_for_pairs
from sandbox.dicom.contract import Peer, Role, StoredObject
from sandbox.dicom.negotiation import Proposal
from sandbox.dicom.outcomes import AssociationFailure
from sandbox.events.log import current
from sandbox.model.config import RemoteNode
from sandbox.nodes.kept import KeptAssociations
from sandbox.nodes.objects_config import SendingConfig
from sandbox.nodes.queue_sender import Delivery, Outcome
from sandbox.nodes.words import refusal, sentence

if TYPE_CHECKING:
    from sandbox.nodes.node import Node


class CausedRequestor(Requestor):
    """A requestor whose associations follow from whatever its thread is working for."""

    def associate(
        self,
        peer: Peer,
        contexts: Sequence[Proposal],
        *,
        cause: int | None = None,
        calling_ae: str | None = None,
        roles: Sequence[str | Role] = (),
    ) -> Association | AssociationFailure:
        # The thread knows better than who calls: a C-MOVE's sub-operations follow from the request at this end.
        mine = current().cause
        return super().associate(
            peer, contexts, cause=cause if mine is None else mine, calling_ae=calling_ae, roles=roles
        )


class NodeCaller:
    """Opens associations for a node. While the node is stopped its host's tools still can, with the same identity."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self.kept = KeptAssociations()
        self._renew()

    def _renew(self) -> None:
        node, config = self._node, self._node.running
        self._dialler = node.context.network.dialler(node.name)
        self.requestor: Requestor = CausedRequestor(
            config.ae_title,
            node.name,
            self._dialler,
            node.observer,
            node.timeouts(),
            config.maximum_pdu,
            node.context.new_association_id,
        )

    def open(self) -> None:
        """Take over what is running now. Whatever is under way in the old name is aborted."""
        self.close()

    def close(self) -> None:
        """Abort what is under way and end every wait; later calls are made anew."""
        self._dialler.close()
        self.kept.close("the node was stopped")
        self.requestor.interrupt("the node was stopped")
        self._renew()

    def peer(self, name: str) -> Peer | None:
        """The AE-table line called ``name`` as somebody to call, as the running configuration believes."""
        line = self._node.running.remote(name)
        return None if line is None else self.peer_of(line)

    def peer_of(self, line: RemoteNode) -> Peer:
        """An AE-table line as somebody to call: over TLS in the node's own name, if the line says so."""
        return Peer(line.ae_title, line.host, line.port, self._node.tls.client() if line.tls else None)


class Deliveries(Protocol):
    """Wants to know what arrived: each instance at once, and all of an association when it is closed."""

    def sent(self, item: StoredObject) -> None: ...
    def delivered(self, items: Sequence[StoredObject]) -> None: ...


class QueueCarrier:
    """Opens the associations over which a node's queue is emptied (a ``queue_sender.Carrier``)."""

    def __init__(self, node: Node, told: Deliveries | None = None) -> None:
        self._node = node
        self._told = told

    def open(self, destination: str, syntaxes: Sequence[tuple[str, str]]) -> Delivery | str:
        """An association for these (SOP class, transfer syntax) pairs, or one sentence that says why there is none."""
        caller = self._node.caller
        peer = caller.peer(destination)
        if peer is None:
            return f"There is no {destination} in the AE table."
        config = self._node.running
        transcode, keep_s = True, 0.0
        if isinstance(config, SendingConfig):
            transcode, keep_s = config.transcode, config.keep_association_s

        def close(association: Association) -> None:
            # One that was interrupted meanwhile, as when the node stops, is found to be over by looking at it.
            if keep_s and association.notice():
                caller.kept.give(destination, association, keep_s)
            else:
                association.release()

        kept = caller.kept.take(destination)
        if kept is not None:
            if all(kept.accepts(*pair) for pair in syntaxes):
                return _OpenDelivery(kept, frozenset(syntaxes), self._told, close)
            kept.release()
        opened = caller.requestor.associate(peer, contexts_for_pairs(syntaxes, transcode=transcode))
        if isinstance(opened, AssociationFailure):
            return opened.sentence
        return _OpenDelivery(opened, frozenset(syntaxes), self._told, close)


class _OpenDelivery:
    def __init__(
        self,
        association: Association,
        syntaxes: frozenset[tuple[str, str]],
        told: Deliveries | None,
        close: Callable[[Association], None],
    ) -> None:
        self._association = association
        self._syntaxes = syntaxes
        self._told = told
        self._close = close
        self._sent: list[StoredObject] = []

    def takes(self, item: StoredObject) -> bool:
        return (item.sop_class, item.transfer_syntax) in self._syntaxes and self._association.is_open

    def send(self, item: StoredObject) -> Outcome:
        answer = self._association.store(item)
        if answer.succeeded or answer.is_warning:
            if self._told is not None:
                self._told.sent(item)
                self._sent.append(item)
            return Outcome(ok=True)
        if answer.status is None:
            return Outcome(ok=False, reason=sentence(answer.failure), lost=not self._association.is_open)
        return Outcome(ok=False, reason=f"Refused with {refusal('C-STORE', answer.status, answer.comment)}.")

    def close(self) -> None:
        self._close(self._association)
        if self._told is not None:
            self._told.delivered(self._sent)

    def abort(self) -> None:
        self._association.interrupt("the node was stopped")
