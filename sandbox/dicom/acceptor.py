"""The acceptor's side of an association: one thread from the accepted connection to its end.

It reads the request, judges it, lets pynetdicom negotiate, and hands messages to its host until the peer releases,
aborts, vanishes or falls silent.
"""

from __future__ import annotations

import logging
import socket
import ssl
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from pynetdicom._globals import MODE_ACCEPTOR
from pynetdicom.presentation import PresentationContext

from sandbox.dicom.agreement import Agreement, Memory
from sandbox.dicom.association import SynchronousAssociation
from sandbox.dicom.client import Requestor
from sandbox.dicom.contract import AcceptorPolicy, Observer, Services
from sandbox.dicom.messages import Command, Message
from sandbox.dicom.negotiation import LIMIT_EXCEEDED, TEMPORARY_CONGESTION, LocalAE, decode_request, judge
from sandbox.dicom.pdus import FIXED, AbortReason, AssociateRequest, read_associate_request
from sandbox.dicom.spool import Spooled
from sandbox.dicom.storing import begin_spool
from sandbox.model.association import AssociationFacts, Caller, Rejection, Side

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Door:
    """A port of a server. ``local`` is how the department writes its address; with ``tls`` it speaks TLS only."""

    listener: socket.socket
    local: str
    tls: ssl.SSLContext | None = None


class Host(Protocol):
    """What an accepted association needs of its server."""

    policy: AcceptorPolicy
    services: Services
    observer: Observer
    requestor: Requestor | None
    node: str
    ae: LocalAE
    contexts: list[PresentationContext]
    agreements: Memory[bytes, Agreement]

    def new_association_id(self) -> str: ...
    def is_congested(self, abstract_syntaxes: Iterable[str]) -> bool: ...
    def admit(self, association: AcceptorAssociation) -> bool: ...
    def serve(self, association: AcceptorAssociation, message: Message) -> None: ...
    def gone(self, association: AcceptorAssociation) -> None: ...
    def forget(self, association: AcceptorAssociation) -> None: ...


class AcceptorAssociation(SynchronousAssociation):
    """Serves one connection, on the thread that calls ``run_reactor`` (``thread_id``, once it has). ``caller`` is who
    the network says is calling."""

    def __init__(self, host: Host, connection: socket.socket, caller: Caller, door: Door) -> None:
        policy = host.policy
        super().__init__(host.ae, MODE_ACCEPTOR, connection, host.observer, policy.timeouts, policy.maximum_pdu)
        self.host = host
        self.caller = caller
        self.door = door
        self.thread_id = 0
        self._titles = policy.ae_title, ""
        self.supported_contexts = host.contexts
        spool = host.services.spool
        if spool is not None:
            self.dimse.spool_above, self.dimse.begin_spool = spool.above, self._begin_spool
        # What was agreed on the same request before.
        self._known: Agreement | None = None

    def run_reactor(self) -> None:
        """The whole life of the association."""
        self.thread_id = threading.get_ident()
        try:
            self._live()
        except Exception:
            # A fault of ours must not leave the peer waiting, nor the end of the association untold.
            log.exception("An association with %s:%s failed", self.caller.host, self.caller.port)
            self.abort()
            self.tell_aborted("an internal error")
        finally:
            # The place is free before we wait for the peer to close, and the thread forgotten only after.
            self.host.gone(self)
            self.finish(self.timeouts.acse)
            self.host.forget(self)

    def _live(self) -> None:
        request = self._await_request()
        if request is None:
            return
        if not self._accept(request):
            return
        while self.is_established:
            message = self.dimse.receive(self.timeouts.network)
            if message is not None:
                self.host.serve(self, message)
            elif self.answer_release():
                return
            elif self.dul.ended:
                break
            else:
                self.dul.abort_by_provider(
                    AbortReason.NOT_SPECIFIED, f"the peer was silent for {self.timeouts.network:g} s"
                )
        self.tell_aborted()

    def _begin_spool(self, context_id: int, command: Command) -> Spooled:
        """A file for an instance that is too large for memory."""
        spool = self.host.services.spool
        assert spool is not None
        return begin_spool(self, context_id, command, spool)

    def _await_request(self) -> AssociateRequest | None:
        # The ARTIM time is for the TLS handshake and the request together.
        patience = self.timeouts.acse
        deadline = time.monotonic() + patience
        if self.door.tls is not None and not self.secure(self.door.tls, None, patience):
            # Not closed yet: what TLS has told the peer about it shall arrive.
            self.host.observer.unspoken(self.caller, self.ending)
            return None
        pdu = self.dul.await_request(max(deadline - time.monotonic(), 0))
        if not pdu:
            reason = self.ending if self.dul.ended else f"no A-ASSOCIATE-RQ within {patience:g} s"
            # ARTIM: closed without a word (PS3.8 table 9-10, Evt18 in Sta2).
            self.host.observer.unspoken(self.caller, reason)
            self.dul.close()
            return None
        try:
            self._known = self.host.agreements.get(pdu[FIXED:])
            request = read_associate_request(pdu, self._known.asked if self._known is not None else None)
        except ValueError as wrong:
            self._refuse(f"an A-ASSOCIATE-RQ that cannot be read: {wrong}")
            return None
        return request

    def _refuse(self, words: str) -> None:
        self.dul.abort_by_provider(AbortReason.INVALID_PARAMETER, f"the peer sent {words}")
        if self.facts is None:
            self.host.observer.unspoken(self.caller, self.dul.ending)
        else:
            self.tell_aborted()

    def _accept(self, request: AssociateRequest) -> bool:
        """Tell the request, judge it and answer it. False means there is no association."""
        self.introduce(
            AssociationFacts(
                id=self.caller.association or self.host.new_association_id(),
                node=self.host.node,
                side=Side.ACCEPTOR,
                called_ae=request.called_ae,
                calling_ae=request.calling_ae,
                local=self.door.local,
                peer=f"{self.caller.host}:{self.caller.port}",
                peer_node=self.caller.node,
                tls=self.dul.secured,
            )
        )
        assert self.facts is not None
        self.observer.requested(self.facts, request.proposed, self.caller.cause)
        self.show_unseen()
        rejection = judge(request, self.host.policy)
        if rejection is None:
            if self._known is None:
                try:
                    self.requestor.primitive = decode_request(request.tidied)
                except ValueError as wrong:
                    self._refuse(str(wrong))
                    return False
            if self.host.is_congested(context.abstract_syntax for context in request.proposed):
                rejection = TEMPORARY_CONGESTION
            elif not self.host.admit(self):
                rejection = LIMIT_EXCEEDED
        if rejection is not None:
            self._reject(rejection)
            return False
        self._negotiate(request)
        if not self.is_established:
            self.tell_aborted()
            return False
        self.observer.accepted(self.facts, self.context_results())
        return True

    def _negotiate(self, request: AssociateRequest) -> None:
        if self._known is not None:
            self.dul.send_accept(self._known.items)
            self.adopt(self._known, request.called_ae, request.calling_ae)
            return
        self.acse.negotiate_association()
        if self.is_established:
            agreement = self.agree(request)
            if agreement.is_repeatable:
                self.host.agreements.put(self.dul.request_pdu[FIXED:], agreement)

    def _reject(self, rejection: Rejection) -> None:
        self.acse.send_reject(rejection.result, rejection.source, rejection.reason)
        self.tell_rejected(rejection)
