"""What associations agreed on, remembered by the bytes that were said.

A modality asks for the same association every time, and working out the answer takes pynetdicom longer than all else
in a short association. So the outcome of its negotiation is kept: the acceptor's by the items proposed to it, the
requestor's by its proposal and the items of the answer. What is remembered is read by many associations and changed
by none. AE titles are no part of it: they are judged and sent anew each time.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable, Sequence, Sized
from copy import copy
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from pynetdicom.pdu_primitives import (
    A_ASSOCIATE,
    ImplementationClassUIDNotification,
    ImplementationVersionNameNotification,
    MaximumLengthNotification,
    SCP_SCU_RoleSelectionNegotiation,
)
from pynetdicom.presentation import PresentationContext

from sandbox.dicom.pdus import AssociateRequest
from sandbox.model.association import ContextResult, ProposedContext

# Sixteen peers with four kinds of request each; what is asked less often is negotiated anew.
MOST_REMEMBERED = 64
# 128 contexts with four transfer syntaxes each stay below this. Longer requests are nobody's everyday ones.
LONGEST_REMEMBERED = 1 << 15

_REPEATABLE = (
    MaximumLengthNotification,
    ImplementationClassUIDNotification,
    ImplementationVersionNameNotification,
    SCP_SCU_RoleSelectionNegotiation,
)


class _Key(Hashable, Sized, Protocol): ...


Key = TypeVar("Key", bound=_Key)
Value = TypeVar("Value")


class Memory(Generic[Key, Value]):
    """The values of the keys used last, at most so many. May be used from several threads."""

    def __init__(self, most: int = MOST_REMEMBERED) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._known: OrderedDict[Key, Value] = OrderedDict()

    def get(self, key: Key) -> Value | None:
        """What was put under this key, if it is still known."""
        with self._lock:
            if key not in self._known:
                return None
            self._known.move_to_end(key)
            return self._known[key]

    def put(self, key: Key, value: Value) -> None:
        """Remember this, and forget what was asked for longest ago. An immoderate key is not remembered."""
        if len(key) > LONGEST_REMEMBERED:
            return
        with self._lock:
            self._known[key] = value
            self._known.move_to_end(key)
            if len(self._known) > self._most:
                self._known.popitem(last=False)

    def __len__(self) -> int:
        return len(self._known)


@dataclass(frozen=True)
class Agreement:
    """The outcome of one negotiation: pynetdicom's contexts and primitives, the same in our terms (``results``), the
    variable items of the answer, and the peer's maximum length. ``asked`` is the request as an acceptor read it."""

    request: A_ASSOCIATE
    answer: A_ASSOCIATE
    accepted: dict[int, PresentationContext]
    rejected: list[PresentationContext]
    results: tuple[ContextResult, ...]
    items: bytes
    peer_maximum: int
    asked: AssociateRequest | None = None

    @property
    def is_repeatable(self) -> bool:
        """Whether the same request would be answered in the same way again. Where it holds an item that a handler may
        judge (user identity, extended negotiation, asynchronous operations), the handler is asked each time."""
        return all(isinstance(item, _REPEATABLE) for item in self.request.user_information)


def titled(primitive: A_ASSOCIATE, called_ae: str, calling_ae: str) -> A_ASSOCIATE:
    """The same primitive for an association between these two AEs."""
    own = copy(primitive)
    own.called_ae_title = called_ae
    own.calling_ae_title = calling_ae
    return own


@dataclass(frozen=True)
class Offer:
    """What a requestor proposes, made once for all associations that propose it: in our terms (``lines``), as
    pynetdicom's contexts and primitive, as the variable items of the request; and what came of it, by the items of the
    answer."""

    lines: Sequence[ProposedContext]
    contexts: Sequence[PresentationContext]
    request: A_ASSOCIATE
    items: bytes
    agreements: Memory[bytes, Agreement]
