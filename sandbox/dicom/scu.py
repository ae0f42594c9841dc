"""Making requests on an association: message ids, choice of context, waiting for the answer.

Used by a client on an association it opened, and by an acceptor that sends instances back for a C-GET.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Iterator

from pydicom.dataset import Dataset

from sandbox.dicom import normalized
from sandbox.dicom.association import SynchronousAssociation
from sandbox.dicom.contract import NormalizedService, StoredObject
from sandbox.dicom.datasets import decode_dataset, encode_dataset, read_encoded
from sandbox.dicom.messages import (
    C_CANCEL_RQ,
    C_STORE_RQ,
    DATA_SET,
    N_EVENT_REPORT_RQ,
    NO_DATA_SET,
    RESPONSE,
    Command,
    Message,
    response_to,
)
from sandbox.dicom.outcomes import NormalizedOutcome, Outcome
from sandbox.dicom.pdus import AbortReason
from sandbox.dicom.storing import StoreHandler, take_store
from sandbox.dicom.syntaxes import CONVERTIBLE, FALLBACKS, can_transcode
from sandbox.model.association import ContextResult

MEDIUM_PRIORITY = 0
PENDING = frozenset({0xFF00, 0xFF01})
NO_CONTEXT = "the peer accepted no presentation context for it"


class Invoker:
    """Requests on ``association``, one at a time. ``lost`` is called when the peer is found to be gone."""

    def __init__(self, association: SynchronousAssociation, lost: Callable[[], None] = lambda: None) -> None:
        self._association = association
        self._lost = lost
        self._message_id = 0
        self._pending_operation: tuple[int, int] | None = None
        self.contexts = association.context_results()
        self._as_scu = frozenset(context.context_id for context in association.accepted_contexts if context.as_scu)
        self._as_scp = frozenset(context.context_id for context in association.accepted_contexts if context.as_scp)
        # What answers an N-EVENT-REPORT of the peer, should one come on this association.
        self.events: NormalizedService | None = None

    def context(self, sop_class: str, transfer_syntax: str = "", *, as_scp: bool = False) -> ContextResult | None:
        """An accepted context of this SOP class on which we are SCU, or SCP (in this very transfer syntax)."""
        usable = self._usable(sop_class, self._as_scp if as_scp else self._as_scu)
        return next((one for one in usable if transfer_syntax in ("", one.transfer_syntax)), None)

    def store(self, item: StoredObject | Dataset, originator: tuple[str, int] | None = None) -> Outcome:
        """C-STORE. The bytes of a file go as they are where the peer takes their transfer syntax; else transcoded to an
        uncompressed one that it takes. A data set in memory is only re-encoded."""
        return next(self.store_all((item,), originator))

    def store_all(
        self, items: Iterable[StoredObject | Dataset], originator: tuple[str, int] | None = None
    ) -> Generator[Outcome]:
        """C-STORE of one after the other, with the outcome of each. While the peer takes one, the next is read."""
        waiting = iter(items)
        ready = self._ready(next(waiting, None), originator)
        while ready is not None:
            if isinstance(ready, Outcome):
                outcome, ready = ready, self._ready(next(waiting, None), originator)
                yield outcome
                continue
            sop_class, command, data, context = ready
            if not self._association.is_established:
                yield Outcome(None, failure=self._association.ending)
                ready = self._ready(next(waiting, None), originator)
                continue
            began = time.perf_counter()
            message_id = self._begin(sop_class, command, data, context)
            ready = self._ready(next(waiting, None), originator)
            message, failure = self._await(message_id)
            yield _outcome(message, failure, (time.perf_counter() - began) * 1000)

    def _ready(
        self, item: StoredObject | Dataset | None, originator: tuple[str, int] | None
    ) -> tuple[str, Command, bytes | memoryview, ContextResult] | Outcome | None:
        """An instance read and ready to be sent, or why it cannot be; None if there is none."""
        if item is None:
            return None
        if isinstance(item, Dataset):
            sop_class, sop_instance = str(item.SOPClassUID), str(item.SOPInstanceUID)
            syntax = str(item.file_meta.TransferSyntaxUID)
        else:
            sop_class, sop_instance, syntax = item.sop_class, item.sop_instance, item.transfer_syntax
        context = self.context(sop_class, syntax)
        if context is None and (syntax in CONVERTIBLE or not isinstance(item, Dataset)):
            context = self._transcoded(sop_class, syntax)
        if context is None:
            return Outcome(None, failure=NO_CONTEXT)
        try:
            data = self._encoded(item, syntax, context.transfer_syntax)
        except OSError as wrong:
            # Without the path: this goes into an Error Comment, and where files lie is nobody else's business.
            return Outcome(None, failure=f"its file could not be read: {wrong.strerror or type(wrong).__name__}")
        except ValueError as wrong:
            return Outcome(None, failure=str(wrong))
        command: Command = {
            "CommandField": C_STORE_RQ,
            "Priority": MEDIUM_PRIORITY,
            "AffectedSOPInstanceUID": sop_instance,
        }
        if originator is not None:
            command["MoveOriginatorApplicationEntityTitle"], command["MoveOriginatorMessageID"] = originator
        return sop_class, command, data, context

    def request(
        self,
        sop_class: str,
        command: Command,
        data: bytes | memoryview | None = None,
        context: ContextResult | None = None,
    ) -> Outcome:
        """A request that has one response."""
        context = context or self.context(sop_class)
        if context is None:
            return Outcome(None, failure=NO_CONTEXT)
        return _outcome(*self._exchange(sop_class, command, data, context))

    def normalized(self, sop_class: str, command: Command, dataset: Dataset | None = None) -> NormalizedOutcome:
        """A DIMSE-N request. N-EVENT-REPORT is the SCP's to send, all others the SCU's (PS3.7 10.1)."""
        context = self.context(sop_class, as_scp=command["CommandField"] == N_EVENT_REPORT_RQ)
        if context is None:
            return NormalizedOutcome(None, failure=NO_CONTEXT)
        data = encode_dataset(dataset, context.transfer_syntax) if dataset is not None else None
        message, failure, elapsed = self._exchange(sop_class, command, data or None, context)
        if message is None:
            return NormalizedOutcome(None, duration_ms=elapsed, failure=failure)
        answered = message.command
        comment, found = answered.get("ErrorComment", ""), None
        if message.data is not None:
            try:
                found = decode_dataset(message.data, context.transfer_syntax)
            except ValueError as wrong:
                failure = str(wrong)
        return NormalizedOutcome(
            answered.get("Status"), comment, elapsed, failure, found, answered.get("AffectedSOPInstanceUID", "")
        )

    def await_event(self, seconds: float) -> bool:
        """Answer one N-EVENT-REPORT that the peer sends within ``seconds``; False if none came or the peer is gone."""
        association = self._association
        message = association.dimse.receive(seconds) if association.is_established else None
        if message is None:
            if association.answer_release() or association.dul.ended:
                self._lost()
            return False
        return self._take_event(message)

    def _take_event(self, message: Message) -> bool:
        if message.command["CommandField"] != N_EVENT_REPORT_RQ or self.events is None:
            return False
        normalized.answer(self._association, message, self.events)
        return True

    def _exchange(
        self, sop_class: str, command: Command, data: bytes | memoryview | None, context: ContextResult
    ) -> tuple[Message | None, str, float]:
        """The response to a request, or why there is none, and the milliseconds it took."""
        if not self._association.is_established:
            return None, self._association.ending, 0.0
        began = time.perf_counter()
        message_id = self._begin(sop_class, command, data, context)
        message, failure = self._await(message_id)
        return message, failure, (time.perf_counter() - began) * 1000

    def operation(
        self, model: str, command: Command, identifier: Dataset, store: StoreHandler | None = None
    ) -> Generator[tuple[Message | None, str]]:
        """A request with pending responses before the last: C-FIND, C-MOVE, C-GET. No message: the peer is gone, and
        why. Left early, it cancels the operation and reads on to its end."""
        context = self.context(model)
        if context is None:
            yield None, NO_CONTEXT
            return
        if not self._association.is_established:
            yield None, self._association.ending
            return
        data = encode_dataset(identifier, context.transfer_syntax)
        command["Priority"] = MEDIUM_PRIORITY
        message_id = self._begin(model, command, data, context)
        self._pending_operation = (context.id, message_id)
        try:
            while self._pending_operation is not None:
                yield self._next(message_id, store)
        finally:
            if self._pending_operation is not None:
                self.cancel()
                while self._pending_operation is not None:
                    self._next(message_id, store)

    def cancel(self) -> None:
        """C-CANCEL of the operation that is going on, if there is one; its final response still comes."""
        if self._pending_operation is None or not self._association.is_established:
            return
        context_id, message_id = self._pending_operation
        command: Command = {
            "CommandField": C_CANCEL_RQ,
            "MessageIDBeingRespondedTo": message_id,
            "CommandDataSetType": NO_DATA_SET,
        }
        self._association.dimse.send(context_id, command)

    def _usable(self, sop_class: str, in_role: frozenset[int | None]) -> Iterator[ContextResult]:
        for context in self.contexts:
            if context.accepted and context.abstract_syntax == sop_class and context.id in in_role:
                yield context

    def _transcoded(self, sop_class: str, stored: str) -> ContextResult | None:
        """The context to send what is stored otherwise on: of those that it can be had in, the best."""
        usable = {one.transfer_syntax: one for one in self._usable(sop_class, self._as_scu)}
        return next((usable[one] for one in FALLBACKS if one in usable and can_transcode(stored, one)), None)

    @staticmethod
    def _encoded(item: StoredObject | Dataset, stored: str, wanted: str) -> bytes | memoryview:
        if isinstance(item, Dataset):
            return encode_dataset(item, wanted)
        if stored == wanted:
            return read_encoded(item.path, item.size)
        # Loaded with its first use: it brings numpy along, which most processes can do without.
        from sandbox.dicom.transcode import transcode

        return transcode(item.path, wanted)

    def _begin(self, sop_class: str, command: Command, data: bytes | memoryview | None, context: ContextResult) -> int:
        self._message_id = self._message_id % 0xFFFF + 1
        if "RequestedSOPClassUID" not in command:
            command["AffectedSOPClassUID"] = sop_class
        command["MessageID"] = self._message_id
        command["CommandDataSetType"] = NO_DATA_SET if data is None else DATA_SET
        self._association.dimse.send(context.id, command, data)
        return self._message_id

    def _next(self, message_id: int, store: StoreHandler | None) -> tuple[Message | None, str]:
        message, failure = self._await(message_id, store)
        if message is None or message.command.get("Status") not in PENDING:
            self._pending_operation = None
        return message, failure

    def _await(self, message_id: int, store: StoreHandler | None = None) -> tuple[Message | None, str]:
        """The next response to this request, serving C-STORE requests that come before it."""
        association = self._association
        while True:
            message = association.dimse.receive(association.timeouts.dimse)
            if message is None:
                return None, self._gone()
            command = message.command
            if command["CommandField"] == C_STORE_RQ:
                outcome = take_store(association, message, store)
                answer = response_to(command, outcome.status, outcome.comment)
                association.dimse.send(message.context_id, answer)
            elif command["CommandField"] & RESPONSE and command.get("MessageIDBeingRespondedTo") == message_id:
                return message, ""
            elif not self._take_event(message):
                association.dul.abort_by_provider(
                    AbortReason.NOT_SPECIFIED, f"the peer sent a {command['CommandField']:04X} that was not asked for"
                )

    def _gone(self) -> str:
        association = self._association
        if association.answer_release():
            reason = "the peer released the association instead of answering"
        elif association.dul.ended:
            association.tell_aborted()
            reason = association.ending
        else:
            reason = f"no response within {association.timeouts.dimse:g} s"
            association.abort()
            association.tell_aborted(reason)
        self._lost()
        return reason


def _outcome(message: Message | None, failure: str, elapsed: float) -> Outcome:
    if message is None:
        return Outcome(None, duration_ms=elapsed, failure=failure)
    return Outcome(message.command.get("Status"), message.command.get("ErrorComment", ""), elapsed)
