"""The book of DIMSE exchanges: it sees every message of one association and tells each request with its final answer.

Requests of both directions are kept apart (in a C-GET both run on one association at once). What is still open when
the association ends is told with status -1, so no request vanishes from the log.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from sandbox.dicom.messages import C_CANCEL_RQ, RESPONSE, SERVICES, Command
from sandbox.model.association import Exchange

PENDING = frozenset({0xFF00, 0xFF01})
NO_ANSWER = -1


@dataclass(slots=True)
class _Open:
    command: Command
    context_id: int
    began: float
    size: int
    pending: int = 0


class ExchangeBook:
    """``transfer_syntax_of`` gives the syntax of a context, ``report`` takes each finished exchange."""

    def __init__(self, transfer_syntax_of: Callable[[int], str], report: Callable[[Exchange], None]) -> None:
        self._transfer_syntax_of = transfer_syntax_of
        self._report = report
        self._open: dict[tuple[bool, int], _Open] = {}

    def note(self, sent: bool, context_id: int, command: Command, size: int) -> None:
        """Enter one message, ``sent`` by this side or not, with ``size`` data set bytes."""
        field = command["CommandField"]
        if field == C_CANCEL_RQ:
            return
        if not field & RESPONSE:
            key = (sent, command.get("MessageID", 0))
            self._open[key] = _Open(command, context_id, time.perf_counter(), size)
            return
        key = (not sent, command.get("MessageIDBeingRespondedTo", 0))
        exchange = self._open.get(key)
        if exchange is None:
            return
        exchange.size += size
        status = command.get("Status", NO_ANSWER)
        if status in PENDING:
            exchange.pending += 1
            return
        del self._open[key]
        self._tell(exchange, status, command.get("ErrorComment", ""))

    def note_pending(self, message_id: int, responses: int, size: int) -> None:
        """Enter pending responses of ours to one request, with so many data set bytes together."""
        exchange = self._open.get((False, message_id))
        if exchange is not None:
            exchange.pending += responses
            exchange.size += size

    def awaits_our_answer(self, message_id: int) -> bool:
        """Whether the peer made a request with this id that has not had its final response."""
        return (False, message_id) in self._open

    def close(self) -> None:
        """The association is over: what has no answer will get none."""
        unanswered, self._open = self._open, {}
        for exchange in unanswered.values():
            self._tell(exchange, NO_ANSWER, "")

    def _tell(self, exchange: _Open, status: int, comment: str) -> None:
        command = exchange.command
        field = command["CommandField"]
        self._report(
            Exchange(
                service=SERVICES.get(field, f"{field:04X}"),
                message_id=command.get("MessageID", 0),
                sop_class=command.get("AffectedSOPClassUID") or command.get("RequestedSOPClassUID", ""),
                sop_instance=command.get("AffectedSOPInstanceUID") or command.get("RequestedSOPInstanceUID", ""),
                context_id=exchange.context_id,
                transfer_syntax=self._transfer_syntax_of(exchange.context_id),
                status=status,
                comment=comment,
                size=exchange.size,
                pending=exchange.pending,
                duration_ms=(time.perf_counter() - exchange.began) * 1000,
                move_originator=command.get("MoveOriginatorApplicationEntityTitle", ""),
                move_destination=command.get("MoveDestination", ""),
            )
        )
