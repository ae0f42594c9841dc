"""Calling other AEs: a Requestor opens associations, synchronously, on the thread of whoever asks.

What cannot be had is returned as a value (AssociationFailure, Outcome), never raised. An open association is a context
manager that releases itself; its requests are those of PS3.7 9.1.
"""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType

from pydicom.dataset import Dataset
from pynetdicom import build_role
from pynetdicom._globals import MODE_REQUESTOR

from sandbox.dicom import outcomes, scp
from sandbox.dicom.association import SynchronousAssociation
from sandbox.dicom.contract import (
    Connection,
    Dialler,
    Observer,
    Peer,
    StoredObject,
    StoreRequest,
    StoreStatus,
    Timeouts,
)
from sandbox.dicom.datasets import convert, decode_dataset, encode_dataset, read_encoded
from sandbox.dicom.messages import (
    C_CANCEL_RQ,
    C_ECHO_RQ,
    C_FIND_RQ,
    C_GET_RQ,
    C_MOVE_RQ,
    C_STORE_RQ,
    DATA_SET,
    NO_DATA_SET,
    RESPONSE,
    Command,
    Message,
    response_to,
)
from sandbox.dicom.negotiation import LocalAE, Proposal, proposals, quieten_pynetdicom
from sandbox.dicom.outcomes import AssociationFailure, FailureKind, FindResponse, MoveResponse, Outcome
from sandbox.dicom.pdus import AbortReason
from sandbox.dicom.syntaxes import CONVERTIBLE, VERIFICATION
from sandbox.model.association import AssociationFacts, ContextResult, DialFailure, ProposedContext, Side

StoreHandler = Callable[[StoreRequest], StoreStatus]
_MEDIUM_PRIORITY = 0
_PENDING = frozenset({0xFF00, 0xFF01})
# Statuses of our own making for what never left (PS3.7 annex C): no context for it, no readable file.
_NO_CONTEXT = "the peer accepted no presentation context for it"


class _RequestorAssociation(SynchronousAssociation):
    """pynetdicom's requestor over a connection that a Dialler made."""

    def __init__(self, owner: Requestor, connection: Connection, calling_ae: str, called_ae: str) -> None:
        super().__init__(
            owner.ae, MODE_REQUESTOR, connection.socket, owner.observer, owner.timeouts, owner.ae.maximum_pdu_size
        )
        self.attach(connection.socket)
        self.requestor.ae_title = calling_ae
        self.requestor.maximum_length = owner.ae.maximum_pdu_size
        self.requestor.implementation_version_name = owner.ae.implementation_version_name
        self.acceptor.ae_title = called_ae


class Association:
    """An open association. Leaving its ``with`` block releases it; an exception inside aborts it."""

    def __init__(self, inner: _RequestorAssociation, facts: AssociationFacts) -> None:
        self._inner = inner
        self._message_id = 0
        self._open_operation: tuple[int, int] | None = None
        self.facts = facts
        self.contexts: tuple[ContextResult, ...] = tuple(inner.context_results())

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

    def accepts(self, sop_class: str, transfer_syntax: str = "") -> bool:
        """Whether the peer accepted a context for this SOP class (in this transfer syntax)."""
        return self._context(sop_class, transfer_syntax) is not None

    # --- requests ------------------------------------------------------------------------------------------------

    def echo(self) -> Outcome:
        """C-ECHO."""
        return self._simple(VERIFICATION, {"CommandField": C_ECHO_RQ})

    def store(self, item: StoredObject | Dataset, *, originator: tuple[str, int] | None = None) -> Outcome:
        """C-STORE. A StoredObject's bytes go as they are where the peer takes their transfer syntax; else they are
        re-encoded if that needs no codec. ``originator`` is the AE title and message id of a C-MOVE behind it."""
        if isinstance(item, Dataset):
            sop_class, sop_instance = str(item.SOPClassUID), str(item.SOPInstanceUID)
            syntax = str(item.file_meta.TransferSyntaxUID)
        else:
            sop_class, sop_instance, syntax = item.sop_class, item.sop_instance, item.transfer_syntax
        context = self._context(sop_class, syntax) or self._convertible_context(sop_class, syntax)
        if context is None:
            return Outcome(None, failure=_NO_CONTEXT)
        data: bytes | memoryview
        try:
            if isinstance(item, Dataset):
                data = encode_dataset(item, context.transfer_syntax)
            elif context.transfer_syntax == syntax:
                data = read_encoded(item.path)
            else:
                data = convert(item.path, context.transfer_syntax)
        except (OSError, ValueError) as wrong:
            return Outcome(None, failure=f"it could not be read: {wrong}")
        command: Command = {
            "CommandField": C_STORE_RQ,
            "Priority": _MEDIUM_PRIORITY,
            "AffectedSOPInstanceUID": sop_instance,
        }
        if originator is not None:
            command["MoveOriginatorApplicationEntityTitle"], command["MoveOriginatorMessageID"] = originator
        return self._simple(sop_class, command, data, context)

    def find(self, model: str, identifier: Dataset) -> Iterator[FindResponse]:
        """C-FIND: every match, then the final response. Leaving the iteration early cancels the query."""
        for message, failure in self._operation(model, {"CommandField": C_FIND_RQ}, identifier):
            if message is None:
                yield FindResponse(None, failure=failure)
                return
            command = message.command
            found = None
            if message.data is not None:
                try:
                    found = decode_dataset(message.data, self._inner.transfer_syntax_of(message.context_id))
                except ValueError as wrong:
                    failure = str(wrong)
            yield FindResponse(command.get("Status"), found, command.get("ErrorComment", ""), failure)

    def move(self, model: str, identifier: Dataset, destination: str) -> Iterator[MoveResponse]:
        """C-MOVE to the AE title ``destination``, which the peer must know."""
        command: Command = {"CommandField": C_MOVE_RQ, "MoveDestination": destination}
        for message, failure in self._operation(model, command, identifier):
            yield self._move_response(message, failure)

    def get(self, model: str, identifier: Dataset, store: StoreHandler) -> Iterator[MoveResponse]:
        """C-GET: instances come over this association (propose their SOP classes with ``roles``) and go to ``store``."""
        for message, failure in self._operation(model, {"CommandField": C_GET_RQ}, identifier, store):
            yield self._move_response(message, failure)

    def cancel(self) -> None:
        """C-CANCEL of the operation that is going on; its final response still comes."""
        if self._open_operation is None or not self.is_open:
            return
        context_id, message_id = self._open_operation
        command: Command = {
            "CommandField": C_CANCEL_RQ,
            "MessageIDBeingRespondedTo": message_id,
            "CommandDataSetType": NO_DATA_SET,
        }
        self._inner.dimse.send(context_id, command)

    # --- the end -------------------------------------------------------------------------------------------------

    def release(self) -> None:
        """Release the association in order. Does nothing on one that has ended."""
        inner = self._inner
        if self.is_open:
            inner.acse.negotiate_release()
            if inner.is_released:
                inner.tell_released()
            else:
                inner.tell_aborted("no answer to the release request" if not inner.dul.ending else "")
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
        if self._inner.dul.ended and not self._inner.is_released:
            self._inner.tell_aborted()
        self._inner.finish(0)

    # --- how requests are made -----------------------------------------------------------------------------------

    def _context(self, sop_class: str, transfer_syntax: str = "") -> ContextResult | None:
        for context in self.contexts:
            if context.accepted and context.abstract_syntax == sop_class:
                if transfer_syntax in ("", context.transfer_syntax):
                    return context
        return None

    def _convertible_context(self, sop_class: str, transfer_syntax: str) -> ContextResult | None:
        if transfer_syntax not in CONVERTIBLE:
            return None
        for context in self.contexts:
            if context.accepted and context.abstract_syntax == sop_class and context.transfer_syntax in CONVERTIBLE:
                return context
        return None

    def _begin(self, sop_class: str, command: Command, data: bytes | memoryview | None, context: ContextResult) -> int:
        self._message_id = self._message_id % 0xFFFF + 1
        command["AffectedSOPClassUID"] = sop_class
        command["MessageID"] = self._message_id
        command["CommandDataSetType"] = NO_DATA_SET if data is None else DATA_SET
        self._inner.dimse.send(context.id, command, data)
        return self._message_id

    def _simple(
        self,
        sop_class: str,
        command: Command,
        data: bytes | memoryview | None = None,
        context: ContextResult | None = None,
    ) -> Outcome:
        context = context or self._context(sop_class)
        if context is None:
            return Outcome(None, failure=_NO_CONTEXT)
        began = time.perf_counter()
        message_id = self._begin(sop_class, command, data, context)
        message, failure = self._await(message_id)
        elapsed = (time.perf_counter() - began) * 1000
        if message is None:
            return Outcome(None, duration_ms=elapsed, failure=failure)
        answer = message.command
        return Outcome(answer.get("Status"), answer.get("ErrorComment", ""), elapsed)

    def _operation(
        self, model: str, command: Command, identifier: Dataset, store: StoreHandler | None = None
    ) -> Iterator[tuple[Message | None, str]]:
        context = self._context(model)
        if context is None:
            yield None, _NO_CONTEXT
            return
        data = encode_dataset(identifier, context.transfer_syntax)
        command["Priority"] = _MEDIUM_PRIORITY
        message_id = self._begin(model, command, data, context)
        self._open_operation = (context.id, message_id)
        try:
            while True:
                message, failure = self._await(message_id, store)
                if message is None or message.command.get("Status") not in _PENDING:
                    self._open_operation = None
                yield message, failure
                if self._open_operation is None:
                    return
        finally:
            if self._open_operation is not None:
                self._drain(message_id, store)

    def _drain(self, message_id: int, store: StoreHandler | None) -> None:
        """The caller wants no more answers: cancel, and read on to the final one so that the association stays usable."""
        self.cancel()
        while self._open_operation is not None:
            message, _ = self._await(message_id, store)
            if message is None or message.command.get("Status") not in _PENDING:
                self._open_operation = None

    def _await(self, message_id: int, store: StoreHandler | None = None) -> tuple[Message | None, str]:
        """The next response to this request, serving C-STORE requests that come before it."""
        inner = self._inner
        while True:
            message = inner.dimse.receive(inner.timeouts.dimse)
            if message is None:
                return None, self._gone()
            command = message.command
            if command["CommandField"] == C_STORE_RQ:
                outcome = scp.take_store(inner, message, store)
                inner.dimse.send(message.context_id, response_to(command, outcome.status, outcome.comment))
            elif command["CommandField"] & RESPONSE and command.get("MessageIDBeingRespondedTo") == message_id:
                return message, ""
            else:
                inner.dul.abort_by_provider(
                    AbortReason.NOT_SPECIFIED, f"the peer sent a message that answers nothing ({command})"
                )

    def _gone(self) -> str:
        inner = self._inner
        if inner.answer_release():
            reason = "the peer released the association instead of answering"
        elif inner.dul.ended:
            inner.tell_aborted()
            reason = inner.ending
        else:
            reason = f"no response within {inner.timeouts.dimse:g} s"
            inner.abort()
            inner.tell_aborted(reason)
        self._close()
        return reason

    def _move_response(self, message: Message | None, failure: str) -> MoveResponse:
        if message is None:
            return MoveResponse(None, failure=failure)
        command = message.command
        failed_uids: tuple[str, ...] = ()
        if message.data is not None:
            try:
                listed = decode_dataset(message.data, self._inner.transfer_syntax_of(message.context_id))
                value = listed.get("FailedSOPInstanceUIDList") or ()
                failed_uids = (str(value),) if isinstance(value, str) else tuple(str(uid) for uid in value)
            except ValueError as wrong:
                failure = str(wrong)
        return MoveResponse(
            status=command.get("Status"),
            remaining=command.get("NumberOfRemainingSuboperations"),
            completed=command.get("NumberOfCompletedSuboperations"),
            failed=command.get("NumberOfFailedSuboperations"),
            warning=command.get("NumberOfWarningSuboperations"),
            comment=command.get("ErrorComment", ""),
            failed_uids=failed_uids,
            failure=failure,
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
        self._open: weakref.WeakSet[_RequestorAssociation] = weakref.WeakSet()

    def associate(
        self,
        peer: Peer,
        contexts: Sequence[Proposal],
        *,
        cause: int | None = None,
        calling_ae: str | None = None,
        roles: Sequence[str] = (),
    ) -> Association | AssociationFailure:
        """Open an association with ``peer``. ``roles`` are the SOP classes that we propose to be SCP of (for C-GET);
        ``calling_ae`` is another title than our own to call as; ``cause`` the event that this follows from."""
        facts = AssociationFacts(
            id=self._new_association_id(),
            node=self.node,
            side=Side.REQUESTOR,
            called_ae=peer.ae_title,
            calling_ae=calling_ae or self.ae_title,
            local="",
            peer=f"{peer.host}:{peer.port}",
        )
        proposed = proposals(contexts)
        lines = [
            ProposedContext(
                id=context.context_id or 0,
                abstract_syntax=str(context.abstract_syntax),
                transfer_syntaxes=tuple(str(uid) for uid in context.transfer_syntax),
            )
            for context in proposed
        ]
        connection = self._dialler.dial(
            peer.host, peer.port, timeout=self.timeouts.connect, association=facts.id, cause=cause
        )
        if isinstance(connection, DialFailure):
            self.observer.requested(facts, lines, cause)
            self.observer.failed(facts, connection)
            return outcomes.dial_failed(facts, connection)
        facts = facts.model_copy(
            update={"local": connection.local, "peer": connection.peer, "peer_node": connection.peer_node}
        )
        inner = _RequestorAssociation(self, connection, facts.calling_ae, facts.called_ae)
        inner.requestor.requested_contexts = proposed
        for sop_class in roles:
            inner.requestor.add_negotiation_item(build_role(sop_class, scp_role=True))
        with self._lock:
            self._open.add(inner)
        inner.introduce(facts)
        self.observer.requested(facts, lines, cause)
        inner.acse.negotiate_association()
        return self._outcome(inner, facts)

    def interrupt(self, reason: str) -> None:
        """Have every open association of this requestor abort itself. May be called from any thread."""
        with self._lock:
            associations = list(self._open)
        for association in associations:
            association.interrupt(reason)

    def _outcome(self, inner: _RequestorAssociation, facts: AssociationFacts) -> Association | AssociationFailure:
        if inner.is_established:
            association = Association(inner, facts)
            self.observer.accepted(facts, association.contexts)
            return association
        answers = tuple(inner.context_results())
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
            failure = AssociationFailure(FailureKind.ABORTED, facts, f"{facts.called_ae} at {facts.peer}: {reason}.")
        inner.finish(0)
        return failure
