"""PDUs taken apart to the byte (PS3.8 9.3), for people who look at a capture: every item and field with its place, its
value in words and the part of the standard.

It reads whatever bytes there are, damaged or not DICOM at all, says so, and raises nothing. Nothing here decides
anything about an association: that is for pdus.py and pynetdicom.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sandbox.dicom.dissect_associate import associate
from sandbox.dicom.dissect_pieces import MOST_PIECES, Pieces
from sandbox.dicom.explain import describe_abort, explain_abort, explain_rejection_fields
from sandbox.dicom.pdus import Kind
from sandbox.model.association import Rejection
from sandbox.model.inspection import Piece

__all__ = ["MOST_PIECES", "NAMES", "PARTS", "Dissection", "dissect", "name_of", "part_of", "summary"]

NAMES: Mapping[int, str] = {
    Kind.ASSOCIATE_RQ: "A-ASSOCIATE-RQ",
    Kind.ASSOCIATE_AC: "A-ASSOCIATE-AC",
    Kind.ASSOCIATE_RJ: "A-ASSOCIATE-RJ",
    Kind.DATA: "P-DATA-TF",
    Kind.RELEASE_RQ: "A-RELEASE-RQ",
    Kind.RELEASE_RP: "A-RELEASE-RP",
    Kind.ABORT: "A-ABORT",
}
PARTS: Mapping[int, str] = {
    Kind.ASSOCIATE_RQ: "PS3.8 9.3.2",
    Kind.ASSOCIATE_AC: "PS3.8 9.3.3",
    Kind.ASSOCIATE_RJ: "PS3.8 9.3.4",
    Kind.DATA: "PS3.8 9.3.5",
    Kind.RELEASE_RQ: "PS3.8 9.3.6",
    Kind.RELEASE_RP: "PS3.8 9.3.7",
    Kind.ABORT: "PS3.8 9.3.8",
}
_TLS_RECORDS: Mapping[int, str] = {
    0x14: "change cipher spec",
    0x15: "alert",
    0x16: "handshake",
    0x17: "application data",
}
_TLS_VERSIONS: Mapping[int, str] = {0: "SSL 3.0", 1: "TLS 1.0", 2: "TLS 1.1", 3: "TLS 1.2", 4: "TLS 1.3"}
_HANDSHAKES: Mapping[int, str] = {1: "ClientHello", 2: "ServerHello", 11: "Certificate", 13: "CertificateRequest"}
_OTHER_PROTOCOLS: tuple[tuple[bytes, str], ...] = (
    (b"GET ", "an HTTP request"),
    (b"POST ", "an HTTP request"),
    (b"PUT ", "an HTTP request"),
    (b"HEAD ", "an HTTP request"),
    (b"OPTIONS ", "an HTTP request"),
    (b"HTTP/", "an HTTP answer"),
    (b"SSH-", "the greeting of SSH"),
    (b"\x0bMSH|", "an HL7 message in MLLP"),
    (b"MSH|", "an HL7 message"),
    (b"EHLO", "SMTP"),
    (b"HELO", "SMTP"),
)


@dataclass(frozen=True)
class Dissection:
    """A PDU in pieces. ``bad`` tells that something in it is not as the standard has it; ``more`` that there are more
    pieces than are told."""

    kind: int
    name: str
    words: str
    pieces: tuple[Piece, ...]
    bad: bool
    more: bool


def name_of(data: bytes) -> str:
    """What the bytes are called, by the first of them."""
    if not data:
        return "nothing"
    return NAMES.get(data[0]) or ("TLS" if _is_tls(data) else "not a DICOM PDU")


def part_of(kind: int) -> str:
    """The part of the standard that describes PDUs of this kind."""
    return PARTS.get(kind, "PS3.8 9.3.1")


def dissect(data: bytes) -> Dissection:
    """All that can be told of one PDU, header included, or of whatever came instead of one."""
    pieces = Pieces(data)
    kind = data[0] if data else -1
    reader = _READERS.get(kind)
    if reader is None:
        words = _foreign(pieces)
    else:
        _header(pieces, kind)
        words = reader(pieces)
    return Dissection(kind, name_of(data), words, pieces.all(), pieces.bad, pieces.more)


def summary(data: bytes) -> str:
    """A PDU in a few words."""
    return dissect(data).words


def _header(pieces: Pieces, kind: int) -> None:
    data = pieces.data
    pieces.add(0, "PDU type", 0, 1, f"{kind:02X}H", NAMES[kind], PARTS[kind])
    pieces.add(0, "Reserved", 1, 1, _hex(data[1:2]))
    if len(data) < 6:
        pieces.add(0, "PDU length", 2, len(data) - 2, "", "The bytes end within the header.", bad=True)
        return
    (length,) = struct.unpack_from(">L", data, 2)
    held = len(data) - 6
    note = "" if length == held else f"It says {length} bytes follow, and {held} do."
    pieces.add(0, "PDU length", 2, 4, f"{length} bytes", note, "PS3.8 9.3.1", bad=bool(note))


def _reject(pieces: Pieces) -> str:
    body = pieces.data[6:10]
    if len(body) < 4:
        return pieces.cut("The rejection")
    rejection = Rejection(result=body[1], source=body[2], reason=body[3])
    words = explain_rejection_fields(rejection)
    part = "PS3.8 9.3.4"
    pieces.add(0, "Reserved", 6, 1, _hex(body[:1]))
    pieces.add(0, "Result", 7, 1, str(body[1]), words.result, part)
    pieces.add(0, "Source", 8, 1, str(body[2]), words.source, part)
    pieces.add(0, "Reason", 9, 1, str(body[3]), f"{words.reason.name}. {words.reason.meaning}.", part)
    return f"{rejection}: {words.reason.name}"


def _abort(pieces: Pieces) -> str:
    body = pieces.data[6:10]
    if len(body) < 4:
        return pieces.cut("The abort")
    words = explain_abort(body[2], body[3])
    source = {0: "service user: the application", 2: "service provider: the protocol machinery"}
    part = "PS3.8 9.3.8"
    pieces.add(0, "Reserved", 6, 2, _hex(body[:2]))
    pieces.add(0, "Source", 8, 1, str(body[2]), source.get(body[2], "reserved value"), part)
    why = f"{words.name}. {words.meaning}." if body[2] == 2 else "Without meaning, since the application aborted."
    pieces.add(0, "Reason", 9, 1, str(body[3]), why, part)
    return describe_abort(body[2], body[3]).removeprefix("the peer aborted ").strip("()")


def _release(pieces: Pieces) -> str:
    if len(pieces.data) < 10:
        return pieces.cut("The release")
    pieces.add(0, "Reserved", 6, 4, _hex(pieces.data[6:10]))
    return "asks to end the association" if pieces.data[0] == Kind.RELEASE_RQ else "agrees to end it"


def _data(pieces: Pieces) -> str:
    """Presentation data values, one after the other (PS3.8 9.3.5.1 and annex E.2)."""
    data, at, told = pieces.data, 6, []
    part = "PS3.8 9.3.5.1"
    while at < len(data):
        if at + 6 > len(data):
            pieces.add(0, "Presentation data value", at, len(data) - at, "", "It ends within its header.", bad=True)
            break
        length, context, control = struct.unpack_from(">LBB", data, at)
        end = at + 4 + length
        wrong = "" if 2 <= length <= len(data) - at - 4 else f"Its length, {length}, does not fit into the PDU."
        what = "command" if control & 1 else "data set"
        last = ", last fragment" if control & 2 else ", more to come"
        value = f"context {context}, {what}{last}, {max(length - 2, 0)} bytes"
        shown = min(length + 4, len(data) - at)
        pieces.add(0, "Presentation data value", at, shown, value, wrong, part, bad=bool(wrong))
        pieces.add(1, "Item length", at, 4, f"{length} bytes", "", part)
        pieces.add(1, "Presentation context ID", at + 4, 1, str(context), "", part, bad=not context % 2)
        pieces.add(1, "Message control header", at + 5, 1, f"{control:02X}H", f"{what}{last}", "PS3.8 E.2")
        pieces.add(1, "Fragment", at + 6, max(shown - 6, 0), f"{max(shown - 6, 0)} bytes of the {what}", "", part)
        told.append(value)
        if wrong:
            break
        at = end
        if pieces.more:
            break
    return "; ".join(told[:3]) + (f"; and {len(told) - 3} more" if len(told) > 3 else "") or "nothing in it"


def _foreign(pieces: Pieces) -> str:
    data = pieces.data
    if not data:
        return "no bytes"
    if _is_tls(data):
        return _tls(pieces)
    for beginning, what in _OTHER_PROTOCOLS:
        if data.startswith(beginning):
            line = data.split(b"\r", 1)[0][:120].decode("latin-1")
            pieces.add(0, "Not DICOM", 0, len(data), line, f"This is {what}.", "PS3.8 9.3.1", bad=True)
            return f"{what}, not DICOM"
    note = "No PDU begins with this byte: it is 01H to 07H in DICOM."
    pieces.add(0, "Not DICOM", 0, len(data), f"first byte {data[0]:02X}H", note, "PS3.8 9.3.1", bad=True)
    return f"{len(data)} bytes that are no DICOM PDU"


def _tls(pieces: Pieces) -> str:
    data = pieces.data
    record, version = _TLS_RECORDS[data[0]], _TLS_VERSIONS[data[2]]
    part = "RFC 8446 5.1"
    note = "TLS, where a DICOM PDU was expected: one side speaks TLS and the other does not."
    pieces.add(0, "TLS record", 0, 1, f"{data[0]:02X}H: {record}", note, part, bad=True)
    pieces.add(0, "Version", 1, 2, version, "", part)
    pieces.add(0, "Record length", 3, min(2, len(data) - 3), str(int.from_bytes(data[3:5], "big")), "", part)
    said = _HANDSHAKES.get(data[5], f"handshake message {data[5]}") if data[0] == 0x16 and len(data) > 5 else record
    if data[0] == 0x16 and len(data) > 5:
        pieces.add(0, "Handshake", 5, 1, said, "", "RFC 8446 4")
    return f"TLS ({said}), not DICOM"


def _is_tls(data: bytes) -> bool:
    return len(data) >= 3 and data[0] in _TLS_RECORDS and data[1] == 3 and data[2] in _TLS_VERSIONS


def _hex(data: bytes) -> str:
    return data.hex(" ").upper()


_READERS: Mapping[int, Callable[[Pieces], str]] = {
    Kind.ASSOCIATE_RQ: associate,
    Kind.ASSOCIATE_AC: associate,
    Kind.ASSOCIATE_RJ: _reject,
    Kind.DATA: _data,
    Kind.RELEASE_RQ: _release,
    Kind.RELEASE_RP: _release,
    Kind.ABORT: _abort,
}
