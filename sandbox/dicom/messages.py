"""DIMSE command sets to and from bytes (PS3.7 annex E): every element of group 0000 in one table.

A command set is always implicit VR little endian and holds two dozen possible elements, so a table does it in
microseconds where a general data set takes hundreds. pynetdicom's primitives are made from, and turned into, the same
values, so that its service classes work on top. What is not a well-formed command set raises ValueError.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any, TypedDict, cast

from pynetdicom import dimse_primitives as primitives
from pynetdicom.dimse_messages import _COMMAND_SET_KEYWORDS, _DATASET_KEYWORDS, _MESSAGE_TYPES

from sandbox.dicom.spool import Spooled

C_STORE_RQ = 0x0001
C_GET_RQ = 0x0010
C_FIND_RQ = 0x0020
C_MOVE_RQ = 0x0021
C_ECHO_RQ = 0x0030
C_CANCEL_RQ = 0x0FFF
N_EVENT_REPORT_RQ = 0x0100
N_GET_RQ = 0x0110
N_SET_RQ = 0x0120
N_ACTION_RQ = 0x0130
N_CREATE_RQ = 0x0140
N_DELETE_RQ = 0x0150
RESPONSE = 0x8000
NO_DATA_SET = 0x0101
DATA_SET = 0x0001

SERVICES: Mapping[int, str] = {
    C_STORE_RQ: "C-STORE",
    C_GET_RQ: "C-GET",
    C_FIND_RQ: "C-FIND",
    C_MOVE_RQ: "C-MOVE",
    C_ECHO_RQ: "C-ECHO",
    C_CANCEL_RQ: "C-CANCEL",
    N_EVENT_REPORT_RQ: "N-EVENT-REPORT",
    N_GET_RQ: "N-GET",
    N_SET_RQ: "N-SET",
    N_ACTION_RQ: "N-ACTION",
    N_CREATE_RQ: "N-CREATE",
    N_DELETE_RQ: "N-DELETE",
}


class Command(TypedDict, total=False):
    """The elements of a command set by keyword. Absent elements are absent keys."""

    AffectedSOPClassUID: str
    RequestedSOPClassUID: str
    CommandField: int
    MessageID: int
    MessageIDBeingRespondedTo: int
    MoveDestination: str
    Priority: int
    CommandDataSetType: int
    Status: int
    OffendingElement: tuple[int, ...]
    ErrorComment: str
    ErrorID: int
    AffectedSOPInstanceUID: str
    RequestedSOPInstanceUID: str
    EventTypeID: int
    AttributeIdentifierList: tuple[int, ...]
    ActionTypeID: int
    NumberOfRemainingSuboperations: int
    NumberOfCompletedSuboperations: int
    NumberOfFailedSuboperations: int
    NumberOfWarningSuboperations: int
    MoveOriginatorApplicationEntityTitle: str
    MoveOriginatorMessageID: int


@dataclass(frozen=True, slots=True)
class Message:
    """A whole DIMSE message as received. ``data`` is the encoded data set, None where the command announces none or
    where it went into a file (``spooled``) for its size. ``repeated``: its message id was that of a request which had
    no answer yet when it came."""

    context_id: int
    command: Command
    data: bytes | memoryview | None = None
    spooled: Spooled | None = None
    repeated: bool = False


def _pack_text(pad: bytes) -> Callable[[str], bytes]:
    def pack(value: str) -> bytes:
        encoded = value.encode("ascii", "replace")
        return encoded + pad if len(encoded) % 2 else encoded

    return pack


def _unpack_text(value: bytes) -> str:
    return value.decode("latin-1").strip(" \0")


def _pack_tags(value: Any) -> bytes:
    tags = (value,) if isinstance(value, int) else value
    return b"".join(struct.pack("<HH", int(tag) >> 16, int(tag) & 0xFFFF) for tag in tags)


def _unpack_tags(value: bytes) -> tuple[int, ...]:
    return tuple(group << 16 | element for group, element in struct.iter_unpack("<HH", value))


def _unpack_number(value: bytes) -> int:
    # A value of more than one number is not allowed here; the first is what pynetdicom takes, too.
    return int(struct.unpack_from("<H", value)[0])


_PACKERS: Mapping[str, Callable[[Any], bytes]] = {
    "UI": _pack_text(b"\0"),
    "AE": _pack_text(b" "),
    "LO": _pack_text(b" "),
    "US": struct.Struct("<H").pack,
    "AT": _pack_tags,
}
_UNPACKERS: Mapping[str, Callable[[bytes], Any]] = {
    "UI": _unpack_text,
    "AE": _unpack_text,
    "LO": _unpack_text,
    "US": _unpack_number,
    "AT": _unpack_tags,
}

ELEMENTS: Mapping[str, tuple[int, str]] = {
    "AffectedSOPClassUID": (0x0002, "UI"),
    "RequestedSOPClassUID": (0x0003, "UI"),
    "CommandField": (0x0100, "US"),
    "MessageID": (0x0110, "US"),
    "MessageIDBeingRespondedTo": (0x0120, "US"),
    "MoveDestination": (0x0600, "AE"),
    "Priority": (0x0700, "US"),
    "CommandDataSetType": (0x0800, "US"),
    "Status": (0x0900, "US"),
    "OffendingElement": (0x0901, "AT"),
    "ErrorComment": (0x0902, "LO"),
    "ErrorID": (0x0903, "US"),
    "AffectedSOPInstanceUID": (0x1000, "UI"),
    "RequestedSOPInstanceUID": (0x1001, "UI"),
    "EventTypeID": (0x1002, "US"),
    "AttributeIdentifierList": (0x1005, "AT"),
    "ActionTypeID": (0x1008, "US"),
    "NumberOfRemainingSuboperations": (0x1020, "US"),
    "NumberOfCompletedSuboperations": (0x1021, "US"),
    "NumberOfFailedSuboperations": (0x1022, "US"),
    "NumberOfWarningSuboperations": (0x1023, "US"),
    "MoveOriginatorApplicationEntityTitle": (0x1030, "AE"),
    "MoveOriginatorMessageID": (0x1031, "US"),
}
_WRITERS = {keyword: (element, _PACKERS[vr]) for keyword, (element, vr) in ELEMENTS.items()}
_READERS = {element: (keyword, _UNPACKERS[vr]) for keyword, (element, vr) in ELEMENTS.items()}
_HEADER = struct.Struct("<HHL")
_GROUP_LENGTH = struct.Struct("<HHLL")


def encode_command(command: Command) -> bytes:
    """The command set as bytes, group length first and elements in order (PS3.7 6.3.1)."""
    pieces = []
    for keyword, value in command.items():
        element, pack = _WRITERS[keyword]
        encoded = pack(value)
        pieces.append(_HEADER.pack(0, element, len(encoded)) + encoded)
    # Little endian and one group: the bytes of the headers do not sort, their element numbers do.
    pieces.sort(key=lambda piece: piece[3] << 8 | piece[2])
    body = b"".join(pieces)
    return _GROUP_LENGTH.pack(0, 0, 4, len(body)) + body


def decode_command(data: bytes | bytearray | memoryview) -> Command:
    """The command set in ``data``. Elements that the table does not know (retired ones) are passed over."""
    values: dict[str, Any] = {}
    position, end = 0, len(data)
    while position < end:
        if position + 8 > end:
            raise ValueError("the command set ends within an element's header")
        group, element, length = _HEADER.unpack_from(data, position)
        position += 8
        if group != 0:
            raise ValueError(f"the command set holds an element of group {group:04X}")
        if position + length > end:
            raise ValueError(f"the value of (0000,{element:04X}) runs past the end of the command set")
        reader = _READERS.get(element)
        if reader is not None and length:
            keyword, unpack = reader
            try:
                values[keyword] = unpack(bytes(data[position : position + length]))
            except struct.error as wrong:
                raise ValueError(f"the value of {keyword} has an impossible length of {length}") from wrong
        position += length
    if "CommandField" not in values:
        raise ValueError("the command set has no Command Field (0000,0100)")
    return cast(Command, values)


def response_to(request: Command, status: int, comment: str = "") -> Command:
    """A response's command set: the fields every response has, ``status``, and the comment if there is one. What a
    DIMSE-N request calls requested is affected in its response (PS3.7 10.3)."""
    answer: Command = {
        "CommandField": request["CommandField"] | RESPONSE,
        "MessageIDBeingRespondedTo": request.get("MessageID", 0),
        "CommandDataSetType": NO_DATA_SET,
        "Status": status,
    }
    if sop_class := request.get("AffectedSOPClassUID") or request.get("RequestedSOPClassUID"):
        answer["AffectedSOPClassUID"] = sop_class
    if sop_instance := request.get("AffectedSOPInstanceUID") or request.get("RequestedSOPInstanceUID"):
        answer["AffectedSOPInstanceUID"] = sop_instance
    if comment:
        answer["ErrorComment"] = comment[:64]
    return answer


# --- pynetdicom's primitives -------------------------------------------------------------------------------------

_FIELDS = {name: field for field, (name, _) in _MESSAGE_TYPES.items()}


def to_primitive(message: Message) -> Any:
    """The pynetdicom primitive of a message, for its service classes."""
    name = _MESSAGE_TYPES[message.command["CommandField"]][0]
    primitive = getattr(primitives, name.rsplit("-", 1)[0].replace("-", "_"))()
    for keyword, value in message.command.items():
        if hasattr(primitive, keyword):
            if isinstance(value, tuple):
                value = value[0] if len(value) == 1 else list(value)
            setattr(primitive, keyword, value)
    dataset_keyword = _DATASET_KEYWORDS.get(name.replace("-", "_"))
    if dataset_keyword is not None:
        setattr(primitive, dataset_keyword, BytesIO(b"" if message.data is None else bytes(message.data)))
    primitive._context_id = message.context_id
    return primitive


def from_primitive(primitive: Any) -> tuple[Command, bytes | None]:
    """The command set and the encoded data set of a pynetdicom primitive."""
    kind = "RQ" if primitive.MessageIDBeingRespondedTo is None else "RSP"
    if isinstance(primitive, primitives.C_CANCEL):
        kind = "RQ"
    name = f"{type(primitive).__name__.replace('_', '-')}-{kind}"
    command: dict[str, Any] = {}
    for keyword in _COMMAND_SET_KEYWORDS[name]:
        value = getattr(primitive, keyword, None)
        if value is not None and keyword in ELEMENTS:
            command[keyword] = value
    command["CommandField"] = _FIELDS[name]
    dataset_keyword = _DATASET_KEYWORDS.get(name.replace("-", "_"))
    stream = getattr(primitive, dataset_keyword) if dataset_keyword else None
    data = stream.getvalue() if stream is not None else None
    command["CommandDataSetType"] = DATA_SET if data else NO_DATA_SET
    return cast(Command, command), data or None
