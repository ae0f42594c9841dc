"""Ways of spoiling a conversation, from a single bit to a message that nobody would send.

Each way is a function of the table: it is given a random generator, the conversation and all others, and returns the
PDUs to send. The same generator state gives the same bytes, so a case is told by its seed.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from sandbox.dicom.messages import ELEMENTS, Command
from tests.unbreakable.conversations import Conversation, message, pdata

Mutation = Callable[[random.Random, list[bytes], Sequence[Conversation]], list[bytes]]

_NUMBERS = (0, 1, 2, 3, 6, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0xFFFFFFFE, 0xFFFFFFFF)
_TEXTS = (
    b"",
    b"*",
    b"?" * 64,
    b"*a" * 500,
    b"../../../../etc/passwd",
    b"1.2.3" + b"\0" * 30,
    b"9" * 65,
    b"'; DROP TABLE studies; --",
    b"%_\\%_",
    b"\x1b$B\x1b(J\xff\xfe",
    b"\r\n2026-01-01 10:00:00,000 ERROR forged",
    b"\\" * 300,
    b"99999999-00000000",
    b"1" * 400,
    "Ünï^Cödé=\U0001f600".encode(),
)
_TAGS: tuple[int, ...] = (
    0x00080005,
    0x00080016,
    0x00080018,
    0x00080020,
    0x00080030,
    0x00080052,
    0x00080054,
    0x00080061,
    0x00081111,
)
_TAGS += (0x00100010, 0x00100020, 0x00100030, 0x0020000D, 0x0020000E, 0x00200013, 0x00201208, 0x00280008, 0x00280010)
_TAGS += (0x00400275, 0x7FE00010, 0x00091001, 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD, 0x00000100, 0x00020010)
_VRS = b"AE AS AT CS DA DS DT FL FD IS LO LT OB OD OF OL OV OW PN SH SL SQ SS ST SV TM UC UI UL UN UR US UT UV".split()
_VRS.append(b"??")
_LONG = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())


def mutate(generator: random.Random, conversations: Sequence[Conversation]) -> list[bytes]:
    """A spoilt conversation. Most keep a request that is accepted, since little is learnt from one that is refused."""
    pdus = list(generator.choice(conversations))
    for _ in range(generator.choice((1, 1, 1, 2, 3))):
        way = generator.choice(_LIKELY) if generator.random() < 0.75 else generator.choice(tuple(MUTATIONS.values()))
        pdus = way(generator, pdus, conversations) or [b""]
    return pdus


def _after_request(generator: random.Random, pdus: Sequence[bytes]) -> int:
    """The place of a PDU, seldom the first."""
    return (
        generator.randrange(len(pdus))
        if len(pdus) < 2 or generator.random() < 0.1
        else generator.randrange(1, len(pdus))
    )


def _changed(pdus: list[bytes], place: int, pdu: bytes | bytearray) -> list[bytes]:
    return [*pdus[:place], bytes(pdu), *pdus[place + 1 :]]


def flip_bits(generator: random.Random, pdus: list[bytes], others: Sequence[Conversation]) -> list[bytes]:
    place = _after_request(generator, pdus)
    pdu = bytearray(pdus[place])
    for _ in range(generator.randint(1, 8) if pdu else 0):
        pdu[generator.randrange(len(pdu))] ^= 1 << generator.randrange(8)
    return _changed(pdus, place, pdu)


def set_number(generator: random.Random, pdus: list[bytes], others: Sequence[Conversation]) -> list[bytes]:
    """A length or a count that is at the border of something."""
    place = _after_request(generator, pdus)
    pdu = bytearray(pdus[place])
    form = generator.choice(("<H", ">H", "<L", ">L"))
    size = struct.calcsize(form)
    if len(pdu) > size:
        struct.pack_into(form, pdu, generator.randrange(len(pdu) - size), generator.choice(_NUMBERS) & (256**size - 1))
    return _changed(pdus, place, pdu)


def cut_off(generator: random.Random, pdus: list[bytes], others: Sequence[Conversation]) -> list[bytes]:
    place = _after_request(generator, pdus)
    return [*pdus[:place], pdus[place][: generator.randrange(len(pdus[place]) + 1)]]


def cut_value(generator: random.Random, pdus: list[bytes], others: Sequence[Conversation]) -> list[bytes]:
    """A whole PDU around a value that is not: the data set ends where it should not, or goes on."""
    place = _after_request(generator, pdus)
    pdu = pdus[place]
    if len(pdu) < 12 or pdu[0] != 4:
        return cut_off(generator, pdus, others)
    value = pdu[12:]
    at = generator.randrange(len(value) + 1)
    value = generator.choice((value[:at], value + generator.randbytes(at % 64), value[:at] + value[at // 2 :]))
    return _changed(pdus, place, pdata(pdu[10], pdu[11], value))


def insert_garbage(generator: random.Random, pdus: list[bytes], others: Sequence[Conversation]) -> list[bytes]:
    place = generator.randrange(len(pdus) + 1)
    return [*pdus[:place], generator.randbytes(generator.choice((1, 6, 7, 100, 5000))), *pdus[place:]]


def nothing_but_garbage(generator: random.Random, pdus: list[bytes], others: Sequence[Conversation]) -> list[bytes]:
    first = generator.choice(
        (b"", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"\x16\x03\x01\x02\x00\x01", b"\1\0\0\0\0\xff")
    )
    return [first + generator.randbytes(generator.choice((0, 3, 74, 1000, 40000)))]


def drop(generator: random.Random, pdus: list[bytes], others: Sequence[Conversation]) -> list[bytes]:
    place = _after_request(generator, pdus)
    return pdus[:place] + pdus[place + 1 :]


def repeat(generator: random.Random, pdus: list[bytes], others: Sequence[Conversation]) -> list[bytes]:
    place = _after_request(generator, pdus)
    return pdus[:place] + [pdus[place]] * generator.choice((2, 3, 70, 150)) + pdus[place + 1 :]


def shuffle(generator: random.Random, pdus: list[bytes], others: Sequence[Conversation]) -> list[bytes]:
    rest = pdus[1:]
    generator.shuffle(rest)
    return [*pdus[:1], *rest]


def splice(generator: random.Random, pdus: list[bytes], others: Sequence[Conversation]) -> list[bytes]:
    """The beginning of one conversation and the end of another."""
    other = generator.choice(others)
    return pdus[: generator.randint(1, len(pdus))] + list(other[generator.randrange(len(other)) :])


def change_kind(generator: random.Random, pdus: list[bytes], others: Sequence[Conversation]) -> list[bytes]:
    place = _after_request(generator, pdus)
    kind = generator.choice((0, 1, 2, 3, 4, 5, 6, 7, 8, 22, 255))
    return _changed(pdus, place, bytes((kind,)) + pdus[place][1:])


def fragment(generator: random.Random, pdus: list[bytes], others: Sequence[Conversation]) -> list[bytes]:
    """The same message in other pieces, which is legal, and sometimes with a wrong piece among them."""
    place = _after_request(generator, pdus)
    pdu = pdus[place]
    if len(pdu) < 12 or pdu[0] != 4:
        return pdus
    context_id, control, value = pdu[10], pdu[11], pdu[12:]
    size = generator.choice((0, 1, 2, 7, 100))
    pieces = [value[start : start + size] for start in range(0, len(value), size)] if size else []
    pieces = pieces[:400] or [b"", value, b""]
    made = [pdata(context_id, control & 1, piece) for piece in pieces[:-1]] + [pdata(context_id, control, pieces[-1])]
    if generator.random() < 0.3:
        made.insert(generator.randrange(len(made)), pdata(generator.randrange(256), generator.randrange(256), b"\1\2"))
    return pdus[:place] + made + pdus[place + 1 :]


def any_command(generator: random.Random, pdus: list[bytes], others: Sequence[Conversation]) -> list[bytes]:
    """A message of random elements with a random data set, on a context that may be there."""
    values: dict[str, Any] = {}
    for keyword, (_, vr) in ELEMENTS.items():
        if generator.random() < 0.5:
            values[keyword] = _command_value(generator, vr)
    fields = (0x0001, 0x0010, 0x0020, 0x0021, 0x0030, 0x0FFF, 0x0100, 0x0110, 0x0120, 0x0130, 0x0140, 0x0150)
    values["CommandField"] = generator.choice((*fields, 0x8001, 0x8020, 0x8150, 0x0FF0))
    command = cast(Command, values)
    announced = values.setdefault("CommandDataSetType", generator.choice((1, 0x0101))) != 0x0101
    data = data_set(generator) if announced or generator.random() < 0.1 else None
    made = list(message(generator.choice((1, 1, 3, 5, 7, 9, 11, 2, 255)), command, data))
    place = generator.randint(1, len(pdus))
    return pdus[:place] + made + pdus[place:]


def _command_value(generator: random.Random, vr: str) -> int | str | tuple[int, ...]:
    if vr == "US":
        return generator.choice(_NUMBERS) & 0xFFFF
    if vr == "AT":
        return tuple(generator.choice(_TAGS) for _ in range(generator.randrange(4)))
    return generator.choice((*_TEXTS, b"WS1", b"1.2.840.10008.5.1.4.1.1.2")).decode("latin-1")


def other_data_set(generator: random.Random, pdus: list[bytes], others: Sequence[Conversation]) -> list[bytes]:
    """A sound command followed by another data set than it had."""
    places = [place for place, pdu in enumerate(pdus) if len(pdu) > 12 and pdu[0] == 4 and not pdu[11] & 1]
    if not places:
        return flip_bits(generator, pdus, others)
    place = generator.choice(places)
    return _changed(pdus, place, pdata(pdus[place][10], pdus[place][11], data_set(generator)))


def hostile_value(generator: random.Random, pdus: list[bytes], others: Sequence[Conversation]) -> list[bytes]:
    """A text where another was, lengths put right."""
    places = [place for place, pdu in enumerate(pdus) if len(pdu) > 12 and pdu[0] == 4 and not pdu[11] & 1]
    if not places:
        return set_number(generator, pdus, others)
    place = generator.choice(places)
    context_id, control, value = pdus[place][10], pdus[place][11], pdus[place][12:]
    elements = _explicit(value)
    if elements:
        at = generator.randrange(len(elements))
        tag, vr, _ = elements[at]
        elements[at] = (tag, generator.choice((vr, vr, generator.choice(_VRS))), generator.choice(_TEXTS))
        value = b"".join(element(*one) for one in elements)
    return _changed(pdus, place, pdata(context_id, control, value))


def hostile_command(generator: random.Random, pdus: list[bytes], others: Sequence[Conversation]) -> list[bytes]:
    """A text of the command set that is another."""
    places = [place for place, pdu in enumerate(pdus) if len(pdu) > 12 and pdu[0] == 4 and pdu[11] & 1]
    if not places:
        return set_number(generator, pdus, others)
    place = generator.choice(places)
    context_id, control, value = pdus[place][10], pdus[place][11], pdus[place][12:]
    position, pieces = 0, []
    while position + 8 <= len(value):
        (length,) = struct.unpack_from("<L", value, position + 4)
        pieces.append((value[position : position + 4], value[position + 8 : position + 8 + length]))
        position += 8 + length
    if pieces:
        at = generator.randrange(len(pieces))
        pieces[at] = (pieces[at][0], generator.choice(_TEXTS))
    made = b"".join(tag + struct.pack("<L", len(held)) + held for tag, held in pieces)
    return _changed(pdus, place, pdata(context_id, control, made))


def element(tag: int, vr: bytes, value: bytes) -> bytes:
    """An element in explicit little endian, its value made even."""
    value += b" " * (len(value) % 2)
    head = struct.pack("<HH2s", tag >> 16, tag & 0xFFFF, vr)
    return head + (struct.pack("<xxL", len(value)) if vr in _LONG else struct.pack("<H", len(value) & 0xFFFF)) + value


def nested(tag: int, depth: int) -> bytes:
    """Sequences of undefined length within each other, closed again."""
    opened = struct.pack("<HH2sxxL", tag >> 16, tag & 0xFFFF, b"SQ", 0xFFFFFFFF) + b"\xfe\xff\x00\xe0\xff\xff\xff\xff"
    closed = b"\xfe\xff\x0d\xe0\0\0\0\0" + b"\xfe\xff\xdd\xe0\0\0\0\0"
    return opened * depth + closed * depth


def data_set(generator: random.Random) -> bytes:
    """Bytes that may pass for a data set in explicit little endian."""
    match generator.randrange(5):
        case 0:
            return generator.randbytes(generator.choice((0, 1, 7, 8, 9, 100, 3000)))
        case 1:
            return nested(generator.choice(_TAGS), generator.choice((1, 10, 300, 2000)))
        case 2:
            return bytes(generator.choice((8, 20, 5000)))
    tags = generator.choices(_TAGS, k=generator.randint(1, 12))
    if generator.random() < 0.7:
        tags.sort()
    return b"".join(element(tag, generator.choice(_VRS), generator.choice(_TEXTS)) for tag in tags)


def _explicit(value: bytes) -> list[tuple[int, bytes, bytes]]:
    """The elements of a flat data set in explicit little endian; none if it is not one."""
    position, found = 0, []
    while position + 8 <= len(value):
        group, number, vr, length = struct.unpack_from("<HH2sH", value, position)
        position += 8
        if vr in _LONG and position + 4 <= len(value):
            (length,) = struct.unpack_from("<L", value, position)
            position += 4
        if not vr.isalpha() or position + length > len(value):
            return []
        found.append((group << 16 | number, vr, value[position : position + length]))
        position += length
    return found


MUTATIONS: Mapping[str, Mutation] = {
    way.__name__: way
    for way in (
        flip_bits,
        set_number,
        cut_off,
        cut_value,
        insert_garbage,
        nothing_but_garbage,
        drop,
        repeat,
        shuffle,
        splice,
        change_kind,
        fragment,
        any_command,
        other_data_set,
        hostile_value,
        hostile_command,
    )
}
_LIKELY = (flip_bits, set_number, cut_value, any_command, other_data_set, hostile_value, hostile_command, fragment)
