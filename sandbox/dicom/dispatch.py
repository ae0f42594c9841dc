"""Which service answers which request. The DIMSE-C services are those of sandbox.dicom.scp and .retrieve, the DIMSE-N
services those that the node offers; what nobody offers goes to pynetdicom's service classes, which say so."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sandbox.dicom import normalized, retrieve, scp
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
# A value that cannot be, and a request that lacks what every one of its kind has (PS3.7 C.5.8 and C.5.15).
_INVALID_ARGUMENT_VALUE = 0x0115
_MISTYPED_ARGUMENT = 0x0212

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
    offered = normalized.OFFERED[field](association.host.services) if field in normalized.OFFERED else None
    if field in _SERVED:
        _SERVED[field](association, message)
    elif offered is not None:
        normalized.answer(association, message, offered)
    elif field & RESPONSE or field not in SERVICES:
        if not field & RESPONSE:
            association.dimse.send(message.context_id, response_to(message.command, _UNRECOGNISED_OPERATION))
    else:
        _serve_normalised(association, message)
    association.dimse.cancel_req.pop(message.command.get("MessageID", 0), None)


def _serve_normalised(association: AcceptorAssociation, message: Message) -> None:
    """A DIMSE-N request. pynetdicom raises for values that it does not take, and passes over in silence a request that
    is not complete; the peer is told of both."""
    try:
        primitive = to_primitive(message)
    except (TypeError, ValueError):
        association.dimse.send(message.context_id, response_to(message.command, _INVALID_ARGUMENT_VALUE))
        return
    if not primitive.is_valid_request:
        association.dimse.send(message.context_id, response_to(message.command, _MISTYPED_ARGUMENT))
        return
    association._serve_request(primitive, message.context_id)
