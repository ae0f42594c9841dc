"""Answering DIMSE-N requests (PS3.7 10): one function for the six services, with what tells them apart in a table.

Either side may be asked: an acceptor through its ``Services``, a requestor for N-EVENT-REPORT on the association that
it opened.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from pydicom.dataset import Dataset

from sandbox.dicom.association import SynchronousAssociation
from sandbox.dicom.contract import NormalizedAnswer, NormalizedRequest, NormalizedService, Services
from sandbox.dicom.datasets import decode_dataset, encode_dataset
from sandbox.dicom.messages import (
    DATA_SET,
    N_ACTION_RQ,
    N_CREATE_RQ,
    N_DELETE_RQ,
    N_EVENT_REPORT_RQ,
    N_GET_RQ,
    N_SET_RQ,
    Command,
    Message,
    response_to,
)

log = logging.getLogger(__name__)

PROCESSING_FAILURE = 0x0110

OFFERED: Mapping[int, Callable[[Services], NormalizedService | None]] = {
    N_EVENT_REPORT_RQ: lambda services: services.n_event_report,
    N_GET_RQ: lambda services: services.n_get,
    N_SET_RQ: lambda services: services.n_set,
    N_ACTION_RQ: lambda services: services.n_action,
    N_CREATE_RQ: lambda services: services.n_create,
    N_DELETE_RQ: lambda services: services.n_delete,
}
"""Which of an acceptor's services answers which request."""


def answer(association: SynchronousAssociation, message: Message, service: NormalizedService) -> None:
    """Have ``service`` answer a request and send what it says."""
    command = message.command
    syntax = association.transfer_syntax_of(message.context_id)
    request = _request(association, message, syntax)
    told = _ask(service, request)
    response = response_to(command, told.status, told.comment)
    if told.sop_instance:
        response["AffectedSOPInstanceUID"] = told.sop_instance
    if told.error_id is not None:
        response["ErrorID"] = told.error_id
    # The type of event or action goes back with the answer (PS3.7 tables 10.3-2 and 10.3-8).
    if "EventTypeID" in command:
        response["EventTypeID"] = command["EventTypeID"]
    if "ActionTypeID" in command:
        response["ActionTypeID"] = command["ActionTypeID"]
    data = encode_dataset(told.dataset, syntax) if told.dataset is not None else b""
    if data:
        response["CommandDataSetType"] = DATA_SET
    association.dimse.send(message.context_id, response, data or None)
    if told.afterwards is not None:
        told.afterwards()


def _ask(service: NormalizedService, request: NormalizedRequest | str) -> NormalizedAnswer:
    if isinstance(request, str):
        return NormalizedAnswer(PROCESSING_FAILURE, comment=request)
    try:
        return service(request)
    except Exception:
        log.exception("A service of %s failed", request.facts.node)
        return NormalizedAnswer(PROCESSING_FAILURE, comment="the service failed")


def _request(association: SynchronousAssociation, message: Message, syntax: str) -> NormalizedRequest | str:
    """The request, or in words why its data set cannot be read."""
    assert association.facts is not None
    command: Command = message.command
    dataset: Dataset | None = None
    if message.data is not None:
        try:
            dataset = decode_dataset(message.data, syntax)
        except ValueError as wrong:
            return str(wrong)
    return NormalizedRequest(
        facts=association.facts,
        sop_class=command.get("AffectedSOPClassUID") or command.get("RequestedSOPClassUID", ""),
        sop_instance=command.get("AffectedSOPInstanceUID") or command.get("RequestedSOPInstanceUID", ""),
        number=command.get("EventTypeID", command.get("ActionTypeID", 0)),
        dataset=dataset,
        attributes=command.get("AttributeIdentifierList", ()),
    )
