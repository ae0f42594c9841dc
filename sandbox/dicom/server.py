"""A DICOM server of one AE: threads that block in accept and serve whom they get (sandbox.dicom.accepting).

It costs nothing while nobody calls and ends at once when told to. Only associations that were accepted count against
the limit; connections that have not spoken yet are bounded apart, so that they cannot lock anybody out.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from sandbox.dicom.accepting import Doorkeepers
from sandbox.dicom.acceptor import AcceptorAssociation, Door
from sandbox.dicom.agreement import Agreement, Memory
from sandbox.dicom.client import Requestor
from sandbox.dicom.contract import AcceptorPolicy, Observer, Services
from sandbox.dicom.dispatch import serve
from sandbox.dicom.messages import Message
from sandbox.dicom.negotiation import LocalAE, quieten_pynetdicom, supported
from sandbox.model.association import Caller

_BACKLOG = 256
# Connections without an association: not yet asked for, refused, or over and not closed by the peer. Beyond this the
# oldest gives way.
_MOST_IDLE = 256
# What associations get to end by themselves, and again after their connection was cut.
_STOP_S = 1.0


@dataclass(frozen=True)
class TlsListener:
    """A second port of a server, for TLS only: ``listener`` bound as the first one, ``local`` how the department writes
    its address, ``context`` as ``tls.server_context`` makes it."""

    listener: socket.socket
    local: str
    context: ssl.SSLContext


class Server:
    """Serves one AE on ``listener`` (bound, and listening or not), which it closes when it stops.

    ``caller_of`` says who is behind a connection's address, ``local`` is how the department writes this server's own.
    ``secure`` is a port for TLS beside the plain one; associations of both count against one limit.
    ``requestor`` opens the associations of C-MOVE and is the server's own: it is closed when the server stops.
    What it was given is fixed until it is stopped and another one made: saving a configuration is not restarting.
    """

    def __init__(
        self,
        listener: socket.socket,
        policy: AcceptorPolicy,
        services: Services,
        observer: Observer,
        *,
        node: str,
        caller_of: Callable[[tuple[str, int]], Caller],
        local: str,
        requestor: Requestor | None,
        new_association_id: Callable[[], str],
        secure: TlsListener | None = None,
    ) -> None:
        quieten_pynetdicom()
        self.policy = policy
        self.services = services
        self.observer = observer
        self.node = node
        self.requestor = requestor
        self.ae = LocalAE(policy.ae_title, policy.maximum_pdu)
        self.contexts = supported(policy.contexts)
        # The policy is part of what is agreed: a server has one all its life, and its own memory.
        self.agreements: Memory[bytes, Agreement] = Memory()
        self._doors = [Door(listener, local)]
        if secure is not None:
            self._doors.append(Door(secure.listener, secure.local, secure.context))
        self._caller_of = caller_of
        self._new_association_id = new_association_id
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._fewer = threading.Condition(self._lock)
        self._all: dict[AcceptorAssociation, None] = {}
        self._admitted: set[AcceptorAssociation] = set()
        self._keepers = [
            Doorkeepers(door.listener, partial(self._attend, door), f"{policy.ae_title} server") for door in self._doors
        ]

    def start(self) -> None:
        """Begin to listen and to serve."""
        for door in self._doors:
            door.listener.settimeout(None)
            door.listener.listen(_BACKLOG)
        for keepers in self._keepers:
            keepers.start()

    def stop(self) -> None:
        """Stop listening, abort every association and wait for their threads. Calling it again does nothing."""
        if self._stopping.is_set():
            return
        self._stopping.set()
        for door, keepers in zip(self._doors, self._keepers, strict=True):
            keepers.stop()
            door.listener.close()
        if self.requestor is not None:
            # A C-MOVE may be dialling its destination, or waiting for it.
            self.requestor.close("the node was stopped")
        with self._lock:
            # A service may stop its own server: its thread ends after it, and cannot be waited for.
            open_ones = {one for one in self._all if one.thread_id != threading.get_ident()}
        for association in open_ones:
            association.interrupt("the node was stopped")
        for association in self._outlasting(open_ones):
            # It is sending to a peer that does not read, or in a service that does not come back.
            association.dul.cut()
        self._outlasting(open_ones)
        for keepers in self._keepers:
            keepers.join(_STOP_S)

    def _outlasting(self, associations: set[AcceptorAssociation]) -> set[AcceptorAssociation]:
        """Those of these associations that have not ended a while from now."""
        with self._fewer:
            self._fewer.wait_for(lambda: associations.isdisjoint(self._all), _STOP_S)
            return associations & self._all.keys()

    @property
    def active(self) -> int:
        """How many associations are open."""
        with self._lock:
            return len(self._admitted)

    @property
    def address(self) -> tuple[str, int]:
        """The real address this server listens on."""
        return _address(self._doors[0].listener)

    @property
    def secure_address(self) -> tuple[str, int] | None:
        """The real address of its TLS port, if it has one."""
        return _address(self._doors[1].listener) if len(self._doors) > 1 else None

    # --- what an association asks of its host --------------------------------------------------------------------

    def new_association_id(self) -> str:
        return self._new_association_id()

    def is_congested(self, abstract_syntaxes: Iterable[str]) -> bool:
        """Whether no association for these is begun for a while: this server is stopping, or its services say so."""
        return self._stopping.is_set() or self.services.is_congested(abstract_syntaxes)

    def admit(self, association: AcceptorAssociation) -> bool:
        """Whether there is room for one more association, and take the place."""
        with self._lock:
            if len(self._admitted) >= self.policy.maximum_associations:
                return False
            self._admitted.add(association)
            return True

    def serve(self, association: AcceptorAssociation, message: Message) -> None:
        """Serve one request."""
        serve(association, message)

    def gone(self, association: AcceptorAssociation) -> None:
        """This association has ended, whichever way."""
        with self._lock:
            self._admitted.discard(association)

    def forget(self, association: AcceptorAssociation) -> None:
        """This association is over, and its connection closed."""
        with self._fewer:
            self._all.pop(association, None)
            self._fewer.notify_all()

    # --- accepting -----------------------------------------------------------------------------------------------

    def _attend(self, door: Door, connection: socket.socket, address: tuple[str, int]) -> None:
        association = AcceptorAssociation(self, connection, self._caller_of(address), door)
        surplus: list[AcceptorAssociation] = []
        with self._lock:
            self._all[association] = None
            if len(self._all) - len(self._admitted) > _MOST_IDLE:
                surplus = [one for one in self._all if one not in self._admitted][:-_MOST_IDLE]
        for one in surplus:
            one.interrupt("more connections without an association than are held")
        if self._stopping.is_set():
            # It came while the server stopped, which has not seen it.
            association.interrupt("the node was stopped")
        association.run_reactor()


def _address(listener: socket.socket) -> tuple[str, int]:
    name = listener.getsockname()
    return str(name[0]), int(name[1])
