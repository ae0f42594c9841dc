"""One association, of either side, run on the thread that owns it: pynetdicom's Association on the synchronous DUL.

Negotiation, release and service classes are pynetdicom's. This class adds what both sides share: the observer, who is
told everything in order and exactly once how it ended, and an interrupt that other threads may use.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Mapping, Sequence
from functools import cache, cached_property
from typing import Any

from pynetdicom import evt
from pynetdicom._globals import MODE_ACCEPTOR, MODE_REQUESTOR
from pynetdicom.acse import ACSE
from pynetdicom.association import Association, ServiceUser
from pynetdicom.pdu_primitives import A_RELEASE
from pynetdicom.presentation import PresentationContext

from sandbox.dicom.agreement import Agreement, titled
from sandbox.dicom.contract import Observer, Timeouts
from sandbox.dicom.dimse import SynchronousDIMSE
from sandbox.dicom.dul import SynchronousDUL
from sandbox.dicom.exchanges import ExchangeBook
from sandbox.dicom.explain import describe_abort
from sandbox.dicom.negotiation import LocalAE, UserItem, results
from sandbox.dicom.pdus import FIXED, AssociateRequest
from sandbox.dicom.plain import NullObserver
from sandbox.model.association import AssociationFacts, ContextResult, Direction, Exchange, Rejection


@cache
def _default_handlers() -> Mapping[Any, Any]:
    """pynetdicom's own handler of each event that wants one; those bound to an association take their place there."""
    return {event: (evt.get_default_handler(event), None) for event in evt._INTERVENTION_EVENTS}


class _User(ServiceUser):
    """One side as pynetdicom sees it, with user information that was made once for all associations of an AE."""

    def __init__(self, assoc: Association, mode: str, information: Sequence[UserItem]) -> None:
        self.assoc = assoc
        self._mode = mode
        self._ae_title = ""
        self.primitive = None
        self.address_info = None
        self._contexts = []
        self._user_info = list(information)
        self.reset_negotiation_items()
        self._common_ext = {}


class NoReactor:
    """Stands for the events by which pynetdicom holds its reactor back while it uses an association: we have none."""

    def set(self) -> None: ...
    def clear(self) -> None: ...
    def wait(self, timeout: float | None = None) -> bool:  # noqa: ARG002
        return True


_NO_REACTOR: Any = NoReactor()


def heeds(observer: Observer, event: str) -> bool:
    """Whether an observer does anything with an event. What it leaves to NullObserver need not be made for it."""
    # Asked of the method and not of the class: an observer may hand this event on to another.
    return getattr(getattr(observer, event), "__func__", None) is not getattr(NullObserver, event)


class SynchronousAssociation(Association):
    """``connection`` is a connected socket; the association closes it when it is over."""

    dul: SynchronousDUL
    dimse: SynchronousDIMSE

    def __init__(
        self,
        ae: LocalAE,
        mode: str,
        connection: socket.socket,
        observer: Observer,
        timeouts: Timeouts,
        announced: int,
    ) -> None:
        self._take_pynetdicoms_place(ae, mode)
        self.observer = observer
        self.timeouts = timeouts
        self.facts: AssociationFacts | None = None
        self.agreement: Agreement | None = None
        # Called and calling AE title, and what an acceptor supports: for pynetdicom's two sides.
        self._titles = "", ""
        self.supported_contexts: list[PresentationContext] = []
        self._unseen: list[tuple[Direction, bytes]] = []
        self._told_end = False
        self._book = ExchangeBook(self.transfer_syntax_of, self._tell_exchange)
        self.dul = SynchronousDUL(
            self,
            connection,
            announced=announced,
            patience=timeouts.network,
            fragments=lambda: self.dimse,
            watch=self._watch if heeds(observer, "pdu") else None,
        )
        self.dimse = SynchronousDIMSE(self, self.dul, self._book, self._accepted_cx_holds)
        self._acse_timeout = timeouts.acse
        self._dimse_timeout = timeouts.dimse
        self._network_timeout = timeouts.network

    def _take_pynetdicoms_place(self, ae: LocalAE, mode: str) -> None:
        """Set the attributes of pynetdicom's Association. Its own constructor makes two more threads, ten queues and
        the user information of both sides, none of them for us: half the price of an association. What only negotiation
        and pynetdicom's service classes use is made when they do. A test holds the two side by side.

        It is a Thread because pynetdicom's is; it is never started as one, but run by whoever owns the connection."""
        self._ae: LocalAE = ae
        self._mode = mode
        self._server = None
        self.is_established = self.is_rejected = self.is_aborted = self.is_released = False
        self._sent_abort = self._sent_release = False
        self._accepted_cx = {}
        self._rejected_cx = []
        self.connection_timeout = ae.connection_timeout
        self.network_timeout_response = "A-ABORT"
        self._kill = self._started_dul = False
        self._dul_ready = self._reactor_checkpoint = _NO_REACTOR
        self._timer_resolution = None

    @cached_property
    def acse(self) -> ACSE:  # type: ignore[override]
        return ACSE(self)

    @cached_property
    def requestor(self) -> ServiceUser:  # type: ignore[override]
        user = _User(self, MODE_REQUESTOR, self._ae.user_information)
        user._ae_title = self._titles[1]
        if self.agreement is not None:
            user.primitive = titled(self.agreement.request, *self._titles)
        return user

    @cached_property
    def acceptor(self) -> ServiceUser:  # type: ignore[override]
        user = _User(self, MODE_ACCEPTOR, self._ae.user_information)
        user._ae_title = self._titles[0]
        user._contexts = self.supported_contexts
        if self.agreement is not None:
            user.primitive = titled(self.agreement.answer, *self._titles)
        return user

    @cached_property
    def _handlers(self) -> dict[Any, Any]:  # type: ignore[override]
        return dict(_default_handlers())

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {'' if self.facts is None else self.facts.id}>"

    # --- what others ask -----------------------------------------------------------------------------------------

    def transfer_syntax_of(self, context_id: int) -> str:
        """The transfer syntax accepted for a context, or "" where it was not accepted."""
        context = self._accepted_cx.get(context_id)
        return str(context.transfer_syntax[0]) if context is not None else ""

    def context_results(self) -> tuple[ContextResult, ...]:
        """The acceptor's answers to all proposed contexts."""
        if self.agreement is not None:
            return self.agreement.results
        return results(self.accepted_contexts, self.rejected_contexts)

    def secure(self, context: ssl.SSLContext, server_name: str | None, timeout: float) -> bool:
        """Shake hands for TLS before anything else; ``ending`` says why that failed."""
        return self.dul.secure(context, server_name, timeout)

    def interrupt(self, reason: str) -> None:
        """Have this association abort itself at once. May be called from any thread."""
        self.dul.interrupt(reason)

    def _accepted_cx_holds(self, context_id: int) -> bool:
        return context_id in self._accepted_cx

    # --- what the observer is told -------------------------------------------------------------------------------

    def introduce(self, facts: AssociationFacts) -> None:
        """Say who this is about. PDUs that passed before are shown by ``show_unseen``, after ``Observer.requested``."""
        self.facts = facts

    def show_unseen(self) -> None:
        """Show the observer what passed before it knew of this association."""
        unseen, self._unseen = self._unseen, []
        for direction, pdu in unseen:
            self._watch(direction, memoryview(pdu))

    def _watch(self, direction: Direction, pdu: memoryview) -> None:
        if self.facts is None or self._unseen:
            self._unseen.append((direction, bytes(pdu)))
        else:
            self.observer.pdu(self.facts, direction, pdu)

    def _tell_exchange(self, exchange: Exchange) -> None:
        if self.facts is not None:
            self.observer.exchanged(self.facts, exchange)

    def tell_rejected(self, rejection: Rejection) -> None:
        """The association ended before it began."""
        if self.facts is not None and not self._told_end:
            self._told_end = True
            self.observer.rejected(self.facts, rejection)

    def tell_released(self) -> None:
        """The association ended in order."""
        self.is_released = True
        self.is_established = False
        if self.facts is not None and not self._told_end:
            self._told_end = True
            self._book.close()
            self.observer.released(self.facts)

    def tell_aborted(self, reason: str = "") -> None:
        """The association ended otherwise. Without ``reason`` it is what the DUL saw."""
        self.is_aborted = True
        self.is_established = False
        if self.facts is not None and not self._told_end:
            self._told_end = True
            self._book.close()
            self.observer.aborted(self.facts, reason or self.ending)

    @property
    def ending(self) -> str:
        """Why the association ended without a release, in words."""
        if self.dul.abort_seen is not None:
            return describe_abort(*self.dul.abort_seen)
        return self.dul.ending or "the association ended"

    # --- pynetdicom's own steps ----------------------------------------------------------------------------------

    @property
    def _is_paused(self) -> bool:
        # Nothing but its own thread reads from this association: pynetdicom's send methods need not wait for that.
        return True

    @_is_paused.setter
    def _is_paused(self, value: bool) -> None: ...

    def agree(self, asked: AssociateRequest | None = None) -> Agreement:
        """Note what pynetdicom has negotiated."""
        assert self.requestor.primitive is not None
        assert self.acceptor.primitive is not None
        self.agreement = Agreement(
            request=self.requestor.primitive,
            answer=self.acceptor.primitive,
            accepted=self._accepted_cx,
            rejected=self._rejected_cx,
            results=results(self.accepted_contexts, self.rejected_contexts),
            items=self.dul.answer_pdu[FIXED:],
            peer_maximum=self.dimse.maximum_pdu_size or 0,
            asked=asked,
        )
        return self.agreement

    def adopt(self, agreement: Agreement, called_ae: str, calling_ae: str) -> None:
        """Be established as agreed before between whomever, now between these two."""
        self.agreement = agreement
        self._titles = called_ae, calling_ae
        # pynetdicom's two sides of this association, where they were made already; else they will be made like this.
        made = self.__dict__
        if "requestor" in made:
            self.requestor.primitive = titled(agreement.request, called_ae, calling_ae)
        if "acceptor" in made:
            self.acceptor.primitive = titled(agreement.answer, called_ae, calling_ae)
        self._accepted_cx = agreement.accepted
        self._rejected_cx = agreement.rejected
        self.is_established = True

    def answer_release(self) -> bool:
        """Answer an A-RELEASE-RQ if that is what the peer sent last."""
        primitive = self.dul.peek_next_pdu()
        if not isinstance(primitive, A_RELEASE) or primitive.result is not None:
            return False
        self.dul.receive_pdu()
        self.dul.send_release_answer()
        self._sent_release = True
        self.tell_released()
        return True

    def abort(self, block: bool = True) -> None:  # noqa: ARG002
        """Send an A-ABORT as service user and be done. Does nothing on an association that has ended."""
        if self._sent_abort or self.is_released or self.dul.ended:
            return
        self._sent_abort = True
        self.acse.send_abort(0x00)

    _abort_blocking = abort

    def _abort_nonblocking(self, block: bool = False) -> None:  # noqa: ARG002
        self.abort()

    def kill(self) -> None:
        self._kill = True
        self.is_established = False

    def finish(self, linger: float) -> None:
        """Close the connection, after the peer has or ``linger`` seconds are over."""
        self.dimse.discard()
        with contextlib.suppress(OSError):
            self.dul.linger(linger)
        self.dul.close()
