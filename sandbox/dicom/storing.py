"""Taking an instance that was sent with C-STORE (PS3.7 9.1.1): to an acceptor, or to a client during its C-GET."""

from __future__ import annotations

import logging
from collections.abc import Callable

from sandbox.dicom.association import SynchronousAssociation
from sandbox.dicom.contract import StoreRequest, StoreStatus
from sandbox.dicom.messages import Message

log = logging.getLogger(__name__)

StoreHandler = Callable[[StoreRequest], StoreStatus]

INVALID_OBJECT_INSTANCE = 0x0117
SOP_CLASS_NOT_SUPPORTED = 0x0122
CANNOT_UNDERSTAND = 0xC000
STORE_FAILED = 0xC211


def take_store(association: SynchronousAssociation, message: Message, store: StoreHandler | None) -> StoreStatus:
    """Hand a received instance to ``store`` and return the status to answer with."""
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
    if message.data is None:
        return StoreStatus(CANNOT_UNDERSTAND, "no data set")
    request = StoreRequest(
        facts=facts,
        sop_class=sop_class,
        sop_instance=sop_instance,
        transfer_syntax=association.transfer_syntax_of(message.context_id),
        dataset=message.data,
        move_originator=command.get("MoveOriginatorApplicationEntityTitle", ""),
        move_originator_id=command.get("MoveOriginatorMessageID"),
    )
    try:
        return store(request)
    except Exception:
        log.exception("The storage service of %s failed", facts.node)
        return StoreStatus(STORE_FAILED, "the storage service failed")
