"""What a node makes of its associations: typed events, the capture, and the lines of an administrator's log.

Both ends of an association write under the same id. What follows from an association has its request as cause, and the
actor of whoever made the call; an acceptor's thread works inside that from the request on. Lines are per association
and not per instance, as in a product's log: what was stored is summed up when the association ends.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sandbox.dicom.explain import explain_context, explain_rejection, uid_name
from sandbox.dicom.syntaxes import PATIENT_ROOT_GET, STUDY_ROOT_GET
from sandbox.events import kinds
from sandbox.events.event import SYSTEM
from sandbox.events.log import EventLog, because, current
from sandbox.model.association import (
    AssociationFacts,
    Caller,
    ContextResult,
    DialFailure,
    DialOutcome,
    Direction,
    Exchange,
    ProposedContext,
    Rejection,
    Side,
)
from sandbox.nodes.words import counted, status_in_words

if TYPE_CHECKING:
    from sandbox.network.capture import Capture

Log = Callable[[str, str, str], None]

_DIALLED = {
    DialOutcome.REFUSED: "refused",
    DialOutcome.TIMED_OUT: "timed out",
    DialOutcome.UNKNOWN_HOST: "failed, unknown host",
    DialOutcome.UNREACHABLE: "failed, unreachable",
    DialOutcome.RESET: "reset",
}


_NO_TITLE = "(no AE title)"
_STRANGE = ("the peer sent", "TLS")
_GET = frozenset({PATIENT_ROOT_GET, STUDY_ROOT_GET})


@dataclass
class _Account:
    """What is remembered of one end of an open association."""

    request: int
    actor: str
    thread: ExitStack = field(default_factory=ExitStack)
    accepted: bool = False
    may_get: bool = False
    stored: int = 0
    refused: int = 0
    unanswered: int = 0
    other: int = 0
    studies: set[str] = field(default_factory=set)


class NodeObserver:
    """One node's observer (sandbox.dicom.contract.Observer). ``log`` takes level, text and association, ``now`` is the
    department's time and ``address`` the node's own."""

    def __init__(
        self,
        node: str,
        events: EventLog,
        capture: Capture | None,
        log: Log,
        *,
        now: Callable[[], datetime],
        address: Callable[[], str],
    ) -> None:
        self._node = node
        self._events = events
        self._capture = capture
        self._log = log
        self._now = now
        self._address = address
        self._lock = threading.Lock()
        self._accounts: dict[tuple[str, Side], _Account] = {}

    @property
    def open_associations(self) -> int:
        """How many associations are open now, both ways."""
        return sum(account.accepted for account in list(self._accounts.values()))

    def stored(self, facts: AssociationFacts, study_uid: str) -> None:
        """An instance of this study became durable (told by the node, which alone can read the header)."""
        account = self._accounts.get((facts.id, facts.side))
        if account is not None:
            account.studies.add(study_uid)

    # --- the contract ------------------------------------------------------------------------------------------------

    def requested(self, facts: AssociationFacts, proposed: Sequence[ProposedContext], cause: int | None) -> None:
        actor = self._actor(facts, cause)
        body = kinds.AssociationRequested(facts=facts, proposed=tuple(proposed))
        with because(cause, actor):
            event = self._events.append(body, node=self._node)
        account = _Account(event.seq, actor)
        if facts.side is Side.ACCEPTOR:
            account.thread.enter_context(because(event.seq, actor))
        with self._lock:
            self._accounts[facts.id, facts.side] = account

    def failed(self, facts: AssociationFacts, failure: DialFailure) -> None:
        with self._ending(facts):
            self._append(kinds.AssociationFailed(facts=facts, failure=failure))
            what = _DIALLED[failure.outcome]
            if failure.outcome is DialOutcome.TIMED_OUT:
                what = f"{what} after {failure.elapsed_s:.1f} s"
            self._log("warning", f"Connection to {_other(facts)} {what}", facts.id)
        if self._capture is not None and failure.address:
            self._capture.tcp_failure(
                self._address(),
                f"{failure.address}:{failure.port}",
                failure.outcome,
                self._now() - timedelta(seconds=failure.elapsed_s),
                elapsed_s=failure.elapsed_s,
                association=facts.id,
                node=facts.node,
            )

    def accepted(self, facts: AssociationFacts, contexts: Sequence[ContextResult]) -> None:
        account = self._accounts.get((facts.id, facts.side))
        if account is None:
            return
        account.accepted = any(context.accepted for context in contexts)
        account.may_get = any(context.accepted and context.abstract_syntax in _GET for context in contexts)
        with because(account.request, account.actor):
            self._append(kinds.AssociationAccepted(facts=facts, contexts=tuple(contexts)))
            self._log("info", f"Association {_direction(facts)} {_other(facts)} accepted", facts.id)
            for line in _refused_contexts(contexts):
                self._log("warning", line, facts.id)

    def rejected(self, facts: AssociationFacts, rejection: Rejection) -> None:
        with self._ending(facts):
            self._append(kinds.AssociationRejected(facts=facts, rejection=rejection))
            why = explain_rejection(rejection).name
            title = _title_in_question(facts, rejection)
            self._log(
                "warning" if facts.side is Side.ACCEPTOR else "error",
                f"Association {_direction(facts)} {_other(facts)} rejected: {title}{why} ({rejection})",
                facts.id,
            )

    def released(self, facts: AssociationFacts) -> None:
        with self._ending(facts) as account:
            self._append(kinds.AssociationReleased(facts=facts))
            text = f"Association {_direction(facts)} {_other(facts)} released{_sum(facts, account)}"
            self._log("info", text, facts.id)

    def aborted(self, facts: AssociationFacts, reason: str) -> None:
        with self._ending(facts) as account:
            self._append(kinds.AssociationAborted(facts=facts, reason=reason))
            text = f"Association {_direction(facts)} {_other(facts)} aborted: {reason}{_sum(facts, account)}"
            self._log("warning", text, facts.id)

    def exchanged(self, facts: AssociationFacts, exchange: Exchange) -> None:
        account = self._accounts.get((facts.id, facts.side))
        if account is None:
            return
        peer_ae = facts.calling_ae if facts.side is Side.ACCEPTOR else facts.called_ae
        with because(account.request, account.actor):
            self._append(
                kinds.DimseExchanged(association=facts.id, side=facts.side.value, peer_ae=peer_ae, exchange=exchange)
            )
            went_well = exchange.status == 0 or exchange.status >> 12 == 0xB
            if exchange.service == "C-STORE":
                account.stored += went_well
                account.unanswered += exchange.status < 0
                account.refused += not went_well and exchange.status >= 0
            else:
                account.other += 1
            if not went_well and exchange.status != 0xFE00:
                what = f"{_exchange(exchange)} {_direction(facts)} {_other(facts)}"
                self._log("error", f"{what}: {_answer(exchange)}", facts.id)

    def pdu(self, facts: AssociationFacts, direction: Direction, data: memoryview) -> None:
        if self._capture is not None:
            self._capture.record(
                facts.id, facts.node, facts.side, facts.local, facts.peer, direction, data, self._now()
            )

    def unspoken(self, caller: Caller, reason: str) -> None:
        peer = f"{caller.host}:{caller.port}"
        with because(caller.cause, self._actor_of(caller.cause)):
            self._append(kinds.ConnectionUnspoken(peer=peer, peer_node=caller.node, reason=reason))
            # A port test says nothing and goes. Whoever speaks no DICOM, or fails at TLS, is to be seen.
            level = "warning" if any(told in reason for told in _STRANGE) else "info"
            self._log(level, f"Connection from {peer} without an association: {reason}", "")

    # --- inside ------------------------------------------------------------------------------------------------------

    def _append(self, body: kinds.Body) -> None:
        self._events.append(body, node=self._node)

    def _ending(self, facts: AssociationFacts) -> _Ending:
        with self._lock:
            account = self._accounts.pop((facts.id, facts.side), None)
        return _Ending(account or _Account(0, SYSTEM))

    def _actor(self, facts: AssociationFacts, cause: int | None) -> str:
        """The requestor's own thread knows for whom it works; an acceptor knows it by the event that made the call."""
        return current().actor if facts.side is Side.REQUESTOR else self._actor_of(cause)

    def _actor_of(self, cause: int | None) -> str:
        return SYSTEM if cause is None or not 0 < cause <= len(self._events) else self._events[cause].actor


class _Ending:
    """Writes the last lines of an association in its own name, and lets go of the thread."""

    def __init__(self, account: _Account) -> None:
        self._account = account
        self._because = because(account.request or None, account.actor)

    def __enter__(self) -> _Account:
        self._because.__enter__()
        return self._account

    def __exit__(self, *failure: object) -> None:
        self._because.__exit__(None, None, None)
        self._account.thread.close()


def _direction(facts: AssociationFacts) -> str:
    return "from" if facts.side is Side.ACCEPTOR else "to"


def _other(facts: AssociationFacts) -> str:
    title = facts.calling_ae if facts.side is Side.ACCEPTOR else facts.called_ae
    return f"{title or _NO_TITLE} ({facts.peer})"


def _refused_contexts(contexts: Sequence[ContextResult]) -> list[str]:
    """One line for each SOP class and reason, since many callers propose a class once for each transfer syntax."""
    together: dict[tuple[str, int], list[int]] = {}
    for context in contexts:
        if not context.accepted:
            together.setdefault((context.abstract_syntax, context.result), []).append(context.id)
    return [
        f"Presentation context{'s' if len(ids) > 1 else ''} {', '.join(map(str, ids))} ({uid_name(syntax)}) "
        f"not accepted: {explain_context(result).name}"
        for (syntax, result), ids in together.items()
    ]


def _title_in_question(facts: AssociationFacts, rejection: Rejection) -> str:
    """The title that was not recognized, so that a typing error can be seen in the line itself."""
    if rejection.source != 1:
        return ""
    titles = {3: facts.calling_ae, 7: facts.called_ae}
    return f"{titles[rejection.reason] or _NO_TITLE}, " if rejection.reason in titles else ""


def _sum(facts: AssociationFacts, account: _Account) -> str:
    parts = []
    if account.stored:
        studies = f" of {counted(len(account.studies), 'study', 'studies')}" if account.studies else ""
        # The instances of a C-GET go from the acceptor to the requestor (PS3.4 C.4.3).
        got_back = account.may_get and not (facts.side is Side.ACCEPTOR and account.studies)
        verb = "stored" if (facts.side is Side.ACCEPTOR) is not got_back else "sent"
        parts.append(f"{counted(account.stored, 'instance')}{studies} {verb}")
    if account.refused:
        parts.append(f"{counted(account.refused, 'instance')} refused")
    if account.unanswered:
        parts.append(f"{counted(account.unanswered, 'instance')} without an answer")
    return f": {', '.join(parts)}" if parts else ""


def _exchange(exchange: Exchange) -> str:
    return f"{exchange.service} {uid_name(exchange.sop_class)} {exchange.sop_instance}".strip()


def _answer(exchange: Exchange) -> str:
    if exchange.status < 0:
        return "no response"
    return status_in_words(exchange.service, exchange.status, exchange.comment)
