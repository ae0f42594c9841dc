"""C-MOVE and C-GET as an SCP (PS3.4 C.4.2 and C.4.3)."""

from __future__ import annotations
from typing import TYPE_CHECKING
from sandbox.dicom.messages import Message

if TYPE_CHECKING:
    from sandbox.dicom.acceptor import AcceptorAssociation


def serve_move(association: AcceptorAssociation, message: Message) -> None: ...
def serve_get(association: AcceptorAssociation, message: Message) -> None: ...
