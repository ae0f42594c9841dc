"""One association, of either side, run on the thread that owns it: pynetdicom's Association on the synchronous DUL.

Negotiation, release and service classes are pynetdicom's. This class adds what both sides share: the observer, who is
told everything in order and exactly once how it ended, and an interrupt that other threads may use.
"""

from __future__ import annotations

import contextlib
import socket

from pynetdicom import AE, evt
from pynetdicom.association import Association
from pynetdicom.pdu_primitives import A_RELEASE
from pynetdicom.transport import AssociationSocket

from sandbox.dicom.contract import Observer, Timeouts
from sandbox.dicom.dimse import SynchronousDIMSE
from sandbox.dicom.dul import SynchronousDUL
from sandbox.dicom.exchanges import ExchangeBook
from sandbox.dicom.explain import describe_abort
from sandbox.dicom.negotiation import results
from sandbox.model.association import AssociationFacts, ContextResult, Direction, Exchange, Rejection


class SynchronousAssociation(Association):
    """``connection`` is a connected socket; the association closes it when it is over."""

    dul: SynchronousDUL
    dimse: SynchronousDIMSE

    def __init__(
        self,
        ae: AE,
        mode: str,
        connection: socket.socket,
        observer: Observer,
        timeouts: Timeouts,
        announced: int,
    ) -> None:
        super().__init__(ae, mode)
        self.observer = observer
        self.timeouts = timeouts
        self.facts: AssociationFacts | None = None
        self._unseen: list[tuple[Direction, bytes]] = []
        self._told_end = False
        self._book = ExchangeBook(self.transfer_syntax_of, self._tell_exchange)
        self.dul = SynchronousDUL(
            self,
            connection,
            announced=announced,
            patience=timeouts.network,
            fragments=lambda: self.dimse,
            watch=self._watch,
        )
        self.dimse = SynchronousDIMSE(self, self.dul, self._book, self._accepted_cx_holds)
        self._acse_timeout = timeouts.acse
        self._dimse_timeout = timeouts.dimse
        self._network_timeout = timeouts.network

    # --- what others ask -----------------------------------------------------------------------------------------

    def transfer_syntax_of(self, context_id: int) -> str:
        """The transfer syntax accepted for a context, or "" where it was not accepted."""
        context = self._accepted_cx.get(context_id)
        return str(context.transfer_syntax[0]) if context is not None else ""

    def context_results(self) -> list[ContextResult]:
        """The acceptor's answers to all proposed contexts."""
        return results(self.accepted_contexts, self.rejected_contexts)

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

    def attach(self, connection: socket.socket) -> None:
        """Give ACSE the wrapped socket that it looks at when it negotiates."""
        self.dul.socket = AssociationSocket(self, client_socket=connection)

    def answer_release(self) -> bool:
        """Answer an A-RELEASE-RQ if that is what the peer sent last."""
        primitive = self.dul.peek_next_pdu()
        if not isinstance(primitive, A_RELEASE) or primitive.result is not None:
            return False
        self.dul.receive_pdu()
        self.acse.send_release(is_response=True)
        evt.trigger(self, evt.EVT_RELEASED, {})
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
        with contextlib.suppress(OSError):
            self.dul.linger(linger)
        self.dul.close()
