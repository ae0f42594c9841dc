"""C-MOVE and C-GET as an SCP (PS3.4 C.4.2 and C.4.3): one loop over what is to be sent, two ways of sending it.

pynetdicom's own answers A801 to everything that goes wrong on the way to the destination, names itself as the move
originator and leaves the count of remaining sub-operations in its final answer. Here an unknown destination is A801,
one that is known but does not take the objects is A702 with the reason in the comment (and with the observer), and
each instance that cannot be sent fails alone.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from pydicom.dataset import Dataset

from sandbox.dicom.acceptor import AcceptorAssociation
from sandbox.dicom.client import Association
from sandbox.dicom.contexts import contexts_for_storage
from sandbox.dicom.contract import Query, RetrievePlan, StoredObject, UnreadableIdentifierError
from sandbox.dicom.datasets import encode_dataset
from sandbox.dicom.explain import explain_dial
from sandbox.dicom.messages import DATA_SET, Command, Message, response_to
from sandbox.dicom.outcomes import AssociationFailure, FailureKind, Outcome
from sandbox.dicom.scp import NO_IDENTIFIER, read_query
from sandbox.dicom.scu import Invoker
from sandbox.dicom.storing import CANNOT_UNDERSTAND, SOP_CLASS_NOT_SUPPORTED

log = logging.getLogger(__name__)

SUCCESS = 0x0000
PENDING = 0xFF00
CANCELLED = 0xFE00
SOME_FAILED = 0xB000
ALL_FAILED = 0xA702
UNKNOWN_DESTINATION = 0xA801
MOVE_FAILED = 0xC511
GET_FAILED = 0xC411

# A pending response may be sent after each sub-operation (PS3.4 C.4.2.3.2). The first few are; then twenty a second are
# as many as anybody reads.
_TOLD_ONE_BY_ONE = 10
_TOLD_EVERY_S = 0.05

_FAILURES = {
    FailureKind.NO_CONNECTION: "no connection",
    FailureKind.NO_TLS: "TLS failed",
    FailureKind.REJECTED: "association rejected",
    FailureKind.ABORTED: "association aborted",
    FailureKind.TIMED_OUT: "no answer to the association request",
    FailureKind.NO_ACCEPTED_CONTEXT: "no presentation context accepted",
}


@dataclass
class _Tally:
    """The counts of sub-operations, and which failed."""

    remaining: int
    completed: int = 0
    warning: int = 0
    failed: list[str] = field(default_factory=list)
    comment: str = ""

    def count(self, item: StoredObject, outcome: Outcome) -> None:
        self.remaining -= 1
        if outcome.succeeded:
            self.completed += 1
        elif outcome.is_warning:
            self.warning += 1
        else:
            self.failed.append(item.sop_instance)
            self.comment = self.comment or outcome.failure or outcome.comment

    def fail_all(self, objects: Sequence[StoredObject], comment: str) -> None:
        self.failed.extend(item.sop_instance for item in objects)
        self.remaining = 0
        self.comment = comment

    def final_status(self) -> int:
        if self.failed and not self.completed and not self.warning:
            return ALL_FAILED
        return SOME_FAILED if self.failed or self.warning else SUCCESS


def serve_move(association: AcceptorAssociation, message: Message) -> None:
    """C-MOVE: the objects go over an association of our own to the destination."""
    services, destination = association.host.services, message.command.get("MoveDestination", "")
    move = services.move

    def plan(query: Query) -> RetrievePlan:
        if move is None:
            return RetrievePlan(status=SOP_CLASS_NOT_SUPPORTED)
        if services.resolve_destination is None or services.resolve_destination(destination) is None:
            return RetrievePlan(status=UNKNOWN_DESTINATION, comment=f"{destination} is not in the AE table")
        return move(query, destination)

    def run(query: Query, objects: Sequence[StoredObject], tally: _Tally) -> int:
        opened = _associate(association, destination, objects)
        if isinstance(opened, str):
            tally.fail_all(objects, opened)
            return tally.final_status()
        originator = (query.facts.calling_ae, message.command.get("MessageID", 0))
        with opened:
            outcomes = opened.store_all(objects, originator=originator)
            return _send_all(association, message, query, objects, tally, outcomes)

    _retrieve(association, message, plan, run, MOVE_FAILED)


def serve_get(association: AcceptorAssociation, message: Message) -> None:
    """C-GET: the objects go back over the same association, on contexts where the peer is SCP."""
    get = association.host.services.get

    def plan(query: Query) -> RetrievePlan:
        return RetrievePlan(status=SOP_CLASS_NOT_SUPPORTED) if get is None else get(query)

    def run(query: Query, objects: Sequence[StoredObject], tally: _Tally) -> int:
        return _send_all(association, message, query, objects, tally, Invoker(association).store_all(objects))

    _retrieve(association, message, plan, run, GET_FAILED)


def _retrieve(
    association: AcceptorAssociation,
    message: Message,
    plan: Callable[[Query], RetrievePlan],
    run: Callable[[Query, Sequence[StoredObject], _Tally], int],
    failure: int,
) -> None:
    query = read_query(association, message)
    if query is None:
        _answer(association, message, CANNOT_UNDERSTAND, NO_IDENTIFIER)
        return
    tally = _Tally(0)
    try:
        planned = plan(query)
        if planned.status != SUCCESS:
            _answer(association, message, planned.status, planned.comment)
            return
        tally.remaining = len(planned.objects)
        status = run(query, planned.objects, tally) if planned.objects else SUCCESS
    except UnreadableIdentifierError as wrong:
        _answer(association, message, CANNOT_UNDERSTAND, str(wrong))
        return
    except Exception:
        log.exception("A retrieve by %s failed", query.facts.calling_ae)
        _answer(association, message, failure, "the retrieve service failed")
        return
    _answer(association, message, status, tally.comment, tally)


def _associate(
    association: AcceptorAssociation, destination: str, objects: Sequence[StoredObject]
) -> Association | str:
    """The association to the destination, or why there is none."""
    resolve, requestor = association.host.services.resolve_destination, association.host.requestor
    peer = resolve(destination) if resolve is not None else None
    if peer is None or requestor is None:
        return f"{destination} cannot be called from here"
    contexts = contexts_for_storage(objects, transcode=association.host.services.transcode)
    opened = requestor.associate(peer, contexts, cause=association.caller.cause)
    if not isinstance(opened, AssociationFailure):
        return opened
    detail = explain_dial(opened.dial.outcome).name if opened.dial else opened.rejection
    return f"{destination}: {_FAILURES[opened.kind]}" + (f" ({detail})" if detail else "")


def _send_all(
    association: AcceptorAssociation,
    message: Message,
    query: Query,
    objects: Sequence[StoredObject],
    tally: _Tally,
    outcomes: Iterator[Outcome],
) -> int:
    """Count the outcome of each sub-operation as it is done; a C-CANCEL is looked for before each."""
    told = 0.0
    for number, item in enumerate(objects):
        if query.is_cancelled():
            return CANCELLED
        tally.count(item, next(outcomes))
        now = time.monotonic()
        if number < _TOLD_ONE_BY_ONE or now - told >= _TOLD_EVERY_S:
            told = now
            _answer(association, message, PENDING, tally=tally)
    return tally.final_status()


def _answer(
    association: AcceptorAssociation,
    message: Message,
    status: int,
    comment: str = "",
    tally: _Tally | None = None,
) -> None:
    command = response_to(message.command, status, comment)
    data = None
    if tally is not None:
        _add_counts(command, status, tally)
        if status != PENDING and tally.failed:
            data = _failed_list(tally.failed, association.transfer_syntax_of(message.context_id))
            command["CommandDataSetType"] = DATA_SET
    association.dimse.send(message.context_id, command, data)


def _add_counts(command: Command, status: int, tally: _Tally) -> None:
    # PS3.7 9.3.4.2: the count of remaining sub-operations is for answers that leave some undone.
    if status in (PENDING, CANCELLED):
        command["NumberOfRemainingSuboperations"] = tally.remaining
    command["NumberOfCompletedSuboperations"] = tally.completed
    command["NumberOfFailedSuboperations"] = len(tally.failed)
    command["NumberOfWarningSuboperations"] = tally.warning


def _failed_list(uids: list[str], transfer_syntax: str) -> bytes:
    identifier = Dataset()
    identifier.FailedSOPInstanceUIDList = uids
    return encode_dataset(identifier, transfer_syntax)
