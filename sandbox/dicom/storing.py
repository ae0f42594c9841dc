"""Taking an instance that was sent with C-STORE (PS3.7 9.1.1): to an acceptor, or to a client during its C-GET."""

from __future__ import annotations

import logging
from collections.abc import Callable

from sandbox.dicom.association import SynchronousAssociation
from sandbox.dicom.contract import ReceivedFile, Spool, StoreRequest, StoreStatus
from sandbox.dicom.messages import Command, Message
from sandbox.dicom.spool import Spooled
from sandbox.model.errors import SandboxError

log = logging.getLogger(__name__)

StoreHandler = Callable[[StoreRequest], StoreStatus]

INVALID_OBJECT_INSTANCE = 0x0117
SOP_CLASS_NOT_SUPPORTED = 0x0122
OUT_OF_RESOURCES = 0xA700
CANNOT_UNDERSTAND = 0xC000
STORE_FAILED = 0xC211


def take_store(association: SynchronousAssociation, message: Message, store: StoreHandler | None) -> StoreStatus:
    """Hand a received instance to ``store`` and return the status to answer with. Nothing of it is left afterwards but
    what the service has kept."""
    try:
        return _take_store(association, message, store)
    finally:
        if message.spooled is not None:
            message.spooled.discard()


def begin_spool(association: SynchronousAssociation, context_id: int, command: Command, spool: Spool) -> Spooled:
    """A file for an instance of which the command has come and the data set is coming."""
    try:
        return Spooled(spool.begin(_request(association, context_id, command)))
    except (OSError, SandboxError) as wrong:
        failed = Spooled(None)
        failed.fail(wrong)
        return failed


def _request(
    association: SynchronousAssociation,
    context_id: int,
    command: Command,
    dataset: bytes | memoryview = b"",
    file: ReceivedFile | None = None,
) -> StoreRequest:
    assert association.facts is not None
    return StoreRequest(
        facts=association.facts,
        sop_class=command.get("AffectedSOPClassUID", ""),
        sop_instance=command.get("AffectedSOPInstanceUID", ""),
        transfer_syntax=association.transfer_syntax_of(context_id),
        dataset=dataset,
        move_originator=command.get("MoveOriginatorApplicationEntityTitle", ""),
        move_originator_id=command.get("MoveOriginatorMessageID"),
        file=file,
    )


def _take_store(association: SynchronousAssociation, message: Message, store: StoreHandler | None) -> StoreStatus:
    facts = association.facts
    assert facts is not None
    command = message.command
    sop_class = command.get("AffectedSOPClassUID", "")
    sop_instance = command.get("AffectedSOPInstanceUID", "")
    context = association._accepted_cx[message.context_id]
    if store is None:
        return StoreStatus(SOP_CLASS_NOT_SUPPORTED)
    if sop_class != context.abstract_syntax:
        return StoreStatus(SOP_CLASS_NOT_SUPPORTED, "the context is for another SOP class")
    if not sop_instance:
        return StoreStatus(INVALID_OBJECT_INSTANCE, "no Affected SOP Instance UID")
    if message.spooled is not None:
        if message.spooled.failure:
            return StoreStatus(OUT_OF_RESOURCES, message.spooled.failure[:64])
        request = _request(association, message.context_id, command, file=message.spooled.received())
    elif message.data is None:
        return StoreStatus(CANNOT_UNDERSTAND, "no data set")
    else:
        request = _request(association, message.context_id, command, message.data)
    try:
        return store(request)
    except Exception:
        log.exception("The storage service of %s failed", facts.node)
        return StoreStatus(STORE_FAILED, "the storage service failed")
