"""What an acceptor answers to C-ECHO, C-STORE and C-FIND (PS3.4 annexes A, B and C).

Each function takes one request message and sends its responses. The node's own code is called through ``Services``; if
it raises, the peer gets a status that says so, and the traceback goes to the log.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator

from pydicom.dataset import Dataset

from sandbox.dicom.acceptor import AcceptorAssociation
from sandbox.dicom.contract import EchoRequest, FindAnswer, Query
from sandbox.dicom.datasets import decode_dataset, encode_dataset
from sandbox.dicom.messages import DATA_SET, Message, response_to
from sandbox.dicom.storing import CANNOT_UNDERSTAND, SOP_CLASS_NOT_SUPPORTED, take_store

log = logging.getLogger(__name__)

SUCCESS = 0x0000
CANCELLED = 0xFE00
FIND_FAILED = 0xC311
_PENDING = frozenset({0xFF00, 0xFF01})


def serve_echo(association: AcceptorAssociation, message: Message) -> None:
    """C-ECHO (PS3.7 9.1.5)."""
    facts = association.facts
    assert facts is not None
    try:
        status = association.host.services.echo(EchoRequest(facts))
    except Exception:
        log.exception("The echo service of %s failed", facts.node)
        status = 0x0110
    association.dimse.send(message.context_id, response_to(message.command, status))


def serve_store(association: AcceptorAssociation, message: Message) -> None:
    """C-STORE (PS3.7 9.1.1). Only whole messages come here, so a half-received object is never seen by anyone."""
    outcome = take_store(association, message, association.host.services.store)
    association.dimse.send(message.context_id, response_to(message.command, outcome.status, outcome.comment))


def read_query(association: AcceptorAssociation, message: Message) -> Query | str:
    """The query of a C-FIND, C-MOVE or C-GET, or in words why it cannot be read."""
    facts = association.facts
    assert facts is not None
    if message.data is None:
        return "no identifier"
    try:
        identifier = decode_dataset(message.data, association.transfer_syntax_of(message.context_id))
    except ValueError as wrong:
        return str(wrong)
    message_id = message.command.get("MessageID", 0)
    return Query(
        transfer_syntax=association.transfer_syntax_of(message.context_id),
        facts=facts,
        sop_class=str(association._accepted_cx[message.context_id].abstract_syntax),
        identifier=identifier,
        is_cancelled=lambda: association.dimse.is_cancelled(message_id),
    )


def serve_find(association: AcceptorAssociation, message: Message) -> None:
    """C-FIND (PS3.4 C.4.1): every answer goes out as soon as it is there, and a C-CANCEL is looked for between two."""
    find = association.host.services.find
    if find is None:
        _finish(association, message, SOP_CLASS_NOT_SUPPORTED)
        return
    query = read_query(association, message)
    if isinstance(query, str):
        _finish(association, message, CANNOT_UNDERSTAND, query)
        return
    answers: Iterator[FindAnswer] = iter(())
    try:
        answers = iter(find(query))
        _send_answers(association, message, query, answers)
    except Exception:
        log.exception("The query service of %s failed", query.facts.node)
        _finish(association, message, FIND_FAILED, "the query service failed")
    finally:
        close = getattr(answers, "close", None)
        if close is not None:
            close()


def _send_answers(
    association: AcceptorAssociation, message: Message, query: Query, answers: Iterator[FindAnswer]
) -> None:
    for answer in answers:
        if query.is_cancelled():
            _finish(association, message, CANCELLED)
            return
        if answer.status not in _PENDING:
            _finish(association, message, answer.status, answer.comment)
            return
        if answer.encoded is not None:
            command = response_to(message.command, answer.status, answer.comment)
            command["CommandDataSetType"] = DATA_SET
            association.dimse.send(message.context_id, command, answer.encoded)
        else:
            send_with_data(association, message, answer.status, answer.identifier, answer.comment)
    _finish(association, message, CANCELLED if query.is_cancelled() else SUCCESS)


def send_with_data(
    association: AcceptorAssociation, message: Message, status: int, identifier: Dataset | None, comment: str = ""
) -> None:
    """Send a response with an identifier, encoded as the context asks."""
    command = response_to(message.command, status, comment)
    data = None
    if identifier is not None:
        data = encode_dataset(identifier, association.transfer_syntax_of(message.context_id)) or None
    if data is not None:
        command["CommandDataSetType"] = DATA_SET
    association.dimse.send(message.context_id, command, data)


def _finish(association: AcceptorAssociation, message: Message, status: int, comment: str = "") -> None:
    association.dimse.send(message.context_id, response_to(message.command, status, comment))
