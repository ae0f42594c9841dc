"""A DICOM client of bare bytes: it sends what it is told, right or wrong, and gives back what came."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydicom.dataset import Dataset

from sandbox.dicom import syntaxes
from sandbox.dicom.datasets import decode_dataset, encode_dataset
from sandbox.dicom.messages import C_CANCEL_RQ, C_FIND_RQ, C_STORE_RQ, NO_DATA_SET, decode_command, encode_command
from tests.archive.support import CT, STUDY_FIND, encoded, identifier
from tests.dicom.support import EXPLICIT, IMPLICIT, RELEASE_RQ, ScriptedPeer, associate_rq, item, pdu, pdv

PENDING = frozenset({0xFF00, 0xFF01})
Context = tuple[str, str]
"""An abstract syntax and the one transfer syntax that is offered for it."""

EVERYTHING: tuple[Context, ...] = (
    (syntaxes.VERIFICATION, IMPLICIT),
    (CT, EXPLICIT),
    (syntaxes.STUDY_ROOT_FIND, EXPLICIT),
    (syntaxes.PATIENT_ROOT_FIND, EXPLICIT),
    (syntaxes.STUDY_ROOT_MOVE, EXPLICIT),
    (syntaxes.STUDY_ROOT_GET, EXPLICIT),
)


@dataclass(frozen=True)
class Said:
    """A message that came: its context, its command set, and the bytes of its data set, None where there was none."""

    context: int
    command: dict[str, Any]
    data: bytes | None

    @property
    def status(self) -> int:
        return int(self.command["Status"])

    @property
    def comment(self) -> str:
        return str(self.command.get("ErrorComment", ""))

    @property
    def dataset(self) -> Dataset:
        """The data set of an answer on an explicit context."""
        assert self.data is not None
        return decode_dataset(self.data, EXPLICIT)


def pdvs(message: bytes) -> list[bytes]:
    """The bodies of a message's PDUs."""
    bodies, position = [], 0
    while position < len(message):
        (length,) = struct.unpack_from(">L", message, position + 2)
        bodies.append(message[position + 6 : position + 6 + length])
        position += 6 + length
    return bodies


class Wire:
    """An association with whoever listens on ``port``. ``fragment`` is how much of a message goes into one PDV."""

    def __init__(
        self,
        port: int,
        contexts: Sequence[Context] = EVERYTHING,
        *,
        calling: str = "CT1",
        called: str = "ARCHIVE",
        maximum: int = 16384,
        roles: Sequence[tuple[str, int, int]] = (),
        user_items: bytes = b"",
        fragment: int = 60000,
    ) -> None:
        self._ids = itertools.count(1)
        self._fragment = fragment
        self._contexts = list(contexts)
        self.maximum = maximum
        lines = [(2 * place + 1, abstract, (transfer,)) for place, (abstract, transfer) in enumerate(contexts)]
        items = user_items + b"".join(
            item(0x54, struct.pack(">H", len(uid)) + uid.encode() + bytes((scu, scp))) for uid, scu, scp in roles
        )
        self.peer = ScriptedPeer.connect(port)
        self.peer.sock.settimeout(30)
        self.peer.send(associate_rq(called, calling, contexts=lines, maximum=maximum, user_items=items))
        self.kind, body = self.peer.read()
        self.results: dict[int, tuple[int, str]] = {}
        """Result and accepted transfer syntax of each context."""
        self.rejection: tuple[int, ...] = tuple(body[1:]) if self.kind == 3 else ()
        if self.kind == 2:
            self._read_accept(body)

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_: object) -> None:
        self.peer.sock.close()

    def _read_accept(self, body: bytes) -> None:
        position = 68
        while position < len(body):
            kind, length = struct.unpack_from(">BxH", body, position)
            value = body[position + 4 : position + 4 + length]
            if kind == 0x21:
                self.results[value[0]] = (value[2], value[8:].decode() if value[2] == 0 else "")
            position += 4 + length

    def context(self, abstract: str, transfer: str = "") -> int:
        """The id of the context of an abstract syntax, in a transfer syntax if it was offered in several."""
        return next(
            2 * place + 1
            for place, (offered, syntax) in enumerate(self._contexts)
            if offered == abstract and transfer in ("", syntax)
        )

    # --- messages ------------------------------------------------------------------------------------------------

    def message(self, context: int, command: dict[str, Any], data: bytes | None = None) -> bytes:
        """The PDUs of a message. What the command does not say is filled in."""
        whole: Any = {"CommandDataSetType": NO_DATA_SET if data is None else 1} | command
        pieces = self._pieces(context, 1, encode_command(whole))
        if data is not None:
            pieces += self._pieces(context, 0, data)
        return b"".join(pdu(4, piece) for piece in pieces)

    def _pieces(self, context: int, kind: int, data: bytes) -> list[bytes]:
        starts = range(0, max(len(data), 1), self._fragment)
        return [
            pdv(context, kind | (2 if start == starts[-1] else 0), data[start : start + self._fragment])
            for start in starts
        ]

    def read(self) -> Said:
        """The next message, which may not be longer than what we said we take."""
        command, data, ended = b"", b"", False
        context, has_data = 0, False
        while not ended:
            kind, body = self.peer.read()
            assert kind == 4, f"PDU type {kind} came: {body.hex()}"
            assert not self.maximum or len(body) <= self.maximum, f"{len(body)} bytes in a PDU"
            position = 0
            while position < len(body):
                length, context, control = struct.unpack_from(">LBB", body, position)
                value = body[position + 6 : position + 4 + length]
                position += 4 + length
                if control & 1:
                    command += value
                    has_data = bool(control & 2) and decode_command(command)["CommandDataSetType"] != NO_DATA_SET
                    ended = bool(control & 2) and not has_data
                else:
                    data += value
                    ended = bool(control & 2)
        return Said(context, dict(decode_command(command)), data if has_data else None)

    def ask(self, context: int, command: dict[str, Any], data: bytes | None = None) -> list[Said]:
        """Send a request and read all its answers."""
        number = command.setdefault("MessageID", next(self._ids))
        self.peer.send(self.message(context, command, data))
        answers = [self.read()]
        while answers[-1].status in PENDING:
            answers.append(self.read())
        assert all(answer.command["MessageIDBeingRespondedTo"] == number for answer in answers)
        return answers

    # --- services ------------------------------------------------------------------------------------------------

    def store_command(self, ds: Dataset, **changed: Any) -> dict[str, Any]:
        """The command set of a C-STORE of ``ds``; None leaves an element out."""
        command = {
            "AffectedSOPClassUID": str(ds.SOPClassUID),
            "CommandField": C_STORE_RQ,
            "Priority": 0,
            "AffectedSOPInstanceUID": str(ds.SOPInstanceUID),
        } | changed
        return {keyword: value for keyword, value in command.items() if value is not None}

    def store(self, ds: Dataset, data: bytes | None = None, *, on: int | None = None, **changed: Any) -> Said:
        """C-STORE ``ds``, or ``data`` in its stead."""
        context = self.context(str(ds.SOPClassUID)) if on is None else on
        sent = encoded(ds, self.results[context][1]) if data is None else data
        (answer,) = self.ask(context, self.store_command(ds, **changed), sent)
        assert answer.data is None
        return answer

    def find(self, keys: Dataset | bytes, model: str = STUDY_FIND) -> list[Said]:
        """C-FIND with an identifier, or with whatever bytes."""
        context = self.context(model)
        data = keys if isinstance(keys, bytes) else encode_dataset(keys, self.results[context][1])
        return self.ask(context, {"AffectedSOPClassUID": model, "CommandField": C_FIND_RQ, "Priority": 0}, data)

    def matches(self, level: str, model: str = STUDY_FIND, **keys: object) -> list[Dataset]:
        """The identifiers of a query's answers, which must all be FF00 and end with 0000."""
        *answers, last = self.find(identifier(level, **keys), model)
        assert [answer.status for answer in answers] == [0xFF00] * len(answers)
        assert (last.status, last.data) == (0, None)
        return [answer.dataset for answer in answers]

    def cancel(self, context: int, number: int) -> bytes:
        """The PDU of a C-CANCEL."""
        return self.message(context, {"CommandField": C_CANCEL_RQ, "MessageIDBeingRespondedTo": number})

    def release(self) -> None:
        """Release, and see that it was answered."""
        assert self.peer.send(RELEASE_RQ).read() == (6, bytes(4))
