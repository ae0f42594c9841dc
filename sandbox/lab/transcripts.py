"""What was said on associations, step by step and PDU by PDU, read from the capture and put into words.

A transcript is made from headers and command sets alone and grows with its association; bytes are read when somebody
asks for one step or one PDU. A few transcripts are remembered, so that walking through one is quick.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from sandbox.dicom.dissect import NAMES, dissect, name_of, part_of
from sandbox.dicom.dissect_dataset import MOST_BYTES, PRIORITIES, command_name, dissect_command, dissect_dataset
from sandbox.dicom.dissect_messages import Conversation, Said
from sandbox.dicom.explain import explain_status, uid_name
from sandbox.dicom.messages import RESPONSE, SERVICES
from sandbox.dicom.pdus import Kind
from sandbox.model.errors import NotFoundError
from sandbox.model.inspection import PduDetail, PduLine, PduLines, Step, StepDetail, Steps
from sandbox.network.capture import Capture, PduHead, Seen

MOST_REMEMBERED = 8
WINDOW = 1024
"""Bytes of a PDU that are shown at once."""

_LARGEST_PDU = 2 << 20
_COUNTS = {
    "remaining": "NumberOfRemainingSuboperations",
    "completed": "NumberOfCompletedSuboperations",
    "failed": "NumberOfFailedSuboperations",
    "warning": "NumberOfWarningSuboperations",
}
_SERVICE_PARTS = {
    "C-STORE": "PS3.7 9.1.1",
    "C-FIND": "PS3.7 9.1.2",
    "C-GET": "PS3.7 9.1.3",
    "C-MOVE": "PS3.7 9.1.4",
    "C-ECHO": "PS3.7 9.1.5",
    "C-CANCEL": "PS3.7 9.3.2.3",
    "N-EVENT-REPORT": "PS3.7 10.1.1",
    "N-GET": "PS3.7 10.1.2",
    "N-SET": "PS3.7 10.1.3",
    "N-ACTION": "PS3.7 10.1.4",
    "N-CREATE": "PS3.7 10.1.5",
    "N-DELETE": "PS3.7 10.1.6",
}


class Transcript:
    """One association as the capture holds it. ``refresh`` takes what has come since."""

    def __init__(self, association: str, capture: Capture) -> None:
        self._association = association
        self._capture = capture
        self._seen = Seen()
        self.heads: list[PduHead] = []
        self.talk = Conversation()

    def refresh(self) -> None:
        """Read on."""
        is_new, found, self._seen = self._capture.heads(self._association, self._seen)
        heads, talk = ([], Conversation()) if is_new else (self.heads, self.talk)
        for head in found:
            heads.append(head)
            talk.feed(
                head.at,
                head.from_requestor,
                head.size,
                head.head,
                lambda start, size, head=head: self._capture.read(head, start, size),  # type: ignore[misc]
            )
        # Both at once: somebody else may be reading what was there before.
        self.heads, self.talk = heads, talk

    @property
    def size(self) -> int:
        """Bytes of all PDUs."""
        return sum(head.size for head in self.heads)

    def first(self, kind: Kind) -> bytes:
        """The bytes of the first PDU of a kind; nothing where there is none."""
        for head in self.heads[:16] if kind in (Kind.ASSOCIATE_RQ, Kind.ASSOCIATE_AC) else self.heads:
            if head.head[:1] == bytes([kind]):
                return self._capture.read(head, 0, _LARGEST_PDU)
        return b""

    def _since(self, at: datetime) -> float:
        return max(0.0, (at - self.heads[0].at).total_seconds() * 1000) if self.heads else 0.0

    # --- steps -------------------------------------------------------------------------------------------------------

    def steps(self, after: int, limit: int) -> Steps:
        """So many steps after the one with this number."""
        chosen = self.talk.steps[after : after + limit]
        return Steps(total=len(self.talk.steps), steps=tuple(self._step(said) for said in chosen))

    def step(self, number: int, syntaxes: dict[int, str]) -> StepDetail:
        """One step with its command set and data set. ``syntaxes`` are the transfer syntaxes agreed on, by context."""
        if not 1 <= number <= len(self.talk.steps):
            raise NotFoundError(f"There is no step {number} in this association.", _DROPPED)
        said = self.talk.steps[number - 1]
        step = self._step(said)
        if not said.is_message:
            return StepDetail(step=step)
        syntax = syntaxes.get(said.context_id, "")
        data = None
        if said.size or said.fragments:
            encoded = self._data(said)
            data = dissect_dataset(encoded, syntax, is_whole=len(encoded) >= said.size and said.is_complete)
            if said.size and not encoded:
                data = data.model_copy(update={"trouble": f"The bytes are kept no longer. {_DROPPED}"})
        return StepDetail(
            step=step,
            command=dissect_command(said.encoded),
            data=data,
            data_size=said.size,
            transfer_syntax=syntax,
            transfer_name=uid_name(syntax),
        )

    def _data(self, said: Said) -> bytes:
        """The beginning of a data set."""
        pieces, left = [], MOST_BYTES
        for pdu, start, length in said.fragments:
            piece = self._capture.read(self.heads[pdu - 1], start, min(length, left))
            pieces.append(piece)
            left -= len(piece)
            if left <= 0 or len(piece) < length:
                break
        return b"".join(pieces)

    def _step(self, said: Said) -> Step:
        known: dict[str, object] = {
            "number": said.number,
            "at": said.at,
            "since_ms": self._since(said.at),
            "from_requestor": said.from_requestor,
            "first_pdu": said.first_pdu,
            "last_pdu": said.last_pdu,
        }
        if not said.is_message:
            return Step.model_validate(known | self._pdu_words(said))
        return Step.model_validate(known | self._message_words(said))

    def _pdu_words(self, said: Said) -> dict[str, object]:
        head = self.heads[said.first_pdu - 1]
        read = dissect(self._capture.read(head, 0, _LARGEST_PDU))
        tone = _PDU_TONES.get(said.kind, "bad")
        return {"name": read.name, "words": read.words, "tone": tone, "size": head.size, "part": part_of(said.kind)}

    def _message_words(self, said: Said) -> dict[str, object]:
        command = said.command
        service = SERVICES.get(command.get("CommandField", 0) & ~RESPONSE, "")
        status = command.get("Status")
        sop_class = command.get("AffectedSOPClassUID") or command.get("RequestedSOPClassUID", "")
        values: dict[str, object] = {
            "is_message": True,
            "name": command_name(command["CommandField"]) if command else "an incomplete message",
            "context_id": said.context_id,
            "message_id": command.get("MessageIDBeingRespondedTo" if said.is_response else "MessageID", 0),
            "request": said.request,
            "answer": said.answer,
            "sop_class_name": uid_name(sop_class),
            "sop_instance": command.get("AffectedSOPInstanceUID") or command.get("RequestedSOPInstanceUID", ""),
            "size": said.size,
            "destination": command.get("MoveDestination", ""),
            "originator": command.get("MoveOriginatorApplicationEntityTitle", ""),
            "trouble": said.trouble or ("" if said.is_complete else "it did not come to its end"),
            "part": _SERVICE_PARTS.get(service, "PS3.7 6.3"),
        }
        if "Priority" in command:
            values["priority"] = PRIORITIES.get(command["Priority"], str(command["Priority"]))
        if said.answered_at is not None:
            values["duration_ms"] = max(0.0, (said.answered_at - said.at).total_seconds() * 1000)
        for name, keyword in _COUNTS.items():
            values[name] = command.get(keyword)
        if said.is_response and status is not None:
            words = explain_status(service, status)
            values |= {
                "status": status,
                "status_text": words.name,
                "meaning": words.meaning,
                "look": words.look,
                "comment": command.get("ErrorComment", ""),
            }
        values["tone"] = "bad" if values["trouble"] else _tone(status if said.is_response else None)
        values["words"] = _in_words(values, said.is_response)
        return values

    # --- PDUs --------------------------------------------------------------------------------------------------------

    def pdus(self, after: int, limit: int) -> PduLines:
        """So many PDUs after the one with this number."""
        last = min(after + limit, len(self.heads))
        return PduLines(total=len(self.heads), pdus=tuple(self._line(number) for number in range(after + 1, last + 1)))

    def pdu(self, number: int, start: int) -> PduDetail:
        """One PDU in pieces, with its bytes from ``start`` on."""
        if not 1 <= number <= len(self.heads):
            raise NotFoundError(f"There is no PDU {number} of this association.", _DROPPED)
        head = self.heads[number - 1]
        data = self._capture.read(head, 0, _LARGEST_PDU)
        if not data and head.size:
            raise NotFoundError(f"The bytes of PDU {number} are kept no longer.", _DROPPED)
        read = dissect(data)
        start = min(max(start, 0), max(len(data) - 1, 0)) // 16 * 16
        return PduDetail(
            pdu=self._line(number),
            pieces=read.pieces,
            more=read.more,
            start=start,
            data=data[start : start + WINDOW].hex(),
        )

    def _line(self, number: int) -> PduLine:
        head = self.heads[number - 1]
        read = dissect(self._capture.read(head, 0, _LARGEST_PDU))
        return PduLine(
            number=number,
            at=head.at,
            since_ms=self._since(head.at),
            from_requestor=head.from_requestor,
            kind=max(read.kind, 0),
            name=NAMES.get(read.kind) or name_of(head.head),
            size=head.size,
            words=read.words,
            step=self.talk.step_of[number - 1],
            bad=read.bad,
        )


class Transcripts:
    """The transcripts of one capture, the latest of them remembered. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[int, str], tuple[threading.Lock, Transcript]] = OrderedDict()

    def of(self, association: str, capture: Capture) -> Transcript:
        """The transcript of an association, up to date."""
        key = (id(capture), association)
        with self._lock:
            lock, found = self._known.get(key) or (threading.Lock(), Transcript(association, capture))
            self._known[key] = lock, found
            self._known.move_to_end(key)
            while len(self._known) > MOST_REMEMBERED:
                self._known.popitem(last=False)
        with lock:
            found.refresh()
        return found


_DROPPED = "The capture keeps a bounded number of bytes, and the oldest go first."
_PDU_TONES: Mapping[int, str] = {
    Kind.ASSOCIATE_RQ: "quiet",
    Kind.ASSOCIATE_AC: "good",
    Kind.ASSOCIATE_RJ: "bad",
    Kind.RELEASE_RQ: "quiet",
    Kind.RELEASE_RP: "good",
    Kind.ABORT: "bad",
}


def _tone(status: int | None) -> str:
    if status is None:
        return "quiet"
    if status == 0:
        return "good"
    if status in (0xFF00, 0xFF01):
        return "busy"
    return "warn" if status >> 12 == 0xB or status in (0xFE00, 0x0001, 0x0107, 0x0116) else "bad"


def _in_words(values: dict[str, object], is_response: bool) -> str:
    return ", ".join(_parts(values, is_response))


def _parts(values: dict[str, object], is_response: bool) -> Iterator[str]:
    if is_response and values.get("status_text"):
        yield str(values["status_text"])
        counts: Sequence[tuple[str, object]] = [(name, values[name]) for name in _COUNTS]
        told = [f"{count} {name}" for name, count in counts if count is not None]
        if told:
            yield f"sub-operations: {', '.join(told)}"
    elif values["sop_class_name"]:
        yield str(values["sop_class_name"])
    if values["destination"]:
        yield f"to {values['destination']}"
    if values["originator"]:
        yield f"for a C-MOVE of {values['originator']}"
    if values["trouble"]:
        yield str(values["trouble"])
