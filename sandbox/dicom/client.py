"""Calling other AEs: a Requestor opens associations, synchronously, on the thread of whoever asks.

What cannot be had is returned as a value (AssociationFailure, Outcome), never raised. An open association is a context
manager that releases itself; its requests are those of PS3.7 9.1.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing
from types import TracebackType
from typing import Any

from pydicom.dataset import Dataset
from pynetdicom._globals import MODE_REQUESTOR
from pynetdicom.acse import ACSE

from sandbox.dicom import outcomes
from sandbox.dicom.agreement import Memory, Offer, titled
from sandbox.dicom.association import NoReactor, SynchronousAssociation
from sandbox.dicom.contexts import MOST_CONTEXTS, contexts_for_storage
from sandbox.dicom.contract import Connection, Dialler, Observer, Peer, Role, StoredObject, Timeouts
from sandbox.dicom.datasets import decode_dataset
from sandbox.dicom.messages import C_ECHO_RQ, C_FIND_RQ, C_GET_RQ, C_MOVE_RQ, Command, Message
from sandbox.dicom.negotiation import LocalAE, Proposal, offer, proposed_lines, quieten_pynetdicom
from sandbox.dicom.normalized_scu import NormalizedRequests
from sandbox.dicom.outcomes import AssociationFailure, FailureKind, FindResponse, MoveResponse, Outcome
from sandbox.dicom.pdus import FIXED
from sandbox.dicom.scu import Invoker
from sandbox.dicom.storing import StoreHandler
from sandbox.dicom.syntaxes import VERIFICATION
from sandbox.dicom.tls import client_context
from sandbox.model.association import AssociationFacts, ContextResult, DialFailure, Side
from sandbox.model.errors import BadInputError

__all__ = [
    "Association",
    "AssociationFailure",
    "FailureKind",
    "FindResponse",
    "MoveResponse",
    "Outcome",
    "Requestor",
    "contexts_for_storage",
]


# Kinds of request one AE makes in turn.
MOST_OFFERS = 32
# How long a peer gets to hear why the TLS handshake failed, before the connection is closed.
_LINGER_S = 1.0


class _Connected:
    """Stands for the socket that pynetdicom waits for before it waits for the answer."""

    _is_connected = True
    _ready = NoReactor()


class _AnsweredACSE(ACSE):
    """pynetdicom's negotiation from the moment when the request is sent and the answer is there."""

    def send_request(self) -> None: ...

    @property
    def socket(self) -> Any:
        return _Connected


class _RequestorAssociation(SynchronousAssociation):
    """pynetdicom's requestor over a connection that a Dialler made."""

    def __init__(self, owner: Requestor, connection: Connection, calling_ae: str, called_ae: str) -> None:
        super().__init__(
            owner.ae, MODE_REQUESTOR, connection.socket, owner.observer, owner.timeouts, owner.ae.maximum_pdu_size
        )
        self.requestor.ae_title = calling_ae
        self.acceptor.ae_title = called_ae

    def negotiate(self, offer: Offer) -> None:
        """Propose ``offer`` and take the answer: as agreed before if it is the same again, else as pynetdicom reads
        it."""
        called_ae, calling_ae = self.acceptor.ae_title, self.requestor.ae_title
        self.requestor.requested_contexts = list(offer.contexts)
        self.requestor.primitive = titled(offer.request, called_ae, calling_ae)
        self.dul.recall = lambda items: getattr(offer.agreements.get(items), "answer", None)
        self.dul.send_request(called_ae, calling_ae, offer.items)
        if not self.dul.await_answer(self.timeouts.acse):
            self.abort()
            return
        known = offer.agreements.get(self.dul.answer_pdu[FIXED:])
        if known is not None:
            self.dul.receive_pdu()
            self.adopt(known, called_ae, calling_ae)
            return
        _AnsweredACSE(self).negotiate_association()
        if self.is_established:
            offer.agreements.put(self.dul.answer_pdu[FIXED:], self.agree())


class Association(NormalizedRequests):
    """An open association. Leaving its ``with`` block releases it; an exception inside aborts it."""

    def __init__(self, inner: _RequestorAssociation, facts: AssociationFacts) -> None:
        self._inner = inner
        self._invoker = Invoker(inner, self._close)
        self.facts = facts
        self.contexts: tuple[ContextResult, ...] = self._invoker.contexts

    def __enter__(self) -> Association:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.release()
        else:
            self.abort()

    @property
    def is_open(self) -> bool:
        return self._inner.is_established and not self._inner.dul.ended

    @property
    def peer_maximum(self) -> int:
        """The longest P-DATA-TF that the peer takes, in bytes (PS3.8 D.1); 0 for any."""
        return self._inner.dimse.maximum_pdu_size or 0

    def notice(self) -> bool:
        """Whether it is still open, after looking at what the peer may have sent while nobody waited for it. Does not
        wait. An association that is kept open without use learns only so that the peer has ended it."""
        inner = self._inner
        if self.is_open:
            inner.dul.poll()
            inner.answer_release()
        if not self.is_open:
            self._close()
        return self.is_open

    def accepts(self, sop_class: str, transfer_syntax: str = "") -> bool:
        """Whether the peer accepted a context for this SOP class (in this transfer syntax)."""
        return self._invoker.context(sop_class, transfer_syntax) is not None

    # --- requests ------------------------------------------------------------------------------------------------

    def echo(self) -> Outcome:
        """C-ECHO."""
        return self._invoker.request(VERIFICATION, {"CommandField": C_ECHO_RQ})

    def store(self, item: StoredObject | Dataset, *, originator: tuple[str, int] | None = None) -> Outcome:
        """C-STORE. A StoredObject's bytes go as they are where the peer takes their transfer syntax; else transcoded to
        an uncompressed one that it takes. ``originator`` is the AE title and message id of a C-MOVE behind it."""
        return self._invoker.store(item, originator)

    def store_all(
        self, items: Iterable[StoredObject], *, originator: tuple[str, int] | None = None
    ) -> Generator[Outcome]:
        """C-STORE of one after the other, as ``store``: the next is read while the peer takes one."""
        return self._invoker.store_all(items, originator)

    def find(self, model: str, identifier: Dataset) -> Generator[FindResponse]:
        """C-FIND: every match, then the final response. Leaving the iteration early cancels the query."""
        with closing(self._invoker.operation(model, {"CommandField": C_FIND_RQ}, identifier)) as answers:
            for message, failure in answers:
                yield self._find_response(message, failure)

    def move(self, model: str, identifier: Dataset, destination: str) -> Generator[MoveResponse]:
        """C-MOVE to the AE title ``destination``, which the peer must know."""
        command: Command = {"CommandField": C_MOVE_RQ, "MoveDestination": destination}
        with closing(self._invoker.operation(model, command, identifier)) as answers:
            for message, failure in answers:
                yield self._move_response(message, failure)

    def get(self, model: str, identifier: Dataset, store: StoreHandler) -> Generator[MoveResponse]:
        """C-GET: instances come over this association to ``store``; their SOP classes must be among the ``roles``."""
        with closing(self._invoker.operation(model, {"CommandField": C_GET_RQ}, identifier, store)) as answers:
            for message, failure in answers:
                yield self._move_response(message, failure)

    def cancel(self) -> None:
        """C-CANCEL of the operation that is going on; its final response still comes."""
        self._invoker.cancel()

    # --- the end -------------------------------------------------------------------------------------------------

    def release(self) -> None:
        """Release the association in order. Does nothing on one that has ended."""
        inner = self._inner
        if self.is_open:
            inner.acse.negotiate_release()
            if inner.is_released:
                inner.tell_released()
            else:
                inner.tell_aborted("no answer to the release request" if inner.dul.aborted_here else "")
        self._close()

    def abort(self, reason: str = "this side aborted") -> None:
        """Abort the association. Does nothing on one that has ended."""
        if self.is_open:
            self._inner.abort()
            self._inner.tell_aborted(reason)
        self._close()

    def interrupt(self, reason: str) -> None:
        """Have the thread that uses this association abort it. May be called from any thread."""
        self._inner.interrupt(reason)

    def _close(self) -> None:
        if not self._inner.is_released:
            self._inner.tell_aborted()
        self._inner.finish(0)

    # --- answers -------------------------------------------------------------------------------------------------

    def _identifier(self, message: Message) -> tuple[Dataset | None, str]:
        if message.data is None:
            return None, ""
        try:
            return decode_dataset(message.data, self._inner.transfer_syntax_of(message.context_id)), ""
        except ValueError as wrong:
            return None, str(wrong)

    def _find_response(self, message: Message | None, failure: str) -> FindResponse:
        if message is None:
            return FindResponse(None, failure=failure)
        identifier, unreadable = self._identifier(message)
        comment = message.command.get("ErrorComment", "")
        return FindResponse(message.command.get("Status"), identifier, comment, unreadable)

    def _move_response(self, message: Message | None, failure: str) -> MoveResponse:
        if message is None:
            return MoveResponse(None, failure=failure)
        command = message.command
        identifier, unreadable = self._identifier(message)
        listed = identifier.get("FailedSOPInstanceUIDList") if identifier is not None else None
        return MoveResponse(
            status=command.get("Status"),
            remaining=command.get("NumberOfRemainingSuboperations"),
            completed=command.get("NumberOfCompletedSuboperations"),
            failed=command.get("NumberOfFailedSuboperations"),
            warning=command.get("NumberOfWarningSuboperations"),
            comment=command.get("ErrorComment", ""),
            failed_uids=(str(listed),) if isinstance(listed, str) else tuple(str(uid) for uid in listed or ()),
            failure=unreadable,
        )


class Requestor:
    """Opens associations in the name of one AE, through one node's dialler. May be used from several threads."""

    def __init__(
        self,
        ae_title: str,
        node: str,
        dialler: Dialler,
        observer: Observer,
        timeouts: Timeouts,
        maximum_pdu: int,
        new_association_id: Callable[[], str],
    ) -> None:
        quieten_pynetdicom()
        self.ae = LocalAE(ae_title, maximum_pdu)
        self.ae_title = ae_title
        self.node = node
        self.observer = observer
        self.timeouts = timeouts
        self._dialler = dialler
        self._new_association_id = new_association_id
        self._lock = threading.Lock()
        self._closed = ""
        self._offers: Memory[tuple[object, ...], Offer] = Memory(MOST_OFFERS)
        self._open: weakref.WeakSet[_RequestorAssociation] = weakref.WeakSet()

    def associate(
        self,
        peer: Peer,
        contexts: Sequence[Proposal],
        *,
        cause: int | None = None,
        calling_ae: str | None = None,
        roles: Sequence[str | Role] = (),
    ) -> Association | AssociationFailure:
        """Open an association with ``peer``. ``roles`` are the SOP classes that we propose to be SCP of (for C-GET),
        or the very roles we propose;
        ``calling_ae`` is another title than our own to call as; ``cause`` the event that this follows from."""
        if not 0 < len(contexts) <= MOST_CONTEXTS:
            raise BadInputError(
                f"An association cannot propose {len(contexts)} presentation contexts.",
                f"Propose 1 to {MOST_CONTEXTS}.",
            )
        facts = AssociationFacts(
            id=self._new_association_id(),
            node=self.node,
            side=Side.REQUESTOR,
            called_ae=peer.ae_title,
            calling_ae=calling_ae or self.ae_title,
            local="",
            peer=f"{peer.host}:{peer.port}",
        )
        offered = self._offer(contexts, roles)
        # Made anew each time: certificates are renewed while nodes run.
        try:
            context = None if peer.tls is None else client_context(peer.tls)
        except BadInputError as wrong:
            self.observer.requested(facts, offered.lines, cause)
            self.observer.aborted(facts, wrong.sentence)
            return outcomes.no_tls(facts, wrong.sentence.rstrip("."))
        connection = self._dialler.dial(
            peer.host, peer.port, timeout=self.timeouts.connect, association=facts.id, cause=cause
        )
        if isinstance(connection, DialFailure):
            self.observer.requested(facts, offered.lines, cause)
            self.observer.failed(facts, connection)
            return outcomes.dial_failed(facts, connection)
        facts = facts.model_copy(
            update={"local": connection.local, "peer": connection.peer, "peer_node": connection.peer_node}
        )
        inner = _RequestorAssociation(self, connection, facts.calling_ae, facts.called_ae)
        with self._lock:
            self._open.add(inner)
            closed = self._closed
        if closed:
            inner.interrupt(closed)
        name = "" if peer.tls is None else peer.tls.server_name or peer.host
        is_secure = context is None or inner.secure(context, name, self.timeouts.acse)
        facts = facts.model_copy(update={"tls": inner.dul.secured})
        inner.introduce(facts)
        self.observer.requested(facts, offered.lines, cause)
        if not is_secure:
            inner.tell_aborted()
            inner.finish(_LINGER_S)
            return outcomes.no_tls(facts, inner.ending)
        inner.negotiate(offered)
        return self._outcome(inner, facts)

    def interrupt(self, reason: str) -> None:
        """Have every open association of this requestor abort itself. May be called from any thread."""
        with self._lock:
            associations = list(self._open)
        for association in associations:
            association.interrupt(reason)

    def close(self, reason: str) -> None:
        """Open no association any more: dials under way fail, and what is open or being negotiated aborts itself. May
        be called from any thread."""
        with self._lock:
            self._closed = reason
        self._dialler.close()
        self.interrupt(reason)

    def _offer(self, contexts: Sequence[Proposal], roles: Sequence[str | Role]) -> Offer:
        key = (
            *((context.abstract_syntax, tuple(context.transfer_syntaxes)) for context in contexts),
            *(Role(role) if isinstance(role, str) else role for role in roles),
        )
        known = self._offers.get(key)
        if known is None:
            known = offer(proposed_lines(contexts), [one for one in key if isinstance(one, Role)], self.ae)
            self._offers.put(key, known)
        return known

    def _outcome(self, inner: _RequestorAssociation, facts: AssociationFacts) -> Association | AssociationFailure:
        if inner.is_established:
            association = Association(inner, facts)
            self.observer.accepted(facts, association.contexts)
            return association
        answers = inner.context_results()
        if inner.dul.rejection is not None:
            inner.tell_rejected(inner.dul.rejection)
            failure = outcomes.rejected(facts, inner.dul.rejection)
        elif answers:
            self.observer.accepted(facts, answers)
            reason = "none of the proposed presentation contexts was accepted"
            inner.tell_aborted(reason)
            sentence = f"{facts.called_ae} at {facts.peer}: {reason}."
            failure = AssociationFailure(FailureKind.NO_ACCEPTED_CONTEXT, facts, sentence, contexts=answers)
        elif inner._sent_abort:
            reason = f"no answer to the association request within {self.timeouts.acse:g} s"
            inner.tell_aborted(reason)
            failure = AssociationFailure(FailureKind.TIMED_OUT, facts, f"{facts.called_ae} at {facts.peer}: {reason}.")
        else:
            reason = inner.ending
            inner.tell_aborted(reason)
            kind = FailureKind.NO_TLS if inner.dul.tls_failed else FailureKind.ABORTED
            failure = AssociationFailure(kind, facts, f"{facts.called_ae} at {facts.peer}: {reason}.")
        inner.finish(0)
        return failure
