"""Which service answers which request. The DIMSE-C services are those of sandbox.dicom.scp and .retrieve, the DIMSE-N
services those that the node offers; what nobody offers goes to pynetdicom's service classes, which say so.

A request is served only where it belongs: an operation of its presentation context's SOP class, named in the command,
under a message id that is free. pynetdicom leaves that to each service, and a C-MOVE on a context for C-FIND, or a
C-STORE on one for C-ECHO, would be carried out."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sandbox.dicom import normalized, retrieve, scp, syntaxes
from sandbox.dicom.acceptor import AcceptorAssociation
from sandbox.dicom.messages import (
    C_ECHO_RQ,
    C_FIND_RQ,
    C_GET_RQ,
    C_MOVE_RQ,
    C_STORE_RQ,
    N_ACTION_RQ,
    N_EVENT_REPORT_RQ,
    RESPONSE,
    SERVICES,
    Message,
    response_to,
    to_primitive,
)
from sandbox.dicom.storing import SOP_CLASS_NOT_SUPPORTED

# A message id that another request has which was not answered yet (PS3.7 annex C.5).
_DUPLICATE_INVOCATION = 0x0210
# What is not known to be an operation here (PS3.7 annex C.5).
_UNRECOGNISED_OPERATION = 0x0211
# A value that cannot be, and a request that lacks what every one of its kind has (PS3.7 annex C.5).
_INVALID_ARGUMENT_VALUE = 0x0115
_MISTYPED_ARGUMENT = 0x0212

_SERVED: Mapping[int, Callable[[AcceptorAssociation, Message], None]] = {
    C_ECHO_RQ: scp.serve_echo,
    C_STORE_RQ: scp.serve_store,
    C_FIND_RQ: scp.serve_find,
    C_MOVE_RQ: retrieve.serve_move,
    C_GET_RQ: retrieve.serve_get,
}

_STORE = frozenset({C_STORE_RQ})
_OPERATIONS: Mapping[str, frozenset[int]] = {
    **dict.fromkeys(syntaxes.STORAGE_CLASSES, _STORE),
    syntaxes.VERIFICATION: frozenset({C_ECHO_RQ}),
    **dict.fromkeys((syntaxes.PATIENT_ROOT_FIND, syntaxes.STUDY_ROOT_FIND), frozenset({C_FIND_RQ})),
    syntaxes.WORKLIST_FIND: frozenset({C_FIND_RQ}),
    **dict.fromkeys((syntaxes.PATIENT_ROOT_MOVE, syntaxes.STUDY_ROOT_MOVE), frozenset({C_MOVE_RQ})),
    **dict.fromkeys((syntaxes.PATIENT_ROOT_GET, syntaxes.STUDY_ROOT_GET), frozenset({C_GET_RQ})),
    syntaxes.STORAGE_COMMITMENT: frozenset({N_ACTION_RQ, N_EVENT_REPORT_RQ}),
}
"""The operations of each SOP class that is known here; of others any may be asked."""


def serve(association: AcceptorAssociation, message: Message) -> None:
    """Serve one request. A response that nobody asked for is passed over."""
    field = message.command["CommandField"]
    if not field & RESPONSE and (misfit := _misfit(association, message)):
        if message.spooled is not None:
            message.spooled.discard()
        if misfit == _DUPLICATE_INVOCATION:
            association.dimse.refuse_repeated(message, response_to(message.command, misfit))
        else:
            association.dimse.send(message.context_id, response_to(message.command, misfit))
            association.dimse.cancel_req.pop(message.command.get("MessageID", 0), None)
        return
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


def _misfit(association: AcceptorAssociation, message: Message) -> int:
    """Why a request is not served at all, as a status; 0 if it is."""
    if message.repeated:
        return _DUPLICATE_INVOCATION
    command = message.command
    abstract_syntax = str(association._accepted_cx[message.context_id].abstract_syntax)
    field = command["CommandField"]
    if field in normalized.OFFERED and normalized.OFFERED[field](association.host.services) is None:
        return 0  # nobody offers it: pynetdicom says so, once the request is known to be complete
    operations = _OPERATIONS.get(abstract_syntax)
    if operations is not None and field not in operations:
        return _UNRECOGNISED_OPERATION
    if field not in _SERVED:
        return 0
    named = command.get("AffectedSOPClassUID")
    if not named:
        return _MISTYPED_ARGUMENT
    return 0 if named == abstract_syntax else SOP_CLASS_NOT_SUPPORTED


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
