"""A-ASSOCIATE-RQ and -AC taken apart (PS3.8 9.3.2 and 9.3.3, PS3.7 D.3.3): titles, contexts and user information.

Each item has a reader of its own, found by its type; what is too short, too long or unknown is told as such.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping

from sandbox.dicom.dissect_pieces import Pieces
from sandbox.dicom.explain import explain_context, uid_name
from sandbox.dicom.pdus import APPLICATION_CONTEXT, FIXED, Kind

Reader = Callable[[Pieces, int, int, int], str]
"""From the pieces, depth, start and length of an item's value: notes what is within, returns the value in words."""

_IDENTITIES: Mapping[int, str] = {
    1: "user name",
    2: "user name and passcode",
    3: "Kerberos ticket",
    4: "SAML assertion",
    5: "JSON Web Token",
}
# Items within items within an A-ASSOCIATE; what is nested deeper is damage.
_DEEPEST = 3
# The bytes of Service Class Application Information (PS3.4 B.3.1 for storage, C.5.1.1 for query and retrieve).
_STORAGE_INFORMATION = ("level of support", "reserved", "level of digital signatures", "reserved", "element coercion")
_QUERY_INFORMATION = (
    "relational queries",
    "combined date and time matching",
    "fuzzy matching of names",
    "timezone query adjustment",
    "enhanced multi-frame conversion",
)


def associate(pieces: Pieces) -> str:
    """Take a request or an answer apart; the words tell who calls whom and with how many contexts."""
    data = pieces.data
    is_request = data[0] == Kind.ASSOCIATE_RQ
    part = "PS3.8 9.3.2" if is_request else "PS3.8 9.3.3"
    if len(data) < FIXED:
        return pieces.cut("The A-ASSOCIATE")
    version = int.from_bytes(data[6:8], "big")
    pieces.add(
        0, "Protocol version", 6, 2, str(version), "Bit 0 is version 1, the only one.", part, bad=not version & 1
    )
    called, calling = _title(data[10:26]), _title(data[26:42])
    echoed = "" if is_request else " In an answer it is only an echo of the request and counts for nothing."
    pieces.add(0, "Called AE title", 10, 16, called or "(empty)", f"Who is called.{echoed}", part)
    pieces.add(0, "Calling AE title", 26, 16, calling or "(empty)", f"Who calls.{echoed}", part)
    pieces.add(0, "Reserved", 42, 32)
    contexts = 0
    accepted = 0
    for kind, start, length in _items(pieces, 0, FIXED, len(data)):
        if kind in (0x20, 0x21):
            contexts += 1
            accepted += kind == 0x21 and length > 2 and data[start + 2] == 0
        _item(pieces, 0, kind, start, length)
    if is_request:
        return f"{calling or '(no title)'} asks {called or '(no title)'}, {_counted(contexts)} proposed"
    return f"{accepted} of {_counted(contexts)} accepted"


def _counted(contexts: int) -> str:
    return f"{contexts} context{'' if contexts == 1 else 's'}"


def _items(pieces: Pieces, depth: int, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Type, start and length of the values of the items in a range, which are told by whoever takes them."""
    data = pieces.data
    while start < end and not pieces.more:
        if start + 4 > end:
            pieces.add(depth, "Cut off", start, end - start, "", "An item ends within its header.", bad=True)
            return
        kind, length = struct.unpack_from(">BxH", data, start)
        if start + 4 + length > end:
            note = f"Item {kind:02X}H says it has {length} bytes and runs past the end of what holds it."
            pieces.add(depth, "Cut off", start, end - start, "", note, bad=True)
            return
        yield kind, start + 4, length
        start += 4 + length


def _item(pieces: Pieces, depth: int, kind: int, start: int, length: int) -> None:
    """Note an item with all that is in it. The item itself comes first, so its words are made before."""
    known = _ITEMS.get(kind) if depth <= _DEEPEST else None
    if known is None:
        note = "An item that the standard does not know; it is ignored."
        pieces.add(depth, f"Item {kind:02X}H", start - 4, length + 4, f"{length} bytes", note, "PS3.8 9.3.1")
        return
    name, part, reader = known
    inner = Pieces(pieces.data)
    try:
        value = reader(inner, depth + 1, start, length)
        wrong = ""
    except (struct.error, IndexError):
        value, wrong = "", "The item is too short for what it should hold."
    pieces.add(depth, name, start - 4, length + 4, value, wrong, part, bad=bool(wrong))
    for one in inner.all():
        pieces.add(one.depth, one.name, one.start, one.length, one.value, one.note, one.part or part, bad=one.bad)


def _uid_item(pieces: Pieces, depth: int, start: int, length: int) -> str:  # noqa: ARG001
    uid = _text(pieces.data[start : start + length])
    name = uid_name(uid)
    return f"{uid} ({name})" if name != uid else uid


def _text_item(pieces: Pieces, depth: int, start: int, length: int) -> str:  # noqa: ARG001
    return _text(pieces.data[start : start + length])


def _application(pieces: Pieces, depth: int, start: int, length: int) -> str:
    uid = _text(pieces.data[start : start + length])
    if uid != APPLICATION_CONTEXT:
        pieces.add(depth, "Name", start, length, uid, "Not the one of DICOM.", "PS3.7 A.2.1", bad=True)
    return f"{uid} (DICOM)" if uid == APPLICATION_CONTEXT else uid


def _proposed(pieces: Pieces, depth: int, start: int, length: int) -> str:
    context = pieces.data[start]
    note = "" if context % 2 else "It must be odd."
    pieces.add(depth, "Presentation context ID", start, 1, str(context), note, bad=bool(note))
    names = [_inner(pieces, depth, *one) for one in _items(pieces, depth, start + 4, start + length)]
    return f"{context}: {names[0] if names else 'without an abstract syntax'}, {max(len(names) - 1, 0)} offered"


def _answered(pieces: Pieces, depth: int, start: int, length: int) -> str:
    context, result = pieces.data[start], pieces.data[start + 2]
    words = explain_context(result)
    pieces.add(depth, "Presentation context ID", start, 1, str(context))
    pieces.add(depth, "Result", start + 2, 1, str(result), f"{words.name}. {words.meaning}.", "PS3.8 9.3.3.2")
    names = [_inner(pieces, depth, *one) for one in _items(pieces, depth, start + 4, start + length)]
    chosen = f", {names[0]}" if names and not result else ""
    return f"{context}: {words.name}{chosen}"


def _inner(pieces: Pieces, depth: int, kind: int, start: int, length: int) -> str:
    _item(pieces, depth, kind, start, length)
    return uid_name(_text(pieces.data[start : start + length]))


def _user(pieces: Pieces, depth: int, start: int, length: int) -> str:
    count = 0
    for one in _items(pieces, depth, start, start + length):
        _item(pieces, depth, *one)
        count += 1
    return f"{count} item{'' if count == 1 else 's'}"


def _maximum(pieces: Pieces, depth: int, start: int, length: int) -> str:  # noqa: ARG001
    (most,) = struct.unpack_from(">L", pieces.data[start : start + length])
    return f"{most} bytes" if most else "0: no limit"


def _asynchronous(pieces: Pieces, depth: int, start: int, length: int) -> str:  # noqa: ARG001
    invoked, performed = struct.unpack_from(">HH", pieces.data[start : start + length])
    return f"{invoked or 'any number of'} operations invoked, {performed or 'any number'} performed at once"


def _role(pieces: Pieces, depth: int, start: int, length: int) -> str:
    at, uid = _counted_text(pieces, depth, "SOP class", start, start + length, is_uid=True)
    scu, scp = struct.unpack_from("BB", pieces.data[at : start + length])
    pieces.add(depth, "SCU role", at, 1, str(scu), "The requestor may be SCU." if scu else "Not SCU.")
    pieces.add(depth, "SCP role", at + 1, 1, str(scp), "The requestor may be SCP." if scp else "Not SCP.")
    roles = " and ".join(role for role, has in (("SCU", scu), ("SCP", scp)) if has) or "neither SCU nor SCP"
    return f"{uid_name(uid)}: the requestor as {roles}"


def _extended(pieces: Pieces, depth: int, start: int, length: int) -> str:
    at, uid = _counted_text(pieces, depth, "SOP class", start, start + length, is_uid=True)
    information = pieces.data[at : start + length]
    names = _QUERY_INFORMATION if ".5.1.4.1.2." in uid else _STORAGE_INFORMATION
    for position, value in enumerate(information):
        name = names[position] if position < len(names) else f"byte {position + 1}"
        pieces.add(depth, name.capitalize(), at + position, 1, str(value))
    said = ", ".join(name for name, value in zip(names, information, strict=False) if value and name != "reserved")
    return f"{uid_name(uid)}: {said or 'nothing special'}"


def _common_extended(pieces: Pieces, depth: int, start: int, length: int) -> str:
    end = start + length
    at, uid = _counted_text(pieces, depth, "SOP class", start, end, is_uid=True)
    at, service = _counted_text(pieces, depth, "Service class", at, end, is_uid=True)
    return f"{uid_name(uid)} belongs to {uid_name(service)}"


def _identity(pieces: Pieces, depth: int, start: int, length: int) -> str:
    kind, answer = struct.unpack_from("BB", pieces.data[start : start + length])
    what = _IDENTITIES.get(kind, f"type {kind}")
    pieces.add(depth, "Type", start, 1, str(kind), what)
    pieces.add(depth, "Answer requested", start + 1, 1, "yes" if answer else "no")
    at, primary = _counted_text(pieces, depth, "Primary field", start + 2, start + length, secret=kind > 2)
    secret = int.from_bytes(pieces.data[at : at + 2], "big")
    if secret:
        note = "A passcode, in the clear unless the association is over TLS: its bytes can be read by anybody."
        pieces.add(depth, "Secondary field", at, 2 + secret, f"{secret} bytes", note)
    return f"{what}{': ' + primary if kind <= 2 else ''}"


def _identity_answer(pieces: Pieces, depth: int, start: int, length: int) -> str:
    _, answer = _counted_text(pieces, depth, "Server response", start, start + length, secret=True)
    return f"{len(answer)} bytes"


def _counted_text(
    pieces: Pieces, depth: int, name: str, start: int, end: int, *, is_uid: bool = False, secret: bool = False
) -> tuple[int, str]:
    """A text after its length in two bytes; the place behind it, and the text."""
    (length,) = struct.unpack_from(">H", pieces.data[start:end])
    value = _text(pieces.data[start + 2 : min(start + 2 + length, end)])
    wrong = "" if start + 2 + length <= end else "It runs past the end of the item."
    shown = f"{length} bytes" if secret else value
    note = uid_name(value) if is_uid and uid_name(value) != value else ""
    pieces.add(depth, name, start, 2 + length, shown, wrong or note, bad=bool(wrong))
    return min(start + 2 + length, end), value


def _text(value: bytes) -> str:
    return "".join(sign if sign.isprintable() else "·" for sign in value.decode("latin-1").strip(" \0"))


def _title(value: bytes) -> str:
    return _text(value)


_ITEMS: Mapping[int, tuple[str, str, Reader]] = {
    0x10: ("Application context", "PS3.8 9.3.2.1", _application),
    0x20: ("Presentation context", "PS3.8 9.3.2.2", _proposed),
    0x21: ("Presentation context", "PS3.8 9.3.3.2", _answered),
    0x30: ("Abstract syntax", "PS3.8 9.3.2.2.1", _uid_item),
    0x40: ("Transfer syntax", "PS3.8 9.3.2.2.2", _uid_item),
    0x50: ("User information", "PS3.8 9.3.2.3", _user),
    0x51: ("Maximum length received", "PS3.8 D.1", _maximum),
    0x52: ("Implementation class UID", "PS3.7 D.3.3.2", _uid_item),
    0x53: ("Asynchronous operations window", "PS3.7 D.3.3.3", _asynchronous),
    0x54: ("SCP/SCU role selection", "PS3.7 D.3.3.4", _role),
    0x55: ("Implementation version name", "PS3.7 D.3.3.2", _text_item),
    0x56: ("SOP class extended negotiation", "PS3.7 D.3.3.5", _extended),
    0x57: ("SOP class common extended negotiation", "PS3.7 D.3.3.6", _common_extended),
    0x58: ("User identity", "PS3.7 D.3.3.7", _identity),
    0x59: ("User identity answer", "PS3.7 D.3.3.7", _identity_answer),
}
