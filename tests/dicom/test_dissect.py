"""PDUs, messages and data sets taken apart for people to look at: each byte accounted for, and nothing that a peer can
send makes it fall over."""

from __future__ import annotations

import struct
import zlib
from datetime import datetime, timedelta
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.filebase import DicomFileLike
from pydicom.filewriter import write_dataset
from pydicom.sequence import Sequence
from pynetdicom.pdu import A_ASSOCIATE_AC

from sandbox.dicom.dissect import dissect
from sandbox.dicom.dissect_dataset import MOST_ELEMENTS, command_name, dissect_command, dissect_dataset
from sandbox.dicom.dissect_messages import Conversation, Said
from sandbox.dicom.messages import C_CANCEL_RQ, C_FIND_RQ, C_STORE_RQ, NO_DATA_SET, RESPONSE, Command, encode_command
from sandbox.dicom.pdus import HEADER, Kind, four_bytes
from sandbox.model.inspection import Piece
from tests.dicom.support import EXPLICIT, IMPLICIT, associate_rq, item

# pydicom complains of UIDs that damage has made.
pytestmark = pytest.mark.filterwarnings("ignore:Invalid value for VR UI")
AT = datetime(2026, 3, 2, 8, 30)
BIG_ENDIAN = "1.2.840.10008.1.2.2"
DEFLATED = "1.2.840.10008.1.2.1.99"
ROLE = item(0x54, struct.pack(">H", 17) + b"1.2.840.10008.1.1" + b"\x00\x01")
REQUEST = associate_rq(
    contexts=[(1, "1.2.840.10008.1.1", (IMPLICIT, EXPLICIT)), (3, "1.2.3", (IMPLICIT,))],
    user_items=item(0x53, struct.pack(">HH", 0, 1)) + ROLE + item(0x58, b"\x02\x01\x00\x04anna\x00\x03abc"),
)


def named(pieces: tuple[Piece, ...], name: str) -> list[Piece]:
    return [piece for piece in pieces if piece.name == name]


def value(pieces: tuple[Piece, ...], name: str) -> str:
    (found,) = named(pieces, name)
    return found.value


def test_a_request_is_told_item_by_item_with_its_bytes() -> None:
    read = dissect(REQUEST)
    assert (read.name, read.words, read.bad) == ("A-ASSOCIATE-RQ", "SCRIPTED asks ARCHIVE, 2 contexts proposed", False)
    assert value(read.pieces, "Called AE title") == "ARCHIVE"
    assert (
        value(read.pieces, "Asynchronous operations window") == "any number of operations invoked, 1 performed at once"
    )
    assert value(read.pieces, "SCP/SCU role selection").endswith("the requestor as SCP")
    first, second = named(read.pieces, "Presentation context")
    assert "Verification" in first.value
    assert second.value == "3: 1.2.3, 1 offered"
    for piece in named(read.pieces, "Transfer syntax"):
        uid = piece.value.partition(" ")[0]
        assert REQUEST[piece.start + 4 : piece.start + piece.length].decode() == uid
    assert all(piece.part.startswith(("PS3.7", "PS3.8")) for piece in read.pieces if piece.name != "Reserved")


def test_a_passcode_is_not_written_out() -> None:
    told = " ".join(f"{piece.value} {piece.note}" for piece in dissect(REQUEST).pieces)
    assert "user name and passcode: anna" in told
    assert "abc" not in told


def test_what_pynetdicom_answers_is_read_the_same() -> None:
    """The second reader of the same bytes is pynetdicom's own."""
    body = struct.pack(">HH", 1, 0) + b"ARCHIVE".ljust(16) + b"CT1".ljust(16) + bytes(32)
    body += item(0x10, b"1.2.840.10008.3.1.1.1")
    body += item(0x21, b"\x01\0\0\0" + item(0x40, IMPLICIT.encode()))
    body += item(0x21, b"\x03\0\x03\0" + item(0x40, IMPLICIT.encode()))
    body += item(0x50, item(0x51, struct.pack(">L", 16384)) + item(0x52, b"1.2.3") + item(0x55, b"X_1"))
    pdu = HEADER.pack(Kind.ASSOCIATE_AC, len(body)) + body
    theirs = A_ASSOCIATE_AC()
    theirs.decode(pdu)
    read = dissect(pdu)
    assert read.words == "1 of 2 contexts accepted"
    assert [value(read.pieces, "Maximum length received"), value(read.pieces, "Implementation version name")] == [
        f"{theirs.user_information.maximum_length} bytes",
        "X_1",
    ]
    results = [piece.value for piece in named(read.pieces, "Result")]
    assert results == [str(context.result) for context in theirs.presentation_context] == ["0", "3"]


@pytest.mark.parametrize(
    ("pdu", "name", "words"),
    [
        (four_bytes(Kind.ASSOCIATE_RJ, 0, 1, 1, 7), "A-ASSOCIATE-RJ", "1/1/7: called AE title not recognised"),
        (four_bytes(Kind.ABORT, 0, 0, 2, 1), "A-ABORT", "service provider: unrecognised PDU"),
        (four_bytes(Kind.RELEASE_RQ), "A-RELEASE-RQ", "asks to end the association"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc", "TLS", "TLS (ClientHello), not DICOM"),
        (b"GET / HTTP/1.1\r\nHost: x\r\n", "not a DICOM PDU", "an HTTP request, not DICOM"),
        (b"\x0bMSH|^~\\&|", "not a DICOM PDU", "an HL7 message in MLLP, not DICOM"),
        (b"\xff\xfe\x00", "not a DICOM PDU", "3 bytes that are no DICOM PDU"),
        (b"", "nothing", "no bytes"),
        (four_bytes(Kind.ABORT, 0, 0, 2, 1)[:7], "A-ABORT", "The abort is cut off"),
    ],
)
def test_what_it_is_is_said(pdu: bytes, name: str, words: str) -> None:
    read = dissect(pdu)
    assert (read.name, read.words) == (name, words)


def test_a_length_that_is_not_so_is_told() -> None:
    read = dissect(REQUEST[:-5])
    assert read.bad
    assert "It says" in named(read.pieces, "PDU length")[0].note
    assert any(piece.bad and piece.name == "Cut off" for piece in read.pieces)


def test_data_values_show_context_and_control_byte() -> None:
    values = pdv(1, 3, b"abc") + pdv(3, 0, b"de")
    read = dissect(HEADER.pack(Kind.DATA, len(values)) + values)
    assert read.words == "context 1, command, last fragment, 3 bytes; context 3, data set, more to come, 2 bytes"
    wrong = HEADER.pack(Kind.DATA, 10) + struct.pack(">LBB", 400, 1, 3) + b"abcd"
    assert dissect(wrong).bad


@given(st.binary(max_size=400))
def test_any_bytes_are_taken(data: bytes) -> None:
    read = dissect(data)
    for piece in read.pieces:
        assert 0 <= piece.start <= piece.start + piece.length <= len(data)


@given(st.integers(0, len(REQUEST) - 1), st.binary(min_size=1, max_size=8), st.integers(0, len(REQUEST)))
def test_a_damaged_request_is_still_told(at: int, damage: bytes, end: int) -> None:
    damaged = (REQUEST[:at] + damage + REQUEST[at + len(damage) :])[:end]
    for piece in dissect(damaged).pieces:
        assert 0 <= piece.start <= piece.start + piece.length <= len(damaged)


def test_items_within_items_without_end_are_not_followed() -> None:
    nested = b""
    for _ in range(3000):
        nested = item(0x50, nested)
        if len(nested) > 60_000:
            break
    body = REQUEST[6:74] + nested
    assert dissect(HEADER.pack(Kind.ASSOCIATE_RQ, len(body)) + body).pieces


# --- data sets -------------------------------------------------------------------------------------------------------


def sample() -> Dataset:
    found = Dataset()
    found.SpecificCharacterSet = "ISO_IR 100"
    found.PatientName = "Müller^Anna"
    found.StudyInstanceUID = "1.2.840.10008.1.1"
    inner = Dataset()
    inner.ReferencedSOPInstanceUID = "1.2.3"
    found.ReferencedImageSequence = Sequence([inner, inner])
    found.Rows = 512
    found.add_new(0x00191010, "LO", "private")
    found.add_new(0x00091001, "FD", 2.5)
    found.add_new(0x7FE00010, "OW", bytes(2000))
    return found


def encoded(dataset: Dataset, syntax: str, *, undefined: bool = False) -> bytes:
    stream = BytesIO()
    file = DicomFileLike(stream)
    file.is_implicit_VR = syntax == IMPLICIT
    file.is_little_endian = syntax != BIG_ENDIAN
    if undefined:
        dataset["ReferencedImageSequence"].is_undefined_length = True
        for one in dataset.ReferencedImageSequence:
            one.is_undefined_length_sequence_item = True
    write_dataset(file, dataset, parent_encoding="latin-1")
    return stream.getvalue()


@pytest.mark.parametrize("undefined", [False, True])
@pytest.mark.parametrize("syntax", [IMPLICIT, EXPLICIT, BIG_ENDIAN, DEFLATED])
def test_a_data_set_is_read_in_every_encoding(syntax: str, undefined: bool) -> None:
    data = encoded(sample(), EXPLICIT if syntax == DEFLATED else syntax, undefined=undefined)
    if syntax == DEFLATED:
        stream = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        data = stream.compress(data) + stream.flush()
    read = dissect_dataset(data, syntax)
    assert (read.trouble, read.more) == ("", False)
    told = {one.keyword or one.name: one for one in read.elements}
    assert told["PatientName"].value == "Müller^Anna"
    assert told["Rows"].value == "512"
    assert told["StudyInstanceUID"].note == "Verification SOP Class"
    assert (told["PixelData"].value, told["PixelData"].note) == ("2000 bytes", "pixel data, not shown")
    inner = [one for one in read.elements if one.keyword == "ReferencedSOPInstanceUID"]
    assert [(one.depth, one.value) for one in inner] == [(1, "1.2.3"), (1, "1.2.3")]
    assert [one.name for one in read.elements if one.tag == "(FFFE,E000)"] == ["Item 1", "Item 2"]
    assert told["Rows"].depth == 0


def test_the_wrong_transfer_syntax_is_told_where_it_shows() -> None:
    read = dissect_dataset(encoded(sample(), IMPLICIT), EXPLICIT)
    assert "is the transfer syntax another one?" in read.trouble
    assert read.elements[-1].bad


def test_a_data_set_cut_off_is_told_and_one_that_is_only_begun_is_not() -> None:
    data = encoded(sample(), EXPLICIT)
    cut = dissect_dataset(data[:-100], EXPLICIT)
    assert "runs past the end" in cut.trouble
    begun = dissect_dataset(data[:-100], EXPLICIT, is_whole=False)
    assert (begun.trouble, begun.more) == ("", True)


def test_compressed_pixels_are_counted() -> None:
    fragments = b"".join(struct.pack("<HHL", 0xFFFE, 0xE000, 6) + b"abcdef" for _ in range(3))
    data = struct.pack("<HH2sHL", 0x7FE0, 0x10, b"OB", 0, 0xFFFFFFFF) + fragments
    whole = dissect_dataset(data + struct.pack("<HHL", 0xFFFE, 0xE0DD, 0), "1.2.840.10008.1.2.4.70")
    assert (whole.elements[0].value, whole.trouble) == ("3 fragments, 18 bytes", "")
    assert "do not end" in dissect_dataset(data, "1.2.840.10008.1.2.4.70").trouble


def test_there_is_an_end_to_what_is_shown() -> None:
    many = b"".join(struct.pack("<HHL", 0x0009, 0x1000 + number, 0) for number in range(MOST_ELEMENTS + 10))
    read = dissect_dataset(many, IMPLICIT)
    assert (len(read.elements), read.more) == (MOST_ELEMENTS, True)
    long = dissect_dataset(struct.pack("<HHL", 0x0010, 0x4000, 9000) + b"x" * 9000, IMPLICIT)
    assert len(long.elements[0].value) < 200
    bomb = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    deflated = bomb.compress(struct.pack("<HH2sHL", 0x10, 0x4000, b"UT", 0, 1 << 26) + bytes(1 << 26)) + bomb.flush()
    assert dissect_dataset(deflated, DEFLATED).more


@given(st.binary(max_size=300), st.sampled_from([IMPLICIT, EXPLICIT, BIG_ENDIAN, DEFLATED, "1.2.3"]), st.booleans())
def test_any_bytes_are_taken_for_a_data_set(data: bytes, syntax: str, is_whole: bool) -> None:
    dissect_dataset(data, syntax, is_whole=is_whole)


@given(st.integers(0, 400), st.binary(min_size=1, max_size=6), st.sampled_from([IMPLICIT, EXPLICIT]))
def test_a_damaged_data_set_is_read_as_far_as_it_goes(at: int, damage: bytes, syntax: str) -> None:
    data = encoded(sample(), syntax)
    dissect_dataset(data[:at] + damage + data[at + len(damage) :], syntax)
    dissect_command(data[:at] + damage)


# --- messages --------------------------------------------------------------------------------------------------------


def pdv(context: int, control: int, data: bytes) -> bytes:
    return struct.pack(">LBB", len(data) + 2, context, control) + data


def request(field: int, number: int, *, data: bool = True, **more: object) -> bytes:
    command: Command = {"CommandField": field, "MessageID": number, "CommandDataSetType": 1 if data else NO_DATA_SET}
    return encode_command({**command, **more})  # type: ignore[typeddict-item]


def response(field: int, number: int, status: int, *, data: bool = False) -> bytes:
    return encode_command(
        {
            "CommandField": field | RESPONSE,
            "MessageIDBeingRespondedTo": number,
            "CommandDataSetType": 1 if data else NO_DATA_SET,
            "Status": status,
        }
    )


class Wire:
    """Feeds PDUs to a conversation, of which only so many bytes are at hand at once."""

    def __init__(self, glance: int = 40) -> None:
        self.talk = Conversation()
        self.glance = glance
        self.at = AT

    def say(self, from_requestor: bool, *values: bytes) -> list[Said]:
        body = b"".join(values)
        return self.pdu(from_requestor, HEADER.pack(Kind.DATA, len(body)) + body)

    def pdu(self, from_requestor: bool, data: bytes) -> list[Said]:
        self.at += timedelta(milliseconds=10)
        self.talk.feed(
            self.at, from_requestor, len(data), data[: self.glance], lambda start, size: data[start : start + size]
        )
        return self.talk.steps


def test_fragments_become_messages_and_requests_find_their_answers() -> None:
    wire = Wire()
    wire.pdu(True, REQUEST)
    stored = request(C_STORE_RQ, 7)
    wire.say(True, pdv(1, 1, stored[:20]), pdv(1, 3, stored[20:]), pdv(1, 0, b"abc"))
    wire.say(True, pdv(1, 0, b"def"))
    wire.say(True, pdv(1, 2, b"g"))
    steps = wire.say(False, pdv(1, 3, response(C_STORE_RQ, 7, 0)))
    assert [(step.is_message, step.first_pdu, step.last_pdu) for step in steps] == [
        (False, 1, 1),
        (True, 2, 4),
        (True, 5, 5),
    ]
    asked, answered = steps[1:]
    assert asked.size == 7
    assert asked.is_complete
    assert [(pdu, length) for pdu, _, length in asked.fragments] == [(2, 3), (3, 3), (4, 1)]
    assert (asked.answer, answered.request) == (3, 2)
    assert asked.answered_at is not None
    assert asked.answered_at - asked.at == timedelta(milliseconds=30)
    assert wire.talk.step_of == [1, 2, 2, 2, 3]


def test_pending_answers_are_not_the_answer_and_a_cancel_asks_nothing() -> None:
    wire = Wire()
    wire.say(True, pdv(1, 3, request(C_FIND_RQ, 1)), pdv(1, 2, b"keys"))
    wire.say(False, pdv(1, 3, response(C_FIND_RQ, 1, 0xFF00, data=True)), pdv(1, 2, b"match"))
    cancel = encode_command(
        {"CommandField": C_CANCEL_RQ, "MessageIDBeingRespondedTo": 1, "CommandDataSetType": NO_DATA_SET}
    )
    wire.say(True, pdv(1, 3, cancel))
    steps = wire.say(False, pdv(1, 3, response(C_FIND_RQ, 1, 0xFE00)))
    assert [step.request for step in steps] == [0, 1, 0, 1]
    assert steps[0].answer == 4


def test_both_directions_at_once_are_kept_apart() -> None:
    """As in a C-GET, whose instances come back on the same association, under message ids of their own."""
    wire = Wire()
    wire.say(True, pdv(1, 1, request(C_FIND_RQ, 1)[:10]))
    wire.say(False, pdv(3, 3, request(C_STORE_RQ, 1)), pdv(3, 2, b"image"))
    wire.say(True, pdv(1, 3, request(C_FIND_RQ, 1)[10:]), pdv(1, 2, b"keys"))
    wire.say(True, pdv(3, 3, response(C_STORE_RQ, 1, 0)))
    steps = wire.say(False, pdv(1, 3, response(C_FIND_RQ, 1, 0)))
    assert [(step.number, step.request) for step in steps] == [(1, 0), (2, 0), (3, 2), (4, 1)]
    assert all(step.is_complete for step in steps)


def test_what_breaks_the_rules_is_told() -> None:
    wire = Wire()
    (step,) = wire.say(True, pdv(1, 2, b"no command"))
    assert step.trouble == "a data set without a command before it"
    wire.say(True, pdv(1, 3, request(C_STORE_RQ, 2)))
    steps = wire.say(True, pdv(1, 3, request(C_STORE_RQ, 3)), pdv(1, 2, b"x"))
    assert steps[1].trouble == "its data set did not come: the next command began"
    assert steps[2].is_complete
    steps = wire.pdu(True, HEADER.pack(Kind.DATA, 6) + struct.pack(">LBB", 1, 1, 3))
    assert "says it has 1 bytes" in steps[-1].trouble
    steps = wire.say(True, pdv(1, 3, b"\xff" * 30))
    assert steps[-1].trouble


@given(st.lists(st.tuples(st.booleans(), st.binary(max_size=80)), max_size=12), st.integers(0, 60))
def test_any_pdus_are_taken_for_a_conversation(pdus: list[tuple[bool, bytes]], glance: int) -> None:
    wire = Wire(glance)
    for number, (from_requestor, data) in enumerate(pdus, start=1):
        wire.pdu(from_requestor, (b"\x04" if number % 2 else b"") + data)
        assert len(wire.talk.step_of) == number
    for step in wire.talk.steps:
        assert 1 <= step.first_pdu <= step.last_pdu <= len(pdus)


def test_a_command_set_is_read_in_words() -> None:
    read = dissect_command(response(C_STORE_RQ, 4, 0xA700))
    told = {one.keyword: (one.value, one.note) for one in read.elements}
    assert told["CommandField"] == ("8001H", "C-STORE-RSP")
    assert told["Status"][0] == "A700H"
    assert told["Status"][1].startswith("out of resources")
    assert told["CommandDataSetType"][1] == "no data set follows"
    assert command_name(0x7777) == "command 7777H"
