"""What was said on an association, put together from its PDUs: messages of fragments (PS3.8 annex E), requests with
their answers (PS3.7 6.3), and the PDUs around them.

It is fed PDUs one by one and looks only at headers and command sets, so that an exam of gigabytes is told at once. Data
sets stay where they are: ``Said.fragments`` says where. What breaks the rules is told as such, and nothing is raised.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from sandbox.dicom.messages import C_CANCEL_RQ, NO_DATA_SET, RESPONSE, Command, decode_command
from sandbox.dicom.pdus import Kind

LONGEST_COMMAND = 1 << 16
MOST_FRAGMENTS = 4096
"""Fragments of one data set that are remembered; of more, the first are shown."""

_PENDING = frozenset({0xFF00, 0xFF01})
_PDV = struct.Struct(">LBB")
Read = Callable[[int, int], bytes]
"""Bytes of the present PDU: from this place, so many."""


@dataclass(slots=True)
class Said:
    """One step. ``kind`` is the PDU's, Kind.DATA for a message; ``fragments`` are (PDU, start, length) of its data set.

    ``request`` and ``answer`` are numbers of steps (0: none); ``ended`` is when its last PDU passed.
    """

    number: int
    kind: int
    at: datetime
    ended: datetime
    from_requestor: bool
    first_pdu: int
    last_pdu: int
    context_id: int = 0
    encoded: bytes = b""
    command: Command = field(default_factory=lambda: Command())
    size: int = 0
    fragments: list[tuple[int, int, int]] = field(default_factory=list)
    request: int = 0
    answer: int = 0
    answered_at: datetime | None = None
    is_complete: bool = True
    trouble: str = ""

    @property
    def is_message(self) -> bool:
        return self.kind == Kind.DATA

    @property
    def is_response(self) -> bool:
        return bool(self.command.get("CommandField", 0) & RESPONSE)


class Conversation:
    """The steps of one association, growing as PDUs are fed. ``step_of`` gives the step that a PDU begins or goes on
    with."""

    def __init__(self) -> None:
        self.steps: list[Said] = []
        self.step_of: list[int] = []
        self._under_way: dict[bool, Said] = {}
        self._asked: dict[tuple[bool, int], Said] = {}

    def feed(self, at: datetime, from_requestor: bool, size: int, head: bytes, read: Read) -> None:
        """Take the next PDU: ``size`` bytes of which ``head`` are the first, the others by ``read``."""
        number = len(self.step_of) + 1
        kind = head[0] if head else -1
        if kind != Kind.DATA:
            self._add(kind, at, from_requestor, number)
        else:
            self._values(at, from_requestor, number, size, head, read)
        self.step_of.append(len(self.steps) if kind != Kind.DATA else self._step_at(from_requestor, number))

    def _step_at(self, from_requestor: bool, number: int) -> int:
        for step in reversed(self.steps[-64:]):
            if step.from_requestor is from_requestor and step.first_pdu <= number <= step.last_pdu:
                return step.number
        return 0

    def _add(self, kind: int, at: datetime, from_requestor: bool, pdu: int) -> Said:
        step = Said(len(self.steps) + 1, kind, at, at, from_requestor, pdu, pdu)
        self.steps.append(step)
        return step

    def _values(self, at: datetime, from_requestor: bool, pdu: int, size: int, head: bytes, read: Read) -> None:
        place = 6
        while place < size:
            header = head[place : place + 6] if place + 6 <= len(head) else read(place, 6)
            if len(header) < 6:
                self._wrong(at, from_requestor, pdu, "the PDU ends within the header of a presentation data value")
                return
            length, context, control = _PDV.unpack(header)
            if length < 2 or place + 4 + length > size:
                self._wrong(at, from_requestor, pdu, f"a presentation data value says it has {length} bytes")
                return
            start, length = place + 6, length - 2
            step = self._under_way.get(from_requestor)
            if control & 1:
                wanted = min(length, LONGEST_COMMAND)
                inside = start + wanted <= len(head)
                value = head[start : start + wanted] if inside else read(start, wanted)
                self._command(step, at, from_requestor, pdu, context, control, value)
            else:
                self._data(step, at, from_requestor, pdu, context, control, start, length)
            place = start + length

    def _command(
        self, step: Said | None, at: datetime, from_requestor: bool, pdu: int, context: int, control: int, value: bytes
    ) -> None:
        if step is not None and step.command:
            step.is_complete, step.trouble = False, "its data set did not come: the next command began"
            step = None
        if step is None:
            step = self._under_way[from_requestor] = self._add(Kind.DATA, at, from_requestor, pdu)
            step.context_id, step.is_complete = context, False
        step.encoded = (step.encoded + value)[:LONGEST_COMMAND]
        step.last_pdu, step.ended = pdu, at
        if not control & 2:
            return
        try:
            step.command = decode_command(step.encoded)
        except ValueError as wrong:
            step.trouble = str(wrong)
        if step.command.get("CommandDataSetType", NO_DATA_SET) == NO_DATA_SET:
            self._whole(step)
        self._match(step)

    def _data(
        self,
        step: Said | None,
        at: datetime,
        from_requestor: bool,
        pdu: int,
        context: int,
        control: int,
        start: int,
        length: int,
    ) -> None:
        if step is None or not (step.command or step.trouble):
            step = self._under_way[from_requestor] = self._add(Kind.DATA, at, from_requestor, pdu)
            step.context_id, step.is_complete, step.trouble = context, False, "a data set without a command before it"
        step.size += length
        step.last_pdu, step.ended = pdu, at
        if len(step.fragments) < MOST_FRAGMENTS:
            step.fragments.append((pdu, start, length))
        if control & 2:
            self._whole(step)

    def _whole(self, step: Said) -> None:
        step.is_complete = True
        self._under_way.pop(step.from_requestor, None)
        if step.is_response and step.request:
            asked = self.steps[step.request - 1]
            if asked.answer == step.number:
                asked.answered_at = step.ended

    def _match(self, step: Said) -> None:
        """Tell a response its request, and a request its final response; pending ones are not final."""
        command = step.command
        if not step.is_response:
            if command.get("CommandField") != C_CANCEL_RQ:
                self._asked[step.from_requestor, command.get("MessageID", 0)] = step
            return
        key = (not step.from_requestor, command.get("MessageIDBeingRespondedTo", 0))
        asked = self._asked.get(key)
        if asked is None:
            return
        step.request = asked.number
        if command.get("Status") not in _PENDING:
            asked.answer, asked.answered_at = step.number, step.ended
            del self._asked[key]

    def _wrong(self, at: datetime, from_requestor: bool, pdu: int, why: str) -> None:
        step = self._under_way.pop(from_requestor, None) or self._add(Kind.DATA, at, from_requestor, pdu)
        step.last_pdu, step.ended, step.is_complete, step.trouble = pdu, at, False, why
