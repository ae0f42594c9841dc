"""What an acceptor answers to C-ECHO, C-STORE and C-FIND (PS3.4 annexes A, B and C).

Each function takes one request message and sends its responses. The node's own code is called through ``Services``; if
it raises, the peer gets a status that says so, and the traceback goes to the log.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator

from pydicom.dataset import Dataset

from sandbox.dicom.acceptor import AcceptorAssociation
from sandbox.dicom.contract import EchoRequest, FindAnswer, Query, UnreadableIdentifierError
from sandbox.dicom.datasets import encode_dataset
from sandbox.dicom.messages import DATA_SET, Message, response_to
from sandbox.dicom.responses import Burst
from sandbox.dicom.storing import CANNOT_UNDERSTAND, SOP_CLASS_NOT_SUPPORTED, take_store

log = logging.getLogger(__name__)

SUCCESS = 0x0000
CANCELLED = 0xFE00
FIND_FAILED = 0xC311
NO_IDENTIFIER = "no identifier"
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


def read_query(association: AcceptorAssociation, message: Message) -> Query | None:
    """The query of a C-FIND, C-MOVE or C-GET; None if it has no identifier."""
    facts = association.facts
    assert facts is not None
    if message.data is None:
        return None
    message_id = message.command.get("MessageID", 0)
    return Query(
        facts,
        str(association._accepted_cx[message.context_id].abstract_syntax),
        message.data,
        lambda: association.dimse.is_cancelled(message_id),
        association.transfer_syntax_of(message.context_id),
    )


def serve_find(association: AcceptorAssociation, message: Message) -> None:
    """C-FIND (PS3.4 C.4.1): every answer goes out as soon as it is there, with those that are at hand by then, and a
    C-CANCEL is looked for between two writes."""
    find = association.host.services.find
    if find is None:
        _finish(association, message, SOP_CLASS_NOT_SUPPORTED)
        return
    query = read_query(association, message)
    if query is None:
        _finish(association, message, CANNOT_UNDERSTAND, NO_IDENTIFIER)
        return
    answers: Iterator[FindAnswer] = iter(())
    try:
        answers = iter(find(query))
        _send_answers(association, message, query, answers)
    except UnreadableIdentifierError as wrong:
        _finish(association, message, CANNOT_UNDERSTAND, str(wrong))
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
    burst, at_hand = Burst(association, message), False
    for answer in answers:
        if (not at_hand or burst.is_empty) and query.is_cancelled():
            burst.finish(CANCELLED)
            return
        if answer.status not in _PENDING:
            burst.finish(answer.status, answer.comment)
            return
        at_hand = answer.at_hand
        if answer.encoded is not None and not answer.comment:
            burst.add(answer.status, answer.encoded)
        else:
            burst.flush()
            send_with_data(association, message, answer.status, answer.identifier, answer.comment)
        if not at_hand:
            burst.flush()
    burst.finish(CANCELLED if not at_hand and query.is_cancelled() else SUCCESS)


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
