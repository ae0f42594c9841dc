"""Which service answers which request. The DIMSE-C services are those of sandbox.dicom.scp and .retrieve; what they do
not know goes to pynetdicom's service classes (the DIMSE-N services)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sandbox.dicom import retrieve, scp
from sandbox.dicom.acceptor import AcceptorAssociation
from sandbox.dicom.messages import (
    C_ECHO_RQ,
    C_FIND_RQ,
    C_GET_RQ,
    C_MOVE_RQ,
    C_STORE_RQ,
    RESPONSE,
    SERVICES,
    Message,
    response_to,
    to_primitive,
)

# What is not known to be an operation here (PS3.7 annex C.5.15).
_UNRECOGNISED_OPERATION = 0x0211

_SERVED: Mapping[int, Callable[[AcceptorAssociation, Message], None]] = {
    C_ECHO_RQ: scp.serve_echo,
    C_STORE_RQ: scp.serve_store,
    C_FIND_RQ: scp.serve_find,
    C_MOVE_RQ: retrieve.serve_move,
    C_GET_RQ: retrieve.serve_get,
}


def serve(association: AcceptorAssociation, message: Message) -> None:
    """Serve one request. A response that nobody asked for is passed over."""
    field = message.command["CommandField"]
    if field in _SERVED:
        _SERVED[field](association, message)
    elif field & RESPONSE or field not in SERVICES:
        if not field & RESPONSE:
            association.dimse.send(message.context_id, response_to(message.command, _UNRECOGNISED_OPERATION))
    else:
        association._serve_request(to_primitive(message), message.context_id)
    association.dimse.cancel_req.pop(message.command.get("MessageID", 0), None)
